package dag

import (
	"math"
	"slices"

	"kith/internal/wire"
)

// A column says, of each numbered entry, how far the entries that it names, and it
// itself, reach in the log of one device: what an Ack by heads says of that log is then
// looked up, at any depth. It is made when it is first asked for and goes on as entries come.
type column []uint32

// Delivered returns up to which seq of a device's log an Ack says that its author has
// it, as far as its heads are here.
func (g *Graph) Delivered(a *Ack, device wire.DeviceID) (seq uint64) {
	if a.Version != AckByHeads {
		return seqIn(a.Delivered, device)
	}
	column := g.column(device)
	if g.coversFloor(a.Heads) {
		if l := g.logs[device]; l != nil {
			seq = l.floor
		}
	}
	for _, h := range a.Heads {
		if number, ok := g.numberOf(h); ok {
			seq = max(seq, uint64(column[number]))
		} else if h.Device == device && g.Has(h) { // by the floor
			seq = max(seq, h.Seq)
		}
	}
	if stop := seqIn(a.Stops, device); stop > 0 {
		seq = min(seq, stop-1)
	}
	return seq
}

// coversFloor reports whether all that the floor covers lies before heads: all heads that
// it had. Once it said too much it is taken for nothing.
func (g *Graph) coversFloor(heads []Ref) bool {
	if g.floorHeads == 0 || g.Lowered() {
		return false
	}
	for number := uint32(len(g.overFloor)); int(number) < len(g.line.cells); number++ {
		var over uint8
		if number < g.floorHeads {
			over = 1 << number
		}
		for _, n := range g.line.names(number) {
			over |= g.overFloor[n]
		}
		g.overFloor = append(g.overFloor, over)
	}
	var over uint8
	for _, h := range heads {
		if number, ok := g.numberOf(h); ok {
			over |= g.overFloor[number]
		}
	}
	return over == 1<<g.floorHeads-1
}

// Lacks reports whether an Ack names a head that is not here.
func (g *Graph) Lacks(a *Ack) bool {
	return slices.ContainsFunc(a.Heads, func(h Ref) bool { return !g.Has(h) })
}

// AckHeads returns what an Ack by heads names of all that is checked here, and where it
// stops beyond what the caller knows: of logs of which a floor said too much. more says
// that heads were left out.
func (g *Graph) AckHeads() (heads []Ref, stops []Delivered, more bool) {
	heads = g.Heads()
	if more = len(heads) > MaxAckHeads; more {
		heads = g.newestOf(g.heads, MaxAckHeads, func(Ref) bool { return true })
	}
	for d := range g.lowered {
		stops = append(stops, Delivered{d, g.Seq(d) + 1})
	}
	slices.SortFunc(stops, func(a, b Delivered) int { return compareDevice(a.Device, b.Device) })
	return heads, stops, more
}

func seqIn(list []Delivered, device wire.DeviceID) uint64 {
	i, ok := slices.BinarySearchFunc(list, device, func(d Delivered, id wire.DeviceID) int { return compareDevice(d.Device, id) })
	if !ok {
		return 0
	}
	return list[i].Seq
}

// column returns that of a device up to the newest entry.
func (g *Graph) column(device wire.DeviceID) column {
	c, known := g.columns[device]
	if !known && len(g.columns) >= maxColumns {
		clear(g.columns)
	}
	for number := uint32(len(c)); int(number) < len(g.line.cells); number++ {
		var reach uint32
		for _, n := range g.line.names(number) {
			reach = max(reach, c[n])
		}
		if g.line.logs[g.line.cells[number].log].device == device {
			r, _ := g.numbered(number)
			reach = max(reach, uint32(min(r.Seq, math.MaxUint32))) // a log that long counts no further
		}
		c = append(c, reach)
	}
	if g.columns == nil {
		g.columns = make(map[wire.DeviceID]column)
	}
	g.columns[device] = c
	return c
}
