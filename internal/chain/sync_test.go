package chain_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"kith/internal/chain"
	"kith/internal/wire"
)

// part puts a random part of f, closed under parents, into a set.
func part(t *testing.T, r *rand.Rand, f *tree) *chain.Blocks {
	t.Helper()
	b := chain.NewBlocks()
	for i, x := range f.all() {
		if i > 0 && (r.IntN(3) == 0 || !b.Has(x.Header.Parent)) {
			continue
		}
		if err := b.Add(x.Header, x.Body, x.State); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

// give adds to b what a has of the hashes.
func give(t *testing.T, a, b *chain.Blocks, hashes []wire.BlockHash) {
	t.Helper()
	for _, hash := range hashes {
		if b.Has(hash) {
			t.Error("sent twice")
		}
		if err := b.Add(a.Header(hash), a.Body(hash), a.State(hash)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTwoPartsMeet(t *testing.T) {
	for seed := range uint64(500) {
		r := rand.New(rand.NewPCG(seed, 4))
		f := wild(t, r, 20, 0)
		a, b := part(t, r, f), part(t, r, f)
		toB, toA := a.Missing(b.Offer()), b.Missing(a.Offer())
		lacks := slices.DeleteFunc(a.All(), b.Has)
		if len(lacks) > 0 && len(b.Unknown(a.Offer())) == 0 {
			t.Fatalf("seed %d: a's offer does not show that it has more", seed)
		}
		for _, hash := range lacks {
			if !slices.Contains(toB, hash) {
				t.Fatalf("seed %d: %s is not offered", seed, f.name(hash))
			}
		}
		// A tip that we lack does not tell which of our blocks lie below it, so some
		// are sent that they have.
		give(t, a, b, slices.DeleteFunc(toB, b.Has))
		give(t, b, a, slices.DeleteFunc(toA, a.Has))
		if a.Head() != b.Head() || !slices.Equal(a.All(), b.All()) || !slices.Equal(a.Tips(), b.Tips()) || !slices.Equal(a.Chain(), b.Chain()) {
			t.Fatalf("seed %d: sets differ after the exchange", seed)
		}
		if len(a.Missing(b.Offer())) != 0 || len(a.Unknown(b.Offer())) != 0 {
			t.Fatalf("seed %d: something left to send between equals", seed)
		}
	}
}

func TestEmptySet(t *testing.T) {
	f := plant(t, 0, "ann")
	b, full := chain.NewBlocks(), arrive(t, rand.New(rand.NewPCG(1, 1)), f)
	if b.Head() != (wire.BlockHash{}) || b.Genesis() != (wire.BlockHash{}) || b.Chain() != nil || len(b.Offer().Marshal()) != 2 {
		t.Error("an empty set claims something")
	}
	if got := full.Missing(b.Offer()); len(got) != 1 {
		t.Errorf("%d blocks for a set that has none", len(got))
	}
}

// long makes a chain of n blocks on G, with a losing sibling of every 50th
// where forks is set.
func long(t testing.TB, n int, forks bool) *tree {
	f := plant(t, 0, "ann ben")
	last := "G"
	for i := range n {
		name := fmt.Sprint("B", i)
		f.grow(last+" -> "+name, map[string]string{name: "ann retitles"})
		if forks && i%50 == 0 {
			side := fmt.Sprint("S", i)
			f.grow(last+" -> "+side, map[string]string{side: "ben rekeys"})
		}
		last = name
	}
	return f
}

func TestLongChain(t *testing.T) {
	f := long(t, 3000, false)
	full := arriveInOrder(t, f.all())
	o := full.Offer()
	if n := len(o.Tips) + len(o.Locator); n > 20 {
		t.Errorf("%d hashes in the offer", n)
	}
	for _, held := range []int{1, 2, 10, 1000, 2500, 2999} {
		stale := arriveInOrder(t, f.all()[:held])
		if got := len(full.Missing(stale.Offer())); got != 3001-held {
			t.Errorf("who has %d is sent %d", held, got)
		}
	}
	r := rand.New(rand.NewPCG(1, 5))
	for range 2000 {
		i, j := r.IntN(3001), r.IntN(3001)
		if got := full.IsAncestor(f.all()[i].Hash, f.all()[j].Hash); got != (i <= j) {
			t.Fatalf("block %d before %d: %v", i, j, got)
		}
	}
	if full.Head() != f.blocks["B2999"].Hash || len(full.Chain()) != 3001 {
		t.Error("head of a chain without forks")
	}
}

// An offer that branches off below its tip shows by its locator what is common.
func TestLocator(t *testing.T) {
	f := long(t, 1000, false)
	last := "B900"
	does := map[string]string{}
	for i := range 5 {
		name := fmt.Sprint("L", i)
		does[name] = "ann adds " + fmt.Sprint("friend", i)
		f.grow(last+" -> "+name, does)
		last = name
	}
	ours := arriveInOrder(t, f.all()[:1001])
	var theirs []*chain.Block
	for i, b := range f.all() {
		if i <= 901 || i > 1000 {
			theirs = append(theirs, b)
		}
	}
	got := ours.Missing(arriveInOrder(t, theirs).Offer())
	if len(got) < 99 || len(got) > 2*99+8 {
		t.Errorf("%d blocks sent, 99 are lacking", len(got))
	}
}

func arriveInOrder(t testing.TB, list []*chain.Block) *chain.Blocks {
	t.Helper()
	b := chain.NewBlocks()
	for _, x := range list {
		if err := b.Add(x.Header, x.Body, x.State); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

// Whoever holds more tips than an offer has room for is sent some blocks again.
func TestManyTips(t *testing.T) {
	f := long(t, 3000, true)
	full := arriveInOrder(t, f.all())
	if n := len(full.Tips()); n != 61 {
		t.Fatalf("%d tips", n)
	}
	o, err := chain.ParseOffer(full.Offer().Marshal())
	if err != nil || len(o.Tips)+len(o.Locator) > chain.MaxOffer {
		t.Fatalf("offer: %v", err)
	}
	if n := len(full.Missing(o)); n == 0 || n > 61 {
		t.Errorf("%d blocks sent again", n)
	}
	if n := len(full.Unknown(o)); n != 0 {
		t.Errorf("%d hashes of its own offer unknown", n)
	}
}

func TestIsAncestor(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 6))
		f := wild(t, r, 20, 0)
		b := arrive(t, r, f)
		for _, x := range f.all() {
			above := map[wire.BlockHash]bool{}
			for at := x; at != nil; at = f.blocks[f.name(at.Header.Parent)] {
				above[at.Hash] = true
			}
			for _, y := range f.all() {
				if b.IsAncestor(y.Hash, x.Hash) != above[y.Hash] {
					t.Fatalf("seed %d: %s before %s is not %v", seed, f.name(y.Hash), f.name(x.Hash), above[y.Hash])
				}
			}
			for _, child := range b.Children(x.Hash) {
				if b.Header(child).Parent != x.Hash {
					t.Fatal("a child of another block")
				}
			}
		}
		if b.IsAncestor(wire.BlockHash{1}, b.Head()) || b.IsAncestor(b.Genesis(), wire.BlockHash{1}) {
			t.Fatal("a block not held has a place")
		}
	}
}

func TestAddRefuses(t *testing.T) {
	f := plant(t, 0, "ann ben*")
	f.grow("G -> A -> B | G -> C", map[string]string{"A": "ann retitles", "B": "ben removes ann", "C": "ben removes ann"})
	b := chain.NewBlocks()
	g, a, x := f.blocks["G"], f.blocks["A"], f.blocks["B"]
	if err := b.Add(a.Header, nil, a.State); err == nil {
		t.Error("a block without its genesis")
	}
	if err := b.Add(g.Header, nil, nil); err == nil {
		t.Error("a block without a state")
	}
	if err := b.Add(g.Header, nil, g.State); err != nil {
		t.Fatal(err)
	}
	if err := b.Add(x.Header, nil, x.State); err == nil {
		t.Error("a block without its parent")
	}
	if err := b.Add(a.Header, nil, x.State); err == nil {
		t.Error("a block with another's state")
	}
	if err := b.Add(a.Header, nil, f.blocks["C"].State); err == nil {
		t.Error("a block with the state of another as high")
	}
	if b.Len() != 1 {
		t.Errorf("%d blocks after refusals", b.Len())
	}
}

func BenchmarkHead(b *testing.B) {
	f := long(b, 1000, true)
	all := f.all()
	for b.Loop() {
		chain.Head(all[0].Hash, all)
	}
}
