package link

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
	mrand "math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/libp2p/zeroconf/v2"
)

// lanService is the mDNS service (RFC 6763 section 7).
const lanService = "_kith._udp"

// LANConfig says what a LAN announces.
type LANConfig struct {
	// Mac is the mark by which friends recognise the nonce.
	Mac func(nonce [16]byte) [8]byte
	// Peer is the key id of the LAN Link, new at every start.
	Peer []byte
	// Hosts are where the LAN Link listens, all at one port; it is asked again
	// when the interfaces change.
	Hosts func() []string
	// Log may be nil.
	Log *slog.Logger
}

// LAN announces a Link on the local network by multicast DNS (RFC 6762) and
// hears others. It connects to nobody.
type LAN struct {
	cfg       LANConfig
	log       *slog.Logger
	sightings chan Sighting
	again     chan struct{}
	cancel    context.CancelFunc
	wg        sync.WaitGroup
}

// NewLAN starts to announce and to listen. Without a network it waits for one.
func NewLAN(cfg LANConfig) (*LAN, error) {
	if cfg.Mac == nil || cfg.Hosts == nil || len(cfg.Peer) != peerSize || !bytes.HasPrefix(cfg.Peer, edPeer) {
		return nil, fmt.Errorf("link: local discovery needs an Ed25519 link key, its hosts and a mac")
	}
	l := &LAN{cfg: cfg, log: cfg.Log, sightings: make(chan Sighting, lanQueue), again: make(chan struct{}, 1)}
	if l.log == nil {
		l.log = slog.New(slog.DiscardHandler)
	}
	ctx, cancel := context.WithCancel(context.Background())
	l.cancel = cancel
	l.wg.Go(func() { l.run(ctx) })
	return l, nil
}

// Sightings yields devices as they are heard, the same one again by and by. What
// is not taken in time is dropped. It is closed by Close.
func (l *LAN) Sightings() <-chan Sighting { return l.sightings }

// Again announces and asks anew, as in a network that is new: the machine may
// have been carried elsewhere while it slept.
func (l *LAN) Again() {
	select {
	case l.again <- struct{}{}:
	default:
	}
}

// Close says goodbye on the network and ends the LAN.
func (l *LAN) Close() error {
	l.cancel()
	l.wg.Wait()
	return nil
}

// run keeps one round going per state of the interfaces: mDNS sockets join
// their groups once, on the interfaces of that moment.
func (l *LAN) run(ctx context.Context) {
	defer close(l.sightings)
	for ctx.Err() == nil {
		state, ifaces := multicast()
		hosts := l.cfg.Hosts()
		if len(ifaces) == 0 || len(hosts) == 0 {
			l.pause(ctx, state)
			continue
		}
		if err := l.round(ctx, state, ifaces, hosts); err != nil {
			l.log.Warn("local discovery pauses: multicast is not available")
			l.pause(ctx, state)
		}
	}
}

// pause waits until the interfaces leave state, or somebody asks again, or for
// lanBurst: it may be something else that was in the way.
func (l *LAN) pause(ctx context.Context, state string) {
	ctx, cancel := context.WithTimeout(ctx, lanBurst)
	defer cancel()
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { l.untilOther(ctx, state, cancel) })
	select {
	case <-l.again:
		cancel()
	case <-ctx.Done():
	}
}

// untilOther calls leave once the interfaces are in another state.
func (l *LAN) untilOther(ctx context.Context, state string, leave func()) {
	followNetwork(ctx, func() {
		if now, _ := multicast(); now != state {
			leave()
		}
	})
}

// round announces and listens until the interfaces leave state.
func (l *LAN) round(ctx context.Context, state string, ifaces []net.Interface, hosts []string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	server, err := l.announce(ifaces, hosts)
	if err != nil {
		return err
	}
	defer server.Shutdown()

	heard := make(chan *zeroconf.ServiceEntry)
	ended := make(chan error, 1)
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() {
		defer close(heard)
		ended <- listenFor(ctx, ifaces, heard)
	})
	wg.Go(func() { l.untilOther(ctx, state, cancel) }) // then heard is closed
	for {
		select {
		case e, ok := <-heard:
			if !ok {
				cancel()
				return <-ended
			}
			l.hear(e)
		case <-l.again:
			cancel()
		}
	}
}

// listenFor asks who is there for a while, and later once each lanAgain.
func listenFor(ctx context.Context, ifaces []net.Interface, heard chan<- *zeroconf.ServiceEntry) error {
	for patience := lanBurst; ; patience = lanBrief {
		timed, cancel := context.WithTimeout(ctx, patience)
		err := browse(timed, ifaces, heard)
		cancel()
		if err != nil || ctx.Err() != nil {
			return err
		}
		next := time.NewTimer(lanAgain/2 + mrand.N(lanAgain)) // not all at once
		select {
		case <-next.C:
		case <-ctx.Done():
			next.Stop()
			return nil
		}
	}
}

// announce publishes the hosts under a random name.
func (l *LAN) announce(ifaces []net.Interface, hosts []string) (*zeroconf.Server, error) {
	s := Sighting{Address: Address{Peer: l.cfg.Peer}}
	var name [8]byte
	rand.Read(s.Nonce[:])
	rand.Read(name[:])
	s.Mac = l.cfg.Mac(s.Nonce)

	var ips []string
	var port uint16
	for _, text := range hosts {
		h, ok := parseHost(text)
		if !ok {
			continue
		}
		port = h.at.Port()
		if ip := h.at.Addr().String(); !slices.Contains(ips, ip) {
			ips = append(ips, ip)
		}
	}
	random := hex.EncodeToString(name[:])
	return zeroconf.RegisterProxy(random, lanService, "local.", int(port), random, ips, []string{s.text()}, ifaces, zeroconf.TTL(lanTTL))
}

// browse hears announcements until ctx ends. A machine may lack IPv4 or IPv6,
// which zeroconf refuses; then one is enough.
func browse(ctx context.Context, ifaces []net.Interface, heard chan<- *zeroconf.ServiceEntry) error {
	var err error
	for _, family := range []zeroconf.IPType{zeroconf.IPv4AndIPv6, zeroconf.IPv4, zeroconf.IPv6} {
		entries := make(chan *zeroconf.ServiceEntry) // closed by Browse, but not if it fails at once
		failed := make(chan error, 1)
		go func() {
			failed <- zeroconf.Browse(ctx, lanService, "local.", entries, zeroconf.SelectIfaces(ifaces), zeroconf.SelectIPTraffic(family))
		}()
		if err = pass(entries, heard, failed); err == nil {
			return nil
		}
	}
	return err
}

// pass hands entries on until Browse has returned.
func pass(entries <-chan *zeroconf.ServiceEntry, heard chan<- *zeroconf.ServiceEntry, failed <-chan error) error {
	for {
		select {
		case e, ok := <-entries:
			if !ok {
				return <-failed
			}
			heard <- e
		case err := <-failed:
			return err
		}
	}
}

// hear passes on what another device announces.
func (l *LAN) hear(e *zeroconf.ServiceEntry) {
	if len(e.Text) != 1 {
		return
	}
	s, err := parseText(e.Text[0])
	if err != nil || bytes.Equal(s.Address.Peer, l.cfg.Peer) {
		return
	}
	s.Address.Hosts = sightingHosts(append(slices.Clone(e.AddrIPv4), e.AddrIPv6...), e.Port)
	if len(s.Address.Hosts) == 0 {
		return
	}
	select {
	case l.sightings <- s:
	default:
	}
}

// multicast returns the interfaces that can multicast, and a text that changes
// with them and their addresses.
func multicast() (string, []net.Interface) {
	all, err := net.Interfaces()
	if err != nil {
		return "", nil
	}
	var state strings.Builder
	var out []net.Interface
	for _, i := range all {
		if i.Flags&net.FlagUp == 0 || i.Flags&net.FlagRunning == 0 || i.Flags&net.FlagMulticast == 0 {
			continue
		}
		addrs, err := i.Addrs()
		if err != nil || len(addrs) == 0 {
			continue
		}
		out = append(out, i)
		fmt.Fprintln(&state, i.Index, i.Name, addrs)
	}
	return state.String(), out
}
