package node

import (
	"testing"

	"kith/internal/group"
	"kith/internal/identity"
	"kith/internal/wire"
)

// TestManyComing: who opens many invitations and goes on with none keeps nobody else's out.
func TestManyComing(t *testing.T) {
	n := &Node{coming: make(map[wire.GroupID]*coming)}
	mallory, ben := wire.Member{Person: wire.PersonID{1}}, wire.Member{Person: wire.PersonID{2}}
	invite := func(g byte, by wire.Member) bool {
		c, ok := n.comingOf(wire.GroupID{g}, group.Self{Device: identity.NewDevice()}, by.Person)
		if !ok {
			return false
		}
		if _, _, err := c.Take(1, opening(), by, nil); err != nil || c.Idle() {
			t.Fatalf("the opening is not taken: %v", err)
		}
		return true
	}
	for g := range byte(maxComing) {
		if !invite(g, mallory) {
			t.Fatalf("invitation %d is not taken", g)
		}
	}
	if invite(100, mallory) {
		t.Error("more come than may")
	}
	for g := range byte(maxComing / 2) {
		if !invite(200+g, ben) {
			t.Errorf("invitation %d of somebody else is kept out", g)
		}
	}
	if invite(100, mallory) || len(n.coming) != maxComing {
		t.Errorf("%d come", len(n.coming))
	}
}

// TestComingIsTold: people see that an invitation comes in pieces, how much of it is
// here and by whom, until it is whole or given up.
func TestComingIsTold(t *testing.T) {
	n := &Node{coming: make(map[wire.GroupID]*coming), progress: make(map[wire.GroupID]Coming), hub: newHub()}
	ben, g := wire.Member{Person: wire.PersonID{2}}, wire.GroupID{1}
	c, _ := n.comingOf(g, group.Self{Device: identity.NewDevice()}, ben.Person)
	if _, _, err := c.Take(1, opening(), ben, nil); err != nil {
		t.Fatal(err)
	}
	before := n.hub.last
	n.noteComing(g, c)
	want := Coming{Chat: g, By: Person{ID: ben.Person}}
	if got := n.Status().Coming; len(got) != 1 || got[0] != want {
		t.Errorf("status tells of %+v", got)
	}
	if n.noteComing(g, c); n.hub.last != before+1 {
		t.Errorf("%d events for one change", n.hub.last-before)
	}
	n.arrived(g)
	if got := n.Status().Coming; len(got) > 0 || n.hub.last != before+2 {
		t.Errorf("when it is over status tells of %+v", got)
	}
}

// opening is the shortest that says that a block is to come (docs/spec/sync.md, "Pages").
func opening() []byte {
	var w wire.Writer
	w.U8(15)
	w.U8(0)
	w.Raw(append(make([]byte, 31), 1))
	w.Vec([]byte{1}) // Welcome
	for range 2 {
		w.Group(func(*wire.Writer) {})
	}
	w.Vec(nil)
	w.Raw(make([]byte, 32)) // base
	w.Group(func(*wire.Writer) {})
	w.U32(0)
	w.U32(0)
	w.Vec(nil)
	w.Group(func(*wire.Writer) {})
	w.U32(1) // left
	return w.Bytes()
}
