package group_test

import (
	"fmt"
	"slices"
	"testing"

	"kith/internal/group"
	"kith/internal/mls"
	"kith/internal/sim"
	"kith/internal/wire"
)

// docs/spec/group.md, "Secrets", names the test of each sentence.

const (
	second = 1000
	minute = 60 * second
	day    = 24 * 60 * minute
)

// walk is a group of three who all vote, and what a title of Ann's makes.
type walk struct {
	t *testing.T
	*sim.World
	g              wire.GroupID
	ann, ben, cleo *sim.Node
}

func walking(t *testing.T) walk {
	t.Helper()
	w := sim.New(1)
	k := walk{t: t, World: w, ann: w.Add("Ann"), ben: w.Add("Ben"), cleo: w.Add("Cleo")}
	k.g = k.ann.Create(group.CreateParams{Title: "Walk", Newcomers: []group.Newcomer{k.ben.Newcomer(), k.cleo.Newcomer()}})
	w.Run(second)
	k.do(k.ben, group.Accept{})
	k.do(k.cleo, group.Accept{})
	w.Run(20 * minute)
	return k
}

func (k walk) do(n *sim.Node, c group.Cause) {
	k.t.Helper()
	if err := n.Do(k.g, c); err != nil {
		k.t.Fatal(err)
	}
	k.Run(5 * second)
}

func (k walk) say(n *sim.Node, text string) {
	k.t.Helper()
	if err := n.Say(k.g, text); err != nil {
		k.t.Fatal(err)
	}
	k.Run(5 * second)
}

func (k walk) head(n *sim.Node) wire.BlockHash { return n.Groups[k.g].Machine.Head() }

// keeps checks what n keeps of a block's epoch, in memory and in the store, and that a
// restart brings nothing back.
func (k walk) keeps(when string, n *sim.Node, block wire.BlockHash, leadsOn, opens bool) {
	k.t.Helper()
	for _, again := range []string{"", ", restarted"} {
		if l, o := n.Groups[k.g].Machine.Keeps(block); l != leadsOn || o != opens {
			k.t.Errorf("%s%s: %s keeps what leads on: %v, what opens: %v; want %v, %v", when, again, n.Name, l, o, leadsOn, opens)
		}
		records := n.Groups[k.g].Records
		_, epoch := records[group.KindEpoch][string(block[:])]
		ratchets := false
		for key := range records[group.KindRatchet] {
			ratchets = ratchets || key[:32] == string(block[:])
		}
		if epoch != opens || ratchets && !opens {
			k.t.Errorf("%s%s: %s stores the epoch: %v, message keys: %v", when, again, n.Name, epoch, ratchets)
		}
		n.Stop()
		n.Start()
	}
	k.Run(5 * second)
}

// TestForkParentSettled: what leads on from a block goes as soon as one of its children
// is settled.
func TestForkParentSettled(t *testing.T) {
	k := walking(t)
	parent := k.head(k.ann)
	k.do(k.ann, group.SetTitle{Title: "A"})
	k.keeps("not settled yet", k.ben, parent, true, true)
	k.Run(20 * minute)
	k.keeps("settled", k.ben, parent, false, true)
}

// alone takes all but Ann off, so that nothing settles.
func (k walk) alone() {
	k.ben.Stop()
	k.cleo.Stop()
}

// TestForkParentDeep: where nothing settles it goes when it is more than 16 blocks
// below the head.
func TestForkParentDeep(t *testing.T) {
	k := walking(t)
	k.alone()
	parent := k.head(k.ann)
	for i := range 16 {
		k.do(k.ann, group.SetTitle{Title: fmt.Sprint(i)})
	}
	k.keeps("16 below the head", k.ann, parent, true, true)
	k.do(k.ann, group.SetTitle{Title: "one more"})
	k.keeps("17 below the head", k.ann, parent, false, true)
	k.Run(8 * day)
	k.keeps("17 below, a week later", k.ann, parent, false, false)
}

// TestForkParentOld: and after 30 days.
func TestForkParentOld(t *testing.T) {
	k := walking(t)
	k.alone()
	parent := k.head(k.ann)
	k.do(k.ann, group.SetTitle{Title: "A"})
	k.Run(30*day - minute)
	k.keeps("29 days", k.ann, parent, true, true)
	k.Run(2 * minute)
	k.keeps("30 days", k.ann, parent, false, false)
}

// TestLostBranchSecrets: what leads on from a block on a branch that what is settled
// excludes is gone; its messages are opened for 30 days yet.
func TestLostBranchSecrets(t *testing.T) {
	k := walking(t)
	k.Cut(k.ann, k.ben)
	k.Cut(k.ben, k.cleo)
	k.do(k.ann, group.SetTitle{Title: "A"})
	k.do(k.ben, group.Rekey{})
	lost := k.head(k.ben)
	k.say(k.ben, "from the other side")
	k.Run(30 * minute) // two of three settle A
	k.HealAll()
	k.Run(20 * minute)
	if k.head(k.ben) == lost || k.head(k.ben) != k.head(k.ann) {
		t.Fatal("Ben's branch has not lost")
	}
	k.keeps("settled elsewhere", k.ben, lost, false, true)
	k.Run(31 * day)
	k.keeps("a month later", k.ben, lost, false, false)
}

// TestMessageKeysMovedOn: what opens messages goes when the successor is settled and
// each other device has written there or above; a late message is not opened then.
func TestMessageKeysMovedOn(t *testing.T) {
	k := walking(t)
	old := k.head(k.ann)
	k.do(k.ann, group.SetTitle{Title: "A"})
	k.Run(20 * minute)
	k.say(k.ann, "one")
	k.say(k.ben, "two")
	k.Run(2 * minute)
	k.keeps("Cleo has not written", k.ann, old, false, true)
	k.say(k.cleo, "three")
	k.Run(2 * minute)
	k.keeps("all have", k.ann, old, false, false)
	k.keeps("all have", k.ben, old, false, false)
}

// TestInitKeySettled: the private part of a one-time key package goes when the block
// that its owner came in by is settled, and not before: a sibling may win. That of a
// last-resort package stays, others use it.
func TestInitKeySettled(t *testing.T) {
	for _, resort := range []bool{false, true} {
		k := walking(t)
		dan := k.Add("Dan")
		newcomer := dan.Newcomer()
		if resort {
			newcomer = dan.LastResort(group.NewSuite)
		}
		kp, err := mls.ParseKeyPackage(newcomer.KeyPackage)
		if err != nil {
			t.Fatal(err)
		}
		ref := [32]byte(kp.Ref())
		k.do(k.ann, group.Invite{Newcomers: []group.Newcomer{newcomer}})
		k.do(dan, group.Accept{})
		if !dan.Holds(ref) {
			t.Error("gone before the block is settled")
		}
		k.Run(30 * minute)
		if got := dan.Holds(ref); got != resort {
			t.Errorf("last resort %v: held once the block is settled: %v", resort, got)
		}
		k.say(k.ann, "hello Dan")
		if !slices.Contains(dan.Texts(k.g), "hello Dan") {
			t.Error("Dan reads nothing")
		}
	}
}
