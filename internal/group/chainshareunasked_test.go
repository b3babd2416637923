package group_test

import (
	"fmt"
	"testing"

	"kith/internal/group"
	"kith/internal/sim"
	"kith/internal/wire"
)

// anew is a new session of the asker's.
func (a *asker) anew(now uint64) int {
	a.step(now, group.PeerDown{Device: a.from.Self.Device.ID()})
	return a.step(now, group.PeerUp{Peer: a.from.Self.Member()})
}

// TestShareOfWhatNobodyAskedFor: who comes and goes is given no more of a chain than who asks, and
// what it is to be told it hears once its share allows it.
func TestShareOfWhatNobodyAskedFor(t *testing.T) {
	for what, who := range map[string]func(t *testing.T, w *sim.World, ann, ben *sim.Node, g wire.GroupID) *sim.Node{
		"an end": func(t *testing.T, w *sim.World, ann, ben *sim.Node, g wire.GroupID) *sim.Node {
			do(t, w, ann, g, group.Remove{Person: ben.Self.Person})
			return ben
		},
		"an invitation": func(t *testing.T, w *sim.World, ann, _ *sim.Node, g wire.GroupID) *sim.Node {
			dan := w.Add("Dan")
			do(t, w, ann, g, group.Invite{Newcomers: []group.Newcomer{dan.Newcomer()}})
			return dan
		},
	} {
		w, ann, ben, g := settledGroup(t, 16)
		a := &asker{t: t, m: machineOf(ann, g), from: who(t, w, ann, ben, g)}
		now := w.Now
		one := a.anew(now)
		if one < 1000 {
			t.Fatalf("%s has %d bytes", what, one)
		}
		times := 1
		for range 2 * chainBurst / (64 << 10) {
			if a.anew(now) > 0 {
				times++
			}
		}
		counted := times * (one + 64<<10)
		t.Logf("%s of %d bytes is given %d times at once", what, one, times)
		if counted < chainBurst || counted > chainBurst/20*21 {
			t.Errorf("%s of %d bytes is given %d times at once", what, one, times)
		}
		if a.wake == 0 || a.wake <= now || a.wake > now+1000 {
			t.Fatalf("%s is next looked at %d ms later", what, a.wake-now)
		}
		if n := a.step(now+100, group.Tick{}); n != one {
			t.Errorf("%s is given in %d bytes of %d once the share allows it", what, n, one)
		}
	}
}

// TestProofHasAShare: a member that does not name the group is given the chain when its share allows
// it, and that counts.
func TestProofHasAShare(t *testing.T) {
	const proofAfter = 5000 // ms
	w, ann, ben, g := settledGroup(t, 16)
	a := &asker{t: t, m: machineOf(ann, g), from: ben, payload: asksForAll()["blocks"]}
	now := w.Now
	a.anew(now)
	one := a.ask(now)
	for range 2 * chainBurst / one {
		a.ask(now)
	}
	for range proofAfter - 1 {
		now++
		a.ask(now)
	}
	for a.ask(now) > 0 {
	}
	now++ // of which 4 KiB come back
	if n := a.step(now, group.Tick{}); n > 0 {
		t.Errorf("%d bytes are given to who has had its share", n)
	}
	proof := 0
	for range 10 {
		if now = a.wake; now == 0 {
			break
		}
		if proof = a.step(now, group.Tick{}); proof > 0 {
			break
		}
	}
	if proof == 0 {
		t.Fatal("the chain is not given once the share allows it")
	}
	if n := a.ask(now); n > 0 {
		t.Errorf("%d bytes are given right after the chain", n)
	}
}

// TestShareOfHaves: who says in session after session to have nothing of the chain, with a program to which
// blocks are given at once, gets no more of it than who asks, and then again.
func TestShareOfHaves(t *testing.T) {
	w := sim.New(1)
	ann, ben := w.Add("Ann"), w.Add("Ben")
	ben.Self.Omits = group.FeatureBlockNews
	g := ann.Create(group.CreateParams{Title: "Trip", Newcomers: []group.Newcomer{ben.Newcomer()}})
	w.Run(1000)
	do(t, w, ben, g, group.Accept{})
	for i := range 16 {
		do(t, w, ann, g, group.SetTitle{Title: fmt.Sprint("title ", i)})
	}
	a := &asker{t: t, m: machineOf(ann, g), from: ben, payload: []byte{2, 2, 0, 0, 1, 0, 0, 0}} // a have of nothing
	now, sum, times := w.Now, 0, 0
	for range 2 * chainBurst / (64 << 10) {
		a.anew(now)
		if n := a.ask(now); n > 0 {
			sum, times = sum+n, times+1
		}
	}
	if counted := sum + times*64<<10; counted < chainBurst || counted > chainBurst/20*21 {
		t.Errorf("%d bytes are given in %d answers", sum, times)
	}
	if n := a.ask(now + 1000); n == 0 {
		t.Error("nothing is given any more")
	}
}
