package link

import (
	"context"
	"errors"
	"fmt"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/transport"
	multistream "github.com/multiformats/go-multistream"
)

// call connects to id through the relay at h.
func (d *direct) call(ctx context.Context, id peer.ID, h host) (transport.CapableConn, error) {
	device, err := keyOf(id)
	if err != nil {
		return nil, err
	}
	raw, s, err := d.meet(ctx, h, relayFrame{kind: kindCall, device: device})
	if err != nil {
		return nil, err
	}
	return d.through(ctx, raw, s, h, id)
}

// take answers an offer of the relay at h: what comes is for Accept.
func (d *direct) take(ctx context.Context, h host, t token) {
	ctx, cancel := d.until(ctx, dialLimit)
	defer cancel()
	raw, s, err := d.meet(ctx, h, relayFrame{kind: kindTake, token: t})
	if err != nil {
		return
	}
	inner, err := d.through(ctx, raw, s, h, "")
	if err != nil {
		d.log.Debug("circuit refused", "reason", reason(err))
		return
	}
	stop := context.AfterFunc(ctx, func() { inner.Close() })
	defer stop()
	state, s, _, err := d.negotiate(inner, protocolID)
	if err != nil {
		d.log.Debug("circuit refused", "reason", reason(err))
		inner.Close()
		return
	}
	d.deliver(inner, s, state)
}

// meet asks the relay at h to be joined with another, and returns the stream
// that has become the circuit.
func (d *direct) meet(ctx context.Context, h host, first relayFrame) (transport.CapableConn, network.MuxedStream, error) {
	a := d.try(ctx, h.relay.id(), h.place())
	if a.err != nil {
		return nil, nil, a.err
	}
	stop := context.AfterFunc(ctx, func() { a.raw.Close() })
	s, err := openRelay(ctx, a.raw)
	if err == nil {
		_, err = exchange(s, first, kindJoined)
	}
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		a.raw.Close()
		return nil, nil, err
	}
	return a.raw, s, nil
}

// openRelay opens the stream to a relay.
func openRelay(ctx context.Context, raw transport.CapableConn) (network.MuxedStream, error) {
	if _, err := tlsState(raw); err != nil {
		return nil, err
	}
	s, err := raw.OpenStream(ctx)
	if err != nil {
		return nil, err
	}
	if err := multistream.SelectProtoOrFail(relayProtocol, s); err != nil {
		if errors.As(err, new(multistream.ErrNotSupported[string])) {
			return nil, ErrRelayOff
		}
		return nil, fmt.Errorf("relay: %w", err)
	}
	return s, nil
}

// exchange sends f and returns the answer, which is of the kind wanted.
func exchange(s network.MuxedStream, f relayFrame, wanted byte) (relayFrame, error) {
	if err := writeRelayFrame(s, f); err != nil {
		return relayFrame{}, err
	}
	answer, err := readRelayFrame(s, wanted, kindRefused)
	if err == nil && answer.kind == kindRefused {
		err = refusal(answer.reason)
	}
	return answer, err
}
