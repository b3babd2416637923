package dag

import (
	"bytes"
	"maps"
	"slices"

	"kith/internal/wire"
)

// A Tip is the highest checked entry of a device. Where a device signed two
// entries with that seq, it is the one with the smaller hash.
type Tip struct {
	Seq  uint64
	Hash wire.Short
}

// A Frontier says per device how far its log is checked.
type Frontier map[wire.DeviceID]Tip

// Covers reports whether r lies in the frontier, as far as it can tell: below a
// tip it goes by the number alone.
func (f Frontier) Covers(r Ref) bool {
	t, ok := f[r.Device]
	return ok && (r.Seq < t.Seq || r.Seq == t.Seq && r.Hash == t.Hash)
}

// Refs returns the tips sorted by device.
func (f Frontier) Refs() []Ref {
	refs := make([]Ref, 0, len(f))
	for _, d := range slices.SortedFunc(maps.Keys(f), compareDevice) {
		refs = append(refs, Ref{d, f[d].Seq, f[d].Hash})
	}
	return refs
}

// Marshal encodes the frontier: one vector of refs (device 32, seq 8, hash 16),
// devices strictly ascending.
func (f Frontier) Marshal() []byte { return marshalTips(f.Refs()) }

// Digest returns H("frontier", encoding).
func (f Frontier) Digest() wire.Digest {
	return wire.Digest(wire.Hash(wire.HashFrontier, f.Marshal()))
}

// ParseFrontier decodes what Marshal made.
func ParseFrontier(b []byte) (Frontier, error) {
	r := wire.NewReader(b)
	refs := readTips(r)
	if err := r.Done(); err != nil {
		return nil, malformed(err)
	}
	return frontierOf(refs), nil
}

func frontierOf(refs []Ref) Frontier {
	f := make(Frontier, len(refs))
	for _, t := range refs {
		f[t.Device] = Tip{t.Seq, t.Hash}
	}
	return f
}

func marshalTips(refs []Ref) []byte {
	var w wire.Writer
	writeTips(&w, refs)
	return w.Bytes()
}

func writeTips(w *wire.Writer, refs []Ref) {
	w.Group(func(w *wire.Writer) {
		for _, t := range refs {
			t.write(w)
		}
	})
}

// readTips reads refs of strictly ascending devices.
func readTips(r *wire.Reader) (refs []Ref) {
	r.Each(MaxDevices*refSize, MaxDevices, func(r *wire.Reader) {
		t := readRef(r)
		if n := len(refs); n > 0 && compareDevice(refs[n-1].Device, t.Device) >= 0 {
			r.Fail(wire.ErrCanonical)
		}
		refs = append(refs, t)
	})
	return refs
}

func compareDevice(a, b wire.DeviceID) int { return bytes.Compare(a[:], b[:]) }
