package node

import (
	"time"

	"kith/internal/group"
	"kith/internal/wire"
)

// maxComing bounds the invitations that come in pieces at once.
const maxComing = 8

// coming is an invitation to a group that is not here yet. It is not stored: after
// a restart it begins again.
type coming struct {
	*group.Joining
	wake *time.Timer // when another member is asked
}

// comingOf returns what has come of a group that self is invited to; false if too
// much has of others. The caller holds joining.
func (n *Node) comingOf(g wire.GroupID, self group.Self) (*coming, bool) {
	if c := n.coming[g]; c != nil {
		return c, true
	}
	for other, c := range n.coming {
		if len(n.coming) >= maxComing && c.Alone() {
			n.arrived(other)
		}
	}
	if len(n.coming) >= maxComing {
		return nil, false
	}
	c := &coming{Joining: group.NewJoining(self, g)}
	n.coming[g] = c
	return c, true
}

// goOn asks for the next piece. The caller holds joining.
func (n *Node) goOn(g wire.GroupID, c *coming, eff group.Effects) {
	if c.Idle() {
		n.arrived(g)
		return
	}
	for _, f := range eff.Send {
		n.send(f.To, g, f.Payload)
	}
	if eff.Wake == 0 {
		return
	}
	if c.wake != nil {
		c.wake.Stop()
	}
	wait := time.Duration(eff.Wake-min(eff.Wake, nowMS())) * time.Millisecond
	c.wake = time.AfterFunc(wait, func() {
		n.joining.Lock()
		defer n.joining.Unlock()
		if n.coming[g] == c {
			n.goOn(g, c, c.Tick(nowMS()))
		}
	})
}

// arrived forgets what came of a group: all of it is here, or nobody brings the
// rest. The caller holds joining.
func (n *Node) arrived(g wire.GroupID) {
	if c := n.coming[g]; c != nil && c.wake != nil {
		c.wake.Stop()
	}
	delete(n.coming, g)
}

// inviterGone has others asked for what a device was asked for that is gone.
func (n *Node) inviterGone(d wire.DeviceID) {
	n.joining.Lock()
	defer n.joining.Unlock()
	for g, c := range n.coming {
		if eff := c.Down(nowMS(), d); len(eff.Send) > 0 {
			n.goOn(g, c, eff)
		}
	}
}
