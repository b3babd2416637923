package link_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"kith/internal/link"
	"kith/internal/link/linktest"
)

// newRelay is a Link on loopback that relays by policy.
func newRelay(t testing.TB, policy link.RelayPolicy) link.Direct {
	t.Helper()
	l, err := link.NewDirect(link.DirectConfig{Listen: "127.0.0.1:0", WebSocket: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	l.ServeRelay(&policy)
	return l
}

// reserve has l reserve a place at the relays and waits for n of them.
func reserve(t testing.TB, l link.Direct, n int, relays ...link.Relay) {
	t.Helper()
	l.UseRelays(relays)
	until(t, func() bool { return len(relayHosts(l)) == n })
}

func relayHosts(l link.Link) []string {
	var hosts []string
	for _, h := range l.Address().Hosts {
		if strings.Contains(h, "/relay/") {
			hosts = append(hosts, h)
		}
	}
	return hosts
}

// until waits for what is so at last.
func until(t testing.TB, so func() bool) {
	t.Helper()
	late := time.After(15 * time.Second)
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for !so() {
		select {
		case <-look.C:
		case <-late:
			t.Fatal("it never comes to that")
		}
	}
}

// part is the address of l with only those hosts that have part in their text.
func part(l link.Link, part string) link.Address { return only{l, part}.Address() }

// A connection through a relay is like any other, whatever carries it to the relay.
func TestRelay(t *testing.T) {
	for _, kind := range []string{"/quic-v1", "/tcp/", "/ws"} {
		t.Run(kind[1:], func(t *testing.T) {
			t.Parallel()
			linktest.Run(t, func(t *testing.T) (link.Link, link.Link) {
				r := newRelay(t, link.RelayPolicy{})
				to := part(r, kind)
				if kind == "/tcp/" {
					to.Hosts = to.Hosts[:1] // not WebSocket's
				}
				a, b := newDirect(t, link.DirectConfig{}), newDirect(t, link.DirectConfig{})
				reserve(t, a, 1, link.Relay{Address: to})
				reserve(t, b, 1, link.Relay{Address: to})
				return only{a, "/relay/"}, only{b, "/relay/"}
			})
		})
	}
}

func TestWebSocket(t *testing.T) {
	for _, listen := range []string{"127.0.0.1:0", "[::1]:0"} {
		t.Run(listen, func(t *testing.T) {
			t.Parallel()
			linktest.Run(t, func(t *testing.T) (link.Link, link.Link) {
				cfg := link.DirectConfig{WebSocket: listen}
				return only{newDirect(t, cfg), "/tls/ws"}, only{newDirect(t, cfg), "/tls/ws"}
			})
		})
	}
}

// met is a device with a reservation at a relay, and one that calls it.
type met struct {
	relay, device, caller link.Direct
}

func meet(t testing.TB, policy link.RelayPolicy) met {
	t.Helper()
	m := met{newRelay(t, policy), newDirect(t, link.DirectConfig{}), newDirect(t, link.DirectConfig{})}
	reserve(t, m.device, 1, link.Relay{Address: part(m.relay, "/quic-v1")})
	return m
}

// call connects the two; each call is a circuit.
func (m met) call(t testing.TB) (caller, device link.Conn) {
	t.Helper()
	caller, err := m.caller.Dial(t.Context(), part(m.device, "/relay/"))
	if err != nil {
		t.Fatal(err)
	}
	device, err = m.device.Accept(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return caller, device
}

// refused waits until the relay, and not somebody's clock, has refused a call with want.
func (m met) refused(t *testing.T, want error) {
	t.Helper()
	before := m.relay.RelayStats().Refused
	if _, err := m.caller.Dial(t.Context(), part(m.device, "/relay/")); !errors.Is(err, want) || !errors.Is(err, link.ErrUnreachable) {
		t.Errorf("Dial: got %v, want ErrUnreachable because of %v", err, want)
	}
	if after := m.relay.RelayStats().Refused; after != before+1 {
		t.Errorf("the relay refused %d times, want once", after-before)
	}
}

// What both ends, the device and the relay's owner are told.
func TestRelayTold(t *testing.T) {
	m := meet(t, link.RelayPolicy{})
	select {
	case <-m.device.Changed():
	case <-time.After(5 * time.Second):
		t.Error("Changed does not tell of the reservation")
	}
	hosts := relayHosts(m.device)
	if all := m.device.Address().Hosts; all[len(all)-1] != hosts[0] {
		t.Errorf("the relay is not the last of %v", all)
	}
	state := m.device.Relays()[0]
	listens := part(m.device, "/quic-v1").Hosts[0]
	if state.Host != hosts[0] || state.Observed != listens || state.Since.IsZero() || state.Err != nil || !bytes.Equal(state.Peer, m.relay.Address().Peer) {
		t.Errorf("Relays: %+v, want the host %s, observed at %s", state, hosts[0], listens)
	}
	ca, cb := m.call(t)
	for _, c := range []link.Conn{ca, cb} {
		if c.Kind() != "relay" || c.Remote().Hosts[0] != hosts[0] {
			t.Errorf("a connection of kind %q with %v, want relay, %s", c.Kind(), c.Remote().Hosts, hosts[0])
		}
	}
	frame := make([]byte, 50_000)
	if err := ca.Write(t.Context(), frame); err != nil {
		t.Fatal(err)
	}
	if f, err := cb.Read(t.Context()); err != nil || !bytes.Equal(f, frame) {
		t.Fatalf("Read: %d bytes, %v", len(f), err)
	}
	if s := m.relay.RelayStats(); !s.On || s.Reservations != 1 || s.Circuits != 1 || s.Served != 1 || s.Bytes < 50_000 || s.Today != s.Bytes {
		t.Errorf("RelayStats: %+v", s)
	}

	m.relay.ServeRelay(nil)
	<-ca.Done()
	<-cb.Done()
	if s := m.relay.RelayStats(); s.On || s.Reservations != 0 || s.Circuits != 0 {
		t.Errorf("RelayStats after the end: %+v", s)
	}
	until(t, func() bool { return len(relayHosts(m.device)) == 0 })
	until(t, func() bool { return errors.Is(m.device.Relays()[0].Err, link.ErrUnreachable) })
}

// A device that gives a relay up is not called there any more.
func TestRelayGivenUp(t *testing.T) {
	m := meet(t, link.RelayPolicy{})
	to := part(m.device, "/relay/")
	m.device.UseRelays(nil)
	until(t, func() bool { return m.relay.RelayStats().Reservations == 0 })
	if len(m.device.Relays()) != 0 {
		t.Error("Relays still names it")
	}
	if _, err := m.caller.Dial(t.Context(), to); !errors.Is(err, link.ErrRelayNobody) {
		t.Errorf("Dial: got %v, want ErrRelayNobody", err)
	}
}

// The limits of a relay, each with the second of which only one is allowed.
func TestRelayLimits(t *testing.T) {
	for _, c := range []struct {
		name   string
		policy link.RelayPolicy
	}{
		{"circuits", link.RelayPolicy{Circuits: 1}},
		{"per device", link.RelayPolicy{PerDevice: 1}},
		{"per caller", link.RelayPolicy{PerCaller: 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := meet(t, c.policy)
			ca, _ := m.call(t)
			m.refused(t, link.ErrRelayFull)
			ca.Close()
			until(t, func() bool { return m.relay.RelayStats().Circuits == 0 })
			m.call(t)
		})
	}
	t.Run("reservations", func(t *testing.T) {
		m := meet(t, link.RelayPolicy{Reservations: 1})
		m.caller.UseRelays([]link.Relay{{Address: m.relay.Address()}})
		until(t, func() bool { return errors.Is(m.caller.Relays()[0].Err, link.ErrRelayFull) })
	})
	t.Run("ticket", func(t *testing.T) {
		ours := [link.TicketSize]byte{1}
		m := met{relay: newRelay(t, link.RelayPolicy{Admit: func(t [link.TicketSize]byte) bool { return t == ours }}), device: newDirect(t, link.DirectConfig{}), caller: newDirect(t, link.DirectConfig{})}
		m.caller.UseRelays([]link.Relay{{Address: m.relay.Address(), Ticket: [link.TicketSize]byte{2}}})
		until(t, func() bool { return errors.Is(m.caller.Relays()[0].Err, link.ErrRelayTicket) })
		reserve(t, m.device, 1, link.Relay{Address: part(m.relay, "/quic-v1"), Ticket: ours})
		m.call(t) // who calls needs none
	})
	// A circuit's handshake takes some 10 kB.
	for name, policy := range map[string]link.RelayPolicy{"circuit bytes": {CircuitBytes: 200_000}, "day bytes": {DayBytes: 200_000}} {
		t.Run(name, func(t *testing.T) {
			m := meet(t, policy)
			ca, cb := m.call(t)
			for i := 0; ca.Write(t.Context(), make([]byte, 50_000)) == nil; i++ {
				if _, err := cb.Read(t.Context()); err != nil {
					break
				}
				if i == 4 {
					t.Fatal("250,000 bytes went through")
				}
			}
			<-ca.Done()
			<-cb.Done()
			until(t, func() bool { return m.relay.RelayStats().Circuits == 0 })
			if name == "day bytes" {
				m.refused(t, link.ErrRelayFull)
			}
		})
	}
	t.Run("rate", func(t *testing.T) {
		for name, policy := range map[string]link.RelayPolicy{"all": {Rate: 400_000}, "circuit": {CircuitRate: 400_000}} {
			m := meet(t, policy)
			ca, cb := m.call(t)
			began := time.Now()
			const frames = 16 // 800,000 bytes: the first 400,000 pass at once
			go func() {
				for range frames {
					ca.Write(t.Context(), make([]byte, 50_000))
				}
			}()
			for range frames {
				if _, err := cb.Read(t.Context()); err != nil {
					t.Fatalf("%s: %v", name, err)
				}
			}
			if took := time.Since(began); took < 700*time.Millisecond {
				t.Errorf("%s: 800 kB at 400 kB/s took %v", name, took)
			}
		}
	})
}

// Of four relays two are used, the first ones that serve; when one ends, another
// takes its place, and the address never has more than two.
func TestRelaysTwoOfMany(t *testing.T) {
	var relays []link.Relay
	var all []link.Direct
	for range 3 {
		r := newRelay(t, link.RelayPolicy{})
		all, relays = append(all, r), append(relays, link.Relay{Address: part(r, "/quic-v1")})
	}
	off := newDirect(t, link.DirectConfig{})
	d := newDirect(t, link.DirectConfig{})
	reserve(t, d, 2, append([]link.Relay{{Address: off.Address()}}, relays...)...)
	if states := d.Relays(); !errors.Is(states[0].Err, link.ErrRelayOff) || states[1].Host == "" || states[2].Host == "" || states[3].Host != "" {
		t.Errorf("%+v, want the second and the third", states)
	}
	if n := all[2].RelayStats().Reservations; n != 0 {
		t.Errorf("the last has %d reservations, want none", n)
	}
	all[0].Close()
	until(t, func() bool { return d.Relays()[3].Host != "" && len(relayHosts(d)) == 2 })
	if n := len(d.Address().Hosts); n > link.MaxHosts {
		t.Errorf("%d hosts", n)
	}
}

// A device with one relay tells two hosts of it, on different transports.
func TestRelayTwoHosts(t *testing.T) {
	r, d, c := newRelay(t, link.RelayPolicy{}), newDirect(t, link.DirectConfig{}), newDirect(t, link.DirectConfig{})
	reserve(t, d, 2, link.Relay{Address: r.Address()})
	hosts := relayHosts(d)
	if !strings.Contains(hosts[0], "/quic-v1/") || strings.Contains(hosts[1], "/quic-v1/") {
		t.Errorf("%v, want QUIC and another", hosts)
	}
	if _, err := c.Dial(t.Context(), link.Address{Peer: d.Address().Peer, Hosts: hosts[1:]}); err != nil {
		t.Error(err)
	}
}

// Who answers directly is not called through a relay; who does not, is after a second.
func TestRelayHeadStart(t *testing.T) {
	m := meet(t, link.RelayPolicy{})
	to := m.device.Address()
	c, err := m.caller.Dial(t.Context(), to)
	if err != nil {
		t.Fatal(err)
	}
	if c.Kind() != "quic" || m.relay.RelayStats().Served != 0 {
		t.Errorf("a connection of kind %q, want quic", c.Kind())
	}
	cable := linktest.NewProxy(t, m.device.Address())
	cable.Cut()
	to.Hosts = append(cable.Address(to, "").Hosts, relayHosts(m.device)...)
	began := time.Now()
	if c, err = m.caller.Dial(t.Context(), to); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); c.Kind() != "relay" || took < time.Second {
		t.Errorf("a connection of kind %q after %v, want relay after the head start", c.Kind(), took)
	}
	if c, err = m.caller.Dial(t.Context(), part(m.device, "/relay/")); err != nil || c.Kind() != "relay" {
		t.Errorf("a relay alone: %v", err)
	}
}

// Both directions at once through one relay, and the relay itself called besides.
func TestRelayItself(t *testing.T) {
	m := meet(t, link.RelayPolicy{})
	reserve(t, m.caller, 1, link.Relay{Address: part(m.relay, "/quic-v1")})
	m.call(t)
	back := met{m.relay, m.caller, m.device}
	back.call(t)
	c, err := m.caller.Dial(t.Context(), m.relay.Address())
	if err != nil || c.Kind() == "relay" {
		t.Errorf("the relay itself: %v", err)
	}
	if _, err := m.relay.Dial(t.Context(), part(m.device, "/relay/")); !errors.Is(err, link.ErrNoHost) {
		t.Errorf("the relay through itself: got %v, want ErrNoHost", err)
	}
}

// The local network's Link knows neither relays nor WebSocket.
func TestRelayNotOnLAN(t *testing.T) {
	m := meet(t, link.RelayPolicy{})
	lan := newDirect(t, link.DirectConfig{LAN: true, WebSocket: "127.0.0.1:0"})
	lan.UseRelays([]link.Relay{{Address: m.relay.Address()}})
	if len(lan.Relays()) != 0 || len(part(lan, "/ws").Hosts) != 0 {
		t.Errorf("Relays %v, hosts %v", lan.Relays(), lan.Address().Hosts)
	}
	if _, err := lan.Dial(t.Context(), part(m.device, "/relay/")); !errors.Is(err, link.ErrNoHost) {
		t.Errorf("Dial: got %v, want ErrNoHost", err)
	}
}

// Circuits one after the other are not too many: each is gone when it has ended.
func TestRelayOneAfterTheOther(t *testing.T) {
	m := meet(t, link.RelayPolicy{})
	for range 3 * link.RelayPerDevice {
		ca, cb := m.call(t)
		ca.Close()
		<-cb.Done()
		until(t, func() bool { return m.relay.RelayStats().Circuits == 0 })
	}
	if s := m.relay.RelayStats(); s.Served != 3*link.RelayPerDevice || s.Refused != 0 {
		t.Errorf("%+v", s)
	}
}
