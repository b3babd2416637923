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
	if h.Seq == 1 {
		g.noteLowered(h.Device)
		delete(g.logs, h.Device)
		return
	}
	g.lowerTo(g.logs[h.Device], h.Seq-1, h.Prev.Short())
	if l := g.logs[h.Device]; !l.nodes[0].bare {
		l.tip = h.Prev
	}
}

// lowerTo has a log, of which the floor alone is here, start with another entry. No part
// has it.
func (g *Graph) lowerTo(l *log, seq uint64, hash wire.Short) {
	g.noteLowered(l.device)
	start, number := node{hash: hash, bare: true}, unnumbered
	l.tip = wire.EntryHash{}
	for _, n := range l.forks[seq] { // a head of the floor, whole
		if n.hash == start.hash {
			start = n
			delete(l.forks, seq)
			number, _ = g.line.dropFork(Ref{l.device, seq, n.hash})
		}
	}
	l.floor, l.first, l.nodes, l.numbers = seq, seq, []node{start}, []uint32{number}
}

func (g *Graph) noteLowered(device wire.DeviceID) {
	g.digest = nil
	if g.lowered == nil {
		g.lowered = make(map[wire.DeviceID]struct{})
	}
	g.lowered[device] = struct{}{}
}

// Lowered reports whether a floor was ever taken back: what the heads name is then
// perhaps not all here, and the frontier alone says what is.
func (g *Graph) Lowered() bool { return len(g.lowered) > 0 }
