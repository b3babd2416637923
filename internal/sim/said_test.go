package sim_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"kith/internal/dag"
	"kith/internal/group"
	"kith/internal/sim"
	"kith/internal/wire"
)

// forge makes an entry of n that says what its program refuses to say, as who runs a
// program of its own may.
func forge(t *testing.T, w *sim.World, n *sim.Node, g wire.GroupID, b group.Body) group.Packed {
	t.Helper()
	content, err := group.Say(b)
	must(t, err)
	list := twoFaces(t, w, n, g, true)
	h, err := dag.ParseHeader(list[0].Header)
	must(t, err)
	salt := [32]byte{1}
	h.ContentCommit = dag.ContentCommit(g, h.Device, h.ContentID, salt, content.Bytes())
	e := epochOf(t, n, g)
	aad, plain := h.AAD(), append(salt[:], content.Bytes()...)
	ciphertext, err := e.Encrypt(ratchetsOf(t, n, g, e), n.Self.Device, aad[:], plain, dag.PaddedSize(len(plain))-len(plain))
	must(t, err)
	h.CiphertextHash, h.Length = dag.CiphertextHash(ciphertext), uint32(len(ciphertext))
	h.Sign(n.Self.Device.Sign)
	return group.Packed{Header: h.Bytes(), Ciphertext: ciphertext}
}

// line returns the row of a text, as n sees it.
func line(t *testing.T, n *sim.Node, g wire.GroupID, text string) group.Row {
	t.Helper()
	for _, row := range n.Groups[g].Lines() {
		if c, err := group.ParseContent(row.Content); err == nil && string(c.Body) == text {
			return row
		}
	}
	t.Fatalf("%s does not see %q", n.Name, text)
	return group.Row{}
}

// pages compares what nodes see.
func pages(t *testing.T, g wire.GroupID, want []string, nodes ...*sim.Node) {
	t.Helper()
	for _, n := range nodes {
		if got := n.Groups[g].Page(); !slices.Equal(got, want) {
			t.Errorf("%s sees\n%s\nwant\n%s", n.Name, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

func by(n *sim.Node) string { return n.Self.Person.String()[:4] }

// TestUnauthorised: who has no right to edit or delete a message, to pin one or to close a poll changes
// nothing by it for anybody; an honest program refuses to try. A copied content id
// names nothing of its first author's.
func TestUnauthorised(t *testing.T) {
	for name, attack := range map[string]func(of group.Target, ben *sim.Node) group.Body{
		"edit":   func(of group.Target, _ *sim.Node) group.Body { return group.Edit{Of: of, Text: "I never said that"} },
		"delete": func(of group.Target, _ *sim.Node) group.Body { return group.Delete{Of: of} },
		"pin":    func(of group.Target, _ *sim.Node) group.Body { return group.Pin{Of: of, On: true} },
		"edit under his own name": func(of group.Target, ben *sim.Node) group.Body {
			return group.Edit{Of: group.Target{Person: ben.Self.Person, ID: of.ID, Commit: of.Commit}, Text: "I never said that"}
		},
		"delete under his own name": func(of group.Target, ben *sim.Node) group.Body {
			return group.Delete{Of: group.Target{Person: ben.Self.Person, ID: of.ID, Commit: of.Commit}}
		},
		"delete as a version of his own": func(of group.Target, ben *sim.Node) group.Body {
			return group.Delete{Of: group.Target{Person: ben.Self.Person}, Versions: []group.Version{{ID: of.ID, Commit: of.Commit}}}
		},
	} {
		w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
		ann, ben, cleo := nodes[0], nodes[1], nodes[2]
		must(t, ann.Say(g, "said"))
		w.Run(5000)
		of := line(t, ben, g, "said").Target()
		body := attack(of, ben)
		if err := ben.SayBody(g, body); of.Person == ann.Self.Person && !strings.Contains(name, "own") && err == nil {
			t.Errorf("%s: an honest program does it", name)
		}
		forged := forge(t, w, ben, g, body)
		ben.Stop()
		for _, n := range []*sim.Node{ann, cleo} {
			w.Deliver(ben, n, g, entries(forged))
		}
		ben.Start()
		for _, n := range []*sim.Node{ann, cleo} {
			w.Deliver(ben, n, g, entries(forged))
		}
		w.Run(5000)
		h, err := dag.ParseHeader(forged.Header)
		must(t, err)
		for _, n := range []*sim.Node{ann, cleo} {
			if _, there := n.Groups[g].Rows[h.Place()]; !there {
				t.Fatalf("%s: %s has not got it", name, n.Name)
			}
			if !n.Groups[g].Machine.Blocks().Has(h.Block) || len(n.Groups[g].Records[group.KindCipher][string(group.EntryKey(line(t, n, g, "said").Place.Ref()))]) == 0 {
				t.Errorf("%s: %s has lost the ciphertext", name, n.Name)
			}
		}
		pages(t, g, []string{"said"}, ann, cleo)
	}
}

// TestDeleteAfterFalseVersion: Ben names a message of his as an edit that another of his
// Deletes takes along, which it is not. An admin can delete it all the same.
func TestDeleteAfterFalseVersion(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	must(t, ben.Say(g, "said"))
	w.Run(5000)
	row := line(t, ann, g, "said")
	of := row.Target()
	forged := forge(t, w, ben, g, group.Delete{Of: group.Target{Person: of.Person}, Versions: []group.Version{{ID: of.ID, Commit: of.Commit}}})
	h, err := dag.ParseHeader(forged.Header)
	must(t, err)
	for _, n := range []*sim.Node{ann, cleo} {
		w.Deliver(ben, n, g, entries(forged))
		if got := n.Groups[g].Rows[h.Place()]; got.State != group.RowShown {
			t.Fatalf("%s has the false one in state %d", n.Name, got.State)
		}
	}
	pages(t, g, []string{"said"}, ann, cleo)
	must(t, ann.SayBody(g, group.Delete{Of: of}))
	w.Run(5000)
	for _, n := range []*sim.Node{ann, cleo} {
		rep := n.Groups[g]
		if got := rep.Rows[row.Place]; got.State != group.RowDeleted || len(got.Content) > 0 {
			t.Errorf("%s has it in state %d, with %d bytes", n.Name, got.State, len(got.Content))
		}
		if len(rep.Records[group.KindCipher][string(group.EntryKey(row.Place.Ref()))]) > 0 {
			t.Errorf("%s has its ciphertext", n.Name)
		}
	}
}

// TestDeletedComesAsHeader: Cleo is away while Ann says a lot, edits some of it and deletes
// all; nobody has it any more when Cleo comes back. Nothing is missing, nothing waits, and Ann's
// last message is acknowledged.
func TestDeletedComesAsHeader(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	cleo.Stop()
	const said = 300 // more than one answer brings
	var want []string
	for i := range said {
		must(t, ann.Say(g, fmt.Sprint("secret ", i)))
		if i%100 == 99 {
			w.Run(3000)
		}
		want = append(want, "deleted by "+by(ann))
	}
	for i := range said {
		of := line(t, ann, g, fmt.Sprint("secret ", i)).Target()
		d := group.Delete{Of: of}
		if i%10 == 0 {
			must(t, ann.SayBody(g, group.Edit{Of: of, Text: fmt.Sprint("secret again ", i)}))
			row := newestRow(ann, g)
			d.Versions = []group.Version{{ID: row.ID, Commit: row.Commit}}
		}
		must(t, ann.SayBody(g, d))
		if i%100 == 99 {
			w.Run(3000)
		}
	}
	must(t, ann.Say(g, "after it"))
	w.Run(10_000)
	cleo.Start()
	w.Run(60_000)
	pages(t, g, append(want, "after it"), ann, ben, cleo)
	for _, n := range nodes {
		nothingLeft(t, n, g, "secret")
		if v := n.Groups[g].Machine.View(); v.Missing > 0 || len(n.Groups[g].Records[group.KindHollow]) > 0 {
			t.Errorf("%s: %d missing, %d hollow", n.Name, v.Missing, len(n.Groups[g].Records[group.KindHollow]))
		}
		if rules := accusations(n, g); len(rules) > 0 {
			t.Errorf("%s accuses of %q", n.Name, rules)
		}
	}
	place := newestRow(ann, g).Place
	if reached, of := ann.Groups[g].Machine.Delivered(place.Device, place.Seq); len(reached) != 2 || len(of) != 2 {
		t.Errorf("Ann's last message reached %d of %d", len(reached), len(of))
	}
	// A start changes nothing.
	before := cleo.Groups[g].Page()
	cleo.Stop()
	cleo.Start()
	w.Run(10_000)
	pages(t, g, before, cleo)
}

func newestRow(n *sim.Node, g wire.GroupID) (newest group.Row) {
	for _, row := range n.Groups[g].Rows {
		if row.Place.Device == n.Self.Device.ID() && row.Place.Seq > newest.Place.Seq {
			newest = row
		}
	}
	return newest
}

// nothingLeft checks that no row says a word any more.
func nothingLeft(t *testing.T, n *sim.Node, g wire.GroupID, word string) {
	t.Helper()
	for _, row := range n.Groups[g].Rows {
		if strings.Contains(string(row.Content), word) {
			t.Errorf("%s has %q", n.Name, row.Content)
		}
	}
	for _, kind := range []group.Kind{group.KindUnsent, group.KindShelved, group.KindHeld} {
		for _, b := range n.Groups[g].Records[kind] {
			if strings.Contains(string(b), word) {
				t.Errorf("%s has a record of kind %d", n.Name, kind)
			}
		}
	}
}

// TestDeleteComesFirst: Cleo gets the Delete before the message that it deletes, which comes
// whole from who had not heard of it, or as a header from who has deleted it.
func TestDeleteComesFirst(t *testing.T) {
	t.Run("whole", func(t *testing.T) { deleteComesFirst(t, true) })
	t.Run("header", func(t *testing.T) { deleteComesFirst(t, false) })
}

func deleteComesFirst(t *testing.T, comesWhole bool) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	alone(w, cleo)
	must(t, ann.Say(g, "secret"))
	message := line(t, ann, g, "secret")
	whole := packedAt(ann, g, message)
	must(t, ann.SayBody(g, group.Delete{Of: message.Target()}))
	removed := packedAt(ann, g, newestRow(ann, g))
	w.Run(5000)
	w.HealAll()
	alone(w, cleo, ben)
	w.Deliver(ben, cleo, g, entries(removed))
	if len(cleo.Groups[g].Annotations()) != 1 || !cleo.Groups[g].Annotations()[0].Waiting {
		t.Fatalf("Cleo has %+v", cleo.Groups[g].Annotations())
	}
	cleo.Stop() // a Delete that waits is stored
	cleo.Start()
	if comesWhole {
		w.Deliver(ben, cleo, g, entries(whole))
	}
	w.HealAll()
	w.Run(20_000)
	pages(t, g, []string{"deleted by " + by(ann)}, ann, ben, cleo)
	nothingLeft(t, cleo, g, "secret")
	if n := len(cleo.Groups[g].Records[group.KindHollow]); n > 0 || cleo.Groups[g].Machine.View().Missing > 0 {
		t.Errorf("%d hollow, %d missing", n, cleo.Groups[g].Machine.View().Missing)
	}
	if len(cleo.Groups[g].Records[group.KindCipher][string(group.EntryKey(message.Place.Ref()))]) > 0 {
		t.Error("Cleo has the ciphertext")
	}
}

func packedAt(n *sim.Node, g wire.GroupID, row group.Row) group.Packed {
	key := group.EntryKey(row.Place.Ref())
	r := n.Groups[g].Records
	return group.Packed{Header: r[group.KindEntry][string(key)], Ciphertext: r[group.KindCipher][string(key)]}
}

// TestFalseDelete: a Delete whose claims prove false deletes nothing.
func TestFalseDelete(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	must(t, ann.Say(g, "first"))
	w.Run(5000)
	alone(w, cleo)
	must(t, ann.Say(g, "second"))
	second := packedAt(ann, g, line(t, ann, g, "second"))
	forged := forge(t, w, ann, g, group.Delete{Of: line(t, ann, g, "first").Target()})
	h, err := dag.ParseHeader(forged.Header)
	must(t, err)
	h.Lamport += 5 // above all that it names
	e := epochOf(t, ann, g)
	content, err := group.Say(group.Delete{Of: line(t, ann, g, "first").Target()})
	must(t, err)
	salt := [32]byte{1}
	aad, plain := h.AAD(), append(salt[:], content.Bytes()...)
	forged.Ciphertext, err = e.Encrypt(ratchetsOf(t, ann, g, e), ann.Self.Device, aad[:], plain, dag.PaddedSize(len(plain))-len(plain))
	must(t, err)
	h.CiphertextHash, h.Length = dag.CiphertextHash(forged.Ciphertext), uint32(len(forged.Ciphertext))
	h.Sign(ann.Self.Device.Sign)
	forged.Header = h.Bytes()
	w.HealAll()
	alone(w, cleo, ben)
	w.Deliver(ben, cleo, g, entries(forged))
	if list := cleo.Groups[g].Annotations(); len(list) != 1 || !list[0].Waiting {
		t.Fatalf("Cleo has %+v", list)
	}
	w.Deliver(ben, cleo, g, entries(second))
	w.Run(5000)
	pages(t, g, []string{"first", "second"}, cleo)
	if n := len(cleo.Groups[g].Records[group.KindDeletion]); n > 0 {
		t.Errorf("%d Deletes are remembered", n)
	}
}

// TestAnnotationsAfterSplit: what is said about a message stays with it when it is
// sealed again after a split; and when it is deleted it is not sealed again.
func TestAnnotationsAfterSplit(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo", "Dan")
	ann, ben, cleo, dan := nodes[0], nodes[1], nodes[2], nodes[3]
	promote(t, w, g, ann, cleo)
	part(w, ann, ben)
	must(t, ann.Do(g, group.SetTitle{Title: "One"}))
	must(t, cleo.Do(g, group.SetTitle{Title: "Two"}))
	w.Run(3000)
	for _, n := range []*sim.Node{ann, cleo} {
		must(t, n.Say(g, "kept by "+n.Name))
		must(t, n.Say(g, "gone by "+n.Name))
	}
	w.Run(3000)
	must(t, ben.SayBody(g, group.Reaction{To: line(t, ben, g, "kept by Ann").Target(), On: true, Emoji: "+"}))
	must(t, dan.SayBody(g, group.Reaction{To: line(t, dan, g, "kept by Cleo").Target(), On: true, Emoji: "+"}))
	must(t, ann.SayBody(g, group.Edit{Of: line(t, ann, g, "kept by Ann").Target(), Text: "edited by Ann"}))
	must(t, ann.SayBody(g, group.Delete{Of: line(t, ann, g, "gone by Ann").Target()}))
	must(t, cleo.SayBody(g, group.Delete{Of: line(t, cleo, g, "gone by Cleo").Target()}))
	w.Run(3000)
	w.HealAll()
	w.Run(120_000)
	want := fmt.Sprintf("edited by Ann; <kept by Ann>; <edited by Ann>; + %s", by(ben))
	for _, n := range nodes {
		page := n.Groups[g].Page()
		if !slices.Contains(page, want) || !slices.Contains(page, "kept by Cleo; + "+by(dan)) {
			t.Errorf("%s sees %q", n.Name, page)
		}
		nothingLeft(t, n, g, "gone by")
	}
}

// TestSortedAgain: what a program stored that did not know these kinds is looked at
// again by one that does.
func TestSortedAgain(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben")
	ann, ben := nodes[0], nodes[1]
	must(t, ann.Say(g, "secret"))
	must(t, ann.Say(g, "kept"))
	w.Run(5000)
	must(t, ann.SayBody(g, group.Pin{Of: line(t, ann, g, "kept").Target(), On: true}))
	must(t, ann.SayBody(g, group.Edit{Of: line(t, ann, g, "kept").Target(), Text: "edited"}))
	w.Run(5000)
	secret := line(t, ben, g, "secret")
	whole := packedAt(ben, g, secret)
	must(t, ann.SayBody(g, group.Delete{Of: secret.Target()}))
	w.Run(5000)
	want := ann.Groups[g].Page()

	r := ben.Groups[g] // as an older program would have it
	key := string(group.EntryKey(secret.Place.Ref()))
	r.Rows[secret.Place], r.Records[group.KindCipher][key] = secret, whole.Ciphertext
	clear(r.Records[group.KindDeletion])
	var unsorted []group.Row
	for p, row := range r.Rows {
		row.May = 0
		if row.Annotation {
			row.Annotation = false
			unsorted = append(unsorted, row)
		}
		r.Rows[p] = row
	}
	ben.Stop()
	ben.Start()
	if len(unsorted) != 3 || slices.Equal(ben.Groups[g].Page(), want) {
		t.Fatalf("%d rows, %q", len(unsorted), ben.Groups[g].Page())
	}
	must(t, ben.Do(g, group.Sort{Rows: unsorted}))
	pages(t, g, want, ann, ben)
	nothingLeft(t, ben, g, "secret")
	if len(r.Records[group.KindCipher][key]) > 0 {
		t.Error("Ben has the ciphertext")
	}
}
