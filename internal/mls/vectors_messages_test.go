package mls

import (
	"bytes"
	"testing"

	"kith/internal/wire"
)

// A structure decodes bytes and encodes them again.
type structure func(r *wire.Reader) func(*wire.Writer)

func framed(f WireFormat, inner structure) structure {
	return func(r *wire.Reader) func(*wire.Writer) {
		if r.U16() != protocolMLS10 || WireFormat(r.U16()) != f {
			r.Fail(wire.ErrCanonical)
		}
		write := inner(r)
		return func(w *wire.Writer) {
			w.U16(protocolMLS10)
			w.U16(uint16(f))
			write(w)
		}
	}
}

func proposalBody(kind ProposalType) structure {
	return func(r *wire.Reader) func(*wire.Writer) {
		var w wire.Writer
		w.U16(uint16(kind))
		w.Raw(r.Rest())
		p := wire.NewReader(w.Bytes())
		out := readProposal(p)
		if err := p.Err(); err != nil {
			r.Fail(err)
			return nil
		}
		r.Skip(r.Len() - p.Len())
		return func(w *wire.Writer) { w.Raw(encode(out.write)[2:]) }
	}
}

var structures = map[string]structure{
	"mls_welcome":     framed(FormatWelcome, func(r *wire.Reader) func(*wire.Writer) { return readWelcome(r).write }),
	"mls_group_info":  framed(FormatGroupInfo, func(r *wire.Reader) func(*wire.Writer) { return rewriteGroupInfo(readGroupInfo(r)) }),
	"mls_key_package": framed(FormatKeyPackage, func(r *wire.Reader) func(*wire.Writer) { return rewriteKeyPackage(readKeyPackage(r)) }),
	"ratchet_tree":    rewriteTree,
	"group_secrets":   func(r *wire.Reader) func(*wire.Writer) { return readGroupSecrets(r).write },

	"add_proposal":                      proposalBody(ProposalAdd),
	"update_proposal":                   proposalBody(ProposalUpdate),
	"remove_proposal":                   proposalBody(ProposalRemove),
	"pre_shared_key_proposal":           proposalBody(ProposalPreSharedKey),
	"re_init_proposal":                  proposalBody(ProposalReInit),
	"external_init_proposal":            proposalBody(ProposalExternalInit),
	"group_context_extensions_proposal": proposalBody(ProposalGroupContextExtensions),

	"commit":                     func(r *wire.Reader) func(*wire.Writer) { return readCommit(r).write },
	"public_message_application": framed(FormatPublicMessage, rewritePublic),
	"public_message_proposal":    framed(FormatPublicMessage, rewritePublic),
	"public_message_commit":      framed(FormatPublicMessage, rewritePublic),
	"private_message":            framed(FormatPrivateMessage, func(r *wire.Reader) func(*wire.Writer) { return readPrivateMessage(r).write }),
}

// The rewriters encode from the fields, not from the bytes that were kept.

func rewritePublic(r *wire.Reader) func(*wire.Writer) {
	p := readPublicMessage(r)
	if r.Err() == nil {
		p.content = p.content.frozen()
	}
	return p.write
}

func rewriteGroupInfo(g *GroupInfo) func(*wire.Writer) {
	return func(w *wire.Writer) {
		g.writeFields(w)
		w.Vec(g.signature)
	}
}

func rewriteKeyPackage(k *KeyPackage) func(*wire.Writer) {
	return func(w *wire.Writer) {
		k.leaf.raw = encode(func(w *wire.Writer) {
			k.leaf.writeFields(w)
			w.Vec(k.leaf.signature)
		})
		k.writeFields(w)
		w.Vec(k.signature)
	}
}

func rewriteTree(r *wire.Reader) func(*wire.Writer) {
	for _, s := range Suites() { // the files do not say which; keys of two suites differ in length
		own := wire.NewReader(r.Rest())
		if t := readTree(suites[s], own); t != nil {
			r.Skip(r.Len() - own.Len())
			return t.write
		}
	}
	r.Fail(wire.ErrCanonical)
	return nil
}

func TestVectorsMessages(t *testing.T) {
	var n tally
	for i, v := range vectors[map[string]hexBytes](t, &n, "messages") {
		if len(v) != len(structures) {
			t.Fatalf("case %d has %d structures, want %d", i, len(v), len(structures))
		}
		n.count(0)
		for name, b := range v {
			r := wire.NewReader(b)
			write := structures[name](r)
			if err := r.Done(); err != nil {
				t.Errorf("case %d: %s: %v", i, name, err)
				continue
			}
			equal(t, name, encode(write), b)
		}
	}
	n.log(t)
}

type vectorProtection struct {
	Suite          uint16   `json:"cipher_suite"`
	GroupID        hexBytes `json:"group_id"`
	Epoch          uint64
	TreeHash       hexBytes `json:"tree_hash"`
	Confirmed      hexBytes `json:"confirmed_transcript_hash"`
	Priv           hexBytes `json:"signature_priv"`
	Pub            hexBytes `json:"signature_pub"`
	Encryption     hexBytes `json:"encryption_secret"`
	SenderData     hexBytes `json:"sender_data_secret"`
	Membership     hexBytes `json:"membership_key"`
	Proposal       hexBytes
	ProposalPriv   hexBytes `json:"proposal_priv"`
	ProposalPub    hexBytes `json:"proposal_pub"`
	Commit         hexBytes
	CommitPriv     hexBytes `json:"commit_priv"`
	CommitPub      hexBytes `json:"commit_pub"`
	Application    hexBytes
	ApplicationPrv hexBytes `json:"application_priv"`
}

// epoch is the state the vector describes: two leaves, of which the second
// sends. The tree is made up, so its hash is put in by hand.
func (v *vectorProtection) epoch(c *crypto) *Epoch {
	leaf := &leafNode{signatureKey: v.Pub, credential: credential{kind: credentialBasic}}
	root := &node{left: &node{}, right: &node{leaf: leaf}, hash: v.TreeHash}
	tree := &tree{crypto: c, root: root, leaves: 2}
	pub := newPublic(tree, v.GroupID, v.Epoch, nil, v.Confirmed, nil)
	return &Epoch{pub: pub, own: 1, secrets: &schedule{
		senderData: v.SenderData, encryption: v.Encryption, membership: v.Membership,
	}}
}

func TestVectorsMessageProtection(t *testing.T) {
	var n tally
	for _, v := range vectors[vectorProtection](t, &n, "message-protection") {
		c := n.suiteOf(t, v.Suite)
		if c == nil {
			continue
		}
		e := v.epoch(c)
		for _, m := range []struct{ message, want hexBytes }{
			{v.ProposalPub, v.Proposal},
			{v.ProposalPriv, v.Proposal},
			{v.CommitPub, v.Commit},
			{v.CommitPriv, v.Commit},
		} {
			h, err := e.Open(e.Ratchets(), m.message)
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "body", v.body(h), m.want)
		}
		_, private, err := UnframeMessage(v.ApplicationPrv)
		if err != nil {
			t.Fatal(err)
		}
		text, _, err := e.Decrypt(e.Ratchets(), private)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "application", text, v.Application)
		v.again(t, e)
	}
	n.log(t)
}

func (v *vectorProtection) body(h *Handshake) []byte {
	if h.Commit != nil {
		return encode(h.Commit.a.content.writeBody)
	}
	return encode(h.Proposed.a.content.writeBody)
}

// again protects what was in the vector and opens it; application data as a
// PublicMessage must be refused.
func (v *vectorProtection) again(t *testing.T, e *Epoch) {
	signer := vectorSigner(t, e.pub.crypto.suite, v.Priv)
	for _, private := range []bool{false, true} {
		for kind, body := range map[uint8]hexBytes{contentProposal: v.Proposal, contentCommit: v.Commit} {
			c := content{groupID: v.GroupID, epoch: v.Epoch, sender: sender{senderMember, 1}, kind: kind}
			r := wire.NewReader(body)
			c.readBody(r)
			if err := r.Done(); err != nil {
				t.Fatal(err)
			}
			a := e.pub.authenticate(c, signer, private)
			h := &Handshake{Proposed: e.pub.proposed(a)}
			if kind == contentCommit {
				a.tag = make([]byte, 32)
				h = &Handshake{Commit: &Commit{a}}
			}
			b, err := e.Seal(e.Ratchets(), h, 0)
			if err != nil {
				t.Fatal(err)
			}
			got, err := e.Open(e.Ratchets(), b)
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "again", v.body(got), body)
		}
	}
	b, err := e.Encrypt(e.Ratchets(), signer, nil, v.Application, 3)
	if err != nil {
		t.Fatal(err)
	}
	text, _, err := e.Decrypt(e.Ratchets(), b)
	if err != nil || !bytes.Equal(text, v.Application) {
		t.Fatalf("application again: %q, %v", text, err)
	}
	c := content{groupID: v.GroupID, epoch: v.Epoch, sender: sender{senderMember, 1}, kind: contentApplication, application: v.Application}
	p := publicMessage{authenticated: *e.pub.authenticate(c, signer, false)}
	p.membershipTag = e.pub.crypto.mac(v.Membership, p.membershipInput(e.pub.context()))
	if _, err := e.Open(nil, FrameMessage(FormatPublicMessage, encode(p.write))); err == nil {
		t.Error("application data in the clear was accepted")
	}
}

func TestVectorsWelcome(t *testing.T) {
	var n tally
	for _, v := range vectors[struct {
		Suite      uint16   `json:"cipher_suite"`
		Init       hexBytes `json:"init_priv"`
		SignerPub  hexBytes `json:"signer_pub"`
		KeyPackage hexBytes `json:"key_package"`
		Welcome    hexBytes
	}](t, &n, "welcome") {
		c := n.suiteOf(t, v.Suite)
		if c == nil {
			continue
		}
		_, pack, err := UnframeMessage(v.KeyPackage)
		if err != nil {
			t.Fatal(err)
		}
		k, err := ParseKeyPackage(pack)
		if err != nil {
			t.Fatal(err)
		}
		_, body, err := UnframeMessage(v.Welcome)
		if err != nil {
			t.Fatal(err)
		}
		m, err := parseWelcome(body)
		if err != nil {
			t.Fatal(err)
		}
		g, err := m.secretsFor(c, k, &KeyPackageSecrets{suite: c.suite, init: c.padded(v.Init)})
		if err != nil {
			t.Fatal(err)
		}
		info, err := m.openInfo(c, g.joiner, c.zero())
		if err != nil {
			t.Fatal(err)
		}
		if !c.verifyLabel(v.SignerPub, "GroupInfoTBS", info.signed, info.signature) {
			t.Error("signature does not verify")
		}
		s := c.fromJoiner(g.joiner, c.zero(), info.context.bytes()).schedule
		if !sameMAC(c.confirmationTag(s.confirmation, info.context.confirmed), info.tag) {
			t.Error("confirmation tag does not verify")
		}
	}
	n.log(t)
}
