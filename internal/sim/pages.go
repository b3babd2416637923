package sim

import (
	"slices"

	"kith/internal/chain"
	"kith/internal/group"
	"kith/internal/wire"
)

// Whom a device asks for pages. A question says which blocks its asker has, which a
// former member and a stranger may not learn; yet one that opens pages may be a member
// by what they hold. So it is asked, and told of its own blocks alone.

// The parts of a pages frame.
const (
	pagesOpening = 0
	pagesAsk     = 1
	pagesPage    = 2
)

// asksOpener checks a question for who is no member at the head.
func (c *checker) asksOpener(n *Node, f group.Frame) {
	offer, ok := Offered(f.Payload)
	given := n.given(f.To)
	if !ok || slices.ContainsFunc(slices.Concat(offer.Tips, offer.Locator), func(h wire.BlockHash) bool { return !given[h] }) {
		fail("%s asks %s, who is no member, for pages, and names blocks that did not come from there", n.Name, c.w.device(f.To))
	}
}

// Offered returns the blocks that a question for pages says its sender has.
func Offered(ask []byte) (chain.Offer, bool) {
	r := wire.NewReader(ask[2+32:])
	offer, err := chain.ParseOffer(r.Vec(wire.MaxVector))
	return offer, err == nil
}

// given returns the blocks that a device has sent n in pages.
func (n *Node) given(from wire.DeviceID) map[wire.BlockHash]bool {
	blocks := make(map[wire.BlockHash]bool)
	note := func(header []byte) {
		if h, err := chain.ParseHeader(header); err == nil {
			blocks[h.Hash()] = true
		}
	}
	for _, p := range n.paged {
		if p.From.Device != from {
			continue
		}
		r := wire.NewReader(p.Payload[1:])
		skip := func(n int) {
			for range n {
				r.U8()
			}
		}
		switch r.U8() {
		case pagesAsk:
			continue
		case pagesOpening:
			skip(32)
			r.Vec(wire.MaxVector)
			for range 2 { // reaches and infos
				r.Vec(wire.MaxVector)
			}
			r.Vec(wire.MaxVector)
		}
		skip(32)
		r.Each(wire.MaxVector, 1<<20, func(r *wire.Reader) { note(r.Vec(wire.MaxVector)); r.Vec(wire.MaxVector) })
		skip(8)
		r.Vec(wire.MaxVector)
		r.Each(wire.MaxVector, 1<<20, func(r *wire.Reader) {
			note(r.Vec(wire.MaxVector))
			r.Vec(wire.MaxVector)
			r.Vec(wire.MaxVector)
		})
	}
	return blocks
}
