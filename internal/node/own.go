package node

import (
	"slices"

	"kith/internal/chain"
	"kith/internal/identity"
	"kith/internal/wire"
)

// What friends tell each other beside their groups, on channel zero
// (docs/spec/friend.md). Numbers are on the wire: append only.
//
//	size field
//	1    1, hello
//	V    link peer id, at most 64 bytes
//	V    hosts, each V
//	1    bit 7: the sender reads post-quantum key packages; bit 6, only with bit 7
//	     and more than packagesLow left: it reads numbers 4 and 5; the other bits:
//	     how many key packages of the receiver's it has left, of the post-quantum
//	     suite if bit 7 is set, else of suite 1
//
//	1    2, packages
//	V    key packages, each V: one group each
//
//	1    3, person: only to who says bit 7
//	V    name: identity.Info, the preimage of the head's commitment
//	V    headers of the sender's person chain, each V, genesis first
//	V    last-resort key packages that the chain names, each V, one a suite
//
//	1    4, holding: only to who says bit 6
//	32   hash of the newest header that the sender holds of the receiver's chain,
//	     zero: it holds nothing, or of another device
//	32   digest of the name and the last-resort packages that it holds
//
//	1    5, person since: only to who says bit 6
//	32   hash of a header of the sender's chain, never zero
//	V    name, V the headers after that one, V last-resort key packages: as number 3
const (
	ownHello       uint8 = 1
	ownPackages    uint8 = 2
	ownPerson      uint8 = 3
	ownHolding     uint8 = 4
	ownPersonSince uint8 = 5
)

// ownAble is bit 7 of the last byte of a hello. Programs from before there was
// one say less than it, and take it for a number that is no reason to give more.
// They take other packages than those of suite 1 for a broken rule, so only who
// says ownAble is given any.
const ownAble uint8 = 1 << 7

// ownHolds is bit 6. Programs from before it take it for 64 packages more, so it
// is said only where that makes no difference.
const ownHolds uint8 = 1 << 6

// Bounds of what a friend says, in bytes.
const (
	maxOwnPackage = 8 << 10 // a post-quantum one has 3 KiB
	maxOwnPeer    = 64
	maxOwnHost    = 128
	maxOwnHosts   = 8 // of them, as a link has

	// maxOwnHeaders bounds a person's headers together: chain.MaxProofHeaders of
	// them with the two packages of a renewal.
	maxOwnHeaders = 1 << 20
	maxOwnResorts = chain.MaxPackages
)

// hello says where a node is, and how many key packages are left.
type hello struct {
	peer  []byte
	hosts []string
	able  bool  // see ownAble
	holds bool  // see ownHolds; only with able
	left  uint8 // below ownAble, with holds below ownHolds
}

// holding is what somebody has of a person's chain, and of what is told with it.
type holding struct {
	head wire.BlockHash // the newest header
	rest wire.Digest    // see restOf
}

// packages are new key packages for the receiver.
type packages [][]byte

// personNews is how the sender's person chain stands.
type personNews struct {
	info    []byte
	after   wire.BlockHash // the header before the first; zero: that is genesis
	headers [][]byte
	resorts [][]byte // last-resort key packages
}

func (h hello) bytes() []byte {
	var w wire.Writer
	w.U8(ownHello)
	w.Vec(h.peer)
	w.Group(func(w *wire.Writer) {
		for _, host := range h.hosts {
			w.Vec([]byte(host))
		}
	})
	left := h.left
	if h.able {
		left |= ownAble
	}
	if h.holds {
		left |= ownHolds
	}
	w.U8(left)
	return w.Bytes()
}

func (p packages) bytes() []byte {
	var w wire.Writer
	w.U8(ownPackages)
	writeVector(&w, p)
	return w.Bytes()
}

func (p personNews) bytes() []byte {
	var w wire.Writer
	if p.after == (wire.BlockHash{}) {
		w.U8(ownPerson)
	} else {
		w.U8(ownPersonSince)
		w.Raw(p.after[:])
	}
	w.Vec(p.info)
	writeVector(&w, p.headers)
	writeVector(&w, p.resorts)
	return w.Bytes()
}

func (h holding) bytes() []byte {
	var w wire.Writer
	w.U8(ownHolding)
	w.Raw(h.head[:])
	w.Raw(h.rest[:])
	return w.Bytes()
}

func writeVector(w *wire.Writer, of [][]byte) {
	w.Group(func(w *wire.Writer) {
		for _, b := range of {
			w.Vec(b)
		}
	})
}

// readVector returns the elements of a vector of at most so many bytes, each at
// most limit long.
func readVector(r *wire.Reader, bytes, most, limit int) (out [][]byte) {
	r.Each(bytes, most, func(r *wire.Reader) { out = append(out, slices.Clone(r.Vec(limit))) })
	return out
}

// parseOwn reads what a friend says beside the groups.
func parseOwn(b []byte) (said interface{ bytes() []byte }, err error) {
	r := wire.NewReader(b)
	switch number := r.U8(); number {
	case ownHello:
		said = readHello(r)
	case ownPackages:
		said = packages(readVector(r, packagesEach*(maxOwnPackage+4), packagesEach, maxOwnPackage))
	case ownPerson, ownPersonSince:
		var p personNews
		if number == ownPersonSince {
			if r.Fixed(p.after[:]); p.after == (wire.BlockHash{}) {
				r.Fail(wire.ErrCanonical) // that is number 3
			}
		}
		p.info = slices.Clone(r.Vec(identity.MaxInfo))
		p.headers = readVector(r, maxOwnHeaders, chain.MaxProofHeaders, chain.MaxHeader)
		p.resorts = readVector(r, maxOwnResorts*(maxOwnPackage+4), maxOwnResorts, maxOwnPackage)
		said = p
	case ownHolding:
		var h holding
		r.Fixed(h.head[:])
		r.Fixed(h.rest[:])
		said = h
	default:
		r.Fail(wire.ErrCanonical)
	}
	if err := r.Done(); err != nil {
		return nil, err
	}
	return said, nil
}

func readHello(r *wire.Reader) hello {
	h := hello{peer: slices.Clone(r.Vec(maxOwnPeer))}
	r.Each(maxOwnHosts*(maxOwnHost+2), maxOwnHosts, func(r *wire.Reader) {
		h.hosts = append(h.hosts, string(r.Vec(maxOwnHost)))
	})
	left := r.U8()
	h.able = left&ownAble != 0
	h.holds = h.able && left&ownHolds != 0
	if h.left = left &^ ownAble; h.holds {
		h.left &^= ownHolds
	}
	return h
}
