package peer

import (
	"context"
	"time"
)

// A bucket is a share that fills at rate per second up to burst. Take may
// overdraw it once; then it waits until the debt is paid. One goroutine uses it.
type bucket struct {
	rate, burst float64
	spent       float64 // of burst; over burst is debt
	at          time.Time
}

// take takes n from the share and waits while it is overdrawn.
func (b *bucket) take(ctx context.Context, n int) error {
	now := time.Now() // monotonic: a clock that is set back must not stop a session
	if !b.at.IsZero() {
		b.spent = max(0, b.spent-now.Sub(b.at).Seconds()*b.rate)
	}
	b.at = now
	b.spent += float64(n)
	debt := b.spent - b.burst
	if debt <= 0 {
		return nil
	}
	t := time.NewTimer(time.Duration(debt / b.rate * float64(time.Second)))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
