package dag

import "kith/internal/wire"

// A Floor is where a newcomer starts: its inviter's checked frontier, and the
// whole headers of the heads, which become the parents of its first entry.
// Their lamport and order are trusted because their authors signed them; the
// caller checks those signatures.
type Floor struct {
	Frontier []Ref    // sorted by device, one per device
	Heads    [][]byte // at most MaxFloorHeads; where there are more, those of highest lamport
}

// Floor
//
//	size field
//	1    version, 1
//	V    frontier, at most 10,000; each device 32, seq 8, hash 16; devices ascending
//	V    heads, at most 8, ascending by ref; each V header

// Marshal encodes the floor.
func (f Floor) Marshal() []byte {
	var w wire.Writer
	w.U8(Version)
	writeTips(&w, f.Frontier)
	w.Group(func(w *wire.Writer) {
		for _, h := range f.Heads {
			w.Vec(h)
		}
	})
	return w.Bytes()
}

// Hash returns H("floor", encoding), which stands in the GroupInfo.
func (f Floor) Hash() wire.Digest {
	return wire.Digest(wire.Hash(wire.HashFloor, f.Marshal()))
}

// ParseFloor decodes a floor and checks that its heads are headers that its
// frontier covers. Heads alias b.
func ParseFloor(b []byte) (Floor, error) {
	r := wire.NewReader(b)
	if r.U8() != Version {
		return Floor{}, reject(ReasonVersion)
	}
	f := Floor{Frontier: readTips(r)}
	r.Each(MaxFloorHeads*(MaxHeader+2), MaxFloorHeads, func(r *wire.Reader) {
		f.Heads = append(f.Heads, r.Vec(MaxHeader))
	})
	if err := r.Done(); err != nil {
		return Floor{}, malformed(err)
	}
	if _, err := f.heads(); err != nil {
		return Floor{}, err
	}
	return f, nil
}

// heads decodes the heads and checks the rules of a floor.
func (f Floor) heads() ([]*Header, error) {
	if (len(f.Frontier) == 0) != (len(f.Heads) == 0) || len(f.Heads) > MaxFloorHeads || len(f.Frontier) > MaxDevices {
		return nil, reject(ReasonFloor)
	}
	for i, t := range f.Frontier {
		if t.Seq == 0 || t.Seq >= MaxLamport || i > 0 && compareDevice(f.Frontier[i-1].Device, t.Device) >= 0 {
			return nil, reject(ReasonFloor)
		}
	}
	tips := frontierOf(f.Frontier)
	var heads []*Header
	var last Ref
	for _, b := range f.Heads {
		h, err := ParseHeader(b)
		if err != nil {
			return nil, err
		}
		ref := h.Ref()
		// A head that the frontier does not name is a fork of that device.
		if t, ok := tips[h.Device]; !ok || h.Seq > t.Seq || last.Compare(ref) >= 0 {
			return nil, reject(ReasonFloor)
		}
		last = ref
		heads = append(heads, h)
	}
	return heads, nil
}
