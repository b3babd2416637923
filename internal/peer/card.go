package peer

import (
	"crypto/ed25519"
	"fmt"

	"kith/internal/chain"
	"kith/internal/identity"
	"kith/internal/wire"
)

// A Card is what two people tell each other first. All of it is claimed by its
// sender; Check finds out whether the parts belong together.
type Card struct {
	Headers     [][]byte // of the person chain, whole, from genesis to its head
	Info        []byte   // the preimage of the head's info commitment: identity.Info
	KnockKey    []byte   // of the device that sends the card
	KeyPackages [][]byte // for this receiver alone; not checked here
	Peer        []byte   // link peer id
	Hosts       []string // where that link can be dialled, best first
}

// A Person is what a checked card proves.
type Person struct {
	ID    wire.PersonID
	State *chain.State // after the last header
	Info  identity.Info
}

const cardVersion = 1

// Marshal returns the encoding of the card. It refuses one that no receiver
// would take.
//
//	offset size field
//	0      1    version, 0x01
//	1      var  headers<V>, vector of opaque<V>, 1 to 160
//	+0     var  info<V>, 1 to 322 bytes
//	+0     var  knock_key<V>, 1216 bytes
//	+0     var  key_packages<V>, vector of opaque<V>, each 1 to 8192 bytes, at most 8
//	+0     var  peer<V>, at most 64 bytes
//	+0     var  hosts<V>, vector of opaque<V>, each 1 to 128 bytes of visible ASCII, at most 8
func (c Card) Marshal() ([]byte, error) {
	var w wire.Writer
	w.U8(cardVersion)
	writeVector(&w, c.Headers)
	w.Vec(c.Info)
	w.Vec(c.KnockKey)
	writeVector(&w, c.KeyPackages)
	w.Vec(c.Peer)
	w.Group(func(w *wire.Writer) {
		for _, h := range c.Hosts {
			w.Vec([]byte(h))
		}
	})
	b := w.Bytes()
	if _, err := ParseCard(b); err != nil {
		return nil, err
	}
	return b, nil
}

func writeVector(w *wire.Writer, of [][]byte) {
	w.Group(func(w *wire.Writer) {
		for _, b := range of {
			w.Vec(b)
		}
	})
}

// ParseCard decodes a card. It aliases b.
func ParseCard(b []byte) (Card, error) {
	var c Card
	r := wire.NewReader(b)
	if len(b) > MaxCard {
		r.Fail(wire.ErrTooLong)
	}
	if v := r.U8(); r.Err() == nil && v != cardVersion {
		return Card{}, fmt.Errorf("%w: %w", ErrCard, chain.ErrNewer)
	}
	c.Headers = readVector(r, chain.MaxHeader, MaxHeaders)
	c.Info = r.Vec(identity.MaxInfo)
	c.KnockKey = r.Vec(chain.KnockKeySize)
	c.KeyPackages = readVector(r, maxKeyPackage, MaxKeyPackages)
	c.Peer = r.Vec(identity.MaxPeer)
	for _, h := range readVector(r, maxHost, maxHosts) {
		if !visible(h) {
			r.Fail(wire.ErrCanonical)
		}
		c.Hosts = append(c.Hosts, string(h))
	}
	if r.Err() == nil && (len(c.Headers) == 0 || len(c.Info) == 0 || len(c.KnockKey) != chain.KnockKeySize) {
		r.Fail(wire.ErrShort)
	}
	if err := r.Done(); err != nil {
		return Card{}, fmt.Errorf("%w: %w", ErrCard, err)
	}
	return c, nil
}

// readVector returns the elements of a vector, none of them empty.
func readVector(r *wire.Reader, limit, most int) (out [][]byte) {
	r.Each(MaxCard, most, func(r *wire.Reader) {
		b := r.Vec(limit)
		if len(b) == 0 {
			r.Fail(wire.ErrShort)
		}
		out = append(out, b)
	})
	return out
}

func visible(b []byte) bool {
	for _, c := range b {
		if c <= ' ' || c > '~' {
			return false
		}
	}
	return true
}

// Check verifies the headers, the name against them, and the knock key as that
// of device; it returns the key that device signs with.
func (c Card) Check(device wire.DeviceID) (Person, ed25519.PublicKey, error) {
	headers := make([]*chain.Header, 0, len(c.Headers))
	for _, b := range c.Headers {
		h, err := chain.ParseHeader(b)
		if err != nil {
			return Person{}, nil, fmt.Errorf("%w: %w", ErrCard, err)
		}
		headers = append(headers, h)
	}
	state, err := chain.VerifyProof(headers)
	if err != nil {
		return Person{}, nil, fmt.Errorf("%w: %w", ErrCard, err)
	}
	info, err := identity.ParseInfo(c.Info)
	if err != nil {
		return Person{}, nil, fmt.Errorf("%w: %w", ErrCard, err)
	}
	if info.Commit() != state.Info() {
		return Person{}, nil, fmt.Errorf("%w: the name is not the one in the chain", ErrCard)
	}
	_, d, ok := state.Device(device)
	if !ok || !state.Active(device) {
		return Person{}, nil, fmt.Errorf("%w: the device is not one of this person", ErrCard)
	}
	if chain.KnockHash(c.KnockKey) != d.KnockHash {
		return Person{}, nil, fmt.Errorf("%w: the knock key is not the device's", ErrCard)
	}
	return Person{ID: wire.PersonID(headers[0].Hash()), State: state, Info: info}, d.Key[:], nil
}
