package dag_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"kith/internal/dag"
)

// before returns refs and all that lies before them, by following what each names.
func before(headers map[dag.Ref]*dag.Header, refs []dag.Ref) map[dag.Ref]bool {
	seen := make(map[dag.Ref]bool)
	for queue := slices.Clone(refs); len(queue) > 0; {
		r := queue[0]
		queue = queue[1:]
		h := headers[r]
		if h == nil || seen[r] {
			continue
		}
		seen[r] = true
		if h.Seq > 1 {
			queue = append(queue, dag.Ref{Device: h.Device, Seq: h.Seq - 1, Hash: h.Prev.Short()})
		}
		queue = append(queue, h.Parents...)
	}
	return seen
}

// TestBeyond: what the walk by colours finds is the difference of the two sets, the
// newest first, and a part of it is its newest part.
func TestBeyond(t *testing.T) {
	for seed := range uint64(60) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 7))
			tg := newTangle(t, rng, 2+rng.IntN(6), 20+rng.IntN(120), seed%2 == 1)
			for range 10 {
				a, b := tg.writers[rng.IntN(len(tg.writers))], tg.writers[rng.IntN(len(tg.writers))]
				theirs := b.graph.Heads()
				have := before(a.headers, theirs)
				var want []*dag.Header
				for r, h := range a.headers {
					if a.graph.Has(r) && !have[r] {
						want = append(want, h)
					}
				}
				slices.SortFunc(want, func(x, y *dag.Header) int {
					if dag.Less(y.Place(), x.Place()) {
						return -1
					}
					return 1
				})
				most, effort := 1+rng.IntN(len(want)+2), 1+rng.IntN(200)
				found, whole := a.graph.Beyond(theirs, most, effort)
				for _, r := range found {
					if !slices.ContainsFunc(want, func(h *dag.Header) bool { return h.Ref() == r }) {
						t.Fatalf("%v is not beyond", r)
					}
				}
				if slices.SortFunc(found, dag.Ref.Compare); whole && len(found) != len(want) || len(slices.Compact(found)) != len(found) {
					t.Fatalf("found %d of %d", len(found), len(want))
				}
				got, whole := a.graph.NewestBeyond(theirs, most, effort)
				if len(got) > most || len(got) > len(want) || whole != (len(got) == len(want)) && (whole || most > len(want) && effort > len(a.headers)) {
					t.Fatalf("%d of %d, whole %v, with most %d, effort %d of %d", len(got), len(want), whole, most, effort, len(a.headers))
				}
				for i, r := range got { // of two with one order, the one here first may come last
					if r != want[i].Ref() && a.headers[r].Order != want[i].Order {
						t.Fatalf("%d: %v, want %v", i, r, want[i].Ref())
					}
				}
				a.graph.ByCausality(got)
				at := make(map[dag.Ref]int)
				for i, r := range got {
					at[r] = i + 1
				}
				for i, r := range got {
					for _, p := range a.headers[r].Parents {
						if at[p] > i+1 {
							t.Fatalf("%v comes before %v, which it names", r, p)
						}
					}
				}
			}
		})
	}
}

// TestBeyondOwnHeads: nothing is beyond one's own heads, everything beyond none, and
// what nobody wrote counts for nothing.
func TestBeyondOwnHeads(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	w := newTangle(t, rng, 4, 80, true).writers[0]
	if refs, whole := w.graph.Beyond(w.graph.Heads(), 10, 10_000); len(refs) != 0 || !whole {
		t.Errorf("%d beyond its own heads, whole %v", len(refs), whole)
	}
	refs, whole := w.graph.Beyond([]dag.Ref{{Seq: 7}}, 1000, 10_000)
	if len(refs) != w.graph.Len() || !whole {
		t.Errorf("%d of %d beyond nothing, whole %v", len(refs), w.graph.Len(), whole)
	}
}

// TestBeyondFloor: who came in by a floor finds the difference with others, and all
// of its own.
func TestBeyondFloor(t *testing.T) {
	ann, ben := newWriter("ann"), newWriter("ben")
	for i := range 10 {
		ann.say(t, genesis+uint64(i))
		ben.pull(t, ann, 100)
		ben.say(t, genesis+uint64(i))
		ann.pull(t, ben, 100)
	}
	cleo := newWriter("cleo")
	if err := cleo.graph.SetFloor(floorOf(ann)); err != nil {
		t.Fatal(err)
	}
	before := cleo.graph.Heads()
	h := cleo.say(t, genesis+100)
	ann.take(t, h)
	for name, g := range map[string]*dag.Graph{"who has all": ann.graph, "the newcomer": cleo.graph} {
		if refs, whole := g.Beyond(before, 10, 1000); len(refs) != 1 || refs[0] != h.Ref() || !whole {
			t.Errorf("%s: %v beyond the floor, whole %v", name, refs, whole)
		}
	}
	if refs, whole := ann.graph.Beyond(cleo.graph.Heads(), 10, 1000); len(refs) != 0 || !whole {
		t.Errorf("%d are beyond the newcomer's heads", len(refs))
	}
}

// TestStretch: stretches one after the other are the suffix, whatever cuts them.
func TestStretch(t *testing.T) {
	for seed := range uint64(40) {
		rng := rand.New(rand.NewPCG(seed, 9))
		tg := newTangle(t, rng, 2+rng.IntN(6), 20+rng.IntN(120), false)
		a, b := tg.writers[0], tg.writers[1]
		theirs := b.graph.Frontier()
		want := a.graph.Suffix(theirs, 1<<20)
		var got []dag.Ref
		top := a.graph.Top()
		for from := (dag.Spot{}); ; {
			to := min(top, from.Lamport+uint64(rng.IntN(20)))
			refs, more := a.graph.Stretch(theirs, dag.Range{From: from, To: to}, 1+rng.IntN(10))
			got = append(got, refs...)
			switch {
			case more:
				from = a.graph.SpotOf(refs[len(refs)-1])
				continue
			case to < top:
				from = dag.Spot{Lamport: to + 1}
				// what has that lamport and the smallest of devices comes after it
				continue
			}
			break
		}
		if !slices.Equal(got, want) {
			t.Fatalf("seed %d: %d in stretches, %d at once", seed, len(got), len(want))
		}
	}
}

// BenchmarkBeyond: ten entries are missing of a million.
func BenchmarkBeyond(b *testing.B) {
	g, size := crowd(b, 1000, 1_000_000)
	b.ReportMetric(size, "B/entry")
	all, _ := g.Beyond(nil, 11, 1<<20)
	theirs := []dag.Ref{all[10]}
	for b.Loop() {
		if refs, whole := g.Beyond(theirs, 256, 16_384); len(refs) != 10 || !whole {
			b.Fatal(len(refs), whole)
		}
	}
}
