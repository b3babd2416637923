package link

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/coder/websocket"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/transport"
	manet "github.com/multiformats/go-multiaddr/net"
)

// web listens for WebSocket in TLS. A nil web listens nowhere.
type web struct {
	server *http.Server
	socks  listening // ips and port alone
	open   []net.Listener
	wg     sync.WaitGroup
}

// listenWeb opens the sockets that text asks for (DirectConfig.WebSocket).
func (d *direct) listenWeb(text string) error {
	if text == "" || d.cfg.LAN {
		return nil
	}
	ips, port, err := parseListen(text)
	if err != nil {
		return err
	}
	conf, err := webTLS()
	if err != nil {
		return fmt.Errorf("link: websocket: %w", err)
	}
	w := &web{socks: listening{port: port}}
	w.server = &http.Server{
		Handler:           http.HandlerFunc(d.serveWeb),
		ReadHeaderTimeout: wsShake, WriteTimeout: wsShake, IdleTimeout: wsShake, MaxHeaderBytes: wsHeader,
		ErrorLog: log.New(io.Discard, "", 0),
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, webKey{}, c.(*tls.Conn).NetConn())
		},
		TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){}, // no HTTP/2: it has no upgrade
	}
	for i, ip := range ips {
		err := w.add(d.carrier.up, ip)
		noFamily := errors.Is(err, syscall.EAFNOSUPPORT) || errors.Is(err, syscall.EADDRNOTAVAIL)
		switch {
		case err == nil, i > 0 && noFamily:
			continue
		case errors.Is(err, syscall.EADDRINUSE):
			err = fmt.Errorf("link: port %d for WebSocket is in use by another program", port)
		case errors.Is(err, syscall.EACCES):
			err = fmt.Errorf("link: port %d for WebSocket is reserved for the system: allow it, or choose one above 1023", port)
		default:
			err = fmt.Errorf("link: websocket: %w", err)
		}
		w.Close()
		return err
	}
	for _, l := range w.open {
		w.wg.Go(func() { w.server.Serve(tls.NewListener(l, conf)) })
	}
	d.web = w
	return nil
}

// add listens at ip; the first socket fixes the port of the others.
func (w *web) add(up transport.Upgrader, ip netip.Addr) error {
	family := "tcp4"
	if ip.Is6() {
		family = "tcp6"
	}
	l, err := net.Listen(family, netip.AddrPortFrom(ip, w.socks.port).String())
	if err != nil {
		return err
	}
	w.socks.port = l.Addr().(*net.TCPAddr).AddrPort().Port()
	w.socks.ips = append(w.socks.ips, ip)
	wrapped, err := manet.WrapNetListener(l)
	if err != nil {
		return errors.Join(err, l.Close())
	}
	w.open = append(w.open, webListener{l, up.GateMaListener(wrapped)})
	return nil
}

// hosts returns where others can dial, best first.
func (w *web) hosts() []string {
	if w == nil {
		return nil
	}
	var hosts []string
	for _, ip := range w.socks.reachable() {
		hosts = append(hosts, host{at: netip.AddrPortFrom(ip, w.socks.port), over: overWS}.String())
	}
	return hosts
}

// Close closes the sockets and what has not become a connection of ours.
func (w *web) Close() {
	if w == nil {
		return
	}
	w.server.Close()
	for _, l := range w.open {
		l.Close()
	}
	w.wg.Wait()
}

// webTLS is the outer TLS: a certificate for nobody, as a device at home has one.
func webTLS() (*tls.Config, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	age, err := rand.Int(rand.Reader, big.NewInt(200)) // in days: not when we were started
	if err != nil {
		return nil, err
	}
	begins := time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -int(age.Int64()))
	cert := &x509.Certificate{SerialNumber: serial, NotBefore: begins, NotAfter: begins.AddDate(10, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, key.Public(), key)
	if err != nil {
		return nil, err
	}
	return &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
		NextProtos:   []string{"http/1.1"},
	}, nil
}

// webListener puts arriving connections under the limits of all others.
type webListener struct {
	net.Listener
	gated transport.GatedMaListener
}

func (l webListener) Accept() (net.Conn, error) {
	c, scope, err := l.gated.Accept()
	if err != nil {
		return nil, err
	}
	return &webConn{c, scope}, nil
}

// webConn is the TCP connection below; with it ends what is counted for it.
type webConn struct {
	manet.Conn
	scope network.ConnManagementScope
}

func (c *webConn) Close() error {
	defer c.scope.Done()
	return c.Conn.Close()
}

// webKey finds the webConn of a request in its context.
type webKey struct{}

// serveWeb makes a connection of a request for WebSocket, and knows nothing else.
func (d *direct) serveWeb(w http.ResponseWriter, r *http.Request) {
	below, ok := r.Context().Value(webKey{}).(*webConn)
	if !ok || !isUpgrade(r) || d.enter() != nil {
		http.NotFound(w, r)
		return
	}
	defer d.wg.Done()
	select {
	case d.arrive <- struct{}{}:
	default:
		http.NotFound(w, r)
		return
	}
	serve := d.welcomeWeb(w, r, below)
	<-d.arrive
	d.wg.Go(serve)
}

func isUpgrade(r *http.Request) bool {
	return r.Method == http.MethodGet && r.URL.Path == "/" && r.ProtoAtLeast(1, 1) && r.Header.Get("Origin") == "" &&
		strings.EqualFold(r.Header.Get("Connection"), "upgrade") && strings.EqualFold(r.Header.Get("Upgrade"), "websocket") &&
		r.Header.Get("Sec-WebSocket-Version") == "13" && len(r.Header.Values("Sec-WebSocket-Key")) == 1
}

func (d *direct) welcomeWeb(w http.ResponseWriter, r *http.Request, below *webConn) (serve func()) {
	nothing := func() {}
	from, ok := hostOf(below.RemoteMultiaddr())
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{CompressionMode: websocket.CompressionDisabled})
	if err != nil || !ok {
		return nothing
	}
	from.over = overWS
	ctx, cancel := d.until(context.Background(), firstStream)
	defer cancel()
	raw, err := d.carrier.up.Upgrade(ctx, d.carrier.tcp, &line{newWebStream(ws), from}, network.DirInbound, "", below.scope)
	if err != nil {
		ws.CloseNow()
		return nothing
	}
	return d.welcome(raw)
}

// webStream is a WebSocket as a stream. It is closed at once: both sides know by the TLS
// inside when no byte follows.
type webStream struct {
	net.Conn
	ws *websocket.Conn
}

func newWebStream(ws *websocket.Conn) webStream {
	return webStream{websocket.NetConn(context.Background(), ws, websocket.MessageBinary), ws}
}

func (s webStream) Close() error { return s.ws.CloseNow() }

// proxyAt reads DirectConfig.Proxy.
func proxyAt(text string) (func(*http.Request) (*url.URL, error), error) {
	if text == "" {
		return nil, nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, errors.New("the proxy is not a URL like http://192.0.2.1:3128")
	}
	return http.ProxyURL(u), nil
}

// dialWeb connects to id by WebSocket. The outer TLS proves nothing: the one inside
// does.
func (c *carrier) dialWeb(ctx context.Context, h host, id peer.ID) (transport.CapableConn, error) {
	scope, err := c.limits.OpenConnection(network.DirOutbound, true, h.multiaddr())
	if err != nil {
		return nil, err
	}
	way := &http.Transport{
		Proxy:                  c.proxy,
		TLSClientConfig:        &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}},
		TLSHandshakeTimeout:    wsShake,
		ResponseHeaderTimeout:  wsShake,
		MaxResponseHeaderBytes: wsHeader,
	}
	defer way.CloseIdleConnections()
	client := &http.Client{
		Transport:     way,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	ws, _, err := websocket.Dial(ctx, "wss://"+h.at.String()+"/", &websocket.DialOptions{
		HTTPClient: client, CompressionMode: websocket.CompressionDisabled,
	})
	if err != nil {
		scope.Done()
		return nil, fmt.Errorf("websocket: %w", err)
	}
	raw, err := c.up.Upgrade(ctx, c.tcp, &line{newWebStream(ws), h}, network.DirOutbound, id, scope)
	if err != nil {
		ws.CloseNow()
	}
	return raw, err
}
