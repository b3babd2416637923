package chain

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"kith/internal/wire"
)

// A check holds the rules against what they are for; it fails when one of them
// that matters to it is taken away.
type check struct {
	name string
	run  func(off rule) error
}

var checks = []check{
	{"explored: no conflict", exploreSafety},
	{"explored: healing", exploreHealing},
	{"explored: messages", exploreMessages},
	{"refused votes", refusedVotes},
	{"what settles", whatSettles},
	{"two votes count for all", twoVotesCount},
	{"conflict loses the liars' votes", conflictLoses},
	{"what a voter does", voterActs},
}

func TestSettlementChecks(t *testing.T) {
	for _, c := range checks {
		t.Run(c.name, func(t *testing.T) {
			if err := c.run(0); err != nil {
				t.Error(err)
			}
		})
	}
}

func exploreSafety(off rule) error {
	for _, x := range []*exploration{
		{picture: "G:012 -> a1 -> a2 | a1 -> c2", voters: 3, rounds: 3, off: off},
		{picture: "G:012 -> a1 | G -> b1", voters: 3, rounds: 4, off: off},
	} {
		if err := x.run(); err != nil {
			return err
		}
	}
	return nil
}

func exploreHealing(off rule) error {
	for _, x := range []*exploration{
		{picture: "G:012 -> a1 -> a2 | G -> b1", voters: 3, rounds: 2, off: off, heal: true},
		{picture: "G:0123 -> a1 | G -> b1", voters: 4, liar: true, rounds: 3, off: off, heal: true},
	} {
		if err := x.run(); err != nil {
			return err
		}
	}
	return nil
}

func exploreMessages(off rule) error {
	r := &room{picture: "G:01 -> e1:12 -> d1 | G -> b1", people: 3, rounds: 2, off: off, limit: 100_000}
	return r.run()
}

// counted returns an empty set for a scene, without some rules.
func counted(s *scene, off rule) *Votes {
	v := NewVotes(s.blocks)
	v.off = off
	return v
}

func wantReason(what string, err error, want Reason) error {
	if e, ok := errors.AsType[*VoteError](err); !ok || e.Reason != want {
		return fmt.Errorf("%s: %v, want reason %q", what, err, want)
	}
	return nil
}

// refusedVotes breaks one rule of validity at a time.
func refusedVotes(off rule) error {
	s := play("G:012 -> a1 -> a2 | G -> b1 | a1 -> e2:123 -> d3")
	for _, c := range []struct {
		what, vote string
		change     func(*Vote)
		want       Reason
	}{
		{"another group", "0 votes a1 in 1", func(v *Vote) { v.Group[0]++ }, ReasonGroup},
		{"no start of an era", "0 votes a2 in 1 era a1", nil, ReasonEra},
		{"no voter", "5 votes a1 in 1", nil, ReasonVoter},
		{"seq 0", "0 votes a1 in 1", func(v *Vote) { v.Seq = 0 }, ReasonVoteSeq},
		{"round 0", "0 votes a1 in 0", nil, ReasonRound},
		{"source of the same round", "0 votes a1 in 1 from a1 of 1", nil, ReasonRound},
		{"source of a later round", "0 votes a1 in 1 from a1 of 2", nil, ReasonRound},
		{"round 0 of another block", "0 votes a1 in 1 from a1 of 0", nil, ReasonSource},
		{"source beside the block", "0 votes b1 in 2 from a1 of 1", nil, ReasonSource},
		{"source above the block", "0 votes a1 in 2 from a2 of 1", nil, ReasonSource},
		{"block after the next change of voters", "0 votes d3 in 1", nil, ReasonEra},
	} {
		v := s.vote(c.vote)
		if c.change != nil {
			c.change(v)
		}
		votes := counted(s, off)
		_, err := votes.Add(sealVote(v))
		if err := wantReason(c.what, err, c.want); err != nil {
			return err
		}
		if len(votes.All()) > 0 {
			return fmt.Errorf("%s: kept though refused", c.what)
		}
	}
	_, err := counted(s, off).Add(s.vote("0 votes a1 in 1"))
	if err := wantReason("not signed", err, ReasonSignature); err != nil {
		return err
	}
	return refusedForNow(s, off)
}

// refusedForNow: what may be offered again.
func refusedForNow(s *scene, off rule) error {
	votes := counted(s, off)
	var early *EarlyError
	if _, err := votes.Add(s.signed("1 votes d3 in 1 from e2 of 0 era e2")); !errors.As(err, &early) || early.Era != s.by["e2"].Hash {
		return fmt.Errorf("vote of an era that is not settled: %v", err)
	}
	if _, err := votes.Add(s.signed(fmt.Sprintf("0 votes a1 in %d", maxAhead+2))); !errors.As(err, &early) || early.Round != maxAhead+2 {
		return fmt.Errorf("vote of a round far ahead: %v", err)
	}
	if ok, err := votes.Add(s.signed(fmt.Sprintf("0 votes a1 in %d", maxAhead+1))); !ok || err != nil {
		return fmt.Errorf("vote of a round just so far ahead: %v", err)
	}
	fewer := NewVotes(s.only("a1"))
	var missing *MissingError
	for _, c := range []struct{ vote, block string }{
		{"0 votes b1 in 1", "b1"}, {"0 votes a1 in 2 from a2 of 1", "a2"}, {"1 votes d3 in 1 era e2", "e2"},
	} {
		if _, err := fewer.Add(s.signed(c.vote)); !errors.As(err, &missing) || missing.Parent != s.by[c.block].Hash {
			return fmt.Errorf("%s: %v, want missing %s", c.vote, err, c.block)
		}
	}
	return nil
}

// whatSettles says which votes certify and settle what.
func whatSettles(off rule) error {
	s := play("G:0123 -> a1 -> a2 -> a3 | a1 -> c2 | G -> b1")
	for _, c := range []struct {
		what, settled, root string
		votes               []string
	}{
		{"nothing", "G", "G", nil},
		{"too few", "G", "G", []string{"01 vote a1 in 1"}},
		{"a certificate settles nothing", "G", "a1", []string{"012 vote a1 in 1"}},
		{"votes meet where their ways part", "G", "a1", []string{"01 vote a2 in 1", "23 vote c2 in 1"}},
		{"or nowhere", "G", "G", []string{"01 vote a2 in 1", "23 vote b1 in 1"}},
		{"two rounds", "a1", "a1", []string{"012 vote a1 in 1", "012 vote a1 in 2 from a1 of 1"}},
		{"and what is voted for next is certified", "a1", "a2", []string{"012 vote a1 in 1", "013 vote a2 in 2 from a1 of 1"}},
		{"the source not of all", "G", "a1", []string{"012 vote a1 in 1", "01 vote a1 in 2 from a1 of 1", "23 vote a1 in 2"}},
		{"not of the round before", "G", "a1", []string{"012 vote a1 in 1", "012 vote a1 in 3 from a1 of 1"}},
		{"not in one round", "G", "a1", []string{"012 vote a1 in 1", "0 vote a1 in 2 from a1 of 1", "12 vote a1 in 3 from a1 of 1"}},
		{"the lowest source counts", "a1", "a2", []string{"0123 vote a2 in 1", "01 vote a2 in 2 from a2 of 1", "23 vote a2 in 2 from a1 of 1"}},
		{"X above Y certifies nothing at Y", "a1", "a2", []string{"012 vote a2 in 1", "0 vote a2 in 2 from a2 of 1", "12 vote c2 in 2 from a1 of 1"}},
	} {
		v := counted(s, off)
		if err := offer(v, s.several(c.votes...)); err != nil {
			return err
		}
		if got := s.name(v.Settled()); got != c.settled {
			return fmt.Errorf("%s: settled %s, want %s", c.what, got, c.settled)
		}
		if got := s.name(v.Root()); got != c.root {
			return fmt.Errorf("%s: root %s, want %s", c.what, got, c.root)
		}
	}
	return nil
}

// twoVotesCount: of three votes of a liar any two may be held, and whichever two
// they are, the same is certified.
func twoVotesCount(off rule) error {
	s := play("G:0123 -> a1 -> a2 | a1 -> c2 | G -> b1")
	honest := s.several("01 vote a2 in 1")
	lies := s.several("2 vote b1 in 1", "2 vote c2 in 1", "2 vote a1 in 1", "2 vote a2 in 1")
	var held []*Vote
	for i := range lies {
		v := counted(s, off)
		if err := offer(v, slices.Concat(honest, lies[i:], lies[:i])); err != nil {
			return err
		}
		all := v.All()
		if held == nil {
			held = all
		}
		same := slices.EqualFunc(all, held, func(a, b *Vote) bool { return a.Hash() == b.Hash() })
		if len(all) != 2+maxPerRound || !same {
			return fmt.Errorf("%d votes held, of every order the same: %v", len(all), same)
		}
		if got := v.Certificate(); got != (Source{1, s.by["a2"].Hash}) {
			return fmt.Errorf("certificate %s of %d", s.name(got.Block), got.Round)
		}
		if e := v.Evidence(); len(e) != 1 || e[0].Device() != sceneDevice(2) {
			return fmt.Errorf("evidence %v", e)
		}
	}
	return nil
}

// conflictLoses: two liars among four settle two branches.
func conflictLoses(off rule) error {
	s := play("G:0123 -> a1 -> a2 | G -> b1")
	v := counted(s, off)
	one := s.several("012 vote a2 in 1", "012 vote a2 in 2 from a2 of 1")
	if err := offer(v, one); err != nil {
		return err
	}
	if v.Settled() != s.by["a2"].Hash || v.Conflict() != nil {
		return fmt.Errorf("settled %s", s.name(v.Settled()))
	}
	if err := offer(v, s.several("123 vote b1 in 1", "123 vote b1 in 2 from b1 of 1")); err != nil {
		return err
	}
	c := v.Conflict()
	switch {
	case c == nil:
		return errors.New("no conflict seen")
	case len(v.Evidence()) != 2:
		return fmt.Errorf("%d liars known, want 2", len(v.Evidence()))
	case c.Stopped || v.Settled() != s.by["G"].Hash:
		return fmt.Errorf("stopped %v, settled %s; both should have lost", c.Stopped, s.name(v.Settled()))
	case s.name(v.Head()) != "a2":
		return fmt.Errorf("head %s, want what seniority decides", s.name(v.Head()))
	}
	return nil
}

// voterActs: what one voter does and when.
func voterActs(off rule) error {
	s := play("G:0123 -> a1 -> e2:1234 -> d3 | G -> b1")
	for _, c := range []struct {
		what  string
		votes []string
		voter int
		last  string // own last vote, held as well
		now   uint64 // ms since it began to look
		set   func(*Voter)
		want  string
	}{
		{"a speaker waits one dwell", nil, 1, "", FirstDwell - 1, nil, "wait 1"},
		{"and votes", nil, 1, "", FirstDwell, nil, "1 votes e2 in 1 from G of 0"},
		{"another waits two", nil, 0, "", FirstDwell, nil, fmt.Sprint("wait ", FirstDwell)},
		{"and votes without it", nil, 0, "", 2 * FirstDwell, nil, "0 votes e2 in 1 from G of 0"},
		{"or as it does", []string{"1 vote b1 in 1"}, 0, "", 2 * FirstDwell, nil, "0 votes b1 in 1 from G of 0"},
		{"a speaker without a source that is held is not followed", []string{"012 vote a1 in 1", "2 vote b1 in 2 from b1 of 1"}, 3, "", 4 * FirstDwell, nil, "3 votes e2 in 2 from a1 of 1"},
		{"a speaker who says two things neither", []string{"1 vote b1 in 1", "1 vote a1 in 1"}, 0, "", 2 * FirstDwell, nil, "0 votes e2 in 1 from G of 0"},
		{"the second dwell is twice the first", []string{"012 vote a1 in 1"}, 2, "", 2*FirstDwell - 1, nil, "wait 1"},
		{"the seventh as long as the greatest", []string{"012 vote a1 in 9"}, 2, "", FirstDwell << 6, nil, fmt.Sprint("wait ", MaxDwell-FirstDwell<<6)},
		{"once in a round", nil, 0, "0 votes a1 in 1", 9 * MaxDwell, nil, ""},
		{"never in a lower one", nil, 0, "0 votes a1 in 5", 9 * MaxDwell, nil, ""},
		{"never back", nil, 0, "0 votes a1 in 2 from a1 of 1 later", 9 * MaxDwell, nil, ""},
		{"a source that is lacking is fetched", []string{"23 vote b1 in 4"}, 0, "0 votes a1 in 4 from a1 of 3", 9 * MaxDwell, nil, "fetch a1 of 3"},
		{"the speaker's source goes back", []string{"012 vote a1 in 1", "013 vote a1 in 5 from a1 of 1", "2 vote b1 in 6"}, 0, "0 votes a1 in 5 from a1 of 1", 9 * MaxDwell, nil, "0 votes e2 in 6 from a1 of 5"},
		{"what it could not follow", nil, 1, "", FirstDwell, func(d *Voter) { d.Follows = func(wire.BlockHash) bool { return false } }, "nack e2"},
		{"a restored device", nil, 1, "", FirstDwell, func(d *Voter) { d.Restored = true }, ""},
		{"no voter", nil, 5, "", MaxDwell, nil, ""},
	} {
		if got, err := actsOnce(s, off, c.votes, c.voter, c.last, c.now, c.set); err != nil || got != c.want {
			return fmt.Errorf("%s: %q, want %q (%v)", c.what, got, c.want, err)
		}
	}
	return nil
}

// actsOnce returns what a voter does at now after it began to look at 0.
func actsOnce(s *scene, off rule, lines []string, voter int, last string, now uint64, set func(*Voter)) (string, error) {
	v := counted(s, off)
	held := s.several(lines...)
	d := &Voter{Device: sceneDevice(voter), off: off}
	if set != nil {
		set(d)
	}
	if last != "" {
		d.Last = s.signed(last)
		held = append(held, d.Last)
	}
	if err := offer(v, held); err != nil {
		return "", err
	}
	d.Decide(v, 1000)
	switch got := d.Decide(v, 1000+now); {
	case got.Vote != nil:
		w := got.Vote
		if d.Last != nil && w.Seq != d.Last.Seq+1 || d.Last == nil && w.Seq != 1 {
			return "", fmt.Errorf("seq %d", w.Seq)
		}
		if _, err := v.Add(sealVote(w)); err != nil {
			return "", err
		}
		return fmt.Sprintf("%d votes %s in %d from %s of %d", voter, s.name(w.Block), w.Round, s.name(w.Source.Block), w.Source.Round), nil
	case got.Wait > 0:
		return fmt.Sprint("wait ", got.Wait), nil
	case got.Fetch != nil:
		return fmt.Sprintf("fetch %s of %d", s.name(got.Fetch.Block), got.Fetch.Round), nil
	case got.Nack != wire.BlockHash{}:
		return "nack " + s.name(got.Nack), nil
	}
	return "", nil
}
