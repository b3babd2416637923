package interop

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	peer "github.com/thomas-vilte/mls-go"
	"github.com/thomas-vilte/mls-go/ciphersuite"

	"kith/internal/mls"
)

// A match is a group with our member in it and one of mls-go.
type match struct {
	*own
	ctx    context.Context
	theirs *peer.Client
	group  []byte

	proposed   [][]byte // by them
	proposedIn *mls.Epoch
}

// goSuites are those both support.
var goSuites = []mls.Suite{1, 2, 3}

func newMatch(t *testing.T, s mls.Suite) *match {
	t.Helper()
	m := &match{own: newOwn(t, s, "ours"), ctx: context.Background()}
	var err error
	m.theirs, err = peer.NewClient([]byte("theirs"), ciphersuite.CipherSuite(s), peer.WithLogger(slog.New(slog.DiscardHandler)))
	check(t, err)
	return m
}

// body takes off the header of an MLSMessage, if there is one.
func body(f mls.WireFormat, b []byte) []byte {
	if got, inner, err := mls.UnframeMessage(b); err == nil && got == f {
		return inner
	}
	return b
}

func (m *match) keyPackage() *mls.KeyPackage {
	m.t.Helper()
	b, err := m.theirs.FreshKeyPackageBytes(m.ctx)
	check(m.t, err)
	k, err := mls.ParseKeyPackage(body(mls.FormatKeyPackage, b))
	check(m.t, err)
	check(m.t, k.Verify(uint64(time.Now().Unix())))
	return k
}

// agree compares the epochs and exported secrets and sends a message each way.
func (m *match) agree() { m.t.Helper(); m.agreeIn(m.group, m.own) }

func (m *match) agreeIn(group []byte, o *own) {
	m.t.Helper()
	auth, err := m.theirs.EpochAuthenticator(m.ctx, group)
	check(m.t, err)
	if !bytes.Equal(auth, o.epoch.EpochAuthenticator()) {
		m.t.Fatalf("epoch authenticators differ in epoch %d", o.epoch.Public().Epoch())
	}
	secret, err := m.theirs.Export(m.ctx, group, "label", []byte("context"), 40)
	check(m.t, err)
	if !bytes.Equal(secret, o.epoch.Export("label", []byte("context"), 40)) {
		m.t.Error("exported secrets differ")
	}
	for range 2 {
		b, err := o.epoch.Encrypt(o.keys, o.key, []byte("aad"), []byte("from us"), 7)
		check(m.t, err)
		got, err := m.theirs.ReceiveMessage(m.ctx, group, mls.FrameMessage(mls.FormatPrivateMessage, b))
		check(m.t, err)
		if string(got.Plaintext) != "from us" || string(got.AuthenticatedData) != "aad" {
			m.t.Errorf("they read %q, %q", got.Plaintext, got.AuthenticatedData)
		}
		b, err = m.theirs.SendMessage(m.ctx, group, []byte("from them"))
		check(m.t, err)
		text, _, err := o.epoch.Decrypt(o.keys, body(mls.FormatPrivateMessage, b))
		check(m.t, err)
		if string(text) != "from them" {
			m.t.Errorf("we read %q", text)
		}
	}
}

// weCommit makes a commit of ours over what was proposed and lets them process it.
func (m *match) weCommit(p mls.CommitParams) *mls.StagedCommit {
	m.t.Helper()
	s, b := m.commit(p, 0) // mls-go 1.6.0 cannot read a padded handshake (section 6.3.1)
	check(m.t, m.theirs.ProcessCommit(m.ctx, m.group, unhex(m.t, b)))
	m.enter(s.Next)
	return s
}

// theyCommit lets them commit what was proposed.
func (m *match) theyCommit() (welcome []byte) {
	m.t.Helper()
	// Not SelfUpdate: it commits an Update of the committer's own, which
	// section 12.2 forbids and we refuse.
	b, w, err := m.theirs.CommitPendingProposals(m.ctx, m.group)
	check(m.t, err)
	m.receive(b)
	return w
}

// theyPropose lets us take proposals of theirs. They take them back and get them
// again as messages: mls-go 1.6.0 does not keep its own proposals by their
// reference, so that it cannot follow a commit of them by somebody else
// (sections 5.2 and 12.4).
func (m *match) theyPropose(b []byte, err error) {
	m.t.Helper()
	check(m.t, err)
	m.receive(b)
	check(m.t, m.theirs.CancelPendingProposals(m.ctx, m.group))
	if m.proposedIn != m.epoch {
		m.proposedIn, m.proposed = m.epoch, nil
	}
	m.proposed = append(m.proposed, b)
	for _, b := range m.proposed {
		check(m.t, m.theirs.ProcessPublicMessage(m.ctx, m.group, b))
	}
}

// wePropose lets them take a proposal of ours.
func (m *match) wePropose(p *mls.Proposed, err error) {
	m.t.Helper()
	check(m.t, m.theirs.ProcessPublicMessage(m.ctx, m.group, unhex(m.t, m.tell(p, err))))
}

// play goes through commits of both sides, by value and by reference.
func (m *match) play() {
	m.t.Helper()
	m.agree()
	for range 3 {
		m.weCommit(mls.CommitParams{})
		// A fault of mls-go 1.6.0: one counter serves both ratchets of a sender, so
		// that it cannot read our first handshake after an application message
		// (section 9.1 has a ratchet for each). Hence no message before this one.
		m.weCommit(mls.CommitParams{Private: true})
		m.agree()
		m.theyCommit()
		m.agree()
	}
	third := newOwn(m.t, m.suite, "third")
	s := m.weCommit(mls.CommitParams{Add: []*mls.KeyPackage{third.pack}})
	joinOwn(m.own, s, third)
	m.agree()
	m.weCommit(mls.CommitParams{Remove: []uint32{third.epoch.OwnLeaf()}})
	m.agree()
	m.references()
}

// references lets each side commit the proposals of the other.
func (m *match) references() {
	m.t.Helper()
	params := mls.ProposalParams{Signer: m.key}
	update, secret, err := m.epoch.ProposeUpdate(params)
	m.wePropose(update, err)
	m.update = append(m.update, secret)
	fourth := newOwn(m.t, m.suite, "fourth")
	m.wePropose(m.epoch.ProposeAdd(fourth.pack, params))
	w := m.theyCommit()
	e, _, err := mls.Join(body(mls.FormatWelcome, w), fourth.pack, fourth.secret, nil)
	check(m.t, err)
	if !bytes.Equal(e.EpochAuthenticator(), m.epoch.EpochAuthenticator()) {
		m.t.Error("our fourth member disagrees")
	}
	m.agree()

	fifth := newOwn(m.t, m.suite, "fifth")
	m.theyPropose(m.theirs.ProposeAddMember(m.ctx, m.group, fifth.pack.Bytes()))
	m.theyPropose(m.theirs.ProposeRemoveMember(m.ctx, m.group, []byte("fourth")))
	s := m.weCommit(mls.CommitParams{})
	joinOwn(m.own, s, fifth)
	m.agree()
}

// resumption puts keys of earlier epochs into commits of both sides, in groups
// of ours: in one that it made, mls-go 1.6.0 does not keep the keys of earlier
// epochs (section 8.6).
func (m *match) resumption() {
	m.t.Helper()
	past, err := mls.ResumptionPSK(m.suite, m.psks.Epochs[len(m.psks.Epochs)-2].Public())
	check(m.t, err)
	m.weCommit(mls.CommitParams{Proposals: []*mls.Proposal{past}})
	m.agree()
	m.theyPropose(m.theirs.ProposeResumptionPSK(m.ctx, m.group, m.epoch.Public().Epoch()-1))
	m.theyCommit()
	m.agree()
}

// TestGo plays against mls-go in every suite that both support. There is no
// ReInit: the client of mls-go 1.6.0 cannot store a group that one has closed
// (section 11.2), and has no call that makes the successor.
func TestGo(t *testing.T) {
	for _, s := range goSuites {
		for name, run := range map[string]func(*match){
			"they join our group":     func(m *match) { m.theyJoin(); m.play(); m.resumption() },
			"we join their group":     func(m *match) { m.weJoin(); m.play() },
			"they join by themselves": func(m *match) { m.theyJoinAlone(); m.play(); m.resumption() },
			"we join by ourselves":    func(m *match) { m.weJoinAlone(); m.play() },
			"branch of ours":          func(m *match) { m.theyJoin(); m.ourBranch() },
			"branch of theirs":        func(m *match) { m.theyJoin(); m.theirBranch() },
		} {
			t.Run(fmt.Sprintf("suite %d/%s", s, name), func(t *testing.T) { run(newMatch(t, s)) })
		}
	}
}

func (m *match) create() {
	m.t.Helper()
	m.group = []byte("our group")
	e, err := mls.Create(m.suite, m.group, m.pack, m.secret)
	check(m.t, err)
	m.enter(e)
}

func (m *match) theyJoin() {
	m.t.Helper()
	m.create()
	s, err := m.epoch.Commit(mls.CommitParams{Add: []*mls.KeyPackage{m.keyPackage()}, Signer: m.key})
	check(m.t, err)
	w, err := s.Welcome(m.key, nil, true)
	check(m.t, err)
	m.enter(s.Next)
	_, err = m.theirs.JoinGroup(m.ctx, mls.FrameMessage(mls.FormatWelcome, w))
	check(m.t, err)
}

func (m *match) weJoin() {
	m.t.Helper()
	var err error
	m.group, err = m.theirs.CreateGroup(m.ctx)
	check(m.t, err)
	_, w, err := m.theirs.InviteMember(m.ctx, m.group, m.pack.Bytes())
	check(m.t, err)
	e, _, err := mls.Join(body(mls.FormatWelcome, w), m.pack, m.secret, nil)
	check(m.t, err)
	m.enter(e)
}

// theyJoinAlone processes an external commit of theirs.
func (m *match) theyJoinAlone() {
	m.t.Helper()
	m.create()
	info, err := m.epoch.GroupInfo(m.key, nil, true)
	check(m.t, err)
	_, commit, err := m.theirs.ExternalJoin(m.ctx, info)
	check(m.t, err)
	m.receive(commit)
}

// weJoinAlone lets them process an external commit of ours.
func (m *match) weJoinAlone() {
	m.t.Helper()
	var err error
	m.group, err = m.theirs.CreateGroup(m.ctx)
	check(m.t, err)
	info, err := m.theirs.GroupInfo(m.ctx, m.group)
	check(m.t, err)
	s, err := mls.JoinExternal(mls.ExternalParams{
		GroupInfo: body(mls.FormatGroupInfo, info), Signer: m.key, Identity: []byte("ours"), CredentialTypes: []uint16{2},
	})
	check(m.t, err)
	b, err := mls.SealExternal(s.Commit)
	check(m.t, err)
	check(m.t, m.theirs.ProcessPublicMessage(m.ctx, m.group, b))
	m.enter(s.Next)
}

// follow lets them join a group of ours that grows out of another.
func (m *match) follow(fresh *own, s *mls.StagedCommit) {
	m.t.Helper()
	name, secret, err := m.theirs.ResumptionPSK(m.ctx, m.group)
	check(m.t, err)
	w, err := s.Welcome(fresh.key, nil, true)
	check(m.t, err)
	group, err := m.theirs.JoinGroupWithPSKs(m.ctx, mls.FrameMessage(mls.FormatWelcome, w), map[string][]byte{name: secret})
	check(m.t, err)
	fresh.enter(s.Next)
	m.agreeIn(group, fresh)
}

func (m *match) ourBranch() {
	m.t.Helper()
	fresh := newOwn(m.t, m.suite, "ours")
	s, err := m.epoch.Branch([]byte("branch"), mls.SuccessorParams{
		KeyPackage: fresh.pack, Secret: fresh.secret, Members: []*mls.KeyPackage{m.keyPackage()}, Signer: fresh.key,
	})
	check(m.t, err)
	m.follow(fresh, s)
}

func (m *match) theirBranch() {
	m.t.Helper()
	fresh := newOwn(m.t, m.suite, "ours")
	group, _, w, err := m.theirs.Branch(m.ctx, m.group, [][]byte{fresh.pack.Bytes()})
	check(m.t, err)
	e, _, err := mls.JoinWith(body(mls.FormatWelcome, w), fresh.pack, fresh.secret, nil, m.psks)
	check(m.t, err)
	fresh.enter(e)
	m.agreeIn(group, fresh)
}
