package chain

import (
	"bytes"
	"crypto/ed25519"
	"fmt"

	"kith/internal/wire"
)

// A Nack is a device's signed word that it could not follow the keys to a block.
// Nacks by more than half of the devices let any of them restart the keys.
type Nack struct {
	Group     wire.GroupID
	Device    wire.DeviceID // that signed
	Block     wire.BlockHash
	Reason    NackReason
	Signature [wire.SignatureSize]byte
}

// NackReason says why; it is for people and decides nothing.
type NackReason uint8

// Why a device could not follow. Other values are a newer version's.
const (
	NackPath        NackReason = 1 // no path secret opens here, or it gives other keys
	NackTag         NackReason = 2 // the confirmation tag is wrong
	NackExternalPub NackReason = 3 // the header names another external_pub
)

// nackVersion is the first byte of a Nack.
const nackVersion = 1

// offset size field
// 0      1    version, 0x01
// 1      1    sigalg, 0x01
// 2      32   group_id
// 34     32   device
// 66     32   block
// 98     1    reason                     what is signed ends here
// 99     64   signature, label "nack"
func (n *Nack) signed() []byte {
	var w wire.Writer
	w.U8(nackVersion)
	w.U8(wire.SigEd25519)
	w.Raw(n.Group[:])
	w.Raw(n.Device[:])
	w.Raw(n.Block[:])
	w.U8(uint8(n.Reason))
	return w.Bytes()
}

// SignNack makes the statement that device could not follow block.
func SignNack(sign func(wire.Label, []byte) []byte, group wire.GroupID, device wire.DeviceID, block wire.BlockHash, reason NackReason) *Nack {
	n := &Nack{Group: group, Device: device, Block: block, Reason: reason}
	copy(n.Signature[:], sign(wire.SignNack, n.signed()))
	return n
}

// ParseNack decodes a whole Nack.
func ParseNack(b []byte) (*Nack, error) {
	r := wire.NewReader(b)
	if version, alg := r.U8(), r.U8(); r.Err() == nil && (version != nackVersion || alg != wire.SigEd25519) {
		return nil, ErrNewer
	}
	n := new(Nack)
	r.Fixed(n.Group[:])
	r.Fixed(n.Device[:])
	r.Fixed(n.Block[:])
	n.Reason = NackReason(r.U8())
	r.Fixed(n.Signature[:])
	if err := r.Done(); err != nil {
		return nil, fmt.Errorf("chain: nack: %w", err)
	}
	return n, nil
}

// Marshal returns the encoding of the Nack.
func (n *Nack) Marshal() []byte { return append(n.signed(), n.Signature[:]...) }

// Verify reports whether key signed the Nack.
func (n *Nack) Verify(key ed25519.PublicKey) bool {
	return wire.Verify(key, wire.SignNack, n.signed(), n.Signature[:])
}

// nackSize is the length of an encoded Nack, in bytes.
const nackSize = 99 + wire.SignatureSize

// MarshalNacks returns the attachment that a Restart cites: Nacks, ascending by
// device, one after the other.
func MarshalNacks(nacks []*Nack) []byte {
	var w wire.Writer
	for _, n := range nacks {
		w.Raw(n.Marshal())
	}
	return w.Bytes()
}

// ParseNacks decodes the attachment of a Restart: at least one Nack, of one
// device each, ascending.
func ParseNacks(b []byte) ([]*Nack, error) {
	var nacks []*Nack
	for len(b) >= nackSize {
		n, err := ParseNack(b[:nackSize])
		if err != nil {
			return nil, err
		}
		if len(nacks) > 0 && bytes.Compare(nacks[len(nacks)-1].Device[:], n.Device[:]) >= 0 {
			return nil, fmt.Errorf("chain: nacks: %w", wire.ErrCanonical)
		}
		nacks, b = append(nacks, n), b[nackSize:]
	}
	if len(b) > 0 || len(nacks) == 0 {
		return nil, fmt.Errorf("chain: nacks: %w", wire.ErrShort)
	}
	return nacks, nil
}
