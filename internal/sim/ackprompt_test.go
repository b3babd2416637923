package sim_test

import (
	"fmt"
	"testing"

	"kith/internal/group"
	"kith/internal/sim"
	"kith/internal/wire"
)

// Payloads by which Acks travel: statements, Acks, Ack numbers, Ack digest, marked Acks, prompt Ack,
// pass on.
var ackKinds = map[byte]bool{6: true, 28: true, 29: true, 30: true, 37: true, 43: true, 44: true}

// ticks is how many of how many others n shows to have the newest entry of by.
func ticks(n, by *sim.Node, g wire.GroupID) (reached, of int) {
	m, d := n.Groups[g].Machine, by.Self.Device.ID()
	list, all := m.Delivered(d, m.Frontier()[d].Seq)
	return len(list), len(all)
}

// TestAckGoesToWhoWaits: who wrote sees within seconds that all have it; of others' Acks each gets
// few bytes, and all in the end.
func TestAckGoesToWhoWaits(t *testing.T) {
	w := sim.New(1)
	nodes, g := grown(t, w, 10)
	acks, entries := 0, 0
	w.Arrived = func(p sim.Payload) {
		switch kind := p.Bytes[0]; {
		case ackKinds[kind]:
			acks += len(p.Bytes)
		case kind == kindEntries:
			entries += len(p.Bytes)
		}
	}
	for i := range 40 {
		by := nodes[w.Rand.IntN(10)]
		must(t, by.Say(g, fmt.Sprint("message ", i)))
		w.Run(4_000)
		if reached, of := ticks(by, by, g); reached != of || of != 9 {
			t.Fatalf("after 4 s %s sees that %d of %d have message %d", by.Name, reached, of, i)
		}
		w.Run(26_000)
	}
	t.Logf("%.2f bytes of Acks for each byte of an entry", float64(acks)/float64(entries))
	if acks*5 > entries {
		t.Errorf("%d bytes of Acks for %d of entries", acks, entries)
	}
	allKnow(t, w, g, nodes)
}

// allKnow checks that after an hour everybody knows of each newest message that all have it.
func allKnow(t *testing.T, w *sim.World, g wire.GroupID, nodes []*sim.Node) {
	t.Helper()
	w.Run(3_600_000)
	for _, n := range nodes {
		for _, o := range nodes {
			if reached, of := ticks(n, o, g); reached != of {
				t.Errorf("after an hour %s sees that %d of %d have what %s wrote", n.Name, reached, of, o.Name)
			}
		}
	}
}

// TestAckAlongALine: where only neighbours are connected who wrote sees within seconds that the
// other end has it, in both directions, and after somebody on the way was killed.
func TestAckAlongALine(t *testing.T) {
	w := sim.New(1)
	nodes, g := grown(t, w, 5)
	inLine(w, nodes)
	w.Run(60_000)
	says := func(by *sim.Node) {
		t.Helper()
		must(t, by.Say(g, "hello"))
		w.Run(7_000)
		if reached, of := ticks(by, by, g); reached != of || of != 4 {
			t.Errorf("%s sees that %d of %d have it", by.Name, reached, of)
		}
	}
	for _, by := range []*sim.Node{nodes[0], nodes[4], nodes[2], nodes[0]} {
		says(by)
	}
	nodes[2].Stop()
	must(t, nodes[0].Say(g, "while one is away"))
	w.Run(10_000)
	if reached, _ := ticks(nodes[0], nodes[0], g); reached != 1 {
		t.Errorf("%d have it, want 1", reached)
	}
	nodes[2].Start()
	w.Run(10_000)
	if reached, of := ticks(nodes[0], nodes[0], g); reached != of {
		t.Errorf("after it came back %d of %d have it", reached, of)
	}
	says(nodes[0])
	allKnow(t, w, g, nodes)
}

// TestAckOfWhoWasKilled: who was killed before it could sign its Ack, or who wrote and went away
// before the Acks came: once they meet again, the Ack is given within seconds.
func TestAckOfWhoWasKilled(t *testing.T) {
	w := sim.New(1)
	nodes, g := grown(t, w, 6)
	ann := nodes[0]
	must(t, ann.Say(g, "one"))
	w.Run(1_000)
	for _, n := range nodes[1:4] {
		n.Stop()
		n.Start()
	}
	w.Run(5_000)
	if reached, of := ticks(ann, ann, g); reached != of {
		t.Errorf("after some were killed %d of %d have it", reached, of)
	}
	must(t, ann.Say(g, "two"))
	w.Run(500)
	ann.Stop()
	w.Run(120_000)
	ann.Start()
	w.Run(5_000)
	if reached, of := ticks(ann, ann, g); reached != of {
		t.Errorf("after Ann was away %d of %d have it", reached, of)
	}
}

// TestLostSessionIsTold: who lost the session with an author just when that one wrote is told of it
// by others, who took it to be getting that.
func TestLostSessionIsTold(t *testing.T) {
	w := sim.New(1)
	nodes, g := grown(t, w, 6)
	ann, dan := nodes[0], nodes[3]
	ann.Withhold(func(to *sim.Node, _ byte) bool { return to == dan })
	must(t, ann.Say(g, "hello"))
	w.Run(5_000)
	if len(dan.Texts(g)) > 0 {
		t.Fatal("Dan has it")
	}
	w.Cut(ann, dan)
	w.Run(5_000)
	if len(dan.Texts(g)) == 0 {
		t.Error("Dan has lost the session with Ann, and nobody told it what Ann wrote")
	}
}

// TestWithheldEntryIsTold: an author that says to have a session with all, and gives what it writes to
// one, keeps it from nobody for long.
func TestWithheldEntryIsTold(t *testing.T) {
	w := sim.New(1)
	nodes, g := grown(t, w, 6)
	nodes[0].Withhold(func(to *sim.Node, kind byte) bool { return to != nodes[1] && kind == kindEntries })
	must(t, nodes[0].Say(g, "hello"))
	w.Run(300_000)
	for _, n := range nodes {
		if len(n.Texts(g)) == 0 {
			t.Errorf("%s does not have it", n.Name)
		}
	}
}

// TestAllKnowWhoAccepted: of 50 who accept at once each knows of each within seconds.
func TestAllKnowWhoAccepted(t *testing.T) {
	w := sim.New(1)
	var newcomers []group.Newcomer
	for i := range 50 {
		n := w.Add(fmt.Sprint("member ", i))
		if i > 0 {
			newcomers = append(newcomers, n.Newcomer())
		}
	}
	g := w.Nodes[0].Create(group.CreateParams{Title: "Many", Newcomers: newcomers})
	w.Run(5_000)
	for _, n := range w.Nodes[1:] {
		must(t, n.Do(g, group.Accept{}))
	}
	w.Run(20_000)
	for _, n := range w.Nodes {
		for _, who := range n.Groups[g].Machine.View().Members {
			if !who.Accepted {
				t.Fatalf("after 20 s %s does not know of everybody that they accepted", n.Name)
			}
		}
	}
}

// TestCrowdCostsLittle: of a group in which all are there, what arrives is little more than what
// was said. It fails when any kind of payload grows.
func TestCrowdCostsLittle(t *testing.T) {
	c := sim.Crowd{Members: 10, Online: 10, Length: 25 * minute, Talk: 20 * minute, Messages: 40, Every: 100}
	s := sim.PlayCrowd(t, 1, c)
	tell(t, c, s)
	if got := s.Copies(c.Members); got > 1.25 {
		t.Errorf("%.2f bytes arrive for each byte of an entry", got)
	}
}

// TestAckForSeveral: an Ack that a neighbour waits for, and others beyond it, comes to all of them, by whatever
// way.
func TestAckForSeveral(t *testing.T) {
	w := sim.New(1)
	nodes, g := grown(t, w, 5)
	inLine(w, nodes)
	w.Run(60_000)
	for _, by := range [][]int{{0, 3}, {1, 3}, {0, 1, 2, 3, 4}} {
		for _, i := range by {
			must(t, nodes[i].Say(g, "hello"))
		}
		w.Run(8_000)
		for _, i := range by {
			if reached, of := ticks(nodes[i], nodes[i], g); reached != of || of != 4 {
				t.Errorf("of %v %s sees that %d of %d have it", by, nodes[i].Name, reached, of)
			}
		}
		w.Run(60_000)
	}
}

// TestAcksForWhoWasAway: who wrote and comes back where one member is there, who has all Acks, gets them of it.
func TestAcksForWhoWasAway(t *testing.T) {
	w := sim.New(1)
	nodes, g := grown(t, w, 24)
	ann, ben := nodes[0], nodes[1]
	for i, n := range nodes {
		must(t, n.Say(g, fmt.Sprint("before ", i)))
		w.Run(3_000)
	}
	w.Run(3_600_000)
	must(t, ann.Say(g, "hello"))
	w.Run(500)
	ann.Stop()
	for _, n := range nodes[2:] {
		w.Cut(ann, n)
	}
	w.Run(3_600_000)
	if reached, of := ticks(ben, ann, g); reached != of {
		t.Fatalf("Ben knows of %d of %d that have what Ann wrote", reached, of)
	}
	ann.Start()
	w.Run(10_000)
	reached, of := ticks(ann, ann, g)
	t.Logf("at once %d of %d", reached, of)
	w.Run(20 * minute)
	if reached, of := ticks(ann, ann, g); reached != of {
		t.Errorf("Ann sees that %d of %d have what it wrote", reached, of)
	}
}

// TestAckWaitsForTheWay: an Ack for somebody whom a neighbour alone leads to, who was away when it was given to
// another, goes that way when the neighbour is back.
func TestAckWaitsForTheWay(t *testing.T) {
	w := sim.New(1)
	nodes, g := grown(t, w, 4)
	ann, ben, cleo, dan := nodes[0], nodes[1], nodes[2], nodes[3]
	inLine(w, nodes)
	w.Run(60_000)
	must(t, ann.Say(g, "hello"))
	must(t, dan.Say(g, "hi"))
	w.Run(1_000)
	w.Cut(ben, cleo)
	w.Run(10_000)
	if len(cleo.Texts(g)) != 2 {
		t.Fatal("Cleo does not have both")
	}
	w.Heal(ben, cleo)
	w.Run(8_000)
	for _, by := range []*sim.Node{ann, dan} {
		if reached, of := ticks(by, by, g); reached != of {
			t.Errorf("%s sees that %d of %d have it", by.Name, reached, of)
		}
	}
}
