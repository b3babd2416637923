package dag

import (
	"sort"

	"kith/internal/wire"
)

// PlaceOf returns where the checked entry of a device stands that came first with a seq,
// as an Ack says it: without its hash. Not ok, if none is here, or a floor alone names it.
func (g *Graph) PlaceOf(device wire.DeviceID, seq uint64) (p Place, ok bool) {
	l := g.logs[device]
	if l == nil {
		return p, false
	}
	n, ok := l.main(seq)
	if !ok || n.bare {
		return p, false
	}
	return Place{Order: n.order, Device: device, Seq: seq}, true
}

// LastBefore returns the last entry before a place in one device's log, or with it the
// one that stands there.
func (g *Graph) LastBefore(device wire.DeviceID, at Place, with bool) (p Place, ok bool) {
	l := g.logs[device]
	if l == nil {
		return p, false
	}
	place := func(i int) Place { return Place{Order: l.nodes[i].order, Device: device, Seq: l.first + uint64(i)} }
	at.Hash = wire.Short{}
	count := sort.Search(len(l.nodes), func(i int) bool { return !Less(place(i), at) && !(with && place(i) == at) })
	if count == 0 || l.nodes[count-1].bare {
		return p, false
	}
	return place(count - 1), true
}
