// Package mailboxtest holds what every engine of a mailbox has to pass.
package mailboxtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"kith/internal/mailbox"
)

// RunEngineSuite is the contract of Engine; open opens what an earlier engine left in
// a folder.
func RunEngineSuite(t *testing.T, open func(t *testing.T, dir string, b mailbox.Bounds) mailbox.Engine) {
	ctx := context.Background()
	d := dropOf(1)
	name := d.Name()

	t.Run("life of a drop", func(t *testing.T) {
		dir := t.TempDir()
		e := open(t, dir, mailbox.Bounds{})
		if _, found, err := e.Find(ctx, name); found || err != nil {
			t.Fatal(found, err)
		}
		if _, err := e.Put(ctx, name, [][]byte{small(1)}); !errors.Is(err, mailbox.ErrRefused) {
			t.Fatalf("put without a drop: %v", err)
		}
		if _, err := e.Fetch(ctx, name, 0); !errors.Is(err, mailbox.ErrRefused) {
			t.Fatalf("fetch without a drop: %v", err)
		}
		for range 2 { // the second changes nothing
			held, err := e.Make(ctx, d, 100)
			if err != nil || held.Drop != d || held.Expires != 100 || held.End != 0 {
				t.Fatal(held, err)
			}
		}
		if held, err := e.Make(ctx, d, 200); err != nil || held.Expires != 100 {
			t.Fatal("made again, it lasts longer", held.Expires, err)
		}
		last, err := e.Put(ctx, name, [][]byte{small(1), small(2), item(16<<10, 3)})
		if err != nil || last != 3 {
			t.Fatal(last, err)
		}
		must(t, e.Delete(ctx, name, 2))
		wantPage(t, e, name, 0, 3, false, 3)
		must(t, e.Close())

		e = open(t, dir, mailbox.Bounds{})
		if u := e.Usage(); u != (mailbox.Usage{Drops: 1, Items: 1, Bytes: 16 << 10}) {
			t.Errorf("opened again: %+v", u)
		}
		wantPage(t, e, name, 0, 3, false, 3)
		wantPage(t, e, name, 3, 3, false)
		wantPage(t, e, name, 1<<40, 3, false)
		must(t, e.Delete(ctx, name, 1<<40))
		last, err = e.Put(ctx, name, [][]byte{small(4)})
		if err != nil || last != 4 {
			t.Fatalf("a position was given twice: %d, %v", last, err)
		}
	})

	t.Run("pages", func(t *testing.T) {
		e := open(t, t.TempDir(), mailbox.Bounds{})
		_, err := e.Make(ctx, d, 100)
		must(t, err)
		for i := range 20 {
			_, err := e.Put(ctx, name, [][]byte{small(i)})
			must(t, err)
		}
		_, err = e.Put(ctx, name, [][]byte{item(64<<10, 21)})
		must(t, err)
		wantPage(t, e, name, 0, 21, true, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16)
		wantPage(t, e, name, 16, 21, true, 17, 18, 19, 20)
		wantPage(t, e, name, 20, 21, false, 21)
	})

	t.Run("expiry", func(t *testing.T) {
		e := open(t, t.TempDir(), mailbox.Bounds{})
		for i := range 3 {
			_, err := e.Make(ctx, dropOf(i), uint32(100+i))
			must(t, err)
			for range 30 {
				var items [][]byte
				for n := range 10 {
					items = append(items, small(n))
				}
				_, err = e.Put(ctx, dropOf(i).Name(), items)
				must(t, err)
			}
		}
		must(t, e.Expire(ctx, 99))
		must(t, e.Expire(ctx, 101))
		if u := e.Usage(); u != (mailbox.Usage{Drops: 1, Items: 300, Bytes: 300 * 4096}) {
			t.Errorf("%+v", u)
		}
		if _, found, err := e.Find(ctx, dropOf(1).Name()); found || err != nil {
			t.Error("it is still there", err)
		}
		if p, err := e.Fetch(ctx, dropOf(2).Name(), 299); err != nil || len(p.Items) != 1 {
			t.Error("one was deleted too early", err)
		}
	})

	t.Run("bounds", func(t *testing.T) {
		e := open(t, t.TempDir(), mailbox.Bounds{Bytes: 9 * 4096, Drops: 2, DropItems: 4, DropBytes: 5 * 4096})
		for i := range 2 {
			_, err := e.Make(ctx, dropOf(i), 100)
			must(t, err)
		}
		_, err := e.Make(ctx, dropOf(2), 100)
		WantFull(t, err, mailbox.LimitAll)
		_, err = e.Make(ctx, dropOf(1), 100)
		must(t, err) // it is there
		_, err = e.Put(ctx, dropOf(0).Name(), [][]byte{small(1), small(2), small(3), small(4), small(5)})
		WantFull(t, err, mailbox.LimitDrop)
		wantPage(t, e, dropOf(0).Name(), 0, 0, false) // all or none
		_, err = e.Put(ctx, dropOf(0).Name(), [][]byte{item(16<<10, 1), small(2)})
		must(t, err)
		_, err = e.Put(ctx, dropOf(0).Name(), [][]byte{small(3)})
		WantFull(t, err, mailbox.LimitDrop)
		_, err = e.Put(ctx, dropOf(1).Name(), [][]byte{item(16<<10, 1)})
		must(t, err)
		_, err = e.Put(ctx, dropOf(1).Name(), [][]byte{small(1)})
		WantFull(t, err, mailbox.LimitAll)
		must(t, e.Delete(ctx, dropOf(0).Name(), 1))
		_, err = e.Put(ctx, dropOf(0).Name(), [][]byte{small(4)})
		must(t, err) // what was deleted made room
	})

	t.Run("at once", func(t *testing.T) {
		e := open(t, t.TempDir(), mailbox.Bounds{})
		_, err := e.Make(ctx, d, 100)
		must(t, err)
		var wg sync.WaitGroup
		got := make([]bool, 401)
		var mu sync.Mutex
		for w := range 20 {
			wg.Go(func() {
				for i := range 10 {
					last, err := e.Put(ctx, name, [][]byte{small(w), small(i)})
					mu.Lock()
					if err != nil || got[last] {
						t.Errorf("position %d twice, or %v", last, err)
					} else {
						got[last] = true
					}
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		if u := e.Usage(); u.Items != 400 {
			t.Errorf("%+v", u)
		}
	})

	t.Run("bounds at once", func(t *testing.T) {
		e := open(t, t.TempDir(), mailbox.Bounds{Bytes: 10 * 4096, Drops: 8})
		var wg sync.WaitGroup
		for i := range 40 {
			wg.Go(func() {
				if _, err := e.Make(ctx, dropOf(i), 100); err != nil {
					WantFull(t, err, mailbox.LimitAll)
					return
				}
				for n := range 5 {
					if _, err := e.Put(ctx, dropOf(i).Name(), [][]byte{small(n)}); err != nil {
						WantFull(t, err, mailbox.LimitAll)
					}
				}
			})
		}
		wg.Wait()
		if u := e.Usage(); u.Drops < 1 || u.Drops > 8 || u.Bytes < 4096 || u.Bytes > 10*4096 {
			t.Errorf("%+v, of at most 8 drops and 10 items", u)
		}
	})

	t.Run("closed", func(t *testing.T) {
		e := open(t, t.TempDir(), mailbox.Bounds{})
		must(t, e.Close())
		must(t, e.Close())
		if _, err := e.Make(ctx, d, 1); !errors.Is(err, mailbox.ErrClosed) {
			t.Error(err)
		}
		if _, _, err := e.Find(ctx, name); !errors.Is(err, mailbox.ErrClosed) {
			t.Error(err)
		}
	})
}

func wantPage(t *testing.T, e mailbox.Engine, name mailbox.Name, after, end uint64, more bool, positions ...uint64) {
	t.Helper()
	p, err := e.Fetch(context.Background(), name, after)
	must(t, err)
	var got []uint64
	for _, i := range p.Items {
		got = append(got, i.Position)
	}
	if fmt.Sprint(got) != fmt.Sprint(positions) || p.End != end || p.More != more {
		t.Errorf("after %d: %v, end %d, more %v; want %v, %d, %v", after, got, p.End, p.More, positions, end, more)
	}
}

// WantFull fails the test if an error is not that something is full.
func WantFull(t *testing.T, err error, what mailbox.Limit) {
	t.Helper()
	full, ok := errors.AsType[*mailbox.FullError](err)
	if !ok || full.What != what || full.Retry <= 0 {
		t.Errorf("%v, want full for %d", err, what)
	}
}

// item makes an item of a size that nobody else makes.
func item(size int, n int) []byte {
	b := bytes.Repeat([]byte{byte(n)}, size)
	copy(b, fmt.Sprint(n))
	return b
}

func small(n int) []byte { return item(mailbox.Sizes[0], n) }

func dropOf(n int) mailbox.Drop {
	return mailbox.Derive([32]byte{byte(n), byte(n >> 8), byte(n >> 16)}, true).Drop
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
