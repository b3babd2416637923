package link_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"kith/internal/link"
)

// webAt is where l listens for WebSocket.
func webAt(t *testing.T, l link.Link) string {
	t.Helper()
	p := strings.Split(part(l, "/tls/ws").Hosts[0], "/")
	return net.JoinHostPort(p[2], p[4])
}

// Whoever asks for a page gets what any server without pages says.
func TestWebSocketIsBoring(t *testing.T) {
	l := newDirect(t, link.DirectConfig{WebSocket: "127.0.0.1:0"})
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}}
	var first string
	for _, ask := range []func(*http.Request){
		func(*http.Request) {},
		func(r *http.Request) { r.Method = "POST" },
		func(r *http.Request) { r.URL.Path = "/ws" },
		func(r *http.Request) { r.Header.Set("Upgrade", "websocket"); r.Header.Set("Connection", "Upgrade") },
		func(r *http.Request) { // as a page in a browser would
			for k, v := range map[string]string{"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Origin": "https://example.org"} {
				r.Header.Set(k, v)
			}
		},
	} {
		r, err := http.NewRequestWithContext(t.Context(), "GET", "https://"+webAt(t, l)+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		ask(r)
		answer, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(answer.Body)
		answer.Body.Close()
		answer.Header.Del("Date")
		got := fmt.Sprint(answer.StatusCode, string(body), answer.Header)
		if first == "" {
			first = got
		}
		if answer.StatusCode != 404 || got != first || strings.Contains(strings.ToLower(got), "websocket") || strings.Contains(strings.ToLower(got), "kith") {
			t.Errorf("%s %s: %s", r.Method, r.URL.Path, got)
		}
	}
}

// The outer TLS names nobody and offers HTTP alone.
func TestWebSocketCertificate(t *testing.T) {
	l := newDirect(t, link.DirectConfig{WebSocket: "127.0.0.1:0"})
	c, err := tls.Dial("tcp", webAt(t, l), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"libp2p", "h2", "http/1.1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	state := c.ConnectionState()
	cert := state.PeerCertificates[0]
	if state.NegotiatedProtocol != "http/1.1" || len(cert.DNSNames)+len(cert.IPAddresses)+len(cert.Extensions) != 0 || cert.Subject.String() != "" {
		t.Errorf("protocol %q, certificate of %q with %v %v and %d extensions", state.NegotiatedProtocol, cert.Subject, cert.DNSNames, cert.IPAddresses, len(cert.Extensions))
	}
}

// The right place with another key is nobody's, as on the other transports: the outer
// TLS is not what is trusted.
func TestWebSocketWrongKey(t *testing.T) {
	a, b, c := newDirect(t, link.DirectConfig{}), newDirect(t, link.DirectConfig{WebSocket: "127.0.0.1:0"}), newDirect(t, link.DirectConfig{})
	to := part(b, "/tls/ws")
	to.Peer = c.Address().Peer
	if conn, err := a.Dial(t.Context(), to); err == nil {
		t.Errorf("connected with %v", conn.Remote())
	}
}

// WebSocket is told of, and dialled, after QUIC and TCP.
func TestWebSocketIsLast(t *testing.T) {
	a, b := newDirect(t, link.DirectConfig{}), newDirect(t, link.DirectConfig{WebSocket: "127.0.0.1:0"})
	hosts := b.Address().Hosts
	if len(hosts) != 3 || !strings.HasSuffix(hosts[2], "/tls/ws") {
		t.Fatalf("hosts %v", hosts)
	}
	to := link.Address{Peer: b.Address().Peer, Hosts: []string{hosts[2], hosts[1]}}
	c, err := a.Dial(t.Context(), to)
	if err != nil || c.Kind() != "tcp" {
		t.Errorf("%v, want a connection over TCP", err)
	}
}

// A proxy is used if it is given, for WebSocket alone.
func TestWebSocketProxy(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var tunnels atomic.Int64
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				r := bufio.NewReader(c)
				ask, err := http.ReadRequest(r)
				if err != nil || ask.Method != "CONNECT" {
					return
				}
				to, err := net.Dial("tcp4", ask.Host)
				if err != nil {
					return
				}
				defer to.Close()
				tunnels.Add(1)
				io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n")
				go io.Copy(to, r)
				io.Copy(c, to)
			}()
		}
	}()
	b := newDirect(t, link.DirectConfig{WebSocket: "127.0.0.1:0"})
	a := newDirect(t, link.DirectConfig{Proxy: "http://" + l.Addr().String()})
	for _, kind := range []string{"/tls/ws", "/quic-v1"} {
		c, err := a.Dial(t.Context(), part(b, kind))
		if err != nil {
			t.Fatal(err)
		}
		if tunnels.Load() != 1 {
			t.Errorf("%s: %d tunnels, want one in all", c.Kind(), tunnels.Load())
		}
	}
	for _, bad := range []string{"192.0.2.1:3128", "socks5://192.0.2.1", "http://", ":"} {
		if l, err := link.NewDirect(link.DirectConfig{Listen: "127.0.0.1:0", Proxy: bad}); err == nil {
			l.Close()
			t.Errorf("%q is taken for a proxy", bad)
		}
	}
}

// A port that is taken is said so, and nothing stays open.
func TestWebSocketPortTaken(t *testing.T) {
	nothing := leaks(t)
	a, err := link.NewDirect(link.DirectConfig{Listen: "127.0.0.1:0", WebSocket: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	b, err := link.NewDirect(link.DirectConfig{Listen: "127.0.0.1:0", WebSocket: webAt(t, a)})
	if err == nil {
		b.Close()
		t.Error("two listen at one port")
	} else if !strings.Contains(err.Error(), "is in use by another program") {
		t.Error(err)
	}
	a.Close()
	nothing()
}
