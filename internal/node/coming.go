package node

import (
	"bytes"
	"cmp"
	"maps"
	"slices"
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

// comingOf returns what has come of a group that self is invited to by somebody;
// false if too much has of others. The caller holds joining.
func (n *Node) comingOf(g wire.GroupID, self group.Self, by wire.PersonID) (*coming, bool) {
	if c := n.coming[g]; c != nil {
		return c, true
	}
	for other, c := range n.coming {
		if len(n.coming) >= maxComing && c.Alone() {
			n.arrived(other)
		}
	}
	if len(n.coming) >= maxComing && !n.giveUpOne(by) {
		return nil, false
	}
	c := &coming{Joining: group.NewJoining(self, g)}
	n.coming[g] = c
	return c, true
}

// spareComing forgets what comes by the person by whom most bytes do, until all
// together are no more than room. What is forgotten comes again with the next session.
// The caller holds joining.
func (n *Node) spareComing(room int) {
	for {
		all := 0
		of := make(map[wire.PersonID]int)
		for _, c := range n.coming {
			all += c.Held()
			of[c.Asked()] += c.Held()
		}
		if all <= room {
			return
		}
		var most wire.GroupID
		for g, c := range n.coming {
			worst := n.coming[most]
			if worst == nil || cmp.Or(cmp.Compare(of[c.Asked()], of[worst.Asked()]), cmp.Compare(c.Held(), worst.Held())) > 0 {
				most = g
			}
		}
		n.log.Info("invitation given up: too much comes at once", "group", shortGroup(most))
		n.arrived(most)
	}
}

// giveUpOne forgets what comes by the person by whom most does, unless that is the one
// who asks for room: one alone keeps nobody else's invitation out.
func (n *Node) giveUpOne(by wire.PersonID) bool {
	of := make(map[wire.PersonID][]wire.GroupID)
	for g, c := range n.coming {
		of[c.Asked()] = append(of[c.Asked()], g)
	}
	most := by
	for p, groups := range of {
		if len(groups) > len(of[most])+1 {
			most = p
		}
	}
	if most == by {
		return false
	}
	n.arrived(of[most][0])
	return true
}

// goOn asks for the next piece, and tells how much is here. The caller holds joining.
func (n *Node) goOn(g wire.GroupID, c *coming, eff group.Effects) {
	if c.Idle() {
		n.arrived(g)
		return
	}
	for _, f := range eff.Send {
		n.send(f.To, g, f.Payload)
	}
	if eff.Wake != 0 {
		n.wakeComing(g, c, eff.Wake)
	}
	n.noteComing(g, c)
}

// wakeComing asks another at a time, in ms, if nothing comes until then.
func (n *Node) wakeComing(g wire.GroupID, c *coming, at uint64) {
	if c.wake != nil {
		c.wake.Stop()
	}
	wait := time.Duration(at-min(at, n.nowMS())) * time.Millisecond
	c.wake = time.AfterFunc(wait, func() {
		n.joining.Lock()
		defer n.joining.Unlock()
		if n.coming[g] == c {
			n.goOn(g, c, c.Tick(n.nowMS()))
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
	n.mu.Lock()
	_, told := n.progress[g]
	delete(n.progress, g)
	n.mu.Unlock()
	if told {
		n.hub.publish(StatusChanged{})
	}
}

// noteComing tells how much of an invitation is here. The caller holds joining.
func (n *Node) noteComing(g wire.GroupID, c *coming) {
	if n.coming[g] != c {
		return // it was given up
	}
	now := Coming{Chat: g, Title: c.Title(), By: n.person(c.Asked())}
	if have, left := c.Progress(); have+left > 0 {
		now.Percent = min(99, 100*have/(have+left))
	}
	n.mu.Lock()
	changed := n.progress[g] != now
	n.progress[g] = now
	n.mu.Unlock()
	if changed {
		n.hub.publish(StatusChanged{})
	}
}

// comingNow returns the invitations that are not whole yet, in an order that stays.
// n.mu is held.
func (n *Node) comingNow() []Coming {
	list := slices.Collect(maps.Values(n.progress))
	slices.SortFunc(list, func(a, b Coming) int { return bytes.Compare(a.Chat[:], b.Chat[:]) })
	return list
}

// inviterGone has others asked for what a device was asked for that is gone.
func (n *Node) inviterGone(d wire.DeviceID) {
	n.joining.Lock()
	defer n.joining.Unlock()
	for g, c := range n.coming {
		if eff := c.Down(n.nowMS(), d); len(eff.Send) > 0 {
			n.goOn(g, c, eff)
		} else {
			n.noteComing(g, c) // nobody may bring it now
		}
	}
}
