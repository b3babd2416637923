package link_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/quic-go/quic-go"

	"kith/internal/link"
	"kith/internal/link/linktest"
)

// silence is within what time a peer that is gone must be noticed, and for how long
// one that rests must not be missed: more than the 6 to 9 s of docs/spec/link.md.
const silence = 10 * time.Second

// wired is two links that are connected by a cable.
type wired struct {
	kind   string
	cable  *linktest.Proxy
	ca, cb link.Conn
}

func newWired(t *testing.T, kind string) wired {
	t.Helper()
	a, b := newDirect(t, link.DirectConfig{}), newDirect(t, link.DirectConfig{})
	cable := linktest.NewProxy(t, b.Address())
	ca, err := a.Dial(t.Context(), cable.Address(b.Address(), kind))
	if err != nil {
		t.Fatal(err)
	}
	cb, err := b.Accept(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return wired{kind, cable, ca, cb}
}

// rest waits until nothing has passed any cable for some seconds: where each side
// said every two or three that it is there, that never came.
func rest(t *testing.T, all []wired) {
	t.Helper()
	const quiet = 7 * time.Second
	passed := func() (n int64) {
		for _, w := range all {
			n += w.cable.Passed()
		}
		return n
	}
	late := time.After(time.Minute)
	for {
		before := passed()
		select {
		case <-time.After(quiet):
			if passed() == before {
				return
			}
		case <-late:
			t.Fatal("the connections never rest")
		}
	}
}

func gone(c link.Conn, within time.Duration) bool {
	select {
	case <-c.Done():
		return true
	case <-time.After(within):
		return false
	}
}

// Connections at rest say nothing for a while. One that is alert, or has written,
// notices that the other side is gone. One that was alert rests again.
func TestPulse(t *testing.T) {
	t.Parallel()
	var alert, writes, calmed, all []wired
	for _, kind := range kinds {
		alert, writes, calmed = append(alert, newWired(t, kind)), append(writes, newWired(t, kind)), append(calmed, newWired(t, kind))
	}
	for _, w := range calmed {
		w.ca.Alert(true)
		w.ca.Alert(false)
	}
	all = slices.Concat(alert, writes, calmed)
	rest(t, all)
	var before []int64
	for _, w := range alert {
		before = append(before, w.cable.Passed())
		w.ca.Alert(true)
	}
	if gone(alert[0].ca, silence) {
		t.Error("an alert connection on a whole cable ended")
	}
	for i, w := range alert {
		if n := w.cable.Passed() - before[i]; n < 200 {
			t.Errorf("%s: alert for %v, %d bytes passed, want a packet each way each 2 s", w.kind, silence, n)
		}
	}
	for _, w := range all {
		w.cable.Cut()
	}
	cut := time.Now()
	for _, w := range writes {
		if err := w.ca.Write(t.Context(), []byte("anybody?")); err != nil {
			t.Fatal(err)
		}
	}
	for _, w := range slices.Concat(alert, writes) {
		if !gone(w.ca, time.Until(cut.Add(silence))) {
			t.Errorf("%s: the cut is not noticed within %v", w.kind, silence)
		}
		t.Logf("%s: noticed after %v", w.kind, time.Since(cut).Round(time.Millisecond))
	}
}

// A dialler at rest, behind whose back the other side has gone, notices: a message
// to it would otherwise wait for the idle limit of the transport.
func TestPulseAtRest(t *testing.T) {
	t.Parallel()
	const soon = 40 * time.Second // 25 s and four looks, and some for a slow machine
	for _, kind := range kinds {
		w := newWired(t, kind)
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			if gone(w.ca, soon) {
				t.Fatal("a connection at rest on a whole cable ended")
			}
			w.cable.Cut()
			if !gone(w.ca, soon) {
				t.Errorf("the cut is not noticed within %v", soon)
			}
		})
	}
}

// A program of before, which dials with an idle limit of 6 s and says each 2 s that
// it is there, keeps its connection, alert or not.
func TestDialledByBefore(t *testing.T) {
	t.Parallel()
	l := newDirect(t, link.DirectConfig{})
	conf, _ := rawTLS(t, "libp2p")
	q, err := quic.DialAddr(t.Context(), at(t, l.Address(), "quic"), conf, &quic.Config{MaxIdleTimeout: 6 * time.Second, KeepAlivePeriod: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer q.CloseWithError(0, "")
	r := raw{open: func(ctx context.Context) (rawStream, error) {
		s, err := q.OpenStreamSync(ctx)
		return quicStream{s}, err
	}}
	if _, err := r.ask(t, "/kith/1"); err != nil {
		t.Fatal(err)
	}
	c, err := l.Accept(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, alert := range []bool{false, true} {
		c.Alert(alert)
		if gone(c, 8*time.Second) {
			t.Fatalf("ended, alert: %v", alert)
		}
	}
}
