package dag_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"kith/internal/dag"
	"kith/internal/wire"
)

// closure says how far heads reach in each log, by walking down from each: what Delivered
// has to say.
func closure(headers map[dag.Ref]*dag.Header, heads []dag.Ref) map[wire.DeviceID]uint64 {
	up, seen := make(map[wire.DeviceID]uint64), make(map[dag.Ref]bool)
	for queue := slices.Clone(heads); len(queue) > 0; queue = queue[1:] {
		r := queue[0]
		if seen[r] {
			continue
		}
		seen[r] = true
		up[r.Device] = max(up[r.Device], r.Seq)
		h := headers[r]
		queue = append(queue, h.Parents...)
		if h.Seq > 1 {
			queue = append(queue, dag.Ref{Device: h.Device, Seq: h.Seq - 1, Hash: h.Prev.Short()})
		}
	}
	return up
}

// TestDelivered: an Ack by heads says of each log what a walk down from the heads finds,
// with forks, and whenever the log is first asked about.
func TestDelivered(t *testing.T) {
	for seed := range uint64(40) {
		rng := rand.New(rand.NewPCG(seed, 7))
		tg := newTangle(t, rng, 5, 60, seed%2 == 1)
		one := newWriter("one")
		for _, h := range tg.all {
			one.take(t, h)
			if rng.IntN(4) > 0 {
				continue
			}
			var heads []dag.Ref
			for r := range one.headers {
				if one.graph.Has(r) && rng.IntN(len(one.headers)/3+1) == 0 {
					heads = append(heads, r)
				}
			}
			a := &dag.Ack{Version: dag.AckByHeads, Heads: heads}
			if one.graph.Lacks(a) {
				t.Fatal("it lacks what it has")
			}
			want := closure(one.headers, heads)
			for _, w := range tg.writers {
				if got := one.graph.Delivered(a, w.id); got != want[w.id] {
					t.Fatalf("seed %d: %d of a log, a walk finds %d", seed, got, want[w.id])
				}
			}
			stop := tg.writers[rng.IntN(5)].id
			a.Stops = []dag.Delivered{{Device: stop, Seq: 3}}
			if got := one.graph.Delivered(a, stop); got != min(want[stop], 2) {
				t.Fatalf("seed %d: %d of a log that stops at 3", seed, got)
			}
		}
	}
}

// TestAckHeads: what a device names says what its frontier says.
func TestAckHeads(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 7))
	tg := newTangle(t, rng, 6, 80, true)
	all := newWriter("all")
	for _, h := range tg.all {
		all.take(t, h)
	}
	for _, w := range tg.writers {
		heads, stops, more := w.graph.AckHeads()
		a := &dag.Ack{Version: dag.AckByHeads, Heads: heads, Stops: stops}
		if more || len(stops) > 0 || all.graph.Lacks(a) {
			t.Fatalf("%d heads, %d stops, more: %t", len(heads), len(stops), more)
		}
		for d, tip := range w.graph.Frontier() {
			if got := all.graph.Delivered(a, d); got != tip.Seq {
				t.Errorf("%d of a log of %d", got, tip.Seq)
			}
		}
	}
	a := &dag.Ack{Version: dag.AckByHeads, Heads: []dag.Ref{{Device: all.id, Seq: 9}}}
	if !all.graph.Lacks(a) || all.graph.Delivered(a, all.id) != 0 {
		t.Error("a head that is nowhere counts")
	}
}

// TestAckOverFloor: who came in by a floor names what lies below it, and stops where the
// floor said too much.
func TestAckOverFloor(t *testing.T) {
	ann, ben := newWriter("ann"), newWriter("ben")
	var all []*dag.Header
	for range 4 {
		h := ann.say(t, genesis)
		ben.take(t, h)
		all = append(all, h, ben.say(t, genesis))
		ann.take(t, all[len(all)-1])
	}
	floor := ann.graph.Floor(func(r dag.Ref) []byte { return ann.headers[r].Bytes() })
	cat := newWriter("cat")
	if err := cat.graph.SetFloor(floor); err != nil {
		t.Fatal(err)
	}
	heads, stops, _ := cat.graph.AckHeads()
	a := &dag.Ack{Version: dag.AckByHeads, Heads: heads, Stops: stops}
	if ann.graph.Delivered(a, ann.id) != 4 || ann.graph.Delivered(a, ben.id) != 4 {
		t.Errorf("the floor of 4 and 4 counts as %d and %d", ann.graph.Delivered(a, ann.id), ann.graph.Delivered(a, ben.id))
	}
	if cat.graph.Delivered(a, ann.id) != 4 || cat.graph.Delivered(a, ben.id) != 4 {
		t.Errorf("over her floor Cat counts %d and %d", cat.graph.Delivered(a, ann.id), cat.graph.Delivered(a, ben.id))
	}
	own := &dag.Ack{Version: dag.AckByHeads, Heads: []dag.Ref{all[4].Ref()}} // what lies below is known by number
	if cat.graph.Lacks(own) || cat.graph.Delivered(own, ann.id) != 3 || cat.graph.Delivered(own, ben.id) != 0 {
		t.Error("an Ack that names what lies below a floor")
	}
	cat.graph.Lower(all[2]) // Ann's second was written after the floor
	if cat.graph.Delivered(a, ben.id) != 4 || cat.graph.Delivered(a, ann.id) == 4 {
		t.Errorf("over a floor that said too much Cat counts %d and %d", cat.graph.Delivered(a, ann.id), cat.graph.Delivered(a, ben.id))
	}
	_, stops, _ = cat.graph.AckHeads()
	if len(stops) != 1 || stops[0] != (dag.Delivered{Device: ann.id, Seq: 2}) {
		t.Errorf("after the floor was taken back it stops at %v", stops)
	}
}

func BenchmarkDelivered(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 7))
	tg := newTangle(b, rng, 20, 20_000, false)
	all := newWriter("all")
	for _, h := range tg.all {
		all.take(b, h)
	}
	heads, _, _ := tg.writers[0].graph.AckHeads()
	a := &dag.Ack{Version: dag.AckByHeads, Heads: heads}
	all.graph.Delivered(a, tg.writers[1].id)
	b.ReportAllocs()
	for b.Loop() {
		all.graph.Delivered(a, tg.writers[1].id)
	}
	b.ReportMetric(float64(len(heads)), "heads")
}
