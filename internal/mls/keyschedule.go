package mls

import (
	"bytes"
	"crypto/hmac"

	"kith/internal/wire"
)

// groupContext is GroupContext of RFC 9420 section 8.1:
//
//	size field
//	2    version, 1
//	2    cipher suite
//	V    group_id
//	8    epoch
//	V    tree_hash
//	V    confirmed_transcript_hash
//	V    extensions
type groupContext struct {
	suite      Suite
	groupID    []byte
	epoch      uint64
	treeHash   []byte
	confirmed  []byte
	extensions []Extension
}

func (g *groupContext) write(w *wire.Writer) {
	w.U16(protocolMLS10)
	w.U16(uint16(g.suite))
	w.Vec(g.groupID)
	w.U64(g.epoch)
	w.Vec(g.treeHash)
	w.Vec(g.confirmed)
	writeExtensions(w, g.extensions)
}

func (g *groupContext) bytes() []byte { return encode(g.write) }

// readGroupContext copies: an epoch keeps these fields, and passes some on to
// its children, long after the message they came in.
func readGroupContext(r *wire.Reader) groupContext {
	if r.U16() != protocolMLS10 {
		r.Fail(wire.ErrCanonical)
	}
	return groupContext{
		suite:      Suite(r.U16()),
		groupID:    bytes.Clone(r.Vec(MaxGroupID)),
		epoch:      r.U64(),
		treeHash:   bytes.Clone(r.Vec(maxHash)),
		confirmed:  bytes.Clone(r.Vec(maxHash)),
		extensions: cloneExtensions(readExtensions(r)),
	}
}

// schedule is what the key schedule of section 8 derives for one epoch.
type schedule struct {
	senderData    []byte
	encryption    []byte // nil once it was handed to the message ratchets and stored there
	exporter      []byte
	external      []byte
	confirmation  []byte
	membership    []byte
	resumption    []byte
	authenticator []byte
	init          []byte
}

// joinerSecret combines the last epoch's init secret with the commit secret.
func (c *crypto) joinerSecret(init, commit, context []byte) []byte {
	mixed := c.extract(init, commit)
	defer clear(mixed)
	return c.expandLabel(mixed, "joiner", context, c.nh)
}

// memberSecret is the value below joiner_secret in figure 22, from which the
// welcome secret and the epoch secret come.
func (c *crypto) memberSecret(joiner, psk []byte) []byte { return c.extract(joiner, psk) }

func (c *crypto) welcomeSecret(member []byte) []byte { return c.derive(member, "welcome") }

func (c *crypto) epochSecret(member, context []byte) []byte {
	return c.expandLabel(member, "epoch", context, c.nh)
}

// schedule derives table 4 from an epoch secret.
func (c *crypto) schedule(epochSecret []byte) *schedule {
	return &schedule{
		senderData:    c.derive(epochSecret, "sender data"),
		encryption:    c.derive(epochSecret, "encryption"),
		exporter:      c.derive(epochSecret, "exporter"),
		external:      c.derive(epochSecret, "external"),
		confirmation:  c.derive(epochSecret, "confirm"),
		membership:    c.derive(epochSecret, "membership"),
		resumption:    c.derive(epochSecret, "resumption"),
		authenticator: c.derive(epochSecret, "authentication"),
		init:          c.derive(epochSecret, "init"),
	}
}

// all lists the secrets in the order of their stored form, without encryption.
func (s *schedule) all() []*[]byte {
	return []*[]byte{
		&s.senderData, &s.exporter, &s.external, &s.confirmation,
		&s.membership, &s.resumption, &s.authenticator, &s.init,
	}
}

// confirmationTag is the MAC over a confirmed transcript hash (section 6.1).
func (c *crypto) confirmationTag(confirmationKey, confirmed []byte) []byte {
	return c.mac(confirmationKey, confirmed)
}

// sameMAC compares in constant time.
func sameMAC(a, b []byte) bool { return hmac.Equal(a, b) }

// confirmedHash continues the transcript (section 8.2): input is the wire
// format, the content and the signature of the commit.
func (c *crypto) confirmedHash(interim, input []byte) []byte { return c.hash(interim, input) }

func (c *crypto) interimHash(confirmed, tag []byte) []byte {
	return c.hash(confirmed, wire.Opaque(tag))
}

// export is MLS-Exporter of section 8.5.
func (c *crypto) export(exporter []byte, label string, context []byte, n int) []byte {
	return c.expandLabel(c.derive(exporter, label), "exported", c.hash(context), n)
}
