package chain_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"kith/internal/chain"
)

// pictures are the contests of docs/spec/chain.md. Each is played under many
// salts, so no winner depends on a hash; numbers are the scenarios' there.
var pictures = []struct {
	name    string
	people  string
	picture string
	does    map[string]string
	head    string
}{
	{"no fork", "ann ben", "G -> A -> B", map[string]string{"A": "ann rekeys", "B": "ben rekeys"}, "B"},
	{
		"1 two admins add at once", "ann ben*", "G -> A | G -> B",
		map[string]string{"A": "ann adds dan", "B": "ben adds eve"},
		"A",
	},
	{
		"1 and length does not matter", "ann ben* cat", "G -> A | G -> B -> C -> D",
		map[string]string{"A": "ann adds dan", "B": "ben adds eve", "C": "ben retitles", "D": "cat rekeys"},
		"A",
	},
	{
		"an added title outweighs a senior's Rekey", "ann ben*", "G -> A | G -> B",
		map[string]string{"A": "ann rekeys", "B": "ben retitles"},
		"B",
	},
	{
		"2 mutual removal of two", "ann ben*", "G -> A | G -> B -> C",
		map[string]string{"A": "ann removes ben", "B": "ben removes ann", "C": "ben rekeys"},
		"A",
	},
	{
		"2 mutual removal of three", "ann ben* cat", "G -> A | G -> B -> C",
		map[string]string{"A": "ann removes ben", "B": "ben removes ann", "C": "cat rekeys"},
		"A",
	},
	{
		"2 mutual removal of two juniors of four", "ann ben* cat* dan", "G -> B -> D | G -> C -> E",
		map[string]string{"B": "ben removes cat", "C": "cat removes ben", "D": "dan rekeys", "E": "ann rekeys"},
		"D",
	},
	{
		"2 removal against demotion", "ann ben* cat", "G -> A | G -> B",
		map[string]string{"A": "ann demotes ben", "B": "ben removes ann"},
		"A",
	},
	// Ben is struck by ann, so his removal of cat counts for nothing; cat is
	// struck by nobody whose word counts, so its removal of ann stands.
	{
		"3 a ring of three removals", "ann ben* cat*", "G -> A | G -> B | G -> C",
		map[string]string{"A": "ann removes ben", "B": "ben removes cat", "C": "cat removes ann"},
		"C",
	},
	{
		"3 the ring the other way", "ann ben* cat*", "G -> A | G -> B | G -> C",
		map[string]string{"A": "ann removes cat", "B": "ben removes ann", "C": "cat removes ben"},
		"B",
	},
	{
		"4 a removed junior back-dates", "ann ben* cat", "G -> A -> B -> R | G -> X -> Y -> Z -> W",
		map[string]string{
			"A": "ann rekeys", "B": "cat rekeys", "R": "ann removes ben",
			"X": "ben removes ann", "Y": "ben removes cat", "Z": "ben adds eve", "W": "eve rekeys",
		},
		"R",
	},
	{
		"4 through an ordinary member's block", "ann ben* cat", "G -> A -> R | G -> X -> Y",
		map[string]string{"A": "cat rekeys", "R": "ann removes ben", "X": "cat rekeys", "Y": "ben removes ann"},
		"R",
	},
	{
		"6 accomplices promoted on the side have no power", "ann ben* cat", "G -> A -> R | G -> X -> Y -> Z",
		map[string]string{
			"A": "ann rekeys", "R": "ann removes ben", "X": "ben admits eve, admits fay",
			"Y": "eve removes ann", "Z": "fay removes cat",
		},
		"R",
	},
	{
		"6 nor against work of class 1", "ann ben*", "G -> A | G -> X -> Y",
		map[string]string{"A": "ann retitles", "X": "ben admits eve", "Y": "eve removes ann"},
		"A",
	},
	{
		"10 an ordinary block never undoes admin work", "ann ben*", "G -> A -> B | G -> C -> D",
		map[string]string{"A": "ben rekeys", "B": "ben retitles", "C": "ann rekeys", "D": "ann rekeys"},
		"B",
	},
	{
		"11 remove against remove and add again", "ann ben* cat", "G -> A | G -> B -> C",
		map[string]string{"A": "ann removes cat", "B": "ben removes cat", "C": "ben adds cat"},
		"A",
	},
	{
		"11 the senior adds again", "ann ben* cat", "G -> A | G -> B",
		map[string]string{"A": "ann removes cat, adds cat", "B": "ben removes cat"},
		"A",
	},
	{
		"37 one admin commits from two devices", "zoe ann/2*", "G -> A | G -> B",
		map[string]string{"A": "ann rekeys", "B": "ann/2 rekeys"},
		"A",
	},
	{
		"37 the later device does weightier work", "zoe ann/2*", "G -> A | G -> B",
		map[string]string{"A": "ann rekeys", "B": "ann/2 retitles"},
		"B",
	},
	{
		"members by admission", "ann cat dan", "G -> D | G -> C",
		map[string]string{"D": "dan rekeys", "C": "cat rekeys"},
		"C",
	},
	{
		"an admin before a member who joined earlier", "ann cat dan*", "G -> D | G -> C",
		map[string]string{"D": "dan rekeys", "C": "cat rekeys"},
		"D",
	},
	{
		"who rose earlier is the more senior", "ann ben cat", "G -> P -> Q -> B | Q -> C",
		map[string]string{"P": "ann promotes cat", "Q": "ann promotes ben", "B": "ben retitles", "C": "cat retitles"},
		"C",
	},
	{
		"a role lost and gained again counts anew", "ann ben* cat*", "G -> P -> Q -> B | Q -> C",
		map[string]string{"P": "ann demotes ben", "Q": "ann promotes ben", "B": "ben retitles", "C": "cat retitles"},
		"C",
	},
	// Both of ann's branches strike the other's author: together they would
	// leave nothing, so she contradicts herself and weight and rank decide.
	{
		"an admin who contradicts herself", "ann ben* cat*", "G -> B -> D | G -> C -> E",
		map[string]string{"B": "ben rekeys", "C": "cat rekeys", "D": "ann removes cat", "E": "ann removes ben"},
		"D",
	},
	{
		"and nobody can turn that to use", "ann ben* cat* dan", "G -> B -> D | G -> C -> E | G -> X",
		map[string]string{
			"B": "ben rekeys", "C": "cat rekeys", "D": "ann removes cat", "E": "ann removes ben",
			"X": "dan rekeys",
		},
		"D",
	},
	{
		"a strike inside a losing inner fork counts", "ann ben* cat", "G -> C -> E | C -> R | G -> B",
		map[string]string{"C": "cat rekeys", "E": "ann removes cat", "R": "ann demotes ben", "B": "ben removes cat"},
		"E",
	},
	{
		"a strike leaves what it stands on", "ann ben* cat", "G -> B -> R | G -> C",
		map[string]string{"B": "ben rekeys", "R": "ann removes ben", "C": "cat rekeys"},
		"R",
	},
	// Ben's removal of dan stands under a block that ann has taken out.
	{
		"a dropped branch is not heard", "ann ben* cat* dan* eve fay", "G -> M -> A | G -> C -> E | G -> D",
		map[string]string{
			"M": "fay rekeys", "A": "ann demotes cat", "C": "cat rekeys", "E": "ben removes dan",
			"D": "dan removes eve",
		},
		"D",
	},
	// Ann's first device is stolen; its removals count for nothing.
	{
		"30 what a revoked device signed is void", "zoe ann/2* ben* cat", "G -> A -> R | G -> X -> Y",
		map[string]string{"A": "cat rekeys", "R": "ann/2 revokes ann", "X": "ann removes cat", "Y": "ann removes ben"},
		"R",
	},
	{
		"30 whoever brings the revocation", "zoe ann/2* ben* cat", "G -> A -> R | G -> X -> Y",
		map[string]string{"A": "cat rekeys", "R": "cat revokes ann", "X": "ann removes cat", "Y": "ann removes ben"},
		"R",
	},
	{
		"30 her own branch brings it", "zoe ann/2* ben* cat", "G -> A | G -> X -> Y -> R",
		map[string]string{"A": "cat rekeys", "X": "ann removes cat", "Y": "ann admits eve", "R": "eve revokes ann"},
		"A",
	},
	{
		"37 the owner keeps what her old device had signed", "zoe ann/2* ben* cat", "G -> A -> R | G -> B",
		map[string]string{"A": "ann removes ben", "R": "ann/2 revokes ann", "B": "ben removes cat"},
		"R",
	},
	{
		"37 by any later block", "zoe ann/2* ben* cat", "G -> A -> D -> R | G -> B",
		map[string]string{"A": "ann removes ben", "D": "cat revokes ann", "R": "ann/2 rekeys", "B": "ben removes cat"},
		"R",
	},
	{
		"37 but not with a second stolen device", "zoe ann/2* ben* cat", "G -> X -> Y | G -> A -> R -> S",
		map[string]string{
			"X": "ann removes ben", "Y": "ann/2 revokes ann",
			"A": "cat rekeys", "R": "ben revokes ann", "S": "ben revokes ann/2",
		},
		"S",
	},
	{
		"37 two devices of one owner revoke each other", "zoe ann/2* ben*", "G -> A | G -> B | G -> C",
		map[string]string{"A": "ann revokes ann/2", "B": "ann/2 revokes ann", "C": "ben rekeys"},
		"C",
	},
	// Whoever holds the proof can put it anywhere, dan himself for one: were A out
	// for it, he could undo what others built on it.
	{
		"a revocation undoes nobody else's work", "ann dan/2 eve", "G -> A -> B | G -> X -> R",
		map[string]string{"A": "dan rekeys", "B": "ann retitles", "X": "dan/2 rekeys", "R": "eve revokes dan"},
		"B",
	},
	{
		"nor his own in the open", "ann ben/2* cat", "G -> A -> R -> S | G -> X -> Y",
		map[string]string{"A": "ben removes cat", "R": "ann revokes ben", "S": "ann rekeys", "X": "cat rekeys", "Y": "cat revokes ben"},
		"S",
	},
	// An admin's sibling that removes the author of a poisoned block outweighs it.
	{
		"21 a poisoned block is answered", "ann ben* cat", "G -> A -> D | G -> B",
		map[string]string{"A": "ann retitles", "D": "cat rekeys", "B": "ben removes ann"},
		"B",
	},
}

func TestPictures(t *testing.T) {
	for _, c := range pictures {
		t.Run(c.name, func(t *testing.T) {
			for salt := range 8 {
				f := plant(t, salt, c.people)
				f.grow(c.picture, c.does)
				if got := f.head(); got != c.head {
					t.Fatalf("salt %d: head %s, want %s", salt, got, c.head)
				}
			}
		})
	}
}

// Scenario 4 at every depth: ann removes ben after n blocks, ben forks below.
func TestBackDating(t *testing.T) {
	for n := 1; n <= 10; n++ {
		f := plant(t, n, "ann ben* cat")
		honest, does := "G", map[string]string{"R": "ann removes ben", "X": "ben removes ann", "Y": "ben removes cat"}
		for i := range n {
			name := fmt.Sprint("M", i)
			does[name] = []string{"cat rekeys", "ann retitles", "ben rekeys"}[i%3]
			honest += " -> " + name
		}
		f.grow(honest+" -> R", does)
		for i := range n {
			at := "G"
			if i > 0 {
				at = fmt.Sprint("M", i-1)
			}
			x, y := fmt.Sprint("X", i), fmt.Sprint("Y", i)
			f.grow(at+" -> "+x+" -> "+y, map[string]string{x: does["X"], y: does["Y"]})
		}
		if got := f.head(); got != "R" {
			t.Errorf("%d blocks: head %s", n, got)
		}
	}
}

// Two blocks of one device on one parent: the lower hash, whoever that suits.
func TestEquivocation(t *testing.T) {
	won := map[string]int{}
	for salt := range 32 {
		f := plant(t, salt, "ann")
		f.grow("G -> A | G -> B", map[string]string{"A": "ann rekeys", "B": "ann rekeys"})
		a, b := f.blocks["A"].Hash, f.blocks["B"].Hash
		want := "A"
		if slices.Compare(b[:], a[:]) < 0 {
			want = "B"
		}
		if got := f.head(); got != want {
			t.Fatalf("salt %d: head %s, want %s", salt, got, want)
		}
		won[want]++
	}
	if len(won) != 2 {
		t.Error("the salts do not try both")
	}
}

// verbs that a random member may try; Draft refuses what is against the rules.
var verbs = []string{"rekeys", "rekeys", "retitles", "adds", "admits", "removes", "removes", "promotes", "demotes"}

// wild grows a random tree of at most n blocks. No device signs twice on one
// parent, so that no contest is left to the hash.
func wild(t testing.TB, r *rand.Rand, n, salt int) *tree {
	f := plant(t, salt, "ann ben* cat* dan eve")
	names := []string{"ann", "ben", "cat", "dan", "eve", "fay"}
	used := map[string]bool{}
	for i := range n {
		parent := f.order[r.IntN(len(f.order))]
		who, verb, target := names[r.IntN(len(names))], verbs[r.IntN(len(verbs))], names[r.IntN(len(names))]
		p, at := f.person(who), f.blocks[parent]
		if used[parent+who] {
			continue
		}
		d := chain.DraftParams{Suite: chain.SuiteAES, Parent: at.Hash, Group: f.group, Author: p.member(0), AuthorSeq: 1 << 32, Ops: []chain.Op{f.op(at, verb, target)}}
		if _, _, err := chain.Draft(at.State, d); err != nil {
			continue
		}
		used[parent+who] = true
		f.act(fmt.Sprint("B", i), at, who+" "+verb+" "+target)
	}
	return f
}

const wildTrees = 3000

func TestOrderOfArrival(t *testing.T) {
	forked := 0
	for seed := range uint64(wildTrees) {
		r := rand.New(rand.NewPCG(seed, 1))
		f := wild(t, r, 14, 0)
		want := f.head()
		all := f.all()
		r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		all = append(all, all[r.IntN(len(all))]) // and one of them twice
		if got := f.name(chain.Head(f.blocks["G"].Hash, all)); got != want {
			t.Fatalf("seed %d: head %s, shuffled %s", seed, want, got)
		}
		// The same set through Blocks, in two random orders that respect parents.
		for range 2 {
			b := arrive(t, r, f)
			if got := f.name(b.Head()); got != want {
				t.Fatalf("seed %d: head %s, in Blocks %s", seed, want, got)
			}
			forked = max(forked, len(b.Tips()))
		}
	}
	if forked < 4 {
		t.Error("the trees hardly fork")
	}
}

// arrive puts the blocks of f into a set in a random order, asking for the head
// now and then.
func arrive(t testing.TB, r *rand.Rand, f *tree) *chain.Blocks {
	t.Helper()
	b := chain.NewBlocks()
	for left := f.all(); len(left) > 0; {
		i := r.IntN(len(left))
		x := left[i]
		if !x.Header.IsGenesis() && !b.Has(x.Header.Parent) {
			continue
		}
		if err := b.Add(x.Header, x.Body, x.State); err != nil {
			t.Fatal(err)
		}
		left = slices.Delete(left, i, i+1)
		if r.IntN(2) == 0 {
			b.Head()
		}
	}
	return b
}

// Nothing that can be ground decides between different authors: the same tree
// under other hashes has the same head.
func TestGrindingChangesNothing(t *testing.T) {
	for seed := range uint64(wildTrees / 3) {
		want := wild(t, rand.New(rand.NewPCG(seed, 2)), 14, 0).head()
		for salt := 1; salt <= 3; salt++ {
			if got := wild(t, rand.New(rand.NewPCG(seed, 2)), 14, salt).head(); got != want {
				t.Fatalf("seed %d, salt %d: head %s, want %s", seed, salt, got, want)
			}
		}
	}
}

// What no unstruck admin of the fork point signed never changes the winner
// there: neither quiet descendants nor accomplices.
func TestQuietDescendants(t *testing.T) {
	for seed := range uint64(wildTrees / 3) {
		r := rand.New(rand.NewPCG(seed, 3))
		f := wild(t, r, 10, 0)
		children := childrenOfGenesis(f)
		if len(children) < 2 {
			continue
		}
		before := under(f, children)
		for i := range 6 { // by dan, eve and fay, who are no admins in genesis
			at := f.blocks[f.order[1+r.IntN(len(f.order)-1)]]
			who := []string{"dan", "eve", "fay"}[r.IntN(3)]
			verb, target := verbs[r.IntN(len(verbs))], []string{"ann", "ben", "cat", "gil"}[r.IntN(4)]
			d := chain.DraftParams{Suite: chain.SuiteAES, Parent: at.Hash, Group: f.group, Author: f.person(who).member(0), AuthorSeq: 1 << 32, Ops: []chain.Op{f.op(at, verb, target)}}
			if _, _, err := chain.Draft(at.State, d); err == nil {
				f.act(fmt.Sprint("Q", i), at, who+" "+verb+" "+target)
			}
		}
		if after := under(f, children); after != before {
			t.Fatalf("seed %d: %s won, then %s", seed, before, after)
		}
	}
}

func childrenOfGenesis(f *tree) (names []string) {
	for _, name := range f.order {
		if f.blocks[name].Header.Parent == f.blocks["G"].Hash {
			names = append(names, name)
		}
	}
	return names
}

// under returns which of the children the head descends from.
func under(f *tree, children []string) string {
	at := f.blocks[f.head()]
	for !slices.Contains(children, f.name(at.Hash)) {
		at = f.blocks[f.name(at.Header.Parent)]
	}
	return f.name(at.Hash)
}
