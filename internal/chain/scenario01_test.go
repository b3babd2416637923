package chain_test

import (
	"fmt"
	"slices"
	"testing"

	"kith/internal/chain"
	"kith/internal/wire"
)

// Scenarios that fork choice decides.

func TestScenario01TwoAdminsAddAtOnce(t *testing.T) { numbered(t, "1") }

// TestScenario02MutualRemoval: two who remove each other, of every pair of ranks
// in groups of two, three and four admins; whoever else builds on either.
func TestScenario02MutualRemoval(t *testing.T) {
	numbered(t, "2")
	names := []string{"ann", "ben", "cat", "dan"}
	for n := 2; n <= len(names); n++ {
		people := "ann"
		for _, name := range names[1:n] {
			people += " " + name + "*"
		}
		for i := range n {
			for j := i + 1; j < n; j++ {
				senior, junior := names[i], names[j]
				does := map[string]string{"S": senior + " removes " + junior, "J": junior + " removes " + senior}
				wins(t, people, "G -> S | G -> J", does, "S")
				for _, other := range names[:n] {
					if other != senior && other != junior {
						wins(t, people, "G -> J -> O | G -> S", with(does, map[string]string{"O": other + " rekeys"}), "S")
					}
				}
			}
		}
	}
}

func TestScenario03RingOfThreeRemovals(t *testing.T) {
	numbered(t, "3")
	// A more senior admin who is no part of the ring changes nothing by being there,
	// and breaks it by a word: without cat's, ann's and with it ben's place are as
	// of two.
	does := map[string]string{"A": "ann removes ben", "B": "ben removes cat", "C": "cat removes ann", "Z": "zoe removes cat", "Y": "zoe retitles"}
	people := "zoe ann* ben* cat*"
	wins(t, people, "G -> A | G -> B | G -> C", does, "C")
	wins(t, people, "G -> A | G -> B | G -> C | G -> Y", does, "C")
	wins(t, people, "G -> A | G -> B | G -> C | G -> Z", does, "Z")
	f := plant(t, 0, people)
	f.grow("G -> A | G -> B | G -> C | G -> Z", does)
	if got := f.pending("G"); !slices.Equal(got, []string{"A ben"}) {
		t.Errorf("pending %q", got)
	}
}

// TestScenario04BackDatedFork: ann removes ben after n blocks, ben forks below,
// at every depth at once.
func TestScenario04BackDatedFork(t *testing.T) {
	numbered(t, "4")
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

// TestScenario06Accomplices: ben's branch promotes a hundred, who remove everybody;
// what they removed is not carried over either.
func TestScenario06Accomplices(t *testing.T) {
	numbered(t, "6")
	f := plant(t, 0, "ann ben* cat dan")
	does := map[string]string{"A": "cat rekeys", "R": "ann removes ben"}
	f.grow("G -> A -> R", does)
	at := "G"
	for i := range 25 { // four a block
		name, op := fmt.Sprint("X", i), "ben "
		for j := range 4 {
			if j > 0 {
				op += ", "
			}
			op += fmt.Sprintf("admits accomplice%d", 4*i+j)
		}
		f.grow(at+" -> "+name, map[string]string{name: op})
		at = name
	}
	for i := range 100 {
		name, victim := fmt.Sprint("Y", i), []string{"ann", "cat", "dan"}[i%3]
		f.grow(at+" -> "+name, map[string]string{name: fmt.Sprintf("accomplice%d removes %s", i, victim)})
	}
	if got := f.head(); got != "R" {
		t.Errorf("head %s", got)
	}
	if got := f.pending("G"); len(got) > 0 {
		t.Errorf("pending %q", got)
	}
	// With ben's own removal of cat there is one that was his to make at the fork,
	// and he is struck.
	f.grow("G -> C", map[string]string{"C": "ben removes cat"})
	if got := f.pending("G"); len(got) > 0 || f.head() != "R" {
		t.Errorf("head %s, pending %q", f.head(), got)
	}
}

// TestScenario07PrivateBranch: a thousand blocks that nobody saw weigh no more than
// one, and are looked through in no time.
func TestScenario07PrivateBranch(t *testing.T) {
	f := plant(t, 0, "ann ben* cat")
	f.grow("G -> A", map[string]string{"A": "ann retitles"})
	at := "G"
	for i := range 1000 {
		name := fmt.Sprint("X", i)
		f.grow(at+" -> "+name, map[string]string{name: "ben retitles"})
		at = name
	}
	if got := f.head(); got != "A" {
		t.Errorf("head %s", got)
	}
	// As long as it is ordinary work it loses to any title; with a removal at its
	// end it wins against one, as that removal would alone.
	f.grow(at+" -> R", map[string]string{"R": "ben removes cat"})
	alone := plant(t, 0, "ann ben* cat")
	alone.grow("G -> A | G -> R", map[string]string{"A": "ann retitles", "R": "ben removes cat"})
	if long, short := f.head(), alone.head(); long != short || long != "R" {
		t.Errorf("after a thousand blocks head %s, alone %s", long, short)
	}
}

// TestScenario08Variants: a device signs one block in very many ways, and another
// once. Which is kept of the one follows from the set alone, the other stays, and
// neither moves the head of others' work.
func TestScenario08Variants(t *testing.T) {
	f := plant(t, 0, "ann ben* cat")
	f.grow("G -> A | G -> V | G -> W", map[string]string{"A": "ann retitles", "V": "ben rekeys", "W": "ben rekeys"})
	held := f.held()
	first := f.blocks["V"]
	var hashes []wire.BlockHash
	for i := range uint64(100_000) {
		b := first.Rehash(first.Header.Parent, number(i))
		hashes = append(hashes, b.Hash)
		held.Insert(b)
		if i%1000 == 0 {
			held.Shed(held.Genesis())
		}
	}
	held.Shed(held.Genesis())
	hashes = append(hashes, first.Hash)
	slices.SortFunc(hashes, compareHashes)
	if held.Len() != 4 || !held.Has(hashes[0]) || !held.Has(f.blocks["W"].Hash) {
		t.Errorf("%d blocks are kept", held.Len())
	}
	if got := f.name(held.Head()); got != "A" {
		t.Errorf("head %s", got)
	}
}

// TestScenario09Clocks: the time in a block decides nothing.
func TestScenario09Clocks(t *testing.T) {
	const year = 365 * 24 * 3600 * 1000
	for _, a := range []uint64{0, 1000, 10 * year, 1 << 60} {
		for _, b := range []uint64{0, 1000, 10 * year, 1 << 60} {
			d := divide(t)
			d.late("G", "A", "ann", a)
			d.late("G", "B", "ben", b)
			d.late("A", "C", "ben", b)
			if d.blocks.Head() != d.at["C"] {
				t.Errorf("ann's clock %d, ben's %d: another head", a, b)
			}
		}
	}
}

// late makes a block that says to be of some time.
func (d *divided) late(parent, name, who string, createdAt uint64) {
	d.t.Helper()
	p := d.params(d.person(who), d.retitle())
	p.Parent, p.CreatedAt = d.at[parent], createdAt
	h, _, err := chain.Draft(d.blocks.State(p.Parent), p)
	if err != nil {
		d.t.Fatal(err)
	}
	body := bodyOf(false)
	seal(h, body, d.person(who).keys[0])
	d.take(h, body)
	d.at[name] = h.Hash()
}

// TestScenario10OrdinaryAgainstAdminWork: renewed keys race a removal, and a
// back-dated renewal races a promotion with a removal by who was promoted.
func TestScenario10OrdinaryAgainstAdminWork(t *testing.T) {
	numbered(t, "10")
	does := map[string]string{
		"K": "ann rekeys", "R": "ben removes cat", "C": "cat rekeys",
		"P": "ann promotes dan", "D": "dan removes cat",
	}
	people := "ann ben* cat dan"
	wins(t, people, "G -> K | G -> R", does, "R")
	wins(t, people, "G -> C | G -> R", does, "R")
	wins(t, people, "G -> P -> D | G -> C", does, "D")
	wins(t, people, "G -> P -> D | P -> C", does, "D")
	wins(t, people, "G -> P -> D | G -> K | P -> C", does, "D")
}

func TestScenario11RemoveAgainstAddAgain(t *testing.T) {
	numbered(t, "11")
	// Removed in one, removed and added again in the other: the removal of the
	// instance that both had is done in both, so none is pending.
	f := plant(t, 0, "ann ben* cat")
	f.grow("G -> A -> D | G -> B", map[string]string{"A": "ann removes cat", "D": "ann adds cat", "B": "ben removes cat"})
	if got := f.pending("G"); f.head() != "D" || len(got) > 0 {
		t.Errorf("head %s, pending %q", f.head(), got)
	}
	if m, _ := f.blocks["D"].State.Person(f.person("cat").id); m.Status != chain.StatusActive {
		t.Error("cat is not back")
	}
}
