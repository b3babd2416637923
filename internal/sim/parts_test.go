package sim_test

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"testing"

	"kith/internal/group"
	"kith/internal/sim"
	"kith/internal/wire"
)

// TestStoredParts: a machine made again reads the headers that are in no part of its graph, and of
// what is not as it was written it reads all. What it holds is the same.
func TestStoredParts(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, cleo := nodes[0], nodes[2]
	for i := range 10 {
		for _, n := range nodes {
			must(t, n.Say(g, fmt.Sprint(i)))
			w.Run(1000)
		}
	}
	twin := twoFaces(t, w, cleo, g, false)[1]
	for i := range 8 {
		must(t, cleo.Say(g, fmt.Sprint("more ", i)))
		w.Run(1000)
	}
	read, all := headersRead(t, ann, g)
	if read > 3*8 || all != 38 {
		t.Errorf("%d of %d headers are read", read, all)
	}
	w.Deliver(cleo, ann, g, entries(twin)) // below what the parts have of Cleo's log
	if n := len(ann.Groups[g].Records[group.KindBeside]); n != 1 {
		t.Errorf("%d entries stand beside the parts", n)
	}
	same(t, ann, g)
	for i := range 6 {
		must(t, ann.Say(g, fmt.Sprint("at last ", i)))
		w.Run(1000)
	}
	if n := len(ann.Groups[g].Records[group.KindBeside]); n != 0 {
		t.Errorf("%d entries still stand beside the parts", n)
	}
	same(t, ann, g)

	parts := ann.Groups[g].Records[group.KindPart]
	if len(parts) < 5 {
		t.Fatalf("%d parts", len(parts))
	}
	good := maps.Clone(parts)
	for name, damage := range map[string]func(){
		"none, as in a home from before": func() { clear(parts) },
		"one is gone":                    func() { delete(parts, string([]byte{0, 0, 0, 2})) },
		"the last is gone":               func() { delete(parts, string([]byte{0, 0, 0, byte(len(good) - 2)})) },
		"a bit of one is another":        func() { flip(parts, string([]byte{0, 0, 0, 1}), 70) },
		"of another membership":          func() { flip(parts, "", 40) },
		"cut short":                      func() { parts[""] = parts[""][:20] },
	} {
		damage()
		if read, all := headersRead(t, ann, g); read < all {
			t.Errorf("%s: %d of %d headers are read", name, read, all)
		}
		same(t, ann, g)
		clear(parts)
		maps.Copy(parts, good)
	}

	flip(parts, "", 40)
	ann.Stop()
	ann.Start() // which writes them anew
	if read, all := headersRead(t, ann, g); read == all {
		t.Error("no parts were written in place of the damaged ones")
	}
	same(t, ann, g)
	w.Run(60_000)
	must(t, ann.Say(g, "still here"))
	w.Run(1000)
	if got := cleo.Texts(g); len(got) == 0 || got[len(got)-1] != "still here" {
		t.Errorf("Cleo sees %q", got)
	}
}

func flip(table map[string][]byte, key string, at int) {
	b := bytes.Clone(table[key])
	b[at] ^= 1
	table[key] = b
}

// headersRead is how many headers a start reads, and how many there are.
func headersRead(t *testing.T, n *sim.Node, g wire.GroupID) (read, all int) {
	t.Helper()
	from := records(n, g)
	_, err := group.LoadBy(n.Self, func(k group.Kind, key []byte, each func(group.Record) error) error {
		return from(k, func(r group.Record) error {
			if bytes.Compare(r.Key, key) < 0 {
				return nil
			}
			if k == group.KindEntry {
				read++
			}
			return each(r)
		})
	})
	must(t, err)
	return read, len(n.Groups[g].Records[group.KindEntry])
}

// same checks that a machine made of what is stored holds the entries that the one does which runs.
func same(t *testing.T, n *sim.Node, g wire.GroupID) {
	t.Helper()
	m, err := group.Load(n.Self, records(n, g))
	must(t, err)
	now := machine(n, g)
	if !maps.Equal(m.Frontier(), now.Frontier()) || !slices.Equal(m.Heads(), now.Heads()) {
		t.Errorf("loaded, the machine has\n%v\n%v, it runs with\n%v\n%v", m.Frontier(), m.Heads(), now.Frontier(), now.Heads())
	}
	if a, b := m.Twins(), now.Twins(); !slices.Equal(a, b) {
		t.Errorf("loaded, the machine knows the twins %v, it runs with %v", a, b)
	}
}
