package peer_test

import (
	"bytes"
	"context"
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

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

// hostile returns a running session and the raw connection of its peer.
func hostile(t testing.TB) (victim *somebody, by *somebody, s *peer.Session, end <-chan error, conn link.Conn) {
	t.Helper()
	ann, ben := friends(t)
	a, b := connect(t)
	_, y := meet(t, ann, ben, a, b)
	return ben, ann, y, run(t, y), a.Conn // not the tap, which keeps what it sees
}

func TestBrokenFrames(t *testing.T) {
	full := peer.FragmentSize
	for name, c := range map[string]struct {
		frames [][]byte
		rule   string
	}{
		"empty":               {[][]byte{{}}, peer.RuleFrame},
		"unknown kind":        {[][]byte{{6, 0, 3}}, peer.RuleFrame},
		"second knock":        {[][]byte{append([]byte{1}, make([]byte, 1328)...)}, peer.RuleFrame},
		"stream out of range": {[][]byte{fragmentOf(3, 1, full)}, peer.RuleFrame},
		"middle of nothing":   {[][]byte{fragmentOf(1, 0, full)}, peer.RuleStream},
		"end of nothing":      {[][]byte{fragmentOf(2, 2, 1)}, peer.RuleStream},
		"begun twice":         {[][]byte{fragmentOf(1, 1, full), fragmentOf(1, 1, full)}, peer.RuleStream},
		"end of another":      {[][]byte{fragmentOf(1, 1, full), fragmentOf(2, 2, 1)}, peer.RuleStream},
		"again after its end": {[][]byte{fragmentOf(1, 1, full), fragmentOf(1, 2, 1), fragmentOf(1, 2, 1)}, peer.RuleStream},
	} {
		t.Run(name, func(t *testing.T) {
			ben, ann, s, end, conn := hostile(t)
			go func() {
				for range s.Messages() {
				}
			}()
			for _, f := range c.frames {
				if err := conn.Write(t.Context(), f); err != nil {
					t.Fatal(err)
				}
			}
			bad, ok := errors.AsType[*peer.MisbehaviourError](<-end)
			if !ok || bad.Rule != c.rule {
				t.Fatalf("ended with %v", bad)
			}
			<-conn.Done()
			// One more than three quarters, for what is forgiven meanwhile.
			if !ben.bans.PunishDevice(ann.device.ID(), "test", 76, time.Now()) {
				t.Error("the broken frame weighs less than a quarter")
			}
		})
	}
}

// A message that never ends is refused at 17 MiB, and two of them under way
// take what has come and no more.
func TestMemoryBound(t *testing.T) {
	_, _, s, end, conn := hostile(t)
	const fragments = peer.MaxMessage / peer.FragmentSize
	before := heap()
	middle := [2][]byte{fragmentOf(1, 0, peer.FragmentSize), fragmentOf(2, 0, peer.FragmentSize)}
	for i := range fragments {
		for stream, f := range middle {
			if i == 0 {
				f = fragmentOf(uint8(stream+1), 1, peer.FragmentSize)
			}
			if err := conn.Write(t.Context(), f); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := conn.Write(t.Context(), fragmentOf(0, 3, 1)); err != nil {
		t.Fatal(err)
	}
	<-s.Messages() // so everything before has been read
	if grown := heap() - before; grown > 40<<20 {
		t.Errorf("two messages of 17 MiB under way take %d MiB", grown>>20)
	}
	if err := conn.Write(t.Context(), fragmentOf(1, 2, 1)); err != nil {
		t.Fatal(err)
	}
	bad, ok := errors.AsType[*peer.MisbehaviourError](<-end)
	if !ok || bad.Rule != peer.RuleTooLong {
		t.Fatalf("ended with %v", bad)
	}
}

func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// Nobody receives: Send never blocks, and the session ends when the queue is full.
func TestSlowReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		m := peer.Message{Payload: payload(1<<20, 1)}
		var err error
		sent := 0
		for err == nil && sent < 100 {
			err = p.x.Send(m)
			sent++
			synctest.Wait() // whatever the link takes is taken
		}
		want(t, err, peer.ErrSlow)
		if sent < 34 || sent > 60 {
			t.Errorf("the queue took %d MiB", sent)
		}
		want(t, <-p.endX, peer.ErrSlow)
		<-p.a.Done()
	})
}

// A peer that is there and reads nothing loses the session.
func TestStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ann, ben := friends(t)
		a, b := connect(t)
		x, y := meet(t, ann, ben, a, b)
		defer y.Close(nil)
		end := run(t, x)
		start := time.Now()
		if err := x.Send(peer.Message{Payload: payload(4<<20, 1)}); err != nil {
			t.Fatal(err)
		}
		want(t, <-end, peer.ErrSlow)
		if took := time.Since(start); took != peer.WriteStall {
			t.Errorf("ended after %v", took)
		}
	})
}

// A flood is not read faster than the limits: the flooder waits.
func TestRates(t *testing.T) {
	for name, c := range map[string]struct {
		messages, size int
		atLeast        time.Duration
	}{
		"messages": {peer.MessageBurst + 2*peer.MessageRate, 1, 2 * time.Second},
		"bytes":    {(peer.ByteBurst + 2*peer.ByteRate) / peer.FragmentSize, peer.FragmentSize, 2 * time.Second},
		"neither":  {1000, 1000, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, _, s, end, conn := hostile(t)
				start := time.Now()
				go func() {
					frame := fragmentOf(0, 3, c.size)
					for range c.messages {
						if conn.Write(t.Context(), frame) != nil {
							return
						}
					}
				}()
				for range c.messages {
					<-s.Messages()
				}
				took := time.Since(start)
				if took < c.atLeast || took > c.atLeast+time.Second {
					t.Errorf("took %v, want %v", took, c.atLeast)
				}
				s.Close(nil)
				want(t, <-end, peer.ErrEnded)
			})
		})
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
