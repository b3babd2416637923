package sim_test

import (
	"fmt"
	"strings"
	"testing"

	"kith/internal/chain"
	"kith/internal/dag"
	"kith/internal/group"
	"kith/internal/identity"
	"kith/internal/mls"
	"kith/internal/sim"
	"kith/internal/wire"
)

// What a member can do who runs another program than ours.

// TestNobodyStopsTheGroup: a block that this program cannot judge stops nobody,
// whoever signed it, unless it activates a feature that every leaf announces. Else
// an admin could stop all the others, the one who could remove it among them.
func TestNobodyStopsTheGroup(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	promote(t, w, g, ann, cleo)
	head := ann.Groups[g].Machine.Head()
	for _, payload := range [][]byte{newerBlock(ann, g, head, cleo.Self), featureBlock(ann, g, head, cleo.Self)} {
		for _, n := range []*sim.Node{ann, ben} {
			w.Deliver(cleo, n, g, payload)
			if got := status(n, g); got != group.StatusActive {
				t.Errorf("Cleo, an admin, gives %s status %d", n.Name, got)
			}
		}
	}
	must(t, ann.Do(g, group.Remove{Person: cleo.Self.Person}))
	w.Run(5000)
	goesOn(t, w, g, ann, ben)
}

// TestFeatureOfNewerProgram: Ben, who has no leaf, is to do without what all who have
// one announce. An admin's word stops the group for him until his program is newer;
// a member's does not, nor that of one who was an admin before.
func TestFeatureOfNewerProgram(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	promote(t, w, g, ann, cleo)
	announces := func(author *sim.Node, e *mls.Epoch, op chain.Op, remove ...uint32) (*mls.Epoch, []byte) {
		var list wire.Writer
		list.Group(func(w *wire.Writer) { w.U16(group.FeatureRepair); w.U16(unknownFeature) })
		var next *mls.Epoch
		payload := crafted{author, op, nil, func(core []byte) (*mls.StagedCommit, error) {
			staged, err := e.Commit(mls.CommitParams{
				AuthenticatedData: core, Signer: author.Self.Device, Remove: remove,
				LeafExtensions: []mls.Extension{{Type: 0xF003, Data: list.Bytes()}},
			})
			next = staged.Next
			return staged, err
		}, nil}.payload(t, ben, g)
		return next, payload
	}
	_, rekey := announces(cleo, epochOf(t, cleo, g), &chain.Rekey{})
	w.Deliver(cleo, ann, g, rekey)
	w.Deliver(cleo, ben, g, rekey)
	e := epochOf(t, ann, g)
	instance := func(n *sim.Node) wire.Instance {
		who, _ := headState(ann, g).Person(n.Self.Person)
		return who.Instance
	}
	e, park := announces(ann, e, &chain.Park{Person: ben.Self.Person, Instance: instance(ben), Device: ben.Self.Device.ID()}, leafOf(t, e, ben))
	w.Deliver(ann, ben, g, park)
	parked := machine(ben, g).Head()
	_, demote := announces(ann, e, &chain.SetRole{Person: cleo.Self.Person, Instance: instance(cleo), Role: chain.RoleMember})
	w.Deliver(ann, ben, g, demote)
	if v := machine(ben, g).View(); !v.Parked || headState(ben, g).IsAdmin(cleo.Self.Person) {
		t.Fatalf("Ben was to be parked, and Cleo no admin: %+v", v)
	}
	head := machine(ben, g).Head()
	for _, parent := range []wire.BlockHash{parked, head} {
		w.Deliver(cleo, ben, g, featureBlock(ben, g, parent, cleo.Self))
		if got := status(ben, g); got != group.StatusActive {
			t.Errorf("Cleo, an admin no more, gives Ben status %d", got)
		}
	}
	w.Deliver(ann, ben, g, featureBlock(ben, g, head, ann.Self))
	if got := status(ben, g); got != group.StatusNewer {
		t.Errorf("Ben has status %d", got)
	}
}

// unknownFeature is one that this program does not know.
const unknownFeature = 0x7777

// featureBlock is a block on one that by holds, which activates an unknown feature.
func featureBlock(by *sim.Node, g wire.GroupID, parent wire.BlockHash, self group.Self) []byte {
	held := by.Groups[g].Machine.Blocks()
	h := &chain.Header{
		Version: chain.HeaderVersion, Suite: held.State(parent).Suite(), SigAlg: wire.SigEd25519, Group: g,
		Height: held.Header(parent).Height + 1, Parent: parent, Author: self.Member(), AuthorSeq: 9,
		Class: chain.ClassAdmin, Ops: []chain.Op{&chain.SetPolicy{Features: []uint16{unknownFeature}}},
	}
	h.Seal(wire.Digest{}, wire.Digest{}, wire.Digest{}, wire.Digest{}, self.Device.Sign)
	return blocks([2][]byte{h.Bytes(), held.Body(parent).Bytes()})
}

// newerBlock is a block on one that by holds, of a suite that is not read here.
func newerBlock(by *sim.Node, g wire.GroupID, parent wire.BlockHash, self group.Self) []byte {
	held := by.Groups[g].Machine.Blocks()
	h := &chain.Header{
		Version: chain.HeaderVersion, Suite: 2, SigAlg: wire.SigEd25519, Group: g, Height: held.Header(parent).Height + 1, Parent: parent,
		Author: self.Member(), AuthorSeq: 9, Ops: []chain.Op{&chain.Rekey{}},
	}
	h.Seal(wire.Digest{}, wire.Digest{}, wire.Digest{}, wire.Digest{}, self.Device.Sign)
	return blocks([2][]byte{h.Bytes(), held.Body(parent).Bytes()})
}

// TestNamesThatNobodyCommitsTo are not kept.
func TestNamesThatNobodyCommitsTo(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ben, cleo := nodes[1], nodes[2]
	before := len(ben.Groups[g].Records[group.KindInfo])
	var frame wire.Writer
	frame.U8(6) // statements
	for list := range 4 {
		frame.Group(func(w *wire.Writer) {
			for i := 0; list == 3 && i < 200; i++ {
				info, err := identity.NewInfo(fmt.Sprintf("junk %d", i))
				must(t, err)
				w.Vec(info.Marshal())
			}
		})
	}
	w.Deliver(cleo, ben, g, frame.Bytes())
	if n := len(ben.Groups[g].Records[group.KindInfo]); n != before {
		t.Errorf("Ben keeps %d names that nobody commits to", n-before)
	}
}

// TestNewcomerAsksForAll: who came later and says to have nothing is given
// headers of what was written before, and no ciphertext.
func TestNewcomerAsksForAll(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben")
	ann := nodes[0]
	must(t, ann.Say(g, "before Dan"))
	w.Run(3000)
	dan := w.Add("Dan")
	must(t, ann.Do(g, group.Invite{Newcomers: []group.Newcomer{dan.Newcomer()}}))
	w.Run(2000)
	must(t, dan.Do(g, group.Accept{}))
	w.Run(5000)
	var want wire.Writer
	want.U8(5) // want
	want.Vec(dag.Frontier{}.Marshal())
	want.Group(func(*wire.Writer) {})
	sent := len(ann.Sent)
	w.Deliver(dan, ann, g, want.Bytes())
	answers := 0
	for _, p := range ann.Sent[sent:] {
		if p.To != dan || p.Bytes[0] != kindEntries {
			continue
		}
		answers++
		r := wire.NewReader(p.Bytes[1:])
		r.Each(wire.MaxVector, 512, func(r *wire.Reader) {
			if header, ciphertext := r.Vec(1<<16), r.Vec(1<<20); len(header) == 0 || len(ciphertext) > 0 {
				t.Errorf("Dan is given a header of %d and a ciphertext of %d bytes", len(header), len(ciphertext))
			}
		})
	}
	if answers == 0 {
		t.Error("Ann gives no answer at all")
	}
}

// TestJunkWelcome: what the author of a block brings takes the place of the junk
// that another member brought first.
func TestJunkWelcome(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	dan := w.Add("Dan")
	w.Cut(ann, ben)
	w.Cut(ann, dan)
	w.Cut(cleo, dan)
	must(t, ann.Do(g, group.Invite{Newcomers: []group.Newcomer{dan.Newcomer()}}))
	b := ann.Groups[g].Machine.Blocks()
	var junk, frame wire.Writer
	junk.Vec([]byte("junk"))
	junk.Vec(nil)
	frame.U8(3) // blocks
	frame.Group(func(w *wire.Writer) {
		w.Vec(b.Header(b.Head()).Bytes())
		w.Vec(b.Body(b.Head()).Bytes())
		w.Vec(junk.Bytes())
	})
	frame.Bool(false)
	w.Cut(ben, dan)
	w.Deliver(cleo, ben, g, frame.Bytes())
	w.Heal(ann, ben)
	w.Run(5000)
	ann.Stop()
	w.Heal(ben, dan)
	w.Run(5000)
	if dan.Groups[g] == nil {
		t.Error("Dan does not come in through Ben, to whom Ann brought the true Welcome")
	}
}

// TestLargeAnswers are cut, so that one request cannot fill a session's queue.
func TestLargeAnswers(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben")
	ann, ben := nodes[0], nodes[1]
	w.Cut(ann, ben)
	const messages = 96
	for range messages {
		must(t, ann.Say(g, strings.Repeat("x", 65_000)))
	}
	sent := len(ann.Sent)
	w.Heal(ann, ben)
	w.Run(60_000)
	most, size := 0, 0
	for _, p := range ann.Sent[sent:] {
		if p.To != ben || p.Bytes[0] != kindEntries {
			continue
		}
		size += len(p.Bytes)
		most = max(most, size)
		if end := p.Bytes[len(p.Bytes)-1]; end == 1 || end == 3 { // the last of an answer, or one that was cut
			size = 0
		}
	}
	if most > 3<<20 {
		t.Errorf("one answer is %d bytes", most)
	}
	if n := len(ben.Texts(g)); n != messages {
		t.Errorf("Ben has %d of %d messages", n, messages)
	}
}

// TestFormerMemberHearsNoMore: where the group had once been split, somebody
// removed later is told of the removal and of no block after it.
func TestFormerMemberHearsNoMore(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	promote(t, w, g, ann, ben)
	w.Cut(ann, ben)
	w.Cut(ben, cleo)
	must(t, ann.Do(g, group.SetTitle{Title: "A"}))
	must(t, ben.Do(g, group.SetTitle{Title: "B"}))
	w.Run(1000)
	w.HealAll()
	w.Run(10_000)
	alike(t, g, ann, ben, cleo)
	w.Cut(ann, cleo)
	w.Cut(ben, cleo)
	must(t, ann.Do(g, group.Remove{Person: cleo.Self.Person}))
	removal := ann.Groups[g].Machine.Head()
	must(t, ann.Do(g, group.SetTitle{Title: "after Cleo"}))
	later := ann.Groups[g].Machine.Head()
	w.Run(5000)
	w.Heal(ann, cleo)
	w.Run(20_000)
	b := cleo.Groups[g].Machine.Blocks()
	if !b.Has(removal) || b.Has(later) {
		t.Errorf("Cleo has the removal: %v, what came after: %v", b.Has(removal), b.Has(later))
	}
}

// TestQuietGroupForgets: a quiet group keeps nothing of epochs that ended over a month
// ago.
func TestQuietGroupForgets(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben")
	ann := nodes[0]
	for i := range 3 {
		must(t, ann.Do(g, group.SetTitle{Title: fmt.Sprint("title ", i)}))
		w.Run(5000)
	}
	w.Run(31 * 24 * 3600 * 1000)
	for _, n := range nodes {
		if kept := len(n.Groups[g].Records[group.KindEpoch]); kept != 1 {
			t.Errorf("%s keeps the secrets of %d epochs", n.Name, kept)
		}
		for key := range n.Groups[g].Records[group.KindRatchet] {
			if head := n.Groups[g].Machine.Head(); key[:32] != string(head[:]) {
				t.Errorf("%s keeps message keys of an epoch that ended", n.Name)
				break
			}
		}
	}
	must(t, ann.Say(g, "a month later"))
	w.Run(5000)
	alike(t, g, nodes...)
}

// TestAcceptedAnew: who signed blocks in an earlier membership has not accepted the
// next one by that.
func TestAcceptedAnew(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben := nodes[0], nodes[1]
	must(t, ben.Do(g, group.Rekey{}))
	w.Run(5000)
	must(t, ann.Do(g, group.Remove{Person: ben.Self.Person}))
	w.Run(5000)
	must(t, ann.Do(g, group.Invite{Newcomers: []group.Newcomer{ben.Newcomer()}}))
	w.Run(5000)
	for _, accepted := range []bool{false, true} {
		for _, m := range machine(ann, g).View().Members {
			if m.Person == ben.Self.Person && m.Accepted != accepted {
				t.Errorf("Ann takes Ben's invitation for accepted: %v, want %v", m.Accepted, accepted)
			}
		}
		if !accepted {
			must(t, ben.Do(g, group.Accept{}))
			w.Run(5000)
		}
	}
}
