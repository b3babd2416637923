package api_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"

	"kith/internal/api"
	"kith/internal/node"
	"kith/internal/store"
	v1 "kith/proto/kith/v1"
)

const horse = "correct horse"

// lockable serves a home that opens by the passphrase horse and belongs to Ann.
func lockable(t *testing.T) *house {
	t.Helper()
	return opensBy(t, store.Passphrase(horse))
}

// opensBy serves a home of Ann's that opens by a passphrase, or without one.
func opensBy(t *testing.T, passphrase store.Passphrase) *house {
	t.Helper()
	h := &house{t: t, home: t.TempDir()}
	h.clock.Store(time.Now().UnixMilli())
	open := func(p store.Passphrase) (*node.Node, error) {
		return node.Open(node.Config{Home: h.home, Passphrase: p, Listen: "127.0.0.1:0"})
	}
	n, err := open(passphrase)
	if err != nil {
		t.Fatal(err)
	}
	forgotten := make(chan struct{})
	runtime.AddCleanup(n, func(c chan struct{}) { close(c) }, forgotten)
	h.forgotten = forgotten
	h.server, err = api.Listen(api.Config{
		Node: n, Open: open, Home: h.home, Page: page, Version: "test",
		Now: func() time.Time { return time.UnixMilli(h.clock.Load()) },
	})
	if err != nil {
		t.Fatal(errors.Join(err, n.Close()))
	}
	h.socket = api.NewClient(h.home)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := h.server.Run(ctx); err != nil {
			t.Errorf("server: %v", err)
		}
	})
	h.stop = sync.OnceFunc(func() { cancel(); running.Wait() })
	t.Cleanup(h.stop)
	if _, err := h.socket.Setup(t.Context(), &v1.SetupRequest{Name: "Ann"}); err != nil {
		t.Fatal(err)
	}
	return h
}

// refusedBy checks for which reason a call is refused.
func refusedBy(t *testing.T, what string, err error, want string) {
	t.Helper()
	e, ok := errors.AsType[*connect.Error](err)
	if !ok || e.Meta().Get(api.ReasonHeader) != want {
		t.Errorf("%s: %v, want %s", what, err, want)
	}
}

func (h *house) locked() bool {
	h.t.Helper()
	l, err := h.web("").GetLock(h.t.Context(), &v1.GetLockRequest{})
	if err != nil {
		h.t.Fatal(err)
	}
	return l.Locked
}

// held reports whether the database is open.
func (h *house) held() bool {
	h.t.Helper()
	hold, err := store.Hold(h.home)
	if errors.Is(err, store.ErrInUse) {
		return true
	}
	if err != nil {
		h.t.Fatal(err)
	}
	hold.Close()
	return false
}

func TestLockAndUnlock(t *testing.T) {
	t.Parallel()
	h := lockable(t)
	client, _ := h.login()
	code := h.code()
	st, err := client.Subscribe(t.Context(), &v1.SubscribeRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if !st.Receive() {
		t.Fatal(st.Err())
	}
	if h.locked() || !h.held() {
		t.Fatal("locked before anybody has locked it")
	}
	if l, err := client.Lock(t.Context(), &v1.LockRequest{}); err != nil || !l.Locked || !l.Passphrase {
		t.Fatalf("%v, %v", l, err)
	}
	for st.Receive() {
	}
	refusedBy(t, "the stream", st.Err(), "api/locked")
	if !h.locked() || h.held() {
		t.Error("the database is open while the home is locked")
	}
	eventually(t, "the node to be forgotten", func() bool {
		runtime.GC()
		select {
		case <-h.forgotten:
			return true
		default:
			return false
		}
	})
	_, err = client.GetNode(t.Context(), &v1.GetNodeRequest{})
	refusedBy(t, "a session of before", err, "api/locked")
	_, err = h.socket.ListChats(t.Context(), &v1.ListChatsRequest{})
	refusedBy(t, "the socket", err, "api/locked")
	_, err = h.web("").Login(t.Context(), &v1.LoginRequest{Code: code})
	refusedBy(t, "a login of before", err, "api/code")
	if _, err := h.socket.Lock(t.Context(), &v1.LockRequest{}); err != nil {
		t.Errorf("locked twice: %v", err)
	}

	_, err = h.web("").Unlock(t.Context(), &v1.UnlockRequest{Passphrase: []byte("correct cow")})
	refusedBy(t, "a wrong passphrase", err, "store/wrong-passphrase")
	_, err = h.socket.Unlock(t.Context(), &v1.UnlockRequest{})
	refusedBy(t, "no passphrase", err, "store/no-passphrase")
	if !h.locked() {
		t.Error("a wrong passphrase has opened it")
	}
	u, err := h.web("").Unlock(t.Context(), &v1.UnlockRequest{Passphrase: []byte(horse)})
	if err != nil || u.Lock.GetLocked() || u.Token == "" {
		t.Fatalf("%v, %v", u, err)
	}
	_, err = client.GetNode(t.Context(), &v1.GetNodeRequest{})
	refusedBy(t, "a session of before", err, "api/token")
	n, err := h.web(u.Token).GetNode(t.Context(), &v1.GetNodeRequest{})
	if err != nil || n.Me.GetName() != "Ann" {
		t.Errorf("%v, %v", n, err)
	}
	if _, err := h.web(u.Token).Send(t.Context(), &v1.SendRequest{Chat: n.NotesChatId, Text: "open again"}); err != nil {
		t.Error(err)
	}
	_, err = h.socket.Unlock(t.Context(), &v1.UnlockRequest{Passphrase: []byte(horse)})
	refusedBy(t, "unlocked twice", err, "api/unlocked")
}

// TestNothingToLock: a home without passphrase could be opened by nobody again.
func TestNothingToLock(t *testing.T) {
	t.Parallel()
	h := opensBy(t, nil)
	_, err := h.socket.Lock(t.Context(), &v1.LockRequest{})
	refusedBy(t, "lock", err, "store/no-vault")
	five, seven, never := uint32(5), uint32(7), uint32(0)
	_, err = h.socket.SetSettings(t.Context(), &v1.SetSettingsRequest{LockAfter: &five})
	refusedBy(t, "after five minutes", err, "store/no-vault")
	_, err = h.socket.SetSettings(t.Context(), &v1.SetSettingsRequest{LockAfter: &seven})
	refusedBy(t, "after seven minutes", err, "api/minutes")
	if _, err = h.socket.SetSettings(t.Context(), &v1.SetSettingsRequest{LockAfter: &never}); err != nil {
		t.Error(err)
	}
	demo := move(t, "Ben")
	_, err = demo.socket.SetPassphrase(t.Context(), &v1.SetPassphraseRequest{NewPassphrase: []byte(horse)})
	refusedBy(t, "a home whose node is run by somebody else", err, "api/no-lock")
}

// TestLockedForWantOfAPerson waits for the look that is due every ten seconds.
func TestLockedForWantOfAPerson(t *testing.T) {
	t.Parallel()
	h := lockable(t)
	client, _ := h.login()
	five := uint32(5)
	if s, err := client.SetSettings(t.Context(), &v1.SetSettingsRequest{LockAfter: &five}); err != nil || s.LockAfter != 5 {
		t.Fatalf("%v, %v", s, err)
	}
	h.clock.Add(4 * 60_000)
	if _, err := client.StayOpen(t.Context(), &v1.StayOpenRequest{}); err != nil {
		t.Fatal(err)
	}
	h.clock.Add(4 * 60_000)
	if _, err := client.GetNode(t.Context(), &v1.GetNodeRequest{}); err != nil { // as a page asks by itself
		t.Fatal(err)
	}
	if _, err := h.socket.SetSettings(t.Context(), &v1.SetSettingsRequest{}); err != nil { // typed
		t.Fatal(err)
	}
	h.clock.Add(4 * 60_000)
	st, err := client.Subscribe(t.Context(), &v1.SubscribeRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if !st.Receive() {
		t.Fatal(st.Err())
	}
	h.clock.Add(60_000)
	for st.Receive() {
	}
	refusedBy(t, "the stream, in the end", st.Err(), "api/locked")
}

func TestByPerson(t *testing.T) {
	for call, want := range map[string][2]bool{ // on the web side, on the socket
		"Send": {true, true}, "StayOpen": {true, true}, "Search": {true, true}, "Unlock": {false, true}, "Login": {false, true},
		"GetNode": {false, true}, "ListChats": {false, true}, "Subscribe": {false, true}, "MarkRead": {false, true},
		"GetLock": {false, false},
	} {
		if got := api.ByPerson("/kith.v1.KithService/" + call); got != want {
			t.Errorf("%s: %v, want %v", call, got, want)
		}
	}
}

// TestDuressWhileOpen: it wipes, and says what a wrong passphrase says.
func TestDuressWhileOpen(t *testing.T) {
	t.Parallel()
	h := lockable(t)
	if _, err := h.socket.SetDuress(t.Context(), &v1.SetDuressRequest{Passphrase: []byte(horse), Duress: []byte("battery staple")}); err != nil {
		t.Fatal(err)
	}
	_, wrong := h.socket.ChangePassphrase(t.Context(), &v1.ChangePassphraseRequest{Passphrase: []byte("nobody's"), NewPassphrase: []byte("new")})
	_, err := h.socket.ChangePassphrase(t.Context(), &v1.ChangePassphraseRequest{Passphrase: []byte("battery staple"), NewPassphrase: []byte("new")})
	refusedBy(t, "the duress passphrase", err, "store/wrong-passphrase")
	if err.Error() != wrong.Error() {
		t.Errorf("it says %q, a wrong one %q", err, wrong)
	}
	if !h.locked() {
		t.Error("what is gone is shown yet")
	}
	if _, err := os.Stat(filepath.Join(h.home, store.FileName)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the database: %v", err)
	}
	_, err = h.socket.Unlock(t.Context(), &v1.UnlockRequest{Passphrase: []byte(horse)})
	refusedBy(t, "the right passphrase, after that", err, "store/wrong-passphrase")
}

// TestGuessesBounded: the web side, where anybody on the machine may try.
func TestGuessesBounded(t *testing.T) {
	t.Parallel()
	h := lockable(t)
	if _, err := h.socket.Lock(t.Context(), &v1.LockRequest{}); err != nil {
		t.Fatal(err)
	}
	for range 10 {
		_, err := h.web("").Unlock(t.Context(), &v1.UnlockRequest{})
		refusedBy(t, "a try", err, "store/no-passphrase")
	}
	_, err := h.web("").Unlock(t.Context(), &v1.UnlockRequest{Passphrase: []byte(horse)})
	refusedBy(t, "the eleventh", err, "api/many-passphrases")
	h.clock.Add(60_000)
	_, err = h.web("").Unlock(t.Context(), &v1.UnlockRequest{})
	refusedBy(t, "a minute later", err, "store/no-passphrase")
	if _, err = h.socket.Unlock(t.Context(), &v1.UnlockRequest{Passphrase: []byte(horse)}); err != nil {
		t.Errorf("the socket: %v", err)
	}
}

// TestStopWhileLocked: a locked home ends as one that is not.
func TestStopWhileLocked(t *testing.T) {
	t.Parallel()
	h := lockable(t)
	if _, err := h.socket.Lock(t.Context(), &v1.LockRequest{}); err != nil {
		t.Fatal(err)
	}
	if _, err := h.socket.Stop(t.Context(), &v1.StopRequest{}); err != nil {
		t.Fatal(err)
	}
	h.stop()
}
