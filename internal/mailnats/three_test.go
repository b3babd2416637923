package mailnats_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kith/internal/identity"
	"kith/internal/link"
	"kith/internal/mailbox"
)

// A writer puts numbered items into a drop, one after the other, through whichever mailbox answers.
type writer struct {
	t     *testing.T
	keys  mailbox.Keys
	mu    sync.Mutex
	acked map[uint64]uint64 // position to number
	lost  map[uint64]int    // of a number: puts without an answer

	stored chan struct{} // yields after a put
}

// A box is a mailbox process.
type box struct {
	*process
	dead atomic.Bool
}

func (b *box) dial(ctx context.Context) (*mailbox.Client, error) {
	of, err := identity.ParseBox(strings.TrimSpace(b.line))
	if err != nil {
		return nil, err
	}
	// Over TCP the system tells of a kill at once.
	of.Hosts = slices.DeleteFunc(of.Hosts, func(h string) bool { return !strings.Contains(h, "/tcp/") })
	return mailbox.Dial(ctx, func() (link.Link, error) {
		return link.NewDirect(link.DirectConfig{Allow: func(netip.Addr) bool { return false }})
	}, of)
}

// connect returns a client of the first of the mailboxes that lives.
func connect(ctx context.Context, boxes []*box) (*mailbox.Client, error) {
	for _, b := range boxes {
		if !b.dead.Load() {
			return b.dial(ctx)
		}
	}
	return nil, errors.New("all are dead")
}

func numbered(n uint64) []byte {
	return binary.BigEndian.AppendUint64(make([]byte, mailbox.Sizes[0]-8), n)
}

func numberOf(item []byte) uint64 { return binary.BigEndian.Uint64(item[len(item)-8:]) }

func (w *writer) run(ctx context.Context, id uint64, boxes ...*box) {
	tick := time.NewTicker(20 * time.Millisecond) // a drop takes 4,096
	defer tick.Stop()
	for n := id << 32; ctx.Err() == nil; {
		c, err := connect(ctx, boxes)
		if err == nil {
			_, err = c.Make(ctx, w.keys, 24)
		}
		for err == nil && ctx.Err() == nil {
			select {
			case <-tick.C:
			case <-ctx.Done():
				continue
			}
			var at uint64
			at, err = c.Put(ctx, w.keys, numbered(n))
			w.mu.Lock()
			if err != nil {
				w.lost[n]++
			} else {
				if _, twice := w.acked[at]; twice {
					w.t.Errorf("position %d was given twice", at)
				}
				w.acked[at] = n
				n++
				select {
				case w.stored <- struct{}{}:
				default: // it is to be looked at already
				}
			}
			w.mu.Unlock()
		}
		if c != nil {
			c.Close()
		}
		<-tick.C
	}
}

func (w *writer) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.acked)
}

// check reads the drop: what was acknowledged is there, at its position, and nothing else but puts
// whose answer was lost.
func (w *writer) check(ctx context.Context, c *mailbox.Client) {
	w.t.Helper()
	got := make(map[uint64]uint64)
	for after, more := uint64(0), true; more; {
		p, err := c.Fetch(ctx, w.keys, after)
		must(w.t, err)
		for _, item := range p.Items {
			if item.Position != after+1 {
				w.t.Fatalf("position %d follows %d", item.Position, after)
			}
			after, got[item.Position] = item.Position, numberOf(item.Bytes)
		}
		more = p.More
	}
	seen := make(map[uint64]int)
	for at, n := range got {
		seen[n]++
		if acked, ok := w.acked[at]; ok && acked != n {
			w.t.Errorf("position %d holds item %x, want %x", at, n, acked)
		}
	}
	for at, n := range w.acked {
		if _, ok := got[at]; !ok {
			w.t.Errorf("item %x, acknowledged at %d, is lost", n, at)
		}
	}
	acked := make(map[uint64]int)
	for _, n := range w.acked {
		acked[n]++
	}
	for n, times := range seen {
		if times > acked[n]+w.lost[n] {
			w.t.Errorf("item %x is there %d times, was acknowledged %d times, and %d puts of it had no answer", n, times, acked[n], w.lost[n])
		}
	}
}

// TestThreeProcesses: two mailboxes on three servers. Each server is killed once in the midst of
// puts, one of them comes back empty, and one mailbox is killed: nothing that was acknowledged is
// lost, nothing is there twice, and a reader who waits at one mailbox hears of a put at the other.
func TestThreeProcesses(t *testing.T) {
	dir := t.TempDir()
	cluster, text := servers(t, 3, dir)
	var boxes []*box
	for range 2 {
		own := t.TempDir()
		for _, name := range []string{"nats.seed", "nats-ca.pem"} {
			b, err := os.ReadFile(filepath.Join(dir, name))
			must(t, err)
			must(t, os.WriteFile(filepath.Join(own, name), b, 0o600))
		}
		b := &box{process: &process{t: t, env: []string{boxDir + "=" + own, boxServers + "=" + text}}}
		b.start()
		t.Cleanup(b.kill)
		boxes = append(boxes, b)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute) // elections take 5 to 10 s each
	defer cancel()
	waitAcross(ctx, t, boxes)
	writing, stop := context.WithCancel(ctx)
	shared := &writer{t: t, keys: mailbox.Derive([32]byte{9}, true), acked: make(map[uint64]uint64), lost: make(map[uint64]int), stored: make(chan struct{}, 1)}
	writers := []*writer{shared}
	var wg sync.WaitGroup
	t.Cleanup(func() { stop(); wg.Wait() })
	wg.Go(func() { shared.run(writing, 1, boxes[0], boxes[1]) })
	wg.Go(func() { shared.run(writing, 2, boxes[1], boxes[0]) })
	for i := range 4 {
		w := &writer{t: t, keys: mailbox.Derive([32]byte{byte(i)}, true), acked: make(map[uint64]uint64), lost: make(map[uint64]int), stored: make(chan struct{}, 1)}
		writers = append(writers, w)
		wg.Go(func() { w.run(writing, uint64(10+i), boxes[i%2], boxes[1-i%2]) })
	}
	// more waits until each writer has put n more.
	more := func(n int) {
		t.Helper()
		for _, w := range writers {
			for goal := w.count() + n; w.count() < goal; {
				select {
				case <-w.stored:
				case <-ctx.Done():
					t.Fatal("nothing is stored any more")
				}
			}
		}
	}
	more(20)
	began := time.Now()
	for i, s := range cluster {
		s.kill()
		more(20)
		if i == 1 {
			must(t, os.RemoveAll(s.store))
		}
		s.start()
		more(20)
		s.inStep(ctx)
	}
	boxes[0].dead.Store(true)
	boxes[0].kill()
	more(20)
	stop()
	wg.Wait()
	c, err := boxes[1].dial(ctx)
	must(t, err)
	defer c.Close()
	total := 0
	for _, w := range writers {
		w.check(ctx, c)
		total += w.count()
	}
	t.Logf("%d puts acknowledged in %s, with each server killed once", total, time.Since(began).Round(time.Second))
}

// waitAcross: who waits at one mailbox hears of a put at the other.
func waitAcross(ctx context.Context, t *testing.T, boxes []*box) {
	t.Helper()
	keys := mailbox.Derive([32]byte{8}, true)
	var clients []*mailbox.Client
	for _, b := range boxes {
		c, err := b.dial(ctx)
		must(t, err)
		defer c.Close()
		clients = append(clients, c)
	}
	_, err := clients[0].Make(ctx, keys, 24)
	must(t, err)
	_, err = clients[1].Fetch(ctx, keys, 0) // from now on it knows of the drop, and learns of a put by following alone
	must(t, err)
	heard := make(chan error, 1)
	go func() {
		end, err := clients[1].Wait(ctx, keys, 0, time.Minute)
		if err == nil && end != 1 {
			err = fmt.Errorf("the drop ends at %d", end)
		}
		heard <- err
	}()
	_, err = clients[0].Put(ctx, keys, numbered(1))
	must(t, err)
	must(t, <-heard)
}
