package linktest

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"kith/internal/link"
)

// bound ends a test that hangs; nothing waits that long when all is well.
const bound = 30 * time.Second

// Run tests that the Links which pair makes keep the contract of link.Link. Each test
// takes a fresh pair; Run closes both.
func Run(t *testing.T, pair func(t *testing.T) (a, b link.Link)) {
	cases := []struct {
		name string
		run  func(*testing.T, *both)
	}{
		{"frames in order both ways", testOrder},
		{"largest and empty frame", testSizes},
		{"frame too long", testTooLong},
		{"who is who", testSides},
		{"close is seen", testClose},
		{"last frames arrive", testLastFrames},
		{"link close ends everything", testLinkClose},
		{"binding", testBinding},
		{"dead address", testDeadAddress},
		{"no host, self", testBadAddress},
		{"cancelled calls", testCancel},
		{"cancelled read loses nothing", testCancelRead},
		{"concurrent writers", testWriters},
		{"back-pressure", testBackPressure},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), bound)
			defer cancel()
			a, b := pair(t)
			defer a.Close()
			defer b.Close()
			c.run(t, &both{ctx: ctx, a: a, b: b})
		})
	}
}

// both is a pair under test. The context bounds the whole test.
type both struct {
	ctx  context.Context
	a, b link.Link
}

// connect dials from a to b and returns both ends.
func (p *both) connect(t *testing.T) (ca, cb link.Conn) {
	t.Helper()
	ca, err := p.a.Dial(p.ctx, p.b.Address())
	if err != nil {
		t.Fatalf("Dial: %v", err)
	}
	cb, err = p.b.Accept(p.ctx)
	if err != nil {
		t.Fatalf("Accept: %v", err)
	}
	return ca, cb
}

func (p *both) write(t *testing.T, c link.Conn, frame []byte) {
	t.Helper()
	if err := c.Write(p.ctx, frame); err != nil {
		t.Fatalf("Write of %d bytes: %v", len(frame), err)
	}
}

func (p *both) want(t *testing.T, c link.Conn, frame []byte) {
	t.Helper()
	got, err := c.Read(p.ctx)
	if err != nil {
		t.Fatalf("Read: %v", err)
	}
	if !bytes.Equal(got, frame) {
		t.Fatalf("Read: got %d bytes %.20x, want %d bytes %.20x", len(got), got, len(frame), frame)
	}
}

// dead waits until c is known to be dead.
func (p *both) dead(t *testing.T, c link.Conn) {
	t.Helper()
	select {
	case <-c.Done():
	case <-p.ctx.Done():
		t.Fatal("Done is not closed")
	}
}

func testOrder(t *testing.T, p *both) {
	ca, cb := p.connect(t)
	const n = 200
	var wg sync.WaitGroup
	defer wg.Wait()
	for _, c := range []link.Conn{ca, cb} {
		wg.Go(func() {
			for i := range n {
				if err := c.Write(p.ctx, binary.BigEndian.AppendUint32(nil, uint32(i))); err != nil {
					t.Errorf("Write: %v", err)
					return
				}
			}
		})
	}
	for i := range n {
		want := binary.BigEndian.AppendUint32(nil, uint32(i))
		p.want(t, ca, want)
		p.want(t, cb, want)
	}
}

func testSizes(t *testing.T, p *both) {
	ca, cb := p.connect(t)
	for _, n := range []int{0, 1, 64 << 10, link.MaxFrame, 0} {
		frame := bytes.Repeat([]byte{byte(n), 7}, n)[:n]
		p.write(t, ca, frame)
		p.want(t, cb, frame)
	}
	// A frame belongs to the caller again once Write has returned.
	frame := []byte("before")
	p.write(t, ca, frame)
	copy(frame, "after!")
	p.want(t, cb, []byte("before"))
}

func testTooLong(t *testing.T, p *both) {
	ca, cb := p.connect(t)
	if err := ca.Write(p.ctx, make([]byte, link.MaxFrame+1)); !errors.Is(err, link.ErrFrameTooLong) {
		t.Fatalf("Write over MaxFrame: got %v, want ErrFrameTooLong", err)
	}
	p.write(t, ca, []byte("still fine"))
	p.want(t, cb, []byte("still fine"))
}

func testSides(t *testing.T, p *both) {
	ca, cb := p.connect(t)
	if !ca.Dialed() || cb.Dialed() {
		t.Errorf("Dialed: got %v and %v, want true and false", ca.Dialed(), cb.Dialed())
	}
	if !bytes.Equal(ca.Remote().Peer, p.b.Address().Peer) || !bytes.Equal(cb.Remote().Peer, p.a.Address().Peer) {
		t.Error("Remote does not name the key of the other side")
	}
	if len(ca.Remote().Hosts) != 1 || len(cb.Remote().Hosts) != 1 {
		t.Errorf("Remote: got hosts %v and %v, want one each", ca.Remote().Hosts, cb.Remote().Hosts)
	}
	if ca.Kind() == "" || ca.Kind() != cb.Kind() {
		t.Errorf("Kind: got %q and %q", ca.Kind(), cb.Kind())
	}
	for _, l := range []link.Link{p.a, p.b} {
		if n := len(l.Address().Hosts); n == 0 || n > link.MaxHosts {
			t.Errorf("Address: %d hosts", n)
		}
	}
}

func testClose(t *testing.T, p *both) {
	for _, byDialler := range []bool{true, false} {
		ca, cb := p.connect(t)
		if !byDialler {
			ca, cb = cb, ca
		}
		if err := ca.Close(); err != nil {
			t.Fatalf("Close: %v", err)
		}
		p.dead(t, ca)
		p.dead(t, cb)
		for _, c := range []link.Conn{ca, cb} {
			if _, err := c.Read(p.ctx); !errors.Is(err, link.ErrClosed) {
				t.Errorf("Read after Close: got %v, want ErrClosed", err)
			}
			if err := c.Write(p.ctx, []byte("x")); !errors.Is(err, link.ErrClosed) {
				t.Errorf("Write after Close: got %v, want ErrClosed", err)
			}
			if err := c.Close(); err != nil {
				t.Errorf("second Close: %v", err)
			}
		}
	}
}

func testLastFrames(t *testing.T, p *both) {
	ca, cb := p.connect(t)
	for i := range 5 {
		p.write(t, ca, []byte{byte(i)})
	}
	ca.Close()
	for i := range 5 {
		p.want(t, cb, []byte{byte(i)})
	}
	if _, err := cb.Read(p.ctx); !errors.Is(err, link.ErrClosed) {
		t.Errorf("Read after the last frame: got %v, want ErrClosed", err)
	}
}

func testLinkClose(t *testing.T, p *both) {
	ca, cb := p.connect(t)
	result := make(chan error, 2)
	go func() {
		_, err := p.a.Accept(p.ctx)
		result <- err
	}()
	go func() {
		_, err := ca.Read(p.ctx)
		result <- err
	}()
	if err := p.a.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
	for range 2 {
		if err := <-result; !errors.Is(err, link.ErrClosed) {
			t.Errorf("call on a closed Link: got %v, want ErrClosed", err)
		}
	}
	p.dead(t, ca)
	p.dead(t, cb)
	if _, err := p.a.Dial(p.ctx, p.b.Address()); !errors.Is(err, link.ErrClosed) {
		t.Errorf("Dial: got %v, want ErrClosed", err)
	}
}

func testBinding(t *testing.T, p *both) {
	seen := map[[32]byte]bool{{}: true}
	for range 3 {
		ca, cb := p.connect(t)
		if ca.Binding() != cb.Binding() {
			t.Fatal("the two ends have different bindings")
		}
		if seen[ca.Binding()] {
			t.Fatal("two connections have the same binding, or it is zero")
		}
		seen[ca.Binding()] = true
	}
}

func testDeadAddress(t *testing.T, p *both) {
	gone := p.b.Address()
	if err := p.b.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := p.a.Dial(p.ctx, gone)
	if !errors.Is(err, link.ErrUnreachable) {
		t.Fatalf("Dial: got %v, want ErrUnreachable", err)
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("Dial: the error has several lines: %q", err)
	}
}

func testBadAddress(t *testing.T, p *both) {
	if _, err := p.a.Dial(p.ctx, link.Address{Peer: p.b.Address().Peer}); !errors.Is(err, link.ErrNoHost) {
		t.Errorf("Dial without hosts: got %v, want ErrNoHost", err)
	}
	if _, err := p.a.Dial(p.ctx, p.a.Address()); !errors.Is(err, link.ErrSelf) {
		t.Errorf("Dial of itself: got %v, want ErrSelf", err)
	}
	other := link.Address{Peer: []byte("nobody"), Hosts: p.b.Address().Hosts}
	if _, err := p.a.Dial(p.ctx, other); err == nil {
		t.Error("Dial with a key that is nobody's succeeded")
	}
}

func testCancel(t *testing.T, p *both) {
	ca, _ := p.connect(t)
	ctx, cancel := context.WithCancel(p.ctx)
	result := make(chan error, 2)
	go func() {
		_, err := ca.Read(ctx)
		result <- err
	}()
	go func() {
		_, err := p.a.Accept(ctx)
		result <- err
	}()
	cancel()
	for range 2 {
		if err := <-result; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want Canceled", err)
		}
	}
	if err := ca.Write(ctx, []byte("x")); !errors.Is(err, context.Canceled) {
		t.Errorf("Write: got %v, want Canceled", err)
	}
	if _, err := p.a.Dial(ctx, p.b.Address()); !errors.Is(err, context.Canceled) {
		t.Errorf("Dial: got %v, want Canceled", err)
	}
}

func testCancelRead(t *testing.T, p *both) {
	ca, cb := p.connect(t)
	for i := range 20 {
		ctx, cancel := context.WithCancel(p.ctx)
		got := make(chan []byte, 1)
		go func() {
			f, _ := cb.Read(ctx)
			got <- f
		}()
		frame := bytes.Repeat([]byte{byte(i)}, 30_000)
		p.write(t, ca, frame)
		cancel()
		if f := <-got; f == nil {
			p.want(t, cb, frame)
		} else if !bytes.Equal(f, frame) {
			t.Fatal("Read returned another frame")
		}
	}
}
