package chain

import "kith/internal/wire"

// A word is what one block makes one device say at every fork point below it.
type word struct {
	by      wire.Member
	class   Class
	strikes map[wire.PersonID]how
}

func (w *word) strike(target wire.PersonID, by how) {
	if w.strikes == nil {
		w.strikes = make(map[wire.PersonID]how, 1)
	}
	w.strikes[target] |= by
}

// words returns what b makes devices say: its author what it did, and the author
// of a removal that it carries over that removal, though it weighs nothing.
func (b *Block) words() []word {
	if b.said != nil {
		return b.said
	}
	own := word{by: b.Header.Author, class: b.Header.Class}
	var carried []word
	cites := 0
	for _, op := range b.Header.Ops {
		switch op := op.(type) {
		case *Carry:
			if by, ok := b.signer(cites); ok && (op.Device == wire.DeviceID{}) {
				carried = append(carried, word{by: by, strikes: map[wire.PersonID]how{op.Person: byCarry}})
			}
		case *Remove:
			own.strike(op.Person, byRemoval)
		case *SetRole:
			if op.Role == RoleMember {
				own.strike(op.Person, byDemotion)
			}
		}
		cites += len(Cites(op))
	}
	return append([]word{own}, carried...)
}

// signer returns who signed the last header of an attachment.
func (b *Block) signer(attachment int) (wire.Member, bool) {
	if b.Body == nil || attachment >= len(b.Body.Attachments) {
		return wire.Member{}, false
	}
	headers, err := ParseProof(b.Body.Attachments[attachment])
	if err != nil || len(headers) == 0 {
		return wire.Member{}, false
	}
	return headers[len(headers)-1].Author, true
}

// revokes returns the device that op takes out for ever.
func revokes(op Op) (wire.DeviceID, bool) {
	switch op := op.(type) {
	case *RemoveDevice:
		return op.Device, true
	case *Slash:
		return op.Device, true
	case *Carry:
		return op.Device, op.Device != wire.DeviceID{}
	}
	return wire.DeviceID{}, false
}
