package mls

import (
	"bytes"
	"testing"

	"kith/internal/wire"
)

// A welcomed is a staged commit that adds one member, to make Welcomes by hand.
type welcomed struct {
	t        *testing.T
	s        *StagedCommit
	from     *party
	newcomer *party
}

func newWelcomed(t *testing.T) *welcomed {
	t.Helper()
	g := testGroup(t, 3)
	v := &welcomed{t: t, from: g[1], newcomer: newParty(t, "new")}
	var err error
	v.s, err = g[1].epoch.Commit(CommitParams{Add: []*KeyPackage{v.newcomer.pack}, Signer: g[1].signer})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// make seals a Welcome whose parts were changed. The GroupInfo is signed by
// signer; sent may change it after that.
func (v *welcomed) make(signer Signer, info func(*GroupInfo), sent func(*GroupInfo), secrets func(*groupSecrets), whole func(*welcome)) []byte {
	v.t.Helper()
	c := v.s.Next.pub.crypto
	g, err := v.s.Next.groupInfo(v.from.signer, nil, true)
	if err != nil {
		v.t.Fatal(err)
	}
	if info != nil {
		info(g)
	}
	g = g.signedBy(signer)
	if sent != nil {
		sent(g)
	}
	key, nonce := c.welcomeKey(v.s.welcome)
	m := &welcome{suite: c.suite, info: c.aeadSeal(key, nonce, nil, encode(g.write))}
	n := v.s.newcomers[0]
	plain := groupSecrets{bytes.Clone(v.s.joiner), bytes.Clone(n.pathSecret), nil}
	if secrets != nil {
		secrets(&plain)
	}
	box, err := c.seal(n.initKey, "Welcome", m.info, encode(plain.write))
	if err != nil {
		v.t.Fatal(err)
	}
	m.secrets = []welcomeSecret{{n.ref, box}}
	if whole != nil {
		whole(m)
	}
	return encode(m.write)
}

func (v *welcomed) join(b []byte) error {
	_, _, err := Join(b, v.newcomer.pack, v.newcomer.secret, nil)
	return err
}

func refuseWelcomes(t *testing.T, r *refusals) {
	v := newWelcomed(t)
	r.watch(v.newcomer, v.from)
	signer := v.from.signer
	if err := v.join(v.make(signer, nil, nil, nil, nil)); err != nil {
		t.Fatal(err)
	}
	required := RequiredCapabilities([]uint16{0xF123}, nil, nil)
	old := v.from.epoch.pub.RatchetTree()
	for _, c := range []struct {
		what string
		info func(*GroupInfo)
		want Reason
	}{
		{"GroupInfo of another suite", func(g *GroupInfo) { g.context.suite = 3 }, ReasonSuite},
		{"another tree hash", func(g *GroupInfo) { g.context.treeHash = make([]byte, 32) }, ReasonTreeHash},
		{"no tree hash", func(g *GroupInfo) { g.context.treeHash = nil }, ReasonTreeHash},
		{"another group id", func(g *GroupInfo) { g.context.groupID = []byte("h") }, ReasonSignature},
		{"another epoch", func(g *GroupInfo) { g.context.epoch++ }, ReasonConfirmation},
		{"another transcript hash", func(g *GroupInfo) { g.context.confirmed = make([]byte, 32) }, ReasonConfirmation},
		{"another confirmation tag", func(g *GroupInfo) { g.tag = make([]byte, 32) }, ReasonConfirmation},
		{"no confirmation tag", func(g *GroupInfo) { g.tag = nil }, ReasonConfirmation},
		{"signer outside the tree", func(g *GroupInfo) { g.Signer = 1 << 20 }, ReasonNoLeaf},
		{"another signer", func(g *GroupInfo) { g.Signer = 0 }, ReasonSignature},
		{"extension the newcomer lacks", func(g *GroupInfo) { g.context.extensions = []Extension{{Type: 0xF123}} }, ReasonCapability},
		{"required capability the newcomer lacks", func(g *GroupInfo) { g.context.extensions = []Extension{required} }, ReasonCapability},
		{"required capabilities malformed", func(g *GroupInfo) {
			g.context.extensions = []Extension{{ExtensionRequiredCapabilities, []byte{9}}}
		}, ReasonMalformed},
		{"external senders malformed", func(g *GroupInfo) { g.context.extensions = []Extension{{ExtensionExternalSenders, nil}} }, ReasonMalformed},
		{"no tree", func(g *GroupInfo) { g.Extensions = g.Extensions[:1] }, ReasonNoTree},
		{"tree malformed", func(g *GroupInfo) { g.Extensions[1].Data = []byte{0} }, ReasonMalformed},
		{"tree of the epoch before", func(g *GroupInfo) { g.Extensions[1].Data = old }, ReasonTreeHash},
		{"an extension twice", func(g *GroupInfo) { g.Extensions = append(g.Extensions, g.Extensions[0]) }, ReasonMalformed},
	} {
		r.refused("GroupInfo: "+c.what, v.join(v.make(signer, c.info, nil, nil, nil)), c.want)
	}
	blank := func(g *GroupInfo) { g.Signer = 3 }
	r.refused("GroupInfo: signed by the newcomer", v.join(v.make(v.newcomer.signer, blank, nil, nil, nil)), ReasonOwnLeaf)
	r.refused("GroupInfo: signed by a stranger", v.join(v.make(newSigner(t, 1), nil, nil, nil, nil)), ReasonSignature)
	r.refused("GroupInfo: changed after signing", v.join(v.make(signer, nil, func(g *GroupInfo) {
		g.signed = bytes.Clone(g.signed)
		g.signed[len(g.signed)-5] ^= 1 // the tag
	}, nil, nil)), ReasonSignature)
	r.refused("GroupInfo: no signature", v.join(v.make(signer, nil, func(g *GroupInfo) { g.signature = nil }, nil, nil)), ReasonSignature)
	r.refused("GroupInfo: bytes left over", v.join(v.make(signer, nil, func(g *GroupInfo) {
		g.signed = append(bytes.Clone(g.signed), 0)
	}, nil, nil)), ReasonMalformed)
	refuseFollowed(t, r, v)
	refuseGroupSecrets(t, r, v)
}

// refuseFollowed has a newcomer join who followed the group and has its tree
// from there.
func refuseFollowed(t *testing.T, r *refusals, v *welcomed) {
	signer, public := v.from.signer, v.s.Next.pub
	join := func(p *PublicGroup, b []byte) error {
		_, _, err := p.Join(b, v.newcomer.pack, v.newcomer.secret)
		return err
	}
	untreed := func(g *GroupInfo) { g.Extensions = g.Extensions[:1] }
	if err := join(public, v.make(signer, untreed, nil, nil, nil)); err != nil {
		t.Fatal(err)
	}
	good := v.make(signer, nil, nil, nil, nil)
	if err := join(public, good); err != nil {
		t.Fatal(err)
	}
	other, closed := *public, *public
	other.crypto = suites[3]
	closed.reinit = &Proposal{Type: ProposalReInit}
	r.refused("followed: the epoch before", join(v.from.epoch.pub, good), ReasonNotFollowed)
	r.refused("followed: a group of another suite", join(&other, good), ReasonSuite)
	r.refused("followed: a closed group", join(&closed, good), ReasonSuspended)
	for _, c := range []struct {
		what string
		info func(*GroupInfo)
		want Reason
	}{
		{"another tree hash", func(g *GroupInfo) { g.context.treeHash = make([]byte, 32) }, ReasonNotFollowed},
		{"another group id", func(g *GroupInfo) { g.context.groupID = []byte("h") }, ReasonNotFollowed},
		{"another epoch", func(g *GroupInfo) { g.context.epoch++ }, ReasonNotFollowed},
		{"another transcript hash", func(g *GroupInfo) { g.context.confirmed = make([]byte, 32) }, ReasonNotFollowed},
		{"an extension more", func(g *GroupInfo) { g.context.extensions = []Extension{{Type: 0xF123}} }, ReasonNotFollowed},
		{"another confirmation tag", func(g *GroupInfo) { g.tag = make([]byte, 32) }, ReasonNotFollowed},
		{"signer outside the tree", func(g *GroupInfo) { g.Signer = 1 << 20 }, ReasonNoLeaf},
		{"another signer", func(g *GroupInfo) { g.Signer = 0 }, ReasonSignature},
	} {
		r.refused("followed: "+c.what, join(public, v.make(signer, c.info, nil, nil, nil)), c.want)
	}
	r.refused("followed: signed by a stranger", join(public, v.make(newSigner(t, 1), nil, nil, nil, nil)), ReasonSignature)
	r.refused("followed: another path secret", join(public, v.make(signer, nil, nil, func(g *groupSecrets) {
		g.pathSecret = bytes.Clone(g.pathSecret)
		g.pathSecret[0] ^= 1
	}, nil)), ReasonPathKey)
}

func refuseGroupSecrets(t *testing.T, r *refusals, v *welcomed) {
	signer := v.from.signer
	one := func(nonce int, usage uint8) pskID { return psk(nonce, usage).psk }
	for _, c := range []struct {
		what    string
		secrets func(*groupSecrets)
		want    Reason
	}{
		{"another joiner secret", func(g *groupSecrets) { g.joiner = make([]byte, 32) }, ReasonDecrypt},
		{"no joiner secret", func(g *groupSecrets) { g.joiner = nil }, ReasonDecrypt},
		{"another path secret", func(g *groupSecrets) { g.pathSecret = make([]byte, 32) }, ReasonPathKey},
		{"path secret too short", func(g *groupSecrets) { g.pathSecret = g.pathSecret[1:] }, ReasonPathKey},
		{"empty path secret", func(g *groupSecrets) { g.pathSecret = []byte{} }, ReasonPathKey},
		{"key not at hand", func(g *groupSecrets) { g.psks = []pskID{one(32, 0)} }, ReasonPSK},
		{"epoch not at hand", func(g *groupSecrets) { g.psks = []pskID{one(32, usageApplication)} }, ReasonPSK},
		{"group before a reinit not at hand", func(g *groupSecrets) { g.psks = []pskID{one(32, usageReInit)} }, ReasonPSK},
		{"group before a branch not at hand", func(g *groupSecrets) { g.psks = []pskID{one(32, usageBranch)} }, ReasonPSK},
		{"nonce too short", func(g *groupSecrets) { g.psks = []pskID{one(31, 0)} }, ReasonPSK},
		{"nonce too long", func(g *groupSecrets) { g.psks = []pskID{one(33, 0)} }, ReasonPSK},
		{"too many keys", func(g *groupSecrets) {
			for range MaxPSKs + 1 {
				g.psks = append(g.psks, one(32, 0))
			}
		}, ReasonMalformed},
	} {
		r.refused("secrets: "+c.what, v.join(v.make(signer, nil, nil, c.secrets, nil)), c.want)
	}
	for _, c := range []struct {
		what  string
		whole func(*welcome)
		want  Reason
	}{
		{"another suite", func(m *welcome) { m.suite = 3 }, ReasonNotForUs},
		{"a suite that is refused", func(m *welcome) { m.suite = 6 }, ReasonSuite},
		{"nobody's secrets", func(m *welcome) { m.secrets = nil }, ReasonNotForUs},
		{"secrets for somebody else", func(m *welcome) { m.secrets[0].ref = make([]byte, 32) }, ReasonNotForUs},
		{"KEM output cut", func(m *welcome) { m.secrets[0].sealed.kemOutput = m.secrets[0].sealed.kemOutput[1:] }, ReasonMalformed},
		{"KEM output too long", func(m *welcome) {
			m.secrets[0].sealed.kemOutput = append(bytes.Clone(m.secrets[0].sealed.kemOutput), 0)
		}, ReasonDecrypt},
		{"another KEM output", func(m *welcome) { m.secrets[0].sealed.kemOutput = v.newcomer.pack.initKey }, ReasonDecrypt},
		{"secrets changed", func(m *welcome) { m.secrets[0].sealed.ciphertext[0] ^= 1 }, ReasonDecrypt},
		{"GroupInfo changed", func(m *welcome) { m.info = bytes.Clone(m.info); m.info[0] ^= 1 }, ReasonDecrypt},
		{"no GroupInfo", func(m *welcome) { m.info = nil }, ReasonDecrypt},
	} {
		r.refused("Welcome: "+c.what, v.join(v.make(signer, nil, nil, nil, c.whole)), c.want)
	}
	good := v.make(signer, nil, nil, nil, nil)
	r.refused("Welcome: bytes left over", v.join(append(bytes.Clone(good), 0)), ReasonMalformed)
	r.refused("Welcome: cut off", v.join(good[:len(good)-1]), ReasonMalformed)
	r.refused("Welcome: nothing", v.join(nil), ReasonMalformed)
	stranger := newParty(t, "stranger")
	_, _, err := Join(good, stranger.pack, stranger.secret, nil)
	r.refused("Welcome: for another key package", err, ReasonNotForUs)
	_, _, err = Join(good, v.newcomer.pack, stranger.secret, nil)
	r.refused("Welcome: with the keys of another package", err, ReasonSecret)
	_, _, err = Join(good, v.newcomer.pack, v.newcomer.secret, wire.Opaque(nil))
	r.refused("Welcome: with an empty tree", err, ReasonMalformed)
}
