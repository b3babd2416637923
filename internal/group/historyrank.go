package group

import (
	"bytes"
	"cmp"
	"slices"

	"kith/internal/chain"
	"kith/internal/wire"
)

// Which history of a person stays with a member that is told of several must not
// depend on which it was told of first, nor may any number of them move it in a
// circle: each change is a write and goes to all others. The contest of two
// (prevails) is no order of three, since each of three devices can revoke the next
// one. So papers go by a rank that each history has by itself:
//
//	newest header of the recovery key  supersedes
//	how many headers                   personPapers.exceeds
//	at the fork of two as long         standsAbove
//
// The last is asked for two children of one block at a time, of which one comes
// first. Such orders along a tree are an order of its paths.

// standsAbove reports whether of two histories of one person, as long and of one word of
// the recovery key, the first stays: the one that revokes a device above their fork
// if the other does not, then the one that an earlier device of the person goes on
// with there, then the one of the lower hash. Nothing of it is taken for signed.
func standsAbove(a, b []*chain.Header) bool {
	fork := 0
	for fork < min(len(a), len(b)) && a[fork].Hash() == b[fork].Hash() {
		fork++
	}
	if fork == len(a) || fork == len(b) {
		return len(a) > len(b)
	}
	if x, y := revokesAny(a[fork:]), revokesAny(b[fork:]); x != y {
		return x
	}
	x, y := a[fork].Hash(), b[fork].Hash()
	return cmp.Or(
		cmp.Compare(cameAs(a[:fork], a[fork].Author.Device), cameAs(a[:fork], b[fork].Author.Device)),
		bytes.Compare(x[:], y[:]),
	) < 0
}

// revokesAny reports whether some headers hold a revocation. A device that left by its
// own wish is not revoked against anybody.
func revokesAny(headers []*chain.Header) bool {
	return slices.ContainsFunc(headers, func(h *chain.Header) bool {
		return slices.ContainsFunc(h.Ops, func(op chain.Op) bool { return op.Kind() == chain.KindRemoveDevice })
	})
}

// cameAs returns how many devices came to a person before d: 0 for the one that began
// its chain, and more than any for one that none of the headers shows.
func cameAs(headers []*chain.Header, d wire.DeviceID) (before int) {
	if len(headers) > 0 && headers[0].Author.Device == d {
		return 0
	}
	for _, h := range headers {
		for _, op := range h.Ops {
			add, ok := op.(*chain.AddDevice)
			if !ok {
				continue
			}
			if before++; add.Device.ID() == d {
				return before
			}
		}
	}
	return before + 1
}
