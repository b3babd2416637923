package group

import (
	"bytes"
	"slices"

	"kith/internal/chain"
	"kith/internal/dag"
	"kith/internal/wire"
)

// A Mark says what was exported before. It is kept by whoever exports, and is nobody else's.
//
//	size field
//	1    1
//	V    offer whose tips are those of the blocks; no locator
//	V    frontier
//	V    Acks: (device[32], u64 seq)..., devices strictly ascending
//	V    Reaches: likewise
//	32   digest of the votes, faults, names and people
//	32   digest of the Leaves
type Mark []byte

const markVersion uint8 = 1

type mark struct {
	tips          []wire.BlockHash
	frontier      dag.Frontier
	acks, reaches []seqOf
	rest, leaves  wire.Digest
}

func (k mark) bytes() Mark {
	tips := slices.Clone(k.tips)
	slices.SortFunc(tips, compareHashes)
	var w wire.Writer
	w.U8(markVersion)
	w.Vec(chain.Offer{Tips: tips[:min(len(tips), chain.MaxOffer)]}.Marshal())
	w.Vec(k.frontier.Marshal())
	writeSeqs(&w, k.acks)
	writeSeqs(&w, k.reaches)
	w.Raw(k.rest[:])
	w.Raw(k.leaves[:])
	return w.Bytes()
}

func parseMark(b Mark) (k mark, err error) {
	r := wire.NewReader(b)
	if r.U8() != markVersion {
		r.Fail(wire.ErrCanonical)
	}
	offer, frontier := r.Vec(maxHave), r.Vec(maxHave)
	k.acks, k.reaches = readSeqs(r), readSeqs(r)
	r.Fixed(k.rest[:])
	r.Fixed(k.leaves[:])
	if err = r.Done(); err != nil {
		return k, err
	}
	o, err := chain.ParseOffer(offer)
	if err != nil {
		return k, err
	}
	if len(o.Locator) > 0 {
		return k, wire.ErrCanonical
	}
	k.tips = o.Tips
	k.frontier, err = dag.ParseFrontier(frontier)
	return k, err
}

func compareHashes(a, b wire.BlockHash) int { return bytes.Compare(a[:], b[:]) }
