package linktest

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"sync"
	"testing"
	"time"

	"kith/internal/link"
)

// testWriters lets several goroutines write frames of one letter each: a frame
// with two letters was torn.
func testWriters(t *testing.T, p *both) {
	ca, cb := p.connect(t)
	const writers, each = 8, 40
	var wg sync.WaitGroup
	defer wg.Wait()
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				n := 1 + (w*7919+i*104729)%link.MaxFrame
				frame := bytes.Repeat([]byte{byte('a' + w)}, n)
				if err := ca.Write(p.ctx, frame); err != nil {
					t.Errorf("Write: %v", err)
					return
				}
			}
		})
	}
	var count [writers]int
	for range writers * each {
		f, err := cb.Read(p.ctx)
		if err != nil {
			t.Fatalf("Read: %v", err)
		}
		w := int(f[0] - 'a')
		if w >= writers || bytes.Count(f, f[:1]) != len(f) {
			t.Fatalf("a frame of %d bytes is torn", len(f))
		}
		if want := 1 + (w*7919+count[w]*104729)%link.MaxFrame; len(f) != want {
			t.Fatalf("writer %d, frame %d: %d bytes, want %d", w, count[w], len(f), want)
		}
		count[w]++
	}
}

// testBackPressure writes to a peer that does not read. Write must block
// before 64 MiB are under way; what was written then arrives in order.
func testBackPressure(t *testing.T, p *both) {
	ca, cb := p.connect(t)
	const most = 64 << 20 / link.MaxFrame
	frame := make([]byte, link.MaxFrame)
	sent, blocked := 0, false
	for ; sent < most && !blocked; sent++ {
		binary.BigEndian.PutUint32(frame, uint32(sent))
		ctx, cancel := context.WithTimeout(p.ctx, 300*time.Millisecond)
		err := ca.Write(ctx, frame)
		cancel()
		if errors.Is(err, context.DeadlineExceeded) {
			blocked = true
			break
		}
		if err != nil {
			t.Fatalf("Write: %v", err)
		}
	}
	if !blocked {
		t.Fatalf("%d frames were taken though nobody reads", sent)
	}
	// The cancelled Write may have ended the connection, so at least the
	// frames that arrived before must be whole and in order.
	for i := 0; ; i++ {
		select {
		case <-ca.Done():
			return
		default:
		}
		if i == sent {
			break
		}
		f, err := cb.Read(p.ctx)
		if err != nil {
			return
		}
		if got := binary.BigEndian.Uint32(f); got != uint32(i) {
			t.Fatalf("frame %d arrived as the %dth", got, i)
		}
	}
	p.write(t, ca, []byte("on"))
	p.want(t, cb, []byte("on"))
}
