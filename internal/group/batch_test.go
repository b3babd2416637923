package group_test

import (
	"bytes"
	"fmt"
	"testing"

	"kith/internal/group"
	"kith/internal/sim"
)

// TestOneBadSignature: of many entries in one frame each is judged for itself.
func TestOneBadSignature(t *testing.T) {
	const count, bad = 8, 7 // the newest: nothing else waits for it
	w := sim.New(1)
	ann, ben := w.Add("Ann"), w.Add("Ben")
	g := ann.Create(group.CreateParams{Title: "Trip", Newcomers: []group.Newcomer{ben.Newcomer()}})
	w.Run(1000)
	if err := ben.Do(g, group.Accept{}); err != nil {
		t.Fatal(err)
	}
	w.Run(5000)

	var packed []group.Packed
	for i := range count {
		text, err := group.Text(fmt.Sprint(i))
		if err != nil {
			t.Fatal(err)
		}
		eff, err := ann.Groups[g].Machine.Step(group.Input{Now: w.Now, Cause: group.Compose{Content: text}})
		if err != nil {
			t.Fatal(err)
		}
		p := group.Packed{}
		for _, r := range eff.Write {
			switch r.Kind {
			case group.KindEntry:
				p.Header = bytes.Clone(r.Value)
			case group.KindCipher:
				p.Ciphertext = r.Value
			}
		}
		packed = append(packed, p)
	}
	genuine := packed[bad].Header
	packed[bad].Header = bytes.Clone(genuine)
	packed[bad].Header[len(genuine)-1] ^= 1

	receive := func() (rows int, rules []string) {
		t.Helper()
		eff, err := ben.Groups[g].Machine.Step(group.Input{Now: w.Now, Cause: group.Received{
			From: ann.Self.Member(), Payload: group.Batches(packed)[0],
		}})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range eff.Notify {
			if m, ok := e.(group.Misbehaved); ok {
				rules = append(rules, m.Rule)
			}
		}
		return len(eff.Rows), rules
	}
	if rows, rules := receive(); rows != count-1 || len(rules) != 1 || rules[0] != "entry-signature" {
		t.Fatalf("%d rows, broken rules %q", rows, rules)
	}
	packed[bad].Header = genuine
	if rows, rules := receive(); rows != 1 || len(rules) != 0 {
		t.Fatalf("the genuine one: %d rows, broken rules %q", rows, rules)
	}
}
