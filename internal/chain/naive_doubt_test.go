package chain_test

import (
	"bytes"
	"slices"

	"kith/internal/chain"
	"kith/internal/wire"
)

// doubted returns, of the contest at p, which devices are doubted.
func (n naive) doubted(p *chain.Block, children []*chain.Block) func(wire.Member) bool {
	type letting struct {
		device wire.DeviceID
		told
	}
	against := map[wire.PersonID][]told{}
	let := map[wire.PersonID][]letting{}
	for _, c := range children {
		for _, b := range n.subtree(c) {
			switch op := b.Header.Ops[0].(type) {
			case *chain.RemoveDevice:
				if held, ok := library[op.Cites[0]]; ok {
					against[op.Person] = append(against[op.Person], held)
				}
			case *chain.Carry:
				if op.Device != (wire.DeviceID{}) {
					against[op.Person] = append(against[op.Person], library[op.Cites[1]])
				}
			case *chain.AddDevice:
				let[op.Person] = append(let[op.Person], letting{op.Device.ID(), library[op.Cites[0]]})
			case *chain.Add:
				for _, d := range op.Devices {
					let[op.Person] = append(let[op.Person], letting{d.ID(), library[op.Cites[0]]})
				}
			}
		}
	}
	return func(m wire.Member) bool {
		if of, _, known := p.State.Device(m.Device); known && of.Person == m.Person {
			return false
		}
		return slices.ContainsFunc(against[m.Person], func(h told) bool {
			return !h.state.Belongs(m.Device) && !slices.ContainsFunc(let[m.Person], func(l letting) bool {
				return l.device == m.Device && (l.headers == nil || l.told.passes(h))
			})
		})
	}
}

// passes reports whether one history passes another.
func (t told) passes(o told) bool {
	if slices.Contains(t.hashes, o.head) {
		return true
	}
	ours, theirs := t.phrase(), o.phrase()
	if ours == nil || theirs == nil {
		return ours != nil
	}
	if ours.AuthorSeq != theirs.AuthorSeq {
		return ours.AuthorSeq > theirs.AuthorSeq
	}
	if ours.Height != theirs.Height {
		return ours.Height > theirs.Height
	}
	a, b := ours.Hash(), theirs.Hash()
	return bytes.Compare(a[:], b[:]) < 0
}

// phrase returns the last header of the recovery key; nil if there is none.
func (t told) phrase() (last *chain.Header) {
	for _, h := range t.headers {
		if h.Author.Device == t.state.RecoveryDevice() {
			last = h
		}
	}
	return last
}
