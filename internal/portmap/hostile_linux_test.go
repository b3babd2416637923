package portmap_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kith/internal/portmap"
)

// A bad is a router written by hand, on an address of its own of the loopback
// network.
type bad struct {
	t       *testing.T
	at      netip.Addr
	asked   atomic.Int64 // datagrams
	fetched atomic.Int64 // by HTTP
}

var bads atomic.Int64

func newBad(t *testing.T) *bad {
	t.Parallel()
	n := bads.Add(1)
	return &bad{t: t, at: netip.AddrFrom4([4]byte{127, 0, 77, byte(n)})}
}

// datagrams answers what comes to a port.
func (b *bad) datagrams(port uint16, answer func(q []byte, reply func([]byte))) {
	b.t.Helper()
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(b.at, port)))
	if err != nil {
		b.t.Skipf("no address or port for a router by hand: %v", err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for q := make([]byte, 2000); ; {
			n, from, err := conn.ReadFromUDPAddrPort(q)
			if err != nil {
				return
			}
			b.asked.Add(1)
			answer(q[:n], func(a []byte) { _, _ = conn.WriteToUDPAddrPort(a, from) })
		}
	})
	b.t.Cleanup(func() {
		_ = conn.Close()
		wg.Wait()
	})
}

// web serves HTTP, and says so to who searches; where the description is unless
// location says otherwise.
func (b *bad) web(location string, serve http.HandlerFunc) {
	b.t.Helper()
	l, err := net.Listen("tcp4", netip.AddrPortFrom(b.at, 0).String())
	if err != nil {
		b.t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		b.fetched.Add(1)
		serve(w, q)
	})}
	var wg sync.WaitGroup
	wg.Go(func() { _ = server.Serve(l) })
	b.t.Cleanup(func() {
		_ = server.Close()
		wg.Wait()
	})
	if location == "" {
		location = "http://" + l.Addr().String() + "/desc.xml"
	}
	b.datagrams(1900, func(_ []byte, reply func([]byte)) {
		reply([]byte("HTTP/1.1 200 OK\r\nST: x\r\nUSN: x\r\nLOCATION: " + location + "\r\n\r\n"))
	})
}

// open asks this router.
func (b *bad) open(least time.Duration) *portmap.Mapper {
	m := portmap.OpenFast(portmap.Config{Port: port, Route: func(six bool) (portmap.Route, error) {
		if six {
			return portmap.Route{}, errors.New("IPv4 only")
		}
		return portmap.Route{Gateway: b.at, Local: netip.MustParseAddr("127.0.0.1"), Device: "lo"}, nil
	}}, time.Hour, least, time.Hour, 800*time.Millisecond)
	b.t.Cleanup(func() { _ = m.Close() })
	return m
}

// verdict waits for the end of the first round.
func (b *bad) verdict() portmap.Side {
	b.t.Helper()
	m := b.open(time.Minute)
	end := time.After(25 * time.Second)
	for {
		if s := m.State().IPv4; s.Reason != portmap.NotAsked {
			return s
		}
		select {
		case <-m.Changed():
		case <-end:
			b.t.Fatal("no verdict after 25 s")
		}
	}
}

// mapped is a proper answer to a PCP request, and nothing to others.
func mapped(q []byte, lifetime uint32, external netip.AddrPort) []byte {
	if q[0] != 2 {
		return nil
	}
	a := append([]byte(nil), q...)
	a[1] |= 0x80
	a[3] = 0
	clear(a[4:24])
	binary.BigEndian.PutUint32(a[8:], 1000)
	if len(a) == 60 {
		binary.BigEndian.PutUint32(a[4:], lifetime)
		binary.BigEndian.PutUint16(a[42:], external.Port())
		wide := external.Addr().As16()
		copy(a[44:], wide[:])
	}
	return a
}

// What external addresses mean.
func TestExternalAddress(t *testing.T) {
	for text, want := range map[string]portmap.Reason{
		"1.2.3.1:4001": portmap.Works, "192.168.1.7:4001": portmap.DoubleNAT, "10.0.0.1:4001": portmap.DoubleNAT, "169.254.1.1:4001": portmap.DoubleNAT,
		"100.64.3.7:4001": portmap.CarrierNAT, "192.0.0.4:4001": portmap.CarrierNAT, "0.0.0.0:4001": portmap.NoExternalAddress,
		"127.0.0.1:4001": portmap.Nonsense, "224.0.0.1:4001": portmap.Nonsense, "255.255.255.255:4001": portmap.Nonsense,
	} {
		t.Run(text, func(t *testing.T) {
			b := newBad(t)
			b.datagrams(5351, func(q []byte, reply func([]byte)) {
				if q[0] == 2 {
					reply(mapped(q, 600, netip.MustParseAddrPort(text)))
				}
			})
			if s := b.verdict(); s.Reason != want || s.Way != portmap.PCP || s.UDP.String() != text {
				t.Errorf("%+v", s)
			}
		})
	}
}

// Answers that cannot be, on the port of PCP and NAT-PMP.
func TestLyingRouter(t *testing.T) {
	good := netip.MustParseAddrPort("1.2.3.1:4001")
	change := func(at int, to byte) func([]byte) [][]byte {
		return func(q []byte) [][]byte {
			a := mapped(q, 600, good)
			if len(a) > at {
				a[at] = to
			}
			return [][]byte{a}
		}
	}
	for name, answer := range map[string]func(q []byte) [][]byte{
		"garbage":               func([]byte) [][]byte { return [][]byte{[]byte("garbage in, garbage out"), {}, make([]byte, 1500)} },
		"an echo":               func(q []byte) [][]byte { return [][]byte{q} },
		"a flood":               func([]byte) [][]byte { return make([][]byte, 500) },
		"another nonce":         change(24, 0xee),
		"another protocol":      change(36, 99),
		"another internal port": change(41, 1),
		"external port zero":    func(q []byte) [][]byte { return [][]byte{mapped(q, 600, netip.MustParseAddrPort("1.2.3.1:0"))} },
		"no lease":              func(q []byte) [][]byte { return [][]byte{mapped(q, 0, good)} },
		"the other family":      func(q []byte) [][]byte { return [][]byte{mapped(q, 600, netip.MustParseAddrPort("[2a00::1]:1"))} },
		"cut": func(q []byte) [][]byte {
			a := mapped(q, 600, good)
			return [][]byte{a[:max(0, len(a)-4)]}
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBad(t)
			b.datagrams(5351, func(q []byte, reply func([]byte)) {
				for _, a := range answer(q) {
					reply(a)
				}
			})
			if s := b.verdict(); s.Mapped() || s.Reason == portmap.Works {
				t.Errorf("%+v", s)
			}
		})
	}
}

// The right answer from another address is not heard.
func TestWrongSource(t *testing.T) {
	b := newBad(t)
	other, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 78, 1), Port: 5351})
	if err != nil {
		t.Skipf("no second address: %v", err)
	}
	defer other.Close()
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(b.at, 5351)))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var wg sync.WaitGroup
	defer wg.Wait()
	defer conn.Close()
	wg.Go(func() {
		for q := make([]byte, 2000); ; {
			n, from, err := conn.ReadFromUDPAddrPort(q)
			if err != nil {
				return
			}
			if q[0] == 2 {
				_, _ = other.WriteToUDPAddrPort(mapped(q[:n], 600, netip.MustParseAddrPort("1.2.3.1:4001")), from)
			}
		}
	})
	if s := b.verdict(); s.Mapped() || s.Reason != portmap.NoAnswer {
		t.Errorf("%+v", s)
	}
}

// A lease of one second does not keep us busy, one of a century is not believed.
func TestLeaseBounds(t *testing.T) {
	t.Run("short", func(t *testing.T) {
		b := newBad(t)
		var at []time.Time
		done := make(chan struct{})
		b.datagrams(5351, func(q []byte, reply func([]byte)) {
			if q[0] != 2 {
				return
			}
			if len(q) == 60 && q[36] == 17 {
				if at = append(at, time.Now()); len(at) == 4 {
					close(done)
				}
			}
			reply(mapped(q, 1, netip.MustParseAddrPort("1.2.3.1:4001")))
		})
		b.open(700 * time.Millisecond)
		<-done
		for i := 1; i < 4; i++ {
			if pause := at[i].Sub(at[i-1]); pause < 650*time.Millisecond {
				t.Errorf("asked again after %v", pause)
			}
		}
	})
	t.Run("long", func(t *testing.T) {
		b := newBad(t)
		b.datagrams(5351, func(q []byte, reply func([]byte)) {
			if q[0] == 2 {
				reply(mapped(q, 1<<32-1, netip.MustParseAddrPort("1.2.3.1:4001")))
			}
		})
		if s := b.verdict(); !s.Mapped() || time.Until(s.Until) > 24*time.Hour {
			t.Errorf("%+v", s)
		}
	})
}

const description = `<?xml version="1.0"?><root xmlns="urn:schemas-upnp-org:device-1-0">%s<device><deviceList><device><serviceList><service>` +
	`<serviceType>urn:schemas-upnp-org:service:WANIPConnection:1</serviceType><controlURL>%s</controlURL></service></serviceList></device></deviceList></device></root>`

// answers writes the answer of an action.
func answers(w io.Writer, action, inside string) {
	fmt.Fprintf(w, `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><u:%sResponse xmlns:u="x">%s</u:%sResponse></s:Body></s:Envelope>`, action, inside, action)
}

func faults(w http.ResponseWriter, code int) {
	w.WriteHeader(http.StatusInternalServerError)
	fmt.Fprintf(w, `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault><detail><UPnPError><errorCode>%d</errorCode></UPnPError></detail></s:Fault></s:Body></s:Envelope>`, code)
}

func actionOf(q *http.Request) string {
	_, action, _ := strings.Cut(strings.Trim(q.Header.Get("SOAPAction"), `"`), "#")
	return action
}

// Routers that lead elsewhere, or never come to an end.
func TestHostileWeb(t *testing.T) {
	var trapped atomic.Int64
	trap, err := net.Listen("tcp4", "127.0.79.1:0")
	if err != nil {
		t.Skipf("no second address: %v", err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := trap.Accept()
			if err != nil {
				return
			}
			trapped.Add(1)
			_ = conn.Close()
		}
	})
	elsewhere := "http://" + trap.Addr().String()
	// A cleanup of t itself runs after the parallel ones below.
	t.Cleanup(func() {
		_ = trap.Close()
		wg.Wait()
		if n := trapped.Load(); n != 0 {
			t.Errorf("%d connections to where the router led", n)
		}
	})
	endless := func(w io.Writer, text string) {
		for range 1 << 20 {
			if _, err := io.WriteString(w, text); err != nil {
				return
			}
		}
	}
	for name, c := range map[string]struct {
		location string
		serve    http.HandlerFunc
	}{
		"a description elsewhere": {elsewhere + "/desc.xml", func(http.ResponseWriter, *http.Request) {}},
		"a redirect":              {"", func(w http.ResponseWriter, q *http.Request) { http.Redirect(w, q, elsewhere+"/x", http.StatusFound) }},
		"a base elsewhere": {"", func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, description, "<URLBase>"+elsewhere+"</URLBase>", "/ctl")
		}},
		"a control URL elsewhere": {"", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintf(w, description, "", elsewhere+"/ctl") }},
		"an action redirected": {"", func(w http.ResponseWriter, q *http.Request) {
			if q.Method == http.MethodPost {
				http.Redirect(w, q, elsewhere+"/x", http.StatusTemporaryRedirect)
				return
			}
			fmt.Fprintf(w, description, "", "/ctl")
		}},
		"garbage":            {"", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "\xff\x00<root><<<") }},
		"no status":          {"", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }},
		"endless XML":        {"", func(w http.ResponseWriter, _ *http.Request) { endless(w, "<device>") }},
		"endless text":       {"", func(w http.ResponseWriter, _ *http.Request) { endless(w, "<root>"+strings.Repeat("x", 1000)) }},
		"endless headers":    {"", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X", strings.Repeat("x", 1<<20)) }},
		"a body without end": {"", func(w http.ResponseWriter, q *http.Request) { w.(http.Flusher).Flush(); <-q.Context().Done() }},
		"an endless answer":  {"", func(w http.ResponseWriter, q *http.Request) { serveOr(w, q, func() { endless(w, "<s:Envelope>") }) }},
		"an address of words": {"", func(w http.ResponseWriter, q *http.Request) {
			serveOr(w, q, func() {
				answers(w, "GetExternalIPAddress", "<NewExternalIPAddress>example.org</NewExternalIPAddress>")
			})
		}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBad(t)
			b.web(c.location, c.serve)
			if s := b.verdict(); s.Mapped() || s.Reason == portmap.Works {
				t.Errorf("%+v", s)
			}
			if n := b.fetched.Load(); n > 20 {
				t.Errorf("%d calls", n)
			}
		})
	}
}

// serveOr gives the description, and else does something else.
func serveOr(w http.ResponseWriter, q *http.Request, other func()) {
	if q.Method == http.MethodPost {
		other()
		return
	}
	fmt.Fprintf(w, description, "", "/ctl")
}

// Odd routers that there are: leases for ever alone, and a yes that means nothing.
func TestOddWeb(t *testing.T) {
	odd := func(add, specific func(w http.ResponseWriter, body string)) http.HandlerFunc {
		return func(w http.ResponseWriter, q *http.Request) {
			serveOr(w, q, func() {
				body, _ := io.ReadAll(q.Body)
				switch action := actionOf(q); action {
				case "GetExternalIPAddress":
					answers(w, action, "<NewExternalIPAddress>1.2.3.1</NewExternalIPAddress>")
				case "AddPortMapping":
					add(w, string(body))
				case "GetSpecificPortMappingEntry":
					specific(w, string(body))
				default:
					answers(w, action, "")
				}
			})
		}
	}
	yes := func(w http.ResponseWriter, _ string) { answers(w, "AddPortMapping", "") }
	t.Run("for ever", func(t *testing.T) {
		b := newBad(t)
		b.web("", odd(func(w http.ResponseWriter, body string) {
			if !strings.Contains(body, "<NewLeaseDuration>0<") {
				faults(w, 725)
				return
			}
			yes(w, body)
		}, func(w http.ResponseWriter, _ string) { faults(w, 401) })) // this one cannot be asked
		if s := b.verdict(); !s.Mapped() || s.Reason != portmap.Works || !s.Until.IsZero() || s.Way != portmap.UPnP {
			t.Errorf("%+v", s)
		}
	})
	t.Run("yes, and nothing", func(t *testing.T) {
		b := newBad(t)
		b.web("", odd(yes, func(w http.ResponseWriter, _ string) { faults(w, 714) }))
		if s := b.verdict(); s.Mapped() || s.Reason != portmap.Refused {
			t.Errorf("%+v", s)
		}
	})
	t.Run("all ports are somebody else's", func(t *testing.T) {
		b := newBad(t)
		b.web("", odd(yes, func(w http.ResponseWriter, _ string) {
			answers(w, "GetSpecificPortMappingEntry", "<NewInternalPort>4001</NewInternalPort><NewInternalClient>127.0.0.9</NewInternalClient>")
		}))
		if s := b.verdict(); s.Mapped() || s.Reason != portmap.Full {
			t.Errorf("%+v", s)
		}
	})
}
