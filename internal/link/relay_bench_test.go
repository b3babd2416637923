package link_test

import (
	"runtime"
	"testing"
	"time"

	"kith/internal/link"
	"kith/internal/link/linktest"
)

// noLimits is a policy under which the machine is the limit.
var noLimits = link.RelayPolicy{Rate: 1 << 40, CircuitRate: 1 << 40, CircuitBytes: 1 << 50, DayBytes: 1 << 50, Circuits: 1000, PerCaller: 1000}

// BenchmarkRelay carries frames of 64 KiB on each way to a device, one after the other in one run.
func BenchmarkRelay(b *testing.B) {
	for _, way := range ways(b) {
		b.Run(way.name, func(b *testing.B) {
			from, to := way.connect(b)
			frame := make([]byte, 64<<10)
			b.SetBytes(int64(len(frame)))
			done := make(chan struct{})
			go func() {
				defer close(done)
				for from.Write(b.Context(), frame) == nil {
				}
			}()
			for b.Loop() {
				if _, err := to.Read(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
			from.Close()
			to.Close()
			<-done
		})
	}
}

// BenchmarkConnect dials, accepts, and closes.
func BenchmarkConnect(b *testing.B) {
	for _, way := range ways(b) {
		b.Run(way.name, func(b *testing.B) {
			for b.Loop() {
				from, to := way.connect(b)
				b.StopTimer()
				from.Close()
				to.Close()
				until(b, func() bool { return way.relay.RelayStats().Circuits == 0 })
				b.StartTimer()
			}
		})
	}
	b.Run("punched", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			x, y := newDirect(b, link.DirectConfig{}), newDirect(b, link.DirectConfig{})
			toX, toY := linktest.NewRouters(b, x.Address(), y.Address()).Addresses()
			b.StartTimer()
			expected := make(chan error, 1)
			go func() { expected <- y.Expect(b.Context(), toX) }()
			if _, err := x.Punch(b.Context(), toY); err != nil {
				b.Fatal(err)
			}
			b.StopTimer()
			if err := <-expected; err != nil {
				b.Fatal(err)
			}
			x.Close()
			y.Close()
			b.StartTimer()
		}
	})
}

// A way is how one device reaches another.
type way struct {
	name     string
	from, to link.Direct
	hosts    []string
	relay    link.Direct
}

func (w way) connect(b *testing.B) (from, to link.Conn) {
	from, err := w.from.Dial(b.Context(), link.Address{Peer: w.to.Address().Peer, Hosts: w.hosts})
	if err != nil {
		b.Fatal(err)
	}
	if to, err = w.to.Accept(b.Context()); err != nil {
		b.Fatal(err)
	}
	return from, to
}

func ways(b *testing.B) []way {
	r := newRelay(b, noLimits)
	to, from := newDirect(b, link.DirectConfig{WebSocket: "127.0.0.1:0"}), newDirect(b, link.DirectConfig{})
	direct := to.Address().Hosts
	all := []way{{"quic", from, to, direct[:1], r}, {"tcp", from, to, direct[1:2], r}, {"ws", from, to, direct[2:], r}}
	for _, kind := range []string{"/quic-v1", "/tcp/"} {
		d := newDirect(b, link.DirectConfig{})
		relay := part(r, kind)
		relay.Hosts = relay.Hosts[:1]
		reserve(b, d, 1, link.Relay{Address: relay})
		all = append(all, way{"relay" + kind[:5], from, d, relayHosts(d), r})
	}
	return all
}

// BenchmarkRelayMemory says what 50 reservations, and 50 circuits, hold at rest; devices and
// callers are in this process too, with their own ends.
func BenchmarkRelayMemory(b *testing.B) {
	const n = 50
	for b.Loop() {
		r, caller := newRelay(b, noLimits), newDirect(b, link.DirectConfig{})
		relay := part(r, "/quic-v1")
		var devices []link.Direct
		for range n {
			devices = append(devices, newDirect(b, link.DirectConfig{}))
		}
		idle := used()
		for _, d := range devices {
			reserve(b, d, 1, link.Relay{Address: relay})
		}
		held := used()
		b.ReportMetric(float64(held-idle)/n/1000, "kB/reservation")
		// More would meet the limit of connections with one key.
		const calls = 20
		for _, d := range devices[:calls] {
			way{"", caller, d, relayHosts(d), r}.connect(b)
		}
		b.ReportMetric(float64(used()-held)/calls/1000, "kB/circuit")
	}
}

// used is what is held on the heap and in stacks.
func used() int64 {
	for range 3 {
		runtime.GC()
		<-time.After(20 * time.Millisecond)
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}
