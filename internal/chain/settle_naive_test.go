package chain

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
)

// What follows is settlement written a second time from docs/spec/settlement.md,
// as plainly as can be: every block is tried for everything. It shares nothing
// with the real one but the tree.

type plain struct {
	scene *scene
	votes []*Vote
}

func (p plain) block(v *Vote, source bool) *node {
	if source {
		return p.scene.blocks.by[v.Source.Block]
	}
	return p.scene.blocks.by[v.Block]
}

// from reports whether a is b or an ancestor of b.
func (p plain) from(a, b *node) bool {
	for ; b != nil; b = b.parent {
		if a == b {
			return true
		}
	}
	return false
}

// count returns how many people have a vote in the round that says yes, or two
// votes in it; who is excluded has none.
func (p plain) count(era *node, round uint64, excluded map[byte]bool, yes func(*Vote) bool) int {
	in, agree := map[byte]int{}, map[byte]bool{}
	for _, v := range p.votes {
		who := p.who(v)
		if v.Era == era.Hash && v.Round == round && !excluded[who] {
			in[who]++
			agree[who] = agree[who] || yes(v)
		}
	}
	n, said := 0, false
	for who := range in {
		said = said || agree[who]
		if agree[who] || in[who] > 1 {
			n++
		}
	}
	if !said {
		return 0
	}
	return n
}

func (p plain) who(v *Vote) byte {
	for i := range scenePeople {
		if sceneDevice(i) == v.Device {
			return byte(i)
		}
	}
	panic("nobody's vote")
}

func (p plain) quorum(era *node) int {
	n := len(era.State.electorate)
	f := 0
	if n > 0 {
		f = (n - 1) / 3
	}
	return (n+f)/2 + 1
}

func (p plain) certified(era *node, round uint64, y *node, excluded map[byte]bool) bool {
	return p.count(era, round, excluded, func(v *Vote) bool {
		return p.from(p.block(v, true), y) && p.from(y, p.block(v, false))
	}) >= p.quorum(era)
}

func (p plain) settledIn(era *node, round uint64, y *node, excluded map[byte]bool) bool {
	return p.count(era, round, excluded, func(v *Vote) bool {
		return v.Source.Round+1 == round && p.from(y, p.block(v, true))
	}) >= p.quorum(era)
}

// settled returns every block of the era that votes settle.
func (p plain) settled(era *node, excluded map[byte]bool) (list []*node) {
	for _, name := range p.scene.order {
		for round := uint64(1); round <= 9; round++ {
			if y := p.scene.by[name]; p.from(era, y) && p.settledIn(era, round, y, excluded) {
				list = append(list, y)
				break
			}
		}
	}
	return list
}

// liars returns who signed two votes of the era that do not go together.
func (p plain) liars() map[byte]bool {
	bad := map[byte]bool{}
	for _, a := range p.votes {
		for _, b := range p.votes {
			if a == b || a.Device != b.Device || a.Era != b.Era {
				continue
			}
			x, y := p.block(a, true).State.height, p.block(b, true).State.height
			switch {
			case a.Round == b.Round && a.Hash() != b.Hash(),
				a.Round < b.Round && a.Seq >= b.Seq,
				a.Round < b.Round && a.Source.Round > b.Source.Round,
				a.Round < b.Round && a.Source.Round == b.Source.Round && x > y:
				bad[p.who(a)] = true
			}
		}
	}
	return bad
}

// outcome returns the settled block, whether settlements conflict, and the
// highest certificate of the era.
func (p plain) outcome(era *node) (settled *node, conflict bool, cert Source) {
	var excluded map[byte]bool
	list := p.settled(era, nil)
	if conflict = p.conflict(list); conflict {
		excluded = p.liars()
		list = p.settled(era, excluded)
	}
	settled = era
	for _, name := range p.scene.order { // the highest on one line with all that is settled
		y := p.scene.by[name]
		if !slices.Contains(list, y) {
			continue
		}
		fits := !slices.ContainsFunc(list, func(o *node) bool { return !p.from(o, y) && !p.from(y, o) })
		if fits && y.State.height > settled.State.height {
			settled = y
		}
	}
	cert = Source{0, era.Hash}
	over := uint64(0) // rounds below are over
	if !conflict && settled != era {
		for round := uint64(1); round <= 9; round++ {
			if p.settledIn(era, round, settled, nil) {
				over = round - 1
			}
		}
	}
	for round := max(1, over); round <= 9; round++ {
		var best *node
		for _, name := range p.scene.order {
			y := p.scene.by[name]
			higher := best == nil || y.State.height > best.State.height || y.State.height == best.State.height && compareHashes(y.Hash, best.Hash) < 0
			if p.from(era, y) && p.certified(era, round, y, excluded) && higher {
				best = y
			}
		}
		if best != nil {
			cert = Source{round, best.Hash}
		}
	}
	return settled, conflict, cert
}

func (p plain) conflict(list []*node) bool {
	for _, a := range list {
		for _, b := range list {
			if !p.from(a, b) && !p.from(b, a) {
				return true
			}
		}
	}
	return false
}

// draws returns how often a random test draws; KITH_DRAWS sets another number.
func draws(t testing.TB, usual int) int {
	s := os.Getenv("KITH_DRAWS")
	if s == "" {
		return usual
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// drawVotes draws votes of n people, of whom many lie.
func drawVotes(rng *rand.Rand, s *scene, n int) (list []*Vote) {
	var all []*node
	for _, name := range s.order {
		all = append(all, s.by[name])
	}
	favourite := all[rng.IntN(len(all))]
	for len(list) < 4+rng.IntN(6*n) {
		block := all[rng.IntN(len(all))]
		if rng.IntN(2) == 0 {
			block = favourite
		}
		source := block.at(uint64(rng.IntN(int(block.State.height) + 1)))
		round := uint64(1 + rng.IntN(4))
		from := round - 1
		if rng.IntN(4) == 0 {
			from = uint64(rng.IntN(int(round)))
		}
		if from == 0 {
			source = s.by["G"]
		}
		v := s.vote(fmt.Sprintf("%d votes %s in %d from %s of %d", rng.IntN(n), s.names[block], round, s.names[source], from))
		v.Seq = round + uint64(rng.IntN(8)/7)
		list = append(list, v)
	}
	return list
}

// TestNaiveSettlement compares the two on random sets of votes. At most two votes
// of a person in a round are drawn, which is what is kept of more.
func TestNaiveSettlement(t *testing.T) {
	const usual = 4000
	pictures := []string{"G:%s -> a1 -> a2 -> a3 | a1 -> c2 | G -> b1 -> b2", "G:%s -> a1 -> a2 -> a3 -> a4 | a2 -> c3", "G:%s -> a1 | G -> b1 | G -> c1"}
	settled, conflicts, stopped := 0, 0, 0
	for seed := range uint64(draws(t, usual)) {
		rng := rand.New(rand.NewPCG(seed, 1))
		n := 1 + rng.IntN(6)
		s := play(fmt.Sprintf(pictures[rng.IntN(len(pictures))], "012345"[:n]))
		v := NewVotes(s.blocks)
		v.off = ruleSignature
		v.settle()
		e := v.eras[s.by["G"]]
		p := plain{scene: s}
		for _, vote := range drawVotes(rng, s, n) {
			same := 0
			for _, o := range p.votes {
				if o.Device == vote.Device && o.Round == vote.Round {
					same++
				}
			}
			if same == maxPerRound {
				continue
			}
			b, err := e.ballot(v, vote)
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			if v.put(e, b) {
				p.votes = append(p.votes, vote)
			}
		}
		wantSettled, wantConflict, wantCert := p.outcome(e.start)
		v.settle()
		if len(v.path) > 1 {
			t.Fatal("a second era")
		}
		got := v.Certificate()
		if e.settled != wantSettled || (e.conflict != nil) != wantConflict || got != wantCert {
			t.Fatalf("seed %d: settled %s, conflict %v, certificate %s of %d; the naive one says %s, %v, %s of %d", seed,
				s.names[e.settled], e.conflict != nil, s.name(got.Block), got.Round,
				s.names[wantSettled], wantConflict, s.name(wantCert.Block), wantCert.Round)
		}
		if e.settled != e.start {
			settled++
		}
		if e.conflict != nil {
			conflicts++
			if e.conflict.Stopped {
				stopped++
			}
		}
	}
	t.Logf("%d settled something, %d conflicted, %d of these stopped", settled, conflicts, stopped)
	if settled == 0 || conflicts == 0 {
		t.Error("the draws say too little")
	}
}
