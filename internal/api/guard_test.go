package api_test

import (
	"net/http"
	"strings"
	"testing"

	"kith/internal/api"
	v1 "kith/proto/kith/v1"
	"kith/proto/kith/v1/kithv1connect"
)

const getNode = kithv1connect.KithServiceGetNodeProcedure

func asJSON(r *http.Request) { r.Header.Set("Content-Type", "application/json") }

// TestEveryCallNeedsToken walks the schema, so that a new call is noticed.
func TestEveryCallNeedsToken(t *testing.T) {
	h := move(t, "Ann")
	methods := v1.File_kith_v1_kith_proto.Services().ByName("KithService").Methods()
	if methods.Len() < 28 {
		t.Fatalf("the schema has %d calls", methods.Len())
	}
	for i := range methods.Len() {
		m := methods.Get(i)
		path := "/" + string(m.Parent().FullName()) + "/" + string(m.Name())
		for _, header := range []string{"", "Bearer ", "Bearer AAAA", "Basic QW5uOg==", "AAAA"} {
			kind := "application/json"
			body := []byte("{}")
			if m.IsStreamingServer() {
				kind = "application/connect+json"
				body = []byte("\x00\x00\x00\x00\x02{}")
			}
			resp, text := h.request(http.MethodPost, path, body, func(r *http.Request) {
				r.Header.Set("Content-Type", kind)
				if header != "" {
					r.Header.Set("Authorization", header)
				}
			})
			refused := strings.Contains(text, "unauthenticated") && strings.Contains(text, "kith open")
			if !m.IsStreamingServer() {
				refused = refused && resp.StatusCode == http.StatusUnauthorized && resp.Header.Get(api.ReasonHeader) == "api/token"
			}
			switch m.Name() { // they need none
			case "Login":
				refused = resp.StatusCode == http.StatusForbidden && resp.Header.Get(api.ReasonHeader) == "api/code"
			case "Unlock":
				why := resp.Header.Get(api.ReasonHeader)
				refused = why == "api/no-lock" || why == "api/many-passphrases"
			case "GetLock":
				refused = resp.StatusCode == http.StatusOK && text == "{}"
			}
			if !refused {
				t.Errorf("%s with %q: %s %s", m.Name(), header, resp.Status, text)
			}
		}
	}
}

// TestTokenOnlyInHeader: what a browser attaches by itself, or what stands in an
// address, is no login.
func TestTokenOnlyInHeader(t *testing.T) {
	h := move(t, "Ann")
	_, token := h.login()
	for name, change := range map[string]func(*http.Request){
		"cookie":      func(r *http.Request) { r.Header.Set("Cookie", "token="+token) },
		"query":       func(r *http.Request) { r.URL.RawQuery = "access_token=" + token },
		"two headers": func(r *http.Request) { r.Header["Authorization"] = []string{"Bearer " + token, "Bearer " + token} },
		"case":        func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+strings.ToUpper(token)) },
	} {
		resp, _ := h.request(http.MethodPost, getNode, []byte("{}"), func(r *http.Request) { asJSON(r); change(r) })
		if resp.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s: %s", name, resp.Status)
		}
	}
}

func TestHost(t *testing.T) {
	h := move(t, "Ann")
	_, token := h.login()
	_, port, _ := strings.Cut(strings.TrimPrefix(h.server.Address(), "http://"), ":")
	for host, want := range map[string]int{
		"localhost:" + port:              http.StatusOK,
		"127.0.0.1:" + port:              http.StatusOK,
		"[::1]:" + port:                  http.StatusOK,
		"localhost":                      http.StatusMisdirectedRequest,
		"localhost:1":                    http.StatusMisdirectedRequest,
		"evil.example:" + port:           http.StatusMisdirectedRequest,
		"localhost." + ":" + port:        http.StatusMisdirectedRequest,
		"localhost.evil.example:" + port: http.StatusMisdirectedRequest,
		"127.0.0.2:" + port:              http.StatusMisdirectedRequest,
		"LOCALHOST:" + port:              http.StatusMisdirectedRequest,
	} {
		for _, path := range []string{"/", getNode} {
			method := http.MethodGet
			if path == getNode {
				method = http.MethodPost
			}
			resp, _ := h.request(method, path, []byte("{}"), func(r *http.Request) {
				asJSON(r)
				r.Host = host
				r.Header.Set("Authorization", "Bearer "+token)
			})
			if resp.StatusCode != want {
				t.Errorf("%s at %s: %s", path, host, resp.Status)
			}
		}
	}
}

func TestOrigin(t *testing.T) {
	h := move(t, "Ann")
	_, token := h.login()
	own := h.server.Address()
	for _, c := range []struct {
		name         string
		origin, site string
		want         int
	}{
		{"page", own, "same-origin", http.StatusOK},
		{"program", "", "", http.StatusOK},
		{"other site", "https://evil.example", "cross-site", http.StatusForbidden},
		{"other port", "http://localhost:1", "same-site", http.StatusForbidden},
		{"other name", strings.Replace(own, "localhost", "127.0.0.1", 1), "", http.StatusForbidden},
		{"other scheme", strings.Replace(own, "http", "https", 1), "", http.StatusForbidden},
		{"a file", "null", "", http.StatusForbidden},
		{"longer", own + "0", "", http.StatusForbidden},
		{"no origin, other site", "", "cross-site", http.StatusForbidden},
	} {
		resp, _ := h.request(http.MethodPost, getNode, []byte("{}"), func(r *http.Request) {
			asJSON(r)
			r.Header.Set("Authorization", "Bearer "+token)
			if c.origin != "" {
				r.Header.Set("Origin", c.origin)
			}
			if c.site != "" {
				r.Header.Set("Sec-Fetch-Site", c.site)
			}
		})
		if resp.StatusCode != c.want {
			t.Errorf("%s: %s", c.name, resp.Status)
		}
		for name := range resp.Header {
			if strings.HasPrefix(name, "Access-Control-") {
				t.Errorf("%s: %s", c.name, name)
			}
		}
	}
	// A link elsewhere, or the file of run --open, may lead to the page, but
	// nothing of it can be used from there.
	for mode, want := range map[string]int{"navigate": http.StatusOK, "no-cors": http.StatusForbidden} {
		resp, _ := h.request(http.MethodGet, "/", nil, func(r *http.Request) {
			r.Header.Set("Sec-Fetch-Site", "cross-site")
			r.Header.Set("Sec-Fetch-Mode", mode)
		})
		if resp.StatusCode != want {
			t.Errorf("%s: %s", mode, resp.Status)
		}
	}
}

// TestHeaders spells the policy out once more: web.md fixes it.
func TestHeaders(t *testing.T) {
	h := move(t, "Ann")
	want := map[string]string{
		"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; connect-src 'self'; worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types svelte-trusted-html kith-worker",
		"X-Content-Type-Options":  "nosniff",
		"Referrer-Policy":         "no-referrer",
		"Set-Cookie":              "",
	}
	for _, path := range []string{"/", "/assets/app-1.js", "/nothing", getNode} {
		resp, _ := h.request(http.MethodGet, path, nil, nil)
		for name, value := range want {
			if got := resp.Header.Get(name); got != value {
				t.Errorf("%s: %s is %q", path, name, got)
			}
		}
	}
}

func TestPage(t *testing.T) {
	h := move(t, "")
	for _, c := range []struct {
		path   string
		status int
		kind   string
		cache  string
	}{
		{"/", 200, "text/html; charset=utf-8", "no-store"},
		{"/index.html", 200, "text/html; charset=utf-8", "no-store"},
		{"/assets/app-1.js", 200, "text/javascript; charset=utf-8", "private, max-age=31536000, immutable"},
		{"/assets/app-1.css", 200, "text/css; charset=utf-8", "private, max-age=31536000, immutable"},
		{"/notes.exe", 404, "text/plain; charset=utf-8", ""},
		{"/.gitkeep", 404, "text/plain; charset=utf-8", ""},
		{"/assets/", 404, "text/plain; charset=utf-8", ""},
		{"/assets/../index.html", 200, "text/html; charset=utf-8", "no-store"}, // the mux says where it is
		{"/%2e%2e/%2e%2e/etc/passwd", 404, "text/plain; charset=utf-8", ""},
	} {
		resp, _ := h.request(http.MethodGet, c.path, nil, nil)
		if resp.StatusCode == http.StatusMovedPermanently || resp.StatusCode == http.StatusTemporaryRedirect {
			resp, _ = h.request(http.MethodGet, resp.Header.Get("Location"), nil, nil)
		}
		if resp.StatusCode != c.status || resp.Header.Get("Content-Type") != c.kind || c.cache != "" && resp.Header.Get("Cache-Control") != c.cache {
			t.Errorf("%s: %s, %s, %s", c.path, resp.Status, resp.Header.Get("Content-Type"), resp.Header.Get("Cache-Control"))
		}
	}
	if resp, _ := h.request(http.MethodPost, "/", []byte("x"), nil); resp.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST /: %s", resp.Status)
	}
}

func TestPageNotBuilt(t *testing.T) {
	h := open(t, api.Config{Home: t.TempDir(), Page: emptyPage})
	resp, text := h.request(http.MethodGet, "/", nil, nil)
	if resp.StatusCode != http.StatusServiceUnavailable || !strings.Contains(text, "make build") {
		t.Errorf("%s: %s", resp.Status, text)
	}
}

func TestRequestBounded(t *testing.T) {
	h := move(t, "Ann")
	client, _ := h.login()
	_, err := client.Setup(t.Context(), &v1.SetupRequest{Name: strings.Repeat("x", 2<<20)})
	if err == nil || !strings.Contains(err.Error(), "resource_exhausted") {
		t.Errorf("2 MiB: %v", err)
	}
	// The longest text, in the form in which it takes the most room.
	_, err = client.Send(t.Context(), &v1.SendRequest{Chat: "Notes to self", Text: strings.Repeat("\u0001", 60<<10)})
	if err != nil {
		t.Errorf("60 KiB: %v", err)
	}
}

func TestStopOnSocketAlone(t *testing.T) {
	h := move(t, "Ann")
	client, _ := h.login()
	_, err := client.Stop(t.Context(), &v1.StopRequest{})
	wantReason(t, err, "api/socket")
	if _, err := h.socket.Stop(t.Context(), &v1.StopRequest{}); err != nil {
		t.Errorf("on the socket: %v", err)
	}
	eventually(t, "the end", func() bool {
		_, err := h.socket.GetNode(t.Context(), &v1.GetNodeRequest{})
		return err != nil
	})
}
