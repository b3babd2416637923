package dag

import "kith/internal/wire"

// Entry header
//
//	size field
//	1    version, 1
//	2    suite, of the MLS group
//	1    sigalg, 1 (Ed25519)
//	32   group id
//	32   device id
//	8    seq, from 1, at most lamport
//	32   prev, whole entry hash; zero if and only if seq is 1
//	V    parents, at most 8, strictly ascending; each
//	       32 device id, not the author's
//	       8  seq, from 1, below lamport
//	       16 entry hash, cut
//	32   block hash
//	8    lamport, 1 to 2^52 - 1
//	8    order, ms
//	8    time, ms
//	16   content id
//	32   content commit
//	-- what AAD covers ends here
//	32   ciphertext hash
//	4    length of the ciphertext, at most 80 KiB
//	-- what the signature covers ends here
//	64   signature
const minHeader = 1 + 2 + 1 + 32 + 32 + 8 + 32 + 1 + 32 + 8 + 8 + 8 + 16 + 32 + 32 + 4 + 64

// ParseHeader decodes a header; it refuses every encoding but the one that
// [Header.Bytes] makes. The error is a *RejectError.
func ParseHeader(b []byte) (*Header, error) {
	if len(b) > 0 && b[0] > Version {
		return nil, reject(ReasonVersion)
	}
	r := wire.NewReader(b)
	h := new(Header)
	h.Version = r.U8()
	h.Suite = r.U16()
	h.SigAlg = r.U8()
	r.Fixed(h.Group[:])
	r.Fixed(h.Device[:])
	h.Seq = r.U64()
	r.Fixed(h.Prev[:])
	r.Each(MaxParents*refSize, MaxParents, func(r *wire.Reader) {
		h.Parents = append(h.Parents, readRef(r))
	})
	r.Fixed(h.Block[:])
	h.Lamport = r.U64()
	h.Order = r.U64()
	h.Time = r.U64()
	r.Fixed(h.ContentID[:])
	r.Fixed(h.ContentCommit[:])
	r.Fixed(h.CiphertextHash[:])
	h.Length = r.U32()
	r.Fixed(h.Signature[:])
	if err := r.Done(); err != nil {
		return nil, malformed(err)
	}
	if err := h.form(); err != nil {
		return nil, err
	}
	h.parsed = wire.EntryHash(wire.Hash(wire.HashEntry, b))
	return h, nil
}

// Bytes returns the encoding, the form in which a header is stored and sent.
func (h *Header) Bytes() []byte {
	var w wire.Writer
	h.writeOpen(&w)
	h.writeSealed(&w)
	w.Raw(h.Signature[:])
	return w.Bytes()
}

// writeOpen writes what is known before the ciphertext is made.
func (h *Header) writeOpen(w *wire.Writer) {
	w.U8(h.Version)
	w.U16(h.Suite)
	w.U8(h.SigAlg)
	w.Raw(h.Group[:])
	w.Raw(h.Device[:])
	w.U64(h.Seq)
	w.Raw(h.Prev[:])
	w.Group(func(w *wire.Writer) {
		for _, p := range h.Parents {
			p.write(w)
		}
	})
	w.Raw(h.Block[:])
	w.U64(h.Lamport)
	w.U64(h.Order)
	w.U64(h.Time)
	w.Raw(h.ContentID[:])
	w.Raw(h.ContentCommit[:])
}

func (h *Header) writeSealed(w *wire.Writer) {
	w.Raw(h.CiphertextHash[:])
	w.U32(h.Length)
}
