package chain_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"kith/internal/chain"
)

func TestPictures(t *testing.T) {
	for _, c := range allPictures() {
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
		switch r.IntN(4) {
		case 0, 1:
			b.Head()
		case 2:
			b.HeadFrom(b.Genesis())
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
