package chain_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
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
				if op, ok := op.(*chain.RemoveDevice); ok {
					revoked[op.Device] = true
				}
			}
		}
	}
	void := func(b *chain.Block) bool {
		if !revoked[b.Header.Author.Device] {
			return false
		}
		for _, above := range n.subtree(b) {
			a := above.Header.Author
			_, first, _ := above.State.Device(b.Header.Author.Device)
			if a.Person == b.Header.Author.Person && a.Device != b.Header.Author.Device && !revoked[a.Device] && first.Status == chain.StatusRevoked {
				return false
			}
		}
		return true
	}
	// 2. Strike.
	in := slices.Clone(children)
	var struck []naiveStrike
	elsewhere := func(person wire.PersonID, c *chain.Block) bool {
		return slices.ContainsFunc(struck, func(s naiveStrike) bool { return s.person == person && s.from != c })
	}
	for _, a := range p.State.Admins() {
		var strikes []naiveStrike
		for _, c := range in {
			if elsewhere(a, c) {
				continue
			}
			for _, b := range n.subtree(c) {
				if b.Header.Author.Person != a || void(b) {
					continue
				}
				for _, op := range b.Header.Ops {
					switch op := op.(type) {
					case *chain.Remove:
						strikes = append(strikes, naiveStrike{op.Person, c})
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
		}
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
		if void(x) != void(y) {
			if void(y) {
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

// naivePending returns "block person" of each removal that is pending.
func naivePending(root wire.BlockHash, blocks []*chain.Block) (list []string) {
	n := naive{blocks}
	head := n.find(naiveHead(root, blocks))
	for p := n.find(root); p != head; {
		o := n.choose(p, n.children(p))
		for _, c := range n.children(p) {
			if c == o.winner {
				continue
			}
			for _, b := range n.subtree(c) {
				a := b.Header.Author.Person
				if !p.State.IsAdmin(a) || o.elsewhere(a, c) || !head.State.IsAdmin(a) || o.void(b) {
					continue
				}
				for _, op := range b.Header.Ops {
					op, ok := op.(*chain.Remove)
					if !ok {
						continue
					}
					now, _ := head.State.Person(op.Person)
					before, known := p.State.Person(op.Person)
					begun := !known || before.Instance != op.Instance
					if slices.ContainsFunc(head.State.Members(), func(m chain.Member) bool { return m.Person == op.Person }) &&
						(now.Instance == op.Instance || begun) {
						list = append(list, fmt.Sprint(b.Hash, op.Person))
					}
				}
			}
		}
		p = o.winner
	}
	slices.Sort(list)
	return list
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

// A draw is a random set of light blocks above a genesis.
type draw struct {
	people []*person
	root   *chain.Block
	blocks []*chain.Block // root first, parents before children
	lines  []string       // what each is, for the reader
	used   map[string]bool
}

func newDraw(t testing.TB, names string) *draw {
	f := plant(t, 0, names)
	d := &draw{root: f.blocks["G"], used: map[string]bool{}}
	for _, name := range append(strings.Fields(strings.NewReplacer("*", "", "/2", "").Replace(names)), "fay", "gil") {
		d.people = append(d.people, f.person(name))
	}
	d.reset()
	return d
}

func (d *draw) reset() {
	d.blocks, d.lines = []*chain.Block{d.root}, []string{"G"}
	clear(d.used)
}

// fill draws n blocks. twins says how often a device may sign twice on a parent.
func (d *draw) fill(r *rand.Rand, n int, twins float64) {
	for len(d.blocks) <= n {
		d.step(r, twins)
	}
}

var drawn = []string{"rekeys", "rekeys", "retitles", "adds", "admits", "removes", "removes", "removes", "promotes", "demotes", "demotes", "revokes"}

func (d *draw) step(r *rand.Rand, twins float64) {
	at := r.IntN(len(d.blocks))
	if r.IntN(3) == 0 {
		at = len(d.blocks) - 1
	}
	parent := d.blocks[at]
	who, device := d.people[r.IntN(len(d.people))], r.IntN(4)/3
	verb, target := drawn[r.IntN(len(drawn))], d.people[r.IntN(len(d.people))]
	revoked := r.IntN(2)
	seat := fmt.Sprint(at, who.name, device)
	if d.used[seat] && r.Float64() >= twins {
		return
	}
	var hash wire.BlockHash
	for i := 0; i < len(hash); i += 8 {
		binary.BigEndian.PutUint64(hash[i:], r.Uint64())
	}
	b := chain.Light(parent, hash, who.member(device), lightOp(parent, who, verb, target, revoked))
	if b == nil {
		return
	}
	d.used[seat] = true
	d.blocks = append(d.blocks, b)
	d.lines = append(d.lines, fmt.Sprintf("%d -> %d: %s/%d %s %s/%d, hash %x", at, len(d.lines), who.name, device+1, verb, target.name, revoked+1, hash[:2]))
}

// lightOp returns the op of a sentence without what it would have to cite.
func lightOp(parent *chain.Block, who *person, verb string, target *person, device int) chain.Op {
	m, _ := parent.State.Person(target.id)
	switch verb {
	case "rekeys":
		return &chain.Rekey{}
	case "retitles":
		return &chain.SetInfo{Info: wire.Digest(parent.Hash)}
	case "adds":
		return target.add(chain.RoleMember, 2)
	case "admits":
		return target.add(chain.RoleAdmin, 2)
	case "removes":
		return &chain.Remove{Person: target.id, Instance: m.Instance}
	case "promotes":
		return &chain.SetRole{Person: target.id, Instance: m.Instance, Role: chain.RoleAdmin}
	case "demotes":
		return &chain.SetRole{Person: target.id, Instance: m.Instance, Role: chain.RoleMember}
	case "revokes":
		return &chain.RemoveDevice{Person: target.id, Instance: m.Instance, PersonHead: target.head(), Device: target.device(device), Cites: []wire.Digest{chain.Cite(target.proof())}}
	}
	panic(verb)
}

func (d *draw) String() string { return strings.Join(d.lines, "\n") }

// name returns the number of a block in the list.
func (d *draw) name(hash wire.BlockHash) int {
	return slices.IndexFunc(d.blocks, func(b *chain.Block) bool { return b.Hash == hash })
}

// draws says how many random sets to try: KITH_DRAWS, or a few.
func draws(few int) int {
	if n, err := strconv.Atoi(os.Getenv("KITH_DRAWS")); err == nil {
		return n
	}
	return few
}

const drawnPeople = "ann ben/2* cat/2* dan eve/2"

// TestNaive compares both fork choices, and the one that remembers.
func TestNaive(t *testing.T) {
	d := newDraw(t, drawnPeople)
	n, forks, voids, pending := draws(4000), 0, 0, 0
	for seed := range uint64(n) {
		r := rand.New(rand.NewPCG(seed, 10))
		d.reset()
		d.fill(r, 3+r.IntN(8), 0.3)
		want := naiveHead(d.root.Hash, d.blocks)
		if got := chain.Head(d.root.Hash, d.blocks); got != want {
			t.Fatalf("seed %d: head %d, by the text %d\n%s", seed, d.name(got), d.name(want), d)
		}
		var got []string
		for _, p := range chain.Pending(d.root.Hash, d.blocks) {
			got = append(got, fmt.Sprint(p.Block, p.Person))
		}
		slices.Sort(got)
		if want := naivePending(d.root.Hash, d.blocks); !slices.Equal(got, want) {
			t.Fatalf("seed %d: pending %s, by the text %s\n%s", seed, got, want, d)
		}
		pending += len(got)
		if len(d.forkPoints()) > 0 {
			forks++
		}
		if strings.Contains(d.String(), "revokes") {
			voids++
		}
		d.arrive(t, r, seed)
	}
	t.Logf("%d sets, %d of them forked, %d with a revocation; %d removals pending", n, forks, voids, pending)
	if forks < n/2 || voids < n/10 || pending < n/10 {
		t.Error("the sets hardly try anything")
	}
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
