package group_test

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"kith/internal/dag"
	"kith/internal/group"
	"kith/internal/sim"
	"kith/internal/wire"
)

// Kinds of frames.
const (
	kindEntries = 4
	kindTree    = 40
)

// crowded is a group of Ann, Ben and so many others, of whom the last says nothing
// of the tree.
func crowded(t *testing.T, w *sim.World, others int) (g wire.GroupID, ann, ben, old *sim.Node) {
	t.Helper()
	ann, ben, old = w.Add("Ann"), w.Add("Ben"), w.Add("Old")
	old.Self.Omits = group.FeatureTree
	list := []group.Newcomer{ben.Newcomer(), old.Newcomer()}
	for i := range others - 1 {
		p := w.Add(fmt.Sprintf("member %d", i))
		list = append(list, p.Newcomer())
		p.Stop()
	}
	g = ann.Create(group.CreateParams{Title: "Large", Newcomers: list})
	w.Run(1000)
	for _, n := range []*sim.Node{ben, old} {
		if err := n.Do(g, group.Accept{}); err != nil {
			t.Fatal(err)
		}
	}
	w.Run(10_000)
	return g, ann, ben, old
}

// From 33 devices on that read it a tree is used: who writes pushes to the others
// alone, and says what may be passed on.
func TestTreeFrom33(t *testing.T) {
	for others, want := range map[int]int{31: 0, 32: 33} {
		w := sim.New(1)
		g, ann, ben, old := crowded(t, w, others)
		m := ann.Groups[g].Machine
		if got := m.Spreaders(); got != nil {
			t.Fatalf("without a tree %d devices take part in it", len(got))
		}
		m.SpreadByTree()
		list := m.Spreaders()
		if len(list) != want || !slices.IsSortedFunc(list, func(a, b wire.DeviceID) int { return bytes.Compare(a[:], b[:]) }) {
			t.Fatalf("%d other members that read it: %d devices take part, want %d", others, len(list), want)
		}
		if slices.Contains(list, old.Self.Device.ID()) {
			t.Error("who says nothing of the tree takes part")
		}
		text, err := group.Text("hello")
		if err != nil {
			t.Fatal(err)
		}
		eff, err := m.Step(group.Input{Now: w.Now, Cause: group.Compose{Content: text}})
		if err != nil {
			t.Fatal(err)
		}
		pushed := map[wire.DeviceID]bool{}
		for _, f := range eff.Send {
			pushed[f.To] = pushed[f.To] || f.Payload[0] == kindEntries
		}
		if !pushed[old.Self.Device.ID()] || pushed[ben.Self.Device.ID()] == (want > 0) {
			t.Errorf("%d others: pushed to the old one %v, to Ben %v", others, pushed[old.Self.Device.ID()], pushed[ben.Self.Device.ID()])
		}
		if (len(eff.Kept) == 1 && eff.Kept[0].Own) != (want > 0) {
			t.Errorf("%d others: to be passed on %+v", others, eff.Kept)
		}
		if want > 0 {
			takesPushed(t, m, ann.Self.Member(), ben, g, eff)
		}
	}
}

// takesPushed holds what is pushed along the tree against its id, and gives it to Ben.
func takesPushed(t *testing.T, m *group.Machine, from wire.Member, ben *sim.Node, g wire.GroupID, eff group.Effects) {
	t.Helper()
	stored := func(k group.Kind, key []byte) ([]byte, error) {
		for _, r := range eff.Write {
			if r.Kind == k && bytes.Equal(r.Key, key) {
				return r.Value, nil
			}
		}
		return nil, nil
	}
	whole, err := m.Pushed(ben.Self.Device.ID(), eff.Kept[0].Ref, stored)
	if err != nil {
		t.Fatal(err)
	}
	bare, err := m.Pushed(wire.DeviceID{9}, eff.Kept[0].Ref, stored) // is no member
	if err != nil {
		t.Fatal(err)
	}
	for name, payload := range map[string][]byte{"whole": whole, "bare": bare} {
		if id, ok := group.PushedID(payload); !ok || id != eff.Kept[0].ID {
			t.Errorf("%s: id %v, %v, want %v", name, id, ok, eff.Kept[0].ID)
		}
	}
	if len(bare)+200 > len(whole) {
		t.Errorf("whole it has %d bytes, for who may not read it %d", len(whole), len(bare))
	}
	b := ben.Groups[g].Machine
	b.SpreadByTree()
	got, err := b.Step(group.Input{Now: ben.World.Now, Cause: group.Received{From: from, Payload: bare}})
	if err != nil || len(got.Kept) != 0 || !b.LacksText(bare) {
		t.Errorf("Ben, of the header alone: %v, %+v, lacks the text: %v", err, got.Kept, b.LacksText(bare))
	}
	got, err = b.Step(group.Input{Now: ben.World.Now, Cause: group.Received{From: from, Payload: whole}})
	if err != nil || len(got.Kept) != 1 || got.Kept[0].Own || got.Kept[0].ID != eff.Kept[0].ID || len(got.Rows) != 1 {
		t.Errorf("Ben: %v, %+v, %d rows", err, got.Kept, len(got.Rows))
	}
	if b.LacksText(bare) || b.LacksText(whole) {
		t.Error("Ben lacks what is here")
	}
}

// What is no entry that is pushed alone has no id.
func TestPushedID(t *testing.T) {
	for name, payload := range map[string][]byte{
		"nothing": nil, "another frame": {1}, "no entry": {kindEntries, 0, 0}, "an answer": {kindEntries, 2, 0, 0, 1}, "rubbish": {kindEntries, 3, 1, 7, 0, 0},
	} {
		if id, ok := group.PushedID(payload); ok {
			t.Errorf("%s: %v", name, id)
		}
	}
	if got := group.TreeFrame([]byte{6}); !bytes.Equal(got, []byte{kindTree, 6}) || !bytes.Equal(group.TreeFrameIn(got), []byte{6}) {
		t.Errorf("a frame of the tree travels as %x", got)
	}
	for _, payload := range [][]byte{nil, {kindTree}, {kindEntries, 6}} {
		if frame := group.TreeFrameIn(payload); frame != nil {
			t.Errorf("%x has a frame of the tree", payload)
		}
	}
}

// Somebody says again and again to have a little that is not here, and gives nothing: of
// much that others have nothing is left to the tree for that.
func TestFewSaidHoldsNothingUp(t *testing.T) {
	w := sim.New(1)
	g, ann, ben, old := crowded(t, w, 33)
	const missed = 1500
	apart(t, w, g, ben, missed, ann, old) // each covers what the other wrote
	ben.Start()
	m := ben.Groups[g].Machine
	if m.SpreadByTree(); len(m.Spreaders()) == 0 {
		t.Fatal("no tree is in use")
	}
	for i := range byte(50) {
		heads := []dag.Ref{{Device: wire.DeviceID{i, 1}, Seq: 9}}
		w.Deliver(old, ben, g, old.Groups[g].Machine.HeadsPayload(heads, 1, 1))
		w.Run(100)
	}
	if got := len(ben.Texts(g)); got != missed {
		t.Errorf("after five seconds Ben has %d messages of %d", got, missed)
	}
}
