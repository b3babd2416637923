package chain_test

import (
	"crypto/sha256"
	"encoding/binary"
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

// However many signatures of one content a device makes, another content keeps
// its place: the two show that it lies.
func TestVariantsCostNoSeat(t *testing.T) {
	for salt := range 8 {
		f := plant(t, salt, "ann ben*")
		f.grow("G -> A | G -> B | G -> C", map[string]string{"A": "ben rekeys", "B": "ben retitles", "C": "ben adds dan"})
		blocks := f.all()
		for n := range byte(50) {
			for _, name := range []string{"A", "B", "C"} {
				blocks = append(blocks, f.signedAgain(name, n))
			}
		}
		surplus := chain.Surplus(f.blocks["G"].Hash, blocks)
		kept := slices.DeleteFunc(slices.Clone(blocks), func(b *chain.Block) bool { return slices.Contains(surplus, b.Hash) })
		if len(kept) != 1+chain.MaxSiblings || kept[1].Header.AuthorSeq == kept[2].Header.AuthorSeq {
			t.Errorf("salt %d: %d are kept, or two of one content", salt, len(kept))
		}
	}
}

// signedAgain returns another signature of what a block says.
func (f *tree) signedAgain(name string, n byte) *chain.Block {
	h := *f.blocks[name].Header
	h.Signature[0], h.Signature[1] = n, 1
	return &chain.Block{Hash: h.Hash(), Header: &h, State: f.blocks[name].State}
}

// newDevice is a device of p's that lets itself in on parent.
func (p *person) newDevice(parent *chain.Block, key [32]byte) *chain.Block {
	m, _ := parent.State.Person(p.id)
	entry := chain.DeviceEntry{Key: key}
	op := &chain.AddDevice{Person: p.id, Instance: m.Instance, PersonHead: p.head(), Device: entry, Cites: make([]wire.Digest, 2)}
	return chain.Light(parent, wire.BlockHash(sha256.Sum256(append(parent.Hash[:], key[:]...))), wire.Member{Person: p.id, Device: entry.ID()}, op)
}

// I16: a person brings as many devices as it likes. Those that the root does not
// know share a bound; the others, and other people, keep what is theirs.
func TestNewDevicesShareSeats(t *testing.T) {
	f := plant(t, 0, "zoe ann/2 ben")
	f.grow("G -> A | G -> B | G -> C", map[string]string{"A": "ann rekeys", "B": "ann/2 rekeys", "C": "ben rekeys"})
	blocks := f.all()
	for i := range 100 {
		blocks = append(blocks, f.person("ann").newDevice(f.blocks["G"], sha256.Sum256([]byte{byte(i)})))
	}
	surplus := chain.Surplus(f.blocks["G"].Hash, blocks)
	if len(surplus) != 100-chain.MaxNewSiblings {
		t.Errorf("%d of 100 devices are dropped", len(surplus))
	}
	for _, name := range []string{"A", "B", "C"} {
		if slices.Contains(surplus, f.blocks[name].Hash) {
			t.Errorf("%s is dropped", name)
		}
	}
	// What the root knows has a place of its own.
	after := blocks[len(blocks)-1]
	rekey := chain.Light(after, wire.BlockHash{0xff}, after.Header.Author, &chain.Rekey{})
	blocks = append(blocks, rekey)
	for i := range 100 {
		blocks = append(blocks, f.person("ann").newDevice(after, sha256.Sum256([]byte{byte(i), 1})))
	}
	if surplus := chain.Surplus(after.Hash, blocks); slices.Contains(surplus, rekey.Hash) {
		t.Error("the block of a device that the root knows is dropped")
	}
}

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
		if seed%4 == 0 {
			d.crowd(r)
		}
		surplus := chain.Surplus(d.root.Hash, d.blocks)
		want := slices.DeleteFunc(slices.Clone(d.blocks), func(b *chain.Block) bool { return slices.Contains(surplus, b.Hash) })
		dropped += len(surplus)
		d.compareSurplus(t, r)
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

// compareSurplus looks at all blocks at once, and at those of crowded heights alone.
func (d *draw) compareSurplus(t *testing.T, r *rand.Rand) {
	t.Helper()
	held := chain.NewBlocks()
	for _, b := range d.blocks {
		held.Insert(b)
	}
	for range 4 {
		root := d.blocks[r.IntN(len(d.blocks))].Hash
		want, got := chain.Surplus(root, d.blocks), held.SurplusAbove(root)
		slices.SortFunc(want, compareHashes)
		slices.SortFunc(got, compareHashes)
		if !slices.Equal(got, want) {
			t.Fatalf("%d are surplus above %d, want %d\n%s", len(got), d.name(root), len(want), d)
		}
	}
}

// crowd adds more devices of one person than have a place, some of which sign
// twice or thrice, or are built on.
func (d *draw) crowd(r *rand.Rand) {
	who, parent := d.people[r.IntN(3)], d.blocks[r.IntN(len(d.blocks))]
	for range chain.MaxNewSiblings {
		var key [32]byte
		binary.BigEndian.PutUint64(key[:], r.Uint64())
		b := who.newDevice(parent, key)
		if b == nil {
			return
		}
		d.blocks, d.lines = append(d.blocks, b), append(d.lines, "a new device of "+who.name)
		for i := range r.IntN(3) {
			twin := *b.Header
			twin.AuthorSeq += uint64(i % 2)
			hash := number(r.Uint64())
			d.blocks, d.lines = append(d.blocks, &chain.Block{Hash: hash, Header: &twin, State: b.State}), append(d.lines, "it signs again")
		}
		if on := d.blocks[len(d.blocks)-1]; r.IntN(20) == 0 {
			if next := chain.Light(on, number(r.Uint64()), d.people[0].member(0), &chain.Rekey{}); next != nil {
				d.blocks, d.lines = append(d.blocks, next), append(d.lines, "that is built on")
			}
		}
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
	blocks := f.all()
	for n := range byte(20) {
		blocks = append(blocks, f.signedAgain("A", n))
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
