package node

import (
	"time"

	"kith/internal/wire"
)

// Aside says that nothing is taken from a person's device for a while, and why.
type Aside struct {
	Until time.Time // zero: nothing is
	Rule  string    // the one its program broke last, as docs/spec names it
}

// aside returns the longest ban of somebody's devices. Bans are few, and mostly none.
func (n *Node) aside(p wire.PersonID) (a Aside) {
	for _, ban := range n.bans.List(nowTime()) {
		if ban.Until.After(a.Until) && n.whose(ban.Device) == p {
			a = Aside{ban.Until, ban.Rule}
		}
	}
	return a
}

// whose finds the person of a device among friends and those one has chats with;
// zero: nobody's.
func (n *Node) whose(d wire.DeviceID) wire.PersonID {
	n.mu.Lock()
	for _, f := range n.friends {
		if f.device(d) != nil {
			n.mu.Unlock()
			return f.Person
		}
	}
	n.mu.Unlock()
	for _, o := range n.allOwners() {
		for _, device := range o.picture.Load().devices {
			if device.Member.Device == d {
				return device.Member.Person
			}
		}
	}
	return wire.PersonID{}
}
