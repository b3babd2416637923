package api

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"connectrpc.com/connect"
	"golang.org/x/sync/errgroup"

	"kith/internal/node"
	"kith/internal/store"
	"kith/proto/kith/v1/kithv1connect"
	"kith/web"
)

// Config says what to serve. Home is needed, and Node or Open.
type Config struct {
	Node *node.Node // nil: the home is locked
	// Open opens the home; its error says why not. With it the server runs and
	// closes Node, and each that it opens; nil: the caller does, and never locks.
	Open func(store.Passphrase) (*node.Node, error)
	// Anew ends Run with [ErrLocked] once the home is locked, so that the program can
	// begin anew with memory that holds nothing of it: Files are then its addresses,
	// which the next one takes as Inherited.
	Anew      bool
	Inherited []*os.File
	Home      string
	Web       string // HOST:PORT of the page, loopback alone; empty: the port kept in the home, or any
	Version   string
	Log       *slog.Logger     // nil: none
	Now       func() time.Time // when codes end; nil: time.Now
	Page      fs.FS            // files of the page; nil: those that were built in
}

// A Server serves one home: on its socket, and on localhost.
type Server struct {
	cfg      Config
	sessions *sessions
	idle     *idle
	port     int
	moved    bool

	life atomic.Pointer[life] // nil: locked; written by keep alone
	anew atomic.Bool          // Run is to end for a lock
	asks chan ask             // what keep is to do
	kept chan struct{}        // closed when keep has ended

	socket *socket
	web    []net.Listener
	files  []*os.File // of both, in this order, to be handed on

	quit     chan struct{} // closed when streams have to end
	quitOnce sync.Once
}

// Listen binds all addresses, so that what is in the way is known before
// anything runs. Run serves them; without Run, Close lets go of them.
func Listen(cfg Config) (*Server, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Page == nil {
		cfg.Page = web.Files()
	}
	s := &Server{
		cfg: cfg, sessions: newSessions(cfg.Now), idle: newIdle(cfg.Now),
		asks: make(chan ask), kept: make(chan struct{}), quit: make(chan struct{}),
	}
	if len(cfg.Inherited) > 0 {
		return s, s.inherit(cfg.Inherited)
	}
	var err error
	if s.socket, err = listenSocket(cfg.Home); err != nil {
		return nil, err
	}
	if s.web, s.port, s.moved, err = listenWeb(cfg.Home, cfg.Web); err != nil {
		s.socket.Close()
		return nil, err
	}
	return s, nil
}

// Address is that of the page.
func (s *Server) Address() string { return "http://localhost:" + strconv.Itoa(s.port) }

// Moved tells that the page's port of earlier runs was taken, so that it has
// another one now.
func (s *Server) Moved() bool { return s.moved }

// NewLogin returns the page's address with a login that is good once, for a
// minute.
func (s *Server) NewLogin() string { return s.Address() + "/#login=" + s.sessions.newCode() }

// SSH is what brings the page to a machine that has a browser.
func (s *Server) SSH() string {
	host, err := os.Hostname()
	if err != nil || host == "" {
		host = "THIS-MACHINE"
	}
	return fmt.Sprintf("ssh -L %d:localhost:%d %s", s.port, s.port, host)
}

// Run serves until ctx ends, or a client on the socket asks the node to stop;
// then it returns nil, streams having ended and calls been answered.
func (s *Server) Run(ctx context.Context) error {
	const calls = "/" + kithv1connect.KithServiceName + "/"
	answer := s.answer(patient(s.quit, s.handlerOf(&service{door: door{s}})))
	onSocket := http.NewServeMux()
	onSocket.Handle(calls, answer)
	onWeb := http.NewServeMux()
	onWeb.Handle(calls, answer)
	onWeb.Handle("/", patient(s.quit, page{s.cfg.Page}))
	return s.serve(ctx, s.server(onSocket, sideSocket), s.server(newGuard(strconv.Itoa(s.port), s.sessions, s.locked, onWeb), sideWeb))
}

// serve runs both servers, and what keeps the node.
func (s *Server) serve(ctx context.Context, onSocket, onWeb *http.Server) error {
	if err := s.prepareHandover(); err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	if s.cfg.Node != nil { // before anybody is answered
		if err := s.begin(ctx, s.cfg.Node); err != nil {
			s.Close()
			return errors.Join(err, s.lock())
		}
		s.cfg.Node = nil // the life has it, and nothing else when that ends
	}
	g.Go(func() error { return s.keep(ctx) })
	g.Go(func() error { return serve(onSocket, s.socket) })
	for _, l := range s.web {
		g.Go(func() error { return serve(onWeb, l) })
	}
	g.Go(func() error {
		select {
		case <-ctx.Done():
		case <-s.quit:
		}
		s.end()
		return errors.Join(shutdown(onSocket), shutdown(onWeb))
	})
	return s.handOver(g.Wait())
}

// Close lets go of the addresses; Run does it by itself.
func (s *Server) Close() {
	s.end()
	closeAll(s.web)
	s.socket.Close()
}

// locked reports whether there is no node.
func (s *Server) locked() bool { return s.life.Load() == nil }

// end ends streams, and with them Run.
func (s *Server) end() { s.quitOnce.Do(func() { close(s.quit) }) }

func (s *Server) server(h http.Handler, from side) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: headerPatience,
		IdleTimeout:       idlePatience,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(s.cfg.Log.Handler(), slog.LevelWarn),
		ConnContext:       func(ctx context.Context, _ net.Conn) context.Context { return withSide(ctx, from) },
	}
}

func serve(server *http.Server, l net.Listener) error {
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("api: %w", err)
	}
	return nil
}

// shutdown lets calls that run end, but not for ever.
func shutdown(server *http.Server) error {
	ctx, cancel := context.WithTimeout(context.Background(), stopPatience)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		return server.Close()
	}
	return nil
}

// recovered answers a call whose handler panicked: a fault of ours, by which
// other calls must not end.
func (s *Server) recovered(_ context.Context, spec connect.Spec, _ http.Header, fault any) error {
	s.cfg.Log.Error("a call panicked", "call", spec.Procedure, "fault", fault, "stack", string(debug.Stack()))
	return asConnect(errPanic)
}

var errPanic = errors.New("a fault of the program, which its log tells more of")
