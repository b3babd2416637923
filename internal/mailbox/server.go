package mailbox

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"kith/internal/link"
)

// Config is what a Server serves with.
type Config struct {
	Link   link.Link
	Engine Engine
	Access [32]byte
	// KeepHours bounds the life of a drop; zero: DefaultKeep days.
	KeepHours uint16
	Bounds    Bounds // what Room tells; those of the engine
	// Source names the source of a connection for its allowances; nil: its IPv4 address or
	// IPv6 /64, and no allowances on loopback and in memory.
	Source func(link.Address) string
	Log    *slog.Logger // never told of names, capabilities, or addresses; may be nil
}

// A Server is one mailbox.
type Server struct {
	cfg     Config
	log     *slog.Logger
	access  atomic.Pointer[[32]byte]
	hub     hub
	sources allowances
	count   counters
	started time.Time
	// nobody stands for the drop that is not there, so that it is compared with like
	// one that is.
	nobody Drop
}

// NewServer makes a mailbox; Run serves it.
func NewServer(cfg Config) *Server {
	if cfg.KeepHours == 0 {
		cfg.KeepHours = DefaultKeep * 24
	}
	if cfg.Source == nil {
		cfg.Source = sourceOf
	}
	cfg.Bounds = cfg.Bounds.WithDefaults()
	s := &Server{cfg: cfg, log: cfg.Log, started: time.Now()}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	rand.Read(s.nobody.Write[:])
	rand.Read(s.nobody.Read[:])
	s.SetAccess(cfg.Access)
	if e, ok := cfg.Engine.(Shared); ok {
		e.OnPut(s.hub.tell)
	}
	return s
}

// SetAccess changes the access secret: who has the former can make no more drops,
// and still uses those that are there.
func (s *Server) SetAccess(access [32]byte) { s.access.Store(&access) }

// Run serves until ctx ends or the link fails, and waits for what it started. It
// closes neither link nor engine.
func (s *Server) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	wg.Go(func() { s.sweep(ctx) })
	for {
		c, err := s.cfg.Link.Accept(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		}
		wg.Go(func() { s.serve(ctx, c) })
	}
}

// sweep deletes expired drops until ctx ends.
func (s *Server) sweep(ctx context.Context) {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		if err := s.cfg.Engine.Expire(ctx, hourNow()); err != nil && ctx.Err() == nil {
			s.log.Error("expired drops could not be deleted", "error", err)
		}
		s.sources.forget(time.Now())
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// hourNow is the hour since 1970.
func hourNow() uint32 { return uint32(time.Now().Unix() / 3600) }

// find returns the drop if the capability is that which pick chooses of it. It does
// the same for a drop that is not there.
func (s *Server) find(ctx context.Context, f frame, pick func(Drop) [32]byte) (Held, error) {
	held, found, err := s.cfg.Engine.Find(ctx, f.name)
	if err != nil {
		return Held{}, err
	}
	against, missing := s.nobody, int64(1)
	if found {
		against, missing = held.Drop, 0
	}
	s.count.missing.Add(missing)
	given, wanted := f.cap.hash(), pick(against)
	right := subtle.ConstantTimeCompare(given[:], wanted[:]) == 1
	if !right || !found || held.Expires <= hourNow() {
		return Held{}, ErrRefused
	}
	return held, nil
}

func toWrite(d Drop) [32]byte { return d.Write }
func toRead(d Drop) [32]byte  { return d.Read }

// refusal is the answer that says err to a client.
func (s *Server) refusal(tag uint32, err error) frame {
	f := frame{kind: kindRefusal, tag: tag, why: whyRefused}
	full, isFull := errors.AsType[*FullError](err)
	switch {
	case errors.Is(err, ErrRefused):
		s.count.refused.Add(1)
	case isFull:
		f.why, f.retry = uint8(full.What), uint32(full.Retry.Seconds())
		if full.What == LimitRate {
			s.count.limited.Add(1)
		} else {
			s.count.full.Add(1)
		}
	default:
		s.count.failed.Add(1)
		s.log.Error("the store failed", "error", err)
		f.why, f.retry = uint8(LimitDisk), 600
	}
	return f
}
