package chain

import (
	"bytes"
	"fmt"
	"slices"

	"kith/internal/wire"
)

// An Offer says in at most MaxOffer hashes which blocks somebody has: whoever
// has a block has its ancestors too.
type Offer struct {
	Tips    []wire.BlockHash // blocks without a child, ascending
	Locator []wire.BlockHash // the head's ancestors, ever thinner: 1, 2, 4 ... below it, and genesis
}

// offset size field
// 0      var  tips[32]<V>, ascending
// +0     var  locator[32]<V>
func (o Offer) Marshal() []byte {
	var w wire.Writer
	for _, list := range [][]wire.BlockHash{o.Tips, o.Locator} {
		w.Group(func(w *wire.Writer) {
			for _, hash := range list {
				w.Raw(hash[:])
			}
		})
	}
	return w.Bytes()
}

// ParseOffer decodes a whole offer.
func ParseOffer(b []byte) (Offer, error) {
	r := wire.NewReader(b)
	read := func() (list []wire.BlockHash) {
		r.Each(32*MaxOffer, MaxOffer, func(r *wire.Reader) {
			var hash wire.BlockHash
			r.Fixed(hash[:])
			list = append(list, hash)
		})
		return list
	}
	o := Offer{Tips: read(), Locator: read()}
	for i := range o.Tips {
		if i > 0 && bytes.Compare(o.Tips[i-1][:], o.Tips[i][:]) >= 0 {
			r.Fail(wire.ErrCanonical)
		}
	}
	if len(o.Tips)+len(o.Locator) > MaxOffer {
		r.Fail(wire.ErrTooLong)
	}
	if err := r.Done(); err != nil {
		return Offer{}, fmt.Errorf("chain: offer: %w", err)
	}
	return o, nil
}

// Offer returns what a peer needs to know to find out what is lacking here. Of
// very many tips it names some; the rest is sent once more than needed.
func (b *Blocks) Offer() Offer {
	if b.genesis == nil {
		return Offer{}
	}
	var o Offer
	o.Tips = b.Tips()
	o.Tips = o.Tips[:min(len(o.Tips), maxOfferTips)]
	head := b.by[b.Head()]
	o.Locator = append(o.Locator, head.Hash)
	for back := uint64(1); back < head.State.height; back *= 2 {
		o.Locator = append(o.Locator, head.at(head.State.height-back).Hash)
		if len(o.Locator)+len(o.Tips)+2 > MaxOffer || back > 1<<62 {
			break
		}
	}
	if head != b.genesis {
		o.Locator = append(o.Locator, b.genesis.Hash)
	}
	return o
}

// Missing returns which of our blocks whoever made o lacks, as far as o tells,
// parents before children. The caller sends as many as it sees fit, in order.
func (b *Blocks) Missing(o Offer) []wire.BlockHash {
	theirs := make(map[*node]bool)
	for _, hash := range slices.Concat(o.Tips, o.Locator) {
		for n := b.by[hash]; n != nil && !theirs[n]; n = n.parent {
			theirs[n] = true
		}
	}
	var lack []*node
	for _, n := range b.by {
		if !theirs[n] {
			lack = append(lack, n)
		}
	}
	return inOrder(lack)
}

// Unknown returns which hashes of o name blocks that are not held here; none
// of them means that o's maker has nothing for us.
func (b *Blocks) Unknown(o Offer) []wire.BlockHash {
	var list []wire.BlockHash
	for _, hash := range slices.Concat(o.Tips, o.Locator) {
		if !b.Has(hash) && !slices.Contains(list, hash) {
			list = append(list, hash)
		}
	}
	return list
}
