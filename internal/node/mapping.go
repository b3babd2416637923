package node

import (
	"context"
	"net/netip"

	"kith/internal/link"
	"kith/internal/portmap"
	"kith/internal/store"
	"kith/internal/wire"
)

// The router is asked to let others in at this node's port.

// mapping keeps the port mapped until ctx ends, while that is chosen.
func (n *Node) mapping(ctx context.Context) {
	for ctx.Err() == nil {
		s, err := n.Settings()
		port := portOf(n.address())
		if err != nil || s.NoPortMapping || port == 0 || !n.faces() {
			n.setMapped(portmap.State{})
			select {
			case <-n.remap:
			case <-ctx.Done():
			}
			continue
		}
		n.mapPort(ctx, uint16(port))
	}
}

// faces reports whether this node listens to more than its own machine.
func (n *Node) faces() bool { return n.cfg.Link == nil && !loopbackOnly(n.cfg.Listen) }

// mapPort keeps one port mapped until something else is chosen.
func (n *Node) mapPort(ctx context.Context, port uint16) {
	nonce, err := n.mapNonce()
	if err != nil {
		n.log.Error("cannot write", "err", err)
	}
	m := portmap.Open(portmap.Config{Port: port, Nonce: nonce, Log: n.log})
	defer m.Close()
	for {
		select {
		case <-m.Changed():
			n.setMapped(m.State())
		case <-n.remap:
			if s, err := n.Settings(); err != nil || s.NoPortMapping || portOf(n.address()) != int(port) {
				return
			}
			m.Kick()
		case <-ctx.Done():
			return
		}
	}
}

// remapSoon has the router asked anew: the network, or what was chosen, is another.
func (n *Node) remapSoon() {
	select {
	case n.remap <- struct{}{}:
	default:
	}
}

// mapNonce marks this home's mappings to the router. It stays over restarts.
func (n *Node) mapNonce() (nonce [12]byte, err error) {
	err = n.db.Update(func(tx *store.Tx) error {
		var kept []byte
		ok, err := getJSON(tx, bucketSelf, []byte(keyMapNonce), &kept)
		if err != nil || ok && len(kept) == len(nonce) {
			nonce = [12]byte(append(kept, make([]byte, 12-len(kept))...))
			return err
		}
		kept = wire.Random(len(nonce))
		nonce = [12]byte(kept)
		return putJSON(tx, bucketSelf, []byte(keyMapNonce), kept)
	})
	return nonce, err
}

// setMapped takes what the router does by now.
func (n *Node) setMapped(s portmap.State) {
	var hosts []string
	for _, side := range []portmap.Side{s.IPv4, s.IPv6} {
		if side.Reason != portmap.Works {
			continue
		}
		for _, p := range []struct {
			at   netip.AddrPort
			quic bool
		}{{side.UDP, true}, {side.TCP, false}} {
			if p.at.IsValid() {
				hosts = append(hosts, link.HostText(p.at, p.quic))
			}
		}
	}
	n.mu.Lock()
	n.mapState, n.mapped = s, hosts
	n.mu.Unlock()
	n.refreshOutside()
	n.hub.publish(StatusChanged{})
}
