package sim_test

import (
	"bytes"
	"slices"
	"testing"

	"kith/internal/dag"
	"kith/internal/group"
	"kith/internal/mls"
	"kith/internal/sim"
	"kith/internal/wire"
)

// twoFaces makes two entries of n for one place, with different texts, as who
// runs a program of its own may. Their message keys are of the same generation,
// or of two.
func twoFaces(t *testing.T, w *sim.World, n *sim.Node, g wire.GroupID, oneKey bool) (list [2]group.Packed) {
	t.Helper()
	m, err := group.Load(n.Self, records(n, g))
	must(t, err)
	c, err := group.Text("I owe you 100")
	must(t, err)
	eff, err := m.Step(group.Input{Now: w.Now, Cause: group.Compose{Client: "x", Content: c}})
	must(t, err)
	for _, r := range eff.Write {
		switch r.Kind {
		case group.KindEntry:
			list[0].Header = r.Value
		case group.KindCipher:
			list[0].Ciphertext = r.Value
		}
	}
	h, err := dag.ParseHeader(list[0].Header)
	must(t, err)

	content, err := group.Text("I owe you 1")
	must(t, err)
	salt := [32]byte{1}
	h.ContentID[0] ^= 1
	h.ContentCommit = dag.ContentCommit(g, h.Device, h.ContentID, salt, content.Bytes())
	e := epochOf(t, n, g)
	ratchets := ratchetsOf(t, n, g, e)
	aad, plain := h.AAD(), append(salt[:], content.Bytes()...)
	times := 2
	if oneKey {
		times = 1
	}
	for range times {
		list[1].Ciphertext, err = e.Encrypt(ratchets, n.Self.Device, aad[:], plain, dag.PaddedSize(len(plain))-len(plain))
		must(t, err)
	}
	h.CiphertextHash, h.Length = dag.CiphertextHash(list[1].Ciphertext), uint32(len(list[1].Ciphertext))
	h.Sign(n.Self.Device.Sign)
	list[1].Header = h.Bytes()
	return list
}

// ratchetsOf returns the message keys that n holds at its head.
func ratchetsOf(t *testing.T, n *sim.Node, g wire.GroupID, e *mls.Epoch) *mls.Ratchets {
	t.Helper()
	head := machine(n, g).Head()
	var list []mls.Change
	must(t, records(n, g)(group.KindRatchet, func(r group.Record) error {
		if key, ok := bytes.CutPrefix(r.Key, head[:]); ok {
			list = append(list, mls.Change{Key: key, Value: r.Value})
		}
		return nil
	}))
	r, err := mls.LoadRatchets(e.Public().Suite(), list)
	must(t, err)
	return r
}

// TestTwoEntriesAtOnePlace: Cleo tells Ann one thing and Ben another at one place.
// Nothing that was shown is replaced: both see both, in one order, and are told.
func TestTwoEntriesAtOnePlace(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	faces := twoFaces(t, w, cleo, g, false)
	w.Cut(ann, ben)
	w.Deliver(cleo, ann, g, entries(faces[0]))
	w.Deliver(cleo, ben, g, entries(faces[1]))
	cleo.Stop()
	if a, b := ann.Texts(g), ben.Texts(g); !slices.Equal(a, []string{"I owe you 100"}) || !slices.Equal(b, []string{"I owe you 1"}) {
		t.Fatalf("Ann sees %q, Ben %q", a, b)
	}
	must(t, ann.Say(g, "noted"))
	w.Heal(ann, ben)
	w.Run(60_000)
	alike(t, g, ann, ben)
	for _, n := range []*sim.Node{ann, ben} {
		if got := n.Texts(g); len(got) != 3 || got[2] != "noted" {
			t.Errorf("%s sees %q", n.Name, got)
		}
		for _, row := range n.Groups[g].Shown() {
			if row.Twice != (row.Person == cleo.Self.Person) {
				t.Errorf("%s: %q is marked %v", n.Name, row.Content, row.Twice)
			}
		}
		if rules := accusations(n, g); len(rules) > 0 {
			t.Errorf("%s accuses %q", n.Name, rules)
		}
	}
}

// TestTwoEntriesUnderOneKey: what the first decrypted stays, the second cannot be
// read by who has it second.
func TestTwoEntriesUnderOneKey(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	faces := twoFaces(t, w, cleo, g, true)
	w.Cut(ann, ben)
	w.Deliver(cleo, ann, g, entries(faces[0]))
	w.Deliver(cleo, ben, g, entries(faces[1]))
	cleo.Stop()
	w.Heal(ann, ben)
	w.Run(60_000)
	for n, want := range map[*sim.Node]string{ann: "I owe you 100", ben: "I owe you 1"} {
		if got := n.Texts(g); !slices.Equal(got, []string{want}) {
			t.Errorf("%s sees %q", n.Name, got)
		}
		unreadable := 0
		for _, row := range n.Groups[g].Rows {
			if row.State == group.RowUnreadable && row.Twice {
				unreadable++
			}
		}
		if unreadable != 1 {
			t.Errorf("%s has %d marked rows that cannot be read", n.Name, unreadable)
		}
	}
}
