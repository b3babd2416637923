package mailbox_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"kith/internal/identity"
	"kith/internal/mailbox"
)

// logged is what a mailbox said.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// TestFolder: a mailbox of a folder, by its address: what it says of itself, that its files
// are its user's alone, and that neither log nor metrics nor status name a drop, an
// address of a user, or a secret.
func TestFolder(t *testing.T) {
	dir := t.TempDir()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	metrics := free.Addr().String()
	free.Close()
	said := new(logged)
	ready := make(chan string, 1)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- mailbox.ServeFolder(ctx, mailbox.FolderConfig{
			Dir: dir, Listen: "127.0.0.1:0", Metrics: metrics,
			Log:   slog.New(slog.NewTextHandler(said, &slog.HandlerOptions{Level: slog.LevelDebug})),
			Ready: func(box string, _ mailbox.Status) { ready <- box },
		})
	}()
	var text string
	select {
	case text = <-ready:
	case err := <-done:
		t.Fatal(err)
	}
	box, err := identity.ParseBox(text)
	must(t, err)
	k := keys(1, true)
	c := client(t, openDirect, box)
	_, err = c.MakeAndPut(t.Context(), k, 24, small(1), small(2))
	must(t, err)
	if _, err := c.Fetch(t.Context(), keys(2, true), 0); !errors.Is(err, mailbox.ErrRefused) {
		t.Error(err)
	}

	s, err := mailbox.AskStatus(t.Context(), dir)
	if err != nil || s.Usage.Items != 2 || s.Usage.Drops != 1 || s.Stored != 2 || s.Refused != 1 || s.Open != 1 || s.KeepDays != 30 {
		t.Errorf("%+v, %v", s, err)
	}
	answer, err := http.Get("http://" + metrics + "/metrics")
	must(t, err)
	page, err := io.ReadAll(answer.Body)
	must(t, err)
	answer.Body.Close()
	for _, line := range []string{"kith_mailbox_items 2", "kith_mailbox_refused_total 1", "# TYPE kith_mailbox_put_seconds histogram", "kith_mailbox_put_seconds_count 1"} {
		if !strings.Contains(string(page), "\n"+line+"\n") {
			t.Errorf("metrics lack %q", line)
		}
	}
	if answer, err := http.Get("http://" + metrics + "/address"); err != nil || answer.StatusCode != http.StatusNotFound {
		t.Error("metrics hand out the access secret")
	}

	fresh, err := mailbox.AskAddress(t.Context(), dir, true)
	if err != nil || fresh == text {
		t.Error("the same address", err)
	}
	if _, err := client(t, openDirect, box).Make(t.Context(), keys(3, true), 24); !errors.Is(err, mailbox.ErrLost) {
		t.Errorf("with the former access: %v", err)
	}
	cancel()
	must(t, <-done)
	for _, secret := range [][]byte{k.Name[:], k.Write[:], k.Read[:], box.Access[:]} {
		for _, form := range []string{string(secret), hex.EncodeToString(secret[:8])} {
			if strings.Contains(said.String()+string(page), form) {
				t.Error("a secret or a name is in log or metrics")
			}
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	must(t, err)
	for _, f := range files {
		i, err := os.Stat(f)
		must(t, err)
		if i.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s is open to others: %v", filepath.Base(f), i.Mode())
		}
		b, err := os.ReadFile(f)
		must(t, err)
		if bytes.Contains(b, k.Write[:]) || bytes.Contains(b, k.Read[:]) {
			t.Errorf("%s holds a capability", filepath.Base(f))
		}
	}
	if _, err := mailbox.AskStatus(t.Context(), dir); !errors.Is(err, mailbox.ErrNotRunning) {
		t.Error(err)
	}
}
