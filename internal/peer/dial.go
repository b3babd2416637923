package peer

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"

	"kith/internal/identity"
	"kith/internal/link"
	"kith/internal/wire"
)

// Target is a device that is wanted.
type Target struct {
	Member   wire.Member
	Key      ed25519.PublicKey
	KnockKey []byte
}

// Knock proves this device to the one that is wanted, over a connection to
// wherever that is said to be, and has it prove itself. Without a session the
// connection is closed.
//
//	offset size field
//	0      1    kind, 0x01
//	1      1328 box, docs/spec/knock.md
//
// and the answer
//
//	0      1    kind, 0x03
//	1      64   signature, label "knock answer"
func Knock(ctx context.Context, conn link.Conn, cfg Config, to Target) (*Session, error) {
	s, err := knock(ctx, conn, cfg, to)
	if err != nil {
		conn.Close()
		return nil, err
	}
	return s, nil
}

func knock(ctx context.Context, conn link.Conn, cfg Config, to Target) (*Session, error) {
	self := cfg.self()
	if wire.Device(to.Key) != to.Member.Device {
		return nil, errors.New("peer: knock: the target's key is not its device's")
	}
	if to.Member.Device == self.Device {
		return nil, ErrSelf
	}
	if _, banned := cfg.Bans.Device(to.Member.Device, cfg.now()); banned {
		return nil, ErrBanned
	}
	box, secret, err := identity.SealKnockSession(to.KnockKey, identity.Knock{
		Member:    self,
		Signature: cfg.Device.SignKnock(self.Device, to.Member.Device, conn.Binding()),
	})
	if err != nil {
		return nil, fmt.Errorf("peer: knock: %w", err)
	}
	answer, err := exchange(ctx, conn, kindKnock, box)
	if err != nil {
		return nil, err
	}
	if len(answer) != answerFrame || answer[0] != kindKnockAnswer {
		return nil, ErrImpostor
	}
	if !identity.VerifyKnockAnswer(to.Key, self.Device, to.Member.Device, conn.Binding(), [wire.SignatureSize]byte(answer[1:])) {
		return nil, ErrImpostor
	}
	return newSession(conn, cfg, to.Member, true, secret)
}

// Ask sends own card to the person of a contact link and returns theirs,
// checked against the link. Without a session the connection is closed.
//
//	offset size field
//	0      1    kind, 0x02
//	1      16   tag of the link
//	17     var  box, docs/spec/contact-link.md, of what sealed.go shows
//
// and the answer
//
//	0      1    kind, 0x04
//	1      var  box
func Ask(ctx context.Context, conn link.Conn, cfg Config, l identity.ContactLink, own Card) (*Session, Request, error) {
	s, r, err := ask(ctx, conn, cfg, l, own)
	if err != nil {
		conn.Close()
		return nil, Request{}, err
	}
	return s, r, nil
}

func ask(ctx context.Context, conn link.Conn, cfg Config, l identity.ContactLink, own Card) (*Session, Request, error) {
	if l.Person == cfg.Person {
		return nil, Request{}, ErrSelf
	}
	if l.Expiry <= uint64(cfg.now().Unix()) {
		return nil, Request{}, ErrExpired
	}
	content, err := seal(cfg.Device, wire.SignRequest, own, l.Person, conn.Binding())
	if err != nil {
		return nil, Request{}, err
	}
	tag := l.Tag()
	answer, err := exchange(ctx, conn, kindRequest, append(tag[:], l.SealRequest(content)...))
	if err != nil {
		return nil, Request{}, err
	}
	theirs, err := checkAnswer(answer, l, cfg.Person, conn.Binding())
	if err != nil {
		return nil, Request{}, err
	}
	if _, banned := cfg.Bans.Device(theirs.Member.Device, cfg.now()); banned {
		return nil, Request{}, ErrBanned
	}
	s, err := newSession(conn, cfg, theirs.Member, true, l.Secret)
	return s, theirs, err
}

// checkAnswer opens the answer to a request over l.
func checkAnswer(frame []byte, l identity.ContactLink, self wire.PersonID, binding [32]byte) (Request, error) {
	if len(frame) > maxReqAnswer || len(frame) == 0 || frame[0] != kindRequestAnswer {
		return Request{}, ErrImpostor
	}
	content, err := l.OpenRequest(frame[1:])
	if err != nil {
		return Request{}, fmt.Errorf("%w: %w", ErrImpostor, err)
	}
	r, err := open(content, wire.SignAnswer, self, binding)
	if err != nil {
		return Request{}, fmt.Errorf("%w: %w", ErrImpostor, err)
	}
	if r.Member.Person != l.Person {
		return Request{}, fmt.Errorf("%w: not the person of the contact link", ErrImpostor)
	}
	return r, nil
}

// exchange writes the first frame and waits for the answer to it.
func exchange(ctx context.Context, conn link.Conn, kind uint8, body []byte) ([]byte, error) {
	timed, cancel := context.WithTimeout(ctx, handshakeLimit)
	defer cancel()
	answer, err := []byte(nil), conn.Write(timed, append([]byte{kind}, body...))
	if err == nil {
		answer, err = conn.Read(timed)
	}
	switch {
	case err == nil:
		return answer, nil
	case ctx.Err() != nil:
		return nil, fmt.Errorf("peer: handshake: %w", ctx.Err())
	case timed.Err() != nil || errors.Is(err, link.ErrClosed):
		return nil, ErrSilent
	}
	return nil, fmt.Errorf("peer: handshake: %w", err)
}
