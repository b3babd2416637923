package sim_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/cryptotest"

	"kith/internal/dag"
	"kith/internal/group"
	"kith/internal/sim"
	"kith/internal/wire"
)

// What must happen with bad input, each case with machines that run.

// Numbers of payloads (docs/spec/sync.md).
const (
	kindBlocks     = 3
	kindEntries    = 4
	kindInvitation = 8
	kindKeys       = 10
	kindPages      = 15
	kindPromptAck  = 43
)

// invited makes a group of the first name with the others, who may accept.
func invited(w *sim.World, title string, names ...string) (nodes []*sim.Node, g wire.GroupID) {
	var others []group.Newcomer
	for i, name := range names {
		nodes = append(nodes, w.Add(name))
		if i > 0 {
			others = append(others, nodes[i].Newcomer())
		}
	}
	return nodes, nodes[0].Create(group.CreateParams{Title: title, Newcomers: others})
}

// trip makes a group of the first name with the others, who all accept.
func trip(t testing.TB, names ...string) (*sim.World, []*sim.Node, wire.GroupID) {
	t.Helper()
	w := sim.New(1)
	nodes, g := invited(w, "Trip", names...)
	w.Run(1000)
	for _, n := range nodes[1:] {
		must(t, n.Do(g, group.Accept{}))
	}
	w.Run(5000)
	return w, nodes, g
}

// accusations returns the rules that n saw broken.
func accusations(n *sim.Node, g wire.GroupID) (rules []string) {
	for _, e := range n.Groups[g].Events {
		if bad, ok := e.(group.Misbehaved); ok {
			rules = append(rules, bad.Rule)
		}
	}
	return rules
}

// last returns the newest payload of a kind from one node to another.
func last(t *testing.T, from, to *sim.Node, kind byte) []byte {
	t.Helper()
	for _, p := range slices.Backward(from.Sent) {
		if p.To == to && p.Bytes[0] == kind {
			return p.Bytes
		}
	}
	t.Fatalf("%s sent %s nothing of kind %d", from.Name, to.Name, kind)
	return nil
}

// entries encodes a payload that pushes entries.
func entries(list ...group.Packed) []byte {
	var w wire.Writer
	w.U8(kindEntries)
	w.Group(func(w *wire.Writer) {
		for _, p := range list {
			w.Vec(p.Header)
			w.Vec(p.Ciphertext)
		}
	})
	w.U8(0)
	return w.Bytes()
}

// pushed reads the one entry of such a payload.
func pushed(t *testing.T, payload []byte) (*dag.Header, group.Packed) {
	t.Helper()
	r := wire.NewReader(payload)
	r.U8()
	s := r.Sub(1 << 20)
	p := group.Packed{Header: s.Vec(1 << 16), Ciphertext: s.Vec(1 << 20)}
	if err := s.Done(); err != nil {
		t.Fatal(err)
	}
	h, err := dag.ParseHeader(p.Header)
	must(t, err)
	return h, p
}

// alike fails unless all show the same texts in the same order, and hold the
// same.
func alike(t *testing.T, g wire.GroupID, nodes ...*sim.Node) {
	t.Helper()
	one := nodes[0]
	for _, n := range nodes[1:] {
		if a, b := one.Texts(g), n.Texts(g); !slices.Equal(a, b) {
			t.Errorf("%s sees %q, %s sees %q", one.Name, a, n.Name, b)
		}
		a, b := one.Groups[g].Machine, n.Groups[g].Machine
		if a.Head() != b.Head() || !maps.Equal(a.Frontier(), b.Frontier()) {
			t.Errorf("%s and %s differ", one.Name, n.Name)
		}
	}
}

func TestMalformedFrame(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	must(t, ann.Say(g, "one"))
	must(t, ann.Do(g, group.SetTitle{Title: "Journey"}))
	w.Run(5000)
	seen := make(map[byte]bool)
	for _, p := range slices.Clone(w.History) {
		if kind := p.Bytes[0]; p.From == ann && !seen[kind] {
			seen[kind] = true
			for cut := 1; cut < len(p.Bytes); cut += 1 + len(p.Bytes)/64 {
				w.Deliver(ben, cleo, g, p.Bytes[:cut])
			}
			w.Deliver(ben, cleo, g, append(slices.Clone(p.Bytes), 0))
		}
	}
	for _, b := range [][]byte{{}, {0}, {99}, {kindEntries, 0xbf, 0xff, 0xff, 0xff}, {kindBlocks, 0xc0}} {
		w.Deliver(ben, cleo, g, b)
	}
	if rules := accusations(cleo, g); len(rules) < 100 || slices.ContainsFunc(rules, func(s string) bool { return s != "frame" }) {
		t.Errorf("Cleo accuses Ben %d times, of %q", len(rules), slices.Compact(rules))
	}
	must(t, cleo.Say(g, "two"))
	w.Run(5000)
	alike(t, g, ann, ben, cleo)
	sees(t, g, []string{"one", "two"}, cleo)
}

func TestOversizedFrame(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben")
	ann, ben := nodes[0], nodes[1]
	must(t, ann.Say(g, "one"))
	w.Run(5000)
	_, p := pushed(t, last(t, ann, ben, kindEntries))
	p.Ciphertext = make([]byte, group.MaxCiphertext+1)
	w.Deliver(ann, ben, g, entries(p))
	w.Deliver(ann, ben, g, entries(slices.Repeat([]group.Packed{{}}, 513)...))
	claims := []byte{kindEntries, 0xbf, 0xff, 0xff, 0xff} // a vector of 1 GiB of which nothing comes
	if n := testing.AllocsPerRun(10, func() { w.Deliver(ann, ben, g, claims) }); n > 200 {
		t.Errorf("a length that lies costs %v allocations", n)
	}
	if rules := accusations(ben, g); len(rules) < 3 {
		t.Errorf("Ben accuses Ann of %q", rules)
	}
	sees(t, g, []string{"one"}, ben)
}

// TestForeignBlocks: the blocks of another group, and one signed by who is no
// member.
func TestForeignBlocks(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben")
	ann, ben := nodes[0], nodes[1]
	eve := w.Add("Eve")
	other := eve.Create(group.CreateParams{Title: "Other", Newcomers: []group.Newcomer{ann.Newcomer()}})
	w.Run(1000)
	must(t, eve.Do(other, group.SetTitle{Title: "Elsewhere"}))
	w.Run(1000)
	head := ben.Groups[g].Machine.Head()
	w.Deliver(ann, ben, g, last(t, eve, ann, kindBlocks))
	w.Deliver(eve, ben, g, last(t, eve, ann, kindBlocks))
	w.Deliver(ann, ben, g, last(t, eve, ann, kindInvitation))
	if ben.Groups[g].Machine.Head() != head || ben.Groups[g].Machine.Blocks().Len() != 1 {
		t.Error("Ben took a block of another group")
	}
	if rules := accusations(ben, g); !slices.Contains(rules, "block") {
		t.Errorf("Ben accuses of %q", rules)
	}
}

// TestBlockOfRemoved: who was removed signs on, on the block before.
func TestBlockOfRemoved(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	must(t, ann.Do(g, group.SetRole{Person: cleo.Self.Person, Role: 1}))
	w.Run(3000)
	for _, n := range []*sim.Node{ann, ben} {
		w.Cut(n, cleo)
	}
	must(t, ann.Do(g, group.Remove{Person: cleo.Self.Person}))
	removal := ann.Groups[g].Machine.Head()
	must(t, ann.Do(g, group.Invite{Newcomers: []group.Newcomer{w.Add("Dan").Newcomer()}}))
	for i := range 5 {
		must(t, cleo.Do(g, group.SetTitle{Title: fmt.Sprint("Mine ", i)}))
	}
	must(t, cleo.Do(g, group.Remove{Person: ben.Self.Person}))
	w.Run(3000)
	w.HealAll()
	w.Run(10_000)
	alike(t, g, ann, ben)
	if v := ben.Groups[g].Machine.View(); v.Status != group.StatusActive || len(v.Members) != 3 || v.Title != "Trip" {
		t.Errorf("Ben: %+v", v)
	}
	if got := cleo.Groups[g].Machine.Blocks(); got.Head() != removal || got.Len() != 9 {
		t.Errorf("Cleo has head %v and %d blocks: with her own branch she learned what came after her removal", got.Head(), got.Len())
	}
	if got := cleo.Groups[g].Machine.Status(); got != group.StatusRemoved {
		t.Errorf("Cleo has status %d", got)
	}
}

// TestReplayChangesNothing: everything that was ever sent comes again, from
// everybody to everybody.
func TestReplayChangesNothing(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo", "Dan")
	ann, ben, cleo, dan := nodes[0], nodes[1], nodes[2], nodes[3]
	must(t, ann.Say(g, "one"))
	must(t, dan.Say(g, "two"))
	w.Run(3000)
	must(t, ann.Do(g, group.Remove{Person: dan.Self.Person}))
	w.Run(3000)
	must(t, ann.Do(g, group.Invite{Newcomers: []group.Newcomer{dan.Newcomer()}}))
	w.Run(3000)
	must(t, dan.Do(g, group.Accept{}))
	must(t, ben.Say(g, "three"))
	w.Run(600_000) // until all is settled
	before := ann.Texts(g)
	head := ann.Groups[g].Machine.Head()
	for _, p := range slices.Clone(w.History) {
		for _, from := range nodes {
			for _, to := range nodes {
				if p.Bytes[0] == kindPromptAck && from != p.From {
					continue // it names nobody, and is signed by who sends it: from another it is a lie
				}
				w.Deliver(from, to, g, p.Bytes)
			}
		}
	}
	w.Run(1_800_000) // until all know of all that they have it
	sent := len(w.History)
	w.Run(600_000)
	if len(w.History) != sent {
		t.Error("the replay goes on for ever")
	}
	for _, n := range nodes {
		if rules := accusations(n, g); len(rules) > 0 {
			t.Errorf("%s accuses of %q", n.Name, rules)
		}
	}
	alike(t, g, ann, ben, cleo, dan)
	if after := ann.Texts(g); !slices.Equal(before, after) || ann.Groups[g].Machine.Head() != head {
		t.Errorf("Ann saw %q, and after the replay %q", before, after)
	}
}

// TestWrappedCiphertext: Ben puts what Ann wrote into an entry of his own, before
// Cleo has it. Her key to it must not be used up by that.
func TestWrappedCiphertext(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	w.Cut(ann, cleo)
	w.Cut(ben, cleo)
	must(t, ann.Say(g, "from Ann"))
	w.Run(3000)
	h, p := pushed(t, last(t, ann, ben, kindEntries))
	wrap := *h
	wrap.Device, wrap.Seq, wrap.Prev, wrap.Parents = ben.Self.Device.ID(), 1, wire.EntryHash{}, nil
	wrap.Sign(ben.Self.Device.Sign)
	w.Heal(ben, cleo)
	w.Deliver(ben, cleo, g, entries(group.Packed{Header: wrap.Bytes(), Ciphertext: p.Ciphertext}))
	w.Run(3000)
	sees(t, g, []string{"from Ann"}, cleo)
	if row := cleo.Groups[g].Rows[wrap.Place()]; row.State != group.RowDamaged || row.Content != nil {
		t.Errorf("the wrap is shown as %+v", row)
	}
}

// TestCopiedContentID: two messages of one id are two, and neither hides the
// other. The same randomness gives both the same id and salt.
func TestCopiedContentID(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben")
	ann, ben := nodes[0], nodes[1]
	for _, n := range []*sim.Node{ann, ben} {
		cryptotest.SetGlobalRandom(t, 7)
		must(t, n.Say(g, "the same"))
	}
	cryptotest.SetGlobalRandom(t, 7)
	must(t, ben.Say(g, "another"))
	w.Run(3000)
	rows := ann.Groups[g].Shown()
	if len(rows) != 3 || rows[0].ID != rows[1].ID || rows[1].ID != rows[2].ID {
		t.Fatalf("Ann sees %+v", rows)
	}
	alike(t, g, ann, ben)
}

// TestOrderFarInFuture: a clock ten years ahead moves what comes after it by 30
// days at most, and never against causality.
func TestOrderFarInFuture(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	ben.Clock = 10 * 365 * 24 * 3600 * 1000
	cleo.Clock = -ben.Clock
	for i, n := range []*sim.Node{ann, ben, cleo, ann, ben, cleo} {
		must(t, n.Say(g, fmt.Sprint(i)))
		w.Run(3000)
	}
	alike(t, g, ann, ben, cleo)
	sees(t, g, []string{"0", "1", "2", "3", "4", "5"}, ann)
}

// TestForgedClaims: an entry whose lamport or order does not follow from what it
// names is refused, and its author's next honest one is not.
func TestForgedClaims(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben")
	ann, ben := nodes[0], nodes[1]
	must(t, ann.Say(g, "one"))
	w.Run(3000)
	h, p := pushed(t, last(t, ann, ben, kindEntries))
	for name, forge := range map[string]func(*dag.Header){
		"lamport":     func(h *dag.Header) { h.Lamport = 1000 },
		"order":       func(h *dag.Header) { h.Order += 31 * 24 * 3600 * 1000 },
		"order back":  func(h *dag.Header) { h.Order = 1 },
		"seq":         func(h *dag.Header) { h.Seq, h.Prev, h.Lamport = 2, h.Hash(), 1 },
		"other group": func(h *dag.Header) { h.Group[0]++ },
		"no member":   func(h *dag.Header) { h.Device[0]++ },
	} {
		forged := *h
		forged.ContentID[0]++ // another entry than the honest one
		forge(&forged)
		forged.Sign(ann.Self.Device.Sign)
		before := len(accusations(ben, g))
		w.Deliver(ann, ben, g, entries(group.Packed{Header: forged.Bytes(), Ciphertext: p.Ciphertext}))
		if rules := accusations(ben, g)[before:]; len(rules) == 0 || !strings.HasPrefix(rules[0], "entry-") {
			t.Errorf("%s: Ben accuses Ann of %q", name, rules)
		}
	}
	must(t, ann.Say(g, "two"))
	w.Run(3000)
	sees(t, g, []string{"one", "two"}, ben)
}

// blocks encodes a payload of blocks: header and body, no welcome.
func blocks(list ...[2][]byte) []byte {
	var w wire.Writer
	w.U8(kindBlocks)
	w.Group(func(w *wire.Writer) {
		for _, b := range list {
			w.Vec(b[0])
			w.Vec(b[1])
			w.Vec(nil)
		}
	})
	w.Bool(false)
	return w.Bytes()
}

// TestGoodBlockBeforeBad: what could be taken of a frame counts at once, whatever
// comes after it.
func TestGoodBlockBeforeBad(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben")
	ann, ben := nodes[0], nodes[1]
	w.Cut(ann, ben)
	must(t, ann.Do(g, group.SetTitle{Title: "Journey"}))
	chain := ann.Groups[g].Machine.Blocks()
	head := chain.Head()
	good := [2][]byte{chain.Header(head).Bytes(), chain.Body(head).Bytes()}
	w.Heal(ann, ben)
	w.Deliver(ann, ben, g, blocks(good, [2][]byte{{1, 2, 3}, {4}}))
	m := ben.Groups[g].Machine
	must(t, m.CheckInvariants())
	if m.Head() != head || len(accusations(ben, g)) != 1 {
		t.Errorf("Ben's head is %v, he accuses of %q", m.Head(), accusations(ben, g))
	}
}

// TestNewerBlock: a header of a later version that nobody can check stops no
// group, whoever brings it.
func TestNewerBlock(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben")
	ann, ben := nodes[0], nodes[1]
	eve := w.Add("Eve")
	header := slices.Clone(ann.Groups[g].Machine.Blocks().Header(ann.Groups[g].Machine.Head()).Bytes())
	header[0] = 99
	for _, from := range []*sim.Node{eve, ann} {
		w.Deliver(from, ben, g, blocks([2][]byte{header, {}}))
		if status(ben, g) != group.StatusActive {
			t.Fatalf("%s gives Ben status %d", from.Name, status(ben, g))
		}
	}
	must(t, ben.Say(g, "still here"))
	w.Run(5000)
	alike(t, g, ann, ben)
}
