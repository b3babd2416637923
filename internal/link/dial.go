package link

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/transport"
	multistream "github.com/multiformats/go-multistream"
)

// Dial tries the hosts of to, QUIC before TCP, each a little after the one
// before it, and keeps the first connection that stands.
func (d *direct) Dial(ctx context.Context, to Address) (Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("link: dial: %w", err)
	}
	id, hosts, err := d.target(to)
	if err != nil {
		return nil, err
	}
	return d.dial(ctx, id, hosts, dialLimit, dialStagger)
}

// target reads whom to dial, and where.
func (d *direct) target(to Address) (peer.ID, []host, error) {
	if bytes.Equal(to.Peer, []byte(d.id)) {
		return "", nil, ErrSelf
	}
	id, err := peer.IDFromBytes(to.Peer)
	if err != nil {
		return "", nil, fmt.Errorf("link: dial: the address names no link key: %w", err)
	}
	hosts := d.dialable(to.Hosts)
	if len(hosts) == 0 {
		return "", nil, ErrNoHost
	}
	return id, hosts, nil
}

// dial keeps the first connection that stands within limit, each host dialled
// stagger after the one before it.
func (d *direct) dial(ctx context.Context, id peer.ID, hosts []host, limit, stagger time.Duration) (Conn, error) {
	if err := d.enter(); err != nil {
		return nil, err
	}
	defer d.wg.Done()

	within, cancel := d.until(ctx, limit)
	defer cancel()
	c, err := d.reach(within, id, hosts, stagger)
	switch {
	case err == nil:
		return c, nil
	case ctx.Err() != nil:
		return nil, fmt.Errorf("link: dial: %w", ctx.Err())
	case d.isShut():
		return nil, ErrClosed
	case errors.Is(err, ErrNotPostQuantum):
		return nil, err
	}
	return nil, &dialError{hosts: len(hosts), cause: err}
}

// dialError is ErrUnreachable with what happened at each host. Its text is one
// line and names no address, so that it may be logged.
type dialError struct {
	hosts int
	cause error
}

func (e *dialError) Error() string {
	return fmt.Sprintf("%v (tried at %d places)", ErrUnreachable, e.hosts)
}

func (e *dialError) Unwrap() []error { return []error{ErrUnreachable, e.cause} }

// dialable returns the hosts that may be dialled, in the order of rank.
func (d *direct) dialable(texts []string) []host {
	var hosts []host
	for _, t := range texts[:min(len(texts), MaxHosts)] {
		h, ok := parseHost(t)
		if !ok || h.relay.id() == d.id {
			continue
		}
		if d.cfg.LAN && (h.relayed() || h.over == overWS || !onLocalNet(h.at.Addr())) {
			continue
		}
		hosts = append(hosts, h)
	}
	slices.SortStableFunc(hosts, func(a, b host) int { return cmp.Compare(a.rank(), b.rank()) })
	return hosts
}

// rank orders hosts: QUIC, TCP, WebSocket, and relays in the same order.
func (h host) rank() int {
	if h.relayed() {
		return int(overWS) + int(h.over)
	}
	return int(h.over)
}

// reach connects to id and opens the stream.
func (d *direct) reach(ctx context.Context, id peer.ID, hosts []host, stagger time.Duration) (*conn, error) {
	raw, err := d.race(ctx, id, hosts, stagger)
	if err != nil {
		return nil, err
	}
	c, err := d.ask(ctx, raw)
	if err != nil {
		raw.Close()
		return nil, err
	}
	return c, nil
}

// ask opens the stream of a connection this side dialled. The answer proves
// that the other side has accepted the connection.
func (d *direct) ask(ctx context.Context, raw transport.CapableConn) (*conn, error) {
	state, err := tlsState(raw)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { raw.Close() })
	defer stop()
	s, err := raw.OpenStream(ctx)
	if err != nil {
		return nil, err
	}
	if err := multistream.SelectProtoOrFail(protocolID, s); err != nil {
		return nil, err
	}
	if !stop() {
		return nil, ctx.Err()
	}
	return d.open(raw, s, state, true)
}

// attempt is the outcome of dialling one host.
type attempt struct {
	raw transport.CapableConn
	err error
}

// race dials hosts one after the other without waiting for an answer longer
// than stagger, or relayHeadStart before the first relay, and returns the first
// connection; the others are closed.
func (d *direct) race(ctx context.Context, id peer.ID, hosts []host, stagger time.Duration) (transport.CapableConn, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan attempt, len(hosts))
	began := time.Now()
	next := time.NewTimer(0)
	defer next.Stop()
	var won transport.CapableConn
	var errs []error
	started, ended := 0, 0
	for ended < len(hosts) && won == nil {
		select {
		case <-next.C:
			if started == len(hosts) {
				continue
			}
			h := hosts[started]
			if early := relayHeadStart - time.Since(began); h.relayed() && started > ended && early > 0 && !hosts[0].relayed() {
				next.Reset(early)
				continue
			}
			started++
			d.wg.Go(func() { done <- d.try(ctx, id, h) })
			next.Reset(stagger)
		case a := <-done:
			ended++
			won = a.raw
			if a.err != nil {
				errs = append(errs, a.err)
				next.Reset(0)
			}
		case <-ctx.Done():
			errs = append(errs, ctx.Err())
			d.discard(done, started-ended)
			return nil, errors.Join(errs...)
		}
	}
	d.discard(done, started-ended)
	if won == nil {
		return nil, errors.Join(errs...)
	}
	return won, nil
}

// discard closes what the n attempts still under way bring.
func (d *direct) discard(done <-chan attempt, n int) {
	if n == 0 {
		return
	}
	d.wg.Go(func() {
		for range n {
			if a := <-done; a.raw != nil {
				a.raw.Close()
			}
		}
	})
}

// try dials one host.
func (d *direct) try(ctx context.Context, id peer.ID, h host) attempt {
	var raw transport.CapableConn
	var err error
	switch {
	case h.relayed():
		raw, err = d.call(ctx, id, h)
	case h.over == overQUIC:
		raw, err = d.carrier.quic.Dial(ctx, h.multiaddr(), id)
	case h.over == overTCP:
		raw, err = d.carrier.tcp.Dial(ctx, h.multiaddr(), id)
	default:
		raw, err = d.carrier.dialWeb(ctx, h, id)
	}
	if err != nil {
		return attempt{err: fmt.Errorf("%s: %w", h.kind(), err)}
	}
	return attempt{raw: raw}
}

// enter counts a Dial, so that Close waits for it.
func (d *direct) enter() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.shut {
		return ErrClosed
	}
	d.wg.Add(1)
	return nil
}

func (d *direct) isShut() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.shut
}
