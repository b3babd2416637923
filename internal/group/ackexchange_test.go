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

// crowdOf is a group of n who are all there and take theirs for a large one.
func crowdOf(t testing.TB, n int) (w *sim.World, g wire.GroupID) {
	t.Helper()
	w = sim.New(1)
	var others []group.Newcomer
	for i := range n {
		m := w.Add(fmt.Sprint("member ", i))
		if i > 0 {
			others = append(others, m.Newcomer())
		}
	}
	w.After = func(n *sim.Node, g wire.GroupID, _ group.Effects) { n.Groups[g].Machine.SetFewAckers(2) }
	g = w.Nodes[0].Create(group.CreateParams{Title: "Crowd", Newcomers: others})
	w.Run(1000)
	for _, m := range w.Nodes[1:] {
		do(t, w, m, g, group.Accept{})
	}
	w.Run(10 * minutes)
	for _, m := range w.Nodes {
		m.Sent = nil
	}
	return w, g
}

// someOfEach returns up to three payloads of each of three kinds, the first to the last, all of which were sent.
func someOfEach(t testing.TB, w *sim.World, first, last byte) (list [][]byte) {
	t.Helper()
	count := make(map[byte]int)
	for _, p := range w.History {
		if kind := p.Bytes[0]; kind >= first && kind <= last && count[kind] < 3 {
			count[kind]++
			list = append(list, p.Bytes)
		}
	}
	if len(count) != 3 {
		t.Fatalf("payloads of these kinds are sent: %v", count)
	}
	return list
}

// ackPayloads are some of each kind by which Acks are exchanged.
func ackPayloads(t testing.TB) (list [][]byte) {
	w, _ := crowdOf(t, 4)
	list = someOfEach(t, w, kindAcks, kindAckDigest)
	return append(list, sparingPayloads(t)...)
}

const (
	kindAcks      = 28
	kindAckDigest = 30
)

// allSay fails unless each shows that each other has as much of one log as it has.
func allSay(t *testing.T, g wire.GroupID, author *sim.Node, seq uint64, nodes ...*sim.Node) {
	t.Helper()
	for _, n := range nodes {
		for _, o := range nodes {
			if got := upTo(n, g, o, author); o != n && got != seq {
				t.Errorf("%s shows that %s has %d of %d", n.Name, o.Name, got, seq)
			}
		}
	}
}

// TestAcksAreExchanged: in a large group no Ack is pushed to each; everybody has each from
// one or two.
func TestAcksAreExchanged(t *testing.T) {
	w, g := crowdOf(t, 12)
	do(t, w, w.Nodes[3], g, says(t, "hello"))
	w.Run(10 * minutes)
	allSay(t, g, w.Nodes[3], 1, w.Nodes...)
	statements, got := 0, 0
	for _, n := range w.Nodes {
		for _, p := range n.Sent {
			if p.Bytes[0] == kindStatements {
				statements++
			}
			got += len(group.AcksIn(p.Bytes))
		}
		n.Sent = nil
	}
	copies := float64(got) / float64(12*11)
	t.Logf("each Ack comes to each member %.2f times", copies)
	if statements > 0 || copies > 1.5 || copies < 1 {
		t.Errorf("%d pushed, and each Ack comes to each %.2f times", statements, copies)
	}
	w.Run(60 * minutes)
	if slices.ContainsFunc(w.Nodes, func(n *sim.Node) bool { return len(n.Sent) > 0 }) {
		t.Error("something is sent where nothing is new")
	}
}

// TestAcksOverABridge: two halves that meet in two devices alone know of each other, and so
// does who comes back and finds nobody above.
func TestAcksOverABridge(t *testing.T) {
	w, g := crowdOf(t, 8)
	for i, a := range w.Nodes {
		for k, b := range w.Nodes {
			if i < 4 && k >= 4 && (i != 1 || k != 6) {
				w.Cut(a, b)
			}
		}
	}
	do(t, w, w.Nodes[0], g, says(t, "hello"))
	w.Run(30 * minutes)
	allSay(t, g, w.Nodes[0], 1, w.Nodes...)
	late := w.Nodes[7]
	late.Stop()
	do(t, w, w.Nodes[0], g, says(t, "more"))
	w.Run(30 * minutes)
	allSay(t, g, w.Nodes[0], 2, w.Nodes[:7]...)
	late.Start()
	w.Run(30 * minutes)
	allSay(t, g, w.Nodes[0], 2, w.Nodes...)
	for _, n := range w.Nodes { // and what it said last is kept
		n.Stop()
	}
	for _, n := range w.Nodes {
		n.Start()
	}
	w.Run(30 * minutes)
	allSay(t, g, w.Nodes[0], 2, w.Nodes...)
}

// TestAcksAfterARestart: an Ack that was due when its author ended is signed all the same.
func TestAcksAfterARestart(t *testing.T) {
	w, g := crowdOf(t, 5)
	do(t, w, w.Nodes[0], g, says(t, "hello"))
	w.Run(5000)
	for _, n := range w.Nodes {
		n.Stop()
		n.Start()
	}
	w.Run(10 * minutes)
	allSay(t, g, w.Nodes[0], 1, w.Nodes...)
}

// TestFalseBundle: who passes on what its author did not sign is blamed; what is of nobody
// known is passed over.
func TestFalseBundle(t *testing.T) {
	w, g := crowdOf(t, 5)
	ann, ben, eve := w.Nodes[0], w.Nodes[1], w.Nodes[4]
	do(t, w, ann, g, says(t, "hello"))
	w.Run(10 * minutes)
	blamed := func() bool {
		return slices.ContainsFunc(ann.Groups[g].Events, func(e group.Event) bool {
			m, ok := e.(group.Misbehaved)
			return ok && m.From.Device == eve.Self.Device.ID()
		})
	}
	a := *ackOf(t, ann, ben, g)
	stranger := a
	stranger.Device[0]++
	w.Deliver(eve, ann, g, group.BundleOf(&stranger))
	w.Deliver(eve, ann, g, group.BundleOf(&a))
	if blamed() {
		t.Error("Eve is blamed for what is not known, or known already")
	}
	a.Seq++
	w.Deliver(eve, ann, g, group.BundleOf(&a))
	if !blamed() || ackOf(t, ann, ben, g).Seq == a.Seq {
		t.Error("Eve is not blamed for an Ack that Ben did not sign")
	}
}

// TestAckTwiceInOne: of one device the first Ack of a payload counts, and no other: an honest
// device has no two, and each costs a signature check.
func TestAckTwiceInOne(t *testing.T) {
	w, g := crowdOf(t, 5)
	ann, eve := w.Nodes[0], w.Nodes[4]
	a := ackOf(t, ann, eve, g)
	var acks []*dag.Ack
	for range 10 {
		next := *a
		if len(acks) > 0 {
			next = *acks[len(acks)-1]
		}
		next.Seq++
		next.Sign(eve.Self.Device.Sign)
		acks = append(acks, &next)
	}
	w.Deliver(eve, ann, g, group.BundleOf(acks...))
	if got := ackOf(t, ann, eve, g); got.Seq != acks[0].Seq {
		t.Errorf("Ann holds number %d, want %d", got.Seq, acks[0].Seq)
	}
	w.Deliver(eve, ann, g, group.BundleOf(acks[9]))
	if got := ackOf(t, ann, eve, g); got.Seq != acks[9].Seq {
		t.Errorf("Ann holds number %d, want %d", got.Seq, acks[9].Seq)
	}
}

// BenchmarkKnownAcks is a payload of 331 KB with 4,096 Acks that are held already, or are older, under
// as many heads as there may be: nothing comes of it.
func BenchmarkKnownAcks(b *testing.B) {
	w, g := crowdOf(b, 5)
	ann, eve := w.Nodes[0], w.Nodes[4]
	d := eve.Self.Device.ID()
	a := &dag.Ack{Version: dag.AckByHeads, SigAlg: wire.SigEd25519, Group: g, Device: d, Seq: 1}
	for i := range dag.MaxAckHeads {
		a.Heads = append(a.Heads, dag.Ref{Device: d, Seq: uint64(i + 1)})
	}
	payload := group.BundleOf(slices.Repeat([]*dag.Ack{a}, 4096)...)
	for b.Loop() {
		step(b, ann.Groups[g].Machine, w.Now, group.Received{From: eve.Self.Member(), Payload: payload})
	}
}
