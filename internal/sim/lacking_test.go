package sim_test

import (
	"fmt"
	"slices"
	"testing"

	"kith/internal/group"
	"kith/internal/sim"
)

// TestOneMoreIsAskedForAlone: of 600 entries Ben gets no text by Ann and Eve, of whom he asks it. When one
// more comes so, he asks Eve for that one.
func TestOneMoreIsAskedForAlone(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo", "Dan", "Eve")
	ann, ben, cleo, dan, eve := nodes[0], nodes[1], nodes[2], nodes[3], nodes[4]
	w.Run(10 * minute)
	strip := func(n *sim.Node, of string) group.Row {
		row := line(t, n, g, of)
		key := string(group.EntryKey(row.Place.Ref()))
		bare(n, g, key, n.Groups[g].Records[group.KindEntry][key])
		delete(n.Groups[g].Records[group.KindSalt], key)
		return row
	}
	ben.Stop()
	for i := range 300 {
		for _, n := range []*sim.Node{cleo, dan} {
			must(t, n.Say(g, fmt.Sprint(n.Name, i)))
		}
	}
	w.Run(60_000)
	for i := range 300 {
		for _, of := range []*sim.Node{cleo, dan} {
			strip(ann, fmt.Sprint(of.Name, i))
			strip(eve, fmt.Sprint(of.Name, i))
		}
	}
	cleo.Stop()
	dan.Stop()
	ben.Start()
	w.Run(60_000)
	if n := len(ben.Groups[g].Records[group.KindLacking]); n != 600 {
		t.Fatalf("Ben lacks the text of %d", n)
	}
	for _, author := range []*sim.Node{cleo, dan} { // one of them is in the midst of what was asked for
		w.Cut(ann, ben)
		w.Cut(ann, eve)
		w.Cut(author, ben)
		w.Cut(author, eve)
		author.Start()
		must(t, author.Say(g, "one more of "+author.Name))
		w.Run(5000)
		author.Stop()
		row := strip(ann, "one more of "+author.Name)
		ben.Sent = nil
		w.Heal(ann, ben)
		w.Run(60_000)
		if !slices.Contains(keeps(ben, g, row), group.KindLacking) {
			t.Fatal("Ben does not take it for lacking")
		}
		asked := 0
		for _, p := range ben.Sent {
			if p.To == eve && p.Bytes[0] == kindAskEarlier {
				asked += len(p.Bytes)
			}
		}
		if asked == 0 || asked > 200 {
			t.Errorf("Ben asks Eve for the text of %s's by %d bytes", author.Name, asked)
		}
	}
}
