package chain

import (
	"crypto/ed25519"
	"fmt"

	"kith/internal/wire"
)

// HeaderVersion is the version of every header today.
const HeaderVersion uint8 = 1

// Suites a group may use: 1 and 3 of RFC 9420 and the X-Wing suite, which has a
// private number until one is assigned.
const (
	SuiteAES    uint16 = 1
	SuiteChaCha uint16 = 3
	SuiteXWing  uint16 = 0xF001
)

// A Header is the signed part of a block.
type Header struct {
	Version   uint8
	Suite     uint16
	SigAlg    uint8
	Group     wire.GroupID // zero in genesis; see [Header.GroupID]
	Height    uint64
	Parent    wire.BlockHash
	Author    wire.Member
	AuthorSeq uint64 // counts the blocks this device signed in this group, from 1
	Class     Class
	Ops       []Op
	StateRoot wire.Digest
	CreatedAt uint64 // ms; for people, decides nothing

	// Not in the core: the commit names the core hash, and these follow the commit.
	TreeHash    wire.Digest
	Transcript  wire.Digest // confirmed transcript hash
	ExternalPub wire.Digest // H("external", external_pub)
	BodyHash    wire.Digest
	Signature   [wire.SignatureSize]byte
}

// offset size field
// 0      1    version, 0x01
// 1      2    suite
// 3      1    sigalg, 0x01
// 4      32   group_id, block hash of genesis; zero in genesis
// 36     8    height, blocks from genesis
// 44     32   parent, block hash
// 76     32   author person
// 108    32   author device
// 140    8    author_seq
// 148    1    class
// 149    var  ops<V>
// +0     32   state_root
// +32    8    created_at, ms            the core ends here
// +40    32   mls_tree_hash
// +72    32   mls_confirmed_transcript_hash
// +104   32   mls_external_pub_hash
// +136   32   body_hash                 what is signed ends here
// +168   64   signature, label "block"
func (h *Header) encodeCore(w *wire.Writer) {
	w.U8(h.Version)
	w.U16(h.Suite)
	w.U8(h.SigAlg)
	w.Raw(h.Group[:])
	w.U64(h.Height)
	w.Raw(h.Parent[:])
	w.Raw(h.Author.Person[:])
	w.Raw(h.Author.Device[:])
	w.U64(h.AuthorSeq)
	w.U8(uint8(h.Class))
	w.Group(func(w *wire.Writer) {
		for _, op := range h.Ops {
			encodeOp(w, op)
		}
	})
	w.Raw(h.StateRoot[:])
	w.U64(h.CreatedAt)
}

// signed returns the bytes under the signature.
func (h *Header) signed() []byte {
	var w wire.Writer
	h.encodeCore(&w)
	w.Raw(h.TreeHash[:])
	w.Raw(h.Transcript[:])
	w.Raw(h.ExternalPub[:])
	w.Raw(h.BodyHash[:])
	return w.Bytes()
}

// ParseHeader decodes a whole header and keeps nothing of b. It checks the form
// alone; [Blocks.Check] checks the rules.
func ParseHeader(b []byte) (*Header, error) {
	if len(b) > MaxHeader {
		return nil, fmt.Errorf("chain: header: %w", wire.ErrTooLong)
	}
	r := wire.NewReader(b)
	h := new(Header)
	h.Version = r.U8()
	if r.Err() == nil && h.Version != HeaderVersion {
		return nil, ErrNewer
	}
	h.decode(r)
	if err := r.Done(); err != nil {
		return nil, fmt.Errorf("chain: header: %w", err)
	}
	return h, nil
}

// decode reads what follows the version.
func (h *Header) decode(r *wire.Reader) {
	h.Suite = r.U16()
	h.SigAlg = r.U8()
	if r.Err() == nil && h.SigAlg != wire.SigEd25519 {
		r.Fail(ErrNewer)
	}
	r.Fixed(h.Group[:])
	h.Height = r.U64()
	r.Fixed(h.Parent[:])
	r.Fixed(h.Author.Person[:])
	r.Fixed(h.Author.Device[:])
	h.AuthorSeq = r.U64()
	h.Class = Class(r.U8())
	if h.Class > ClassRemoval {
		r.Fail(wire.ErrCanonical)
	}
	r.Each(MaxHeader, MaxOps, func(r *wire.Reader) { h.Ops = append(h.Ops, decodeOp(r)) })
	r.Fixed(h.StateRoot[:])
	h.CreatedAt = r.U64()
	r.Fixed(h.TreeHash[:])
	r.Fixed(h.Transcript[:])
	r.Fixed(h.ExternalPub[:])
	r.Fixed(h.BodyHash[:])
	r.Fixed(h.Signature[:])
}

// Bytes returns the encoding of the header.
func (h *Header) Bytes() []byte { return append(h.signed(), h.Signature[:]...) }

// Hash returns the hash of the block.
func (h *Header) Hash() wire.BlockHash {
	return wire.BlockHash(wire.Hash(wire.HashBlock, h.Bytes()))
}

// Core returns the hash of what stands before the MLS commit is made; the
// commit's authenticated_data is exactly it.
func (h *Header) Core() wire.CoreHash {
	var w wire.Writer
	h.encodeCore(&w)
	return wire.CoreHash(wire.Hash(wire.HashCore, w.Bytes()))
}

// IsGenesis reports whether the header claims to start a chain.
func (h *Header) IsGenesis() bool { return h.Group == wire.GroupID{} }

// GroupID returns the id of the chain: the block's own hash in genesis.
func (h *Header) GroupID() wire.GroupID {
	if h.IsGenesis() {
		return wire.GroupID(h.Hash())
	}
	return h.Group
}

// Seal fills in what follows the core and signs the whole.
func (h *Header) Seal(tree, transcript, externalPub, body wire.Digest, sign func(wire.Label, []byte) []byte) {
	h.TreeHash, h.Transcript, h.ExternalPub, h.BodyHash = tree, transcript, externalPub, body
	h.Signature = [wire.SignatureSize]byte{}
	copy(h.Signature[:], sign(wire.SignBlock, h.signed()))
}

// VerifySignature reports whether key signed the header.
func (h *Header) VerifySignature(key ed25519.PublicKey) bool {
	return wire.Verify(key, wire.SignBlock, h.signed(), h.Signature[:])
}
