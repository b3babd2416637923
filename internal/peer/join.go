package peer

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"fmt"

	"kith/internal/chain"
	"kith/internal/identity"
	"kith/internal/link"
	"kith/internal/wire"
)

// How a new device comes to its person, over a device link (docs/spec/device-link.md).
// Neither side is proved to the other by more than that it has the link: the two then
// compare digits, which depend on both nonces. The new device is bound to its nonce
// before it knows the other's, so that nobody in between can make the digits alike.

// A Joiner is a device that wants to become one of a person's.
type Joiner struct {
	Key      ed25519.PublicKey
	KnockKey []byte
	Commit   [32]byte // H("link commit", nonce, key, knock key)
}

// Device names the device.
func (j Joiner) Device() wire.DeviceID { return wire.Device(j.Key) }

// Committed is what a device that joins commits to.
func Committed(nonce [32]byte, key ed25519.PublicKey, knock []byte) [32]byte {
	return wire.Hash(wire.HashLinkCommit, nonce[:], key, wire.Opaque(knock))
}

// A Maker is the device that made a device link.
type Maker struct {
	Member wire.Member
	Key    ed25519.PublicKey
	Nonce  [32]byte
}

// Joins is what Accept asks of device links.
type Joins interface {
	// JoinSecret returns the device link with the tag, if it is neither used nor expired.
	JoinSecret(tag [16]byte) (identity.DeviceLink, bool)
	// Joining takes note that a device comes over that link, and returns the own
	// nonce for it. After an error it hears nothing.
	Joining(tag [16]byte, j Joiner) (nonce [32]byte, err error)
}

const (
	joinPlain   = 1 + ed25519.PublicKeySize + chain.KnockKeySize + 32 + wire.SignatureSize
	joinFrame   = 1 + tagSize + joinPlain + boxOverhead
	joinedPlain = 1 + 32 + ed25519.PublicKeySize + 32 + wire.SignatureSize
	joinedFrame = 1 + joinedPlain + boxOverhead
	joinVersion = 1
)

// Join comes over a device link to the device that made it. Without a session the
// connection is closed. cfg.Device is the new device; cfg.Person is zero.
//
//	offset size field
//	0      1    kind, 0x07
//	1      16   tag of the link
//	17     var  box, sealed with the link, of
//	              1    version, 1
//	              32   device key
//	              1216 knock key
//	              32   H("link commit", nonce[32], device key[32], opaque knock key<V>)
//	              64   signature, label "join", over binding[32], the hash before it
//
// and the answer
//
//	0      1    kind, 0x08
//	1      var  box of
//	              1    version, 1
//	              32   person
//	              32   device key
//	              32   nonce
//	              64   signature, label "join answer", over binding[32], device[32] that joins, person[32], nonce[32]
func Join(ctx context.Context, conn link.Conn, cfg Config, l identity.DeviceLink, nonce [32]byte) (*Session, Maker, error) {
	s, m, err := join(ctx, conn, cfg, l, nonce)
	if err != nil {
		conn.Close()
		return nil, Maker{}, err
	}
	return s, m, nil
}

func join(ctx context.Context, conn link.Conn, cfg Config, l identity.DeviceLink, nonce [32]byte) (*Session, Maker, error) {
	if l.Expiry <= uint64(cfg.now().Unix()) {
		return nil, Maker{}, ErrExpired
	}
	knock := cfg.Device.KnockKey()
	commit, binding := Committed(nonce, cfg.Device.PublicKey(), knock), conn.Binding()
	var w wire.Writer
	w.U8(joinVersion)
	w.Raw(cfg.Device.PublicKey())
	w.Raw(knock)
	w.Raw(commit[:])
	w.Raw(cfg.Device.Sign(wire.SignJoin, append(binding[:], commit[:]...)))
	tag := l.Tag()
	answer, err := exchange(ctx, conn, kindJoin, append(tag[:], l.Seal(w.Bytes())...))
	if err != nil {
		return nil, Maker{}, err
	}
	m, err := parseMaker(answer, l, cfg.Device.ID(), binding)
	if err != nil {
		return nil, Maker{}, err
	}
	s, err := newSession(conn, cfg, m.Member, true, l.Secret)
	return s, m, err
}

// parseMaker opens the answer to who joins.
func parseMaker(frame []byte, l identity.DeviceLink, self wire.DeviceID, binding [32]byte) (m Maker, err error) {
	if len(frame) != joinedFrame || frame[0] != kindJoinAnswer {
		return Maker{}, ErrImpostor
	}
	content, err := l.Open(frame[1:])
	if err != nil {
		return Maker{}, fmt.Errorf("%w: %w", ErrImpostor, err)
	}
	r := wire.NewReader(content)
	version := r.U8()
	r.Fixed(m.Member.Person[:])
	m.Key = bytes.Clone(r.Raw(ed25519.PublicKeySize))
	r.Fixed(m.Nonce[:])
	signature := r.Raw(wire.SignatureSize)
	if r.Done() != nil || version != joinVersion {
		return Maker{}, ErrImpostor
	}
	m.Member.Device = wire.Device(m.Key)
	if !wire.Verify(m.Key, wire.SignJoinAnswer, joinAnswer(binding, self, m.Member.Person, m.Nonce), signature) {
		return Maker{}, ErrImpostor
	}
	return m, nil
}

func joinAnswer(binding [32]byte, joiner wire.DeviceID, person wire.PersonID, nonce [32]byte) []byte {
	return bytes.Join([][]byte{binding[:], joiner[:], person[:], nonce[:]}, nil)
}

// judgeJoin answers a device that comes over a device link.
func judgeJoin(tag [tagSize]byte, box []byte, binding [32]byte, cfg Config) (wire.Member, []byte, [32]byte, error) {
	if cfg.Joins == nil {
		return wire.Member{}, nil, [32]byte{}, stranger("no device link is open")
	}
	l, ok := cfg.Joins.JoinSecret(tag)
	if !ok {
		return wire.Member{}, nil, [32]byte{}, stranger("its device link is unknown or used up")
	}
	j, err := parseJoiner(box, l, binding)
	if err != nil {
		return wire.Member{}, nil, [32]byte{}, err
	}
	who := wire.Member{Device: j.Device()}
	if err := welcome(who, cfg); err != nil {
		return wire.Member{}, nil, [32]byte{}, err
	}
	nonce, err := cfg.Joins.Joining(tag, j)
	if err != nil {
		return wire.Member{}, nil, [32]byte{}, fmt.Errorf("%w: it may not join: %w", ErrStranger, err)
	}
	var w wire.Writer
	w.U8(joinVersion)
	w.Raw(cfg.Person[:])
	w.Raw(cfg.Device.PublicKey())
	w.Raw(nonce[:])
	w.Raw(cfg.Device.Sign(wire.SignJoinAnswer, joinAnswer(binding, who.Device, cfg.Person, nonce)))
	return who, append([]byte{kindJoinAnswer}, l.Seal(w.Bytes())...), l.Secret, nil
}

// parseJoiner opens what a device that joins says first.
func parseJoiner(box []byte, l identity.DeviceLink, binding [32]byte) (j Joiner, err error) {
	content, err := l.Open(box)
	if err != nil {
		return Joiner{}, stranger("its box is not sealed with the device link")
	}
	r := wire.NewReader(content)
	version := r.U8()
	j.Key = bytes.Clone(r.Raw(ed25519.PublicKeySize))
	j.KnockKey = bytes.Clone(r.Raw(chain.KnockKeySize))
	r.Fixed(j.Commit[:])
	signature := r.Raw(wire.SignatureSize)
	if r.Done() != nil || version != joinVersion {
		return Joiner{}, stranger("what it says first has another form")
	}
	if !wire.Verify(j.Key, wire.SignJoin, append(binding[:], j.Commit[:]...), signature) {
		return Joiner{}, stranger("its signature is not for this connection")
	}
	return j, nil
}
