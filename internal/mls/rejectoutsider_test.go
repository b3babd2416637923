package mls

import (
	"testing"
)

// refuseOutsiders is about proposals of those who are not members.
func refuseOutsiders(t *testing.T, r *refusals) {
	service := newSigner(t, 1)
	list := ExternalSenders(ExternalSender{SignatureKey: service.PublicKey(), Identity: []byte("service")})
	g := testGroupWith(t, 3, []Extension{list})
	r.watch(g...)
	e := g[0].epoch
	x := ExternalProposal{Suite: 1, GroupID: []byte("g"), Epoch: 1, Signer: service}
	m := newParty(t, "m")
	open := func(x ExternalProposal, p *Proposal, from sender) error {
		b, err := x.send(p, from)
		if err != nil {
			t.Fatal(err)
		}
		_, public := e.pub.OpenProposal(b)
		_, member := e.Open(nil, b)
		if (public == nil) != (member == nil) {
			t.Errorf("members say %v, others %v", member, public)
		}
		return member
	}
	external := sender{senderExternal, 0}
	if err := open(x, remove(1), external); err != nil {
		t.Fatal(err)
	}
	leaf := g[1].path(t, nil).leaf
	for _, c := range []struct {
		what string
		p    *Proposal
		from sender
		want Reason
	}{
		{"index past the list", remove(1), sender{senderExternal, 1}, ReasonSender},
		{"index far past the list", remove(1), sender{senderExternal, 1<<32 - 1}, ReasonSender},
		{"update by an external sender", &Proposal{Type: ProposalUpdate, body: &body{leaf: leaf}}, external, ReasonSender},
		{"external init by an external sender", &Proposal{Type: ProposalExternalInit, body: &body{}}, external, ReasonSender},
		{"SelfRemove by an external sender", &Proposal{Type: ProposalSelfRemove}, external, ReasonSender},
		{"custom type by an external sender", &Proposal{Type: 0xF000, body: &body{}}, external, ReasonSender},
		{"remove by a joiner", remove(1), sender{kind: senderNewMemberProposal}, ReasonSender},
		{"add of somebody else by a joiner", add(m.pack), sender{kind: senderNewMemberProposal}, ReasonSignature},
		{"add by who joins by a commit", add(m.pack), sender{kind: senderNewMemberCommit}, ReasonSender},
		{"as a member without a membership tag", remove(1), sender{senderMember, 1}, ReasonMembership},
	} {
		if c.from.kind == senderMember {
			b, _ := x.send(c.p, c.from)
			_, err := e.Open(nil, b)
			r.refused(c.what, err, c.want)
			continue
		}
		r.refused(c.what, open(x, c.p, c.from), c.want)
	}
	other := x
	other.Signer = newSigner(t, 1)
	r.refused("signed by a stranger", open(other, remove(1), external), ReasonSignature)
	other = x
	other.GroupID = []byte("h")
	r.refused("for another group", open(other, remove(1), external), ReasonGroup)
	other = x
	other.Epoch = 0
	r.refusedAs("for another epoch", open(other, remove(1), external), ErrWrongEpoch)
	plain := testGroup(t, 2)
	b, err := x.Propose(remove(1))
	if err != nil {
		t.Fatal(err)
	}
	_, err = plain[0].epoch.Open(nil, b)
	r.refused("group without external senders", err, ReasonSender)
	for what, bad := range map[string][]byte{
		"external senders cut off": list.Data[:len(list.Data)-1], "external senders left over": append(list.Data[:len(list.Data):len(list.Data)], 0), "no external senders": {},
	} {
		_, _, err := e.Process(g[1].forge(g[1].path(t, nil), extend(Extension{ExtensionExternalSenders, bad})))
		r.refused(what, err, ReasonMalformed)
	}
	_, err = e.pub.OpenProposal(FrameMessage(FormatPrivateMessage, nil))
	r.refused("private message from outside", err, ReasonContent)
}

// refuseSelfRemoves is about the proposal of draft-ietf-mls-extensions.
func refuseSelfRemoves(t *testing.T, r *refusals) {
	g := testGroup(t, 4)
	r.watch(g...)
	leave := func(m *party, private bool) *Proposed {
		p, err := m.epoch.propose(&Proposal{Type: ProposalSelfRemove}, ProposalParams{Signer: m.signer, Private: private})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	process := func(by *party, values []*Proposal, refs ...*Proposed) error {
		c := &commit{path: by.path(t, nil)}
		for _, p := range values {
			c.proposals = append(c.proposals, proposalOrRef{proposal: p})
		}
		for _, p := range refs {
			c.proposals = append(c.proposals, proposalOrRef{reference: p.ref})
		}
		_, _, err := g[0].epoch.ProcessWith(by.sign(c), Inputs{Proposals: refs})
		return err
	}
	two := leave(g[2], false)
	r.refused("by value", process(g[1], []*Proposal{{Type: ProposalSelfRemove}}), ReasonReference)
	r.refused("sent as a private message", process(g[1], nil, leave(g[2], true)), ReasonReference)
	r.refused("of the committer", process(g[1], nil, leave(g[1], false)), ReasonOwnRemove)
	r.refused("twice", process(g[1], nil, two, two), ReasonSameLeaf)
	r.refused("with a Remove of the same leaf", process(g[1], []*Proposal{remove(2)}, two), ReasonSameLeaf)
	c := &commit{proposals: []proposalOrRef{{reference: two.ref}}}
	_, _, err := g[0].epoch.ProcessWith(g[1].sign(c), Inputs{Proposals: []*Proposed{two}})
	r.refused("without a path", err, ReasonPathMissing)
	_, _, err = g[0].epoch.Process(g[1].sign(c))
	r.refused("not at hand", err, ReasonReference)
	next, err := g[1].epoch.Commit(CommitParams{Signer: g[1].signer})
	if err != nil {
		t.Fatal(err)
	}
	_, err = next.Next.Commit(CommitParams{Signer: g[1].signer, Refs: []*Proposed{two}})
	r.refused("of the epoch before", err, ReasonReference)
	// One member who does not support it keeps all from using it.
	l := *newParty(t, "old").pack.leaf
	l.capabilities.proposals = nil
	signer := newSigner(t, 1)
	l.signatureKey = signer.PublicKey()
	k := *newParty(t, "old").pack
	k.leaf = l.signedBy(signer, nil, 0)
	s, err := g[1].epoch.Commit(CommitParams{Signer: g[1].signer, Add: []*KeyPackage{k.signedBy(signer)}})
	if err != nil {
		t.Fatal(err)
	}
	m := *g[1]
	m.epoch = s.Next
	out, err := m.epoch.ProposeSelfRemove(ProposalParams{Signer: m.signer})
	if err != nil {
		t.Fatal(err)
	}
	from, _, err := g[0].epoch.pub.Apply(s.Commit)
	if err != nil {
		t.Fatal(err)
	}
	_, err = from.applyProposals(sender{senderMember, 0}, []received{{out.a.content.proposal, out.a.content.sender, true, FormatPublicMessage}})
	r.refused("not supported by every member", err, ReasonProposalType)
}

// refuseInClosedGroups is about a group that a ReInit ended.
func refuseInClosedGroups(t *testing.T, r *refusals) {
	g := testGroup(t, 3)
	keys := make([]*Ratchets, len(g))
	s, err := g[1].epoch.Commit(CommitParams{Signer: g[1].signer, Proposals: []*Proposal{ReInit([]byte("h"), 1, nil)}})
	if err != nil {
		t.Fatal(err)
	}
	for i, m := range g {
		if m == g[1] {
			m.epoch = s.Next
		} else if m.epoch, _, err = m.epoch.Process(s.Commit); err != nil {
			t.Fatal(err)
		}
		keys[i] = m.epoch.Ratchets()
		keys[i].Changes()
	}
	r.watch(g...)
	e, by := g[0].epoch, g[0].signer
	_, err = e.Encrypt(keys[0], by, nil, []byte("x"), 0)
	r.refused("a message", err, ReasonSuspended)
	_, err = e.Commit(CommitParams{Signer: by})
	r.refused("an own commit", err, ReasonSuspended)
	_, err = e.ProposeRemove(1, ProposalParams{Signer: by})
	r.refused("a Remove", err, ReasonSuspended)
	_, _, err = e.ProposeUpdate(ProposalParams{Signer: by})
	r.refused("an Update", err, ReasonSuspended)
	_, err = e.ProposeSelfRemove(ProposalParams{Signer: by})
	r.refused("a SelfRemove", err, ReasonSuspended)
	_, err = e.Propose(ReInit([]byte("i"), 1, nil), ProposalParams{Signer: by})
	r.refused("another ReInit", err, ReasonSuspended)
	_, _, err = e.Process(g[1].forge(nil, add(newParty(t, "x").pack)))
	r.refused("another's commit", err, ReasonSuspended)
	_, _, err = e.pub.Apply(g[1].forge(nil, add(newParty(t, "x").pack)))
	r.refused("another's commit, without secrets", err, ReasonSuspended)
	_, err = e.Branch([]byte("i"), SuccessorParams{KeyPackage: g[0].pack, Secret: g[1].secret, Signer: by})
	r.refused("a branch with the keys of another package", err, ReasonSecret)
	if n := len(keys[0].Changes()); n != 0 {
		t.Errorf("%d records changed", n)
	}
}

// refuseSuccessors is about groups that claim to grow out of another.
func refuseSuccessors(t *testing.T, r *refusals) {
	g := testGroup(t, 3)
	s, err := g[1].epoch.Commit(CommitParams{Signer: g[1].signer, Proposals: []*Proposal{ReInit([]byte("h"), 1, nil)}})
	if err != nil {
		t.Fatal(err)
	}
	open, closed := g[1].epoch, s.Next
	r.watch(g...)
	r.keep(closed.Marshal)
	// grown makes a group as a member with a modified program would, and joins it.
	grown := func(usage uint8, parent *Epoch, id string, suite Suite, extensions []Extension, name string, more int) error {
		founder, m := newParty(t, name), newParty(t, "c")
		if suite != 1 {
			founder, m = newPartyOf(t, suite, name), newPartyOf(t, suite, "c")
		}
		first, err := CreateWith(suite, []byte(id), extensions, founder.pack, founder.secret)
		if err != nil {
			t.Fatal(err)
		}
		for range more { // first goes on without the newcomer
			first.pub.links = 0
			s, err := first.Commit(CommitParams{Signer: founder.signer})
			if err != nil {
				t.Fatal(err)
			}
			first = s.Next
		}
		first.pub.links = usage
		s, err := first.Commit(CommitParams{
			Add: []*KeyPackage{m.pack}, Signer: founder.signer, PSKs: PSKs{Epochs: []*Epoch{parent}},
			Proposals: []*Proposal{pskProposal(parent.pub.resumption(first.pub.crypto, usage))},
		})
		if err != nil {
			t.Fatal(err)
		}
		w, err := s.Welcome(founder.signer, nil, true)
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = JoinWith(w, m.pack, m.secret, nil, PSKs{Epochs: []*Epoch{parent}})
		return err
	}
	if err := grown(usageReInit, closed, "h", 1, nil, "a", 0); err != nil {
		t.Fatal(err)
	}
	if err := grown(usageBranch, open, "i", 1, nil, "a", 0); err != nil {
		t.Fatal(err)
	}
	senders := []Extension{ExternalSenders()}
	r.refused("reinit of an open group", grown(usageReInit, open, "h", 1, nil, "a", 0), ReasonNotSuspended)
	r.refused("reinit with another group id", grown(usageReInit, closed, "x", 1, nil, "a", 0), ReasonSuccessor)
	r.refused("reinit with another suite", grown(usageReInit, closed, "h", 3, nil, "a", 0), ReasonSuccessor)
	r.refused("reinit with other extensions", grown(usageReInit, closed, "h", 1, senders, "a", 0), ReasonSuccessor)
	r.refused("reinit in a later epoch", grown(usageReInit, closed, "h", 1, nil, "a", 1), ReasonSuccessor)
	r.refused("branch with another suite", grown(usageBranch, open, "i", 3, nil, "a", 0), ReasonSuccessor)
	r.refused("branch in a later epoch", grown(usageBranch, open, "i", 1, nil, "a", 1), ReasonSuccessor)
	r.refused("branch with a stranger", grown(usageBranch, open, "i", 1, nil, "stranger", 0), ReasonSuccessor)
	_, err = open.Reinitialize(SuccessorParams{})
	r.refused("successor of an open group", err, ReasonNotSuspended)
	ids := []pskID{open.pub.resumption(suites[1], usageBranch), open.pub.resumption(suites[1], usageBranch)}
	pub := *open.pub
	pub.epoch = 1
	r.refused("two keys of usage branch", PSKs{Epochs: []*Epoch{open}}.checkLinks(ids, &pub), ReasonPSK)
}
