package chain_test

import (
	"encoding/binary"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"kith/internal/chain"
	"kith/internal/wire"
)

// An explorer walks through every set of up to so many blocks above a genesis
// with the admins ann, ben and cat, in which each block is one of its acts. Sets
// are trees whose blocks stand in breadth-first order, children of one block in
// the order of acts, so that each is seen once.
type explorer struct {
	t       testing.TB
	names   []string
	people  []*person
	acts    []act
	most    int  // blocks above the genesis
	twins   bool // a device may sign twice on one parent
	head    func(wire.BlockHash, []*chain.Block) wire.BlockHash
	pending func(wire.BlockHash, []*chain.Block) []chain.PendingRemoval
	checks  []property
	broken  func(check string, e *explorer)

	blocks []*chain.Block
	up     []int // by block: its parent
	did    []int // by block: its act
	paths  [][]int
	serial uint64
	sets   int
	stop   bool
}

// An act is what a block does: one device of somebody, to somebody or some device,
// perhaps by a history (see person.tell).
type act struct {
	who     int
	verb    string
	target  int
	device  int
	of      int // which of the target's
	history string
}

// A property reports whether what must hold does, for the set whose newest block
// is the last: before is the way to the head without that block, after with it.
type property struct {
	name  string
	holds func(e *explorer, before, after []int) bool
}

var explored = []string{"ann", "ben", "cat", "dan"}

func newExplorer(t testing.TB, most int, twins bool, verbs string) *explorer {
	f := plant(t, 0, "ann ben* cat*")
	e := &explorer{t: t, names: explored, most: most, twins: twins, head: chain.Head, pending: chain.Pending, checks: checks}
	for _, name := range explored {
		e.people = append(e.people, f.person(name))
	}
	for who := range explored {
		for verb := range strings.FieldsSeq(verbs) {
			switch verb {
			case "rekeys":
				e.acts = append(e.acts, act{who: who, verb: verb, target: who})
			case "admits":
				e.acts = append(e.acts, act{who: who, verb: verb, target: 3})
			default:
				for target := range explored {
					if target != who {
						e.acts = append(e.acts, act{who: who, verb: verb, target: target})
					}
				}
			}
		}
	}
	e.blocks, e.up, e.did = []*chain.Block{f.blocks["G"]}, []int{-1}, []int{-1}
	e.paths = [][]int{{0}}
	return e
}

// walk adds every block that may come next in breadth-first order.
func (e *explorer) walk() {
	last := len(e.blocks) - 1
	for at := max(0, e.up[last]); at <= last && !e.stop; at++ {
		first := 0
		if at == e.up[last] {
			first = e.did[last]
		}
		for i := first; i < len(e.acts) && !e.stop; i++ {
			if e.twin(at, i) {
				continue
			}
			e.serial++
			if b := e.make(e.blocks[at], e.acts[i]); b != nil {
				e.push(b, at, i)
			}
		}
	}
}

// make returns the block that does a on parent; nil if none may.
func (e *explorer) make(parent *chain.Block, a act) *chain.Block {
	who, target := e.people[a.who], e.people[a.target]
	if a.history == "" {
		return chain.Light(parent, number(e.serial), who.member(a.device), lightOp(parent, who, a.verb, target, a.of))
	}
	known, _ := parent.State.Person(target.id)
	if !slices.Contains(target.tell(e.t, a.history).hashes, known.PersonHead) {
		return nil // V6: it must go on from what is on record
	}
	op, papers := target.telling(e.t, parent.State, a.verb, a.of, a.history)
	b := chain.Light(parent, number(e.serial), who.member(a.device), op)
	if b != nil {
		b.Body = &chain.Body{Attachments: papers}
	}
	return b
}

func number(n uint64) (hash wire.BlockHash) {
	binary.BigEndian.PutUint64(hash[:], n*0x9e3779b97f4a7c15) // scattered, never twice
	binary.BigEndian.PutUint64(hash[8:], n)
	return hash
}

// twin reports whether the author of act i may not sign on block at once more. Of
// two new devices of one person only the lower hash could choose.
func (e *explorer) twin(at, i int) bool {
	same := 0
	for j, up := range e.up {
		if up != at {
			continue
		}
		a, b := e.of(j), e.acts[i]
		if a.who == b.who && (a.device == b.device || a.verb == "enters" && b.verb == "enters") {
			same++
			if !e.twins || same > 1 {
				return true
			}
		}
	}
	return false
}

func (e *explorer) push(b *chain.Block, at, i int) {
	e.blocks, e.up, e.did = append(e.blocks, b), append(e.up, at), append(e.did, i)
	e.sets++
	before, after := e.paths[len(e.paths)-1], e.path(e.head(e.blocks[0].Hash, e.blocks))
	for _, c := range e.checks {
		if !e.stop && !c.holds(e, before, after) {
			e.broken(c.name, e)
		}
	}
	if len(e.blocks) <= e.most && !e.stop {
		e.paths = append(e.paths, after)
		e.walk()
		e.paths = e.paths[:len(e.paths)-1]
	}
	n := len(e.blocks) - 1
	e.blocks, e.up, e.did = e.blocks[:n], e.up[:n], e.did[:n]
}

// path returns the way from the genesis to a block.
func (e *explorer) path(to wire.BlockHash) (path []int) {
	for i := e.name(e.blocks, to); i >= 0; i = e.up[i] {
		path = append(path, i)
	}
	slices.Reverse(path)
	return path
}

func (e *explorer) name(blocks []*chain.Block, hash wire.BlockHash) int {
	return slices.IndexFunc(blocks, func(b *chain.Block) bool { return b.Hash == hash })
}

// under reports whether block i stands on block at or is it.
func (e *explorer) under(at, i int) bool {
	for i > at {
		i = e.up[i]
	}
	return i == at
}

func (e *explorer) of(i int) act { return e.acts[e.did[i]] }

// struck reports whether anybody strikes a person anywhere.
func (e *explorer) struck(who int) bool {
	for i := 1; i < len(e.did); i++ {
		if a := e.of(i); a.target == who && (a.verb == "removes" || a.verb == "demotes") {
			return true
		}
	}
	return false
}

func (e *explorer) class(i int) chain.Class { return e.blocks[i].Header.Class }

func (e *explorer) String() string {
	var s strings.Builder
	for i := 1; i < len(e.blocks); i++ {
		a := e.of(i)
		fmt.Fprintf(&s, "%d -> %d: %s/%d %s %s/%d %s\n", e.up[i], i, e.names[a.who], a.device+1, a.verb, e.names[a.target], a.of+1, a.history)
	}
	return s.String()
}

var checks = []property{
	{"I1 the order of blocks decides nothing", func(e *explorer, _, after []int) bool {
		if !e.twins {
			return true // grinding turns the order round, too
		}
		list := slices.Clone(e.blocks)
		slices.Reverse(list)
		return e.head(e.blocks[0].Hash, list) == e.blocks[after[len(after)-1]].Hash
	}},
	{"I5 a removal is in effect or pending", removals},
	{"I1 I6 neither order nor hashes decide between authors", grinding},
	{"I7 I8 who is no admin of the fork point changes no choice there", quiet},
	{"I7 an ordinary block undoes no admin work", ordinary},
	{"who was removed never comes back by back-dating", backDating},
}

// removals: of an admin whom nobody ever strikes. The head may keep the target
// only until the removal is carried over.
func removals(e *explorer, _, after []int) bool {
	var pending []chain.PendingRemoval
	asked := false
	head := e.blocks[after[len(after)-1]].State
	for i := 1; i < len(e.blocks); i++ {
		a := e.of(i)
		if a.verb != "removes" || a.who > 2 || e.struck(a.who) {
			continue
		}
		target := e.people[a.target].id
		m, ok := head.Person(target)
		op := e.blocks[i].Header.Ops[0].(*chain.Remove)
		if !ok || m.Status == chain.StatusRemoved || m.Instance != op.Instance {
			continue
		}
		if !asked {
			pending, asked = e.pending(e.blocks[0].Hash, e.blocks), true
		}
		if !slices.ContainsFunc(pending, func(p chain.PendingRemoval) bool {
			return p.Block == e.blocks[i].Hash && p.Person == target && p.Instance == m.Instance
		}) {
			return false
		}
	}
	return true
}

func grinding(e *explorer, _, after []int) bool {
	if e.twins {
		return true
	}
	list := []*chain.Block{e.blocks[0]}
	for i := 1; i < len(e.blocks); i++ {
		list = append(list, e.blocks[i].Rehash(list[e.up[i]].Hash, number(uint64(i)+e.serial<<8)))
	}
	shown := slices.Clone(list)
	slices.Reverse(shown)
	return e.name(list, e.head(list[0].Hash, shown)) == after[len(after)-1]
}

// quiet: the newest block changes no choice above which it stands deeper than as
// a child, if its author is no admin there or does nothing but rekey.
func quiet(e *explorer, before, after []int) bool {
	b := len(e.blocks) - 1
	for i := 0; i+1 < len(before); i++ {
		p, next := before[i], before[i+1]
		admin := e.blocks[p].State.IsAdmin(e.people[e.of(b).who].id)
		mayChange := e.up[b] == p || e.under(p, b) && admin && e.class(b) > 0
		switch {
		case len(after) > i+1 && after[i+1] == next:
			continue
		case mayChange:
			return true
		default:
			return false
		}
	}
	return true
}

// ordinary: where an admin of a fork point did work above it, the chosen child
// holds such work too. And a child that only rekeys wins or changes nothing.
func ordinary(e *explorer, before, after []int) bool {
	for i := 0; i+1 < len(after); i++ {
		work, chosen := false, false
		for w := after[i] + 1; w < len(e.blocks); w++ {
			if e.class(w) > 0 && e.under(after[i], w) && e.blocks[after[i]].State.IsAdmin(e.people[e.of(w).who].id) {
				work, chosen = true, chosen || e.under(after[i+1], w)
			}
		}
		if work && !chosen {
			return false
		}
	}
	b := len(e.blocks) - 1
	i := slices.Index(before, e.up[b])
	return e.class(b) > 0 || i < 0 || i+1 == len(before) || after[i+1] == b || after[i+1] == before[i+1]
}

// backDating: at the head without the newest block, its author is removed, by a
// more senior admin whom nobody but that author strikes, and that only where it
// lost, and who strikes nowhere else. With the block it must be removed still.
func backDating(e *explorer, before, after []int) bool {
	b := len(e.blocks) - 1
	u := e.of(b).who
	old, now := e.blocks[before[len(before)-1]].State, e.blocks[after[len(after)-1]].State
	if e.member(old, u) || !e.member(now, u) {
		return true
	}
	by := -1
	for _, i := range before[1:] {
		if a := e.of(i); a.verb == "removes" && a.target == u {
			by = a.who
		}
	}
	if by < 0 || by > u || by > 2 {
		return true
	}
	for i := 1; i < len(e.blocks); i++ {
		a := e.of(i)
		strikes := a.verb == "removes" || a.verb == "demotes"
		held := slices.Contains(before, i)
		if strikes && (a.target == by && (a.who != u || held) || a.who == by && !held) {
			return true
		}
	}
	return false
}

func (e *explorer) member(s *chain.State, who int) bool {
	m, ok := s.Person(e.people[who].id)
	return ok && m.Status != chain.StatusRemoved
}

// explorations are what is walked through by default, and with KITH_EXPLORE=big.
var explorations = []struct {
	name  string
	verbs string
	most  int
	big   int
	twins bool
}{
	{"everything", "rekeys admits removes demotes promotes", 4, 5, false},
	{"equivocation", "rekeys removes demotes", 4, 5, true},
	{"removals and accomplices", "admits removes", 5, 6, false},
	{"removals", "rekeys removes", 5, 6, false},
}

func TestExplore(t *testing.T) {
	for _, x := range explorations {
		t.Run(x.name, func(t *testing.T) {
			most := x.most
			if os.Getenv("KITH_EXPLORE") == "big" {
				most = x.big
			}
			e := newExplorer(t, most, x.twins, x.verbs)
			e.broken = func(check string, e *explorer) {
				e.stop = true
				t.Errorf("%s:\n%s", check, e)
			}
			e.walk()
			t.Logf("%d sets of up to %d blocks, each with %d checks", e.sets, most, len(e.checks))
			if e.sets < 1000 {
				t.Error("there must be more")
			}
		})
	}
}
