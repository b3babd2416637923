package link_test

import (
	"context"
	"testing"
	"time"

	"kith/internal/link"
	"kith/internal/link/linktest"
)

// A cut cable ends the connection on both sides within some seconds, nobody
// answers meanwhile, and a redial works at once when it is healed.
func TestDirectCut(t *testing.T) {
	for _, kind := range []string{"quic", "tcp"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			a, b := newDirect(t, link.DirectConfig{}), newDirect(t, link.DirectConfig{})
			cable := linktest.NewProxy(t, b.Address())
			to := cable.Address(b.Address(), kind)
			connect := func() (link.Conn, link.Conn) {
				ca, err := a.Dial(t.Context(), to)
				if err != nil {
					t.Fatalf("Dial: %v", err)
				}
				cb, err := b.Accept(t.Context())
				if err != nil {
					t.Fatalf("Accept: %v", err)
				}
				if err := ca.Write(t.Context(), []byte("hi")); err != nil {
					t.Fatalf("Write: %v", err)
				}
				if f, err := cb.Read(t.Context()); err != nil || string(f) != "hi" {
					t.Fatalf("Read: %q, %v", f, err)
				}
				return ca, cb
			}
			ca, cb := connect()
			if ca.Kind() != kind {
				t.Fatalf("Kind: got %q, want %q", ca.Kind(), kind)
			}
			ca.Alert(true)
			cb.Alert(true)
			cable.Cut()
			start := time.Now()
			for _, c := range []link.Conn{ca, cb} {
				select {
				case <-c.Done():
				case <-time.After(10 * time.Second):
					t.Fatal("the cut is not noticed after 10 s")
				}
			}
			t.Logf("both sides noticed the cut after %v", time.Since(start).Round(time.Millisecond))
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if _, err := a.Dial(ctx, to); err == nil {
				t.Error("Dial over the cut: no error")
			}
			cable.Heal()
			connect()
		})
	}
}
