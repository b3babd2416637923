package mls

import (
	"crypto/ed25519"
	"testing"

	"kith/internal/wire"
)

// vectorKey signs with Ed25519.
type vectorKey ed25519.PrivateKey

func (k vectorKey) PublicKey() ed25519.PublicKey {
	return ed25519.PrivateKey(k).Public().(ed25519.PublicKey)
}

func (k vectorKey) SignRaw(message []byte) []byte {
	return ed25519.Sign(ed25519.PrivateKey(k), message)
}

// newSigner makes a signature key for a suite.
func newSigner(t testing.TB, s Suite) Signer {
	t.Helper()
	if _, ok := ecdsaOf[s]; !ok {
		return vectorKey(ed25519.NewKeyFromSeed(wire.Random(32)))
	}
	k, err := NewECDSASigner(s)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// vectorSigner signs with a private key of a vector file.
func vectorSigner(t testing.TB, s Suite, private []byte) Signer {
	t.Helper()
	if _, ok := ecdsaOf[s]; !ok {
		return vectorKey(ed25519.NewKeyFromSeed(private[:32]))
	}
	k, err := ParseECDSASigner(s, private)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestVectorsTreeMath(t *testing.T) {
	var n tally
	type node = []*uint32
	for _, v := range vectors[struct {
		Leaves  uint32 `json:"n_leaves"`
		Nodes   uint32 `json:"n_nodes"`
		Root    uint32
		Left    node
		Right   node
		Parent  node
		Sibling node
	}](t, &n, "tree-math") {
		n.count(0)
		if got := 2*v.Leaves - 1; got != v.Nodes || uint32(rootOf(v.Leaves)) != v.Root {
			t.Errorf("%d leaves: %d nodes, root %d", v.Leaves, got, rootOf(v.Leaves))
		}
		for i := range v.Nodes {
			x := nodeIndex(i)
			check := func(what string, want *uint32, got func() nodeIndex) {
				if want != nil && uint32(got()) != *want {
					t.Errorf("%d leaves: %s of %d is %d, want %d", v.Leaves, what, i, got(), *want)
				}
			}
			check("left", v.Left[i], x.left)
			check("right", v.Right[i], x.right)
			check("parent", v.Parent[i], x.parent)
			check("sibling", v.Sibling[i], x.sibling)
		}
	}
	n.log(t)
}

func TestVectorsDeserialization(t *testing.T) {
	var n tally
	for _, v := range vectors[struct {
		Header hexBytes `json:"vlbytes_header"`
		Length int
	}](t, &n, "deserialization") {
		n.count(0)
		r := wire.NewReader(v.Header)
		if got := r.Varint(); got != v.Length || r.Done() != nil {
			t.Errorf("%x: %d, %v", v.Header, got, r.Err())
		}
	}
	n.log(t)
}

type vectorCryptoBasics struct {
	Suite   uint16 `json:"cipher_suite"`
	RefHash struct {
		Label      string
		Value, Out hexBytes
	} `json:"ref_hash"`
	Expand struct {
		Secret, Context, Out hexBytes
		Label                string
		Length               int
	} `json:"expand_with_label"`
	Derive struct {
		Secret, Out hexBytes
		Label       string
	} `json:"derive_secret"`
	Tree struct {
		Secret, Out hexBytes
		Label       string
		Generation  uint32
		Length      int
	} `json:"derive_tree_secret"`
	Sign struct {
		Priv, Pub, Content, Signature hexBytes
		Label                         string
	} `json:"sign_with_label"`
	Encrypt struct {
		Priv, Pub, Context, Plaintext, Ciphertext hexBytes
		KEM                                       hexBytes `json:"kem_output"`
		Label                                     string
	} `json:"encrypt_with_label"`
}

func TestVectorsCryptoBasics(t *testing.T) {
	var n tally
	for _, v := range vectors[vectorCryptoBasics](t, &n, "crypto-basics") {
		c := n.suiteOf(t, v.Suite)
		if c == nil {
			continue
		}
		equal(t, "ref hash", c.refHash(v.RefHash.Label, v.RefHash.Value), v.RefHash.Out)
		equal(t, "expand", c.expandLabel(v.Expand.Secret, v.Expand.Label, v.Expand.Context, v.Expand.Length), v.Expand.Out)
		equal(t, "derive", c.derive(v.Derive.Secret, v.Derive.Label), v.Derive.Out)
		equal(t, "tree", c.deriveTree(v.Tree.Secret, v.Tree.Label, v.Tree.Generation, v.Tree.Length), v.Tree.Out)

		s := v.Sign
		own := sign(vectorSigner(t, c.suite, s.Priv), s.Label, s.Content)
		if !c.verifyLabel(s.Pub, s.Label, s.Content, s.Signature) || !c.verifyLabel(s.Pub, s.Label, s.Content, own) {
			t.Error("signature does not verify")
		}

		e := v.Encrypt
		plain, err := c.open(c.padded(e.Priv), e.Label, e.Context, sealed{e.KEM, e.Ciphertext})
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "plaintext", plain, e.Plaintext)
		box, err := c.seal(e.Pub, e.Label, e.Context, e.Plaintext)
		if err != nil {
			t.Fatal(err)
		}
		if plain, err = c.open(c.padded(e.Priv), e.Label, e.Context, box); err != nil {
			t.Fatal(err)
		}
		equal(t, "own round trip", plain, e.Plaintext)
	}
	n.log(t)
}

func TestVectorsSecretTree(t *testing.T) {
	type leaf struct {
		Generation       uint32
		ApplicationKey   hexBytes `json:"application_key"`
		ApplicationNonce hexBytes `json:"application_nonce"`
		HandshakeKey     hexBytes `json:"handshake_key"`
		HandshakeNonce   hexBytes `json:"handshake_nonce"`
	}
	var n tally
	for _, v := range vectors[struct {
		Suite      uint16   `json:"cipher_suite"`
		Encryption hexBytes `json:"encryption_secret"`
		SenderData struct {
			Secret                 hexBytes `json:"sender_data_secret"`
			Ciphertext, Key, Nonce hexBytes
		} `json:"sender_data"`
		Leaves [][]leaf
	}](t, &n, "secret-tree") {
		c := n.suiteOf(t, v.Suite)
		if c == nil {
			continue
		}
		key, nonce := c.senderDataKey(v.SenderData.Secret, v.SenderData.Ciphertext)
		equal(t, "sender data key", key, v.SenderData.Key)
		equal(t, "sender data nonce", nonce, v.SenderData.Nonce)

		r := newRatchets(c, uint32(len(v.Leaves)))
		r.tree[rootOf(r.leaves)] = v.Encryption
		for i, generations := range v.Leaves {
			for _, g := range generations {
				for kind, want := range map[uint8][2]hexBytes{
					ratchetApplication: {g.ApplicationKey, g.ApplicationNonce},
					ratchetHandshake:   {g.HandshakeKey, g.HandshakeNonce},
				} {
					d, err := r.draw(ratchetID{uint32(i), kind}, g.Generation, 0)
					if err != nil {
						t.Fatal(err)
					}
					equal(t, "key", d.key.key, want[0])
					equal(t, "nonce", d.key.nonce, want[1])
					r.spend(d)
				}
			}
		}
	}
	n.log(t)
}

type vectorEpoch struct {
	TreeHash      hexBytes `json:"tree_hash"`
	Commit        hexBytes `json:"commit_secret"`
	PSK           hexBytes `json:"psk_secret"`
	Confirmed     hexBytes `json:"confirmed_transcript_hash"`
	GroupContext  hexBytes `json:"group_context"`
	Joiner        hexBytes `json:"joiner_secret"`
	Welcome       hexBytes `json:"welcome_secret"`
	Init          hexBytes `json:"init_secret"`
	SenderData    hexBytes `json:"sender_data_secret"`
	Encryption    hexBytes `json:"encryption_secret"`
	Exporter      hexBytes `json:"exporter_secret"`
	Authenticator hexBytes `json:"epoch_authenticator"`
	External      hexBytes `json:"external_secret"`
	Confirmation  hexBytes `json:"confirmation_key"`
	Membership    hexBytes `json:"membership_key"`
	Resumption    hexBytes `json:"resumption_psk"`
	ExternalPub   hexBytes `json:"external_pub"`
	Export        struct {
		Label           string
		Context, Secret hexBytes
		Length          int
	} `json:"exporter"`
}

func TestVectorsKeySchedule(t *testing.T) {
	var n tally
	for _, v := range vectors[struct {
		Suite   uint16   `json:"cipher_suite"`
		GroupID hexBytes `json:"group_id"`
		Init    hexBytes `json:"initial_init_secret"`
		Epochs  []vectorEpoch
	}](t, &n, "key-schedule") {
		c := n.suiteOf(t, v.Suite)
		if c == nil {
			continue
		}
		init := []byte(v.Init)
		for i, w := range v.Epochs {
			g := groupContext{c.suite, v.GroupID, uint64(i), w.TreeHash, w.Confirmed, nil}
			equal(t, "group context", g.bytes(), w.GroupContext)
			a := c.advance(init, w.Commit, w.PSK, g.bytes())
			equal(t, "joiner", a.joiner, w.Joiner)
			equal(t, "welcome", a.welcome, w.Welcome)
			checkSchedule(t, c, a.schedule, w)
			init = a.schedule.init
		}
	}
	n.log(t)
}

func checkSchedule(t *testing.T, c *crypto, s *schedule, w vectorEpoch) {
	t.Helper()
	equal(t, "init", s.init, w.Init)
	equal(t, "sender data", s.senderData, w.SenderData)
	equal(t, "encryption", s.encryption, w.Encryption)
	equal(t, "exporter", s.exporter, w.Exporter)
	equal(t, "authenticator", s.authenticator, w.Authenticator)
	equal(t, "external", s.external, w.External)
	equal(t, "confirmation", s.confirmation, w.Confirmation)
	equal(t, "membership", s.membership, w.Membership)
	equal(t, "resumption", s.resumption, w.Resumption)
	_, public, err := c.keyPair(s.external)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "external pub", public, w.ExternalPub)
	equal(t, "exported", c.export(s.exporter, w.Export.Label, w.Export.Context, w.Export.Length), w.Export.Secret)
}

func TestVectorsPSKSecret(t *testing.T) {
	var n tally
	for _, v := range vectors[struct {
		Suite uint16 `json:"cipher_suite"`
		PSKs  []struct {
			ID    hexBytes `json:"psk_id"`
			PSK   hexBytes
			Nonce hexBytes `json:"psk_nonce"`
		}
		Secret hexBytes `json:"psk_secret"`
	}](t, &n, "psk_secret") {
		c := n.suiteOf(t, v.Suite)
		if c == nil {
			continue
		}
		var ids []pskID
		var secrets [][]byte
		for _, p := range v.PSKs {
			ids = append(ids, pskID{kind: pskExternal, id: p.ID, nonce: p.Nonce})
			secrets = append(secrets, p.PSK)
		}
		equal(t, "psk secret", c.pskSecret(ids, secrets), v.Secret)
	}
	n.log(t)
}

func TestVectorsTranscriptHashes(t *testing.T) {
	var n tally
	for _, v := range vectors[struct {
		Suite        uint16   `json:"cipher_suite"`
		Key          hexBytes `json:"confirmation_key"`
		Content      hexBytes `json:"authenticated_content"`
		Before       hexBytes `json:"interim_transcript_hash_before"`
		Confirmed    hexBytes `json:"confirmed_transcript_hash_after"`
		InterimAfter hexBytes `json:"interim_transcript_hash_after"`
	}](t, &n, "transcript-hashes") {
		c := n.suiteOf(t, v.Suite)
		if c == nil {
			continue
		}
		r := wire.NewReader(v.Content)
		a := readAuthenticated(r)
		if err := r.Done(); err != nil {
			t.Fatal(err)
		}
		confirmed := c.confirmedHash(v.Before, a.transcript())
		equal(t, "confirmed", confirmed, v.Confirmed)
		equal(t, "interim", c.interimHash(confirmed, a.tag), v.InterimAfter)
		if !sameMAC(c.confirmationTag(v.Key, confirmed), a.tag) {
			t.Error("confirmation tag does not verify")
		}
	}
	n.log(t)
}
