package sim

import (
	"kith/internal/group"
	"kith/internal/wire"
)

// invited takes an invitation, or a page of one, into a group that n does not know.
func (n *Node) invited(g wire.GroupID, from *Node, payload []byte) error {
	j := n.joining[g]
	if j == nil {
		j = group.NewJoining(n.Self, g)
		n.joining[g] = j
	}
	m, eff, err := j.Take(n.now(), payload, from.member(), n.secrets)
	if err != nil {
		n.Refused = append(n.Refused, err)
		n.World.tracef("%s refuses an invitation by %s: %v", n.Name, from.Name, err)
	}
	if m == nil {
		n.goOn(g, j, eff)
		return errNoGroup
	}
	delete(n.joining, g)
	r := newReplica()
	r.use(m)
	r.inviter = from
	if n.World.trees {
		m.SpreadByTree()
	}
	n.World.tracef("%s is invited by %s", n.Name, from.Name)
	n.World.came["came in by an invitation"]++
	if err := n.apply(g, r, eff); err != nil {
		return err
	}
	n.meet(g)
	return nil
}

// goOn asks for the next page of an invitation.
func (n *Node) goOn(g wire.GroupID, j *group.Joining, eff group.Effects) {
	if j.Idle() {
		delete(n.joining, g)
	}
	for _, f := range eff.Send {
		n.send(g, f.To, f.Payload)
	}
	if eff.Wake == 0 {
		return
	}
	life := n.life
	n.World.after(eff.Wake-min(eff.Wake, n.now()), func() {
		if n.Online && n.life == life && n.joining[g] == j {
			n.goOn(g, j, j.Tick(n.now()))
		}
	})
}

// meet tells a new machine of the sessions that are up.
func (n *Node) meet(g wire.GroupID) {
	for _, o := range n.World.Nodes {
		if n.World.Linked(n, o) {
			n.step(g, group.PeerUp{Peer: o.member()})
		}
	}
}
