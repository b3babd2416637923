package api_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"connectrpc.com/connect"

	"kith/internal/api"
	"kith/internal/node"
	v1 "kith/proto/kith/v1"
	"kith/proto/kith/v1/kithv1connect"
)

// deadline bounds everything that a test waits for.
const deadline = 30 * time.Second

// house is one running node with its server.
type house struct {
	t      *testing.T
	home   string
	node   *node.Node
	server *api.Server
	socket kithv1connect.KithServiceClient
	clock  atomic.Int64 // what the server takes for the time, ms
	stop   func()

	forgotten <-chan struct{} // closed once nothing holds the node that was opened first
}

var page = fstest.MapFS{
	"index.html":       {Data: []byte("<!doctype html><title>Kith</title>")},
	"assets/app-1.js":  {Data: []byte("export {}")},
	"assets/app-1.css": {Data: []byte("body{}")},
	"notes.exe":        {Data: []byte("MZ")},
	".gitkeep":         {},
}

// move opens a home, and serves it until the test ends.
func move(t *testing.T, name string) *house {
	t.Helper()
	h := open(t, api.Config{Home: t.TempDir(), Page: page})
	if name != "" {
		if _, err := h.socket.Setup(t.Context(), &v1.SetupRequest{Name: name}); err != nil {
			t.Fatal(err)
		}
	}
	return h
}

func open(t *testing.T, cfg api.Config) *house {
	t.Helper()
	h := &house{t: t, home: cfg.Home}
	h.clock.Store(time.Now().UnixMilli())
	n, err := node.Open(node.Config{Home: cfg.Home, Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	h.node, cfg.Node = n, n
	cfg.Version = "test"
	cfg.Now = func() time.Time { return time.UnixMilli(h.clock.Load()) }
	h.server, err = api.Listen(cfg)
	if err != nil {
		n.Close()
		t.Fatal(err)
	}
	h.socket = api.NewClient(cfg.Home)
	ctx, cancel := context.WithCancel(context.Background())
	var tasks sync.WaitGroup
	tasks.Go(func() {
		if err := n.Run(ctx); err != nil {
			t.Errorf("node: %v", err)
		}
	})
	tasks.Go(func() {
		if err := h.server.Run(ctx); err != nil {
			t.Errorf("server: %v", err)
		}
	})
	h.stop = sync.OnceFunc(func() {
		cancel()
		tasks.Wait()
		n.Close()
	})
	t.Cleanup(h.stop)
	return h
}

// code makes a login the way kith open does, and cuts the code out of it.
func (h *house) code() string {
	h.t.Helper()
	l, err := h.socket.NewLogin(h.t.Context(), &v1.NewLoginRequest{})
	if err != nil {
		h.t.Fatal(err)
	}
	const mark = "/#login="
	start := h.server.Address() + mark
	if len(l.Url) <= len(start) || l.Url[:len(start)] != start {
		h.t.Fatalf("login %q does not begin with %q", l.Url, start)
	}
	return l.Url[len(start):]
}

// web is a client of the web side; token may be empty.
func (h *house) web(token string) kithv1connect.KithServiceClient {
	return kithv1connect.NewKithServiceClient(&http.Client{Transport: &bearerTransport{token}}, h.server.Address())
}

// login is what a page does first.
func (h *house) login() (client kithv1connect.KithServiceClient, token string) {
	h.t.Helper()
	l, err := h.web("").Login(h.t.Context(), &v1.LoginRequest{Code: h.code()})
	if err != nil {
		h.t.Fatal(err)
	}
	return h.web(l.Token), l.Token
}

type bearerTransport struct{ token string }

func (b *bearerTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if b.token != "" {
		r.Header.Set("Authorization", "Bearer "+b.token)
	}
	return http.DefaultTransport.RoundTrip(r)
}

// request sends plain HTTP to the web side.
func (h *house) request(method, path string, body []byte, change func(*http.Request)) (*http.Response, string) {
	h.t.Helper()
	r, err := http.NewRequestWithContext(h.t.Context(), method, h.server.Address()+path, bytes.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	if change != nil {
		change(r)
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		h.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return resp, string(text)
}

// wantReason fails unless err is a refusal for that reason.
func wantReason(t *testing.T, err error, reason string) {
	t.Helper()
	e, ok := errors.AsType[*connect.Error](err)
	if !ok {
		t.Fatalf("error %v, want one for %s", err, reason)
	}
	if got := e.Meta().Get(api.ReasonHeader); got != reason {
		t.Fatalf("reason %q (%v), want %q", got, err, reason)
	}
}

// eventually asks until the answer is yes.
func eventually(t *testing.T, what string, yes func() bool) {
	t.Helper()
	end := time.NewTimer(deadline)
	tick := time.NewTicker(10 * time.Millisecond)
	defer end.Stop()
	defer tick.Stop()
	for !yes() {
		select {
		case <-tick.C:
		case <-end.C:
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func sockPath(home string) string { return filepath.Join(home, api.SocketName) }
