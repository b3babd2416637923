package sim_test

import (
	"fmt"
	"testing"

	"kith/internal/group"
	"kith/internal/sim"
	"kith/internal/wire"
)

// TestBlockComesOnce: a block that somebody makes comes to each of 20 connected members once or a
// little more often, on quick lines and on slow ones.
func TestBlockComesOnce(t *testing.T) {
	for _, slow := range []uint64{40, 900} {
		t.Run(fmt.Sprint(slow), func(t *testing.T) { blockComesOnce(t, slow) })
	}
}

func blockComesOnce(t *testing.T, slow uint64) {
	w := sim.New(1)
	w.Delay = func() uint64 { return 1 + w.Rand.Uint64N(slow) }
	nodes, g := grown(t, w, 20)
	guest := w.Add("guest")
	for _, change := range []struct {
		name string
		by   *sim.Node
		do   group.Cause
	}{
		{"title", nodes[0], group.SetTitle{Title: "New"}},
		{"rekey", nodes[7], group.Rekey{}},
		{"role", nodes[0], group.SetRole{Person: nodes[3].Self.Person, Role: 1}},
		{"invite", nodes[0], group.Invite{Newcomers: []group.Newcomer{guest.Newcomer()}}},
		{"remove", nodes[0], group.Remove{Person: nodes[19].Self.Person}},
	} {
		var gone *sim.Node
		total, one := 0, 0
		got := make(map[*sim.Node]bool)
		w.Arrived = func(p sim.Payload) {
			if p.Bytes[0] == kindBlocks && p.To != gone {
				total, one = total+len(p.Bytes), max(one, len(p.Bytes))
				got[p.To] = true
			}
		}
		if r, ok := change.do.(group.Remove); ok && r.Person == nodes[19].Self.Person {
			gone = nodes[19] // everybody tells it that it is removed
		}
		must(t, change.by.Do(g, change.do))
		w.Run(5_000)
		t.Logf("%-7s %6d bytes, %4.2f copies each", change.name, one, float64(total)/float64(one*len(got)))
		if total > one*len(got)*13/10 {
			t.Errorf("%s: %d bytes of blocks for one of %d to %d members", change.name, total, one, len(got))
		}
		for _, n := range nodes[:19] {
			if n.Groups[g].Machine.Head() != change.by.Groups[g].Machine.Head() {
				t.Errorf("%s: %s has another head", change.name, n.Name)
			}
		}
		w.Run(20_000)
	}
}

// grown is a group of so many members who all are there and have accepted.
func grown(t *testing.T, w *sim.World, members int) (nodes []*sim.Node, g wire.GroupID) {
	t.Helper()
	var names []string
	for i := range members {
		names = append(names, fmt.Sprint("member ", i))
	}
	nodes, g = invited(w, "Many", names...)
	w.Run(5_000)
	for _, n := range nodes[1:] {
		must(t, n.Do(g, group.Accept{}))
		w.Run(100)
	}
	w.Run(300_000)
	return nodes, g
}

// TestBlockAlongALine: where nobody but the neighbours is connected, a block takes well under a
// second from one to the next.
func TestBlockAlongALine(t *testing.T) {
	w := sim.New(1)
	nodes, g := grown(t, w, 6)
	inLine(w, nodes)
	w.Run(10_000)
	came := make(map[*sim.Node]uint64)
	must(t, nodes[0].Do(g, group.Rekey{}))
	said, head := w.Now, nodes[0].Groups[g].Machine.Head()
	w.After = func(n *sim.Node, _ wire.GroupID, _ group.Effects) {
		if came[n] == 0 && n.Groups[g].Machine.Head() == head {
			came[n] = w.Now - said
		}
	}
	w.Run(10_000)
	for i, n := range nodes[1:] {
		t.Logf("%s has it after %d ms", n.Name, came[n])
		if came[n] == 0 || came[n] > uint64(i+1)*400 {
			t.Errorf("%s has it after %d ms", n.Name, came[n])
		}
	}
}

func inLine(w *sim.World, nodes []*sim.Node) {
	for i, a := range nodes {
		for _, b := range nodes[:max(0, i-1)] {
			w.Cut(a, b)
		}
	}
}

// TestWithheldBlockIsGivenByAnother: the author of a block reaches some, and those who tell others of
// it and do not give it hold nobody up for long.
func TestWithheldBlockIsGivenByAnother(t *testing.T) {
	w := sim.New(1)
	nodes, g := grown(t, w, 8)
	ann, last := nodes[0], nodes[7]
	w.Cut(ann, last)
	for _, liar := range nodes[1:4] {
		liar.Withhold(func(to *sim.Node, kind byte) bool { return to == last && kind == kindBlocks })
	}
	ann.Withhold(func(to *sim.Node, kind byte) bool {
		return kind == kindBlocks && to != nodes[1] && to != nodes[2] && to != nodes[3] && to != nodes[4]
	})
	must(t, ann.Do(g, group.Rekey{}))
	w.Run(12_000)
	for _, n := range nodes {
		if n.Groups[g].Machine.Head() != ann.Groups[g].Machine.Head() {
			t.Errorf("%s has not got the block", n.Name)
		}
	}
}

// TestBlockReachesOlderPrograms: who does not read news of blocks gets them, by its author and by others.
func TestBlockReachesOlderPrograms(t *testing.T) {
	w := sim.New(1)
	var newcomers []group.Newcomer
	var nodes []*sim.Node
	for i := range 6 {
		nodes = append(nodes, w.Add("member "+string(rune('a'+i))))
		if i%2 == 1 {
			nodes[i].Self.Omits = group.FeatureBlockNews
		}
		if i > 0 {
			newcomers = append(newcomers, nodes[i].Newcomer())
		}
	}
	g := nodes[0].Create(group.CreateParams{Title: "Old and new", Newcomers: newcomers})
	w.Run(5_000)
	for _, n := range nodes[1:] {
		must(t, n.Do(g, group.Accept{}))
	}
	w.Run(10_000)
	inLine(w, nodes)
	w.Arrived = func(p sim.Payload) {
		if kind := p.Bytes[0]; (kind == 35 || kind == 36) && (p.To.Self.Omits != 0 || p.From.Self.Omits != 0) {
			t.Errorf("%s sends a frame of kind %d to %s", p.From.Name, kind, p.To.Name)
		}
	}
	for _, by := range []*sim.Node{nodes[0], nodes[5]} {
		must(t, by.Do(g, group.Rekey{}))
		w.Run(5_000)
		for _, n := range nodes {
			if n.Groups[g].Machine.Head() != by.Groups[g].Machine.Head() {
				t.Errorf("%s has not got the block of %s", n.Name, by.Name)
			}
		}
	}
}

// TestSlowBlock: who tells of a block that takes a while on its way is sent no chain meanwhile.
func TestSlowBlock(t *testing.T) {
	const askBlocks = 36
	w := sim.New(1)
	nodes, g := grown(t, w, 3)
	ann := nodes[0]
	for _, n := range nodes {
		n.Sent = nil
	}
	ann.Withhold(func(_ *sim.Node, kind byte) bool { return kind == kindBlocks })
	must(t, ann.Do(g, group.Rekey{}))
	w.Run(2_000)
	ann.Withhold(func(*sim.Node, byte) bool { return true })
	w.Run(20_000)
	asked := 0
	for _, n := range nodes[1:] {
		for _, p := range n.Sent {
			switch {
			case p.To != ann:
			case p.Bytes[0] == askBlocks:
				asked++
			case p.Bytes[0] == kindBlocks:
				t.Errorf("%s sends %d bytes of blocks to who is giving one", n.Name, len(p.Bytes))
			}
		}
	}
	if asked == 0 {
		t.Error("nobody asked")
	}
}
