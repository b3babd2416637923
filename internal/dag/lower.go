package dag

import "kith/internal/wire"

// Overclaims reports whether h would change the floor, see [Graph.Lower].
func (g *Graph) Overclaims(h *Header) bool {
	l := g.logs[h.Device]
	if l == nil || h.Seq > l.floor || h.form() != nil || len(l.nodes) != 1 || !l.nodes[0].bare {
		return false
	}
	for seq := range l.forks {
		if seq >= h.Seq {
			return false
		}
	}
	return true
}

// Lower takes back what the floor says of h's device, if h shows that it claims too
// much: h is signed by the device, and the caller knows that it was written after
// the floor was made, so that an honest floor lies below it. The log then starts
// just below h. Nothing is taken back that the device has built upon, or that a
// signed header of the floor bears out.
func (g *Graph) Lower(h *Header) {
	if !g.Overclaims(h) {
		return
	}
	g.digest = nil
	if g.lowered == nil {
		g.lowered = make(map[wire.DeviceID]struct{})
	}
	g.lowered[h.Device] = struct{}{}
	if h.Seq == 1 {
		delete(g.logs, h.Device)
		return
	}
	l := g.logs[h.Device]
	start, number := node{hash: h.Prev.Short(), bare: true}, unnumbered
	l.tip = wire.EntryHash{}
	for _, n := range l.forks[h.Seq-1] { // a head of the floor, whole
		if n.hash == start.hash {
			start, l.tip = n, h.Prev
			delete(l.forks, h.Seq-1)
			number, _ = g.line.dropFork(Ref{h.Device, h.Seq - 1, n.hash})
		}
	}
	l.floor, l.first, l.nodes, l.numbers = h.Seq-1, h.Seq-1, []node{start}, []uint32{number}
}

// Lowered reports whether a floor was ever taken back: what the heads name is then
// perhaps not all here, and the frontier alone says what is.
func (g *Graph) Lowered() bool { return len(g.lowered) > 0 }
