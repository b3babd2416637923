package portmap

import (
	"context"
	"crypto/rand"
	"log/slog"
	"sync"
)

// A Config says what is to be mapped.
type Config struct {
	// Port of this machine, UDP and TCP.
	Port uint16
	// Nonce marks our mappings to a router that speaks PCP: with another one it
	// refuses what it holds for us since before a crash, until that lease ends. So
	// it is kept with the port. Zero: a random one.
	Nonce [12]byte
	// Route says how this machine gets out; nil: the system's routing table.
	Route func(six bool) (Route, error)
	// Log may be nil.
	Log *slog.Logger

	pace pace
}

// A Mapper keeps a port mapped.
type Mapper struct {
	cfg     Config
	log     *slog.Logger
	changed chan struct{}
	sides   [2]*side // IPv4, IPv6
	cancel  context.CancelFunc
	wg      sync.WaitGroup

	mu    sync.Mutex // guards state
	state State
}

// Open begins to ask the router.
func Open(cfg Config) *Mapper {
	if cfg.Route == nil {
		cfg.Route = systemRoute
	}
	if cfg.Nonce == [12]byte{} {
		rand.Read(cfg.Nonce[:])
	}
	if cfg.pace == (pace{}) {
		cfg.pace = normalPace()
	}
	m := &Mapper{cfg: cfg, log: cfg.Log, changed: make(chan struct{}, 1)}
	if m.log == nil {
		m.log = slog.New(slog.DiscardHandler)
	}
	m.state = State{IPv4: unasked(), IPv6: unasked()}
	ctx, cancel := context.WithCancel(context.Background())
	m.cancel = cancel
	for i := range m.sides {
		s := newSide(m, i == 1)
		m.sides[i] = s
		m.wg.Go(func() { s.run(ctx) })
	}
	return m
}

func unasked() Side {
	s := Side{Reason: NotAsked}
	for i := range s.Tried {
		s.Tried[i] = NotAsked
	}
	return s
}

// Kick asks anew: the network is another, or the machine slept.
func (m *Mapper) Kick() {
	for _, s := range m.sides {
		select {
		case s.kick <- struct{}{}:
		default:
		}
	}
}

// State is what is mapped now.
func (m *Mapper) State() State {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.state
}

// Changed yields after State changed in more than the time until when. Several
// changes may yield once. It is never closed.
func (m *Mapper) Changed() <-chan struct{} { return m.changed }

// Close takes the mappings back, for which a router has 3 s, and ends the Mapper.
func (m *Mapper) Close() error {
	m.cancel()
	m.wg.Wait()
	return nil
}

// publish puts what one side found into the state.
func (m *Mapper) publish(six bool, now Side) {
	m.mu.Lock()
	at := &m.state.IPv4
	if six {
		at = &m.state.IPv6
	}
	before := *at
	*at = now
	m.mu.Unlock()
	if before.same(now) {
		return
	}
	m.log.Info("port mapping changed", "six", six, "way", now.Way.String(), "reason", string(now.Reason), "mapped", now.Mapped())
	select {
	case m.changed <- struct{}{}:
	default:
	}
}
