package peer_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"kith/internal/chain"
	"kith/internal/identity"
	"kith/internal/link"
	"kith/internal/peer"
	"kith/internal/wire"
)

// somebody is one person with one device, and what that device knows of others.
type somebody struct {
	device  *identity.Device
	id      wire.PersonID
	info    identity.Info
	headers [][]byte
	state   *chain.State
	bans    peer.Bans

	mu     sync.Mutex // guards the rest
	known  map[wire.Member]peer.Known
	links  map[[16]byte][32]byte
	asked  []peer.Request
	reject bool // Asked fails
}

func newSomebody(t testing.TB, name string) *somebody {
	t.Helper()
	info, err := identity.NewInfo(name)
	if err != nil {
		t.Fatal(err)
	}
	s := &somebody{
		device: identity.NewDevice(), info: info,
		known: make(map[wire.Member]peer.Known), links: make(map[[16]byte][32]byte),
	}
	knock := s.device.KnockKey()
	s.block(t, nil, &chain.Genesis{
		Nonce:    [32]byte(wire.Random(32)),
		Device:   chain.DeviceEntry{Key: [32]byte(s.device.PublicKey()), KnockHash: chain.KnockHash(knock)},
		Info:     info.Commit(),
		Recovery: &chain.RecoveryKeys{Key: [32]byte(wire.Random(32))},
		Cites:    []wire.Digest{chain.Cite(knock)},
	})
	return s
}

// block appends a signed header to the person's chain.
func (s *somebody) block(t testing.TB, parent *chain.Header, op chain.Op) *chain.Header {
	t.Helper()
	p := chain.DraftParams{
		Suite:     chain.SuiteXWing,
		Author:    wire.Member{Device: s.device.ID()},
		AuthorSeq: 1,
		Ops:       []chain.Op{op},
	}
	if parent != nil {
		p.Parent, p.Group, p.AuthorSeq = parent.Hash(), parent.GroupID(), parent.AuthorSeq+1
	}
	h, state, err := chain.Draft(s.state, p)
	if err != nil {
		t.Fatal(err)
	}
	h.Seal(wire.Digest{}, wire.Digest{}, wire.Digest{}, wire.Digest{}, s.device.Sign)
	s.headers, s.state = append(s.headers, h.Bytes()), state
	if parent == nil {
		s.id = wire.PersonID(h.Hash())
	}
	return h
}

func (s *somebody) member() wire.Member {
	return wire.Member{Person: s.id, Device: s.device.ID()}
}

func (s *somebody) target() peer.Target {
	return peer.Target{Member: s.member(), Key: s.device.PublicKey(), KnockKey: s.device.KnockKey()}
}

func (s *somebody) card() peer.Card {
	return peer.Card{
		Headers: s.headers, Info: s.info.Marshal(), KnockKey: s.device.KnockKey(),
		KeyPackages: [][]byte{[]byte("package one"), []byte("package two")},
		Peer:        []byte("link of " + s.info.Name), Hosts: []string{"/ip4/192.0.2.1/udp/4001/quic-v1"},
	}
}

func (s *somebody) config() peer.Config {
	return peer.Config{Device: s.device, Person: s.id, Directory: s, Bans: &s.bans}
}

// knows makes other a friend of s.
func (s *somebody) knows(other *somebody) {
	s.known[other.member()] = peer.Known{Member: other.member(), Key: other.device.PublicKey()}
}

// contactLink makes a link that s will recognise.
func (s *somebody) contactLink() identity.ContactLink {
	l := identity.ContactLink{
		Person: s.id, Secret: [32]byte(wire.Random(32)),
		Expiry: uint64(time.Now().Add(time.Hour).Unix()),
	}
	s.links[l.Tag()] = l.Secret
	return l
}

func (s *somebody) Recognise(m wire.Member) (peer.Known, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, ok := s.known[m]
	return k, ok
}

func (s *somebody) LinkSecret(tag [16]byte) ([32]byte, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	secret, ok := s.links[tag]
	return secret, ok
}

func (s *somebody) Asked(tag [16]byte, r peer.Request) (peer.Card, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.reject {
		return peer.Card{}, errors.New("not wanted")
	}
	s.asked = append(s.asked, r)
	delete(s.links, tag) // a link works once
	return s.card(), nil
}

// friends are two people who know each other.
func friends(t testing.TB) (ann, ben *somebody) {
	t.Helper()
	ann, ben = newSomebody(t, "Ann"), newSomebody(t, "Ben")
	ann.knows(ben)
	ben.knows(ann)
	return ann, ben
}

// A tap records every frame handed to Write.
type tap struct {
	link.Conn
	mu     sync.Mutex
	frames [][]byte
}

func (c *tap) Write(ctx context.Context, frame []byte) error {
	c.mu.Lock()
	c.frames = append(c.frames, append([]byte{}, frame...))
	c.mu.Unlock()
	return c.Conn.Write(ctx, frame)
}

func (c *tap) written() [][]byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.frames
}

// connect returns both ends of a new connection in memory; a has dialled.
func connect(t testing.TB) (a, b *tap) {
	t.Helper()
	net := link.NewMemNet()
	return dial(t, link.NewMem(net, "a"), link.NewMem(net, "b"))
}

func dial(t testing.TB, from, to link.Link) (a, b *tap) {
	t.Helper()
	ctx := t.Context()
	type result struct {
		conn link.Conn
		err  error
	}
	accepted := make(chan result, 1)
	go func() {
		c, err := to.Accept(ctx)
		accepted <- result{c, err}
	}()
	x, err := from.Dial(ctx, to.Address())
	if err != nil {
		t.Fatal(err)
	}
	y := <-accepted
	if y.err != nil {
		t.Fatal(y.err)
	}
	return &tap{Conn: x}, &tap{Conn: y.conn}
}

// acceptance is what Accept returned, and when it did after it was called.
type acceptance struct {
	session *peer.Session
	err     error
	took    time.Duration
}

func accept(ctx context.Context, conn link.Conn, cfg peer.Config) <-chan acceptance {
	out := make(chan acceptance, 1)
	go func() {
		start := time.Now()
		s, err := peer.Accept(ctx, conn, cfg)
		out <- acceptance{s, err, time.Since(start)}
	}()
	return out
}

// meet returns the two sessions of a knock.
func meet(t testing.TB, from, to *somebody, a, b link.Conn) (dialled, accepted *peer.Session) {
	t.Helper()
	got := accept(t.Context(), b, to.config())
	dialled, err := peer.Knock(t.Context(), a, from.config(), to.target())
	if err != nil {
		t.Fatalf("Knock: %v", err)
	}
	y := <-got
	if y.err != nil {
		t.Fatalf("Accept: %v", y.err)
	}
	return dialled, y.session
}

// run runs a session and returns where its end is told.
func run(t testing.TB, s *peer.Session) <-chan error {
	t.Helper()
	out := make(chan error, 1)
	ctx, cancel := context.WithCancel(context.Background())
	go func() { out <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		<-s.Done()
	})
	return out
}

func want(t testing.TB, err, target error) {
	t.Helper()
	if !errors.Is(err, target) {
		t.Fatalf("error %v, want %v", err, target)
	}
}
