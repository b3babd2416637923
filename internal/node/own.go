package node

import (
	"slices"

	"kith/internal/wire"
)

// What friends tell each other beside their groups, on channel zero
// (docs/spec/friend.md). Numbers are on the wire: append only.
//
//	size field
//	1    1, hello
//	V    link peer id, at most 64 bytes
//	V    hosts, each V
//	1    key packages of the receiver's that the sender has left
//
//	1    2, packages
//	V    key packages, each V
const (
	ownHello    uint8 = 1
	ownPackages uint8 = 2
)

// Bounds of what a friend says, in bytes.
const (
	maxOwnPackage = 8 << 10 // a post-quantum one has 3 KiB
	maxOwnPeer    = 64
	maxOwnHost    = 128
	maxOwnHosts   = 8 // of them, as a link has
)

// hello says where a node is, and how many key packages are left.
type hello struct {
	peer  []byte
	hosts []string
	left  uint8
}

// packages are new key packages for the receiver.
type packages [][]byte

func (h hello) bytes() []byte {
	var w wire.Writer
	w.U8(ownHello)
	w.Vec(h.peer)
	w.Group(func(w *wire.Writer) {
		for _, host := range h.hosts {
			w.Vec([]byte(host))
		}
	})
	w.U8(h.left)
	return w.Bytes()
}

func (p packages) bytes() []byte {
	var w wire.Writer
	w.U8(ownPackages)
	w.Group(func(w *wire.Writer) {
		for _, b := range p {
			w.Vec(b)
		}
	})
	return w.Bytes()
}

// parseOwn reads a hello or packages.
func parseOwn(b []byte) (said interface{ bytes() []byte }, err error) {
	r := wire.NewReader(b)
	switch r.U8() {
	case ownHello:
		h := hello{peer: slices.Clone(r.Vec(maxOwnPeer))}
		r.Each(maxOwnHosts*(maxOwnHost+2), maxOwnHosts, func(r *wire.Reader) {
			h.hosts = append(h.hosts, string(r.Vec(maxOwnHost)))
		})
		h.left = r.U8()
		said = h
	case ownPackages:
		var p packages
		r.Each(packagesEach*(maxOwnPackage+4), packagesEach, func(r *wire.Reader) {
			p = append(p, slices.Clone(r.Vec(maxOwnPackage)))
		})
		said = p
	default:
		r.Fail(wire.ErrCanonical)
	}
	if err := r.Done(); err != nil {
		return nil, err
	}
	return said, nil
}
