package dag

import (
	"slices"

	"kith/internal/wire"
)

// refusals remembers the newest refused entries.
type refusals struct {
	reasons map[Ref]Reason
	ring    []Ref
	next    int
}

func newRefusals() refusals { return refusals{reasons: make(map[Ref]Reason)} }

func (f *refusals) has(r Ref) bool { _, ok := f.reasons[r]; return ok }

func (f *refusals) add(r Ref, reason Reason) {
	if f.has(r) {
		return
	}
	if len(f.ring) < maxRefused {
		f.ring = append(f.ring, r)
	} else {
		delete(f.reasons, f.ring[f.next])
		f.ring[f.next] = r
		f.next = (f.next + 1) % maxRefused
	}
	f.reasons[r] = reason
}

// parking holds entries that wait for others.
type parking struct {
	entries map[Ref]*parked
	waiting map[Ref][]Ref // what is missing, to the parked entries that name it
	devices map[wire.DeviceID]int
}

type parked struct {
	header *Header
	lacks  []Ref // shrinks as they arrive
}

func newParking() parking {
	return parking{make(map[Ref]*parked), make(map[Ref][]Ref), make(map[wire.DeviceID]int)}
}

// add parks a copy of h; it does nothing if h is parked already.
func (p *parking) add(h *Header, ref Ref, missing []Ref) error {
	if p.entries[ref] != nil {
		return nil
	}
	if len(p.entries) >= MaxParked || p.devices[h.Device] >= MaxParkedDevice {
		return ErrFull
	}
	own := *h
	own.Parents = slices.Clone(h.Parents)
	p.entries[ref] = &parked{&own, slices.Clone(missing)}
	p.devices[h.Device]++
	for _, m := range missing {
		p.waiting[m] = append(p.waiting[m], ref)
	}
	return nil
}

// arrived takes out the entries that waited for nothing but ref.
func (p *parking) arrived(ref Ref) (ready []*Header) {
	for _, child := range p.waiting[ref] {
		e := p.entries[child]
		e.lacks = slices.DeleteFunc(e.lacks, func(r Ref) bool { return r == ref })
		if len(e.lacks) == 0 {
			ready = append(ready, e.header)
			p.remove(child)
		}
	}
	delete(p.waiting, ref)
	return ready
}

// discard takes out the entries that wait for ref, which is false, and returns
// their names.
func (p *parking) discard(ref Ref) []Ref {
	children := slices.Clone(p.waiting[ref])
	for _, child := range children {
		p.remove(child)
	}
	return children
}

// remove forgets a parked entry and what it still lacks.
func (p *parking) remove(ref Ref) {
	e := p.entries[ref]
	delete(p.entries, ref)
	if p.devices[ref.Device]--; p.devices[ref.Device] == 0 {
		delete(p.devices, ref.Device)
	}
	for _, m := range e.lacks {
		p.waiting[m] = slices.DeleteFunc(p.waiting[m], func(r Ref) bool { return r == ref })
		if len(p.waiting[m]) == 0 {
			delete(p.waiting, m)
		}
	}
}
