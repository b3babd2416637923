package peer

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"kith/internal/identity"
	"kith/internal/link"
	"kith/internal/wire"
)

// Accept waits for the proof of whoever dialled. A stranger gets no frame, and
// its connection is closed refuseAfter from now whatever was wrong: a frame that
// is no knock, a box for another device, an unknown person, a used link, or
// nothing at all look alike from outside. Accept then returns an error that is
// ErrStranger, except when the connection or ctx ended before.
func Accept(ctx context.Context, conn link.Conn, cfg Config) (*Session, error) {
	wait, cancel := context.WithTimeout(ctx, refuseAfter)
	defer cancel()
	s, err := admit(ctx, wait, conn, cfg)
	if err == nil {
		return s, nil
	}
	select {
	case <-wait.Done():
	case <-conn.Done():
	}
	conn.Close()
	return nil, err
}

// admit reads one frame and answers it if it proves somebody; wait bounds the
// reading, ctx the rest.
func admit(ctx, wait context.Context, conn link.Conn, cfg Config) (*Session, error) {
	frame, err := conn.Read(wait)
	if err != nil {
		if ctx.Err() == nil && wait.Err() != nil {
			return nil, stranger("it said nothing")
		}
		return nil, fmt.Errorf("peer: accept: %w", err)
	}
	host := hostOf(conn)
	if _, banned := cfg.Bans.Host(host, cfg.now()); banned {
		return nil, stranger("its network is banned")
	}
	remote, answer, secret, by, err := judge(frame, conn.Binding(), cfg)
	if err != nil {
		if errors.Is(err, ErrStranger) {
			cfg.Bans.PunishHost(host, RuleKnock, weightKnock, cfg.now())
		}
		return nil, err
	}
	timed, cancel := context.WithTimeout(ctx, handshakeLimit)
	defer cancel()
	if err := conn.Write(timed, answer); err != nil {
		return nil, fmt.Errorf("peer: accept: %w", err)
	}
	cfg.Device = by
	return newSession(conn, cfg, remote, false, secret)
}

// judge returns who sent a first frame, what to answer, the secret that both then
// have, and the key that answers. An error is ErrStranger unless the fault is on
// this side.
func judge(frame []byte, binding [32]byte, cfg Config) (who wire.Member, answer []byte, secret [32]byte, by *identity.Device, err error) {
	switch {
	case len(frame) == knockFrame && frame[0] == kindKnock:
		cfg.Device = cfg.knockedAt(frame[1:])
		who, answer, secret, err = judgeKnock(frame[1:], binding, cfg)
	case len(frame) > 1+tagSize && len(frame) <= maxReqFrame && frame[0] == kindRequest:
		who, answer, secret, err = judgeRequest([tagSize]byte(frame[1:]), frame[1+tagSize:], binding, cfg)
	case len(frame) == joinFrame && frame[0] == kindJoin:
		who, answer, secret, err = judgeJoin([tagSize]byte(frame[1:]), frame[1+tagSize:], binding, cfg)
	default:
		err = stranger("its first frame is neither knock nor request")
	}
	return who, answer, secret, cfg.Device, err
}

// knockedAt returns the key that a box is for: a former one, or else Device.
func (c Config) knockedAt(box []byte) *identity.Device {
	for _, d := range c.Former {
		if _, err := d.OpenKnock(box); err == nil {
			return d
		}
	}
	return c.Device
}

// errMoved refuses who knocks at a former key and knows a newer one. It breaks no
// rule: it may want whoever else has that key.
var errMoved = errors.New("peer: accept: it knocks at a former key of this home")

func judgeKnock(box []byte, binding [32]byte, cfg Config) (wire.Member, []byte, [32]byte, error) {
	k, secret, err := cfg.Device.OpenKnockSession(box)
	if err != nil {
		return wire.Member{}, nil, [32]byte{}, stranger("its box is not for this device")
	}
	if k.Flags != 0 {
		return wire.Member{}, nil, [32]byte{}, stranger("it wants what this version does not know")
	}
	known, ok := cfg.Directory.Recognise(k.Member)
	if !ok || known.Member != k.Member {
		return wire.Member{}, nil, [32]byte{}, stranger("nobody here knows the device")
	}
	if err := welcome(k.Member, cfg); err != nil {
		return wire.Member{}, nil, [32]byte{}, err
	}
	former := slices.Contains(cfg.Former, cfg.Device)
	if former && cfg.Moved != nil && cfg.Moved(k.Member.Device) {
		return wire.Member{}, nil, [32]byte{}, errMoved
	}
	if !identity.VerifyKnock(known.Key, k.Member.Device, cfg.Device.ID(), binding, k.Signature) {
		return wire.Member{}, nil, [32]byte{}, stranger("its signature is not for this connection")
	}
	signature := cfg.Device.SignKnockAnswer(k.Member.Device, cfg.Device.ID(), binding)
	return k.Member, append([]byte{kindKnockAnswer}, signature[:]...), secret, nil
}

func judgeRequest(tag [tagSize]byte, box []byte, binding [32]byte, cfg Config) (wire.Member, []byte, [32]byte, error) {
	secret, ok := cfg.Directory.LinkSecret(tag)
	if !ok {
		return wire.Member{}, nil, [32]byte{}, stranger("its contact link is unknown or used up")
	}
	l := identity.ContactLink{Person: cfg.Person, Secret: secret}
	content, err := l.OpenRequest(box)
	if err != nil {
		return wire.Member{}, nil, [32]byte{}, stranger("its request is not sealed with the link")
	}
	r, err := open(content, wire.SignRequest, cfg.Person, binding)
	if err != nil {
		return wire.Member{}, nil, [32]byte{}, fmt.Errorf("%w: its request proves nothing: %w", ErrStranger, err)
	}
	if err := welcome(r.Member, cfg); err != nil {
		return wire.Member{}, nil, [32]byte{}, err
	}
	own, err := cfg.Directory.Asked(tag, r)
	if err != nil {
		return wire.Member{}, nil, [32]byte{}, fmt.Errorf("%w: its request is not wanted: %w", ErrStranger, err)
	}
	content, err = seal(cfg.Device, wire.SignAnswer, own, r.Member.Person, binding)
	if err != nil {
		return wire.Member{}, nil, [32]byte{}, fmt.Errorf("peer: accept: own card: %w", err)
	}
	return r.Member, append([]byte{kindRequestAnswer}, l.SealRequest(content)...), secret, nil
}

// welcome refuses this device itself, this person over an own link, and who is
// banned.
func welcome(m wire.Member, cfg Config) error {
	if m.Device == cfg.Device.ID() || slices.ContainsFunc(cfg.Former, func(d *identity.Device) bool { return d.ID() == m.Device }) {
		return stranger("it is this device")
	}
	if _, banned := cfg.Bans.Device(m.Device, cfg.now()); banned {
		return stranger("it is banned")
	}
	return nil
}
