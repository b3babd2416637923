package chain

import (
	"fmt"
	"slices"

	"kith/internal/wire"
)

// Epoch0 is what everybody rebuilds the first MLS epoch from: the author's leaf
// node, which takes leaf 0, and the epoch's confirmation tag.
type Epoch0 struct {
	LeafNode        []byte
	ConfirmationTag []byte
}

// A Body is the unsigned part of a block; the header names its hash.
type Body struct {
	Epoch0      *Epoch0  // where an MLS group starts: in genesis and beside a Restart
	Commit      []byte   // MLS AuthenticatedContent, opaque here
	Attachments [][]byte // what the ops cite, in order
}

// offset size field
// 0      var  epoch0<V>, empty or: opaque leaf_node<V>, opaque confirmation_tag<V>
// +0     var  opaque commit<V>
// +0     var  attachments<V>, each an opaque<V>
func (b *Body) encode(w *wire.Writer) {
	w.Group(func(w *wire.Writer) {
		if b.Epoch0 != nil {
			w.Vec(b.Epoch0.LeafNode)
			w.Vec(b.Epoch0.ConfirmationTag)
		}
	})
	w.Vec(b.Commit)
	w.Group(func(w *wire.Writer) {
		for _, a := range b.Attachments {
			w.Vec(a)
		}
	})
}

// ParseBody decodes a whole body and keeps nothing of b.
func ParseBody(b []byte) (*Body, error) {
	if len(b) > MaxBody {
		return nil, fmt.Errorf("chain: body: %w", wire.ErrTooLong)
	}
	r := wire.NewReader(slices.Clone(b))
	body := new(Body)
	s := r.Sub(MaxBody)
	if s.Len() > 0 {
		body.Epoch0 = &Epoch0{LeafNode: s.Vec(MaxBody), ConfirmationTag: s.Vec(tagSize)}
	}
	if err := s.Done(); err != nil {
		r.Fail(err)
	}
	body.Commit = r.Vec(MaxBody)
	r.Each(MaxBody, MaxAttachments, func(r *wire.Reader) {
		body.Attachments = append(body.Attachments, r.Vec(MaxBody))
	})
	if err := r.Done(); err != nil {
		return nil, fmt.Errorf("chain: body: %w", err)
	}
	return body, nil
}

// Bytes returns the encoding of the body.
func (b *Body) Bytes() []byte {
	var w wire.Writer
	b.encode(&w)
	return w.Bytes()
}

// Hash returns the hash that the header names.
func (b *Body) Hash() wire.Digest { return wire.Digest(wire.Hash(wire.HashBody, b.Bytes())) }

// Cite returns the hash by which an op names attachment.
func Cite(attachment []byte) wire.Digest {
	return wire.Digest(wire.Hash(wire.HashAttach, wire.Opaque(attachment)))
}

// KnockHash returns the hash by which a device entry names its knock key.
func KnockHash(key []byte) wire.Digest {
	return wire.Digest(wire.Hash(wire.HashKnockKey, wire.Opaque(key)))
}
