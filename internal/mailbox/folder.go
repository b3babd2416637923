package mailbox

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"kith/internal/identity"
	"kith/internal/link"
)

// FolderConfig says how a mailbox is served from its one folder, which holds:
//
//	link.key      seed of the link key, 32 bytes
//	access.key    access secret, 32 bytes
//	mailbox.db    drops and items, with -wal and -shm beside it while it runs
//	mailbox.lock  keeps a second program out
//	mailbox.sock  where status is asked, by this user alone
type FolderConfig struct {
	Dir     string
	Listen  string                                // as of link.DirectConfig
	Reach   []string                              // hosts to put into the address in place of those of this machine
	Open    func(context.Context) (Engine, error) // of what keeps the items; nil: mailbox.db of the folder
	Bounds  Bounds
	Hours   uint16 // life of a drop at most; zero: the default
	Metrics string // HOST:PORT on loopback for Prometheus; empty: none
	Log     *slog.Logger
	Ready   func(box string, s Status) // called once it serves; nil: nobody
}

const socketName = "mailbox.sock"

// statusWait bounds the wait for servers' word on themselves.
const statusWait = 2 * time.Second

// maxSocketPath is what the smallest system takes for the path of a Unix socket.
const maxSocketPath = 103

// ErrFolderPath: the path of the folder leaves no room for the socket's.
var ErrFolderPath = errors.New("mailbox: the path of the folder is too long for a socket in it")

// ErrMetrics: metrics are for this machine alone.
var ErrMetrics = errors.New("mailbox: metrics are served on a loopback address alone, such as 127.0.0.1:9000")

// folder is a mailbox that serves.
type folder struct {
	cfg    FolderConfig
	link   link.Link
	server *Server
}

// ServeFolder serves the mailbox of a folder until ctx ends.
func ServeFolder(ctx context.Context, cfg FolderConfig) error {
	if len(cfg.Dir)+1+len(socketName) > maxSocketPath {
		return ErrFolderPath
	}
	if cfg.Open == nil {
		cfg.Open = func(context.Context) (Engine, error) {
			return OpenSQLite(SQLiteConfig{Dir: cfg.Dir, Bounds: cfg.Bounds})
		}
	}
	engine, err := cfg.Open(ctx)
	if err != nil {
		return err
	}
	err = serveWith(ctx, cfg, engine)
	return errors.Join(err, engine.Close())
}

func serveWith(ctx context.Context, cfg FolderConfig, engine Engine) error {
	seed, err := keyFile(filepath.Join(cfg.Dir, "link.key"))
	if err != nil {
		return err
	}
	access, err := keyFile(filepath.Join(cfg.Dir, "access.key"))
	if err != nil {
		return err
	}
	l, err := link.NewDirect(link.DirectConfig{Listen: cfg.Listen, KeySeed: seed, Many: true, Log: cfg.Log})
	if err != nil {
		return err
	}
	defer l.Close()
	f := &folder{cfg: cfg, link: l}
	f.server = NewServer(Config{Link: l, Engine: engine, Access: access, KeepHours: cfg.Hours, Bounds: cfg.Bounds, Log: cfg.Log})
	web, err := f.listen()
	if err != nil {
		return err
	}
	return f.run(ctx, web)
}

// run serves link and web until ctx ends or one of them fails.
func (f *folder) run(ctx context.Context, web []web) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	errs := make(chan error, len(web)+1)
	wg.Go(func() { errs <- f.server.Run(ctx); cancel() })
	for _, w := range web {
		wg.Go(func() {
			if err := w.server.Serve(w.at); !errors.Is(err, http.ErrServerClosed) {
				errs <- err
			}
			cancel()
		})
	}
	if f.cfg.Ready != nil {
		text, err := f.address()
		if err != nil {
			errs <- err
			cancel()
		} else {
			f.cfg.Ready(text, f.status())
		}
	}
	<-ctx.Done()
	for _, w := range web {
		w.server.Close()
	}
	wg.Wait()
	close(errs)
	var all []error
	for err := range errs {
		all = append(all, err)
	}
	return errors.Join(all...)
}

// keyFile reads 32 secret bytes, or draws them.
func keyFile(path string) (key [32]byte, err error) {
	b, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		rand.Read(key[:])
		return key, WriteSecret(path, key[:])
	case err != nil:
		return key, fmt.Errorf("mailbox: key: %w", err)
	case len(b) != len(key):
		return key, fmt.Errorf("mailbox: %s is no key: it has %d bytes in place of 32", filepath.Base(path), len(b))
	}
	return [32]byte(b), nil
}

// WriteSecret puts a secret in place of what is there, whole and durable, for this user alone.
func WriteSecret(path string, secret []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".key-*") // readable by this user alone
	if err != nil {
		return translate(err)
	}
	defer os.Remove(f.Name())
	_, err = f.Write(secret)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return translate(err)
	}
	return syncDir(filepath.Dir(path))
}

// hosts are those of the address, best first.
func (f *folder) hosts() []string {
	if len(f.cfg.Reach) > 0 {
		return identity.BoxHosts(f.cfg.Reach)
	}
	return identity.BoxHosts(f.link.Address().Hosts)
}

// address is the text that people are given.
func (f *folder) address() (string, error) {
	return identity.Box{Peer: f.link.Address().Peer, Hosts: f.hosts(), Access: *f.server.access.Load()}.Text()
}

func (f *folder) status() Status {
	s := f.server.Status()
	s.Address = strings.Join(f.hosts(), ", ")
	if e, ok := f.server.cfg.Engine.(Shared); ok {
		ctx, cancel := context.WithTimeout(context.Background(), statusWait)
		defer cancel()
		s.Shared, s.Servers = true, e.Servers(ctx)
	}
	return s
}

// web is one place where HTTP is served.
type web struct {
	at     net.Listener
	server *http.Server
}

// listen binds the socket of the folder, and the place of metrics.
func (f *folder) listen() ([]web, error) {
	path := filepath.Join(f.cfg.Dir, socketName)
	// Whoever holds the folder's lock owns the socket: one that is there is stale.
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("mailbox: stale socket: %w", err)
	}
	if err := os.Chmod(f.cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("mailbox: folder: %w", err)
	}
	socket, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("mailbox: socket: %w", err)
	}
	own := http.NewServeMux()
	own.HandleFunc("GET /status", f.serveStatus)
	own.HandleFunc("GET /metrics", f.serveMetrics)
	own.HandleFunc("GET /address", f.serveAddress)
	own.HandleFunc("POST /access", f.serveAccess)
	all := []web{{socket, &http.Server{Handler: own, ReadHeaderTimeout: helloWait}}}
	if f.cfg.Metrics == "" {
		return all, nil
	}
	at, err := netip.ParseAddrPort(f.cfg.Metrics)
	if err != nil || !at.Addr().IsLoopback() {
		socket.Close()
		return nil, ErrMetrics
	}
	l, err := net.Listen("tcp", at.String())
	if err != nil {
		socket.Close()
		return nil, fmt.Errorf("mailbox: metrics: %w", err)
	}
	open := http.NewServeMux()
	open.HandleFunc("GET /metrics", f.serveMetrics)
	return append(all, web{l, &http.Server{Handler: open, ReadHeaderTimeout: helloWait}}), nil
}

func (f *folder) serveStatus(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(f.status())
}

func (f *folder) serveMetrics(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4")
	f.server.WriteMetrics(w)
}

func (f *folder) serveAddress(w http.ResponseWriter, _ *http.Request) {
	text, err := f.address()
	if err != nil {
		http.Error(w, "no host", http.StatusServiceUnavailable)
		return
	}
	io.WriteString(w, text)
}

// serveAccess changes the access secret, first in the file.
func (f *folder) serveAccess(w http.ResponseWriter, r *http.Request) {
	var key [32]byte
	rand.Read(key[:])
	if err := WriteSecret(filepath.Join(f.cfg.Dir, "access.key"), key[:]); err != nil {
		http.Error(w, "not written", http.StatusInternalServerError)
		return
	}
	f.server.SetAccess(key)
	f.serveAddress(w, r)
}

// AskStatus asks the mailbox that runs on a folder how it is.
func AskStatus(ctx context.Context, dir string) (s Status, err error) {
	b, err := askFolder(ctx, dir, http.MethodGet, "/status")
	if err == nil {
		err = json.Unmarshal(b, &s)
	}
	return s, err
}

// AskAddress asks for its address; fresh changes the access secret first.
func AskAddress(ctx context.Context, dir string, fresh bool) (string, error) {
	method, path := http.MethodGet, "/address"
	if fresh {
		method, path = http.MethodPost, "/access"
	}
	b, err := askFolder(ctx, dir, method, path)
	return string(b), err
}

func askFolder(ctx context.Context, dir, method, path string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	carrier := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, "unix", filepath.Join(dir, socketName))
		if errors.Is(err, fs.ErrPermission) {
			return nil, err // it may run, for another user
		}
		if err != nil {
			return nil, ErrNotRunning
		}
		return conn, nil
	}}
	defer carrier.CloseIdleConnections()
	r, err := http.NewRequestWithContext(ctx, method, "http://mailbox"+path, nil)
	if err != nil {
		return nil, fmt.Errorf("mailbox: ask: %w", err)
	}
	answer, err := (&http.Client{Transport: carrier}).Do(r)
	if err != nil {
		if errors.Is(err, ErrNotRunning) {
			return nil, ErrNotRunning
		}
		return nil, fmt.Errorf("mailbox: ask: %w", err)
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("mailbox: %s", strings.TrimSpace(string(b)))
	}
	return b, err
}
