package peer

import (
	"bytes"

	"kith/internal/wire"
)

// Frames of a tree. Each begins with its number; zero stays reserved, numbers are
// only ever appended.
//
//	offset size field
//	0      1    kind
//
//	neighbour
//	1      1    word: 1 ask, 2 ask urgently, 3 yes, 4 leave
//
//	shuffle
//	1      1    0 asks for an answer, 1 is one
//	2      V    devices[32], at most 8, strictly ascending
//
//	gossip
//	1      32   payload's id
//	33     var  the payload, not empty
//
//	have
//	1      1    0 by and by; 1 in place of the payload, to one that it would be pushed to
//	2      V    ids[32], 1 to 64, strictly ascending
//
//	graft
//	1      1    0 these payloads alone; 1 and what comes from now on
//	2      V    ids[32], 1 to 64, strictly ascending
//
//	prune
const (
	treeNeighbour uint8 = 1
	treeShuffle   uint8 = 2
	treeGossip    uint8 = 3
	treeHave      uint8 = 4
	treeGraft     uint8 = 5
	treePrune     uint8 = 6
)

// Words of a neighbour frame.
const (
	wordAsk    uint8 = 1
	wordUrgent uint8 = 2
	wordYes    uint8 = 3
	wordLeave  uint8 = 4
)

type (
	neighbourFrame struct{ word uint8 }
	shuffleFrame   struct {
		answer  bool
		devices []wire.DeviceID
	}
	gossipFrame struct {
		id      PayloadID
		payload []byte
	}
	haveFrame struct {
		late bool
		ids  []PayloadID
	}
	graftFrame struct {
		eager bool
		ids   []PayloadID
	}
	pruneFrame struct{}
)

// treeFrame is one of the above.
type treeFrame interface{ bytes() []byte }

func (f neighbourFrame) bytes() []byte { return []byte{treeNeighbour, f.word} }

func (f shuffleFrame) bytes() []byte {
	var w wire.Writer
	w.U8(treeShuffle)
	w.Bool(f.answer)
	write32(&w, f.devices)
	return w.Bytes()
}

func (f gossipFrame) bytes() []byte {
	var w wire.Writer
	w.U8(treeGossip)
	w.Raw(f.id[:])
	w.Raw(f.payload)
	return w.Bytes()
}

func (f haveFrame) bytes() []byte {
	var w wire.Writer
	w.U8(treeHave)
	w.Bool(f.late)
	write32(&w, f.ids)
	return w.Bytes()
}

func (f graftFrame) bytes() []byte {
	var w wire.Writer
	w.U8(treeGraft)
	w.Bool(f.eager)
	write32(&w, f.ids)
	return w.Bytes()
}

func (pruneFrame) bytes() []byte { return []byte{treePrune} }

func write32[T ~[32]byte](w *wire.Writer, list []T) {
	w.Group(func(w *wire.Writer) {
		for _, v := range list {
			b := [32]byte(v)
			w.Raw(b[:])
		}
	})
}

// read32 refuses what does not strictly ascend.
func read32[T ~[32]byte](r *wire.Reader, most int) (list []T) {
	r.Each(most*32, most, func(r *wire.Reader) {
		var b [32]byte
		r.Fixed(b[:])
		if n := len(list); n > 0 {
			if last := [32]byte(list[n-1]); bytes.Compare(last[:], b[:]) >= 0 {
				r.Fail(wire.ErrCanonical)
			}
		}
		list = append(list, T(b))
	})
	return list
}

// parseTreeFrame decodes a frame of a tree. A gossip's payload aliases b.
func parseTreeFrame(b []byte) (treeFrame, error) {
	r := wire.NewReader(b)
	var f treeFrame
	switch r.U8() {
	case treeNeighbour:
		f = parseNeighbour(r)
	case treeShuffle:
		f = shuffleFrame{r.Bool(), read32[wire.DeviceID](r, maxShuffle)}
	case treeGossip:
		f = parseGossip(r)
	case treeHave:
		f = haveFrame{r.Bool(), readIDs(r)}
	case treeGraft:
		f = graftFrame{r.Bool(), readIDs(r)}
	case treePrune:
		f = pruneFrame{}
	default:
		r.Fail(wire.ErrCanonical)
	}
	if err := r.Done(); err != nil {
		return nil, err
	}
	return f, nil
}

func readIDs(r *wire.Reader) []PayloadID {
	ids := read32[PayloadID](r, maxIDs)
	if len(ids) == 0 {
		r.Fail(wire.ErrCanonical)
	}
	return ids
}

func parseNeighbour(r *wire.Reader) neighbourFrame {
	f := neighbourFrame{r.U8()}
	if f.word < wordAsk || f.word > wordLeave {
		r.Fail(wire.ErrCanonical)
	}
	return f
}

func parseGossip(r *wire.Reader) (f gossipFrame) {
	r.Fixed(f.id[:])
	if f.payload = r.Raw(r.Len()); len(f.payload) == 0 {
		r.Fail(wire.ErrCanonical)
	}
	return f
}
