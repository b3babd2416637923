package api

import (
	"context"
	"errors"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	"connectrpc.com/connect"

	"kith/internal/node"
	"kith/proto/kith/v1/kithv1connect"
)

// A life is one node that is open: from an unlocking, or the start, to a lock, or
// the end.
//
//	locked --Unlock--> life --Lock, idle, duress--> locked
type life struct {
	*Server
	node    *node.Node
	handler http.Handler
	quit    chan struct{} // closed when streams have to end

	mu     sync.Mutex // guards closed, and the adding to calls
	closed bool
	calls  sync.WaitGroup

	cancel context.CancelFunc // ends the node; nil: it is run by whoever made the server
	ended  chan error         // what the node's Run returned
}

func (s *Server) newLife(n *node.Node) *life {
	l := &life{Server: s, node: n, quit: make(chan struct{}), ended: make(chan error, 1)}
	l.handler = patient(l.quit, s.handlerOf(&service{life: l, door: door{s}}))
	return l
}

// handlerOf answers the calls of proto/kith/v1.
func (s *Server) handlerOf(calls kithv1connect.KithServiceHandler) http.Handler {
	_, handler := kithv1connect.NewKithServiceHandler(calls,
		connect.WithReadMaxBytes(maxRequest),
		connect.WithCompression("gzip", nil, nil), // nothing leaves the machine
		connect.WithRecover(s.recovered),
	)
	return handler
}

// enter counts a call; false once the life ends.
func (l *life) enter() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		l.calls.Add(1)
	}
	return !l.closed
}

// over is what a stream is told at its end.
func (l *life) over() error {
	select {
	case <-l.Server.quit:
		return asConnect(&node.Error{Reason: node.ReasonStopping})
	default:
		return asConnect(&Error{Reason: ReasonLocked})
	}
}

// begin runs the node.
func (l *life) begin(ctx context.Context) {
	ctx, l.cancel = context.WithCancel(ctx)
	go func() { l.ended <- l.node.Run(ctx) }()
}

// finish ends streams, lets calls end, and then the node.
func (l *life) finish() error {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	close(l.quit)
	if l.cancel == nil {
		return nil
	}
	done := make(chan struct{})
	go func() { l.calls.Wait(); close(done) }()
	late := time.NewTimer(stopPatience)
	defer late.Stop()
	select {
	case <-done:
	case <-late.C: // the database refuses what they still want of it
	}
	l.cancel()
	err := errors.Join(<-l.ended, l.node.Close())
	debug.FreeOSMemory() // clears what held keys and messages
	return err
}

// An ask is done by keep, one at a time. The context is that of every life.
type ask struct {
	do     func(lives context.Context) error
	answer chan error
}

// keep owns the life: it alone begins and finishes one, when asked, or when nobody
// has been there for too long. It returns when ctx ends or the node fails.
func (s *Server) keep(ctx context.Context) error {
	defer close(s.kept)
	defer s.idle.stop()
	open := false // the home was, in the time of this program
	for {
		if s.idle.over() {
			if err := s.lock(); err != nil {
				return err
			}
		}
		var failed chan error
		if l := s.life.Load(); l != nil {
			failed, open = l.ended, true
		} else if open && s.cfg.Anew {
			s.anew.Store(true)
			s.socket.kept.Store(true)
			s.end()
			return nil
		}
		select {
		case a := <-s.asks:
			a.answer <- a.do(ctx)
		case <-s.idle.changed:
		case <-s.idle.look():
		case err := <-failed:
			failed <- err // finish takes it
			s.end()
			return s.lock()
		case <-ctx.Done():
			s.end()
			return s.lock()
		case <-s.quit:
			return s.lock()
		}
	}
}

// begin makes n the node that is served. Only keep calls it, as those below.
func (s *Server) begin(ctx context.Context, n *node.Node) error {
	l := s.newLife(n)
	if s.cfg.Open != nil {
		l.begin(ctx)
	}
	s.life.Store(l)
	return s.watch()
}

// watch goes by what is chosen for when nobody is there.
func (s *Server) watch() error {
	locks, err := s.locks()
	l := s.life.Load()
	if err != nil || l == nil || !locks {
		s.idle.after(0)
		return err
	}
	settings, err := l.node.Settings()
	if err != nil {
		return err
	}
	s.idle.after(settings.LockAfter)
	return nil
}

// lock ends the life, if there is one.
func (s *Server) lock() error {
	s.idle.after(0)
	l := s.life.Swap(nil)
	if l == nil {
		return nil
	}
	s.sessions.end()
	return l.finish()
}

// tell has keep do something, and waits for it.
func (s *Server) tell(ctx context.Context, do func(lives context.Context) error) error {
	a := ask{do, make(chan error, 1)}
	select {
	case s.asks <- a:
	case <-s.kept:
		return &node.Error{Reason: node.ReasonStopping}
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-a.answer:
		return err
	case <-s.kept:
	}
	select {
	case err := <-a.answer: // given before it ended
		return err
	default:
		return &node.Error{Reason: node.ReasonStopping}
	}
}
