package group_test

import (
	"fmt"
	"slices"
	"testing"

	"kith/internal/dag"
	"kith/internal/group"
	"kith/internal/sim"
	"kith/internal/wire"
)

// three is a group of Ann, Ben and Cleo that have accepted and are at rest.
func three(t *testing.T) (w *sim.World, g wire.GroupID, ann, ben, cleo *sim.Node) {
	t.Helper()
	w = sim.New(1)
	ann, ben, cleo = w.Add("Ann"), w.Add("Ben"), w.Add("Cleo")
	g = ann.Create(group.CreateParams{Title: "Trip", Newcomers: []group.Newcomer{ben.Newcomer(), cleo.Newcomer()}})
	w.Run(1000)
	do(t, w, ben, g, group.Accept{})
	do(t, w, cleo, g, group.Accept{})
	w.Run(5000)
	for _, n := range w.Nodes {
		n.Sent = nil
	}
	return w, g, ann, ben, cleo
}

// apart lets n miss entries that others write in turn.
func apart(t *testing.T, w *sim.World, g wire.GroupID, n *sim.Node, entries int, by ...*sim.Node) {
	t.Helper()
	n.Stop()
	for i := range entries {
		if err := by[i%len(by)].Say(g, fmt.Sprint("entry ", i)); err != nil {
			t.Fatal(err)
		}
		w.Run(50)
	}
	w.Run(20_000)
	for _, n := range w.Nodes {
		n.Sent = nil
	}
}

// answers returns the entries that were sent to one node in answers to it, in order,
// and by whom; it fails the test where one was sent twice.
func answers(t *testing.T, to *sim.Node, from ...*sim.Node) (refs []dag.Ref, by map[*sim.Node]int) {
	t.Helper()
	seen, by := make(map[dag.Ref]bool), make(map[*sim.Node]int)
	for _, n := range from {
		for _, p := range n.Sent {
			list, answer := group.EntriesIn(p.Bytes)
			if p.To != to || answer == 0 {
				continue
			}
			for _, r := range list {
				if seen[r] {
					t.Errorf("%s sends %d of a device a second time", n.Name, r.Seq)
				}
				seen[r] = true
				by[n]++
			}
			refs = append(refs, list...)
		}
	}
	return refs, by
}

func kinds(n, to *sim.Node) map[byte]int {
	count := make(map[byte]int)
	for _, p := range n.Sent {
		if p.To == to {
			count[p.Bytes[0]]++
		}
	}
	return count
}

// TestHeadsFewMissing: ten entries are fetched by one request that names heads, once.
func TestHeadsFewMissing(t *testing.T) {
	w, g, ann, ben, cleo := three(t)
	apart(t, w, g, ben, 10, ann, cleo)
	ben.Start()
	w.Run(5000)
	if refs, _ := answers(t, ben, ann, cleo); len(refs) != 10 {
		t.Errorf("%d entries are sent for 10", len(refs))
	}
	if n := len(ben.Texts(g)); n != 10 {
		t.Errorf("Ben has %d", n)
	}
	asked := kinds(ben, ann)[kindAsk] + kinds(ben, cleo)[kindAsk]
	for _, o := range []*sim.Node{ann, cleo} {
		if k := kinds(ben, o); k[kindWant]+k[kindHave]+k[kindStretch] > 0 {
			t.Errorf("Ben sends %v to %s", k, o.Name)
		}
	}
	if asked != 1 {
		t.Errorf("Ben asks %d times", asked)
	}
}

// TestHeadsBothWrote: two that wrote without each other find what both have by what
// lies below their heads.
func TestHeadsBothWrote(t *testing.T) {
	w, g, ann, ben, cleo := three(t)
	apart(t, w, g, cleo, 40, ann, ben)
	cleo.Start()
	w.Run(5000)
	w.Cut(ann, ben)
	w.Cut(cleo, ben)
	for i := range 3 {
		for _, n := range []*sim.Node{ann, ben} {
			if err := n.Say(g, fmt.Sprint(n.Name, " alone ", i)); err != nil {
				t.Fatal(err)
			}
		}
		w.Run(500)
	}
	ann.Sent, ben.Sent, cleo.Sent = nil, nil, nil
	w.HealAll()
	w.Run(5000)
	sent := 0
	for _, n := range w.Nodes {
		for _, p := range n.Sent {
			if refs, answer := group.EntriesIn(p.Bytes); answer > 0 {
				sent += len(refs)
			}
		}
	}
	if sent > 30 {
		t.Errorf("%d entries are sent for 9", sent)
	}
	for _, n := range w.Nodes {
		if got := len(n.Texts(g)); got != 46 {
			t.Errorf("%s has %d texts of 46", n.Name, got)
		}
	}
}

// TestSlowPeerPassedOver: the stretch of a member that answers no more is given to
// another after five seconds.
func TestSlowPeerPassedOver(t *testing.T) {
	w, g, ann, ben, cleo := three(t)
	apart(t, w, g, ben, 900, ann, cleo)
	cleo.Withhold(func(_ *sim.Node, kind byte) bool { return kind == kindEntries && len(ben.Texts(g)) > 0 })
	said := false
	w.After = func(n *sim.Node, _ wire.GroupID, _ group.Effects) {
		if n == ben {
			v := ben.Groups[g].Machine.View()
			said = said || v.Missing > 0 && slices.Contains(v.AskedOf, cleo.Self.Person)
		}
	}
	ben.Start()
	w.Run(4000)
	if got := len(ben.Texts(g)); got == 900 {
		t.Error("Ben has all though Cleo gave nothing")
	}
	w.Run(12_000)
	if !said {
		t.Error("nobody is told that Cleo is asked for what is missing")
	}
	if got := len(ben.Texts(g)); got != 900 {
		t.Errorf("Ben has %d of 900", got)
	}
	if v := ben.Groups[g].Machine.View(); v.Missing != 0 || len(v.AskedOf) != 0 {
		t.Errorf("%d are missing, asked of %d people, at the end", v.Missing, len(v.AskedOf))
	}
	if n := ben.Groups[g].Machine.AskedNow(); n != 0 {
		t.Errorf("%d requests are left", n)
	}
}

// TestHeadsThatDoNotExist: who names heads that nobody has, and as many entries as
// there can be, is asked, passed by, and asked no more for those.
func TestHeadsThatDoNotExist(t *testing.T) {
	w, g, ann, ben, cleo := three(t)
	var heads []dag.Ref
	for i := range byte(64) {
		heads = append(heads, dag.Ref{Device: wire.DeviceID{i, 1}, Seq: 9})
	}
	payload := cleo.Groups[g].Machine.HeadsPayload(heads, 1<<62, dag.MaxLamport-1)
	for range 20 {
		w.Deliver(cleo, ben, g, payload)
		w.Run(1000)
	}
	w.Run(20_000)
	if k := kinds(ben, cleo); k[kindAsk] == 0 || k[kindAsk]+k[kindStretch] > 80 {
		t.Errorf("Ben sends Cleo %v", k)
	}
	if err := ann.Say(g, "still here"); err != nil {
		t.Fatal(err)
	}
	w.Run(5000)
	if got := len(ben.Texts(g)); got != 1 {
		t.Errorf("Ben has %d texts", got)
	}
	if n := ben.Groups[g].Machine.AskedNow(); n != 0 {
		t.Errorf("%d requests are under way", n)
	}
}

// TestSizesAtThousand: what a device has takes a few kilobytes at most, and under one
// where nobody lacks much.
func TestSizesAtThousand(t *testing.T) {
	have, heads, numbers, stretch := group.SizesAt(1000)
	t.Logf("1,000 devices: have %d bytes, heads %d, numbers %d, stretch %d", have, heads, numbers, stretch)
	if have < 136_000 || heads > 1_000 || numbers > 5_000 || stretch > 4_000 {
		t.Errorf("have %d bytes, heads %d, numbers %d, stretch %d", have, heads, numbers, stretch)
	}
}

// TestBytesOfTen: ten entries that are missing cost what they have themselves, and
// little more.
func TestBytesOfTen(t *testing.T) {
	w, g, ann, ben, cleo := three(t)
	apart(t, w, g, ben, 10, ann, cleo)
	began, arrived := w.Now, uint64(0)
	w.After = func(n *sim.Node, _ wire.GroupID, _ group.Effects) {
		if n == ben && arrived == 0 && len(ben.Texts(g)) == 10 {
			arrived = w.Now - began
		}
	}
	ben.Start()
	w.Run(5000)
	all, entries := 0, 0
	for _, n := range []*sim.Node{ann, ben, cleo} {
		for _, p := range n.Sent {
			if p.From != ben && p.To != ben {
				continue
			}
			all += len(p.Bytes)
			if refs, answer := group.EntriesIn(p.Bytes); len(refs) > 0 && answer > 0 {
				entries += len(p.Bytes)
			}
		}
	}
	t.Logf("%d bytes for 10 entries of %d, with two members, after %d ms", all, entries, arrived)
	if all-entries > 13_000 || arrived == 0 {
		t.Errorf("%d bytes for entries of %d, after %d ms", all, entries, arrived)
	}
}

// TestAsksInMasses: who asks again and again gets a share of walks, and is told that there
// is more; what it lacks it gets in stretches nevertheless.
func TestAsksInMasses(t *testing.T) {
	w, g, ann, ben, _ := three(t)
	apart(t, w, g, ben, 100, ann)
	ben.Start()
	w.Run(5000)
	ann.Sent = nil
	for range 500 {
		w.Deliver(ben, ann, g, group.AskPayload(nil, nil))
	}
	walks, cut := 0, 0
	for _, p := range ann.Sent {
		switch refs, answer := group.EntriesIn(p.Bytes); {
		case p.To != ben || answer == 0:
		case len(refs) == 100:
			walks++
		case len(refs) == 0 && answer == 3:
			cut++
		}
	}
	if walks < 10 || walks > 30 || walks+cut != 500 {
		t.Errorf("%d walks, %d answers that there is more", walks, cut)
	}
	ben.Stop()
	for i := range 10 {
		if err := ann.Say(g, fmt.Sprint("more ", i)); err != nil {
			t.Fatal(err)
		}
	}
	ben.Start()
	for range 100 {
		w.Deliver(ben, ann, g, group.AskPayload(nil, nil))
	}
	w.Run(5000)
	if got := len(ben.Texts(g)); got != 110 {
		t.Errorf("Ben has %d of 110", got)
	}
}

// TestLateAnswersGoOn: who lacks much, and can ask one member alone, which takes longer to
// answer than is waited for, goes on with what it is given late.
func TestLateAnswersGoOn(t *testing.T) {
	w, g, ann, ben, cleo := three(t)
	apart(t, w, g, ben, 1500, ann, cleo)
	cleo.Stop()
	type answer struct {
		at      uint64
		payload []byte
	}
	var late []answer
	ann.Withhold(func(to *sim.Node, kind byte) bool { return to == ben && kind == kindEntries })
	w.After = func(n *sim.Node, _ wire.GroupID, eff group.Effects) {
		for _, s := range eff.Serve {
			if n == ann && s.To == ben.Self.Device.ID() {
				for _, payload := range ann.Groups[g].Answer(s) {
					late = append(late, answer{w.Now + 7000, payload})
				}
			}
		}
	}
	ben.Start()
	for range 300 {
		w.Run(500)
		for len(late) > 0 && late[0].at <= w.Now {
			w.Deliver(ann, ben, g, late[0].payload)
			late = late[1:]
		}
	}
	if got := len(ben.Texts(g)); got != 1500 {
		t.Errorf("Ben has %d of 1500", got)
	}
}
