package chain_test

import (
	"errors"
	"testing"

	"kith/internal/chain"
	"kith/internal/wire"
)

// Scenarios in which votes decide. E names the voters, and its era begins there.

// elected is a group whose voters are named by E, which is settled.
func elected(t *testing.T, people, voters string) *poll {
	t.Helper()
	f := plant(t, 0, people)
	f.grow("G -> E", map[string]string{"E": "ann elects " + voters})
	return f.poll()
}

// TestScenario05RemovedSenior: ann, the most senior, is removed in R, and forks
// below it. Unsettled, seniority decides for her; settled, nothing does.
//
//	G -> E -> R -> M | E -> X
func TestScenario05RemovedSenior(t *testing.T) {
	p := elected(t, "ann ben* cat dan", "ben cat dan")
	p.grow("E -> R -> M | E -> X", map[string]string{"R": "ben removes ann", "M": "cat rekeys", "X": "ann removes ben"})
	before := p.side("M")
	before.vote("ann") // E is for its old voter to settle
	before.stands("E", "M")
	after := p.side("M")
	after.hear(before)
	before.learn("X")
	before.stands("E", "X")
	after.vote("ben", "cat")
	after.stands("M", "M")
	after.learn("X")
	after.stands("M", "M")
	before.hear(after)
	before.stands("M", "M")
}

// TestScenario13DifferentBlocks: ann signs A and shows it to half of the group,
// and B to the other half. No half can settle alone, even with her vote for both.
//
//	E -> A -> C | E -> B -> D
func TestScenario13DifferentBlocks(t *testing.T) {
	p := elected(t, "ann ben* cat dan eve", "ann ben cat dan eve")
	p.grow("E -> A -> C | E -> B -> D", map[string]string{"A": "ann retitles", "B": "ann admits fay", "C": "ben rekeys", "D": "dan rekeys"})
	start := p.side("E")
	start.vote("ann")
	left, right := p.side("C"), p.side("D")
	left.hear(start)
	right.hear(start)
	left.stands("E", "C")
	right.stands("E", "D")
	left.vote("ann", "ben", "cat")
	delete(p.last, "ann") // she lies
	right.vote("ann", "dan", "eve")
	left.stands("E", "C")
	right.stands("E", "D")

	left.hear(right)
	right.hear(left)
	head := left.name(left.votes.Head())
	right.stands("E", head)
	if e := left.votes.Evidence(); len(e) != 1 || e[0].Device() != p.person("ann").device(0) {
		t.Errorf("evidence %v", e)
	}
	if d := chain.Doubles(p.all()); len(d) != 1 || p.tree.blocks[p.name(d[0][0])].Header.Author != p.person("ann").member(0) {
		t.Errorf("doubles %v", d)
	}
	if rounds := left.vote("ben", "cat", "dan", "eve"); rounds > 5 {
		t.Errorf("%d rounds", rounds)
	}
	left.stands(head, head)
	right.hear(left)
	right.stands(head, head)
}

// TestScenario16ElectorateContested: F hands the vote to eve, fay and gil. Before it
// is settled the new voters have nothing to say; ben, one of the old ones, contests
// it with a vote for both sides, and dan, who has not seen it, with an honest one.
// Settled, it is past contesting.
//
//	G -> E -> F -> N | E -> X -> Y
func TestScenario16ElectorateContested(t *testing.T) {
	p := elected(t, "ann ben* cat* dan eve fay gil", "ann ben cat dan")
	p.grow("E -> F -> N | E -> X -> Y", map[string]string{
		"F": "ann elects eve fay gil", "N": "eve rekeys", "X": "ben retitles", "Y": "cat rekeys",
	})
	start := p.side("E")
	start.vote("ann")
	s, apart := p.side("N"), p.side("Y")
	s.hear(start)
	s.stands("E", "N")
	apart.hear(start)
	apart.stands("E", "Y")
	apart.vote("ben", "dan")
	delete(p.last, "ben") // he lies

	var early *chain.EarlyError
	if _, err := s.votes.Add(s.inEra("eve", "F", "N", 1, 0)); !errors.As(err, &early) {
		t.Errorf("a voter of an era that is not settled: %v", err)
	}
	s.vote("eve", "fay", "gil")
	s.stands("E", "N")
	s.vote("ann", "ben", "cat")
	s.hear(apart)
	s.vote("ann", "cat", "dan")
	s.stands("F", "N")
	s.vote("eve", "fay")
	s.stands("N", "N")

	// Whatever one of four goes on to sign of the era that is over.
	for round := uint64(2); round < 60; round++ {
		_, _ = s.votes.Add(s.inEra("ben", "E", "Y", round, round-1))
	}
	s.stands("N", "N")
	if s.votes.Conflict() != nil || s.votes.IsSettled(p.blocks["X"].Hash) {
		t.Error("the other side counts")
	}
	apart.hear(s)
	apart.stands("N", "N")
}

// inEra returns a vote of an era for a block, from the same block in a round before
// or from the era's start in round 0.
func (s *side) inEra(name, era, block string, round, from uint64) *chain.Vote {
	source := era
	if from > 0 {
		source = block
	}
	v := &chain.Vote{
		Group: s.group, Device: s.person(name).device(0), Seq: 100 + round, Era: s.tree.blocks[era].Hash, Round: round,
		Block: s.tree.blocks[block].Hash, Source: chain.Source{Round: from, Block: s.tree.blocks[source].Hash},
	}
	s.sign(name, v)
	return v
}

// TestScenario17HalfAndHalf: two and two for thirty days, each side with admin work
// and a removal. Neither settles; healed, both have one head, which settles, and the
// removal that lost is pending.
//
//	E -> A1 -> A2 -> A3 | E -> B1 -> B2
func TestScenario17HalfAndHalf(t *testing.T) {
	p := elected(t, "ann ben* cat dan eve fay", "ann ben cat dan")
	p.grow("E -> A1 -> A2 -> A3 | E -> B1 -> B2", map[string]string{
		"A1": "ann retitles", "A2": "ann removes eve", "A3": "cat rekeys", "B1": "ben retitles", "B2": "ben removes fay",
	})
	start := p.side("E")
	start.vote("ann")
	left, right := p.side("A3"), p.side("B2")
	left.hear(start)
	right.hear(start)
	for range 30 { // days
		left.vote("ann", "cat")
		right.vote("ben", "dan")
	}
	left.stands("E", "A3")
	right.stands("E", "B2")
	left.hear(right)
	right.hear(left)
	right.stands("E", "A3")
	if rounds := left.vote("ann", "ben", "cat", "dan"); rounds > 5 {
		t.Errorf("%d rounds to settle", rounds)
	}
	left.stands("A3", "A3")
	right.hear(left)
	right.stands("A3", "A3")
	if got := p.pending("E"); len(got) != 1 || got[0] != "B2 fay" {
		t.Errorf("pending %q", got)
	}
}

// TestScenario18StaleChain: a newcomer is shown the chain as it was, with the
// settlement of then, or the fork of somebody who was removed since.
//
//	G -> E -> A -> R -> C | A -> X
func TestScenario18StaleChain(t *testing.T) {
	p := elected(t, "ann ben* cat dan", "ann cat dan")
	p.grow("E -> A -> R -> C | A -> X", map[string]string{
		"A": "ann retitles", "R": "ann removes ben", "C": "cat rekeys", "X": "ben adds eve",
	})
	stale := p.side("A")
	stale.vote("ann", "cat", "dan")
	stale.stands("A", "A")
	now := p.side("C")
	now.hear(stale)
	now.vote("ann", "cat", "dan")
	now.stands("C", "C")

	newcomer := p.side("X") // as ben shows it
	for _, w := range stale.votes.Settlement() {
		if _, err := newcomer.votes.AddWarrant(w); err != nil {
			t.Fatal(err)
		}
	}
	newcomer.stands("A", "X")
	newcomer.hear(now)
	newcomer.stands("C", "C")
	if newcomer.blocks.State(newcomer.votes.Head()).Belongs(p.person("eve").device(0)) {
		t.Error("who was added by somebody removed is in")
	}
	// The old settlement, shown again, takes nothing back; the new one needs the
	// blocks it is about.
	for _, w := range stale.votes.Settlement() {
		_, _ = newcomer.votes.AddWarrant(w)
	}
	newcomer.stands("C", "C")
	if _, err := now.votes.Settlement().Verify(stale.blocks); err == nil {
		t.Error("a settlement of blocks that are not there")
	}
}

// TestScenario19Withheld: a block, its parent, its body or a certificate is kept
// back. Each is asked for by name, and nothing is decided without it.
//
//	G -> E -> A -> B
func TestScenario19Withheld(t *testing.T) {
	p := elected(t, "ann ben* cat", "ann ben cat")
	p.grow("E -> A -> B", map[string]string{"A": "ann retitles", "B": "ben rekeys"})
	whole := p.side("B")
	whole.vote("ann", "ben", "cat")
	whole.stands("B", "B")

	part := p.side("G")
	var missing *chain.MissingError
	b := p.blocks["B"]
	if err := part.blocks.Add(b.Header, b.Body, b.State); !errors.As(err, &missing) || missing.Parent != b.Header.Parent {
		t.Errorf("a block without its parent: %v", err)
	}
	for _, v := range whole.votes.All() {
		if v.Block == p.blocks["B"].Hash {
			if _, err := part.votes.Add(v); !errors.As(err, &missing) {
				t.Errorf("a vote without its blocks: %v", err)
			}
		}
	}
	part.stands("G", "G")

	// A voter that has followed a certificate and no longer holds it fetches it
	// before it votes.
	part = p.side("B")
	for _, v := range whole.votes.All() {
		if v.Era == p.blocks["G"].Hash {
			_, err := part.votes.Add(v)
			must(t, err)
		}
	}
	p.grow("B -> C", map[string]string{"C": "cat rekeys"})
	part.learn("C")
	d := &chain.Voter{Device: p.person("ben").device(0), Last: p.last["ben"]}
	for _, v := range []*chain.Vote{p.last["ben"], whole.inEra("cat", "E", "A", p.last["ben"].Round, 0)} { // her round is over
		_, err := part.votes.Add(v)
		must(t, err)
	}
	d.Decide(part.votes, 0)
	got := d.Decide(part.votes, 2*chain.MaxDwell)
	if got.Fetch == nil || *got.Fetch != p.last["ben"].Source || got.Vote != nil {
		t.Errorf("without the certificate it voted for: %+v", got)
	}

	// A body that is not the one of the header, or none.
	g := newGroup(t, chain.Policy{}, "ann", "ben*")
	h, body := g.draft(g.state(), g.blocks.Head(), g.person("ann"), nil, &chain.Rekey{})
	for name, other := range map[string]*chain.Body{"another body": bodyOf(false, []byte("x")), "no body": {}} {
		if _, err := g.blocks.Check(h, other); err == nil {
			t.Errorf("%s passes", name)
		}
	}
	if _, err := g.blocks.Check(h, body); err != nil {
		t.Error(err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestScenario39HiddenBranch: ann, the most senior, works on a branch of her own,
// and shows it when the others have settled.
//
//	E -> A -> B | E -> X -> Y -> Z
func TestScenario39HiddenBranch(t *testing.T) {
	p := elected(t, "ann ben* cat dan", "ben cat dan")
	p.grow("E -> A -> B | E -> X -> Y -> Z", map[string]string{
		"A": "ben retitles", "B": "cat rekeys", "X": "ann removes ben", "Y": "ann removes cat", "Z": "ann elects ann",
	})
	s := p.side("E")
	s.vote("ann")
	s.learn("B")
	unsettled := p.side("Z")
	unsettled.hear(s)
	unsettled.stands("E", "Z")
	s.vote("ben", "dan")
	s.stands("B", "B")
	s.learn("Z")
	s.stands("B", "B")
	// Her vote in an era that begins on her branch is never heard.
	var early *chain.EarlyError
	if _, err := s.votes.Add(s.inEra("ann", "Z", "Z", 1, 0)); !errors.As(err, &early) {
		t.Errorf("a vote of a hidden era: %v", err)
	}
	s.stands("B", "B")
	unsettled.hear(s)
	unsettled.stands("B", "B")
	if l := s.blocks.Losses(s.tree.blocks["A"].Hash)[s.tree.blocks["X"].Hash]; l.Lost == (wire.BlockHash{}) {
		t.Error("the hidden branch is not told as lost")
	}
}
