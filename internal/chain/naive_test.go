package chain_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"kith/internal/chain"
	"kith/internal/wire"
)

// A second fork choice, written from docs/spec/chain.md sentence by sentence,
// with neither speed nor anything shared with the first in mind.
type naive struct{ blocks []*chain.Block }

func naiveHead(root wire.BlockHash, blocks []*chain.Block) wire.BlockHash {
	n := naive{blocks}
	at := n.find(root)
	for {
		children := n.children(at)
		if len(children) == 0 {
			return at.Hash
		}
		at = n.choose(at, children).winner
	}
}

func (n naive) find(hash wire.BlockHash) *chain.Block {
	for _, b := range n.blocks {
		if b.Hash == hash {
			return b
		}
	}
	return nil
}

func (n naive) children(of *chain.Block) (list []*chain.Block) {
	for _, b := range n.blocks {
		if b.Header.Parent == of.Hash && b.Hash != of.Hash {
			list = append(list, b)
		}
	}
	return list
}

func (n naive) subtree(c *chain.Block) []*chain.Block {
	list := []*chain.Block{c}
	for _, child := range n.children(c) {
		list = append(list, n.subtree(child)...)
	}
	return list
}

type naiveStrike struct {
	person wire.PersonID
	from   *chain.Block // child
}

// An outcome is who won, and what Pending asks of a contest.
type outcome struct {
	winner    *chain.Block
	elsewhere func(wire.PersonID, *chain.Block) bool
	void      func(*chain.Block) bool
}

func (n naive) choose(p *chain.Block, children []*chain.Block) outcome {
	if len(children) == 1 {
		return outcome{winner: children[0]}
	}
	// 1. Void.
	revoked := map[wire.DeviceID]bool{}
	for _, c := range children {
		for _, b := range n.subtree(c) {
			for _, op := range b.Header.Ops {
				switch op := op.(type) {
				case *chain.RemoveDevice:
					revoked[op.Device] = true
				case *chain.Slash:
					revoked[op.Device] = true
				case *chain.Carry:
					if op.Device != (wire.DeviceID{}) {
						revoked[op.Device] = true
					}
				}
			}
		}
	}
	doubted := n.doubted(p, children)
	silenced := func(m wire.Member) bool { return revoked[m.Device] || doubted(m) }
	wordVoid := func(b *chain.Block, by wire.Member) bool {
		if !silenced(by) {
			return false
		}
		for _, above := range n.subtree(b) {
			a := above.Header.Author
			_, first, _ := above.State.Device(by.Device)
			if above != b && a.Person == by.Person && a.Device != by.Device && !silenced(a) && first.Status == chain.StatusRevoked {
				return false
			}
		}
		return true
	}
	void := func(b *chain.Block) bool { return wordVoid(b, b.Header.Author) }
	// 2. Strike.
	in := slices.Clone(children)
	var struck []naiveStrike
	var removed, carriedOver []naiveStrike // of whom the removal counts in which child
	absent := func(person wire.PersonID, c *chain.Block) bool {
		return slices.ContainsFunc(carriedOver, func(s naiveStrike) bool { return s.person == person }) &&
			!slices.Contains(append(slices.Clone(removed), carriedOver...), naiveStrike{person, c})
	}
	elsewhere := func(person wire.PersonID, c *chain.Block) bool {
		return absent(person, c) || slices.ContainsFunc(struck, func(s naiveStrike) bool { return s.person == person && s.from != c })
	}
	for _, a := range p.State.Admins() {
		var strikes, removals, carries []naiveStrike
		for _, c := range in {
			if elsewhere(a, c) {
				continue
			}
			for _, b := range n.subtree(c) {
				if carry, ok := b.Header.Ops[0].(*chain.Carry); ok && carry.Device == (wire.DeviceID{}) {
					if by := carried(b); by.Person == a && carry.Person != a && !wordVoid(b, by) {
						carries = append(carries, naiveStrike{carry.Person, c})
					}
				}
				if b.Header.Author.Person != a || void(b) {
					continue
				}
				for _, op := range b.Header.Ops {
					switch op := op.(type) {
					case *chain.Remove:
						strikes = append(strikes, naiveStrike{op.Person, c})
						removals = append(removals, naiveStrike{op.Person, c})
					case *chain.SetRole:
						if op.Role == chain.RoleMember && op.Person != a {
							strikes = append(strikes, naiveStrike{op.Person, c})
						}
					}
				}
			}
		}
		left := slices.DeleteFunc(slices.Clone(in), func(d *chain.Block) bool {
			return slices.ContainsFunc(strikes, func(s naiveStrike) bool { return s.from != d && s.person == d.Header.Author.Person })
		})
		if slices.ContainsFunc(strikes, func(s naiveStrike) bool { return slices.Contains(left, s.from) }) {
			in = left
			struck = append(struck, strikes...)
			removed = append(removed, removals...)
		}
		carriedOver = append(carriedOver, carries...)
	}
	// 3. Weigh.
	weight := func(c *chain.Block) (w chain.Class) {
		for _, b := range n.subtree(c) {
			a := b.Header.Author.Person
			if slices.Contains(p.State.Admins(), a) && !elsewhere(a, c) && !void(b) {
				w = max(w, b.Header.Class)
			}
		}
		return w
	}
	// 4. Rank.
	slices.SortFunc(in, func(x, y *chain.Block) int {
		if weight(x) != weight(y) {
			return int(weight(y)) - int(weight(x))
		}
		behindX, behindY := void(x) || absent(x.Header.Author.Person, x), void(y) || absent(y.Header.Author.Person, y)
		if behindX != behindY {
			if behindY {
				return -1
			}
			return 1
		}
		if d := naivePlace(p.State, x.Header.Author) - naivePlace(p.State, y.Header.Author); d != 0 {
			return d
		}
		return bytes.Compare(x.Hash[:], y.Hash[:])
	})
	return outcome{in[0], elsewhere, void}
}

// carried returns who signed what a block with a Carry cites.
func carried(b *chain.Block) wire.Member {
	headers, err := chain.ParseProof(b.Body.Attachments[0])
	if err != nil {
		panic(err)
	}
	return headers[len(headers)-1].Author
}

// naivePlace numbers all devices by seniority; who is unknown comes last.
func naivePlace(s *chain.State, who wire.Member) int {
	people := s.Everyone()
	slices.SortFunc(people, func(a, b chain.Member) int { return int(a.Join) - int(b.Join) })
	order := s.Admins()
	for _, m := range people {
		if !slices.Contains(order, m.Person) {
			order = append(order, m.Person)
		}
	}
	at := slices.Index(order, who.Person)
	if at < 0 {
		return 1 << 30
	}
	m, _ := s.Person(who.Person)
	device := slices.IndexFunc(m.Devices, func(d chain.Device) bool { return d.ID == who.Device })
	if device < 0 {
		device = 1 << 10
	}
	return at<<16 + device
}

// TestNaive compares both fork choices, and the one that remembers.
func TestNaive(t *testing.T) {
	d := newDraw(t, drawnPeople)
	d.strangers("fay", "gil")
	n := draws(4000)
	seen := d.compare(t, n)
	t.Logf("%d sets, %d of them forked, %d with a revocation, %d with a Carry; %d removals pending", n, seen.forks, seen.revoked, seen.carries, seen.pending)
	if seen.carries < n/20 || seen.forks < n/2 || seen.revoked < n/10 || seen.pending < n/10 {
		t.Error("the sets hardly try anything")
	}
}

// TestNaiveDevices is TestNaive where devices come and go above the fork point.
func TestNaiveDevices(t *testing.T) {
	d := newDraw(t, "zoe ann/2* ben/2*")
	d.verbs, d.phones = drawnDevices, []int{0, 1, 2, 2, 3}
	n := draws(4000)
	seen := d.compare(t, n)
	t.Logf("%d sets, %d of them forked, %d with a revocation; in %d the head is another if nobody is doubted", n, seen.forks, seen.revoked, seen.doubted)
	if seen.forks < n/2 || seen.revoked < n/4 || seen.doubted < n/200 {
		t.Error("the sets hardly try anything")
	}
}

// What the sets of a comparison hold.
type seen struct{ forks, revoked, pending, carries, doubted int }

func (d *draw) compare(t *testing.T, n int) (all seen) {
	t.Helper()
	for seed := range uint64(n) {
		r := rand.New(rand.NewPCG(seed, 10))
		d.reset()
		d.fill(r, 3+r.IntN(8), 0.3)
		want := naiveHead(d.root.Hash, d.blocks)
		if got := chain.Head(d.root.Hash, d.blocks); got != want {
			t.Fatalf("seed %d: head %d, by the text %d\n%s", seed, d.name(got), d.name(want), d)
		}
		if at := d.undone(); at != nil {
			t.Fatalf("seed %d: at %d a child without admin work wins against one with\n%s", seed, d.name(at.Hash), d)
		}
		var got []string
		for _, p := range chain.Pending(d.root.Hash, d.blocks) {
			got = append(got, fmt.Sprint(p.Block, p.Person))
		}
		slices.Sort(got)
		if want := naivePending(d.root.Hash, d.blocks); !slices.Equal(got, want) {
			t.Fatalf("seed %d: pending %s, by the text %s\n%s", seed, got, want, d)
		}
		all.pending += len(got)
		if len(d.forkPoints()) > 0 {
			all.forks++
		}
		if strings.Contains(d.String(), "revokes") || strings.Contains(d.String(), "tells") {
			all.revoked++
		}
		if strings.Contains(d.String(), "carries") {
			all.carries++
		}
		if chain.HeadWith("noDoubt")(d.root.Hash, d.blocks) != want {
			all.doubted++
		}
		d.arrive(t, r, seed)
	}
	return all
}

// undone returns a fork point at which the work of an admin, not void, loses to
// a child without any. With a Carry that may be: admins are absent then.
func (d *draw) undone() *chain.Block {
	n := naive{d.blocks}
	for _, p := range d.forkPoints() {
		o := n.choose(p, n.children(p))
		work := func(c *chain.Block) bool {
			return slices.ContainsFunc(n.subtree(c), func(b *chain.Block) bool {
				return b.Header.Class > 0 && p.State.IsAdmin(b.Header.Author.Person) && !o.void(b)
			})
		}
		if !strings.Contains(d.String(), "carries") && !work(o.winner) && slices.ContainsFunc(n.children(p), work) {
			return p
		}
	}
	return nil
}

func (d *draw) forkPoints() (list []*chain.Block) {
	for _, b := range d.blocks {
		if len(naive{d.blocks}.children(b)) > 1 {
			list = append(list, b)
		}
	}
	return list
}

// arrive feeds a set in a random order and compares the head at every step with
// that of the blocks held by then.
func (d *draw) arrive(t *testing.T, r *rand.Rand, seed uint64) {
	t.Helper()
	held := chain.NewBlocks()
	held.Insert(d.root)
	have := []*chain.Block{d.root}
	for left := slices.Clone(d.blocks[1:]); len(left) > 0; {
		i := r.IntN(len(left))
		if !held.Has(left[i].Header.Parent) {
			continue
		}
		held.Insert(left[i])
		have = append(have, left[i])
		left = slices.Delete(left, i, i+1)
		if r.IntN(3) == 0 {
			continue // nobody asks
		}
		if got, want := held.Head(), chain.Head(d.root.Hash, have); got != want {
			t.Fatalf("seed %d: %d blocks held, head %d, want %d\n%s", seed, len(have), d.name(got), d.name(want), d)
		}
		from := have[r.IntN(len(have))].Hash
		if got, want := held.HeadFrom(from), chain.Head(from, have); got != want {
			t.Fatalf("seed %d: %d blocks held, from %d head %d, want %d\n%s", seed, len(have), d.name(from), d.name(got), d.name(want), d)
		}
	}
}
