package peer_test

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"kith/internal/link"
	"kith/internal/peer"
)

// pair is two sessions that run.
type pair struct {
	a, b       *tap
	x, y       *peer.Session
	endX, endY <-chan error
}

func newPair(t testing.TB) pair {
	t.Helper()
	ann, ben := friends(t)
	a, b := connect(t)
	x, y := meet(t, ann, ben, a, b)
	return pair{a, b, x, y, run(t, x), run(t, y)}
}

func payload(n int, fill byte) []byte { return bytes.Repeat([]byte{fill}, n) }

// Short messages come in order; a long one under way does not hold them up.
func TestInterleave(t *testing.T) {
	p := newPair(t)
	big := payload(16<<20, 1)
	if err := p.x.Send(peer.Message{Payload: big}); err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		if err := p.x.Send(peer.Message{Channel: [32]byte{9}, Payload: []byte{byte(i)}}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 100 {
		m := <-p.y.Messages()
		if m.Channel != [32]byte{9} || len(m.Payload) != 1 || m.Payload[0] != byte(i) {
			t.Fatalf("message %d is of %d bytes", i, len(m.Payload))
		}
	}
	if m := <-p.y.Messages(); !bytes.Equal(m.Payload, big) {
		t.Fatal("the long message came changed")
	}
}

// A steady flow of short messages does not stop a long one.
func TestLongGetsItsTurn(t *testing.T) {
	p := newPair(t)
	const long = 10 * peer.FragmentSize
	for range 1000 {
		if err := p.x.Send(peer.Message{Payload: []byte("short")}); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.x.Send(peer.Message{Payload: payload(long, 1)}); err != nil {
		t.Fatal(err)
	}
	for n := 0; ; n++ {
		if m := <-p.y.Messages(); len(m.Payload) == long {
			if n == 1000 {
				t.Fatal("the long message came last")
			}
			return
		}
	}
}

// Many goroutines send at once; nothing is lost.
func TestSendAtOnce(t *testing.T) {
	p := newPair(t)
	const senders, each = 8, 100
	for i := range senders {
		go func() {
			for j := range each {
				p.x.Send(peer.Message{Channel: [32]byte{byte(i)}, Payload: payload(j*700, byte(i))})
			}
		}()
	}
	var seen [senders]map[int]bool
	for range senders * each {
		m := <-p.y.Messages()
		i, n := m.Channel[0], len(m.Payload)
		if seen[i] == nil {
			seen[i] = make(map[int]bool)
		}
		if seen[i][n] || !bytes.Equal(m.Payload, payload(n, i)) {
			t.Fatalf("message of %d bytes of sender %d came twice or changed", n, i)
		}
		seen[i][n] = true
	}
}

func TestLongMessages(t *testing.T) {
	p := newPair(t)
	sizes := []int{
		0, 1, peer.FragmentSize, peer.FragmentSize + 1, 2 * peer.FragmentSize,
		5*peer.FragmentSize + 3, 3*peer.FragmentSize - 1, peer.MaxMessage,
	}
	for i, n := range sizes {
		if err := p.x.Send(peer.Message{Channel: [32]byte{byte(i)}, Payload: payload(n, byte(i))}); err != nil {
			t.Fatal(err)
		}
	}
	seen := make(map[byte]bool)
	for range sizes {
		m := <-p.y.Messages()
		i := m.Channel[0]
		if seen[i] || !bytes.Equal(m.Payload, payload(sizes[i], i)) {
			t.Fatalf("message %d: %d bytes", i, len(m.Payload))
		}
		seen[i] = true
	}
	if err := p.x.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	out, in := p.x.Counters(), p.y.Counters()
	if out.MessagesOut != uint64(len(sizes)) || out.Queued != 0 || in.BytesIn != out.BytesOut || in.FramesIn != out.FramesOut {
		t.Fatalf("sent %+v, received %+v", out, in)
	}
	want(t, p.x.Send(peer.Message{Payload: make([]byte, peer.MaxMessage+1)}), peer.ErrMessageTooLong)
	if p.x.Err() != nil {
		t.Fatal("a message that is too long ended the session")
	}
}

// What was sent and flushed before Close arrives; a message cut in the middle
// does not.
func TestEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		for range 3 {
			if err := p.x.Send(peer.Message{Payload: []byte("you were removed")}); err != nil {
				t.Fatal(err)
			}
		}
		if err := p.x.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		reason := errors.New("removed")
		p.x.Close(reason)
		want(t, <-p.endX, reason)
		n := 0
		for range p.y.Messages() {
			n++
		}
		if n != 3 {
			t.Errorf("%d of 3 messages arrived", n)
		}
		want(t, <-p.endY, link.ErrClosed)
	})
}

func TestPeerClosesInTheMiddle(t *testing.T) {
	_, _, s, end, conn := hostile(t)
	if err := conn.Write(t.Context(), fragmentOf(1, 1, peer.FragmentSize)); err != nil {
		t.Fatal(err)
	}
	conn.Close()
	for range s.Messages() {
		t.Fatal("half a message was delivered")
	}
	want(t, <-end, link.ErrClosed)
}

func TestCut(t *testing.T) {
	ann, ben := friends(t)
	net := link.NewMemNet()
	a, b := dial(t, link.NewMem(net, "a"), link.NewMem(net, "b"))
	x, y := meet(t, ann, ben, a, b)
	endX, endY := run(t, x), run(t, y)
	net.Cut("a", "b")
	want(t, <-endX, link.ErrClosed)
	want(t, <-endY, link.ErrClosed)
	<-x.Done()
	want(t, x.Send(peer.Message{}), link.ErrClosed)
}

func TestCancel(t *testing.T) {
	ann, ben := friends(t)
	a, b := connect(t)
	x, y := meet(t, ann, ben, a, b)
	defer y.Close(nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	want(t, x.Run(ctx), context.Canceled)
	if _, open := <-x.Messages(); open {
		t.Fatal("Messages is still open")
	}
	<-b.Done()
}

func TestCloseBeforeRun(t *testing.T) {
	ann, ben := friends(t)
	a, b := connect(t)
	x, y := meet(t, ann, ben, a, b)
	defer y.Close(nil)
	reason := errors.New("not needed")
	if err := x.Send(peer.Message{}); err != nil {
		t.Fatal(err)
	}
	x.Close(reason)
	x.Close(errors.New("later"))
	<-b.Done()
	want(t, x.Run(t.Context()), reason)
	want(t, x.Flush(t.Context()), reason)
	if _, open := <-x.Messages(); open {
		t.Fatal("Messages is still open")
	}
}

func TestFlushEndsWithCtx(t *testing.T) {
	ann, ben := friends(t)
	a, b := connect(t)
	x, y := meet(t, ann, ben, a, b)
	defer x.Close(nil)
	defer y.Close(nil)
	if err := x.Send(peer.Message{}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	want(t, x.Flush(ctx), context.Canceled)
}

// Punish ends the session with the ban, and the ban is silence.
func TestPunish(t *testing.T) {
	ann, ben := friends(t)
	a, b := connect(t)
	x, y := meet(t, ann, ben, a, b)
	end := run(t, y)
	run(t, x)
	y.Punish("a rule of the node", 99)
	if y.Err() != nil {
		t.Fatal("ended too early")
	}
	y.Punish("another", 10)
	bad, ok := errors.AsType[*peer.MisbehaviourError](<-end)
	if !ok || bad.Rule != "another" {
		t.Fatalf("ended with %v", bad)
	}
	_, answer, err := peer.Judge(knockOf(t, ann, ben, [32]byte{}), [32]byte{}, ben.config())
	want(t, err, peer.ErrStranger)
	if answer != nil {
		t.Fatal("a banned device was answered")
	}
}

// Both sides keep the same one of two sessions.
func TestKeep(t *testing.T) {
	ann, ben := friends(t)
	a, b := connect(t)
	x1, y1 := meet(t, ann, ben, a, b) // ann dials
	b, a = connect(t)
	y2, x2 := meet(t, ben, ann, b, a) // ben dials
	a, b = connect(t)
	x3, y3 := meet(t, ann, ben, a, b) // ann dials again
	m, n := ann.member(), ben.member()
	annFirst := bytes.Compare(m.Device[:], n.Device[:]) < 0
	if keep := peer.Keep(x1, x2); (keep == x1) != annFirst || keep != peer.Keep(x2, x1) {
		t.Error("ann keeps the wrong one")
	}
	if keep := peer.Keep(y1, y2); (keep == y1) != annFirst || keep != peer.Keep(y2, y1) {
		t.Error("ben keeps the wrong one")
	}
	if peer.Keep(x1, x3) != x3 || peer.Keep(y1, y3) != y3 {
		t.Error("a redial does not replace the session before")
	}
	for _, s := range []*peer.Session{x1, x2, x3, y1, y2, y3} {
		s.Close(nil)
	}
}
