package sim_test

import (
	"bytes"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/hpke"
	"crypto/sha256"
	"slices"
	"testing"
	"testing/cryptotest"

	"kith/internal/chain"
	"kith/internal/group"
	"kith/internal/mls"
	"kith/internal/sim"
	"kith/internal/wire"
)

// A commit that some members can follow and others cannot: one path secret is
// junk, and everything after it, signature, transcript and tag, is right. No
// function of package mls makes it, so its key schedule is written out here, for
// suite 1 (RFC 9420 chapters 7 to 9).

func expand(t *testing.T, secret []byte, label string, context []byte) []byte {
	t.Helper()
	var w wire.Writer
	w.U16(32)
	w.Vec([]byte("MLS 1.0 " + label))
	w.Vec(context)
	out, err := hkdf.Expand(sha256.New, secret, string(w.Bytes()), 32)
	must(t, err)
	return out
}

func extract(t *testing.T, salt, input []byte) []byte {
	t.Helper()
	out, err := hkdf.Extract(sha256.New, input, salt)
	must(t, err)
	return out
}

// groupContext is that of section 8.1, without extensions.
func groupContext(p *mls.PublicGroup, epoch uint64, tree, confirmed []byte) []byte {
	var w wire.Writer
	w.U16(1)
	w.U16(uint16(p.Suite()))
	w.Vec(p.GroupID())
	w.U64(epoch)
	w.Vec(tree)
	w.Vec(confirmed)
	w.Vec(nil)
	return w.Bytes()
}

func opaque(b []byte) []byte { return wire.Opaque(b) }

// spoilt is a Rekey of n's, of nodes many parent nodes, whose last path secret is
// junk: that of the left half of the tree.
func spoilt(t *testing.T, n *sim.Node, g wire.GroupID, nodes int) []byte {
	t.Helper()
	e := epochOf(t, n, g)
	before := e.Public()
	state := headState(n, g)
	h, _, err := chain.Draft(state, chain.DraftParams{
		Suite: state.Suite(), Parent: machine(n, g).Head(), Group: g, Author: n.Self.Member(),
		AuthorSeq: state.LastSeq(n.Self.Device.ID()) + 1, Ops: []chain.Op{&chain.Rekey{}}, CreatedAt: 1,
	})
	must(t, err)
	core := h.Core()
	cryptotest.SetGlobalRandom(t, 9)
	staged, err := e.Commit(mls.CommitParams{AuthenticatedData: core[:], Signer: n.Self.Device})
	must(t, err)
	cryptotest.SetGlobalRandom(t, 9)
	wire.Random(32) // of the leaf
	secret := wire.Random(32)
	for range nodes {
		secret = expand(t, secret, "path", nil)
	}

	whole := staged.Commit.Bytes()
	content := bytes.Clone(whole[2 : len(whole)-2-64-1-32])
	content[len(content)-1] ^= 1
	tbs := slices.Concat([]byte{0, 1}, whole[:2], content,
		groupContext(before, before.Epoch(), before.TreeHash(), before.ConfirmedTranscriptHash()))
	signature := n.Self.Device.SignRaw(slices.Concat(opaque([]byte("MLS 1.0 FramedContentTBS")), opaque(tbs)))

	interim := sha256.Sum256(slices.Concat(before.ConfirmedTranscriptHash(), opaque(before.ConfirmationTag())))
	confirmed := sha256.Sum256(slices.Concat(interim[:], whole[:2], content, opaque(signature)))
	context := groupContext(before, before.Epoch()+1, staged.Next.Public().TreeHash(), confirmed[:])
	joiner := expand(t, extract(t, initSecret(t, n, g), secret), "joiner", context)
	epoch := expand(t, extract(t, joiner, make([]byte, 32)), "epoch", context)
	mac := hmac.New(sha256.New, expand(t, epoch, "confirm", nil))
	mac.Write(confirmed[:])
	key, err := hpke.DHKEM(ecdh.X25519()).DeriveKeyPair(expand(t, epoch, "external", nil))
	must(t, err)

	body := &chain.Body{Commit: slices.Concat(whole[:2], content, opaque(signature), opaque(mac.Sum(nil)))}
	external := wire.Digest(wire.Hash(wire.HashExternal, opaque(key.PublicKey().Bytes())))
	h.Seal(wire.Digest(staged.Next.Public().TreeHash()), wire.Digest(confirmed), external, body.Hash(), n.Self.Device.Sign)
	return blocks([2][]byte{h.Bytes(), body.Bytes()})
}

// initSecret reads the last of the stored secrets of n's epoch.
func initSecret(t *testing.T, n *sim.Node, g wire.GroupID) (secret []byte) {
	t.Helper()
	head := machine(n, g).Head()
	r := wire.NewReader(n.Groups[g].Records[group.KindEpoch][string(head[:])][8:])
	r.U8()
	r.U32()
	for s := r.Sub(1 << 12); s.Len() > 0; {
		secret = s.Vec(64)
	}
	return secret
}

// TestPoisonForSome: Ann, the admin, and Ben cannot follow; Cleo can. Both agree,
// so Eve is removed. Where Ann was off, Ben comes back by Cleo's keys.
func TestPoisonForSome(t *testing.T) {
	for _, away := range []bool{false, true} {
		w, nodes, g := published(t, group.Suites()[1], "Ann", "Ben", "Cleo", "Eve")
		ann, ben, cleo, eve := nodes[0], nodes[1], nodes[2], nodes[3]
		if away {
			ann.Stop()
		}
		w.Deliver(eve, cleo, g, spoilt(t, eve, g, 2))
		if v := machine(cleo, g).View(); v.NoKeys || count[group.CannotFollow](cleo, g) > 0 {
			t.Fatalf("Cleo, who was to follow, cannot: %v", cleo.Groups[g].Events)
		}
		eve.Stop() // else Ben leaves it to her to give him her block
		w.Run(200)
		if v := machine(ben, g).View(); !v.NoKeys || count[group.CannotFollow](ben, g) != 1 {
			t.Fatalf("Ben, who was not to follow, can: %+v", v)
		}
		w.Run(30_000)
		if away {
			goesOn(t, w, g, ben, cleo)
			if got := count[group.Rejoined](cleo, g); got != 1 {
				t.Errorf("Cleo sees %d come back", got)
			}
			ann.Start() // what was written meanwhile is handed over to her: nobody has keys for her there
			w.Run(30_000)
			must(t, ann.Say(g, "back"))
			w.Run(1000)
			must(t, ben.Say(g, "hello"))
			w.Run(5000)
			sees(t, g, []string{"Ben goes on 0", "Cleo goes on 1", "back", "hello"}, ann, ben, cleo)
			continue
		}
		if isMember(cleo, eve, g) {
			t.Error("Eve is still a member")
		}
		goesOn(t, w, g, ann, ben, cleo)
	}
}
