package dag_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"kith/internal/dag"
	"kith/internal/wire"
)

func TestFirstEntry(t *testing.T) {
	a := newWriter("ann")
	p := a.graph.Next(a.id, genesis+5)
	if p.Seq != 1 || p.Prev != (wire.EntryHash{}) || len(p.Parents) != 0 || p.Lamport != 1 || p.Order != genesis+5 {
		t.Errorf("first position %+v", p)
	}
}

func TestOrderRule(t *testing.T) {
	for _, c := range []struct {
		name string
		now  uint64
		want uint64
	}{
		{"clock ahead of the chat", genesis + 1000, genesis + 1000},
		{"clock equal to the highest", genesis, genesis + 1},
		{"clock before the chat", 7, genesis + 1},
		{"clock at the bound", genesis + dag.MaxDrift, genesis + dag.MaxDrift},
		{"clock beyond the bound", genesis + dag.MaxDrift + 1, genesis + dag.MaxDrift},
		{"clock at the end of numbers", ^uint64(0), genesis + dag.MaxDrift},
	} {
		a := newWriter("ann")
		if got := a.say(t, c.now).Order; got != c.want {
			t.Errorf("%s: order %d, want %d", c.name, got, c.want)
		}
	}
}

func TestOwnEntryCountsAsParent(t *testing.T) {
	a := newWriter("ann")
	first := a.say(t, genesis+1000)
	second := a.say(t, 0)
	if second.Order != first.Order+1 || second.Lamport != 2 || len(second.Parents) != 0 || second.Prev != first.Hash() {
		t.Errorf("second entry %+v", second)
	}
	if got := a.graph.Heads(); !slices.Equal(got, []dag.Ref{second.Ref()}) {
		t.Errorf("heads %v", got)
	}
}

func TestParentsAreTheNewestHeads(t *testing.T) {
	a := newWriter("ann")
	old := newWriter("old").say(t, genesis)
	a.take(t, old)
	var newer []dag.Ref
	for i := range dag.MaxParents {
		w := newWriter("w" + string(rune('0'+i)))
		w.say(t, genesis)
		h := w.say(t, genesis)
		a.pull(t, w, 100)
		newer = append(newer, h.Ref())
	}
	slices.SortFunc(newer, dag.Ref.Compare)
	h := a.say(t, genesis)
	if !slices.Equal(h.Parents, newer) {
		t.Errorf("parents %v, want %v", h.Parents, newer)
	}
	if got := a.graph.Heads(); len(got) != 2 || !slices.Contains(got, old.Ref()) {
		t.Errorf("heads %v, want the entry and the head it had no room for", got)
	}
	if next := a.say(t, genesis); !slices.Equal(next.Parents, []dag.Ref{old.Ref()}) {
		t.Errorf("next parents %v", next.Parents)
	}
}

// TestOrderFollowsCausality is the promise of the screen: whatever the clocks,
// no entry is displayed before one that its author had seen.
func TestOrderFollowsCausality(t *testing.T) {
	for seed := range uint64(30) {
		tg := newTangle(t, rand.New(rand.NewPCG(seed, 0)), 5, 120, seed%2 == 1)
		byRef := make(map[dag.Ref]*dag.Header)
		for _, h := range tg.all {
			byRef[h.Ref()] = h
		}
		for _, h := range tg.all {
			names := slices.Clone(h.Parents)
			if h.Seq > 1 {
				names = append(names, dag.Ref{Device: h.Device, Seq: h.Seq - 1, Hash: h.Prev.Short()})
			}
			for _, r := range names {
				if p := byRef[r]; !dag.Less(p.Place(), h.Place()) || dag.Less(h.Place(), p.Place()) || p.Lamport >= h.Lamport {
					t.Fatalf("seed %d: %v is displayed before %v, which it names", seed, h.Place(), p.Place())
				}
			}
		}
	}
}

func TestSameGraphForEveryArrival(t *testing.T) {
	for seed := range uint64(40) {
		rng := rand.New(rand.NewPCG(seed, 1))
		tg := newTangle(t, rng, 4, 80, seed%2 == 1)
		var want summary
		for try := range 6 {
			g := dag.NewGraph(genesis)
			order := slices.Clone(tg.all)
			if try > 0 {
				rng.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
				order = append(order, order[:10]...) // some come twice
			}
			seen := make(map[dag.Ref]bool)
			for _, h := range order {
				added, err := g.Add(h)
				if err != nil {
					t.Fatalf("seed %d: %v", seed, err)
				}
				for _, r := range added {
					if seen[r] {
						t.Fatalf("seed %d: %v became checked twice", seed, r)
					}
					seen[r] = true
				}
			}
			if got := summarize(g); try == 0 {
				want = got
			} else if !got.equal(want) {
				t.Fatalf("seed %d: arrival order changed the graph", seed)
			}
			if len(seen) != len(tg.all) || g.Len() != len(tg.all) || len(g.Missing()) != 0 {
				t.Fatalf("seed %d: %d of %d checked, missing %v", seed, len(seen), len(tg.all), g.Missing())
			}
		}
	}
}

// TestFalseEntriesChangeNothing mixes false entries, and what names them, into
// every order of arrival: each is refused or withdrawn in the end, and the
// graph is that of the true ones.
func TestFalseEntriesChangeNothing(t *testing.T) {
	for seed := range uint64(30) {
		rng := rand.New(rand.NewPCG(seed, 7))
		tg := newTangle(t, rng, 4, 60, seed%2 == 1)
		honest := dag.NewGraph(genesis)
		for _, h := range tg.all {
			if _, err := honest.Add(h); err != nil {
				t.Fatal(err)
			}
		}
		want := summarize(honest)
		mixed := slices.Clone(tg.all)
		for _, h := range tg.all {
			if rng.IntN(3) == 0 {
				mixed = append(mixed, falseFamily(tg, rng, h)...)
			}
		}
		for range 4 {
			rng.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
			g := dag.NewGraph(genesis)
			refused := 0
			for _, h := range mixed {
				if _, err := g.Add(h); err != nil {
					refused++
				}
			}
			refused += len(g.Withdrawn())
			if !summarize(g).equal(want) || len(g.Missing()) != 0 {
				t.Fatalf("seed %d: the graph differs; missing %v", seed, g.Missing())
			}
			if refused != len(mixed)-len(tg.all) {
				t.Fatalf("seed %d: %d refused of %d", seed, refused, len(mixed)-len(tg.all))
			}
		}
	}
}

// falseFamily returns h with a false claim, the next entry after it, and one of
// another device that names it.
func falseFamily(tg tangle, rng *rand.Rand, h *dag.Header) []*dag.Header {
	author, other := tg.writers[0], tg.writers[0]
	for _, w := range tg.writers {
		if w.id == h.Device {
			author = w
		} else {
			other = w
		}
	}
	bad := author.resign(h, func(h *dag.Header) {
		if rng.IntN(2) == 0 {
			h.Lamport += 1 + rng.Uint64N(5)
		} else {
			h.Order = genesis
		}
	})
	next := author.resign(bad, func(h *dag.Header) {
		h.Seq, h.Prev, h.Parents, h.Lamport, h.Order = h.Seq+1, bad.Hash(), nil, bad.Lamport+1, bad.Order+1
	})
	beside := other.resign(next, func(h *dag.Header) {
		h.Device, h.Seq, h.Prev, h.Parents = other.id, 1, wire.EntryHash{}, []dag.Ref{bad.Ref()}
	})
	return []*dag.Header{bad, next, beside}
}

func TestAddedIsCausal(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	tg := newTangle(t, rng, 4, 100, true)
	byRef := make(map[dag.Ref]*dag.Header)
	for _, h := range tg.all {
		byRef[h.Ref()] = h
	}
	g := dag.NewGraph(genesis)
	done := make(map[dag.Ref]bool)
	for _, h := range slices.Backward(tg.all) {
		added, err := g.Add(h)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range added {
			for _, p := range byRef[r].Parents {
				if !done[p] {
					t.Fatalf("%v came before its parent %v", r, p)
				}
			}
			done[r] = true
		}
	}
}

func TestSuffixConverges(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 2))
		tg := newTangle(t, rng, 4, 100, seed%2 == 1)
		for range 4 {
			for _, a := range tg.writers {
				for _, b := range tg.writers {
					a.pull(t, b, 1000)
				}
			}
		}
		for _, w := range tg.writers[1:] {
			if w.graph.FrontierDigest() != tg.writers[0].graph.FrontierDigest() {
				t.Fatalf("seed %d: frontiers differ", seed)
			}
			if rest := w.graph.Suffix(tg.writers[0].graph.Frontier(), 10); len(rest) != 0 {
				t.Fatalf("seed %d: equal frontiers, yet a suffix of %v", seed, rest)
			}
		}
	}
}

func TestSuffixOrderAndLimit(t *testing.T) {
	tg := newTangle(t, rand.New(rand.NewPCG(9, 9)), 5, 150, true)
	g := dag.NewGraph(genesis)
	byRef := make(map[dag.Ref]*dag.Header)
	for _, h := range tg.all {
		byRef[h.Ref()] = h
		if _, err := g.Add(h); err != nil {
			t.Fatal(err)
		}
	}
	all := g.Suffix(nil, 1000)
	if len(all) != len(tg.all) {
		t.Fatalf("%d of %d", len(all), len(tg.all))
	}
	fresh := dag.NewGraph(genesis)
	for i, r := range all {
		if i > 0 && byRef[all[i-1]].Lamport > byRef[r].Lamport {
			t.Fatal("lamport falls")
		}
		if added, err := fresh.Add(byRef[r]); err != nil || len(added) != 1 {
			t.Fatalf("entry %d of the suffix had to wait: %v %v", i, added, err)
		}
	}
	if got := g.Suffix(nil, 7); !slices.Equal(got, all[:7]) {
		t.Errorf("limit 7 gives %v", got)
	}
	if got := g.Suffix(g.Frontier(), 7); len(got) != 0 {
		t.Errorf("suffix of the own frontier: %v", got)
	}
}

func TestFrontierCovers(t *testing.T) {
	a := newWriter("ann")
	first, second := a.say(t, 0), a.say(t, 0)
	f := a.graph.Frontier()
	other := dag.Ref{Device: a.id, Seq: 2}
	beyond := dag.Ref{Device: a.id, Seq: 3}
	if !f.Covers(first.Ref()) || !f.Covers(second.Ref()) || f.Covers(other) || f.Covers(beyond) || f.Covers(dag.Ref{Seq: 1}) {
		t.Error("Covers is wrong")
	}
	if !a.graph.Has(first.Ref()) || a.graph.Has(other) {
		t.Error("Has is wrong")
	}
	if a.graph.FrontierDigest() != f.Digest() {
		t.Error("digests differ")
	}
	got, err := dag.ParseFrontier(f.Marshal())
	if err != nil || len(got) != 1 || got[a.id] != f[a.id] {
		t.Errorf("frontier came back as %v, %v", got, err)
	}
}
