package mailbox_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"kith/internal/mailbox"
	"kith/internal/mailbox/mailboxtest"
)

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

func openEngine(t testing.TB, dir string, b mailbox.Bounds) mailbox.Engine {
	t.Helper()
	e, err := mailbox.OpenSQLite(mailbox.SQLiteConfig{Dir: dir, Bounds: b})
	must(t, err)
	t.Cleanup(func() { e.Close() })
	return e
}

// TestSQLite runs the suite that every Engine passes.
func TestSQLite(t *testing.T) {
	mailboxtest.RunEngineSuite(t, func(t *testing.T, dir string, b mailbox.Bounds) mailbox.Engine { return openEngine(t, dir, b) })
}

// TestOneProgram: a folder has one mailbox.
func TestOneProgram(t *testing.T) {
	dir := t.TempDir()
	e := openEngine(t, dir, mailbox.Bounds{})
	if _, err := mailbox.OpenSQLite(mailbox.SQLiteConfig{Dir: dir}); !errors.Is(err, mailbox.ErrInUse) {
		t.Fatal(err)
	}
	must(t, e.Close())
	openEngine(t, dir, mailbox.Bounds{})
}

// TestDiskFull: when the file may not grow any more what was stored stays, what does
// not fit is refused alone, and there is room again after a delete.
func TestDiskFull(t *testing.T) {
	ctx := context.Background()
	e, err := mailbox.OpenSQLite(mailbox.SQLiteConfig{Dir: filepath.Join(t.TempDir(), "a"), MaxPages: 100})
	must(t, err)
	defer e.Close()
	d := dropOf(1)
	_, err = e.Make(ctx, d, 1)
	must(t, err)
	stored := uint64(0)
	for err == nil {
		stored, err = e.Put(ctx, d.Name(), [][]byte{small(int(stored))})
		if err == nil && stored > 100 {
			t.Fatal("never full")
		}
	}
	if !errors.Is(err, mailbox.ErrDisk) {
		t.Fatal(err)
	}
	u := e.Usage()
	if u.Items < 50 || u.Bytes != u.Items*4096 {
		t.Errorf("%+v", u)
	}
	p, err := e.Fetch(ctx, d.Name(), uint64(u.Items)-1)
	if err != nil || len(p.Items) != 1 || p.End != uint64(u.Items) {
		t.Errorf("the last that was acknowledged: %+v, %v", p, err)
	}
	must(t, e.Delete(ctx, d.Name(), 10))
	if _, err := e.Put(ctx, d.Name(), [][]byte{small(1)}); err != nil {
		t.Errorf("after a delete: %v", err)
	}
}
