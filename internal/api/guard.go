package api

import (
	"context"
	"net/http"
	"strings"

	"connectrpc.com/connect"

	"kith/proto/kith/v1/kithv1connect"
)

// policy is the Content-Security-Policy of the page, as docs/spec/api.md and
// web/vite.config.ts have it.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; connect-src 'self'; " +
	"worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types svelte-trusted-html kith-worker"

// side says where a request came in.
type side int

const (
	sideWeb side = iota
	sideSocket
)

type sideKey struct{}

// withSide marks every request of a server.
func withSide(ctx context.Context, s side) context.Context {
	return context.WithValue(ctx, sideKey{}, s)
}

// sideOf is sideWeb, which may less, unless the request is marked otherwise.
func sideOf(ctx context.Context) side {
	s, _ := ctx.Value(sideKey{}).(side)
	return s
}

// guard stands before everything of the web side.
type guard struct {
	hosts    map[string]bool // HOST:PORT under which the page is served
	sessions *sessions
	refuse   *connect.ErrorWriter
	locked   func() bool
	next     http.Handler
}

func newGuard(port string, s *sessions, locked func() bool, next http.Handler) *guard {
	hosts := make(map[string]bool)
	for _, host := range []string{"localhost", "127.0.0.1", "[::1]"} {
		hosts[host+":"+port] = true
	}
	return &guard{hosts: hosts, sessions: s, refuse: connect.NewErrorWriter(), locked: locked, next: next}
}

func (g *guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	setHeaders(w.Header())
	if !g.hosts[r.Host] {
		http.Error(w, "This is Kith, and it does not go by that name. Open the address that kith open prints.", http.StatusMisdirectedRequest)
		return
	}
	if !sameOrigin(r) {
		http.Error(w, "Another page asked for this. Kith answers its own page alone.", http.StatusForbidden)
		return
	}
	if isCall(r) && !atDoor[r.URL.Path] && !g.sessions.valid(bearer(r)) {
		why := ReasonToken
		if g.locked() { // a login would be of no use
			why = ReasonLocked
		}
		// Write fails only where the client is gone.
		_ = g.refuse.Write(w, r, asConnect(&Error{Reason: why}))
		return
	}
	g.next.ServeHTTP(w, r)
}

func isCall(r *http.Request) bool {
	return strings.HasPrefix(r.URL.Path, "/"+kithv1connect.KithServiceName+"/")
}

// sameOrigin compares Origin with Host, which is checked already. Browsers send
// Origin with every call; programs send none. A link on another page may open
// ours, but nothing else may come from there.
func sameOrigin(r *http.Request) bool {
	if origins := r.Header.Values("Origin"); len(origins) > 0 && (len(origins) > 1 || origins[0] != "http://"+r.Host) {
		return false
	}
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
		return true
	}
	return !isCall(r) && r.Method == http.MethodGet && r.Header.Get("Sec-Fetch-Mode") == "navigate"
}

func bearer(r *http.Request) string {
	values := r.Header.Values("Authorization")
	if len(values) != 1 {
		return ""
	}
	token, ok := strings.CutPrefix(values[0], "Bearer ")
	if !ok {
		return ""
	}
	return token
}

func setHeaders(h http.Header) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(self), microphone=(self), geolocation=(), payment=(), usb=()")
	h.Set("Cache-Control", "no-store")
}
