package dag

import (
	"bytes"
	"cmp"

	"kith/internal/wire"
)

// refSize is the length of an encoded Ref, in bytes.
const refSize = 32 + 8 + 16

// A Ref names an entry. Two entries of one device with one seq differ in Hash.
// A seq is never above the lamport of its entry, hence below MaxLamport.
type Ref struct {
	Device wire.DeviceID
	Seq    uint64
	Hash   wire.Short
}

// Compare orders refs by device, seq, hash.
func (r Ref) Compare(o Ref) int {
	return cmp.Or(
		bytes.Compare(r.Device[:], o.Device[:]),
		cmp.Compare(r.Seq, o.Seq),
		bytes.Compare(r.Hash[:], o.Hash[:]),
	)
}

func (r Ref) write(w *wire.Writer) {
	w.Raw(r.Device[:])
	w.U64(r.Seq)
	w.Raw(r.Hash[:])
}

func readRef(r *wire.Reader) (ref Ref) {
	r.Fixed(ref.Device[:])
	ref.Seq = r.U64()
	r.Fixed(ref.Hash[:])
	if ref.Seq == 0 || ref.Seq >= MaxLamport {
		r.Fail(wire.ErrCanonical)
	}
	return ref
}

// A Place is where an entry stands on the screen. A device that signed two
// entries with one order and seq has two places.
type Place struct {
	Order  uint64 // ms, see Header.Order
	Device wire.DeviceID
	Seq    uint64
	Hash   wire.Short // of the entry; an Ack's does not say it
}

// Ref names the entry that stands at a place.
func (p Place) Ref() Ref { return Ref{Device: p.Device, Seq: p.Seq, Hash: p.Hash} }

// Less is the display order: total, the same on every device, and never against
// causality.
func Less(a, b Place) bool {
	return cmp.Or(
		cmp.Compare(a.Order, b.Order),
		bytes.Compare(a.Device[:], b.Device[:]),
		cmp.Compare(a.Seq, b.Seq),
		bytes.Compare(a.Hash[:], b.Hash[:]),
	) < 0
}
