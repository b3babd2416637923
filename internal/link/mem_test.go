package link_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"kith/internal/link"
	"kith/internal/link/linktest"
)

func TestMem(t *testing.T) {
	linktest.Run(t, func(*testing.T) (link.Link, link.Link) {
		net := link.NewMemNet()
		return link.NewMem(net, "a"), link.NewMem(net, "b")
	})
}

// connectMem returns both ends of a connection from a to b.
func connectMem(t *testing.T, a, b link.Link) (link.Conn, link.Conn) {
	t.Helper()
	ca, err := a.Dial(t.Context(), b.Address())
	if err != nil {
		t.Fatal(err)
	}
	cb, err := b.Accept(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return ca, cb
}

func TestMemCut(t *testing.T) {
	var net link.MemNet
	a, b, c := link.NewMem(&net, "a"), link.NewMem(&net, "b"), link.NewMem(&net, "c")
	ab, ba := connectMem(t, a, b)
	ac, ca := connectMem(t, a, c)
	if err := ab.Write(t.Context(), []byte("under way")); err != nil {
		t.Fatal(err)
	}
	net.Cut("b", "a")
	<-ab.Done()
	<-ba.Done()
	if _, err := ba.Read(t.Context()); !errors.Is(err, link.ErrClosed) {
		t.Errorf("Read after the cut: got %v, want ErrClosed", err)
	}
	if _, err := a.Dial(t.Context(), b.Address()); !errors.Is(err, link.ErrUnreachable) {
		t.Errorf("Dial over the cut: got %v, want ErrUnreachable", err)
	}
	if err := ac.Write(t.Context(), []byte("spared")); err != nil {
		t.Errorf("another connection died: %v", err)
	}
	if f, err := ca.Read(t.Context()); err != nil || string(f) != "spared" {
		t.Errorf("another connection: %q, %v", f, err)
	}
	net.Heal("a", "b")
	connectMem(t, a, b)
}

// A device that starts again takes its name over.
func TestMemRestart(t *testing.T) {
	net := link.NewMemNet()
	a, b := link.NewMem(net, "a"), link.NewMem(net, "b")
	ab, _ := connectMem(t, a, b)
	b.Close()
	<-ab.Done()
	b = link.NewMem(net, "b")
	connectMem(t, a, b)
}

// Nothing in memory keeps a bubble from advancing its clock.
func TestMemInBubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := link.NewMemNet()
		a, b := link.NewMem(net, "a"), link.NewMem(net, "b")
		defer a.Close()
		defer b.Close()
		ca, cb := connectMem(t, a, b)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if _, err := cb.Read(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Read: got %v, want DeadlineExceeded", err)
		}
		go func() {
			time.Sleep(24 * time.Hour)
			ca.Write(t.Context(), []byte("next day"))
		}()
		if f, err := cb.Read(t.Context()); err != nil || string(f) != "next day" {
			t.Errorf("Read: %q, %v", f, err)
		}
	})
}
