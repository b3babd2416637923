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
