package chain

import "kith/internal/wire"

// A word is what one block makes one device say at every fork point below it.
type word struct {
	by      wire.Member
	class   Class
	removed []wire.PersonID
	demoted []wire.PersonID
}

// words returns what b makes devices say: its author what it did.
func (b *Block) words() []word {
	own := word{by: b.Header.Author, class: b.Header.Class}
	for _, op := range b.Header.Ops {
		switch op := op.(type) {
		case *Remove:
			own.removed = append(own.removed, op.Person)
		case *SetRole:
			if op.Role == RoleMember {
				own.demoted = append(own.demoted, op.Person)
			}
		}
	}
	return []word{own}
}

// revokes returns the device that op takes out for ever.
func revokes(op Op) (wire.DeviceID, bool) {
	if op, ok := op.(*RemoveDevice); ok {
		return op.Device, true
	}
	return wire.DeviceID{}, false
}
