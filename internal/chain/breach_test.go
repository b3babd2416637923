package chain_test

import (
	"slices"

	"kith/internal/chain"
	"kith/internal/wire"
)

var genesisBreaches = []breach{
	{"no Genesis op", "V1", chain.ReasonGenesis, start(func(_ *group, _ *chain.Genesis, d *chain.DraftParams) { d.Ops = []chain.Op{&chain.Rekey{}} })},
	{"a Rekey after Genesis", "V1", chain.ReasonGenesis, start(func(_ *group, _ *chain.Genesis, d *chain.DraftParams) { d.Ops = append(d.Ops, &chain.Rekey{}) })},
	{"Genesis twice", "V1", chain.ReasonGenesis, start(func(_ *group, g *chain.Genesis, d *chain.DraftParams) { d.Ops = append(d.Ops, g) })},
	{"Genesis later", "V1", chain.ReasonGenesis, ops("ann", one(func(g *group) chain.Op { return g.person("ann").genesis(chain.Policy{}) }))},
	{"parent", "V1", chain.ReasonZero, start(func(_ *group, _ *chain.Genesis, d *chain.DraftParams) { d.Parent[0] = 1 })},
	{"group", "V1", chain.ReasonZero, start(func(_ *group, _ *chain.Genesis, d *chain.DraftParams) { d.Group[0] = 1 })},
	{"author_seq 2", "V1", chain.ReasonZero, start(func(_ *group, _ *chain.Genesis, d *chain.DraftParams) { d.AuthorSeq = 2 })},
	{"nonce", "V1", chain.ReasonNonce, start(func(_ *group, g *chain.Genesis, _ *chain.DraftParams) { g.Nonce = [32]byte{} })},
	{"created_at", "V1", chain.ReasonCreated, start(func(_ *group, _ *chain.Genesis, d *chain.DraftParams) { d.CreatedAt = 1 << 52 })},
	{"another author", "V1", chain.ReasonCreator, start(func(g *group, _ *chain.Genesis, d *chain.DraftParams) { d.Author = g.person("ben").member(0) })},
	{"another device", "V1", chain.ReasonCreator, start(func(g *group, op *chain.Genesis, _ *chain.DraftParams) { op.Device = g.person("ben").entry(0) })},
	{"recovery keys in a group", "V1", chain.ReasonPersonField, start(func(_ *group, g *chain.Genesis, _ *chain.DraftParams) { g.Recovery = new(chain.RecoveryKeys) })},
	{"a person without recovery keys", "V1", chain.ReasonPersonField, start(func(_ *group, g *chain.Genesis, d *chain.DraftParams) {
		g.Creator, d.Author.Person, g.PersonHead = wire.PersonID{}, wire.PersonID{}, wire.BlockHash{}
	})},
	{"Adds to a person", "V1", chain.ReasonGenesis, start(func(gr *group, g *chain.Genesis, d *chain.DraftParams) {
		g.Creator, d.Author.Person, g.PersonHead, g.Recovery = wire.PersonID{}, wire.PersonID{}, wire.BlockHash{}, new(chain.RecoveryKeys)
		d.Ops = append(d.Ops, gr.person("ben").add(chain.RoleMember, 1))
	})},
	{"a direct chat of one", "V1", chain.ReasonDirectShape, start(func(_ *group, g *chain.Genesis, _ *chain.DraftParams) { g.Policy.Direct = true })},
	{"a direct chat with a member", "V1", chain.ReasonDirectShape, start(func(gr *group, g *chain.Genesis, d *chain.DraftParams) {
		g.Policy.Direct, d.Ops = true, append(d.Ops, gr.person("ben").add(chain.RoleMember, 1))
	})},
	{"a direct chat of three", "V1", chain.ReasonDirectShape, start(func(gr *group, g *chain.Genesis, d *chain.DraftParams) {
		g.Policy.Direct, d.Ops = true, append(d.Ops, gr.person("ben").add(chain.RoleAdmin, 1), gr.person("cat").add(chain.RoleAdmin, 1))
	})},
	{"too few cites", "V6", chain.ReasonAttachment, start(func(_ *group, g *chain.Genesis, _ *chain.DraftParams) { g.Cites = g.Cites[:1] })},
	{"features out of order", "V8", chain.ReasonFeature, start(func(_ *group, g *chain.Genesis, _ *chain.DraftParams) { g.Features = []uint16{2, 1} })},
	{"a second genesis", "V1", chain.ReasonOther, func(g *group) error {
		other := newGroup(g.t, chain.Policy{MembersInvite: true}, "ann")
		_, err := g.blocks.Check(other.blocks.Header(other.blocks.Head()), other.blocks.Body(other.blocks.Head()))
		return err
	}},
}

var placeBreaches = []breach{
	{"another group", "V1", chain.ReasonOther, forged(func(h *chain.Header) { h.Group[0]++ })},
	{"group zero", "V1", chain.ReasonOther, forged(func(h *chain.Header) { h.Group = wire.GroupID{} })},
	{"height", "V2", chain.ReasonHeight, forged(func(h *chain.Header) { h.Height++ })},
	{"suite", "V2", chain.ReasonSuite, forged(func(h *chain.Header) { h.Suite = chain.SuiteChaCha })},
	{"author_seq again", "V2", chain.ReasonSeq, forged(func(h *chain.Header) { h.AuthorSeq = 1 })},
	{"author_seq 0", "V2", chain.ReasonSeq, func(g *group) error {
		d := g.params(g.person("ben"), &chain.Rekey{})
		d.AuthorSeq = 0
		_, _, err := chain.Draft(g.state(), d)
		return err
	}},
	{"a stranger", "V3", chain.ReasonAuthor, ops("dan", one(func(*group) chain.Op { return &chain.Rekey{} }))},
	{"another's device", "V3", chain.ReasonAuthor, func(g *group) error {
		d := g.params(g.person("ann"), &chain.Rekey{})
		d.Author.Device, d.AuthorSeq = g.person("ben").device(0), 1
		_, _, err := chain.Draft(g.state(), d)
		return err
	}},
	{"a removed author", "V3", chain.ReasonAuthor, func(g *group) error {
		other := ruleGroup(g.t)
		other.commit("ann", nil, remove("cat")(other))
		_, _, err := chain.Draft(other.state(), other.params(other.person("cat"), &chain.Rekey{}))
		return err
	}},
	{"another's signature", "V3", chain.ReasonSignature, func(g *group) error {
		h, body := g.draft(g.state(), g.blocks.Head(), g.person("ann"), nil, &chain.Rekey{})
		seal(h, body, g.person("ben").keys[0])
		_, err := g.blocks.Check(h, body)
		return err
	}},
	{"a feature of a newer version, forged", "V3", chain.ReasonSignature, func(g *group) error {
		h, body := g.draft(g.state(), g.blocks.Head(), g.person("ann"), nil, &chain.Rekey{})
		h.Ops, h.Class = []chain.Op{&chain.SetPolicy{Features: []uint16{9}}}, chain.ClassAdmin
		seal(h, body, g.person("ben").keys[0])
		_, err := g.blocks.Check(h, body)
		return err
	}},
	{"state_root", "V5", chain.ReasonStateRoot, forged(func(h *chain.Header) { h.StateRoot[0]++ })},
	{"class too high", "V4", chain.ReasonClass, forged(func(h *chain.Header) { h.Class = chain.ClassRemoval })},
	{"role out of range", "V5", chain.ReasonForm, ops("ann", one(func(g *group) chain.Op { return g.person("dan").add(7, 1) }))},
	{"17 devices", "V5", chain.ReasonForm, ops("ann", one(func(g *group) chain.Op {
		return &chain.Add{Person: g.person("dan").id, PersonHead: g.person("dan").head(), Devices: make([]chain.DeviceEntry, 17)}
	}))},
	{"no ops", "V5", chain.ReasonEmpty, ops("ann", func(*group) []chain.Op { return nil })},
	{"an op without a number", "V8", chain.ReasonFeature, ops("ann", one(func(*group) chain.Op { return &chain.Unread{Number: 17} }))},
	{"op zero", "V8", chain.ReasonFeature, ops("ann", one(func(*group) chain.Op { return &chain.Unread{} }))},
	{"17 Rekeys in one block", "V7", chain.ReasonRekeys, ops("ann", func(*group) []chain.Op {
		return slices.Repeat([]chain.Op{&chain.Rekey{}}, 17)
	})},
}

var authorityBreaches = []breach{
	{"a member adds", "V4", chain.ReasonRole, ops("cat", one(func(g *group) chain.Op { return g.person("dan").add(chain.RoleMember, 1) }))},
	{"a member removes", "V4", chain.ReasonRole, ops("cat", one(remove("ben")))},
	{"a member promotes itself", "V4", chain.ReasonRole, ops("cat", one(func(g *group) chain.Op {
		return &chain.SetRole{Person: g.person("cat").id, Instance: g.instance("cat"), Role: chain.RoleAdmin}
	}))},
	{"a member sets the title", "V4", chain.ReasonRole, ops("cat", one(func(*group) chain.Op { return &chain.SetInfo{} }))},
	{"an admin removes itself", "V4", chain.ReasonSelf, ops("ben", one(remove("ben")))},
	{"a leave committed by its maker", "V4", chain.ReasonSelf, ops("cat", one(func(g *group) chain.Op {
		return &chain.Leave{Person: g.person("cat").id, Instance: g.instance("cat"), Cites: make([]wire.Digest, 1)}
	}))},
	{"no admin left", "V4", chain.ReasonNoAdmin, ops("ann", func(g *group) []chain.Op {
		return []chain.Op{remove("ben")(g), &chain.SetRole{Person: g.person("ann").id, Instance: g.instance("ann")}}
	})},
	{"an Add of nobody", "V4", chain.ReasonPersonField, ops("ann", one(func(g *group) chain.Op {
		op := g.person("dan").add(chain.RoleMember, 1)
		op.Person = wire.PersonID{}
		return op
	}))},
	{"an Add without a head of the person's chain", "V4", chain.ReasonPersonField, ops("ann", one(func(g *group) chain.Op {
		op := g.person("dan").add(chain.RoleMember, 1)
		op.PersonHead = wire.BlockHash{}
		return op
	}))},
	{"the last admin leaves to who was removed", "V4", chain.ReasonNoAdmin, func(g *group) error {
		d := newGroup(g.t, chain.Policy{}, "ann", "ben", "cat")
		d.commit("ann", nil, remove("cat")(d))
		ann := d.person("ann")
		leave := &chain.Leave{Person: ann.id, Instance: d.instance("ann"), Successor: d.person("cat").id, Cites: make([]wire.Digest, 1)}
		_, _, err := chain.Draft(d.state(), d.params(d.person("ben"), leave))
		return err
	}},
	{"the last admin leaves to nobody in a block that makes another", "V4", chain.ReasonNoAdmin, ops("ben", func(g *group) []chain.Op {
		ann := g.person("ann").id
		return []chain.Op{
			&chain.SetRole{Person: g.person("ben").id, Instance: g.instance("ben")},
			&chain.Leave{Person: ann, Instance: g.instance("ann"), Successor: ann, Cites: make([]wire.Digest, 1)},
			&chain.SetRole{Person: g.person("cat").id, Instance: g.instance("cat"), Role: chain.RoleAdmin},
		}
	})},
	{"an Add to a person", "V4", chain.ReasonPolicy, func(g *group) error {
		ann := g.person("ann")
		s, err := chain.VerifyProof(ann.headers)
		if err != nil {
			return err
		}
		_, _, err = chain.Draft(s, chain.DraftParams{
			Suite: chain.SuiteAES, Parent: ann.head(), Group: wire.GroupID(ann.id),
			Author: wire.Member{Device: ann.device(0)}, AuthorSeq: 2, Ops: []chain.Op{g.person("ben").add(chain.RoleMember, 1)},
		})
		return err
	}},
	{"in a direct chat", "V4", chain.ReasonDirect, func(g *group) error {
		d := newGroup(g.t, chain.Policy{Direct: true}, "ann", "ben*")
		_, _, err := chain.Draft(d.state(), d.params(d.person("ben"), remove("ann")(d)))
		return err
	}},
}

var opBreaches = []breach{
	{"Add of a member", "V5", chain.ReasonMember, ops("ann", one(func(g *group) chain.Op { return g.person("cat").add(chain.RoleMember, 1) }))},
	{"Add with a device twice", "V5", chain.ReasonDevice, ops("ann", one(func(g *group) chain.Op {
		op := g.person("dan").add(chain.RoleMember, 2)
		op.Devices[1] = op.Devices[0]
		return op
	}))},
	{"Add with another's device", "V5", chain.ReasonDevice, ops("ann", one(func(g *group) chain.Op {
		op := g.person("dan").add(chain.RoleMember, 1)
		op.Devices[0] = g.person("ben").entry(0)
		return op
	}))},
	{"Remove of a stranger", "V5", chain.ReasonNotMember, ops("ann", one(remove("dan")))},
	{"Remove of another instance", "V5", chain.ReasonNotMember, ops("ann", one(func(g *group) chain.Op {
		return &chain.Remove{Person: g.person("cat").id, Instance: g.instance("ben")}
	}))},
	{"Remove twice", "V5", chain.ReasonNotMember, ops("ann", func(g *group) []chain.Op { return []chain.Op{remove("cat")(g), remove("cat")(g)} })},
	{"Remove of who is added in the same block", "V5", chain.ReasonNotMember, ops("ann", func(g *group) []chain.Op {
		dan := g.person("dan")
		head := g.blocks.Head()
		in := wire.Instance(wire.Hash(wire.HashInstance, dan.id[:], head[:], []byte{0, 0}))
		return []chain.Op{dan.add(chain.RoleMember, 1), &chain.Remove{Person: dan.id, Instance: in}}
	})},
	{"Remove of who comes back in the same block", "V5", chain.ReasonNotMember, ops("ann", func(g *group) []chain.Op {
		cat := g.person("cat")
		head := g.blocks.Head()
		in := wire.Instance(wire.Hash(wire.HashInstance, cat.id[:], head[:], []byte{0, 1}))
		return []chain.Op{remove("cat")(g), cat.add(chain.RoleMember, 1), &chain.Remove{Person: cat.id, Instance: in}}
	})},
	{"a cut of another's device", "V5", chain.ReasonCut, ops("ann", one(func(g *group) chain.Op {
		op := remove("cat")(g).(*chain.Remove)
		op.Cuts = []chain.Cut{{Device: g.person("ben").device(0)}}
		return op
	}))},
	{"a cut twice", "V5", chain.ReasonCut, ops("ann", one(func(g *group) chain.Op {
		op := remove("cat")(g).(*chain.Remove)
		op.Cuts = slices.Repeat([]chain.Cut{{Device: g.person("cat").device(0)}}, 2)
		return op
	}))},
	{"a cut of nobody's device", "V5", chain.ReasonCut, ops("ann", one(func(g *group) chain.Op {
		op := remove("cat")(g).(*chain.Remove)
		op.Cuts = []chain.Cut{{Device: g.person("dan").device(0)}}
		return op
	}))},
	{"a role for a stranger", "V5", chain.ReasonNotMember, ops("ann", one(func(g *group) chain.Op {
		return &chain.SetRole{Person: g.person("dan").id, Role: chain.RoleAdmin}
	}))},
	{"a role for another membership", "V5", chain.ReasonNotMember, ops("ann", one(func(g *group) chain.Op {
		return &chain.SetRole{Person: g.person("cat").id, Instance: g.instance("ben"), Role: chain.RoleAdmin}
	}))},
	{"the role it has", "V5", chain.ReasonNoChange, ops("ann", one(func(g *group) chain.Op {
		return &chain.SetRole{Person: g.person("ben").id, Instance: g.instance("ben"), Role: chain.RoleAdmin}
	}))},
	{"the title it has", "V5", chain.ReasonNoChange, ops("ann", one(func(g *group) chain.Op { return &chain.SetInfo{Info: g.state().Info()} }))},
}

var bodyBreaches = []breach{
	{"another body", "V6", chain.ReasonBody, func(g *group) error {
		h, body := g.draft(g.state(), g.blocks.Head(), g.person("ann"), nil, &chain.Rekey{})
		body.Commit = []byte("another")
		_, err := g.blocks.Check(h, body)
		return err
	}},
	{"no body", "V6", chain.ReasonBody, func(g *group) error {
		h, _ := g.draft(g.state(), g.blocks.Head(), g.person("ann"), nil, &chain.Rekey{})
		_, err := g.blocks.Check(h, nil)
		return err
	}},
	{"epoch 0 later", "V6", chain.ReasonEpoch0, papers(func(_ *group, _ *chain.Add, b *chain.Body) { b.Epoch0 = bodyOf(true).Epoch0 })},
	{"no epoch 0 in genesis", "V6", chain.ReasonEpoch0, func(g *group) error {
		ann := newPerson(g.t, "zoe")
		h, body := ann.headers[0], bodyOf(false, ann.knock[0])
		seal(h, body, ann.keys[0])
		_, err := chain.NewBlocks().Check(h, body)
		return err
	}},
	{"no commit", "V6", chain.ReasonCommit, papers(func(_ *group, _ *chain.Add, b *chain.Body) { b.Commit = nil })},
	{"an attachment too few", "V6", chain.ReasonAttachment, papers(func(_ *group, _ *chain.Add, b *chain.Body) { b.Attachments = b.Attachments[:1] })},
	{"an attachment too many", "V6", chain.ReasonAttachment, papers(func(_ *group, _ *chain.Add, b *chain.Body) { b.Attachments = append(b.Attachments, nil) })},
	{"attachments in another order", "V6", chain.ReasonAttachment, papers(func(_ *group, _ *chain.Add, b *chain.Body) { slices.Reverse(b.Attachments) })},
	{"a cite too few", "V6", chain.ReasonAttachment, papers(func(_ *group, op *chain.Add, _ *chain.Body) { op.Cites = op.Cites[:1] })},
	{"another person's proof", "V6", chain.ReasonProof, papers(func(g *group, op *chain.Add, b *chain.Body) {
		b.Attachments[0] = g.person("eve").proof()
		op.Cites[0] = chain.Cite(b.Attachments[0])
	})},
	{"another head", "V6", chain.ReasonProof, papers(func(_ *group, op *chain.Add, _ *chain.Body) { op.PersonHead[0]++ })},
	{"garbage for a proof", "V6", chain.ReasonProof, papers(func(_ *group, op *chain.Add, b *chain.Body) {
		b.Attachments[0] = []byte("?")
		op.Cites[0] = chain.Cite(b.Attachments[0])
	})},
	{"a forged proof", "V6", chain.ReasonProof, papers(func(g *group, op *chain.Add, b *chain.Body) {
		dan := g.person("dan")
		dan.headers[0].Signature[0]++
		b.Attachments[0], op.Person, op.PersonHead = dan.proof(), wire.PersonID(dan.head()), dan.head()
		op.Cites[0] = chain.Cite(b.Attachments[0])
	})},
	{"a group for a person", "V6", chain.ReasonProof, papers(func(g *group, op *chain.Add, b *chain.Body) {
		own := newGroup(g.t, chain.Policy{}, "dan")
		b.Attachments[0] = chain.MarshalProof([]*chain.Header{own.blocks.Header(own.blocks.Genesis())})
		op.Person, op.PersonHead = wire.PersonID(own.blocks.Genesis()), own.blocks.Genesis()
		op.Cites[0] = chain.Cite(b.Attachments[0])
	})},
	{"a device the proof does not show", "V6", chain.ReasonProof, papers(func(g *group, op *chain.Add, _ *chain.Body) {
		op.Devices[0] = g.person("dan").entry(1)
	})},
	{"another knock key than the proof's", "V6", chain.ReasonProof, papers(func(g *group, op *chain.Add, b *chain.Body) {
		b.Attachments[1] = g.person("eve").knock[0]
		op.Devices[0].KnockHash, op.Cites[1] = chain.KnockHash(b.Attachments[1]), chain.Cite(b.Attachments[1])
	})},
	{"a proof older than the one seen", "V6", chain.ReasonProof, func(g *group) error {
		cat := g.person("cat")
		old := *cat
		cat.extend(g.t, &chain.SetInfo{Info: wire.Digest{1}})
		dual := newGroup(g.t, chain.Policy{}, "ann")
		dual.people["cat"] = cat
		dual.commit("ann", cat.papers(1), cat.add(chain.RoleMember, 1))
		dual.commit("ann", nil, remove("cat")(dual))
		return withBody(dual, old.add(chain.RoleMember, 1), bodyOf(false, old.papers(1)...), func(*group, *chain.Add, *chain.Body) {})
	}},
	{"another knock key", "V6", chain.ReasonKnockKey, papers(func(g *group, op *chain.Add, b *chain.Body) {
		b.Attachments[1] = g.person("eve").knock[0]
		op.Cites[1] = chain.Cite(b.Attachments[1])
	})},
	{"a leave of another group", "V6", chain.ReasonLeave, leaving(func(g *group, s *chain.LeaveStatement, _ *chain.Leave) {
		sign := func(l wire.Label, b []byte) []byte { return wire.Sign(g.person("cat").keys[0], l, b) }
		*s = *chain.SignLeave(sign, wire.GroupID{1}, g.person("cat").member(0), s.Instance, s.Successor)
	})},
	{"a leave signed by another", "V6", chain.ReasonLeave, leaving(func(g *group, s *chain.LeaveStatement, _ *chain.Leave) {
		sign := func(l wire.Label, b []byte) []byte { return wire.Sign(g.person("ann").keys[0], l, b) }
		*s = *chain.SignLeave(sign, s.Group, wire.Member{Person: s.Person, Device: g.person("ann").device(0)}, s.Instance, s.Successor)
	})},
	{"a leave with a false signature", "V6", chain.ReasonLeave, leaving(func(_ *group, s *chain.LeaveStatement, _ *chain.Leave) { s.Signature[3]++ })},
	{"a leave for another successor", "V6", chain.ReasonLeave, leaving(func(g *group, _ *chain.LeaveStatement, op *chain.Leave) { op.Successor = g.person("ben").id })},
	{"a leave without its statement", "V6", chain.ReasonAttachment, ops("ann", one(func(g *group) chain.Op {
		return &chain.Leave{Person: g.person("cat").id, Instance: g.instance("cat")}
	}))},
}
