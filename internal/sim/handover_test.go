package sim_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"kith/internal/group"
	"kith/internal/sim"
	"kith/internal/wire"
)

// Numbers of payloads (docs/spec/sync.md).
const (
	kindAskContents = 20
	kindContents    = 21
)

// parked is a trip in which Ben was parked, and the others wrote meanwhile.
func parked(t *testing.T, messages int) (w *sim.World, nodes []*sim.Node, g wire.GroupID, said []string) {
	t.Helper()
	w, nodes, g = trip(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	ben.Stop()
	must(t, ann.Do(g, group.Park{Device: ben.Self.Device.ID()}))
	w.Run(5000)
	for i := range messages {
		n := []*sim.Node{ann, cleo}[i%2]
		said = append(said, fmt.Sprint("message ", i, " ", strings.Repeat("x", i%5)))
		must(t, n.Say(g, said[i]))
		w.Run(2500)
	}
	return w, nodes, g, said
}

// kept counts the contents that n keeps for others.
func kept(n *sim.Node, g wire.GroupID) int { return len(n.Groups[g].Records[group.KindShelved]) }

// TestHandedOver: what was written while Ben was parked is handed over to him, by
// whoever is there, over restarts, and kept no longer than he may need it.
func TestHandedOver(t *testing.T) {
	w, nodes, g, said := parked(t, 600) // more than two pages
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	for _, n := range []*sim.Node{ann, cleo} {
		n.Stop()
		n.Start()
	}
	w.Run(60_000)
	cleo.Stop()
	ben.Start()
	w.Run(5000)
	ben.Stop() // in the middle of it
	ben.Start()
	w.Run(30_000)
	sees(t, g, said, ann, ben)
	if n := machine(ben, g).View().Missed; n != 0 {
		t.Errorf("Ben still misses %d messages", n)
	}
	if n := len(ben.Groups[g].Records[group.KindMissed]); n != 0 {
		t.Errorf("Ben keeps %d records of what he misses", n)
	}
	sent := len(ben.Sent)
	cleo.Start()
	w.Run(60_000)
	if slices.ContainsFunc(ben.Sent[sent:], func(p sim.Payload) bool { return p.Bytes[0] == kindAskContents }) {
		t.Error("Ben asks on")
	}
	if n := kept(ann, g); n != len(said) {
		t.Errorf("Ann keeps %d of %d contents", n, len(said))
	}
	w.Run(31 * day)
	must(t, ann.Do(g, group.SetTitle{Title: "a month later"}))
	w.Run(5000)
	for _, n := range []*sim.Node{ann, cleo} {
		if n, c := n.Name, kept(n, g); c != 0 {
			t.Errorf("%s keeps %d contents that nobody needs", n, c)
		}
	}
}

// TestNeverHandedOver: what nobody has any more is given up when Ben has been back for a
// month; its rows stay, and cannot be read.
func TestNeverHandedOver(t *testing.T) {
	w, nodes, g, said := parked(t, 4)
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	for _, n := range []*sim.Node{ann, cleo} {
		n.Stop()
		clear(n.Groups[g].Records[group.KindShelved])
		n.Start()
	}
	ben.Start()
	w.Run(29 * day)
	must(t, ann.Do(g, group.SetTitle{Title: "not a month later"}))
	w.Run(5000)
	if n := machine(ben, g).View().Missed; n != len(said) {
		t.Fatalf("Ben misses %d of %d messages", n, len(said))
	}
	w.Run(2 * day)
	must(t, ann.Do(g, group.SetTitle{Title: "a month later"}))
	w.Run(5000)
	if n, r := machine(ben, g).View().Missed, len(ben.Groups[g].Records[group.KindMissed]); n != 0 || r != 0 {
		t.Errorf("Ben still misses %d messages, by %d records", n, r)
	}
	unreadable := 0
	for _, row := range ben.Groups[g].Rows {
		if row.State == group.RowUnreadable {
			unreadable++
		}
	}
	if unreadable != len(said) {
		t.Errorf("Ben is shown that he cannot read %d of %d messages", unreadable, len(said))
	}
}

// TestLargeHandedOver: contents of 64 KiB come in several answers.
func TestLargeHandedOver(t *testing.T) {
	w, nodes, g, _ := parked(t, 0)
	ann, ben := nodes[0], nodes[1]
	for i := range 50 {
		must(t, ann.Say(g, fmt.Sprint(i, strings.Repeat("x", 65_000))))
	}
	w.Run(5000)
	ben.Start()
	w.Run(60_000)
	if n := len(ben.Texts(g)); n != 50 {
		t.Errorf("Ben sees %d of 50", n)
	}
}

// TestTwoParked: two come back one after the other; the second has it from the
// first, who was parked himself.
func TestTwoParked(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo", "Dan")
	ann, ben, cleo, dan := nodes[0], nodes[1], nodes[2], nodes[3]
	for _, n := range []*sim.Node{ben, cleo} {
		n.Stop()
		must(t, ann.Do(g, group.Park{Device: n.Self.Device.ID()}))
		w.Run(5000)
	}
	must(t, dan.Say(g, "the news"))
	w.Run(5000)
	ben.Start()
	w.Run(30_000)
	ann.Stop()
	dan.Stop()
	cleo.Start()
	w.Run(60_000)
	sees(t, g, []string{"the news"}, ben, cleo)
}

// TestHandedOverToNobodyElse: who came later, and who was never parked, asks in
// vain, and is answered with nothing.
func TestHandedOverToNobodyElse(t *testing.T) {
	w, nodes, g, said := parked(t, 2)
	ann, cleo := nodes[0], nodes[2]
	dan := w.Add("Dan")
	must(t, ann.Do(g, group.Invite{Newcomers: []group.Newcomer{dan.Newcomer()}}))
	w.Run(5000)
	must(t, dan.Do(g, group.Accept{}))
	w.Run(5000)
	var ask wire.Writer
	ask.U8(kindAskContents)
	ask.Group(func(w *wire.Writer) {
		for key := range ann.Groups[g].Records[group.KindShelved] {
			w.Raw([]byte(key))
		}
	})
	for _, n := range []*sim.Node{dan, cleo} {
		sent := len(ann.Sent)
		w.Deliver(n, ann, g, ask.Bytes())
		for _, p := range ann.Sent[sent:] {
			if p.Bytes[0] == kindContents && len(p.Bytes) > 3 {
				t.Errorf("%s is handed %d bytes", n.Name, len(p.Bytes))
			}
		}
	}
	sees(t, g, said, ann, cleo)
	sees(t, g, nil, dan)
}

// TestParkedAsksInVain: who holds a device that is still parked is handed nothing of
// what was written since.
func TestParkedAsksInVain(t *testing.T) {
	_, nodes, g, _ := parked(t, 2)
	ann, ben := nodes[0], nodes[1]
	var ask wire.Writer
	ask.U8(kindAskContents)
	ask.Group(func(w *wire.Writer) {
		for key := range ann.Groups[g].Records[group.KindShelved] {
			w.Raw([]byte(key))
		}
	})
	_, err := machine(ann, g).Step(group.Input{Now: 1, Cause: group.PeerUp{Peer: ben.Self.Member()}})
	must(t, err)
	eff, err := machine(ann, g).Step(group.Input{Now: 2, Cause: group.Received{From: ben.Self.Member(), Payload: ask.Bytes()}})
	must(t, err)
	if len(eff.Serve) != 0 {
		t.Errorf("a parked device is served %+v", eff.Serve)
	}
}

// TestFalseHandover: content that the header does not commit to, or that nobody
// asked for, is not shown; the true one is, by another member.
func TestFalseHandover(t *testing.T) {
	w, nodes, g, said := parked(t, 1)
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	w.Cut(ann, ben)
	w.Delay = func() uint64 { return 200 }
	var lie wire.Writer
	lie.U8(kindContents)
	lie.Group(func(w *wire.Writer) {
		for _, header := range cleo.Groups[g].Records[group.KindEntry] {
			w.Vec(header)
			w.Vec(append(make([]byte, 32), 0, 1, 2, 'h', 'i'))
		}
	})
	lie.U8(1)
	lied := 0
	w.After = func(n *sim.Node, _ wire.GroupID, eff group.Effects) {
		for _, f := range eff.Send {
			if n == ben && f.Payload[0] == kindAskContents {
				lied++
				w.Deliver(cleo, ben, g, lie.Bytes())
				w.Cut(cleo, ben)
			}
		}
	}
	ben.Start()
	w.Deliver(cleo, ben, g, lie.Bytes()) // before he asks
	w.Run(30_000)
	if rules := accusations(ben, g); lied != 1 || !slices.Equal(rules, []string{"handover"}) {
		t.Errorf("told %d lies, Ben accuses of %q", lied, rules)
	}
	sees(t, g, nil, ben)
	w.After = nil
	w.Heal(ann, ben)
	w.Run(30_000)
	sees(t, g, said, ben)
}
