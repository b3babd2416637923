package node

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"kith/internal/chain"
	"kith/internal/link"
	"kith/internal/peer"
	"kith/internal/store"
	"kith/internal/wire"
)

// linkKeyLife is how long addresses in contact links and Reaches stay good, in
// ms: the Internet link's key is renewed at the first start after it.
const linkKeyLife = 30 * 24 * 3600 * 1000

// openLinks opens the Internet link and, beside it, one of its own for the
// local network: two keys, so that neither gives the other away.
func (n *Node) openLinks(r *running) error {
	if n.cfg.Link != nil {
		n.useLink(r, n.cfg.Link, false)
		return nil
	}
	key, err := n.linkKey()
	if err != nil {
		return err
	}
	cfg := link.DirectConfig{Listen: n.cfg.Listen, WebSocket: n.cfg.WebSocket, KeySeed: [32]byte(key.Seed), Write: n.cfg.Tap, Allow: n.allow, Log: n.log}
	if cfg.Listen == "" && key.Port != 0 {
		cfg.Listen = ":" + strconv.Itoa(key.Port)
	}
	l, err := link.NewDirect(cfg)
	if errors.Is(err, link.ErrPortTaken) && n.cfg.Listen == "" {
		cfg.Listen = ""
		l, err = link.NewDirect(cfg)
	}
	if err != nil {
		return err
	}
	n.useLink(r, l, false)
	if port := portOf(l.Address()); port != key.Port {
		key.Port = port
		if err := n.db.Update(func(tx *store.Tx) error { return putJSON(tx, bucketSelf, []byte(keyLinkKey), key) }); err != nil {
			return err
		}
	}
	if n.cfg.NoLAN || loopbackOnly(n.cfg.Listen) {
		return nil
	}
	if err := n.openLAN(r); err != nil {
		n.log.Warn("no discovery on the local network", "err", err)
	}
	return nil
}

// openLAN starts the local link and announces it, once there is somebody to
// announce.
func (n *Node) openLAN(r *running) error {
	local, err := link.NewDirect(link.DirectConfig{LAN: true, Write: n.cfg.Tap, Allow: n.allow, Log: n.log})
	if err != nil {
		return err
	}
	n.useLink(r, local, true)
	lan, err := link.NewLAN(link.LANConfig{
		Mac:   n.lanMac,
		Peer:  local.Address().Peer,
		Hosts: func() []string { return local.Address().Hosts },
		Log:   n.log,
	})
	if err != nil {
		return err
	}
	n.mu.Lock()
	n.discovery = lan
	n.mu.Unlock()
	r.tasks.Go(func() {
		<-r.ctx.Done()
		lan.Close()
	})
	r.tasks.Go(func() {
		for s := range lan.Sightings() {
			n.sighted(s)
		}
	})
	return nil
}

func (n *Node) useLink(r *running, l link.Link, local bool) {
	n.mu.Lock()
	if local {
		n.lan = l
	} else {
		n.internet = l
	}
	n.mu.Unlock()
	r.tasks.Go(func() { n.accepting(r.ctx, l) })
	if local {
		return
	}
	r.tasks.Go(func() {
		for {
			select {
			case <-l.Changed():
				n.log.Info("the addresses of this machine are others")
				n.networkChanged()
			case <-r.ctx.Done():
				return
			}
		}
	})
}

func (n *Node) closeLinks() {
	n.mu.Lock()
	links := []link.Link{n.internet, n.lan}
	n.internet, n.lan = nil, nil
	n.mu.Unlock()
	for _, l := range links {
		if l != nil {
			l.Close()
		}
	}
}

// linkKey returns the Internet link's key, a new one if the last is too old.
func (n *Node) linkKey() (linkKey, error) {
	var k linkKey
	err := n.db.Update(func(tx *store.Tx) error {
		ok, err := getJSON(tx, bucketSelf, []byte(keyLinkKey), &k)
		if err != nil || ok && len(k.Seed) == 32 && k.Made+linkKeyLife > n.nowMS() {
			return err
		}
		k.Seed, k.Made = wire.Random(32), n.nowMS()
		return putJSON(tx, bucketSelf, []byte(keyLinkKey), k)
	})
	return k, err
}

// linkExpiry is when the Internet link's address ends to be good, in ms.
func (n *Node) linkExpiry() uint64 {
	if n.cfg.Link != nil {
		return n.started + linkKeyLife
	}
	var k linkKey
	_ = n.db.View(func(tx *store.Tx) error {
		_, err := getJSON(tx, bucketSelf, []byte(keyLinkKey), &k)
		return err
	})
	return k.Made + linkKeyLife
}

// allow drops connections from hosts that broke rules, before they are answered.
func (n *Node) allow(a netip.Addr) bool {
	_, banned := n.bans.Host(peer.HostName(a), nowTime())
	return !banned
}

func (n *Node) accepting(ctx context.Context, l link.Link) {
	for {
		conn, err := l.Accept(ctx)
		if err != nil {
			return
		}
		n.welcome(conn)
	}
}

// welcome waits for the proof of whoever dialled conn.
func (n *Node) welcome(conn link.Conn) {
	if !n.Ready() { // nobody is here to be asked for
		conn.Close()
		return
	}
	if !n.spawn(func(ctx context.Context) {
		s, err := peer.Accept(ctx, conn, n.peerConfig())
		if err != nil {
			n.log.Debug("refused", "err", err)
			return
		}
		if s.Remote().Person == (wire.PersonID{}) {
			n.linkSession(ctx, s)
			return
		}
		n.session(ctx, s)
	}) {
		conn.Close()
	}
}

func (n *Node) peerConfig() peer.Config {
	n.mu.Lock()
	defer n.mu.Unlock()
	return peer.Config{
		Device: n.self.Device, Former: n.self.Former, Moved: n.hasMet,
		Person: n.self.Person, Directory: n, Joins: n, Bans: &n.bans, Log: n.log,
	}
}

// address is where others reach the Internet link; empty before Run.
func (n *Node) address() link.Address {
	n.mu.Lock()
	l := n.internet
	n.mu.Unlock()
	if l == nil {
		return link.Address{}
	}
	return l.Address()
}

// lanMac answers what only those recognise who hold this device's knock key
// (docs/spec/link.md).
func (n *Node) lanMac(nonce [16]byte) [8]byte {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.ready {
		return [8]byte(wire.Random(8))
	}
	return lanMac(n.self.Device.KnockKey(), nonce)
}

func lanMac(knockKey []byte, nonce [16]byte) [8]byte {
	key := chain.KnockHash(knockKey)
	h := hmac.New(sha256.New, key[:])
	h.Write(nonce[:])
	return [8]byte(h.Sum(nil))
}

// sighted takes note of an announcement on the local network if it is of
// somebody this node knows.
func (n *Node) sighted(s link.Sighting) {
	n.mu.Lock()
	n.sightings.keep(s)
	n.mu.Unlock()
	for _, t := range n.wanted() {
		if isBy(s, t.to.KnockKey) {
			n.mu.Lock()
			if known := n.targets[t.to.Member.Device]; known != nil {
				if !sameAddress(known.lan, s.Address) {
					known.lan = s.Address
					known.hurry()
				}
				known.at = 0
			}
			n.mu.Unlock()
			n.kickDialer()
			return
		}
	}
}

func portOf(a link.Address) int {
	for _, h := range a.Hosts {
		if _, port, ok := hostPort(h); ok {
			return port
		}
	}
	return 0
}

// isCircuit reports of a host whether it is one behind a relay.
func isCircuit(host string) bool {
	_, ok := link.RelayAt(host)
	return ok
}

// isQUIC reports whether a host is dialled by QUIC, and no relay's.
func isQUIC(host string) bool { return strings.HasSuffix(host, "/quic-v1") }

// hostPort reads /ip4/A/tcp/P and its like; not where a relay is.
func hostPort(multiaddr string) (netip.Addr, int, bool) {
	if isCircuit(multiaddr) {
		return netip.Addr{}, 0, false
	}
	parts := strings.Split(multiaddr, "/")
	if len(parts) < 5 {
		return netip.Addr{}, 0, false
	}
	ip, err := netip.ParseAddr(parts[2])
	port, err2 := strconv.Atoi(parts[4])
	return ip, port, err == nil && err2 == nil
}

func loopbackOnly(listen string) bool {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// reachability tells from where the hosts can be dialled, and names them as
// people write them.
func reachability(a link.Address) (Reachability, []string) {
	r := ReachableLocal
	var list []string
	for _, h := range a.Hosts {
		ip, port, ok := hostPort(h)
		if !ok {
			continue
		}
		text := netip.AddrPortFrom(ip, uint16(port)).String()
		if !slices.Contains(list, text) {
			list = append(list, text)
		}
		switch {
		case link.IsPublic(ip):
			r = max(r, ReachablePublic)
		case !ip.IsLoopback():
			r = max(r, ReachableLAN)
		}
	}
	return r, list
}

var errNoLink = fmt.Errorf("node: no link is open")
