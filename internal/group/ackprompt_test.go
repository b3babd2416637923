package group_test

import (
	"bytes"
	"encoding/hex"
	"slices"
	"testing"

	"kith/internal/dag"
	"kith/internal/group"
	"kith/internal/sim"
	"kith/internal/wire"
)

const (
	kindPromptAck = 43
	kindPassOn    = 44
	kindLinks     = 45
)

// fourInLine is a group of four of whom only neighbours are connected.
func fourInLine(t testing.TB) (w *sim.World, g wire.GroupID, nodes []*sim.Node) {
	t.Helper()
	w = sim.New(1)
	ann, ben, cleo, dan := w.Add("Ann"), w.Add("Ben"), w.Add("Cleo"), w.Add("Dan")
	g = ann.Create(group.CreateParams{Title: "Trip", Newcomers: []group.Newcomer{ben.Newcomer(), cleo.Newcomer(), dan.Newcomer()}})
	w.Run(1000)
	for _, n := range w.Nodes[1:] {
		do(t, w, n, g, group.Accept{})
	}
	w.Cut(ann, cleo)
	w.Cut(ann, dan)
	w.Cut(ben, dan)
	w.Run(60_000)
	return w, g, w.Nodes
}

// sparingPayloads are some of each kind of FeatureSparing.
func sparingPayloads(t testing.TB) (list [][]byte) {
	w, g, nodes := fourInLine(t)
	if err := nodes[0].Say(g, "hello"); err != nil {
		t.Fatal(err)
	}
	w.Run(10_000)
	return someOfEach(t, w, kindPromptAck, kindLinks)
}

// TestSparingBytes: the frames as docs/spec/sync.md has them, spelt by hand.
func TestSparingBytes(t *testing.T) {
	sig := bytes.Repeat([]byte{9}, 64)
	ref := slices.Concat(bytes.Repeat([]byte{5}, 32), []byte{0, 0, 0, 0, 0, 0, 0, 7}, bytes.Repeat([]byte{6}, 16))
	stop := slices.Concat(bytes.Repeat([]byte{4}, 32), []byte{0, 0, 0, 0, 0, 0, 0, 3})
	mark := slices.Concat([]byte{0, 0, 0, 0, 0, 0, 0, 8}, bytes.Repeat([]byte{5}, 32), []byte{0, 0, 0, 0, 0, 0, 0, 7})
	one, eight := []byte{0, 0, 0, 0, 0, 0, 0, 1}, []byte("ABCDEFGH")
	zero := make([]byte, 8)
	for name, b := range map[string][]byte{
		"prompt of the receiver's": slices.Concat([]byte{43}, one, []byte{0, 0, 0, 0, 0, 0, 0, 7, 0}, sig),
		"prompt with a mark":       slices.Concat([]byte{43}, one, one, []byte{48}, mark, sig),
		"prompt by heads":          slices.Concat([]byte{43}, one, zero, []byte{56}, ref, []byte{40}, stop, []byte{0}, sig),
		"pass on":                  slices.Concat([]byte{44, 8}, eight, []byte{0x40, 141, 56}, ref, []byte{0, 0x40, 81}, eight, one, []byte{0}, sig, []byte{0}),
		"links":                    slices.Concat([]byte{45}, bytes.Repeat([]byte{1}, 32), []byte{2, 0, 5}),
	} {
		if again, err := group.Reencode(b); err != nil || !bytes.Equal(again, b) {
			t.Errorf("%s: %s, %v", name, hex.EncodeToString(again), err)
		}
	}
	for name, b := range map[string][]byte{
		"prompt cut":             slices.Concat([]byte{43}, one, one, []byte{0}, sig[1:]),
		"prompt, heads twice":    slices.Concat([]byte{43}, one, zero, []byte{0x40, 112}, ref, ref, []byte{0, 0}, sig),
		"pass on to nobody":      slices.Concat([]byte{44, 0, 0, 0}),
		"pass on to one twice":   slices.Concat([]byte{44, 16}, eight, eight, []byte{0, 0}),
		"links with a zero more": slices.Concat([]byte{45}, bytes.Repeat([]byte{1}, 32), []byte{2, 5, 0}),
	} {
		if _, err := group.Reencode(b); err == nil {
			t.Errorf("%s parses", name)
		}
	}
}

// TestFalsePrompt: who signs otherwise than it says is blamed, but for an Ack that names an entry by its
// number alone.
func TestFalsePrompt(t *testing.T) {
	w, g, nodes := fourInLine(t)
	ann, ben := nodes[0], nodes[1]
	do(t, w, ann, g, says(t, "hello"))
	w.Run(10_000)
	blamed := func() bool {
		return slices.ContainsFunc(ann.Groups[g].Events, func(e group.Event) bool {
			m, ok := e.(group.Misbehaved)
			return ok && m.From.Device == ben.Self.Device.ID()
		})
	}
	a := *ackOf(t, ann, ben, g)
	a.Seq++
	var short wire.Writer
	short.U8(kindPromptAck)
	short.U64(a.Seq)
	short.U64(9)
	dag.WriteMark(&short, nil)
	short.Raw(a.Signature[:])
	w.Deliver(ben, ann, g, short.Bytes())
	if blamed() {
		t.Error("Ben is blamed for naming an entry that Ann does not have")
	}
	w.Deliver(ben, ann, g, group.PassedOn(nodes[3].Self.Device.ID(), &a))
	if !blamed() || ackOf(t, ann, ben, g).Seq == a.Seq {
		t.Error("Ben is not blamed for an Ack that was not signed")
	}
}

// TestFalsePromptsAreLimited: of who brings false Acks without end the next are passed over, also a good one and
// in a new session, until a while later; how many are good is not counted.
func TestFalsePromptsAreLimited(t *testing.T) {
	const burst, every = 32, 2000 // docs/spec/sync.md
	w, g, nodes := fourInLine(t)
	ann, ben := nodes[0], nodes[1]
	do(t, w, ann, g, says(t, "hello"))
	w.Run(10_000)
	next := func() *dag.Ack {
		a := *ackOf(t, ann, ben, g)
		a.Seq++
		a.Sign(ben.Self.Device.Sign)
		return &a
	}
	for range 2 * burst {
		a := next()
		if w.Deliver(ben, ann, g, group.PassedOn(nodes[3].Self.Device.ID(), a)); ackOf(t, ann, ben, g).Seq != a.Seq {
			t.Fatal("an Ack that holds is not taken")
		}
	}
	good := next()
	lies := func() {
		for i := range uint64(2 * burst) {
			var short wire.Writer
			short.U8(kindPromptAck)
			short.U64(good.Seq + i)
			short.U64(9)
			dag.WriteMark(&short, nil)
			short.Raw(good.Signature[:])
			w.Deliver(ben, ann, g, short.Bytes())
		}
	}
	lies()
	m := machineOf(ann, g)
	for _, c := range []group.Cause{group.PeerDown{Device: ben.Self.Device.ID()}, group.PeerUp{Peer: ben.Self.Member()}} {
		if _, err := m.Step(group.Input{Now: w.Now, Cause: c}); err != nil {
			t.Fatal(err)
		}
	}
	brings := func() bool {
		w.Deliver(ben, ann, g, group.PassedOn(nodes[3].Self.Device.ID(), good))
		return ackOf(t, ann, ben, g).Seq == good.Seq
	}
	if brings() {
		t.Error("an Ack is looked at after many false ones")
	}
	if w.Run(every); !brings() {
		t.Error("no Ack is looked at any more")
	}
}

// TestAckInARing: an Ack that comes again is not passed on again.
func TestAckInARing(t *testing.T) {
	w, g, nodes := fourInLine(t)
	do(t, w, nodes[0], g, says(t, "hello"))
	w.Run(20 * minutes)
	a := *ackOf(t, nodes[3], nodes[3], g)
	a.Seq++
	a.Sign(nodes[3].Self.Device.Sign)
	nodes[2].Sent = nil
	for range 5 {
		w.Deliver(nodes[3], nodes[2], g, group.PassedOn(nodes[0].Self.Device.ID(), &a))
		w.Run(5_000)
	}
	sent := 0
	for _, p := range nodes[2].Sent {
		if p.Bytes[0] == kindPassOn && p.To == nodes[1] {
			sent++
		}
	}
	if got := ackOf(t, nodes[0], nodes[3], g).Seq; got != a.Seq || sent != 1 {
		t.Errorf("Ann has number %d of %d; Cleo passed on %d", got, a.Seq, sent)
	}
}

// TestSparingBesideOlder: beside one device of a program before, Acks go to all as they did.
func TestSparingBesideOlder(t *testing.T) {
	w := sim.New(1)
	ann, ben, cleo := w.Add("Ann"), w.Add("Ben"), w.Add("Cleo")
	cleo.Self.Omits = group.FeatureSparing
	g := ann.Create(group.CreateParams{Title: "Trip", Newcomers: []group.Newcomer{ben.Newcomer(), cleo.Newcomer()}})
	w.Run(1000)
	do(t, w, ben, g, group.Accept{})
	do(t, w, cleo, g, group.Accept{})
	do(t, w, ann, g, says(t, "hello"))
	w.Run(5000)
	allSay(t, g, ann, 1, w.Nodes...)
	for _, n := range w.Nodes {
		for _, p := range n.Sent {
			if kind := p.Bytes[0]; kind >= kindPromptAck && kind <= kindLinks && (kind != kindLinks || p.To == cleo || n == cleo) {
				t.Errorf("%s sends %s a frame of kind %d", n.Name, p.To.Name, kind)
			}
		}
	}
}

// TestRelayToWhoIsGone: what waits to be passed on to a device that nobody leads to goes with that device.
func TestRelayToWhoIsGone(t *testing.T) {
	w, g, nodes := fourInLine(t)
	ann, ben, dan := nodes[0], nodes[1], nodes[3]
	waits := func() int {
		for _, h := range machineOf(ben, g).Holdings() {
			if h.Name == "Acks on their way to who waits for them" {
				return h.Held
			}
		}
		return -1
	}
	a := *ackOf(t, ann, ann, g)
	a.Seq++
	a.Sign(ann.Self.Device.Sign)
	w.Deliver(ann, ben, g, group.PassedOn(dan.Self.Device.ID(), &a))
	w.Run(5000)
	if n := waits(); n != 1 {
		t.Fatalf("Ben is to pass on %d", n)
	}
	do(t, w, ann, g, group.Remove{Person: dan.Self.Person})
	w.Run(5000)
	if n := waits(); n != 0 {
		t.Errorf("Ben still is to pass on %d", n)
	}
}
