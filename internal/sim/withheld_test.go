package sim_test

import (
	"fmt"
	"slices"
	"testing"

	"kith/internal/dag"
	"kith/internal/group"
	"kith/internal/sim"
	"kith/internal/wire"
)

// hidden is an entry that n writes at its head while nobody hears it.
func hidden(t *testing.T, w *sim.World, n *sim.Node, g wire.GroupID, text string) group.Packed {
	t.Helper()
	alone(w, n)
	n.Start()
	before := len(n.Groups[g].Records[group.KindEntry])
	must(t, n.Say(g, text))
	n.Stop()
	w.HealAll()
	table := n.Groups[g].Records[group.KindEntry]
	if len(table) != before+1 {
		t.Fatalf("%d entries are new", len(table)-before)
	}
	for _, key := range sorted(table) {
		if h, err := dag.ParseHeader(table[key]); err == nil && h.Device == n.Self.Device.ID() {
			return group.Packed{Header: table[key], Ciphertext: n.Groups[g].Records[group.KindCipher][key]}
		}
	}
	t.Fatal("it wrote nothing")
	return group.Packed{}
}

// TestWithheldText: Cleo writes at a block from before Dan came, and gives the header
// alone, to Dan alone, who is not entitled to more. What Dan writes after it is
// held up nowhere; and whoever gets the text later reads it.
func TestWithheldText(t *testing.T) {
	w, nodes, g := published(t, group.Suites()[1], "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	cleo.Stop()
	dan := w.Add("Dan")
	must(t, ann.Do(g, group.Invite{Newcomers: []group.Newcomer{dan.NewcomerFor(group.Suites()[1])}}))
	w.Run(1000)
	must(t, dan.Do(g, group.Accept{}))
	w.Run(10_000)
	secret := hidden(t, w, cleo, g, "withheld")
	w.Deliver(ben, dan, g, entries(group.Packed{Header: secret.Header}))
	const said = 1_100 // more than wait for others at one time
	for i := range said {
		must(t, dan.Say(g, fmt.Sprint(i)))
		if i%100 == 0 {
			w.Run(3000)
		}
	}
	w.Run(60_000)
	for _, n := range []*sim.Node{ann, ben} {
		waiting := 0
		for _, row := range n.Groups[g].Shown() {
			if row.Waiting {
				waiting++
			}
		}
		if got := len(n.Texts(g)); got != said || waiting > 0 {
			t.Errorf("%s sees %d of %d messages of Dan's; %d of them wait", n.Name, got, said, waiting)
		}
	}
	ben.Stop() // that the text is lacking is stored
	ben.Start()
	w.Deliver(dan, ben, g, entries(secret))
	w.Run(60_000)
	for _, n := range []*sim.Node{ben, ann} {
		if got := n.Texts(g); len(got) != said+1 {
			t.Errorf("%s sees %d messages, and not the one that came later", n.Name, len(got))
		}
	}
}

// TestWithheldTexts: of more texts than can be noted as lacking, nothing is taken that is
// not noted, so that no Ack counts it; when Cleo and Eve give them all are read.
func TestWithheldTexts(t *testing.T) {
	w, nodes, g := published(t, group.Suites()[1], "Ann", "Ben", "Cleo", "Eve")
	ann, authors := nodes[0], nodes[2:]
	for _, n := range authors {
		n.Stop()
	}
	dan := w.Add("Dan")
	must(t, ann.Do(g, group.Invite{Newcomers: []group.Newcomer{dan.NewcomerFor(group.Suites()[1])}}))
	w.Run(1000)
	must(t, dan.Do(g, group.Accept{}))
	w.Run(10_000)
	const withheld, room = 1_100, 1024
	var secrets []group.Packed
	for _, n := range authors {
		alone(w, n)
		n.Start()
		for i := range withheld / len(authors) {
			must(t, n.Say(g, fmt.Sprint(i)))
		}
		n.Stop()
		w.HealAll()
		written := n.Groups[g].Records[group.KindEntry]
		for _, key := range sorted(written) {
			secrets = append(secrets, group.Packed{Header: written[key]})
		}
	}
	for part := range slices.Chunk(secrets, 500) { // a frame has 512 at most
		w.Deliver(nodes[1], dan, g, entries(part...))
	}
	must(t, dan.Say(g, "after it"))
	w.Run(60_000)
	cipher, hollow := ann.Groups[g].Records[group.KindCipher], ann.Groups[g].Records[group.KindHollow]
	if len(hollow) != room {
		t.Errorf("%d texts are noted as lacking", len(hollow))
	}
	for key := range ann.Groups[g].Records[group.KindEntry] {
		_, whole := cipher[key]
		if _, noted := hollow[key]; !whole && !noted {
			t.Errorf("%x has no text and is not asked for", key)
		}
	}
	for _, n := range authors {
		n.Start()
	}
	w.Run(60_000)
	if got := len(ann.Texts(g)); got != withheld+1 {
		t.Errorf("Ann sees %d of %d messages", got, withheld+1)
	}
}
