package dag_test

import (
	"bytes"
	"encoding/hex"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"kith/internal/dag"
)

// parted is a graph that is written down in parts while it grows.
type parted struct {
	graph *dag.Graph
	floor *dag.Floor
	parts [][]byte
}

func newParted(t testing.TB, floor *dag.Floor) *parted {
	p := &parted{graph: dag.NewGraph(genesis), floor: floor}
	if floor != nil {
		if err := p.graph.SetFloor(*floor); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

func (p *parted) store(limit int) {
	if b := p.graph.Part(limit); b != nil {
		p.parts = append(p.parts, b)
	}
}

// restored is the graph made again from the parts.
func (p *parted) restored(t testing.TB) *dag.Graph {
	t.Helper()
	g := newParted(t, p.floor).graph
	s := g.Restore()
	for _, b := range p.parts {
		if err := s.Part(b); err != nil {
			t.Fatal(err)
		}
	}
	s.Done()
	return g
}

// TestParts: a graph made again from its parts is the graph that was written down, whatever came in
// which order, and takes in the rest as that did.
func TestParts(t *testing.T) {
	for seed := range uint64(60) {
		rng := rand.New(rand.NewPCG(seed, 77))
		tg := newTangle(t, rng, 5, 80, seed%2 == 0)
		p, headers := newParted(t, nil), slices.Clone(tg.all)
		if seed%3 == 0 { // above a floor
			w := tg.writers[0]
			f := floorOf(w)
			p = newParted(t, &f)
			for range 40 {
				w := tg.writers[rng.IntN(5)]
				w.pull(t, tg.writers[rng.IntN(5)], 30)
				headers = append(headers, w.say(t, wildClock(rng)))
			}
		}
		for i := range headers { // a little out of order, so that some wait for others
			j := min(len(headers)-1, i+rng.IntN(6))
			headers[i], headers[j] = headers[j], headers[i]
		}
		var half *dag.Graph
		for i, h := range headers {
			if seed%3 == 0 && rng.IntN(2) == 0 {
				p.graph.Lower(h)
			}
			_, _ = p.graph.Add(h)
			if rng.IntN(9) == 0 {
				p.store(1 + rng.IntN(20))
			}
			if i == len(headers)/2 {
				half = p.restored(t)
			}
		}
		p.store(1 << 20)
		if p.graph.Unstored() != 0 {
			t.Fatalf("seed %d: %d are in no part", seed, p.graph.Unstored())
		}
		again := p.restored(t)
		if want, got := dag.Describe(p.graph), dag.Describe(again); want != got {
			t.Fatalf("seed %d: %s", seed, difference(want, got))
		}
		for _, h := range headers {
			_, _ = half.Add(h)
		}
		if seed%3 != 0 && (half.FrontierDigest() != p.graph.FrontierDigest() || !slices.Equal(half.Heads(), p.graph.Heads()) || half.Len() != p.graph.Len()) {
			t.Fatalf("seed %d: from half of it the graph ends elsewhere", seed)
		}
		if next := tg.writers[1].id; !positionsEqual(p.graph.Next(next, 5), again.Next(next, 5)) {
			t.Fatalf("seed %d: the next entry stands elsewhere", seed)
		}
	}
}

func positionsEqual(a, b dag.Position) bool {
	return a.Seq == b.Seq && a.Prev == b.Prev && a.Lamport == b.Lamport && a.Order == b.Order && slices.Equal(a.Parents, b.Parents)
}

// difference is the first line in which two texts differ.
func difference(want, got string) string {
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range a {
		if i >= len(b) || a[i] != b[i] {
			return "want\n" + a[i] + "\ngot\n" + strings.Join(b[i:min(i+1, len(b))], "\n")
		}
	}
	return "more lines"
}

// TestPartBytes: two entries of one log and one of another, spelt out.
func TestPartBytes(t *testing.T) {
	ann, ben := newWriter("ann"), newWriter("ben")
	p := newParted(t, nil)
	for _, w := range []*writer{ann, ben, ann} {
		for _, o := range []*writer{ann, ben} {
			w.pull(t, o, 10)
		}
		if _, err := p.graph.Add(w.say(t, genesis+7)); err != nil {
			t.Fatal(err)
		}
	}
	var hashes, shorts []string
	for _, w := range []*writer{ann, ben, ann} {
		seq := uint64(len(hashes)/2 + 1)
		for r, h := range ann.headers {
			if r.Device == w.id && r.Seq == seq {
				whole := h.Hash()
				hashes = append(hashes, hex.EncodeToString(whole[:]))
				shorts = append(shorts, hex.EncodeToString(whole[:16]))
			}
		}
	}
	zero := strings.Repeat("00", 32)
	want := strings.Join([]string{
		"00000000",       // from the first entry on
		"00000001", zero, // one block
		"00000002", // two logs
		hex.EncodeToString(ann.id[:]), hashes[2], "01", "0000000000000000", "0000000000000001",
		hex.EncodeToString(ben.id[:]), hashes[1], "01", "0000000000000000", "0000000000000001",
		"00000003", // three entries
		"00000000", "00", "0000000000000001", "0000018bcfe56807", shorts[0], "00000000", "00",
		"00000001", "00", "0000000000000002", "0000018bcfe56808", shorts[1], "00000000", "01", "00000000",
		"00000000", "00", "0000000000000003", "0000018bcfe56809", shorts[2], "00000000", "02", "00000000", "00000001",
	}, "")
	p.store(10)
	if got := hex.EncodeToString(p.parts[0]); got != want {
		t.Errorf("\n%s, want\n%s", got, want)
	}
	p.store(10)
	if len(p.parts) != 1 {
		t.Error("a part of nothing")
	}
	for _, false := range [][]byte{nil, p.parts[0][:len(p.parts[0])-1], append(bytes.Clone(p.parts[0]), 0)} {
		if err := dag.NewGraph(genesis).Restore().Part(false); err == nil {
			t.Errorf("%d bytes are taken", len(false))
		}
	}
	s := dag.NewGraph(genesis).Restore()
	if err := s.Part(p.parts[0]); err != nil {
		t.Error(err)
	}
	if err := s.Part(p.parts[0]); err == nil {
		t.Error("a part is taken twice")
	}
}

func FuzzPart(f *testing.F) {
	tg := newTangle(f, rand.New(rand.NewPCG(1, 1)), 3, 12, true)
	p := newParted(f, nil)
	for _, h := range tg.all {
		_, _ = p.graph.Add(h)
	}
	p.store(100)
	f.Add(p.parts[0])
	f.Fuzz(func(t *testing.T, b []byte) {
		if got, err := dag.Reparted(genesis, b); err == nil && !bytes.Equal(got, b) {
			t.Errorf("%x comes back as %x", b, got)
		}
	})
}
