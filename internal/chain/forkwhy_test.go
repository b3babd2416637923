package chain_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"kith/internal/chain"
	"kith/internal/wire"
)

// held returns the blocks of a tree as a set.
func (f *tree) held() *chain.Blocks {
	f.t.Helper()
	b := chain.NewBlocks()
	for _, x := range f.all() {
		if err := b.Add(x.Header, nil, x.State); err != nil {
			f.t.Fatal(err)
		}
	}
	return b
}

var whyText = map[chain.Why]string{
	chain.WhySettled: "settled", chain.WhyStruck: "struck", chain.WhyWeight: "outweighed", chain.WhyRevoked: "revoked",
	chain.WhySenior: "junior", chain.WhyDevice: "later device", chain.WhyTwice: "signed twice", chain.WhyCarried: "carried",
}

// why says why the block of that name lost against next.
func (f *tree) why(b *chain.Blocks, next, lost string) string {
	l, ok := b.Losses(f.blocks[next].Hash)[f.blocks[lost].Hash]
	if !ok {
		return "did not lose"
	}
	if l.Lost != f.blocks[lost].Hash || l.Won != f.blocks[next].Hash || l.Fork != f.blocks[lost].Header.Parent {
		return fmt.Sprintf("wrong blocks: %+v", l)
	}
	text := whyText[l.Why]
	if l.By != (wire.BlockHash{}) {
		text += " by " + f.name(l.By)
	}
	if l.Mutual != (wire.BlockHash{}) {
		text += ", answered by " + f.name(l.Mutual)
	}
	return text
}

func TestLosses(t *testing.T) {
	for _, c := range []struct {
		people, picture  string
		does             map[string]string
		next, lost, want string
	}{
		{"ann ben*", "G -> A | G -> B", map[string]string{"A": "ann removes ben", "B": "ben removes ann"}, "A", "B", "struck by A, answered by B"},
		{"ann ben* cat", "G -> A | G -> B -> C", map[string]string{"A": "ann demotes ben", "B": "ben adds dan", "C": "ben removes ann"}, "A", "B", "struck by A, answered by C"},
		{"ann ben* cat", "G -> A | G -> B", map[string]string{"A": "ann removes ben", "B": "ben removes cat"}, "A", "B", "struck by A"},
		// Of a ring of three the strike of a branch that lost itself is told where it is the one that decided.
		{
			"ann ben* cat*", "G -> A | G -> B | G -> C",
			map[string]string{"A": "ann removes ben", "B": "ben removes cat", "C": "cat removes ann"},
			"C", "B", "struck by A",
		},
		{
			"ann ben* cat*", "G -> A | G -> B | G -> C",
			map[string]string{"A": "ann removes ben", "B": "ben removes cat", "C": "cat removes ann"},
			"C", "A", "struck by C",
		},
		{"ann ben*", "G -> A | G -> B", map[string]string{"A": "ann rekeys", "B": "ben retitles"}, "B", "A", "outweighed by B"},
		{
			"ann ben* cat", "G -> A -> R | G -> X -> Y",
			map[string]string{"A": "cat rekeys", "R": "ann removes ben", "X": "cat rekeys", "Y": "ben removes ann"},
			"A", "X", "outweighed by R",
		},
		{"ann ben*", "G -> A | G -> B", map[string]string{"A": "ann adds dan", "B": "ben adds eve"}, "A", "B", "junior"},
		{"zoe ann/2*", "G -> A | G -> B", map[string]string{"A": "ann adds dan", "B": "ann/2 adds eve"}, "A", "B", "later device"},
		{"ann ben/2 cat", "G -> A -> R | G -> X", map[string]string{"A": "cat rekeys", "R": "cat revokes ben", "X": "ben rekeys"}, "A", "X", "revoked"},
	} {
		for salt := range 8 {
			f := plant(t, salt, c.people)
			f.grow(c.picture, c.does)
			if got := f.why(f.held(), c.next, c.lost); got != c.want {
				t.Errorf("%s, %v: %s lost to %s: %s, want %s", c.picture, c.does, c.lost, c.next, got, c.want)
				break
			}
		}
	}
}

// Two blocks of one device differ by nothing but their hashes.
func TestLossOfATwin(t *testing.T) {
	f := plant(t, 0, "ann ben")
	f.grow("G -> A | G -> B", map[string]string{"A": "ann adds dan", "B": "ann adds eve"})
	next, lost := f.head(), "A"
	if next == "A" {
		lost = "B"
	}
	if got := f.why(f.held(), next, lost); got != "signed twice" {
		t.Errorf("%s lost to %s: %s", lost, next, got)
	}
	if got := f.why(f.held(), lost, next); got != "settled" {
		t.Errorf("if %s counts though the contest chose %s, because it is settled: %s", lost, next, got)
	}
	if got := f.held().Losses(f.blocks["G"].Hash); got != nil {
		t.Errorf("genesis won against %v", got)
	}
}

// TestEveryContestIsExplained: on random trees each sibling of a block of the
// chain lost, for a reason that names the block behind it where there is one.
func TestEveryContestIsExplained(t *testing.T) {
	for seed := range uint64(300) {
		f := wild(t, rand.New(rand.NewPCG(seed, 11)), 12, 0)
		b := f.held()
		for _, hash := range b.Chain()[1:] {
			siblings := b.Children(b.Header(hash).Parent)
			losses := b.Losses(hash)
			if len(losses) != len(siblings)-1 {
				t.Fatalf("seed %d: %d of %d siblings lost", seed, len(losses), len(siblings)-1)
			}
			for lost, l := range losses {
				by := l.By != wire.BlockHash{}
				if !slices.Contains(siblings, lost) || l.Why == chain.WhySettled || by != (l.Why == chain.WhyStruck || l.Why == chain.WhyWeight) {
					t.Errorf("seed %d: %s lost: %s by %s", seed, f.name(lost), whyText[l.Why], f.name(l.By))
				}
			}
		}
	}
}
