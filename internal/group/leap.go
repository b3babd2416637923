package group

import (
	"bytes"

	"kith/internal/dag"
	"kith/internal/mls"
	"kith/internal/wire"
)

// The newest of what was missed comes first, and may be 100,000 entries ahead of what is
// here of its author's log. Its message key follows from those before it: the ratchet
// leaps there, and keeps the keys that it passes until their messages come
// (docs/spec/group.md, "Far ahead").
//
// What a leap costs, time and room, its author decides. So it is bounded by what the
// author signed, by room of which nobody gets more than half, and by one lie. What may
// not leap is left, and comes in its turn.

// isFarAhead reports whether an entry is so far ahead of what is checked of its device's
// log that it is not opened as others are.
func (m *Machine) isFarAhead(h *dag.Header) bool {
	return h.Seq > m.graph.Seq(h.Device)+maxSeqAhead
}

// opensAhead reports whether an entry that is far ahead may be taken in: whole, for its
// header alone would leave its key behind, and not one that is kept back, for it is opened
// another day.
func (m *Machine) opensAhead(h *dag.Header, person wire.PersonID, p Packed) bool {
	e := m.epochs[h.Block]
	if e == nil || !p.whole() || m.isLate(h, person) {
		return false
	}
	sender, ok := senderOf(e, h, person, p.Ciphertext)
	return ok && m.mayLeap(e, h, person, sender)
}

// mayGo reports whether the ratchet of an entry's sender may go there: a device has made as many
// messages of an epoch as entries, at most, and says how many.
func (m *Machine) mayGo(h *dag.Header, sender mls.Sender) bool {
	return uint64(sender.Generation) < h.Seq && !m.astray[h.Device]
}

// mayLeap reports whether the ratchet of an entry's sender may leap to it.
func (m *Machine) mayLeap(e *epoch, h *dag.Header, person wire.PersonID, sender mls.Sender) bool {
	l := e.ratchets.Leap(sender)
	if l.Ahead == 0 {
		return true
	}
	if !m.mayGo(h, sender) {
		return false
	}
	own := m.keysKeptOf(person)
	others := m.keysKept() - own
	return own+l.Takes <= (mls.MaxKept-others)/2
}

// keysKept is the room that is taken by the keys that leaps have passed.
func (m *Machine) keysKept() (n int) {
	for _, e := range m.epochs {
		n += e.ratchets.Kept()
	}
	return n
}

// keysKeptOf is the room of one person, with all its devices and in all epochs: else who has
// several, or waits for another epoch, would have more.
func (m *Machine) keysKeptOf(person wire.PersonID) (n int) {
	for _, e := range m.epochs {
		for i, room := range e.ratchets.KeptBy() {
			leaf, _ := e.secret.Public().Leaf(i)
			if who, ok := member(leaf.Identity); ok && who.Person == person {
				n += room
			}
		}
	}
	return n
}

// decrypt opens what senderOf found to be its header's, by a leap where that is needed.
// Whose leap ends at what cannot be read has lied, and is not leapt to again. What comes in its turn needs no room:
// of what is before it in its log next to nothing is still to come, and else who fills the room would keep it from
// being read for ever.
func (m *Machine) decrypt(e *epoch, h *dag.Header, person wire.PersonID, sender mls.Sender, ciphertext []byte) ([]byte, error) {
	ahead, far := e.ratchets.Leap(sender).Ahead, m.isFarAhead(h)
	leaps, open := far || ahead > mls.MaxForward, e.secret.DecryptAhead
	switch {
	case leaps && m.mayLeap(e, h, person, sender):
	case leaps && !far && m.mayGo(h, sender):
		open = e.secret.DecryptPast
	default:
		plain, _, err := e.secret.Decrypt(e.ratchets, ciphertext)
		return plain, err
	}
	plain, _, err := open(e.ratchets, ciphertext, ahead)
	if err != nil && ahead > 0 {
		m.astray[h.Device] = true
	}
	return plain, err
}

// senderOf checks that a ciphertext is this header's and its sender the header's device,
// without a message key.
func senderOf(e *epoch, h *dag.Header, person wire.PersonID, ciphertext []byte) (mls.Sender, bool) {
	sender, aad, err := e.secret.Peek(ciphertext)
	want := h.AAD()
	if err != nil || !bytes.Equal(aad, want[:]) {
		return sender, false
	}
	leaf, ok := e.secret.Public().Leaf(sender.Leaf)
	return sender, ok && bytes.Equal(leaf.Identity, credential(wire.Member{Person: person, Device: h.Device}))
}
