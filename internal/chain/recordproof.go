package chain

import (
	"maps"
	"slices"

	"kith/internal/wire"
)

// The proofs in a record: of names, and of devices, without which an outsider
// might find another head than members do.

// proofs returns those of the record, by citation.
func (r *Record) proofs() map[wire.Digest][]*Header {
	by := make(map[wire.Digest][]*Header, len(r.Proofs))
	for _, p := range r.Proofs {
		by[Cite(MarshalProof(p))] = p
	}
	return by
}

// putProofs replaces those of the record.
func (r *Record) putProofs(by map[wire.Digest][]*Header) {
	r.Proofs = nil
	for _, d := range slices.SortedFunc(maps.Keys(by), compareDigests) {
		r.Proofs = append(r.Proofs, by[d])
	}
}

// contested returns the histories, by citation, that a contest may look into:
// above some fork, of people of whom a device is revoked above one.
func (b *Blocks) contested() map[wire.Digest][]*Header {
	var all facts
	above := make(map[*node]bool)
	for _, hash := range b.All() {
		n := b.by[hash]
		if n.parent == nil || !above[n.parent] && n.parent.fork == nil {
			continue
		}
		above[n] = true
		for _, e := range n.shown {
			all.note(e)
		}
	}
	told := make(map[wire.PersonID]bool)
	by := make(map[wire.Digest][]*Header)
	take := func(h *history) {
		if headers, err := ParseProof(h.paper); err == nil {
			by[h.cite] = headers
		}
	}
	for _, h := range all.told {
		told[h.person] = true
		take(h)
	}
	for _, h := range all.let {
		if told[h.person] {
			take(h)
		}
	}
	return by
}

// tells returns of whom op cites a history, and which of its citations that is;
// zero: of nobody.
func tells(op Op) (wire.PersonID, int) {
	if op, ok := op.(*Carry); ok && op.Device != (wire.DeviceID{}) {
		return op.Person, 1
	}
	person, _ := proves(op)
	return person, 0
}
