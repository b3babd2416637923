package sim_test

import (
	"bytes"
	"testing"

	"kith/internal/group"
	"kith/internal/identity"
	"kith/internal/sim"
	"kith/internal/wire"
)

// toldApart is what Dan tells Ann and Ben of Cleo, who is away, each a thing of its
// own; then the two meet, without Dan.
func toldApart(t *testing.T, w *sim.World, g wire.GroupID, nodes []*sim.Node, first, second []byte) {
	t.Helper()
	ann, ben, cleo, dan := nodes[0], nodes[1], nodes[2], nodes[3]
	cleo.Stop()
	w.HealAll()
	w.Cut(ann, ben)
	w.Deliver(dan, ann, g, first)
	w.Deliver(dan, ben, g, second)
	dan.Stop()
	a, b := papersOf(ann, cleo, g), papersOf(ben, cleo, g)
	if a == nil || b == nil || bytes.Equal(a, b) {
		t.Fatal("Ann and Ben hold the same, so the test shows nothing")
	}
	w.HealAll()
	w.Run(minute)
	if !bytes.Equal(papersOf(ann, cleo, g), papersOf(ben, cleo, g)) {
		t.Error("Ann and Ben hold other papers of Cleo for good")
	}
	sent := len(ann.Sent) + len(ben.Sent)
	w.Run(10 * minute)
	if n := len(ann.Sent) + len(ben.Sent) - sent; n > 10 { // they vote too
		t.Errorf("they go on with %d frames", n)
	}
}

func papersOf(n, who *sim.Node, g wire.GroupID) []byte {
	return n.Groups[g].Records[group.KindPerson][string(who.Self.Person[:])]
}

// TestOtherPackages: of as many key packages of one person Ann and Ben have others.
func TestOtherPackages(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo", "Dan")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	w.Run(minute)
	part(w, cleo)
	cleo.Publish()
	suites := group.Suites()
	first := papersFrame(cleo.Self.Headers, cleo.LastResort(suites[0]).KeyPackage)
	second := papersFrame(cleo.Self.Headers, cleo.LastResort(suites[1]).KeyPackage)
	toldApart(t, w, g, nodes, first, second)
	for _, n := range []*sim.Node{ann, ben} {
		for _, s := range suites[:2] {
			if !bytes.Contains(papersOf(n, cleo, g), cleo.LastResort(s).KeyPackage) {
				t.Errorf("%s has not each key package", n.Name)
			}
		}
	}
}

// TestOtherHistory: of one person Ann has a history that the recovery key has ended, and
// Ben the one that ended it, as long.
func TestOtherHistory(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo", "Dan")
	cleo := nodes[2]
	w.Run(minute)
	part(w, cleo)
	other := cleo.Copy("Cleo's copy")
	must(t, cleo.Renew())
	must(t, other.Renew())
	fork := other.Self.Headers
	must(t, cleo.Merge(fork))
	healed := cleo.Self.Headers
	for len(fork) < len(healed) {
		longer, err := group.AdmitDevice(fork, other.Self.Device, group.PublicSide(identity.NewDevice()), 0)
		must(t, err)
		fork = longer
	}
	other.Stop()
	toldApart(t, w, g, nodes, papersFrame(fork), papersFrame(healed))
	if !bytes.Contains(papersOf(nodes[0], cleo, g), healed[len(healed)-1]) {
		t.Error("Ann goes on with the history that is over")
	}
}

// TestForkOfAPersonOnce: of a fork that nobody has ended yet, both sides as long, Ann
// and Ben end with one.
func TestForkOfAPersonOnce(t *testing.T) {
	for _, swap := range []bool{false, true} {
		w, nodes, g := trip(t, "Ann", "Ben", "Cleo", "Dan")
		cleo := nodes[2]
		w.Run(minute)
		part(w, cleo)
		other := cleo.Copy("Cleo's copy")
		must(t, cleo.Renew())
		must(t, other.Renew())
		first, second := papersFrame(cleo.Self.Headers), papersFrame(other.Self.Headers)
		if swap {
			first, second = second, first
		}
		other.Stop()
		toldApart(t, w, g, nodes, first, second)
	}
}
