package node

import (
	"log/slog"
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

// TestMuchComing: of what comes that is too much together, what comes by the person by
// whom most does is given up, the largest first.
func TestMuchComing(t *testing.T) {
	n := &Node{coming: make(map[wire.GroupID]*coming), log: slog.New(slog.DiscardHandler)}
	mallory, ben := wire.Member{Person: wire.PersonID{1}}, wire.Member{Person: wire.PersonID{2}}
	bring := func(g byte, by wire.Member, pieces int) {
		t.Helper()
		c, _ := n.comingOf(wire.GroupID{g}, group.Self{Device: identity.NewDevice()}, by.Person)
		for i := range pieces {
			payload := piece(1, uint32(i))
			if i == 0 {
				payload = opening()
			}
			if _, _, err := c.Take(1, payload, by, nil); err != nil || c.Idle() {
				t.Fatalf("piece %d of %d is not taken: %v", i, g, err)
			}
		}
	}
	bring(1, mallory, 4)
	bring(2, mallory, 5)
	bring(3, mallory, 3)
	bring(4, ben, 8)
	n.spareComing(1 << 30)
	if len(n.coming) != 4 {
		t.Error("what there is room for is given up")
	}
	for _, left := range [][]byte{{1, 3, 4}, {1, 3}, {3}, nil} {
		all := 0
		for _, c := range n.coming {
			all += c.Held()
		}
		n.spareComing(all - 1)
		for _, g := range left {
			if n.coming[wire.GroupID{g}] == nil {
				t.Errorf("of %v %d is given up", left, g)
			}
		}
		if len(n.coming) != len(left) {
			t.Errorf("%d are left, and not %v", len(n.coming), left)
		}
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

// TestComingByNobody: when the session is over with whom brings it, nobody does, until
// another is asked.
func TestComingByNobody(t *testing.T) {
	n := &Node{coming: make(map[wire.GroupID]*coming), progress: make(map[wire.GroupID]Coming), hub: newHub()}
	ben, cleo := wire.Member{Person: wire.PersonID{2}, Device: wire.DeviceID{2}}, wire.Member{Person: wire.PersonID{3}, Device: wire.DeviceID{3}}
	g := wire.GroupID{1}
	c, _ := n.comingOf(g, group.Self{Device: identity.NewDevice()}, ben.Person)
	by := func() wire.PersonID {
		list := n.Status().Coming
		if len(list) != 1 {
			t.Fatalf("status tells of %+v", list)
		}
		return list[0].By.ID
	}
	for i, from := range []wire.Member{ben, cleo} {
		_, eff, err := c.Take(1, opening(), from, nil)
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			n.goOn(g, c, eff)
		}
	}
	if by() != ben.Person {
		t.Fatal("Ben does not bring it")
	}
	n.goOn(g, c, c.Tick(1<<40)) // he is silent
	if by() != cleo.Person {
		t.Error("Cleo is asked, and status does not say so")
	}
	n.inviterGone(ben.Device)
	n.inviterGone(cleo.Device)
	if by() != (wire.PersonID{}) {
		t.Error("nobody brings it now, and status does not say so")
	}
	n.arrived(g)
}

// opening is the shortest that says that a block is to come (docs/spec/sync.md, "Pages").
func opening() []byte { return piece(0, 0) }

// pieceSize is how many bytes of a tree a piece has.
const pieceSize = 1 << 10

// piece is an opening, or a page with the bytes at, counted in pieces from 1, of a tree.
func piece(part uint8, at uint32) []byte {
	var w wire.Writer
	w.U8(15)
	w.U8(2 * part)
	if part == 0 {
		w.Raw(append(make([]byte, 31), 1))
		w.Vec([]byte{1}) // Welcome
		for range 2 {
			w.Group(func(*wire.Writer) {})
		}
		w.Vec(nil)
	}
	w.Raw(make([]byte, 32)) // base
	w.Group(func(*wire.Writer) {})
	w.U32(16 * pieceSize)
	w.U32(max(at, 1)*pieceSize - pieceSize)
	w.Vec(make([]byte, pieceSize*min(at, 1)))
	w.Group(func(*wire.Writer) {})
	w.U32(1) // left
	return w.Bytes()
}
