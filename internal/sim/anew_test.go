package sim_test

import (
	"testing"

	"kith/internal/chain"
	"kith/internal/group"
	"kith/internal/mls"
	"kith/internal/sim"
	"kith/internal/wire"
)

// Keys that start anew.

// published is trip, whose people have all published last-resort key packages.
func published(t *testing.T, suite mls.Suite, names ...string) (*sim.World, []*sim.Node, wire.GroupID) {
	t.Helper()
	w := sim.New(1)
	var nodes []*sim.Node
	var others []group.Newcomer
	for i, name := range names {
		nodes = append(nodes, w.Add(name))
		if i > 0 {
			others = append(others, nodes[i].NewcomerFor(suite))
		}
	}
	g := nodes[0].Create(group.CreateParams{Title: "Trip", Suite: suite, Newcomers: others})
	w.Run(1000)
	for _, n := range nodes[1:] {
		must(t, n.Do(g, group.Accept{}))
	}
	for _, n := range nodes {
		n.Publish()
	}
	w.Run(5000)
	return w, nodes, g
}

func headState(n *sim.Node, g wire.GroupID) *chain.State {
	b := machine(n, g).Blocks()
	return b.State(b.Head())
}

// TestRestartKeys: an admin does. Who is there has the new keys at once, and who
// was away has them when it comes back; all renew their leaves within a minute.
func TestRestartKeys(t *testing.T) {
	w, nodes, g := published(t, group.NewSuite, "Ann", "Ben", "Cleo", "Dan")
	ann, ben, cleo, dan := nodes[0], nodes[1], nodes[2], nodes[3]
	must(t, ben.Say(g, "old keys"))
	dan.Stop()
	w.Run(3000)
	if err := ben.Do(g, group.Restart{}); reason(err) != group.ReasonRole {
		t.Errorf("Ben, no admin: %v", err)
	}
	must(t, ann.Do(g, group.Restart{}))
	must(t, ann.Say(g, "new keys"))
	w.Run(2000)
	if s := headState(cleo, g); s.Epoch() > 2 || s.Start() == 0 || machine(cleo, g).View().NoKeys {
		t.Errorf("Cleo is in epoch %d", s.Epoch())
	}
	w.Run(60_000)
	for _, n := range []*sim.Node{ben, cleo} {
		if machine(n, g).LastResort() {
			t.Errorf("%s still uses the key package", n.Name)
		}
	}
	ann.Stop()
	dan.Start()
	w.Run(60_000)
	if machine(dan, g).LastResort() || machine(dan, g).View().Parked {
		t.Errorf("Dan: %+v", machine(dan, g).View())
	}
	sees(t, g, []string{"old keys", "new keys"}, ben, cleo, dan)
	goesOn(t, w, g, ben, cleo, dan)
	for _, n := range nodes[1:] { // and what is stored says the same
		n.Stop()
		n.Start()
	}
	ann.Start()
	w.Run(5000)
	goesOn(t, w, g, ann, ben, cleo, dan)
}

// TestRestartSuite: a group of the suite before becomes post-quantum.
func TestRestartSuite(t *testing.T) {
	older := group.Suites()[1]
	w, nodes, g := published(t, older, "Ann", "Ben", "Cleo")
	ann, ben := nodes[0], nodes[1]
	must(t, ben.Say(g, "before"))
	w.Run(3000)
	if err := ann.Do(g, group.Restart{Suite: mls.SuiteX25519ChaChaSHA256Ed25519}); reason(err) != group.ReasonRule {
		t.Errorf("a suite that nobody has packages for: %v", err)
	}
	must(t, ann.Do(g, group.Restart{Suite: group.NewSuite}))
	w.Run(3000)
	for _, n := range nodes {
		if v := machine(n, g).View(); v.Suite != group.NewSuite || v.NoKeys {
			t.Errorf("%s: suite %#x, no keys: %v", n.Name, v.Suite, v.NoKeys)
		}
	}
	goesOn(t, w, g, nodes...)
	dan := w.Add("Dan")
	must(t, ann.Do(g, group.Invite{Newcomers: []group.Newcomer{dan.Newcomer()}}))
	w.Run(2000)
	must(t, dan.Do(g, group.Accept{}))
	w.Run(3000)
	must(t, dan.Say(g, "Dan came by the new suite"))
	w.Run(3000)
	if got := ann.Texts(g); got[len(got)-1] != "Dan came by the new suite" {
		t.Errorf("Ann sees %q", got)
	}
}

// TestRestartTwice: two admins restart the keys at once (scenario 36). The more
// senior's holds, and everybody has its keys.
func TestRestartTwice(t *testing.T) {
	w, nodes, g := published(t, group.NewSuite, "Ann", "Ben", "Cleo", "Dan")
	ann, ben, cleo, dan := nodes[0], nodes[1], nodes[2], nodes[3]
	promote(t, w, g, ann, ben)
	part(w, ann, cleo)
	must(t, ann.Do(g, group.Restart{}))
	must(t, ben.Do(g, group.Restart{}))
	must(t, ann.Say(g, "from Ann"))
	must(t, ben.Say(g, "from Ben"))
	w.Run(90_000)
	if machine(dan, g).View().NoKeys || machine(cleo, g).View().NoKeys {
		t.Fatal("somebody has no keys before the two sides meet")
	}
	w.HealAll()
	w.Run(120_000)
	b := machine(dan, g).Blocks()
	if by := b.Header(b.Ancestor(b.Head(), headState(dan, g).Start())).Author.Person; by != ann.Self.Person {
		t.Error("the keys are not Ann's")
	}
	goesOn(t, w, g, ann, ben, cleo, dan)
}

// TestRestartOfLostKeys: everybody lost everything but the blocks. They say so,
// and one of them restarts the keys, though none of them is an admin.
func TestRestartOfLostKeys(t *testing.T) {
	w, nodes, g := published(t, group.NewSuite, "Ann", "Ben", "Cleo", "Dan")
	ben, cleo, dan := nodes[1], nodes[2], nodes[3]
	nodes[0].Stop()
	for _, n := range nodes[1:] {
		n.Lose(g)
	}
	w.Run(200_000)
	if headState(ben, g).Start() == 0 {
		t.Fatal("nobody has restarted the keys")
	}
	goesOn(t, w, g, ben, cleo, dan)
}

// TestRestartFalseWelcome: Ann restarts the keys, and the Welcome that reaches
// the others is false. They come back by the keys that she gives, or, if she gives
// none, restart them again.
func TestRestartFalseWelcome(t *testing.T) {
	for _, gives := range []bool{true, false} {
		w, nodes, g := published(t, group.NewSuite, "Ann", "Ben", "Cleo", "Dan")
		ann, ben, cleo, dan := nodes[0], nodes[1], nodes[2], nodes[3]
		part(w, ann)
		must(t, ann.Do(g, group.Restart{}))
		b := machine(ann, g).Blocks()
		head := b.Head()
		w.HealAll()
		for _, n := range nodes[1:] {
			w.Deliver(ann, n, g, blocks([2][]byte{b.Header(head).Bytes(), b.Body(head).Bytes()}))
			if machine(n, g).Head() != head || !machine(n, g).View().NoKeys {
				t.Fatalf("%s has keys without a Welcome", n.Name)
			}
		}
		if !gives {
			ann.Stop()
		}
		w.Run(200_000)
		s := headState(ben, g)
		if anew := s.Start() > b.State(head).Start(); anew == gives {
			t.Errorf("Ann gives keys: %v; started again: %v", gives, anew)
		}
		goesOn(t, w, g, ben, cleo, dan)
	}
}

// TestRestartThatDoesNotFit: blocks of another program (rule V6).
func TestRestartThatDoesNotFit(t *testing.T) {
	w, nodes, g := published(t, group.NewSuite, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	pack := func(n *sim.Node) *mls.KeyPackage {
		kp, err := mls.ParseKeyPackage(n.LastResort(group.NewSuite).KeyPackage)
		must(t, err)
		return kp
	}
	single, err := mls.ParseKeyPackage(cleo.Newcomer().KeyPackage)
	must(t, err)
	eve := w.Add("Eve")
	eve.Publish()
	for what, c := range map[string]struct {
		starter *sim.Node
		parked  []*sim.Node
		add     []*mls.KeyPackage
		taken   bool
	}{
		"all":                     {ann, nil, []*mls.KeyPackage{pack(cleo), pack(ben)}, true},
		"one is parked":           {ann, []*sim.Node{cleo}, []*mls.KeyPackage{pack(ben)}, true},
		"one is left out":         {ann, nil, []*mls.KeyPackage{pack(ben)}, false},
		"a parked one is added":   {ann, []*sim.Node{cleo}, []*mls.KeyPackage{pack(ben), pack(cleo)}, false},
		"a stranger is added":     {ann, nil, []*mls.KeyPackage{pack(ben), pack(cleo), pack(eve)}, false},
		"a stranger for a member": {ann, nil, []*mls.KeyPackage{pack(ben), pack(eve)}, false},
		"not by a last resort":    {ann, nil, []*mls.KeyPackage{pack(ben), single}, false},
		"begun by another":        {ben, nil, []*mls.KeyPackage{pack(cleo)}, false},
	} {
		m, err := group.Load(ben.Self, records(ben, g))
		must(t, err)
		_, err = m.Step(group.Input{Now: w.Now, Cause: group.PeerUp{Peer: ann.Self.Member()}})
		must(t, err)
		_, err = m.Step(group.Input{Now: w.Now, Cause: group.Received{From: ann.Self.Member(), Payload: startsAnew(t, ann, g, c.starter, c.parked, c.add)}})
		must(t, err)
		must(t, m.CheckInvariants())
		if taken := m.Blocks().State(m.Blocks().Head()).Start() > 0; taken != c.taken {
			t.Errorf("%s: taken: %v", what, taken)
		}
	}
}

// startsAnew makes a Restart of author's whose MLS group begins with starter.
func startsAnew(t *testing.T, author *sim.Node, g wire.GroupID, starter *sim.Node, parked []*sim.Node, add []*mls.KeyPackage) []byte {
	t.Helper()
	b := machine(author, g).Blocks()
	state := headState(author, g)
	op := &chain.Restart{Suite: state.Suite(), Reason: chain.RestartLost}
	for _, n := range parked {
		op.Parked = append(op.Parked, n.Self.Device.ID())
	}
	h, _, err := chain.Draft(state, chain.DraftParams{
		Suite: state.Suite(), Parent: b.Head(), Group: g, Author: author.Self.Member(),
		AuthorSeq: state.LastSeq(author.Self.Device.ID()) + 1, Ops: []chain.Op{op}, CreatedAt: 1,
	})
	must(t, err)
	core := h.Core()
	id := wire.Hash(wire.HashMLSGroup, core[:])
	kp, secrets, err := mls.NewKeyPackage(starter.Self.Device, mls.KeyPackageParams{
		Suite: mls.Suite(state.Suite()), Identity: credential(starter), NotBefore: 1, NotAfter: 1 << 40,
	})
	must(t, err)
	e0, err := mls.Create(kp.Suite(), id[:], kp, secrets)
	must(t, err)
	staged, err := e0.Commit(mls.CommitParams{Add: add, AuthenticatedData: core[:], Signer: starter.Self.Device})
	must(t, err)
	public := staged.Next.Public()
	body := &chain.Body{
		Epoch0: &chain.Epoch0{LeafNode: kp.LeafNode(), ConfirmationTag: e0.ConfirmationTag()},
		Commit: staged.Commit.Bytes(),
	}
	external := wire.Digest(wire.Hash(wire.HashExternal, wire.Opaque(staged.Next.ExternalPub())))
	h.Seal(wire.Digest(public.TreeHash()), wire.Digest(public.ConfirmedTranscriptHash()), external, body.Hash(), author.Self.Device.Sign)
	return blocks([2][]byte{h.Bytes(), body.Bytes()})
}
