package sim_test

import (
	"slices"
	"testing"

	"kith/internal/chain"
	"kith/internal/group"
	"kith/internal/mls"
	"kith/internal/sim"
	"kith/internal/wire"
)

// Blocks whose commit does not do what their ops say, where a device comes in by
// itself or goes alone (rule V6, scenario 22).

// epochOf returns the keys that n stored for its head.
func epochOf(t testing.TB, n *sim.Node, g wire.GroupID) *mls.Epoch {
	t.Helper()
	r, head := n.Groups[g], machine(n, g).Head()
	public := publicOf(t, n, g, head)
	e, err := mls.ParseEpoch(r.Records[group.KindEpoch][string(head[:])][8:], public)
	must(t, err)
	return e
}

// publicOf returns the public group after a block that n holds.
func publicOf(t testing.TB, n *sim.Node, g wire.GroupID, hash wire.BlockHash) *mls.PublicGroup {
	t.Helper()
	if b := n.Groups[g].Records[group.KindPublic][string(hash[:])]; b != nil {
		p, err := mls.ParsePublicGroup(b)
		must(t, err)
		return p
	}
	h, body := machine(n, g).Blocks().Header(hash), machine(n, g).Blocks().Body(hash)
	parse := mls.ParseCommit
	if h.External() {
		parse = mls.ParseExternalCommit
	}
	c, err := parse(body.Commit)
	must(t, err)
	p, _, err := publicOf(t, n, g, h.Parent).Apply(c)
	must(t, err)
	return p
}

// leafOf returns the leaf of n's device at e.
func leafOf(t *testing.T, e *mls.Epoch, n *sim.Node) uint32 {
	t.Helper()
	l, ok := e.Public().LeafOf(credential(n))
	if !ok {
		t.Fatalf("%s has no leaf", n.Name)
	}
	return l.Index
}

func credential(n *sim.Node) []byte {
	device := n.Self.Device.ID()
	return append(n.Self.Person[:], device[:]...)
}

// A crafted block is one of a program other than ours.
type crafted struct {
	author *sim.Node
	op     chain.Op
	cited  [][]byte
	commit func(core []byte) (*mls.StagedCommit, error)
	seal   func(h *chain.Header, external *wire.Digest) // nil: as it should be
}

// payload makes the block on the head of at.
func (c crafted) payload(t *testing.T, at *sim.Node, g wire.GroupID) []byte {
	t.Helper()
	m := machine(at, g)
	head := m.Head()
	state := m.Blocks().State(head)
	h, _, err := chain.Draft(state, chain.DraftParams{
		Suite: state.Suite(), Parent: head, Group: g, Author: c.author.Self.Member(),
		AuthorSeq: state.LastSeq(c.author.Self.Device.ID()) + 1, Ops: []chain.Op{c.op}, CreatedAt: 1,
	})
	must(t, err)
	core := h.Core()
	staged, err := c.commit(core[:])
	must(t, err)
	public := staged.Next.Public()
	body := &chain.Body{Commit: staged.Commit.Bytes(), Attachments: c.cited}
	external := wire.Digest(wire.Hash(wire.HashExternal, wire.Opaque(staged.Next.ExternalPub())))
	if c.seal != nil {
		c.seal(h, &external)
	}
	h.Seal(wire.Digest(public.TreeHash()), wire.Digest(public.ConfirmedTranscriptHash()), external, body.Hash(), c.author.Self.Device.Sign)
	return blocks([2][]byte{h.Bytes(), body.Bytes()})
}

// TestScenario22CommitThatDoesNotFit: a leaf in the commit that is not in the ops, the
// reverse, and a changed credential or key.
func TestScenario22CommitThatDoesNotFit(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo", "Dan")
	ann, ben, cleo, dan := nodes[0], nodes[1], nodes[2], nodes[3]
	eve := w.Add("Eve")
	ben.Stop()
	must(t, ann.Do(g, group.Park{Device: ben.Self.Device.ID()}))
	w.Run(5000)
	phone := cleo.Link("Cleo's phone")
	head := machine(dan, g).Head()
	state := machine(dan, g).Blocks().State(head)

	e := epochOf(t, ann, g)
	info, err := e.GroupInfo(ann.Self.Device, nil, true)
	must(t, err)
	who := func(n *sim.Node) chain.Member {
		m, _ := state.Person(n.Self.Person)
		return m
	}
	unpark := func(n *sim.Node) chain.Op {
		return &chain.Unpark{Person: n.Self.Person, Instance: who(n).Instance, Device: n.Self.Device.ID()}
	}
	parks := func(n *sim.Node) chain.Op {
		return &chain.Park{Person: n.Self.Person, Instance: who(n).Instance, Device: n.Self.Device.ID()}
	}
	external := func(signer, name *sim.Node, replaces ...uint32) func([]byte) (*mls.StagedCommit, error) {
		return func(core []byte) (*mls.StagedCommit, error) {
			return mls.JoinExternal(mls.ExternalParams{
				GroupInfo: info, Signer: signer.Self.Device, Identity: credential(name), Replaces: replaces, AuthenticatedData: core,
			})
		}
	}
	member := func(n *sim.Node, p mls.CommitParams) func([]byte) (*mls.StagedCommit, error) {
		return func(core []byte) (*mls.StagedCommit, error) {
			p.AuthenticatedData, p.Signer = core, n.Self.Device
			return epochOf(t, n, g).Commit(p)
		}
	}
	added := phone.Device()
	var proof wire.Writer
	proof.Group(func(w *wire.Writer) {
		for _, h := range phone.Self.Headers {
			w.Vec(h)
		}
	})
	cited := [][]byte{proof.Bytes(), phone.Self.Device.KnockKey()}
	kp, err := mls.ParseKeyPackage(added.KeyPackage)
	must(t, err)
	other, err := mls.ParseKeyPackage(eve.Device().KeyPackage)
	must(t, err)
	tip, err := chain.ParseHeader(phone.Self.Headers[1])
	must(t, err)
	adds := func(ref []byte) chain.Op {
		entry := chain.DeviceEntry{Key: [32]byte(phone.Self.Device.PublicKey()), KnockHash: chain.KnockHash(cited[1])}
		copy(entry.KeyPackageRef[:], ref)
		return &chain.AddDevice{
			Person: cleo.Self.Person, Instance: who(cleo).Instance, PersonHead: tip.Hash(), Device: entry,
			Cites: []wire.Digest{chain.Cite(cited[0]), chain.Cite(cited[1])},
		}
	}

	for what, c := range map[string]crafted{
		"unpark that removes another":         {ben, unpark(ben), nil, external(ben, ben, leafOf(t, e, cleo)), nil},
		"unpark under another's name":         {ben, unpark(ben), nil, external(ben, eve), nil},
		"unpark under one's phone's name":     {cleo, unpark(cleo), nil, external(cleo, phone, leafOf(t, e, cleo)), nil},
		"unpark with another's key":           {ben, unpark(ben), nil, external(eve, ben), nil},
		"unpark of another core":              {ben, unpark(ben), nil, func([]byte) (*mls.StagedCommit, error) { return external(ben, ben)(make([]byte, 32)) }, nil},
		"unpark by a member's commit":         {cleo, unpark(cleo), nil, member(cleo, mls.CommitParams{}), nil},
		"rekey by external commit":            {cleo, &chain.Rekey{}, nil, external(cleo, cleo, leafOf(t, e, cleo)), nil},
		"park that removes nobody":            {ann, parks(dan), nil, member(ann, mls.CommitParams{}), nil},
		"park that removes another":           {ann, parks(dan), nil, member(ann, mls.CommitParams{Remove: []uint32{leafOf(t, e, cleo)}}), nil},
		"park that removes one more":          {ann, parks(dan), nil, member(ann, mls.CommitParams{Remove: []uint32{leafOf(t, e, cleo), leafOf(t, e, dan)}}), nil},
		"add device that adds nobody":         {cleo, adds(kp.Ref()), cited, member(cleo, mls.CommitParams{}), nil},
		"add device that adds another":        {cleo, adds(kp.Ref()), cited, member(cleo, mls.CommitParams{Add: []*mls.KeyPackage{other}}), nil},
		"add device that adds one more":       {cleo, adds(kp.Ref()), cited, member(cleo, mls.CommitParams{Add: []*mls.KeyPackage{kp, other}}), nil},
		"adds itself under its owner's name":  {phone, adds(nil), cited, external(phone, cleo), nil},
		"adds itself and removes its owner":   {phone, adds(nil), cited, external(phone, phone, leafOf(t, e, cleo)), nil},
		"adds itself with another's key":      {phone, adds(nil), cited, external(eve, phone), nil},
		"adds itself with nothing to show it": {phone, adds(nil), nil, external(phone, phone), nil},
	} {
		t.Run(what, func(t *testing.T) {
			before := len(accusations(dan, g))
			w.Deliver(ann, dan, g, c.payload(t, ann, g))
			if rules := accusations(dan, g)[before:]; !slices.Equal(rules, []string{"block"}) {
				t.Errorf("Dan accuses Ann of %q", rules)
			}
			if m := machine(dan, g); m.Head() != head || m.View().NoKeys {
				t.Error("Dan took the block")
			}
		})
	}

	// The same made rightly is taken: each goes on from the same head, at another
	// node.
	for what, c := range map[string]crafted{
		"unpark":      {ben, unpark(ben), nil, external(ben, ben), nil},
		"lost keys":   {cleo, unpark(cleo), nil, external(cleo, cleo, leafOf(t, e, cleo)), nil},
		"adds itself": {phone, adds(nil), cited, external(phone, phone), nil},
		"add device":  {cleo, adds(kp.Ref()), cited, member(cleo, mls.CommitParams{Add: []*mls.KeyPackage{kp}}), nil},
		"park":        {ann, parks(cleo), nil, member(ann, mls.CommitParams{Remove: []uint32{leafOf(t, e, cleo)}}), nil},
	} {
		m, err := group.Load(dan.Self, records(dan, g))
		must(t, err)
		step := func(cause group.Cause) group.Effects {
			eff, err := m.Step(group.Input{Now: w.Now, Cause: cause})
			must(t, err)
			return eff
		}
		step(group.PeerUp{Peer: ann.Self.Member()})
		eff := step(group.Received{From: ann.Self.Member(), Payload: c.payload(t, ann, g)})
		if m.Head() == head || m.View().NoKeys {
			t.Errorf("%s: %v", what, eff.Notify)
		}
		must(t, m.CheckInvariants())
	}
}

// records gives what n stored.
func records(n *sim.Node, g wire.GroupID) group.Source {
	return func(k group.Kind, each func(group.Record) error) error {
		for _, key := range sorted(n.Groups[g].Records[k]) {
			if err := each(group.Record{Kind: k, Key: []byte(key), Value: n.Groups[g].Records[k][key]}); err != nil {
				return err
			}
		}
		return nil
	}
}

func sorted(table map[string][]byte) (keys []string) {
	for key := range table {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// TestPoisonedExternalPub: the header's hash is not that of the key that the
// commit leads to. Whoever has keys sees it, keeps the block, and has none there.
func TestPoisonedExternalPub(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	must(t, ann.Say(g, "one"))
	w.Run(5000)
	poison := crafted{ben, &chain.Rekey{}, nil, func(core []byte) (*mls.StagedCommit, error) {
		return epochOf(t, ben, g).Commit(mls.CommitParams{AuthenticatedData: core, Signer: ben.Self.Device})
	}, func(_ *chain.Header, external *wire.Digest) { external[0] ^= 1 }}
	payload := poison.payload(t, ann, g)
	w.Deliver(ben, cleo, g, payload)
	if got := count[group.CannotFollow](cleo, g); got != 1 {
		t.Errorf("Cleo is told %d times", got)
	}
	if v := machine(cleo, g).View(); !v.NoKeys || v.Status != group.StatusActive {
		t.Errorf("Cleo: %+v", v)
	}
	if len(accusations(cleo, g)) > 0 {
		t.Error("who passes such a block on is accused")
	}
	w.Run(60_000)
	if head := machine(ann, g).Head(); machine(cleo, g).Head() != head || count[group.CannotFollow](ann, g) != 1 {
		t.Error("Ann has another head")
	}
}
