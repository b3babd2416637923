package chain_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"kith/internal/chain"
	"kith/internal/wire"
)

// Scenario 8: however many variants a device signs, two are kept, by hash.
func TestSurplus(t *testing.T) {
	f := plant(t, 0, "ann ben* cat")
	does := map[string]string{"A": "ann retitles"}
	picture := "G -> A"
	var variants []wire.BlockHash
	for i := range 50 {
		name := fmt.Sprint("V", i)
		picture, does[name] = picture+" | G -> "+name, "ben rekeys"
	}
	f.grow(picture, does)
	for name, b := range f.blocks {
		if strings.HasPrefix(name, "V") {
			variants = append(variants, b.Hash)
		}
	}
	slices.SortFunc(variants, compareHashes)
	got := chain.Surplus(f.blocks["G"].Hash, f.all())
	slices.SortFunc(got, compareHashes)
	if !slices.Equal(got, variants[2:]) {
		t.Errorf("%d are surplus, want the %d with the higher hashes", len(got), len(variants)-2)
	}
	// Somebody else builds on the highest of them, and it stays.
	last := f.name(variants[49])
	f.grow("G -> "+last+" -> C", map[string]string{"C": "cat rekeys"})
	if got := chain.Surplus(f.blocks["G"].Hash, f.all()); len(got) != 47 || slices.Contains(got, variants[49]) {
		t.Errorf("%d are surplus with one built on", len(got))
	}
	// Below the root, what leads to it stays whatever its hash.
	if got := chain.Surplus(variants[48], f.all()); slices.Contains(got, variants[48]) {
		t.Error("the root is surplus")
	}
}

func compareHashes(a, b wire.BlockHash) int { return slices.Compare(a[:], b[:]) }

// I16: whoever drops what is surplus now and then keeps what keeps who never
// does, in whatever order the blocks come; what they do not hold is sent again.
func TestSurplusInAnyOrder(t *testing.T) {
	d := newDraw(t, "ann ben* cat*")
	d.strangers("fay", "gil")
	dropped := 0
	for seed := range uint64(draws(600)) {
		r := rand.New(rand.NewPCG(seed, 11))
		d.reset()
		for len(d.blocks) < 25 {
			d.step(r, 1)
			if r.IntN(3) == 0 { // and a variant of the newest
				last := d.blocks[len(d.blocks)-1]
				if last.Hash != d.root.Hash {
					d.blocks = append(d.blocks, last.Rehash(last.Header.Parent, number(seed<<8+uint64(len(d.blocks)))))
					d.lines = append(d.lines, "a variant of it")
				}
			}
		}
		surplus := chain.Surplus(d.root.Hash, d.blocks)
		want := slices.DeleteFunc(slices.Clone(d.blocks), func(b *chain.Block) bool { return slices.Contains(surplus, b.Hash) })
		dropped += len(surplus)
		for range 2 {
			held := d.shedding(t, r)
			if held.Len() != len(want) {
				t.Fatalf("seed %d: %d kept, want %d\n%s", seed, held.Len(), len(want), d)
			}
			for _, b := range want {
				if !held.Has(b.Hash) {
					t.Fatalf("seed %d: %d is not kept\n%s", seed, d.name(b.Hash), d)
				}
			}
			if got := held.Head(); got != chain.Head(d.root.Hash, want) {
				t.Fatalf("seed %d: head %d of what is kept\n%s", seed, d.name(got), d)
			}
		}
	}
	if dropped < 1000 {
		t.Errorf("only %d blocks were surplus", dropped)
	}
}

// shedding feeds the blocks one by one with all that each stands on, and drops
// what is surplus now and then.
func (d *draw) shedding(t *testing.T, r *rand.Rand) *chain.Blocks {
	t.Helper()
	held := chain.NewBlocks()
	held.Insert(d.root)
	for _, i := range r.Perm(len(d.blocks)) {
		var missing []*chain.Block
		for b := d.blocks[i]; !held.Has(b.Hash); b = d.blocks[d.name(b.Header.Parent)] {
			missing = append(missing, b)
		}
		for _, b := range slices.Backward(missing) {
			held.Insert(b)
		}
		if r.IntN(2) == 0 {
			held.Shed(d.root.Hash)
			if again := held.Shed(d.root.Hash); again != nil {
				t.Fatalf("%d are surplus at once again", len(again))
			}
		}
		if r.IntN(2) == 0 {
			held.Head()
		}
	}
	held.Shed(d.root.Hash)
	return held
}

func TestDoubles(t *testing.T) {
	f := plant(t, 0, "ann/2 ben* cat/2")
	f.grow("G -> A -> B | G -> C | G -> D | G -> E -> F", map[string]string{
		"A": "ann rekeys", "B": "ben rekeys", "C": "ann retitles", // twice on G
		"D": "cat/2 rekeys", "E": "cat rekeys", "F": "ben retitles", // two devices; two parents
	})
	f.blocks["F"].Header.AuthorSeq = f.blocks["B"].Header.AuthorSeq // twice one number
	var got []string
	for _, pair := range chain.Doubles(append(f.all(), f.blocks["A"])) {
		names := []string{f.name(pair[0]), f.name(pair[1])}
		if compareHashes(pair[0], pair[1]) >= 0 {
			t.Error("the pair is not in order")
		}
		slices.Sort(names)
		got = append(got, strings.Join(names, ""))
	}
	slices.Sort(got)
	if want := []string{"AC", "BF"}; !slices.Equal(got, want) {
		t.Errorf("doubles %v, want %v", got, want)
	}
	if chain.Doubles(f.all()[:3]) != nil {
		t.Error("an honest chain has doubles")
	}
}

// Whoever names a block in a vote that nobody signed does not keep it from going.
func TestShedBlocksGo(t *testing.T) {
	g := newGroup(t, chain.Policy{}, "ann", "ben*")
	votes, genesis := chain.NewVotes(g.blocks), g.blocks.Genesis()
	for i := range 5 {
		h, body := g.draft(g.blocks.State(genesis), genesis, g.person("ben"), nil, &chain.SetInfo{Info: wire.Digest{byte(i + 1)}})
		g.take(h, body)
		if _, err := votes.Add(&chain.Vote{Group: wire.GroupID(genesis), Era: h.Hash()}); err == nil {
			t.Fatal("a vote that nobody signed was taken")
		}
	}
	var held []func() bool
	for _, hash := range g.blocks.Children(genesis) {
		p := g.blocks.Held(hash)
		held = append(held, func() bool { return p.Value() != nil })
	}
	g.blocks.Shed(genesis)
	runtime.GC()
	kept := 0
	for _, still := range held {
		if still() {
			kept++
		}
	}
	if kept != chain.MaxSiblings {
		t.Errorf("%d blocks are kept, want %d", kept, chain.MaxSiblings)
	}
	runtime.KeepAlive(votes)
	runtime.KeepAlive(g)
}

// A Carry cites up to 1,024 headers: a set reads them once, not at every fork.
func TestCarryIsReadOnce(t *testing.T) {
	f := plant(t, 0, "ann ben* cat* dan eve")
	f.grow("G -> B | G -> A -> C | A -> X", map[string]string{
		"A": "ann removes eve", "B": "ben removes cat", "C": "dan carries B", "X": "cat removes dan",
	})
	held := chain.NewBlocks()
	for _, name := range []string{"G", "A", "C"} {
		held.Insert(f.blocks[name])
	}
	f.blocks["C"].Body.Attachments[0] = nil
	held.Insert(f.blocks["B"])
	held.Insert(f.blocks["X"])
	if got := f.name(held.Head()); got != "C" {
		t.Errorf("head %s, want C", got)
	}
}

// Two signatures of one content are no lie, and hide none: of ann's two blocks
// the one has many.
func TestDoublesDifferInContent(t *testing.T) {
	f := plant(t, 0, "ann ben*")
	f.grow("G -> A | G -> B", map[string]string{"A": "ann rekeys", "B": "ben rekeys"})
	again := func(name string, n byte) *chain.Block {
		h := *f.blocks[name].Header
		h.Signature[0] = n
		return &chain.Block{Hash: h.Hash(), Header: &h, State: f.blocks[name].State}
	}
	blocks := f.all()
	for n := range byte(20) {
		blocks = append(blocks, again("A", n))
	}
	if pairs := chain.Doubles(blocks); len(pairs) > 0 {
		t.Fatalf("%d pairs of one content", len(pairs))
	}
	f.grow("G -> C", map[string]string{"C": "ann retitles"})
	pairs := chain.Doubles(append(blocks, f.blocks["C"]))
	if len(pairs) != 1 || !slices.Contains(pairs[0][:], f.blocks["C"].Hash) {
		t.Errorf("%d pairs, want one with C", len(pairs))
	}
}
