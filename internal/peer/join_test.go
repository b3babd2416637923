package peer_test

import (
	"bytes"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"kith/internal/identity"
	"kith/internal/peer"
	"kith/internal/wire"
)

// joins has one device link open, and notes who came over it.
type joins struct {
	link  identity.DeviceLink
	came  []peer.Joiner
	nonce [32]byte
	err   error
}

func (j *joins) JoinSecret(tag [16]byte) (identity.DeviceLink, bool) {
	return j.link, j.link.Tag() == tag
}

func (j *joins) Joining(_ [16]byte, who peer.Joiner) ([32]byte, error) {
	j.came = append(j.came, who)
	return j.nonce, j.err
}

func newJoins() *joins {
	return &joins{
		link:  identity.DeviceLink{Secret: [32]byte(wire.Random(32)), Expiry: uint64(time.Now().Add(time.Hour).Unix())},
		nonce: [32]byte(wire.Random(32)),
	}
}

func TestJoin(t *testing.T) {
	ann, phone, open := newSomebody(t, "Ann"), identity.NewDevice(), newJoins()
	a, b := connect(t)
	cfg := ann.config()
	cfg.Joins = open
	got := accept(t.Context(), b, cfg)
	nonce := [32]byte(wire.Random(32))
	x, maker, err := peer.Join(t.Context(), a, peer.Config{Device: phone}, open.link, nonce)
	if err != nil {
		t.Fatal(err)
	}
	y := <-got
	if y.err != nil {
		t.Fatal(y.err)
	}
	if maker.Member != ann.member() || maker.Nonce != open.nonce || !maker.Key.Equal(ann.device.PublicKey()) || x.Remote() != ann.member() {
		t.Errorf("the maker is taken for %+v", maker)
	}
	if y.session.Remote() != (wire.Member{Device: phone.ID()}) {
		t.Errorf("the new device is taken for %+v", y.session.Remote())
	}
	j := open.came[0]
	if len(open.came) != 1 || j.Device() != phone.ID() || !bytes.Equal(j.KnockKey, phone.KnockKey()) || j.Commit != peer.Committed(nonce, phone.PublicKey(), phone.KnockKey()) {
		t.Errorf("%d came: %+v", len(open.came), j.Device())
	}
	run(t, x)
	run(t, y.session)
	if err := x.Send(peer.Message{Payload: []byte("hello")}); err != nil {
		t.Fatal(err)
	}
	if m := <-y.session.Messages(); string(m.Payload) != "hello" {
		t.Fatalf("got %q", m.Payload)
	}
}

// Whoever has no link that is open hears nothing.
func TestJoinRefused(t *testing.T) {
	for name, change := range map[string]func(cfg *peer.Config, open *joins, l *identity.DeviceLink){
		"no link is open": func(cfg *peer.Config, _ *joins, _ *identity.DeviceLink) { cfg.Joins = nil },
		"another link":    func(_ *peer.Config, _ *joins, l *identity.DeviceLink) { l.Secret[0]++ },
		"used before":     func(_ *peer.Config, open *joins, _ *identity.DeviceLink) { open.err = errors.New("used") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ann, open := newSomebody(t, "Ann"), newJoins()
				l := open.link
				cfg := ann.config()
				cfg.Joins = open
				change(&cfg, open, &l)
				a, b := connect(t)
				got := accept(t.Context(), b, cfg)
				_, _, err := peer.Join(t.Context(), a, peer.Config{Device: identity.NewDevice()}, l, [32]byte{1})
				want(t, err, peer.ErrSilent)
				want(t, (<-got).err, peer.ErrStranger)
			})
		})
	}
}

// A first frame that was heard on another connection, or has another key in it, is a
// stranger's; so is an answer of before.
func TestJoinReplayed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ann, phone, open := newSomebody(t, "Ann"), identity.NewDevice(), newJoins()
		cfg := ann.config()
		cfg.Joins = open
		a, b := connect(t)
		heard := make(chan []byte, 1)
		go func() {
			frame, _ := b.Read(t.Context())
			heard <- frame
		}()
		go func() { _, _, _ = peer.Join(t.Context(), a, peer.Config{Device: phone}, open.link, [32]byte{1}) }()
		frame := <-heard
		a, b = connect(t)
		got := accept(t.Context(), b, cfg)
		if err := a.Write(t.Context(), frame); err != nil {
			t.Fatal(err)
		}
		want(t, (<-got).err, peer.ErrStranger)
		if len(open.came) != 0 {
			t.Error("a frame of another connection was taken")
		}
	})
}

func TestJoinExpired(t *testing.T) {
	open := newJoins()
	open.link.Expiry = uint64(time.Now().Unix())
	a, _ := connect(t)
	_, _, err := peer.Join(t.Context(), a, peer.Config{Device: identity.NewDevice()}, open.link, [32]byte{1})
	want(t, err, peer.ErrExpired)
}
