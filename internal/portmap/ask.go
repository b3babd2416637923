package portmap

import (
	"context"
	"net/netip"
	"time"
)

// A pcpRouter is a gateway that speaks PCP.
type pcpRouter struct {
	route Route
	port  uint16
	nonce [pcpNonce]byte
	clock epochClock
}

// findPCP asks whether the gateway speaks PCP.
func findPCP(ctx context.Context, r Route, port uint16, nonce [pcpNonce]byte) (router, error) {
	p := &pcpRouter{route: r, port: port, nonce: nonce}
	var wrongVersion bool
	err := r.exchange(ctx, announceRequest(r.Local), func(b []byte) bool {
		if a, err := parsePCP(b); err == nil && a.opcode == opAnnounce {
			p.clock.restarted(a.epoch, time.Now())
			return true
		}
		// A gateway of NAT-PMP alone says so (RFC 6886 section 3.5, result 1).
		wrongVersion = len(b) >= 4 && b[0] != pcpVersion && b[1]&opResponse != 0 && b[3] == 1
		return wrongVersion
	})
	if err == nil && wrongVersion {
		return nil, &refusal{reason: NoAnswer}
	}
	return p, err
}

func (p *pcpRouter) keep(ctx context.Context, was held, lease time.Duration) (held, error) {
	return both(func(protocol int) (netip.AddrPort, time.Duration, error) {
		wish := was.external[protocol]
		if !wish.IsValid() {
			wish = netip.AddrPortFrom(anyOf(p.route.Local), p.port)
		}
		r, err := p.ask(ctx, protocol, wish, lease)
		if err != nil {
			return netip.AddrPort{}, 0, err
		}
		if r.lifetime == 0 || r.external.Port() == 0 || r.external.Addr().Is4() != p.route.Local.Is4() {
			return netip.AddrPort{}, 0, &refusal{reason: Nonsense}
		}
		return r.external, granted(r.lifetime), nil
	})
}

func (p *pcpRouter) release(ctx context.Context, was held) {
	for protocol, at := range was.external {
		if at.IsValid() {
			_, _ = p.ask(ctx, protocol, netip.AddrPortFrom(anyOf(p.route.Local), 0), 0)
		}
	}
}

// ask makes one MAP request.
func (p *pcpRouter) ask(ctx context.Context, protocol int, wish netip.AddrPort, lease time.Duration) (pcpResponse, error) {
	q := pcpRequest{
		lifetime: uint32(lease / time.Second), client: p.route.Local, nonce: p.nonce,
		protocol: [...]byte{udp: protocolUDP, tcp: protocolTCP}[protocol], internal: p.port, external: wish,
	}
	var answer pcpResponse
	err := p.route.exchange(ctx, q.bytes(), func(b []byte) bool {
		r, err := parsePCP(b)
		answer = r
		return err == nil && r.opcode == opMap && r.nonce == q.nonce && r.protocol == q.protocol && r.internal == q.internal
	})
	if err != nil {
		return answer, err
	}
	p.clock.restarted(answer.epoch, time.Now())
	if answer.result != pcpSuccess {
		return answer, pcpRefusal(answer.result)
	}
	return answer, nil
}

func (p *pcpRouter) restarted(a announcement) bool {
	return a.pcp && p.clock.restarted(a.epoch, time.Now())
}

// A pmpRouter is a gateway that speaks NAT-PMP.
type pmpRouter struct {
	route   Route
	port    uint16
	clock   epochClock
	address netip.Addr // external, as it said last
}

// findPMP asks whether the gateway speaks NAT-PMP.
func findPMP(ctx context.Context, r Route, port uint16) (router, error) {
	p := &pmpRouter{route: r, port: port}
	return p, p.learn(ctx)
}

// learn asks for the external address.
func (p *pmpRouter) learn(ctx context.Context) error {
	r, err := p.ask(ctx, pmpAddressRequest(), func(r pmpResponse) bool { return r.opcode == pmpAddress })
	if err != nil {
		return err
	}
	if r.address.IsUnspecified() {
		return &refusal{reason: NoExternalAddress}
	}
	p.address = r.address
	return nil
}

func (p *pmpRouter) keep(ctx context.Context, was held, lease time.Duration) (held, error) {
	if err := p.learn(ctx); err != nil {
		return held{}, err
	}
	return both(func(protocol int) (netip.AddrPort, time.Duration, error) {
		wish := p.port
		if at := was.external[protocol]; at.IsValid() {
			wish = at.Port()
		}
		opcode := pmpOpcode(protocol)
		request := pmpMapRequest(opcode, p.port, wish, uint32(lease/time.Second))
		r, err := p.ask(ctx, request, func(r pmpResponse) bool {
			return r.opcode == opcode && (r.result != pmpSuccess || r.internal == p.port)
		})
		if err == nil && (r.lifetime == 0 || r.external == 0) {
			err = &refusal{reason: Nonsense}
		}
		if err != nil {
			return netip.AddrPort{}, 0, err
		}
		return netip.AddrPortFrom(p.address, r.external), granted(r.lifetime), nil
	})
}

func (p *pmpRouter) release(ctx context.Context, was held) {
	for protocol, at := range was.external {
		if at.IsValid() {
			opcode := pmpOpcode(protocol)
			_, _ = p.ask(ctx, pmpMapRequest(opcode, p.port, 0, 0), func(r pmpResponse) bool { return r.opcode == opcode })
		}
	}
}

func pmpOpcode(protocol int) byte { return [...]byte{udp: pmpUDP, tcp: pmpTCP}[protocol] }

// ask makes one request; is says whether a response answers it.
func (p *pmpRouter) ask(ctx context.Context, request []byte, is func(pmpResponse) bool) (pmpResponse, error) {
	var answer pmpResponse
	err := p.route.exchange(ctx, request, func(b []byte) bool {
		r, err := parsePMP(b)
		answer = r
		return err == nil && is(r)
	})
	if err != nil {
		return answer, err
	}
	p.clock.restarted(answer.epoch, time.Now())
	if answer.result != pmpSuccess {
		return answer, pmpRefusal(answer.result)
	}
	return answer, nil
}

func (p *pmpRouter) restarted(a announcement) bool {
	if a.pcp {
		return false
	}
	return p.clock.restarted(a.epoch, time.Now()) || a.address != p.address
}

// granted is a lease as a router gives it.
func granted(seconds uint32) time.Duration {
	return min(time.Duration(seconds)*time.Second, maxLease)
}

// both maps UDP and TCP. One of them is better than none.
func both(one func(protocol int) (netip.AddrPort, time.Duration, error)) (held, error) {
	h := held{lease: maxLease}
	var first error
	for protocol := range h.external {
		at, lease, err := one(protocol)
		if err != nil {
			if first == nil {
				first = err
			}
			if reasonOf(err) == NoAnswer { // nor would it for the other
				break
			}
			continue
		}
		h.external[protocol] = at
		h.lease = min(h.lease, lease)
	}
	if !h.external[udp].IsValid() && !h.external[tcp].IsValid() {
		return held{}, first
	}
	return h, nil
}
