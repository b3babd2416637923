package link

import (
	"crypto/rand"
	"net/netip"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/transport"
)

// relayServer lets others meet here. One goroutine serves each connection of a
// device or a caller; that of the caller copies between the two.
type relayServer struct {
	all bucket
	wg  sync.WaitGroup

	mu      sync.Mutex // guards the rest; never held across a write
	policy  *RelayPolicy
	open    map[transport.CapableConn]struct{}
	devices map[publicKey]*reserved
	waiting map[token]*circuit
	callers map[netip.Prefix]int
	called  map[publicKey]int // circuits to each device
	day     time.Time         // when today began
	stats   RelayStats
}

// reserved is a device that can be called.
type reserved struct {
	end
	offers chan token
}

// A circuit connects a caller and a device.
type circuit struct {
	device publicKey
	taken  chan end      // from the connection of the device
	over   chan struct{} // closed at the end
	rate   bucket
	bytes  int64 // guarded by the server's mu
}

// An end is the connection of one of the two.
type end struct {
	raw    transport.CapableConn
	stream network.MuxedStream
	gone   <-chan struct{} // closed once it has ended
}

// filled is p with its defaults.
func (p RelayPolicy) filled() *RelayPolicy {
	for _, n := range []struct {
		at    *int
		value int
	}{{&p.Reservations, RelayReservations}, {&p.Circuits, RelayCircuits}, {&p.PerDevice, RelayPerDevice}, {&p.PerCaller, RelayPerCaller}} {
		if *n.at == 0 {
			*n.at = n.value
		}
	}
	for _, n := range []struct {
		at    *int64
		value int64
	}{{&p.Rate, RelayRate}, {&p.CircuitRate, RelayCircuitRate}, {&p.CircuitBytes, RelayCircuitBytes}, {&p.DayBytes, RelayDayBytes}} {
		if *n.at == 0 {
			*n.at = n.value
		}
	}
	p.PerDevice = min(p.PerDevice, RelayPerDevice) // what the limits of connections allow
	return &p
}

func (d *direct) ServeRelay(policy *RelayPolicy) { d.relay.set(policy) }

func (d *direct) RelayStats() RelayStats {
	d.relay.mu.Lock()
	defer d.relay.mu.Unlock()
	s := d.relay.stats
	s.On, s.Reservations = d.relay.policy != nil, len(d.relay.devices)
	return s
}

// set switches on, or with nil off; then it waits for the end of everything.
func (r *relayServer) set(policy *RelayPolicy) {
	r.mu.Lock()
	if policy != nil {
		r.policy = policy.filled()
		r.all.set(r.policy.Rate)
		if r.open == nil {
			r.open = make(map[transport.CapableConn]struct{})
			r.devices = make(map[publicKey]*reserved)
			r.waiting = make(map[token]*circuit)
			r.callers = make(map[netip.Prefix]int)
			r.called = make(map[publicKey]int)
		}
		r.mu.Unlock()
		return
	}
	r.policy = nil
	var open []transport.CapableConn
	for raw := range r.open {
		open = append(open, raw)
	}
	r.mu.Unlock()
	for _, raw := range open {
		raw.Close()
	}
	r.wg.Wait()
}

// on reports whether this is a relay.
func (r *relayServer) on() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.policy != nil
}

// enter counts a connection and returns the policy; nil when switched off meanwhile.
func (r *relayServer) enter(raw transport.CapableConn) *RelayPolicy {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.policy != nil {
		r.open[raw] = struct{}{}
		r.wg.Add(1)
	}
	return r.policy
}

func (r *relayServer) leave(e end) {
	e.raw.Close()
	<-e.gone
	r.mu.Lock()
	delete(r.open, e.raw)
	r.mu.Unlock()
	r.wg.Done()
}

// serve serves a connection, whose first frame is f, until it ends.
func (r *relayServer) serve(raw transport.CapableConn, s network.MuxedStream, f relayFrame) {
	policy := r.enter(raw)
	if policy == nil {
		raw.Close()
		return
	}
	gone := make(chan struct{})
	go func() {
		alone(raw)
		close(gone)
	}()
	e := end{raw, s, gone}
	defer r.leave(e)
	key, err := keyOf(raw.RemotePeer())
	if err != nil {
		return
	}
	var reason byte
	switch f.kind {
	case kindReserve:
		reason = r.reserve(e, key, policy, f.ticket)
	case kindCall:
		reason = r.call(e, f.device)
	case kindTake:
		reason = r.take(e, key, f.token)
	}
	if reason != 0 {
		r.mu.Lock()
		r.stats.Refused++
		r.mu.Unlock()
		e.refuse(reason)
	}
}

// refuse says why and waits until the other side has closed, or farewell is over.
func (e end) refuse(reason byte) {
	if writeRelayFrame(e.stream, relayFrame{kind: kindRefused, reason: reason}) != nil || e.stream.CloseWrite() != nil {
		return
	}
	late := time.NewTimer(farewell)
	defer late.Stop()
	select {
	case <-e.gone:
	case <-late.C:
	}
}

// reserve keeps a device until its connection ends. What it returns is the reason
// why not, or zero.
func (r *relayServer) reserve(e end, key publicKey, policy *RelayPolicy, ticket [TicketSize]byte) byte {
	if policy.Admit != nil && !policy.Admit(ticket) {
		return reasonTicket
	}
	seen, ok := hostAt(e.raw)
	if !ok {
		return reasonFull
	}
	me := &reserved{end: e, offers: make(chan token, relayOffers)}
	r.mu.Lock()
	before := r.devices[key]
	if before == nil && len(r.devices) >= policy.Reservations {
		r.mu.Unlock()
		return reasonFull
	}
	r.devices[key] = me
	r.mu.Unlock()
	if before != nil {
		before.raw.Close()
	}
	defer func() {
		r.mu.Lock()
		if r.devices[key] == me {
			delete(r.devices, key)
		}
		r.mu.Unlock()
	}()
	f := relayFrame{kind: kindReserved, observed: seen, rate: uint64(policy.CircuitRate), size: uint64(policy.CircuitBytes)}
	for err := writeRelayFrame(e.stream, f); err == nil; {
		select {
		case t := <-me.offers:
			err = writeRelayFrame(e.stream, relayFrame{kind: kindOffer, token: t})
		case <-e.gone:
			return 0
		}
	}
	return 0
}

// call connects e with device until either ends.
func (r *relayServer) call(e end, device publicKey) byte {
	c := &circuit{device: device, taken: make(chan end, 1), over: make(chan struct{})}
	var t token
	rand.Read(t[:])
	seen, _ := hostAt(e.raw)
	from := prefixOf(seen.at.Addr())
	reason := r.begin(c, t, from)
	if reason != 0 {
		return reason
	}
	defer close(c.over)
	defer r.finish(c, t, from)
	late := time.NewTimer(relayJoin)
	defer late.Stop()
	select {
	case other := <-c.taken:
		joined := relayFrame{kind: kindJoined}
		if writeRelayFrame(other.stream, joined) == nil && writeRelayFrame(e.stream, joined) == nil {
			r.splice(c, e, other)
		}
		return 0
	case <-e.gone:
		return 0
	case <-late.C:
		return reasonNobody
	}
}

// begin counts c and offers it to the device, unless a limit is reached.
func (r *relayServer) begin(c *circuit, t token, from netip.Prefix) (reason byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	dev := r.devices[c.device]
	switch p := r.policy; {
	case p == nil:
		return reasonOff
	case dev == nil:
		return reasonNobody
	case r.stats.Circuits >= p.Circuits, r.called[c.device] >= p.PerDevice, r.callers[from] >= p.PerCaller, !r.left(0):
		return reasonFull
	}
	select {
	case dev.offers <- t:
	default:
		return reasonFull
	}
	c.rate.set(r.policy.CircuitRate)
	r.waiting[t] = c
	r.callers[from]++
	r.called[c.device]++
	r.stats.Circuits++
	return 0
}

// finish takes c from what begin counted.
func (r *relayServer) finish(c *circuit, t token, from netip.Prefix) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.waiting, t)
	r.stats.Circuits--
	if r.callers[from]--; r.callers[from] == 0 {
		delete(r.callers, from)
	}
	if r.called[c.device]--; r.called[c.device] == 0 {
		delete(r.called, c.device)
	}
}

// take gives e to the caller who waits for it.
func (r *relayServer) take(e end, key publicKey, t token) byte {
	r.mu.Lock()
	c := r.waiting[t]
	if c == nil || c.device != key {
		r.mu.Unlock()
		return reasonNobody
	}
	delete(r.waiting, t)
	r.stats.Served++
	r.mu.Unlock()
	c.taken <- e
	<-c.over
	return 0
}

// left counts n bytes of today and reports whether that was not too many. The
// caller holds mu.
func (r *relayServer) left(n int64) bool {
	if now := time.Now(); now.Sub(r.day) >= 24*time.Hour {
		r.day, r.stats.Today = now, 0
	}
	r.stats.Bytes += uint64(n)
	r.stats.Today += uint64(n)
	return r.policy != nil && r.stats.Today < uint64(r.policy.DayBytes)
}

// prefixOf is the network that counts as one caller.
func prefixOf(ip netip.Addr) netip.Prefix {
	bits := 32
	if ip.Is6() {
		bits = 64
	}
	p, _ := ip.Prefix(bits)
	return p
}
