package group_test

import (
	"fmt"
	"testing"

	"kith/internal/dag"
	"kith/internal/group"
	"kith/internal/sim"
	"kith/internal/wire"
)

func machineOf(n *sim.Node, g wire.GroupID) *group.Machine { return n.Groups[g].Machine }

// ackOf returns the Ack of from's that n has stored.
func ackOf(t *testing.T, n, from *sim.Node, g wire.GroupID) *dag.Ack {
	t.Helper()
	d := from.Self.Device.ID()
	a, err := dag.ParseAck(n.Groups[g].Records[group.KindAck][string(d[:])])
	if err != nil {
		t.Fatalf("%s has no Ack of %s: %v", n.Name, from.Name, err)
	}
	return a
}

// statement is a payload of Acks.
func statement(acks ...*dag.Ack) []byte {
	var w wire.Writer
	w.U8(kindStatements)
	w.Group(func(w *wire.Writer) {
		for _, a := range acks {
			w.Vec(a.Marshal())
		}
	})
	for range 3 {
		w.Group(func(*wire.Writer) {})
	}
	return w.Bytes()
}

const kindStatements = 6

// claims has eve sign an Ack after her newest, and to take it.
func claims(t *testing.T, w *sim.World, g wire.GroupID, eve, to *sim.Node, count uint64, change func(a *dag.Ack)) {
	t.Helper()
	a := *ackOf(t, eve, eve, g)
	a.Seq += count
	change(&a)
	a.Sign(eve.Self.Device.Sign)
	w.Deliver(eve, to, g, statement(&a))
}

// upTo is up to which of ann's entries n shows that by has.
func upTo(n *sim.Node, g wire.GroupID, by, ann *sim.Node) uint64 {
	return machineOf(n, g).AckedUpTo(by.Self.Device.ID(), ann.Self.Device.ID())
}

// TestAckNamesHeads: among devices that announce it an Ack names heads, and says who has what.
func TestAckNamesHeads(t *testing.T) {
	w, g, ann, ben, cleo := three(t)
	for i := range 3 {
		do(t, w, ann, g, says(t, fmt.Sprint("entry ", i)))
	}
	w.Run(5000)
	a := ackOf(t, ann, ben, g)
	if a.Version != dag.AckByHeads || len(a.Heads) != 1 || len(a.Stops) != 0 {
		t.Errorf("Ben says %+v", a)
	}
	if reached, of := machineOf(ann, g).Delivered(ann.Self.Device.ID(), 3); len(reached) != 2 || len(of) != 2 {
		t.Errorf("%d of %d have it", len(reached), len(of))
	}
	w.Cut(ann, cleo)
	w.Cut(ben, cleo)
	do(t, w, ann, g, says(t, "without Cleo"))
	w.Run(5000)
	if upTo(ann, g, ben, ann) != 4 || upTo(ann, g, cleo, ann) != 3 {
		t.Errorf("Ben has %d, Cleo %d", upTo(ann, g, ben, ann), upTo(ann, g, cleo, ann))
	}
}

// TestAckAmongOlder: where one active leaf does not announce it, all list all, and read
// both.
func TestAckAmongOlder(t *testing.T) {
	w := sim.New(1)
	ann, ben, cleo := w.Add("Ann"), w.Add("Ben"), w.Add("Cleo")
	cleo.Self.Omits = group.FeatureAckHeads
	g := ann.Create(group.CreateParams{Title: "Trip", Newcomers: []group.Newcomer{ben.Newcomer(), cleo.Newcomer()}})
	w.Run(1000)
	do(t, w, ben, g, group.Accept{})
	do(t, w, cleo, g, group.Accept{})
	do(t, w, ann, g, says(t, "hello"))
	w.Run(5000)
	for _, n := range w.Nodes {
		if a := ackOf(t, ann, n, g); a.Version != dag.Version {
			t.Errorf("%s signs version %d", n.Name, a.Version)
		}
		if n != ann && upTo(ann, g, n, ann) != 1 {
			t.Errorf("%s has %d", n.Name, upTo(ann, g, n, ann))
		}
	}
	do(t, w, ann, g, group.Remove{Person: cleo.Self.Person})
	do(t, w, ann, g, says(t, "without Cleo"))
	w.Run(5000)
	if a := ackOf(t, ann, ben, g); a.Version != dag.AckByHeads || upTo(ann, g, ben, ann) != 2 {
		t.Errorf("Ben signs version %d and has %d", a.Version, upTo(ann, g, ben, ann))
	}
}

// TestAckForOlderNewcomer: once a device comes that reads lists alone, those whose Acks name
// heads sign again, once, though they have nothing new to say: before it accepted, and after
// a restart too.
func TestAckForOlderNewcomer(t *testing.T) {
	w, g, ann, ben, cleo := three(t)
	eve := w.Add("Eve")
	eve.Self.Omits = group.FeatureAckHeads
	do(t, w, ann, g, says(t, "before Eve"))
	w.Run(5000)
	before := ackOf(t, ben, ben, g)
	if before.Version != dag.AckByHeads {
		t.Fatalf("Ben signs version %d", before.Version)
	}
	w.Cut(cleo, ann)
	w.Cut(cleo, ben)
	w.Cut(cleo, eve)
	do(t, w, ann, g, group.Invite{Newcomers: []group.Newcomer{eve.Newcomer()}})
	w.Run(5000)
	do(t, w, eve, g, group.Accept{})
	w.Run(60_000)
	ben.Stop()
	ben.Start()
	w.HealAll()
	w.Run(60_000)
	for _, n := range []*sim.Node{ann, ben, cleo} {
		a := ackOf(t, eve, n, g)
		if got := upTo(eve, g, n, ann); a.Version != dag.Version || got != 1 {
			t.Errorf("Eve shows by version %d that %s has %d", a.Version, n.Name, got)
		}
	}
	if after := ackOf(t, ben, ben, g).Seq; after != before.Seq+1 {
		t.Errorf("Ben signs number %d after %d", after, before.Seq)
	}
}

// TestAckWaits: an Ack that names what is not here waits, with the newest after it; the
// one before counts meanwhile, and they count when what they name has come.
func TestAckWaits(t *testing.T) {
	w, g, ann, ben, cleo := three(t)
	do(t, w, ann, g, says(t, "one"))
	w.Run(20 * minutes) // Cleo, who did not write it, is told late
	mute := func(to *sim.Node, _ byte) bool { return to == cleo }
	ann.Withhold(mute)
	ben.Withhold(mute)
	var acks []*dag.Ack
	for i := range 3 {
		do(t, w, ann, g, says(t, fmt.Sprint("more ", i)))
		w.Run(5000)
		acks = append(acks, ackOf(t, ben, ben, g))
	}
	for _, a := range acks {
		w.Deliver(ben, cleo, g, statement(a))
	}
	if got := upTo(cleo, g, ben, ann); got != 1 {
		t.Errorf("Cleo shows that Ben has %d", got)
	}
	if n := holding(t, cleo, g, "Acks that wait for others"); n != 2 {
		t.Errorf("%d Acks wait", n)
	}
	ann.Withhold(nil)
	ben.Withhold(nil)
	do(t, w, ann, g, says(t, "the last"))
	if got, n := upTo(cleo, g, ben, ann), holding(t, cleo, g, "Acks that wait for others"); got != 4 || n != 0 { // of the last she is told late
		t.Errorf("Cleo shows that Ben has %d, %d Acks wait", got, n)
	}
}

// TestAckOfNothing: Eve names heads that do not exist, 64 of them, far apart, with as many
// stops, and says less again by an older Ack. Nobody shows more than is so, holds more
// than two of hers, or goes on about it.
func TestAckOfNothing(t *testing.T) {
	w, g, ann, eve, _ := three(t)
	do(t, w, ann, g, says(t, "one"))
	w.Run(5000)
	old := ackOf(t, eve, eve, g)
	for i := range uint64(20) {
		claims(t, w, g, eve, ann, 10+i, func(a *dag.Ack) {
			a.Heads, a.Stops = nil, nil
			for k := range uint64(dag.MaxAckHeads) {
				d := wire.DeviceID{byte(k + 1)}
				a.Heads = append(a.Heads, dag.Ref{Device: d, Seq: 1 + (k<<40)%dag.MaxLamport})
				a.Stops = append(a.Stops, dag.Delivered{Device: d, Seq: 1})
			}
		})
	}
	w.Run(5000)
	if n := holding(t, ann, g, "Acks that wait for others"); n != 2 {
		t.Errorf("%d of Eve's Acks wait", n)
	}
	if got := upTo(ann, g, eve, ann); got != 1 {
		t.Errorf("Eve has %d", got)
	}
	claims(t, w, g, eve, ann, 50, func(a *dag.Ack) { // it stops at a log that there is
		a.Stops = []dag.Delivered{{Device: ann.Self.Device.ID(), Seq: 1}}
	})
	if got, n := upTo(ann, g, eve, ann), holding(t, ann, g, "Acks that wait for others"); got != 0 || n != 0 {
		t.Errorf("Eve has %d, %d wait", got, n)
	}
	w.Deliver(eve, ann, g, statement(old))
	if got := upTo(ann, g, eve, ann); got != 0 {
		t.Errorf("after an older Ack Eve has %d", got)
	}
	long := *old
	long.Seq += 60
	for i := range dag.MaxAckStops + 1 {
		long.Stops = append(long.Stops, dag.Delivered{Device: wire.DeviceID{1, byte(i)}, Seq: 1})
	}
	long.Sign(eve.Self.Device.Sign)
	w.Deliver(eve, ann, g, statement(&long))
	if got := ackOf(t, ann, eve, g).Seq; got != old.Seq+50 {
		t.Errorf("Ann took number %d", got)
	}
	w.Run(60 * minutes) // Eve's own machine does not know what it said
	for _, n := range w.Nodes {
		n.Sent = nil
	}
	w.Run(600_000)
	if n := len(ann.Sent) + len(eve.Sent); n > 0 {
		t.Errorf("%d frames are sent", n)
	}
}

// TestAckAfterRestart: what an Ack says is the same after a restart, and is not said again.
func TestAckAfterRestart(t *testing.T) {
	w, g, ann, ben, _ := three(t)
	do(t, w, ann, g, says(t, "one"))
	w.Run(5000)
	before := ackOf(t, ann, ben, g).Seq
	for _, n := range w.Nodes {
		n.Stop()
	}
	for _, n := range w.Nodes {
		n.Start()
	}
	w.Run(5000)
	if got := upTo(ann, g, ben, ann); got != 1 {
		t.Errorf("Ben has %d", got)
	}
	if seq := ackOf(t, ann, ben, g).Seq; seq != before {
		t.Errorf("Ben signs number %d after %d", seq, before)
	}
}

func holding(t *testing.T, n *sim.Node, g wire.GroupID, name string) int {
	t.Helper()
	for _, h := range machineOf(n, g).Holdings() {
		if h.Name == name {
			return h.Held
		}
	}
	t.Fatalf("no holding %q", name)
	return 0
}

// says is the input by which a text is written.
func says(t *testing.T, text string) group.Compose {
	t.Helper()
	c, err := group.Text(text)
	if err != nil {
		t.Fatal(err)
	}
	return group.Compose{Content: c}
}

// BenchmarkAckTaken is the cost of an Ack, in a bundle with others that say the same, and of
// one that is here already.
func BenchmarkAckTaken(b *testing.B) {
	w := sim.New(1)
	ann, ben := w.Add("Ann"), w.Add("Ben")
	g := ann.Create(group.CreateParams{Title: "Trip", Newcomers: []group.Newcomer{ben.Newcomer()}})
	w.Run(1000)
	do(b, w, ben, g, group.Accept{})
	w.Run(5000)
	d := ben.Self.Device.ID()
	own, err := dag.ParseAck(ben.Groups[g].Records[group.KindAck][string(d[:])])
	if err != nil {
		b.Fatal(err)
	}
	m, now := machineOf(ann, g), w.Now
	take := func(a *dag.Ack) {
		if _, err := m.Step(group.Input{Now: now, Cause: group.Received{From: ben.Self.Member(), Payload: group.BundleOf(a)}}); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("new", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			own.Seq++
			own.Sign(ben.Self.Device.Sign)
			b.StartTimer()
			take(own)
		}
	})
	b.Run("known", func(b *testing.B) {
		for b.Loop() {
			take(own)
		}
	})
}
