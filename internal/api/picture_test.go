package api_test

import (
	"testing"

	"kith/internal/api"
	"kith/internal/chain"
	"kith/internal/node"
	"kith/internal/wire"
)

var (
	me   = node.Person{ID: wire.PersonID{1}, Name: "Ida", Me: true}
	ann  = node.Person{ID: wire.PersonID{2}, Name: "Ann"}
	ben  = node.Person{ID: wire.PersonID{3}, Name: "Ben"}
	anon = node.Person{ID: wire.PersonID{4}}
)

// signed makes a block in whose drawing the rest is filled in by the test.
func signed(n byte, author node.Person, rank int, class chain.Class, changes ...node.Change) node.Block {
	h := &chain.Header{Height: uint64(n), Class: class}
	return node.Block{Hash: wire.BlockHash{n}, Header: h, Author: author, Changes: changes, Drawn: node.Drawn{Rank: rank, Fate: node.FateStands}}
}

func removing(p node.Person) node.Change { return node.Change{Op: &chain.Remove{}, Subject: p} }
func demoting(p node.Person) node.Change { return node.Change{Op: &chain.SetRole{}, Subject: p} }
func adding(p node.Person) node.Change   { return node.Change{Op: &chain.Add{}, Subject: p} }
func rekeying() node.Change              { return node.Change{Op: &chain.Rekey{}} }

// TestWhy reads the reasons aloud: block 1 won, block 2 lost to it.
func TestWhy(t *testing.T) {
	for _, c := range []struct {
		name      string
		won, lost node.Block
		why       chain.Why
		mutual    bool
		want      string
	}{
		{
			"each removed the other", signed(1, ann, 1, 2, removing(ben)), signed(2, ben, 2, 2, removing(ann)), chain.WhyStruck, true,
			"Ann removed Ben and Ben removed Ann at the same time. Ann has been in charge longer, so Ben stays removed.",
		},
		{
			"I lost", signed(1, ann, 1, 2, removing(me)), signed(2, me, 2, 2, removing(ann)), chain.WhyStruck, true,
			"Ann removed you and you removed Ann at the same time. Ann has been in charge longer, so you stay removed.",
		},
		{
			"I won", signed(1, me, 1, 1, demoting(ben)), signed(2, ben, 2, 2, removing(me)), chain.WhyStruck, true,
			"You took the admin role from Ben and Ben removed you at the same time. You have been in charge longer, so Ben is no longer an admin.",
		},
		{
			"nobody knows the name", signed(1, ann, 1, 1, demoting(anon)), signed(2, anon, 2, 1, demoting(ann)), chain.WhyStruck, true,
			"Ann took the admin role from somebody and somebody took the admin role from Ann at the same time. Ann has been in charge longer, so somebody is no longer an admin.",
		},
		{
			"removed elsewhere", signed(1, ann, 1, 2, removing(ben)), signed(2, ben, 2, 1, adding(me)), chain.WhyStruck, false,
			"Ann removed Ben at the same time, so what Ben did on the other side is undone.",
		},
		{
			"a removal weighs more", signed(1, ben, 2, 2, adding(anon), removing(me)), signed(2, ann, 1, 1, adding(me)), chain.WhyWeight, false,
			"Ben removed you at the same time. A removal goes before other changes.",
		},
		{
			"admin work weighs more", signed(1, me, 2, 1, adding(ben)), signed(2, ann, 1, 0, rekeying()), chain.WhyWeight, false,
			"You added Ben at the same time. What an admin decides goes before what anybody may do.",
		},
		{
			"two admins", signed(1, ann, 1, 1, adding(anon)), signed(2, me, 2, 1, adding(anon)), chain.WhySenior, false,
			"Ann and you changed the group at the same time. Ann has been in charge longer, so what Ann did counts.",
		},
		{
			"an admin and a member", signed(1, ann, 1, 0, rekeying()), signed(2, me, 0, 0, rekeying()), chain.WhySenior, false,
			"Ann and you changed the group at the same time. Ann is an admin and you are not, so what Ann did counts.",
		},
		{
			"two members", signed(1, me, 0, 0, rekeying()), signed(2, ben, 0, 0, rekeying()), chain.WhySenior, false,
			"You and Ben changed the group at the same time. You have been in the group longer, so what you did counts.",
		},
		{
			"two devices", signed(1, ben, 1, 1, adding(me)), signed(2, ben, 1, 1, adding(ann)), chain.WhyDevice, false,
			"Ben did two things at the same time on two devices. What the device that was added first did counts.",
		},
		{
			"twice", signed(1, ben, 1, 1, adding(me)), signed(2, ben, 1, 1, adding(ann)), chain.WhyTwice, false,
			"One device of Ben signed both at the same time. Their hashes decide which one counts.",
		},
		{
			"settled", signed(1, ben, 1, 1, adding(me)), signed(2, ann, 1, 1, adding(ben)), chain.WhySettled, false,
			"What was done at the same time is settled.",
		},
		{
			"revoked", signed(1, ben, 1, 0, rekeying()), signed(2, ann, 1, 0, rekeying()), chain.WhyRevoked, false,
			"The device of Ann that signed it was removed, or let in by one that was.",
		},
		{
			"carried over", signed(1, ben, 1, 0, rekeying()), signed(2, ann, 1, 0, rekeying()), chain.WhyCarried, false,
			"The removal of Ann was carried over on the other side.",
		},
	} {
		l := &chain.Loss{Why: c.why, Lost: c.lost.Hash, Won: c.won.Hash, By: c.won.Hash}
		if c.mutual {
			l.Mutual = c.lost.Hash
		}
		c.lost.Drawn.Loss, c.lost.Drawn.Fate = l, node.FateUndone
		above := signed(3, ben, 0, 0, rekeying())
		above.Drawn.Loss = l
		out := api.Blocks([]node.Block{c.won, c.lost, above})
		if got := out[1].Why; got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, got, c.want)
		}
		if got, want := out[2].Why, "It was built on a change that was undone."; got != want {
			t.Errorf("%s: %s", c.name, got)
		}
		if out[0].Why != "" || out[0].Loss != 0 || out[1].Loss == 0 || out[1].Won != c.won.Hash.String() {
			t.Errorf("%s: %v, %v", c.name, out[0], out[1])
		}
	}
}

func TestContradictionAndSettlement(t *testing.T) {
	a, b := signed(0xaa, ben, 1, 1, adding(me)), signed(0xbb, ben, 1, 1, adding(ann))
	a.Header.Author.Device, b.Header.Author.Device = wire.DeviceID{0xdd}, wire.DeviceID{0xdd}
	a.Drawn.Twins, b.Drawn.Twins = []wire.BlockHash{b.Hash}, []wire.BlockHash{a.Hash}
	a.Drawn.Settled, a.Drawn.Round, a.SettledBy = true, 4, []node.Person{ann, ben}
	b.Drawn.Again = []wire.BlockHash{a.Hash}
	out := api.Blocks([]node.Block{a, b})
	want := "One device of Ben (dd000000) signed different blocks in the same place: aa000000 and bb000000. " +
		"No honest program does that; either it was altered, or its key was copied. The blocks themselves are the proof."
	if out[0].Contradiction != want || len(out[1].Contradicts) != 1 || out[1].Contradicts[0] != a.Hash.String() {
		t.Errorf("%q, %v", out[0].Contradiction, out[1].Contradicts)
	}
	if !out[0].Settled || out[0].SettleRound != 4 || len(out[0].SettledBy) != 2 || out[1].Settled {
		t.Errorf("settled: %v, %v", out[0], out[1])
	}
	if c := out[1].Changes[0]; c.Again != a.Hash.String() || c.AgainHeight != 0xaa {
		t.Errorf("done again: %v", c)
	}
}

// TestOwnDeviceTakenOut: who reads of their own device reads "yours".
func TestOwnDeviceTakenOut(t *testing.T) {
	b := signed(0xaa, ann, 1, 1, node.Change{Op: &chain.Slash{Device: wire.DeviceID{0xdd}}, Subject: me})
	want := "Ann took out a device of yours that signed what contradicts itself (dd000000)."
	if got := api.Blocks([]node.Block{b})[0].Changes[0].Sentence; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
