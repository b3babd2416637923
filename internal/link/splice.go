package link

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// A bucket holds what may pass in a second; who takes more waits, in the order of
// the calls. Its zero value lets nothing wait.
type bucket struct {
	mu   sync.Mutex // guards the rest
	rate int64      // bytes per second; zero: no bound
	paid time.Time  // until when what was taken is paid for
}

func (b *bucket) set(rate int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rate = rate
}

// take returns how long to wait before n bytes may pass.
func (b *bucket) take(now time.Time, n int64) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.rate <= 0 {
		return 0
	}
	if burst := now.Add(-time.Second); b.paid.Before(burst) {
		b.paid = burst
	}
	b.paid = b.paid.Add(time.Duration(float64(n) / float64(b.rate) * float64(time.Second)))
	return b.paid.Sub(now)
}

// splice copies between the ends of c until both directions have ended. Once
// one has, the other side has farewell to take what is under way.
func (r *relayServer) splice(c *circuit, a, b end) {
	var last atomic.Int64 // when bytes came, in nanoseconds since began
	began := time.Now()
	late := time.AfterFunc(time.Hour, func() {
		a.raw.Close()
		b.raw.Close()
	})
	late.Stop()
	defer late.Stop()
	var wg sync.WaitGroup
	for _, way := range [][2]end{{a, b}, {b, a}} {
		from, to := way[0], way[1]
		wg.Go(func() {
			buf := make([]byte, relayChunk)
			for r.copy(c, to, from, buf, began, &last) {
			}
			to.stream.CloseWrite()
			late.Reset(farewell)
		})
	}
	wg.Wait()
}

// copy copies what one read brings, and reports whether to go on.
func (r *relayServer) copy(c *circuit, to, from end, buf []byte, began time.Time, last *atomic.Int64) bool {
	from.stream.SetReadDeadline(time.Now().Add(relayIdle))
	n, err := from.stream.Read(buf)
	if n > 0 {
		last.Store(int64(time.Since(began)))
		if !r.spend(c, int64(n), to.gone, from.gone) {
			from.raw.Close()
			return false
		}
		to.stream.SetWriteDeadline(time.Now().Add(relayIdle))
		if _, err := to.stream.Write(buf[:n]); err != nil {
			from.raw.Close()
			return false
		}
	}
	if err == nil {
		return true
	}
	// The other direction may be busy; then this one is asked again.
	timeout, ok := errors.AsType[net.Error](err)
	return ok && timeout.Timeout() && time.Since(began)-time.Duration(last.Load()) < relayIdle
}

// spend counts n bytes and waits until they may pass. It is false when c must end.
func (r *relayServer) spend(c *circuit, n int64, gone ...<-chan struct{}) bool {
	r.mu.Lock()
	c.bytes += n
	ok := r.left(n) && c.bytes <= r.policy.CircuitBytes
	r.mu.Unlock()
	if !ok {
		return false
	}
	now := time.Now()
	wait := max(r.all.take(now, n), c.rate.take(now, n))
	if wait <= 0 {
		return true
	}
	late := time.NewTimer(wait)
	defer late.Stop()
	select {
	case <-late.C:
		return true
	case <-gone[0]:
	case <-gone[1]:
	}
	return false
}
