package dag_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"kith/internal/dag"
	"kith/internal/wire"
)

// genesis is the created_at of the test group, in ms.
const genesis = 1_700_000_000_000

// A writer is a device with its own graph and every header it holds.
type writer struct {
	key     ed25519.PrivateKey
	id      wire.DeviceID
	graph   *dag.Graph
	headers map[dag.Ref]*dag.Header
}

func newWriter(name string) *writer {
	seed := sha256.Sum256([]byte(name))
	key := ed25519.NewKeyFromSeed(seed[:])
	return &writer{
		key:     key,
		id:      wire.Device(key.Public().(ed25519.PublicKey)),
		graph:   dag.NewGraph(genesis),
		headers: make(map[dag.Ref]*dag.Header),
	}
}

func (w *writer) sign(label wire.Label, content []byte) []byte {
	return wire.Sign(w.key, label, content)
}

func publicKey(w *writer) ed25519.PublicKey { return w.key.Public().(ed25519.PublicKey) }

// draft returns the next header of w, not signed and not in its graph.
func (w *writer) draft(now uint64) *dag.Header {
	p := w.graph.Next(w.id, now)
	return &dag.Header{
		Version: dag.Version, Suite: 1, SigAlg: wire.SigEd25519,
		Device: w.id, Seq: p.Seq, Prev: p.Prev, Parents: p.Parents,
		Lamport: p.Lamport, Order: p.Order, Time: now,
	}
}

// say appends an entry to w's log.
func (w *writer) say(t testing.TB, now uint64) *dag.Header {
	t.Helper()
	h := w.draft(now)
	h.Sign(w.sign)
	w.take(t, h)
	return h
}

// take gives h to w's graph and fails the test if it is refused.
func (w *writer) take(t testing.TB, h *dag.Header) []dag.Ref {
	t.Helper()
	added, err := w.graph.Add(h)
	if err != nil {
		t.Fatalf("Add: %v", err)
	}
	w.headers[h.Ref()] = h
	return added
}

// pull gives w what from has and w lacks, by frontier and then by name.
func (w *writer) pull(t testing.TB, from *writer, limit int) {
	t.Helper()
	for _, r := range from.graph.Suffix(w.graph.Frontier(), limit) {
		w.take(t, from.headers[r])
	}
	for again := true; again; {
		again = false
		for _, r := range w.graph.Missing() {
			if h := from.headers[r]; h != nil {
				w.take(t, h)
				again = true
			}
		}
	}
}

// resign signs a header again after a change.
func (w *writer) resign(h *dag.Header, change func(*dag.Header)) *dag.Header {
	c := *h
	c.Parents = slices.Clone(h.Parents)
	change(&c)
	c.Sign(w.sign)
	return &c
}

// wantReason fails the test unless err refuses by reason.
func wantReason(t testing.TB, err error, reason dag.Reason) {
	t.Helper()
	var e *dag.RejectError
	if !errors.As(err, &e) || e.Reason != reason {
		t.Fatalf("got %v, want a refusal by %q", err, reason)
	}
}

// A tangle is a random set of logs.
type tangle struct {
	writers []*writer
	all     []*dag.Header // in an order of causality
}

// newTangle lets n devices write total entries with clocks that are wrong by
// any amount, and pull from each other now and then. With forks, some sign two
// entries with one seq.
func newTangle(t testing.TB, rng *rand.Rand, n, total int, forks bool) tangle {
	t.Helper()
	var tg tangle
	for i := range n {
		tg.writers = append(tg.writers, newWriter(string(rune('a'+i))))
	}
	for len(tg.all) < total {
		w := tg.writers[rng.IntN(n)]
		if rng.IntN(3) == 0 {
			w.pull(t, tg.writers[rng.IntN(n)], 1+rng.IntN(20))
		}
		h := w.draft(wildClock(rng))
		h.Sign(w.sign)
		if forks && rng.IntN(8) == 0 {
			twin := w.resign(h, func(h *dag.Header) { h.Time++ })
			tg.all = append(tg.all, twin)
			if rng.IntN(2) == 0 {
				w.take(t, twin)
			} else { // the other half of the world gets it
				o := tg.writers[rng.IntN(n)]
				o.pull(t, w, 1_000_000)
				o.take(t, twin)
			}
		}
		w.take(t, h)
		tg.all = append(tg.all, h)
	}
	return tg
}

func wildClock(rng *rand.Rand) uint64 {
	switch rng.IntN(4) {
	case 0:
		return 0
	case 1:
		return ^uint64(0)
	case 2:
		return rng.Uint64()
	}
	return genesis + rng.Uint64N(1<<40)
}

// summary is all that a graph says of itself.
type summary struct {
	n        int
	heads    []dag.Ref
	frontier []byte
	evidence [][2]dag.Ref
	suffix   []dag.Ref
}

func summarize(g *dag.Graph) summary {
	return summary{g.Len(), g.Heads(), g.Frontier().Marshal(), g.Evidence(), g.Suffix(nil, 1<<30)}
}

func (s summary) equal(o summary) bool {
	return s.n == o.n && slices.Equal(s.heads, o.heads) && bytes.Equal(s.frontier, o.frontier) &&
		slices.Equal(s.evidence, o.evidence) && slices.Equal(s.suffix, o.suffix)
}
