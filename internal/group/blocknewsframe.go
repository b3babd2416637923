package group

import (
	"bytes"

	"kith/internal/chain"
	"kith/internal/wire"
)

// Frames of FeatureBlockNews, by which a block is given to who lacks it, once.
//
//	number name        body
//	35     block news  (block[32], giver[32], welcome[32])<V>, blocks strictly ascending, at most 64
//	36     ask blocks  opaque offer<V>, blocks[32] whose Welcome is wanted<V>, strictly ascending, at most 64

// blockNews says of a block that its sender has it.
type blockNews struct {
	block   wire.BlockHash
	giver   wire.DeviceID // who is giving it just now to all it is connected to; zero: nobody
	welcome wire.Digest   // of the Welcome beside it, if the sender signed the block; else zero
}

type askBlocksFrame struct {
	offer    chain.Offer
	welcomes []wire.BlockHash // held, but for the Welcome that their author has
}

func encodeBlockNews(list []blockNews) []byte {
	var w wire.Writer
	w.U8(frameBlockNews)
	w.Group(func(w *wire.Writer) {
		for _, n := range list {
			w.Raw(n.block[:])
			w.Raw(n.giver[:])
			w.Raw(n.welcome[:])
		}
	})
	return w.Bytes()
}

func parseBlockNews(r *wire.Reader) (list []blockNews, err error) {
	r.Each(maxBlockNews*96, maxBlockNews, func(r *wire.Reader) {
		var n blockNews
		r.Fixed(n.block[:])
		r.Fixed(n.giver[:])
		r.Fixed(n.welcome[:])
		if last := len(list) - 1; last >= 0 && bytes.Compare(list[last].block[:], n.block[:]) >= 0 {
			r.Fail(wire.ErrCanonical)
		}
		list = append(list, n)
	})
	return list, r.Done()
}

func (f askBlocksFrame) bytes() []byte {
	var w wire.Writer
	w.U8(frameAskBlocks)
	w.Vec(f.offer.Marshal())
	w.Group(func(w *wire.Writer) {
		for _, h := range f.welcomes {
			w.Raw(h[:])
		}
	})
	return w.Bytes()
}

func parseAskBlocks(r *wire.Reader) (f askBlocksFrame, err error) {
	offer := r.Vec(maxHave)
	r.Each(maxBlockNews*32, maxBlockNews, func(r *wire.Reader) {
		var h wire.BlockHash
		r.Fixed(h[:])
		if last := len(f.welcomes) - 1; last >= 0 && bytes.Compare(f.welcomes[last][:], h[:]) >= 0 {
			r.Fail(wire.ErrCanonical)
		}
		f.welcomes = append(f.welcomes, h)
	})
	if err = r.Done(); err != nil {
		return f, err
	}
	f.offer, err = chain.ParseOffer(offer)
	return f, err
}
