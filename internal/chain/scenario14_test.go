package chain

import (
	"fmt"
	"slices"
	"testing"
)

// Scenarios of votes, drawn as in settle_light_test.go.

// TestScenario14DoubleVoters: liars vote on both sides, in both rounds that settle.
// As many as there may be settle nothing else, however the honest are split; one more
// can. Then both proofs lose the liars' votes, and everybody sees the same.
func TestScenario14DoubleVoters(t *testing.T) {
	for _, n := range []int{3, 4, 6, 7} {
		voters := "01234567"[:n]
		for liars := Faults(n); liars <= Faults(n)+1; liars++ {
			s := play("G:" + voters + " -> a1 | G -> b1")
			conflicts := 0
			for split := range 1 << (n - liars) {
				left, right := sides(voters, liars, split)
				cast := s.several(
					left+" vote a1 in 1", left+" vote a1 in 2 from a1 of 1",
					right+" vote b1 in 1", right+" vote b1 in 2 from b1 of 1",
				)
				if s.conflicts(t, cast) {
					conflicts++
				}
			}
			if (conflicts > 0) != (liars > Faults(n)) {
				t.Errorf("%d liars of %d voters: %d conflicts", liars, n, conflicts)
			}
		}
	}
	t.Run("in a round", func(t *testing.T) {
		if err := twoVotesCount(0); err != nil {
			t.Error(err)
		}
	})
	t.Run("what becomes of a conflict", func(t *testing.T) {
		if err := conflictLoses(0); err != nil {
			t.Error(err)
		}
	})
}

// sides returns who votes left and who right: the last voters on both, the bit of
// each other says where.
func sides(voters string, liars, split int) (left, right string) {
	for i, c := range voters {
		lies := i >= len(voters)-liars
		if lies || split>>i&1 == 0 {
			left += string(c)
		}
		if lies || split>>i&1 == 1 {
			right += string(c)
		}
	}
	return left, right
}

// conflicts reports whether the votes show a conflict, after looking that every
// order of them shows the same.
func (s *scene) conflicts(t *testing.T, cast []*Vote) bool {
	t.Helper()
	v := NewVotes(s.blocks)
	mustOffer(t, v, cast...)
	again := NewVotes(s.blocks)
	slices.Reverse(cast)
	mustOffer(t, again, cast...)
	if v.Settled() != again.Settled() || v.Head() != again.Head() || (v.Conflict() == nil) != (again.Conflict() == nil) {
		t.Fatalf("the order decides: settled %s or %s", s.name(v.Settled()), s.name(again.Settled()))
	}
	if v.Conflict() != nil && s.name(v.Settled()) != "G" {
		t.Errorf("settled %s in a conflict", s.name(v.Settled()))
	}
	return v.Conflict() != nil
}

// TestScenario14VotersOfThePast: voters whose era is over can still sign in it, and
// of the one voter with whom a group begins f is 0: it settles another branch alone.
// Who had settled before stays, goes on, and sees it and who lied. Who is shown the
// other proof first goes there: the two are apart, and both see it.
//
//	G:0 -> e1:123 -> d2 -> d3 | G -> b1
func TestScenario14VotersOfThePast(t *testing.T) {
	s := play("G:0 -> e1:123 -> d2 -> d3 | G -> b1")
	honest := s.several(
		"0 vote e1 in 1", "0 vote e1 in 2 from e1 of 1",
		"123 vote d2 in 1 from e1 of 0 era e1", "123 vote d2 in 2 from d2 of 1 era e1",
	)
	lies := s.several("0 vote b1 in 1", "0 vote b1 in 2 from b1 of 1")
	for _, way := range []string{"in the rounds that settled", "in later rounds", "in a warrant"} {
		v := NewVotes(s.blocks)
		mustOffer(t, v, honest...)
		if !v.Pin(v.Settled()) || s.name(v.Settled()) != "d2" {
			t.Fatalf("settled %s", s.name(v.Settled()))
		}
		before := len(v.All())
		switch way {
		case "in the rounds that settled":
			mustOffer(t, v, lies...)
		case "in later rounds":
			mustOffer(t, v, s.several("0 vote b1 in 3", "0 vote b1 in 4 from b1 of 3", "0 vote b1 in 5 from b1 of 4")...)
			if v.Conflict() != nil || len(v.All()) != before {
				t.Errorf("%s: %d votes, conflict %v", way, len(v.All()), v.Conflict())
			}
			continue
		case "in a warrant":
			there := NewVotes(s.blocks)
			mustOffer(t, there, s.several("0 vote b1 in 8", "0 vote b1 in 9 from b1 of 8")...)
			w := there.Settlement()[0]
			if ok, err := v.AddWarrant(w); !ok || err != nil {
				t.Fatal(ok, err)
			}
			if ok, err := v.AddWarrant(w); ok || err != nil {
				t.Errorf("again: %v, %v", ok, err)
			}
		}
		c := v.Conflict()
		if c == nil || !c.Kept || c.Stopped || s.name(c.Blocks[0]) != "e1" || s.name(c.Blocks[1]) != "b1" {
			t.Fatalf("%s: conflict %+v", way, c)
		}
		if s.name(v.Settled()) != "d2" || s.name(v.Head()) != "d3" {
			t.Errorf("%s: settled %s, head %s", way, s.name(v.Settled()), s.name(v.Head()))
		}
		if e := v.Evidence(); way != "in a warrant" && (len(e) != 1 || e[0].Device() != sceneDevice(0)) {
			t.Errorf("%s: evidence %v", way, e)
		}
		s.storedAgain(t, v)
		if got, err := v.Settlement().Verify(s.blocks); err != nil || s.name(got) != "d2" {
			t.Errorf("%s: who comes new settles %s: %v", way, s.name(got), err)
		}
		mustOffer(t, v, s.several("123 vote d3 in 3 from d2 of 2 era e1", "123 vote d3 in 4 from d3 of 3 era e1")...)
		if s.name(v.Settled()) != "d3" || v.Pin(s.by["b1"].Hash) || v.Pin(s.by["G"].Hash) {
			t.Errorf("%s: settled %s after more votes", way, s.name(v.Settled()))
		}
	}
	misled := NewVotes(s.blocks)
	mustOffer(t, misled, lies...)
	misled.Pin(misled.Settled())
	mustOffer(t, misled, honest[:2]...)
	if c := misled.Conflict(); s.name(misled.Settled()) != "b1" || c == nil || !c.Kept || s.name(c.Blocks[1]) != "e1" {
		t.Errorf("the other side settles %s, conflict %+v", s.name(misled.Settled()), c)
	}
	// Where nothing is pinned no order decides.
	s.conflicts(t, append(lies, honest...))
	// One of several, likewise, changes nothing.
	s = play("G:0123 -> e1:456 -> d2 | G -> b1")
	v := NewVotes(s.blocks)
	mustOffer(t, v, s.several(
		"012 vote e1 in 1", "012 vote e1 in 2 from e1 of 1",
		"456 vote d2 in 1 from e1 of 0 era e1", "456 vote d2 in 2 from d2 of 1 era e1",
		"0 vote b1 in 1", "0 vote b1 in 2 from b1 of 1", "3 vote b1 in 1", "3 vote b1 in 2 from b1 of 1",
	)...)
	if got := s.name(v.Settled()); got != "d2" || v.Conflict() != nil {
		t.Errorf("settled %s, conflict %v", got, v.Conflict())
	}
}

// storedAgain checks that what v holds, stored and restored, says the same.
func (s *scene) storedAgain(t *testing.T, v *Votes) {
	t.Helper()
	again := NewVotes(s.blocks)
	again.Pin(v.Settled())
	for _, vote := range v.All() {
		if err := again.Restore(vote); err != nil {
			t.Fatal(err)
		}
	}
	if again.Settled() != v.Settled() || again.Head() != v.Head() || again.Conflict() == nil || again.Conflict().Blocks != v.Conflict().Blocks {
		t.Errorf("restored: settled %s, conflict %+v", s.name(again.Settled()), again.Conflict())
	}
	if len(again.All()) != len(v.All()) {
		t.Errorf("restored: %d votes of %d", len(again.All()), len(v.All()))
	}
}

// TestScenario15SplitVotes: votes that are split, rounds that a partition cut short,
// and a liar who says what keeps them apart at the last moment. Once everybody hears
// everybody, the head is settled soon.
func TestScenario15SplitVotes(t *testing.T) {
	for _, c := range []struct {
		name, picture, voters string
		votes                 []string
		liar                  bool
		rounds                uint64
	}{
		{"half and half", "G:0123 -> a1 | G -> b1", "0123", []string{"01 vote a1 in 1", "23 vote b1 in 1"}, false, 5},
		{"one, one and one", "G:012 -> a1 | G -> b1 | G -> c1", "012", []string{"0 vote a1 in 1", "1 vote b1 in 1", "2 vote c1 in 1"}, false, 5},
		{
			"again and again", "G:0123 -> a1 | G -> b1", "0123",
			[]string{"01 vote a1 in 1", "23 vote b1 in 1", "01 vote a1 in 2", "23 vote b1 in 2", "01 vote a1 in 3", "23 vote b1 in 3"},
			false, 5,
		},
		{
			"cut in the second round", "G:0123 -> a1 | G -> b1", "0123",
			[]string{"012 vote a1 in 1", "3 vote b1 in 1", "0 vote a1 in 2 from a1 of 1"},
			false, 5,
		},
		{
			"of seven, three rounds apart", "G:0123456 -> a1 -> a2 | G -> b1", "0123456",
			[]string{"012 vote a2 in 1", "3456 vote b1 in 1", "01 vote a2 in 2", "2 vote a1 in 2", "3456 vote b1 in 2"},
			false, 5,
		},
		{"with a liar", "G:0123 -> a1 | G -> b1", "012", []string{"01 vote a1 in 1", "23 vote b1 in 1"}, true, 8},
		{"with a liar, late", "G:0123 -> a1 | G -> b1", "012", []string{"0 vote a1 in 1", "12 vote b1 in 1", "0 vote a1 in 2", "1 vote b1 in 2"}, true, 8},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := play(c.picture)
			took, err := s.heal(s.several(c.votes...), c.voters, c.liar)
			if err != nil || took > c.rounds {
				t.Errorf("after %d rounds: %v", took, err)
			}
			t.Logf("%d rounds", took)
		})
	}
	t.Run("in every way", func(t *testing.T) {
		if err := exploreHealing(0); err != nil {
			t.Error(err)
		}
	})
}

// heal lets voters decide by the clock, each hearing all, and returns the rounds
// until the head is settled. Voter 3, if it lies, votes for both blocks as soon as
// all but one have voted, in each round.
func (s *scene) heal(cast []*Vote, voters string, lies bool) (uint64, error) {
	v := NewVotes(s.blocks)
	if err := offer(v, cast); err != nil {
		return 0, err
	}
	var list []*Voter
	for _, c := range voters {
		d := &Voter{Device: sceneDevice(int(c - '0'))}
		for _, vote := range cast {
			if vote.Device == d.Device {
				d.Last = vote
			}
		}
		list = append(list, d)
	}
	first, spoken := v.Round(), 0
	for now := uint64(0); v.Settled() != v.Head(); {
		if v.Round() > first+2*healRounds {
			return v.Round() - first, fmt.Errorf("not settled: %s, head %s", s.name(v.Settled()), s.name(v.Head()))
		}
		voted, wait := false, uint64(MaxDwell)
		for _, d := range list {
			switch got := d.Decide(v, now); {
			case got.Vote != nil:
				d.Last, voted = sealVote(got.Vote), true
				if err := offer(v, []*Vote{d.Last}); err != nil {
					return 0, err
				}
				if spoken++; lies && spoken%len(list) == len(list)-1 {
					round := d.Last.Round
					if err := offer(v, s.several(fmt.Sprintf("3 vote a1 in %d", round), fmt.Sprintf("3 vote b1 in %d", round))); err != nil {
						return 0, err
					}
				}
			case got.Wait > 0:
				wait = min(wait, got.Wait)
			}
		}
		if !voted {
			now += wait
		}
		if now > 1000*MaxDwell {
			return v.Round() - first, fmt.Errorf("nobody votes any more in round %d", v.Round()+1)
		}
	}
	return v.Round() - first, nil
}
