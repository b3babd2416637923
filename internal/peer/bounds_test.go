package peer_test

import (
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"kith/internal/link"
	"kith/internal/peer"
)

// hostile returns a running session and the raw connection of its peer.
func hostile(t testing.TB) (victim *somebody, by *somebody, s *peer.Session, end <-chan error, conn link.Conn) {
	t.Helper()
	ann, ben := friends(t)
	a, b := connect(t)
	x, y := meet(t, ann, ben, a, b)
	return ben, ann, y, run(t, y), peer.Hostile(x, a.Conn) // not the tap, which keeps what it sees
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
