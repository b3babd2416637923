package sim_test

import (
	"testing"

	"kith/internal/chain"
	"kith/internal/group"
	"kith/internal/mls"
	"kith/internal/sim"
	"kith/internal/wire"
)

// Property I12: what one device signed twice is known to everybody, and the device
// is revoked; its person stays.

// signedRekey is a Rekey of n's on its head; two calls make two blocks.
func signedRekey(t *testing.T, n *sim.Node, g wire.GroupID) []byte {
	return crafted{n, &chain.Rekey{}, nil, func(core []byte) (*mls.StagedCommit, error) {
		return epochOf(t, n, g).Commit(mls.CommitParams{AuthenticatedData: core, Signer: n.Self.Device})
	}, nil}.payload(t, n, g)
}

// slashes counts those on the head's chain.
func slashes(n *sim.Node, g wire.GroupID) (count int) {
	b := machine(n, g).Blocks()
	for _, hash := range machine(n, g).Chain() {
		for _, op := range b.Header(hash).Ops {
			if op.Kind() == chain.KindSlash {
				count++
			}
		}
	}
	return count
}

// TestTwoBlocks: an admin shows different blocks to two halves (scenario 13).
// When they meet, its device is revoked, once; its person is still a member, and
// is told.
func TestTwoBlocks(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo", "Dan", "Eve")
	ann, ben, cleo, dan, eve := nodes[0], nodes[1], nodes[2], nodes[3], nodes[4]
	promote(t, w, g, ann, eve)
	one, other := signedRekey(t, eve, g), signedRekey(t, eve, g)
	part(w, ann, ben)
	w.Heal(ann, eve)
	w.Heal(eve, cleo)
	w.Deliver(eve, ann, g, one)
	w.Deliver(eve, cleo, g, other)
	w.Cut(ann, eve)
	w.Cut(cleo, eve)
	w.Run(5000)
	must(t, ben.Say(g, "on one side"))
	must(t, dan.Say(g, "on the other"))
	w.HealAll()
	w.Run(60_000)
	for _, n := range []*sim.Node{ann, ben, cleo, dan} {
		if got := count[group.SignedTwice](n, g); got != 1 {
			t.Errorf("%s is told %d times", n.Name, got)
		}
	}
	if isMember(ann, eve, g) || slashes(ann, g) != 1 {
		t.Errorf("Eve's device belongs: %v, slashed %d times", isMember(ann, eve, g), slashes(ann, g))
	}
	if who, ok := headState(ann, g).Person(eve.Self.Person); !ok || who.Status != chain.StatusActive {
		t.Errorf("Eve herself: %+v", who)
	}
	goesOn(t, w, g, ann, ben, cleo, dan)
	if got := status(eve, g); got != group.StatusRemoved {
		t.Errorf("Eve's device has status %d", got)
	}

	// She comes back with another device, never with this one.
	phone := eve.Link("Eve's phone")
	must(t, phone.Enter(g, ann))
	w.Run(5000)
	if !isMember(ann, phone, g) {
		t.Error("Eve's phone does not come in")
	}
	if _, err := machine(ann, g).Entrance(eve.Self.Member(), eve.Self.Headers); err == nil {
		if err := eve.Enter(g, ann); err == nil {
			w.Run(5000)
		}
		if isMember(ann, eve, g) {
			t.Error("the revoked device is back")
		}
	}
}

// TestTwoBlocksWithoutAdmin: no admin is there; another member revokes the
// device after a while.
func TestTwoBlocksWithoutAdmin(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo", "Eve")
	ann, ben, cleo, eve := nodes[0], nodes[1], nodes[2], nodes[3]
	ann.Stop()
	one, other := signedRekey(t, eve, g), signedRekey(t, eve, g)
	w.Deliver(eve, ben, g, one)
	w.Deliver(eve, cleo, g, other)
	w.Run(30_000)
	if slashes(ben, g) != 0 {
		t.Error("a member does not wait for an admin")
	}
	ben.Stop()
	ben.Start()
	w.Run(120_000)
	if isMember(ben, eve, g) || slashes(ben, g) != 1 {
		t.Errorf("Eve's device belongs: %v, slashed %d times", isMember(ben, eve, g), slashes(ben, g))
	}
	ann.Start()
	w.Run(10_000)
	goesOn(t, w, g, ann, ben, cleo)
}

// TestTwoBlocksOfNobody: Dan signs twice where only a branch that lost knows him.
// When he is added again, what he did is known.
func TestTwoBlocksOfNobody(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	promote(t, w, g, ann, ben)
	dan := w.Add("Dan")
	part(w, ben, dan)
	must(t, ann.Do(g, group.SetTitle{Title: "over here"}))
	must(t, ben.Do(g, group.Invite{Newcomers: []group.Newcomer{dan.Newcomer()}}))
	w.Run(1000)
	must(t, dan.Do(g, group.Accept{}))
	w.Run(1000)
	p := pastOf(t, dan, g)
	w.HealAll()
	w.Run(500)
	if isMember(ann, dan, g) || !machine(ann, g).Blocks().Has(p.block) {
		t.Fatal("Ann knows Dan, or not his branch, so the test shows nothing")
	}
	for range 2 {
		_, b := p.variant(t, dan, g, 0)
		w.Deliver(dan, ann, g, b)
	}
	if count[group.SignedTwice](ann, g) != 0 {
		t.Fatal("there is evidence at once, so the test shows nothing")
	}
	w.Run(2 * minute)
	if got := count[group.SignedTwice](ann, g); got != 1 {
		t.Errorf("Ann is told %d times", got)
	}
	if isMember(ann, dan, g) {
		t.Error("Dan's device belongs")
	}
	goesOn(t, w, g, ann, ben, cleo)
}

// TestTwoEntries: two messages with one number.
func TestTwoEntries(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo", "Eve")
	ann, ben, cleo, eve := nodes[0], nodes[1], nodes[2], nodes[3]
	must(t, eve.Say(g, "one"))
	w.Run(3000)
	h, p := pushed(t, last(t, eve, ben, kindEntries))
	twin := *h
	twin.ContentID[0]++
	twin.Sign(eve.Self.Device.Sign)
	w.Deliver(eve, ben, g, entries(group.Packed{Header: twin.Bytes(), Ciphertext: p.Ciphertext}))
	w.Run(60_000)
	for _, n := range []*sim.Node{ann, ben, cleo} {
		if got := count[group.SignedTwice](n, g); got != 1 {
			t.Errorf("%s is told %d times", n.Name, got)
		}
	}
	if isMember(ann, eve, g) || slashes(ann, g) != 1 {
		t.Errorf("Eve's device belongs: %v, slashed %d times", isMember(ann, eve, g), slashes(ann, g))
	}
	goesOn(t, w, g, ann, ben, cleo)
}

// TestSignedBeforeItCameBack: Ben's home forgot the group when he was removed. Added
// again he signs no second block with a number that one of his on a branch that lost
// has: that would be evidence against him, though he is honest.
func TestSignedBeforeItCameBack(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo", "Dan")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	promote(t, w, g, ann, ben)
	part(w, ben)
	must(t, ben.Do(g, group.SetTitle{Title: "one"}))
	must(t, ann.Do(g, group.Remove{Person: nodes[3].Self.Person}))
	w.Run(3000)
	w.HealAll()
	w.Run(200)
	must(t, ann.Do(g, group.Remove{Person: ben.Self.Person}))
	w.Run(10_000)
	delete(ben.Groups, g)
	must(t, ann.Do(g, group.Invite{Newcomers: []group.Newcomer{ben.Newcomer()}}))
	w.Run(1000)
	must(t, ben.Do(g, group.Accept{}))
	w.Run(3000)
	promote(t, w, g, ann, ben)
	must(t, ben.Do(g, group.SetTitle{Title: "two"}))
	w.Run(30_000)
	if got := slashes(ann, g); got != 0 {
		t.Errorf("Ben was slashed %d times", got)
	}
	goesOn(t, w, g, ann, ben, cleo)
}
