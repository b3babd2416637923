package sim_test

import (
	"bytes"
	"testing"

	"kith/internal/group"
	"kith/internal/identity"
	"kith/internal/sim"
)

// ring makes three histories of one length of a person of three devices, in each of
// which one device revokes the next.
func ring(t *testing.T, who *sim.Node) (histories [3][][]byte) {
	t.Helper()
	d := [3]*identity.Device{who.Self.Device, identity.NewDevice(), identity.NewDevice()}
	base := who.Self.Headers
	var err error
	for _, n := range d[1:] {
		base, err = group.AdmitDevice(base, d[0], group.PublicSide(n), 0)
		must(t, err)
	}
	for by := range d {
		histories[by], err = group.RevokeDevice(base, d[by], d[(by+2)%3].ID(), 0)
		must(t, err)
	}
	return histories
}

// TestRingOfHistories: of three histories of Cleo as long, each revokes the device of the
// next. Told of one after another for ever, Ann comes to rest with the same one in
// whatever order they come.
func TestRingOfHistories(t *testing.T) {
	for _, order := range [][3]int{{0, 1, 2}, {2, 1, 0}, {1, 0, 2}} {
		w, nodes, g := trip(t, "Ann", "Ben", "Cleo", "Dan")
		ann, cleo, dan := nodes[0], nodes[2], nodes[3]
		w.Run(minute)
		part(w, cleo)
		histories := ring(t, cleo)
		cleo.Stop()
		w.HealAll()
		changes, last := 0, []byte(nil)
		for range 10 {
			for _, i := range order {
				w.Deliver(dan, ann, g, papersFrame(histories[i]))
				w.Run(1000)
				if now := papersOf(ann, cleo, g); !bytes.Equal(now, last) {
					changes, last = changes+1, now
				}
			}
		}
		if changes > len(order) {
			t.Errorf("%v: three signed histories, repeated, move Ann %d times", order, changes)
		}
		for _, n := range []*sim.Node{ann, nodes[1], dan} {
			if h := histories[0]; !bytes.Contains(papersOf(n, cleo, g), h[len(h)-1]) {
				t.Errorf("%v: %s ends with another history than that of the earliest device", order, n.Name)
			}
		}
	}
}

// TestRingComesToRest: the same three, each told to others of six members while these are
// apart. They end with one, and nothing goes on.
func TestRingComesToRest(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo", "Dan", "Eve", "Fay", "Gus")
	cleo, liar := nodes[2], nodes[6]
	w.Run(minute)
	part(w, cleo)
	histories := ring(t, cleo)
	cleo.Stop()
	rest := append(nodes[:2:2], nodes[3:]...)
	for i, a := range rest {
		for _, b := range rest[i+1:] {
			w.Cut(a, b)
		}
	}
	for i, n := range rest[:5] {
		w.Deliver(liar, n, g, papersFrame(histories[i%3]))
	}
	w.Run(1000)
	w.HealAll()
	w.Run(minute)
	for _, n := range rest[1:] {
		if !bytes.Equal(papersOf(n, cleo, g), papersOf(rest[0], cleo, g)) {
			t.Errorf("%s and %s hold other papers of Cleo", n.Name, rest[0].Name)
		}
	}
}
