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
//	1    bit 7: the sender reads post-quantum key packages; bits 0 to 6: how many
//	     key packages of the receiver's it has left, of the post-quantum suite if
//	     bit 7 is set, else of suite 1
//
//	1    2, packages
//	V    key packages, each V: one group each
//
//	1    3, person: only to who says bit 7
//	V    name: identity.Info, the preimage of the head's commitment
//	V    headers of the sender's person chain, each V, genesis first
//	V    last-resort key packages that the chain names, each V, one a suite
const (
	ownHello    uint8 = 1
	ownPackages uint8 = 2
	ownPerson   uint8 = 3
)

// ownAble is bit 7 of the last byte of a hello. Programs from before there was
// one say less than it, and take it for a number that is no reason to give more.
// They take other packages than those of suite 1 for a broken rule, so only who
// says ownAble is given any.
const ownAble uint8 = 1 << 7

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
	left  uint8 // below ownAble
}

// packages are new key packages for the receiver.
type packages [][]byte

// personNews is how the sender's person chain stands.
type personNews struct {
	info    []byte
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
	w.U8(ownPerson)
	w.Vec(p.info)
	writeVector(&w, p.headers)
	writeVector(&w, p.resorts)
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

// parseOwn reads a hello, packages, or how a person stands.
func parseOwn(b []byte) (said interface{ bytes() []byte }, err error) {
	r := wire.NewReader(b)
	switch r.U8() {
	case ownHello:
		h := hello{peer: slices.Clone(r.Vec(maxOwnPeer))}
		r.Each(maxOwnHosts*(maxOwnHost+2), maxOwnHosts, func(r *wire.Reader) {
			h.hosts = append(h.hosts, string(r.Vec(maxOwnHost)))
		})
		left := r.U8()
		h.able, h.left = left&ownAble != 0, left&^ownAble
		said = h
	case ownPackages:
		said = packages(readVector(r, packagesEach*(maxOwnPackage+4), packagesEach, maxOwnPackage))
	case ownPerson:
		said = personNews{
			info:    slices.Clone(r.Vec(identity.MaxInfo)),
			headers: readVector(r, maxOwnHeaders, chain.MaxProofHeaders, chain.MaxHeader),
			resorts: readVector(r, maxOwnResorts*(maxOwnPackage+4), maxOwnResorts, maxOwnPackage),
		}
	default:
		r.Fail(wire.ErrCanonical)
	}
	if err := r.Done(); err != nil {
		return nil, err
	}
	return said, nil
}
