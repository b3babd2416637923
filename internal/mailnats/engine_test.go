package mailnats_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kith/internal/mailbox"
	"kith/internal/mailbox/mailboxtest"
	"kith/internal/mailnats"
)

// TestSuite runs what every engine has to pass on a real server.
func TestSuite(t *testing.T) {
	of := make(map[string]string)
	mailboxtest.RunEngineSuite(t, func(t *testing.T, dir string, b mailbox.Bounds) mailbox.Engine {
		if of[dir] == "" {
			_, of[dir] = servers(t, 1, dir)
		}
		e, err := mailnats.Open(t.Context(), mailnats.Config{Servers: of[dir], Dir: dir, Bounds: b})
		must(t, err)
		t.Cleanup(func() { e.Close() })
		return e
	})
}

// TestMoreServers: a mailbox that began with one server named and is given all three keeps what it
// has on three from then on.
func TestMoreServers(t *testing.T) {
	dir := t.TempDir()
	_, all := servers(t, 3, dir)
	first, _, _ := strings.Cut(all, ",")
	for _, named := range []string{first, all} {
		e, err := mailnats.Open(t.Context(), mailnats.Config{Servers: named, Dir: dir})
		must(t, err)
		drop := mailbox.Derive([32]byte{1}, true).Drop
		_, err = e.Make(t.Context(), drop, 1<<30)
		must(t, err)
		_, err = e.Put(t.Context(), drop.Name(), [][]byte{make([]byte, mailbox.Sizes[0])})
		must(t, err)
		list := e.(interface {
			Servers(context.Context) []mailbox.ServerState
		}).Servers(t.Context())
		if want := 1 + strings.Count(named, ","); len(list) != want {
			t.Errorf("with %d servers named the items lie on %d", want, len(list))
		}
		must(t, e.Close())
	}
}

// TestExpiredElsewhere: a drop that another mailbox, whose clock is late, has made with a time that is
// over here is made anew at once.
func TestExpiredElsewhere(t *testing.T) {
	dirs := []string{t.TempDir(), t.TempDir()}
	_, all := servers(t, 1, dirs[0])
	for _, name := range []string{"nats.seed", "nats-ca.pem"} { // one mailbox, served twice
		b, err := os.ReadFile(filepath.Join(dirs[0], name))
		must(t, err)
		must(t, os.WriteFile(filepath.Join(dirs[1], name), b, 0o600))
	}
	var fronts []mailbox.Engine
	for _, dir := range dirs {
		e, err := mailnats.Open(t.Context(), mailnats.Config{Servers: all, Dir: dir})
		must(t, err)
		defer e.Close()
		fronts = append(fronts, e)
	}
	drop := mailbox.Derive([32]byte{1}, true).Drop
	must(t, fronts[0].Expire(t.Context(), 10))
	_, err := fronts[1].Make(t.Context(), drop, 5)
	must(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	held, err := fronts[0].Make(ctx, drop, 20)
	must(t, err)
	if held.Expires != 20 {
		t.Errorf("the drop expires at %d, want 20", held.Expires)
	}
	_, err = fronts[0].Put(ctx, drop.Name(), [][]byte{make([]byte, mailbox.Sizes[0])})
	must(t, err)
}
