package link_test

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	multistream "github.com/multiformats/go-multistream"
	"github.com/quic-go/quic-go"

	"kith/internal/link"
)

// liar is a relay made by hand, without the code under test. It speaks the protocol
// as far as answer, which is given the first frame, lets it.
type liar struct {
	address link.Address
	open    atomic.Int64 // connections now
	most    atomic.Int64 // connections at once so far
	close   func()
}

// newLiar serves until it is closed. What answer leaves open stays open.
func newLiar(t *testing.T, answer func(s quicStream, first []byte)) *liar {
	t.Helper()
	identity, id := rawIdentity(t)
	conf := &tls.Config{NextProtos: []string{"libp2p"}, GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
		conf, _ := identity.ConfigForPeer("")
		return conf, nil
	}}
	socket, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	way := &quic.Transport{Conn: socket}
	l, err := way.Listen(conf, &quic.Config{EnableDatagrams: true})
	if err != nil {
		t.Fatal(err)
	}
	r := &liar{address: hostAddress(t, id, "/udp/%d/quic-v1", l.Addr().(*net.UDPAddr).Port)}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept(context.Background())
			if err != nil {
				return
			}
			r.most.Store(max(r.most.Load(), r.open.Add(1)))
			wg.Go(func() {
				defer r.open.Add(-1)
				r.serve(c, answer)
				<-c.Context().Done()
			})
		}
	})
	r.close = sync.OnceFunc(func() {
		l.Close()
		way.Close()
		socket.Close()
		wg.Wait()
	})
	t.Cleanup(r.close)
	return r
}

func (r *liar) serve(c *quic.Conn, answer func(quicStream, []byte)) {
	s, err := c.AcceptStream(context.Background())
	if err != nil {
		return
	}
	m := multistream.NewMultistreamMuxer[string]()
	m.AddHandler("/kith/relay/1", nil)
	if _, _, err := m.Negotiate(s); err != nil {
		return
	}
	first := make([]byte, 33)
	if _, err := io.ReadFull(s, first[:1]); err != nil {
		return
	}
	if first[0] == 5 {
		first = first[:17]
	}
	if _, err := io.ReadFull(s, first[1:]); err == nil {
		answer(quicStream{s}, first)
	}
}

// keyText is the key in the id of a link, as a host names it.
func keyText(id []byte) string { return base64.RawURLEncoding.EncodeToString(id[6:]) }

const (
	joined   = "\x06"
	reserved = "\x02\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\xc0\x00\x02\x01\x0f\xa1" +
		"\x00\x00\x00\x00\x00\x10\x00\x00\x00\x00\x00\x00\x00\x10\x00\x00"
	offer = "\x04tokentokentoken!"
)

// pipe connects the circuit to where l listens on TCP, which is what a relay can do to make it meet another
// device. change sees the bytes from l and may change them.
func pipe(t *testing.T, s quicStream, l link.Link, change func([]byte)) {
	to, err := net.Dial("tcp", at(t, part(l, "/tcp/"), "tcp"))
	if err != nil {
		t.Error(err)
		return
	}
	defer to.Close()
	s.Write([]byte(joined))
	go func() {
		io.Copy(to, s)
		to.Close()
	}()
	b := make([]byte, 4096)
	for {
		n, err := to.Read(b)
		change(b[:n])
		if _, werr := s.Write(b[:n]); err != nil || werr != nil {
			s.Stream.CancelWrite(0)
			s.Stream.CancelRead(0)
			return
		}
	}
}

// A relay that does not do what it should makes a call fail, and no more.
func TestLyingRelayToCaller(t *testing.T) {
	nothing := leaks(t)
	device, other := newDirect(t, link.DirectConfig{}), newDirect(t, link.DirectConfig{})
	caller := newDirect(t, link.DirectConfig{})
	cases := []struct {
		name   string
		answer func(s quicStream, first []byte)
		want   error
	}{
		{"never answers", func(quicStream, []byte) {}, context.DeadlineExceeded},
		{"joins, then says nothing", func(s quicStream, _ []byte) { s.Write([]byte(joined)) }, context.DeadlineExceeded},
		{"refuses for a reason of later", func(s quicStream, _ []byte) { s.Write([]byte("\x07\x63")) }, link.ErrRelayFull},
		{"answers something else", func(s quicStream, _ []byte) { s.Write([]byte(reserved)) }, link.ErrRelayBroken},
		{"cuts", func(s quicStream, _ []byte) { s.CloseWrite() }, link.ErrUnreachable},
		{"joins, then cuts", func(s quicStream, _ []byte) { s.Write([]byte(joined)); s.CloseWrite() }, link.ErrUnreachable},
		{"joins, then says nonsense", func(s quicStream, _ []byte) {
			s.Write([]byte(joined))
			b := make([]byte, 1<<16)
			rand.Read(b)
			for range 100 {
				if _, err := s.Write(b); err != nil {
					return
				}
			}
		}, link.ErrUnreachable},
		{"connects another device", func(s quicStream, _ []byte) { pipe(t, s, other, func([]byte) {}) }, link.ErrUnreachable},
		{"connects the caller to itself", func(s quicStream, _ []byte) { pipe(t, s, caller, func([]byte) {}) }, link.ErrUnreachable},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := newLiar(t, c.answer)
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			conn, err := caller.Dial(ctx, r.through(device))
			if err == nil || conn != nil || !errors.Is(err, c.want) {
				t.Errorf("Dial: got %v, %v, want %v", conn, err, c.want)
			}
			until(t, func() bool { return r.open.Load() == 0 })
		})
	}
	// One that connects the right ones and changes a byte once they are connected.
	t.Run("changes a byte", func(t *testing.T) {
		var change atomic.Bool
		r := newLiar(t, func(s quicStream, _ []byte) {
			pipe(t, s, device, func(b []byte) {
				if change.Load() && len(b) > 0 {
					b[len(b)-1] ^= 1
				}
			})
		})
		ca, err := caller.Dial(t.Context(), r.through(device))
		if err != nil {
			t.Fatal(err)
		}
		cb, err := device.Accept(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		change.Store(true)
		if err := cb.Write(t.Context(), []byte("yes")); err != nil {
			t.Fatal(err)
		}
		if f, err := ca.Read(t.Context()); !errors.Is(err, link.ErrClosed) {
			t.Errorf("Read: %q, %v, want ErrClosed", f, err)
		}
		<-ca.Done()
	})
	for _, l := range []link.Direct{caller, device, other} { // the liars have ended with their subtests
		l.Close()
	}
	nothing()
}

// through is the address of l through the liar.
func (r *liar) through(l link.Link) link.Address {
	return link.Address{Peer: l.Address().Peer, Hosts: []string{r.address.Hosts[0] + "/relay/" + keyText(r.address.Peer)}}
}

// A relay that lies to a device does not get a connection out of its Accept, nor more
// work than eight circuits at once.
func TestLyingRelayToDevice(t *testing.T) {
	nothing := leaks(t)
	cases := []struct {
		name   string
		answer func(s quicStream, first []byte)
		want   error // in Relays; nil: a reservation
	}{
		{"refuses", func(s quicStream, _ []byte) { s.Write([]byte("\x07\x02")) }, link.ErrRelayTicket},
		{"cuts", func(s quicStream, _ []byte) { s.CloseWrite() }, link.ErrUnreachable},
		{"saw us nowhere", func(s quicStream, _ []byte) { s.Write([]byte("\x02\x09" + reserved[2:])) }, link.ErrRelayBroken},
		{"joins at once", func(s quicStream, _ []byte) { s.Write([]byte(joined)) }, link.ErrRelayBroken},
		{"reserves twice", func(s quicStream, _ []byte) { s.Write([]byte(reserved + reserved)) }, link.ErrRelayBroken},
		{"offers one token for ever, and never joins", func(s quicStream, first []byte) {
			if first[0] == 1 {
				s.Write([]byte(reserved + strings.Repeat(offer, 10_000)))
			}
		}, nil},
		{"joins with nonsense", func(s quicStream, first []byte) {
			if first[0] == 1 {
				s.Write([]byte(reserved + strings.Repeat(offer, 20)))
				return
			}
			s.Write([]byte(joined + "\x13/multistream/1.0.0\n\x0b/tls/1.0.0\nnonsense"))
			s.CloseWrite()
		}, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var taken atomic.Int64
			r := newLiar(t, func(s quicStream, first []byte) {
				if first[0] == 5 {
					taken.Add(1)
				}
				c.answer(s, first)
			})
			device := newDirect(t, link.DirectConfig{})
			device.UseRelays([]link.Relay{{Address: r.address}})
			if c.want != nil {
				until(t, func() bool { return errors.Is(device.Relays()[0].Err, c.want) })
			} else {
				until(t, func() bool { return device.Relays()[0].Host != "" && taken.Load() >= 8 })
			}
			if _, err := newDirect(t, link.DirectConfig{}).Dial(t.Context(), part(device, "/udp/")); err != nil {
				t.Errorf("the device is busy: %v", err)
			}
			if conn, err := device.Accept(t.Context()); err != nil || conn.Kind() != "quic" {
				t.Errorf("Accept: %v, %v, want the direct one", conn, err)
			}
			if n := r.most.Load(); n > 1+8 {
				t.Errorf("%d connections to the relay at once, want at most 9", n)
			}
			began := time.Now()
			device.Close()
			if took := time.Since(began); took > 3*time.Second {
				t.Errorf("Close took %v", took)
			}
			r.close()
		})
	}
	nothing()
}

// leaks returns what looks whether goroutines and open files are as they were.
func leaks(t *testing.T) func() {
	t.Helper()
	files := func() int {
		all, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			return 0 // not Linux: goroutines alone
		}
		return len(all)
	}
	goroutines, open := runtime.NumGoroutine(), files()
	return func() {
		t.Helper()
		late := time.Now().Add(10 * time.Second)
		for runtime.NumGoroutine() > goroutines || files() > open {
			if time.Now().After(late) {
				stacks := make([]byte, 1<<16)
				t.Fatalf("%d goroutines and %d files, before %d and %d\n%s", runtime.NumGoroutine(), files(), goroutines, open, stacks[:runtime.Stack(stacks, true)])
			}
			runtime.Gosched()
			<-time.After(20 * time.Millisecond)
		}
	}
}
