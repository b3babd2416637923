package sim_test

import (
	"testing"

	"kith/internal/group"
	"kith/internal/identity"
	"kith/internal/wire"
)

// TestForkOfAPersonStaysBelow: a history of a person that the recovery key has ended
// comes back as often as it likes, and however long: it is not told on any more.
func TestForkOfAPersonStaysBelow(t *testing.T) {
	_, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben := nodes[0], nodes[1]
	before := ben.Self.Headers
	other := ben.Copy("Ben's copy")
	must(t, ben.Renew())
	must(t, other.Renew())
	fork := other.Self.Headers
	must(t, ben.Merge(fork))
	healed := ben.Self.Headers
	for len(fork) <= len(healed) {
		longer, err := group.AdmitDevice(fork, other.Self.Device, group.PublicSide(identity.NewDevice()), 0)
		must(t, err)
		fork = longer
	}
	if group.ComparePerson(before, fork) != group.PersonLonger {
		t.Fatal("the fork does not begin where the group saw the person last")
	}
	tell := func(headers [][]byte) int {
		machine := machine(ann, g)
		eff, err := machine.Step(group.Input{Now: 1, Cause: group.Received{From: nodes[2].Self.Member(), Payload: papersFrame(headers)}})
		must(t, err)
		for _, e := range eff.Notify {
			if bad, ok := e.(group.Misbehaved); ok {
				t.Errorf("accused: %+v", bad)
			}
		}
		return len(eff.Write)
	}
	tell(fork)
	if tell(healed) == 0 {
		t.Fatal("the healed history is not taken")
	}
	if tell(fork) != 0 {
		t.Error("the fork takes the place of the history that ended it")
	}
}

// papersFrame tells of one person: kind 13, part 2, (proof, packages), and no more.
func papersFrame(headers [][]byte, packages ...[]byte) []byte {
	var w, proof wire.Writer
	proof.Group(func(w *wire.Writer) {
		for _, h := range headers {
			w.Vec(h)
		}
	})
	w.U8(13)
	w.U8(2)
	w.Group(func(w *wire.Writer) {
		w.Vec(proof.Bytes())
		w.Group(func(w *wire.Writer) {
			for _, p := range packages {
				w.Vec(p)
			}
		})
	})
	w.Bool(false)
	return w.Bytes()
}
