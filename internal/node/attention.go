package node

import (
	"context"
	"slices"
	"time"

	"kith/internal/group"
	"kith/internal/wire"
)

// Whether somebody is still there is asked often only of those for whom somebody
// waits: in a chat that is open, or with a message that nobody has yet. All other
// sessions rest (docs/spec/link.md, "Signs of life").

const (
	// maxLooks bounds the chats that are remembered as open.
	maxLooks = 16
	// maxAlert bounds the devices of a chat whose sessions are alert. In a larger one
	// nobody waits for one of them, and asking all would be a flood.
	maxAlert = 64
	// waitAlert is how long after it was written a message that nobody has yet keeps
	// the sessions of its chat alert: who could take it has by then, and the others
	// may be away for months.
	waitAlert = time.Minute
	// probeTime is how long all sessions are alert once some may be dead: as long as
	// a link takes to notice, and a second.
	probeTime = 10 * time.Second
)

// Look says which chat the person has before it: what that one lacks is fetched before
// what others lack.
func (n *Node) Look(g wire.GroupID) {
	n.mu.Lock()
	same := n.open == g
	n.open = g
	if !same {
		n.looks = slices.DeleteFunc(n.looks, func(o wire.GroupID) bool { return o == g })
		n.looks = slices.Insert(n.looks, 0, g)[:min(len(n.looks)+1, maxLooks)]
	}
	n.mu.Unlock()
	if same {
		return
	}
	n.stirAttention()
	for _, o := range n.allOwners() {
		o.tell(group.Attend{Elsewhere: o.id != g})
		if o.id == g {
			n.dialChat(o)
		}
	}
}

// watched counts one more who watches what changes, until the function that it
// returns is called. So many chats are open as there are who watch: those that were
// looked at last.
func (n *Node) watched() (end func()) {
	count := func(more int) {
		n.mu.Lock()
		n.watchers += more
		n.mu.Unlock()
		n.stirAttention()
	}
	count(1)
	return func() { count(-1) }
}

func (n *Node) isWatched() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.watchers > 0
}

// probe has all sessions alert for a while: the network is another, or was away.
func (n *Node) probe() {
	n.mu.Lock()
	n.probing = time.Now().Add(probeTime)
	n.mu.Unlock()
	n.stirAttention()
}

func (n *Node) stirAttention() {
	select {
	case n.attend <- struct{}{}:
	default:
	}
}

// attending keeps the sessions alert for whose devices somebody waits.
func (n *Node) attending(ctx context.Context) {
	later := time.NewTimer(time.Hour)
	defer later.Stop()
	for {
		later.Stop()
		if wait := n.alertSessions(time.Now()); wait > 0 {
			later.Reset(wait)
		}
		select {
		case <-n.attend:
		case <-later.C:
		case <-ctx.Done():
			return
		}
	}
}

// alertSessions tells each session whether it is to be alert, and returns after how
// long that may be another; 0: when something happens.
func (n *Node) alertSessions(now time.Time) (wait time.Duration) {
	until := func(t time.Time) bool {
		left := t.Sub(now)
		if left > 0 && (wait == 0 || left < wait) {
			wait = left
		}
		return left > 0
	}
	n.mu.Lock()
	open := slices.Clone(n.looks[:min(len(n.looks), n.watchers)])
	all := until(n.probing)
	n.mu.Unlock()
	wanted := make(map[wire.DeviceID]bool)
	for _, o := range n.allOwners() {
		p := o.picture.Load()
		if len(p.devices) > maxAlert || !slices.Contains(open, o.id) && (p.waiting == 0 || !until(p.waits.Add(waitAlert))) {
			continue
		}
		for _, d := range p.devices {
			if !d.Former { // it may be a member's in another chat
				wanted[d.Member.Device] = true
			}
		}
	}
	for _, s := range n.liveSessions() {
		s.Alert(all || wanted[s.Remote().Device])
	}
	return wait
}
