package group_test

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"maps"
	"slices"
	"testing"

	"kith/internal/group"
	"kith/internal/wire"
)

// TestCheckEntries: what is checked before a payload reaches the machine changes nothing of what it
// takes and refuses, whatever keys are given.
func TestCheckEntries(t *testing.T) {
	w, g := story(t)
	ann, ben, cleo := w.Node("Ann"), w.Node("Ben"), w.Node("Cleo")
	w.Cut(ann, ben)
	w.Cut(ben, cleo)
	w.Cut(ann, cleo)
	known := make(map[string]bool)
	for key := range ann.Groups[g].Records[group.KindEntry] {
		known[key] = true
	}
	const said = 12
	for i := range said {
		if err := ann.Say(g, fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
	}
	var good []group.Packed
	records := ann.Groups[g].Records
	for _, key := range slices.Sorted(maps.Keys(records[group.KindEntry])) { // by seq: the new ones are of one device
		if !known[key] {
			good = append(good, group.Packed{Header: records[group.KindEntry][key], Ciphertext: records[group.KindCipher][key]})
		}
	}
	if len(good) != said {
		t.Fatalf("%d entries", len(good))
	}
	forged := append([]group.Packed(nil), good...)
	forged[said-1].Header = bytes.Clone(good[said-1].Header)
	forged[said-1].Header[len(forged[said-1].Header)-1] ^= 1

	right := map[wire.DeviceID]ed25519.PublicKey{ann.Self.Device.ID(): ann.Self.Device.PublicKey()}
	wrong := map[wire.DeviceID]ed25519.PublicKey{ann.Self.Device.ID(): cleo.Self.Device.PublicKey()}
	for name, c := range map[string]struct {
		entries []group.Packed
		keys    map[wire.DeviceID]ed25519.PublicKey
		shown   int
	}{
		"with the right keys":                   {good, right, said},
		"with no keys":                          {good, nil, said},
		"with another's key":                    {good, wrong, said},
		"with a forged one":                     {forged, right, said - 1},
		"with a forged one and no keys":         {forged, nil, said - 1},
		"with a forged one and another's key":   {forged, wrong, said - 1},
		"with a key that is none":               {good, map[wire.DeviceID]ed25519.PublicKey{ann.Self.Device.ID(): {1}}, said},
		"with a forged one, and not beforehand": {forged, nil, said - 1},
	} {
		m, err := group.Load(ben.Self, source(ben.Groups[g].Records, 0, nil, nil))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.Step(group.Input{Now: w.Now, Cause: group.PeerUp{Peer: ann.Self.Member()}}); err != nil {
			t.Fatal(err)
		}
		payload := group.Batches(c.entries)[0]
		checked := group.CheckEntries(payload, func(d wire.DeviceID) ed25519.PublicKey { return c.keys[d] })
		if checked == nil {
			t.Fatalf("%s: nothing is checked", name)
		}
		if name == "with a forged one, and not beforehand" {
			checked = nil
		}
		eff, err := m.Step(group.Input{Now: w.Now, Cause: group.Received{From: ann.Self.Member(), Payload: payload, Checked: checked}})
		if err != nil {
			t.Fatal(err)
		}
		shown, accused := 0, 0
		for _, r := range eff.Rows {
			if r.State == group.RowShown {
				shown++
			}
		}
		for _, e := range eff.Notify {
			if e, ok := e.(group.Misbehaved); ok && e.Rule == "entry-signature" {
				accused++
			}
		}
		if shown != c.shown || accused != said-c.shown {
			t.Errorf("%s: %d are shown and %d refused, want %d and %d", name, shown, accused, c.shown, said-c.shown)
		}
	}
	for name, payload := range map[string][]byte{"nothing": nil, "another frame": {1, 2}, "half a frame": group.Batches(good)[0][:100]} {
		if group.CheckEntries(payload, func(wire.DeviceID) ed25519.PublicKey { return nil }) != nil {
			t.Errorf("%s is checked", name)
		}
	}
}
