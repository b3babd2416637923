package sim_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"kith/internal/dag"
	"kith/internal/group"
	"kith/internal/sim"
	"kith/internal/wire"
)

// What others' logs got wrong, played by a member that runs a program of its own
// (docs/assurance.md, "Attacks on messages").

// waiting counts the rows of n that wait for others.
func waiting(n *sim.Node, g wire.GroupID) (count int) {
	for _, row := range n.Groups[g].Rows {
		if row.Waiting {
			count++
		}
	}
	return count
}

// TestPoisonEntries: Cleo's log has an entry that nobody can decrypt, one that says what
// she did not commit to, one that is no content, one of a kind that nobody knows, and one
// that is empty. None holds up anything: what she and others write after them is shown,
// also after a restart, and by who was off.
func TestPoisonEntries(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo", "Dan")
	ann, ben, cleo, dan := nodes[0], nodes[1], nodes[2], nodes[3]
	must(t, ann.Say(g, "before"))
	w.Run(5000)
	dan.Stop()
	f := newForger(t, w, cleo, g)
	want := make(map[dag.Place]group.RowState)
	for _, c := range []struct {
		change func(*draft)
		state  group.RowState
	}{
		{func(d *draft) { d.spoilt = true }, group.RowDamaged},
		{func(d *draft) { d.lies = true }, group.RowDamaged},
		{func(d *draft) { d.content = []byte{0, 1, 0xff} }, group.RowDamaged},
		{func(d *draft) { d.content = group.Content{Kind: 999, Body: []byte("later")}.Bytes() }, group.RowShown},
		{func(d *draft) { d.content = nil }, group.RowDamaged},
		{nil, group.RowShown},
	} {
		want[f.next("Cleo goes on", c.change).Place()] = c.state
	}
	w.Deliver(cleo, ben, g, entries(f.log...))
	cleo.Stop()
	w.Run(5000)
	must(t, ben.Say(g, "Ben goes on"))
	w.Run(5000)
	ann.Stop()
	dan.Start() // has it all from Ben, in an answer
	w.Run(10_000)
	ann.Start()
	must(t, ann.Say(g, "Ann goes on"))
	w.Run(10_000)
	for _, n := range []*sim.Node{ann, ben, dan} {
		for _, again := range []bool{false, true} {
			if again {
				n.Stop()
				n.Start()
				w.Run(5000)
			}
			for place, state := range want {
				if row := n.Groups[g].Rows[place]; row.State != state || state == group.RowDamaged && row.Content != nil {
					t.Errorf("%s has %+v, want state %d", n.Name, row, state)
				}
			}
			texts := n.Texts(g)
			if len(texts) != 5 || !slices.Equal(slices.Concat(texts[:1], texts[2:]), []string{"before", "Cleo goes on", "Ben goes on", "Ann goes on"}) || waiting(n, g) > 0 {
				t.Errorf("%s sees %q, %d wait", n.Name, texts, waiting(n, g))
			}
		}
		if rules := accusations(n, g); len(rules) > 0 {
			t.Errorf("%s accuses %q", n.Name, rules)
		}
	}
	alike(t, g, ann, ben, dan)
}

// TestClaimedCounters: Cleo writes as Ben, and of entries that Ben has not written and
// never will (Peergos: the counters of others could be claimed, and their later messages
// were gone). Ben's own come to everybody.
func TestClaimedCounters(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	must(t, ben.Say(g, "Ben 1"))
	w.Run(5000)
	f := newForger(t, w, cleo, g)
	for seq := uint64(2); seq < 6; seq++ { // in Ben's name, with Cleo's key
		f.next("not Ben", func(d *draft) { d.Device, d.Seq, d.Prev[0], d.Parents = ben.Self.Device.ID(), seq, 1, nil })
	}
	for _, p := range f.log {
		w.Deliver(cleo, ann, g, entries(p))
	}
	if rules := accusations(ann, g); len(rules) != 4 || slices.ContainsFunc(rules, func(s string) bool { return s != "entry-signature" }) {
		t.Errorf("Ann accuses of %q", rules)
	}
	f.log = nil
	for seq := uint64(2); seq < 6; seq++ { // named in Cleo's own
		f.next("Ben said", func(d *draft) {
			d.Parents = []dag.Ref{{Device: ben.Self.Device.ID(), Seq: seq, Hash: wire.Short{byte(seq)}}}
			d.Lamport += seq
		})
	}
	for _, n := range []*sim.Node{ann, ben} {
		w.Deliver(cleo, n, g, entries(f.log...))
	}
	cleo.Stop()
	for i := range 5 {
		must(t, ben.Say(g, fmt.Sprint("Ben ", i+2)))
		w.Run(5000)
		must(t, ann.Say(g, fmt.Sprint("Ann ", i+2)))
		w.Run(5000)
	}
	for _, n := range []*sim.Node{ann, ben} {
		texts := slices.DeleteFunc(n.Texts(g), func(s string) bool { return s == "Ben said" })
		if !slices.Equal(texts, []string{"Ben 1", "Ben 2", "Ann 2", "Ben 3", "Ann 3", "Ben 4", "Ann 4", "Ben 5", "Ann 5", "Ben 6", "Ann 6"}) {
			t.Errorf("%s sees %q", n.Name, texts)
		}
		if waiting(n, g) != 4 { // Cleo's alone, for ever
			t.Errorf("%s has %d that wait", n.Name, waiting(n, g))
		}
	}
	if a, b := ann.Texts(g), ben.Texts(g); !slices.Equal(a, b) {
		t.Errorf("Ann sees %q, Ben %q", a, b)
	}
}

// TestBackLinks: a link back that leads elsewhere than to the entry before is refused, one
// to what nobody has waits, and the log that is true goes on (Peergos wrote these links and
// looked at none).
func TestBackLinks(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	must(t, cleo.Say(g, "1"))
	must(t, cleo.Say(g, "2"))
	w.Run(5000)
	first := line(t, ann, g, "1")
	h, err := dag.ParseHeader(packedAt(ann, g, first).Header)
	must(t, err)
	f := newForger(t, w, cleo, g)
	f.next("over the head of 2", func(d *draft) { d.Prev = h.Hash() })
	elsewhere := f.log
	f.log = nil
	f.next("after nothing", func(d *draft) { d.Prev = wire.EntryHash{7} })
	nowhere := f.log
	for _, n := range []*sim.Node{ann, ben} {
		w.Deliver(cleo, n, g, entries(elsewhere...))
		if rules := accusations(n, g); !slices.Equal(rules, []string{"entry-claim"}) {
			t.Errorf("%s accuses of %q", n.Name, rules)
		}
		w.Deliver(cleo, n, g, entries(nowhere...))
		if waiting(n, g) != 1 {
			t.Errorf("%s has %d that wait", n.Name, waiting(n, g))
		}
	}
	must(t, cleo.Say(g, "3"))
	w.Run(5000)
	must(t, ben.Say(g, "4"))
	w.Run(20_000)
	for _, n := range []*sim.Node{ann, ben} {
		texts := slices.DeleteFunc(n.Texts(g), func(s string) bool { return s == "after nothing" })
		if !slices.Equal(texts, []string{"1", "2", "3", "4"}) || waiting(n, g) != 1 {
			t.Errorf("%s sees %q, %d wait", n.Name, texts, waiting(n, g))
		}
	}
}

// TestRemovalInAnyOrder: Cleo's message of before her removal, the removal, and what she
// wrote when she could have known of it, come in every order. All hold one log, nobody
// waits, the first is shown by all, and the last by nobody who knew (Peergos judged by what
// came first, and honest members kept different logs for good).
func TestRemovalInAnyOrder(t *testing.T) {
	for _, order := range [][3]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
		w, nodes, g := trip(t, "Ann", "Ben", "Cleo", "Dan")
		ann, ben, cleo, dan := nodes[0], nodes[1], nodes[2], nodes[3]
		alone(w, ben)
		must(t, cleo.Say(g, "before"))
		w.Run(5000)
		before := packedAt(ann, g, line(t, ann, g, "before"))
		alone(w, cleo)
		must(t, cleo.Say(g, "late"))
		late := packedAt(cleo, g, line(t, cleo, g, "late"))
		must(t, ann.Do(g, group.Remove{Person: cleo.Self.Person}))
		chain := ann.Groups[g].Machine.Blocks()
		removal := blocks([2][]byte{chain.Header(chain.Head()).Bytes(), chain.Body(chain.Head()).Bytes()})
		w.Run(5000)
		w.Heal(ben, dan) // the one who brings it
		dan.Stop()
		dan.Start()
		three := [][]byte{entries(before), removal, entries(late)}
		for _, i := range order {
			w.Deliver(dan, ben, g, three[i])
		}
		cleo.Stop()
		w.HealAll()
		w.Run(20_000)
		must(t, ben.Say(g, "after"))
		w.Run(20_000)
		for _, n := range []*sim.Node{ann, ben, dan} {
			texts := n.Texts(g)
			if !slices.Equal(slices.DeleteFunc(slices.Clone(texts), func(s string) bool { return s == "late" }), []string{"before", "after"}) || waiting(n, g) > 0 {
				t.Errorf("%v: %s sees %q, %d wait", order, n.Name, texts, waiting(n, g))
			}
			if n != ben && slices.Contains(texts, "late") {
				t.Errorf("%v: %s, who knew, sees what came late", order, n.Name)
			}
			if !maps.Equal(n.Groups[g].Machine.Frontier(), ann.Groups[g].Machine.Frontier()) {
				t.Errorf("%v: %s holds another log than Ann", order, n.Name)
			}
		}
	}
}

// TestOrderDrivenAhead: Cleo drives the order of display ahead by 30 days with each of 50
// entries, four years in all. Whoever writes next stands after what it has seen, all see one
// order, and no clock is asked.
func TestOrderDrivenAhead(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	must(t, ann.Say(g, "1"))
	w.Run(5000)
	f := newForger(t, w, cleo, g)
	for range 50 {
		f.next("ahead", func(d *draft) {
			d.Time = 1 << 62
			if len(f.log) > 0 {
				d.Order += dag.MaxDrift - 1
			}
		})
	}
	w.Deliver(cleo, ben, g, entries(f.log...))
	cleo.Stop()
	if rules := accusations(ben, g); len(rules) > 0 {
		t.Fatalf("Ben accuses of %q: they are as far ahead as may be", rules)
	}
	w.Run(5000)
	for i := range 4 {
		must(t, nodes[i%2].Say(g, fmt.Sprint(i+2)))
		w.Run(5000)
	}
	alike(t, g, ann, ben)
	texts := slices.DeleteFunc(ann.Texts(g), func(s string) bool { return s == "ahead" })
	sees(t, g, slices.Concat([]string{"1"}, slices.Repeat([]string{"ahead"}, 50), []string{"2", "3", "4", "5"}), ann)
	if !slices.Equal(texts, []string{"1", "2", "3", "4", "5"}) {
		t.Errorf("Ann sees %q", texts)
	}
	f.log = nil // one more day than may be
	f.next("too far", func(d *draft) {
		d.Seq, d.Prev, d.Parents = 1, wire.EntryHash{}, nil
		d.Lamport = 1
		d.Order += 10 * dag.MaxDrift
	})
	cleo.Start()
	w.Deliver(cleo, ann, g, entries(f.log...))
	if rules := accusations(ann, g); !slices.Contains(rules, "entry-claim") {
		t.Errorf("Ann accuses of %q", rules)
	}
}

// TestMessageCostsItself: what is stored and sent with a message does not grow with the
// log (Peergos wrote its whole tail again with each).
func TestMessageCostsItself(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben")
	ann, ben := nodes[0], nodes[1]
	stored := 0
	w.After = func(_ *sim.Node, _ wire.GroupID, eff group.Effects) {
		for _, r := range eff.Write {
			stored += len(r.Key) + len(r.Value)
		}
	}
	cost := func() (int, int) {
		stored = 0
		sent, at := 0, [2]int{len(ann.Sent), len(ben.Sent)}
		must(t, ann.Say(g, "a message"))
		w.Run(5000)
		for i, n := range nodes {
			for _, p := range n.Sent[at[i]:] {
				sent += len(p.Bytes)
			}
		}
		return stored, sent
	}
	cost()
	storedFirst, sentFirst := cost()
	for i := range 1500 {
		must(t, nodes[i%2].Say(g, fmt.Sprint(i)))
		if i%50 == 0 {
			w.Run(3000)
		}
	}
	w.Run(60_000)
	storedLast, sentLast := cost()
	t.Logf("a message among 2: %d bytes stored and %d sent; among 1,500: %d and %d", storedFirst, sentFirst, storedLast, sentLast)
	if storedLast > storedFirst+storedFirst/4 || sentLast > sentFirst+sentFirst/4 {
		t.Error("a message costs more the longer the log")
	}
}

// TestEntryIsFetchedOnce: eight members hold 400 messages, and one comes who has none.
// Each is fetched once, from whomever, and so is what is said while all are there (Peergos:
// every member had every message from every other).
func TestEntryIsFetchedOnce(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo", "Dan", "Eve", "Fay", "Gus", "Hal")
	hal := nodes[7]
	hal.Stop()
	for i := range 400 {
		must(t, nodes[i%7].Say(g, fmt.Sprint(i)))
		if i%20 == 0 {
			w.Run(1000)
		}
	}
	w.Run(20_000)
	var at []int
	for _, n := range nodes {
		at = append(at, len(n.Sent))
	}
	hal.Start()
	w.Run(20_000)
	must(t, nodes[0].Say(g, "live"))
	w.Run(20_000)
	got := make(map[wire.EntryHash]map[*sim.Node]int)
	for i, n := range nodes {
		for _, p := range n.Sent[at[i]:] {
			if p.Bytes[0] != kindEntries {
				continue
			}
			r := wire.NewReader(p.Bytes[1:])
			for s := r.Sub(1 << 24); s.Len() > 0; s.Vec(1 << 20) {
				h, err := dag.ParseHeader(s.Vec(1 << 16))
				must(t, err)
				if got[h.Hash()] == nil {
					got[h.Hash()] = make(map[*sim.Node]int)
				}
				got[h.Hash()][p.To]++
			}
		}
	}
	copies, most := 0, 0
	for _, by := range got {
		for _, c := range by {
			copies, most = copies+c, max(most, c)
		}
	}
	if len(got) != 401 || most != 1 || copies != 401+6 {
		t.Errorf("%d entries came in %d copies, one of them %d times to one member", len(got), copies, most)
	}
	alike(t, g, nodes...)
	if n := len(hal.Texts(g)); n != 401 {
		t.Errorf("Hal sees %d", n)
	}
}
