package chain_test

import (
	"errors"
	"slices"
	"testing"

	"kith/internal/chain"
	"kith/internal/wire"
)

// twoFaces is a group whose only voter settles two blocks of one height, in
// different rounds: of both sides the blocks and the votes are shown.
func twoFaces(t *testing.T) (sides [2]*ballotBox) {
	g := newGroup(t, chain.Policy{}, "ann", "ben*")
	at := g.blocks.Genesis()
	s, ann := g.blocks.State(at), g.person("ann")
	first, body := g.draft(s, at, g.person("ben"), nil, &chain.SetInfo{Info: wire.Digest{1}})
	for i := range sides {
		own := &group{t, chain.NewBlocks(), g.people}
		own.take(g.blocks.Header(at), g.blocks.Body(at))
		ann.seq[0] = uint64(1 + 3*i)
		if i == 0 {
			own.take(first, body)
		} else {
			own.commit("ann", nil, &chain.Rekey{})
		}
		sides[i] = newBallotBox(own)
		sides[i].settle("ann")
	}
	return sides
}

// A moment is a settled block of a group, and what settled it at the time.
type moment struct {
	block      wire.BlockHash
	settlement chain.Settlement
}

// moved is a group after each of its settled blocks: a change, another, the
// change of the voter, and a block above that.
func moved(t *testing.T) (b *ballotBox, grown []moment) {
	b = newBallotBox(newGroup(t, chain.Policy{}, "ann", "ben*"))
	grow := func(voter string) {
		b.settle(voter)
		grown = append(grown, moment{b.votes.Settled(), b.votes.Settlement()})
	}
	b.commit("ann", nil, &chain.SetInfo{Info: wire.Digest{1}})
	grow("ann")
	b.commit("ann", nil, &chain.SetInfo{Info: wire.Digest{2}})
	grow("ann")
	b.commit("ann", nil, &chain.SetPolicy{Electorate: []wire.PersonID{b.person("ben").id}})
	grow("ann")
	b.commit("ben", nil, &chain.Rekey{})
	grow("ben")
	return b, grown
}

// after is the standing of ben at that time.
func after(t *testing.T, b *ballotBox, m moment, since uint64) *chain.Standing {
	t.Helper()
	s, err := chain.NewStanding(b.blocks, m.settlement, b.person("ben").id, since)
	if err != nil {
		t.Fatal(err)
	}
	if shown, err := s.Verify(); err != nil || shown.Settled.Hash() != m.block {
		t.Fatal(err)
	}
	return s
}

func whyNot(s, kept *chain.Standing) any {
	err := s.Follows(kept)
	if e, ok := errors.AsType[*chain.StandingError](err); ok {
		return e.Reason
	}
	if _, ok := errors.AsType[*chain.TwiceError](err); ok {
		return "twice"
	}
	return err
}

// TestStandingFollows: what is kept gives way only to what is shown to descend
// from it, over changes of the voters too.
func TestStandingFollows(t *testing.T) {
	b, grown := moved(t)
	genesis, err := chain.NewStanding(b.blocks, nil, b.person("ben").id, noWay)
	if err != nil {
		t.Fatal(err)
	}
	for i, newer := range grown {
		height := uint64(i + 1)
		if why := whyNot(after(t, b, newer, noWay), genesis); why != nil {
			t.Errorf("block %d does not follow genesis: %v", height, why)
		}
		if why := whyNot(genesis, after(t, b, newer, noWay)); why != chain.StandingOlder {
			t.Errorf("genesis after block %d: %v", height, why)
		}
		for j, older := range grown {
			keeps := uint64(j + 1)
			kept := after(t, b, older, noWay)
			var with, without any
			switch {
			case height < keeps:
				with, without = chain.StandingOlder, chain.StandingOlder
			case height > keeps+1: // else the header itself names what is kept
				without = chain.StandingGap
			}
			if why := whyNot(after(t, b, newer, keeps), kept); why != with {
				t.Errorf("block %d after %d, with the way: %v, want %v", height, keeps, why, with)
			}
			if why := whyNot(after(t, b, newer, noWay), kept); why != without {
				t.Errorf("block %d after %d, without: %v, want %v", height, keeps, why, without)
			}
		}
	}
	other := newBallotBox(newGroup(t, chain.Policy{}, "ann", "cat"))
	if why := whyNot(other.standing("cat", 0), genesis); why != chain.StandingGroup {
		t.Errorf("another group: %v", why)
	}
}

// TestStandingTwice: two settled blocks on one height are the proof that more
// voters lied than there may, whichever is kept; so is a block above on the other
// branch, once its way is shown. Until then it is not believed.
func TestStandingTwice(t *testing.T) {
	sides := twoFaces(t)
	one, two := sides[0].standing("ben", 0), sides[1].standing("ben", 0)
	for _, pair := range [][2]*chain.Standing{{one, two}, {two, one}} {
		err := pair[1].Follows(pair[0])
		e, ok := errors.AsType[*chain.TwiceError](err)
		if !ok {
			t.Fatalf("settled twice, and: %v", err)
		}
		ann := []wire.PersonID{sides[0].person("ann").id}
		if !slices.Equal(e.Both, ann) || e.Era != one.Genesis.Hash() || e.Heights != [2]uint64{1, 1} || e.Blocks[0].Block != pair[0].Settled().Hash() || e.Blocks[1].Block != pair[1].Settled().Hash() {
			t.Errorf("%+v", e)
		}
	}
	sides[1].commit("ann", nil, &chain.Rekey{})
	sides[1].commit("ann", nil, &chain.Rekey{})
	sides[1].settle("ann")
	for since, want := range map[uint64]any{noWay: chain.StandingGap, 1: "twice", 0: "twice"} {
		if why := whyNot(sides[1].standing("ben", since), one); why != want {
			t.Errorf("way from %d: %v, want %v", since, why, want)
		}
	}
	if why := whyNot(one, sides[1].standing("ben", 0)); why != "twice" {
		t.Errorf("lower, where what is kept shows its way: %v", why)
	}
	if why := whyNot(one, sides[1].standing("ben", noWay)); why != chain.StandingOlder {
		t.Errorf("lower, where it does not: %v", why)
	}
}

// TestStandingTwiceInEras: voters that were replaced settle a block beyond their
// era, or another end of it.
func TestStandingTwiceInEras(t *testing.T) {
	b, grown := moved(t)
	kept := after(t, b, grown[3], 0)
	forger := newBallotBox(&group{t, chain.NewBlocks(), b.people})
	for _, hash := range b.blocks.Chain()[:3] {
		forger.take(b.blocks.Header(hash), b.blocks.Body(hash))
	}
	b.person("ann").seq[0] = 10
	forger.commit("ann", nil, &chain.Rekey{})
	for height := uint64(3); height < 6; height++ {
		forger.settle("ann")
		if why := whyNot(forger.standing("ben", 0), kept); why != "twice" {
			t.Errorf("ann's own block %d: %v", height, why)
		}
		if why := whyNot(kept, forger.standing("ben", 0)); why != "twice" {
			t.Errorf("seen from ann's own block %d: %v", height, why)
		}
		forger.commit("ann", nil, &chain.Rekey{})
	}
}

// TestStandingBeyondEra: what is kept ends its era, and the voters of that settle
// a block above, whose way leads down to it: they may not.
func TestStandingBeyondEra(t *testing.T) {
	b, grown := moved(t)
	kept, forged, true4 := after(t, b, grown[2], noWay), after(t, b, grown[1], noWay), after(t, b, grown[3], noWay)
	top := b.blocks.Header(grown[3].block)
	vote := b.cast("ann", b.blocks.Genesis(), 9, top.Hash(), chain.Source{Round: 8, Block: top.Hash()})
	forged.Steps[0] = chain.Step{Header: top, Votes: []*chain.Vote{vote}, Voters: true4.Steps[1].Voters}
	forged.Member = true4.Member
	if _, err := forged.Verify(); err != nil {
		t.Fatal(err) // nothing that it holds shows that the era was over
	}
	if why := whyNot(forged, kept); why != "twice" {
		t.Errorf("beyond the end of the era that is kept: %v", why)
	}
	if why := whyNot(kept, forged); why != "twice" {
		t.Errorf("the end of the era, below what is kept: %v", why)
	}
}
