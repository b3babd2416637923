package peer_test

import (
	"errors"
	"testing"
	"testing/synctest"

	"kith/internal/identity"
	"kith/internal/peer"
	"kith/internal/wire"
)

// TestFormerKey: who knows only a former key of a home is answered at it, and the
// session says which; who knows the newer one is not, and breaks no rule.
func TestFormerKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ann, ben := friends(t)
		newer := ben.config()
		newer.Former, newer.Device = []*identity.Device{ben.device}, identity.NewDevice()

		a, b := connect(t)
		accepted := make(chan *peer.Session, 1)
		go func() {
			s, err := peer.Accept(t.Context(), b, newer)
			if err != nil {
				t.Errorf("knocked at the former key: %v", err)
			}
			accepted <- s
		}()
		x, err := peer.Knock(t.Context(), a, ann.config(), ben.target())
		if err != nil {
			t.Fatal(err)
		}
		y := <-accepted
		if y.As() != ben.device.ID() || x.Remote() != ben.member() || y.Remote() != ann.member() {
			t.Error("the session is not of the former key")
		}
		x.Close(nil)
		y.Close(nil)

		newer.Moved = func(d wire.DeviceID) bool { return d == ann.device.ID() }
		a, b = connect(t)
		go func() {
			if _, err := peer.Accept(t.Context(), b, newer); err == nil || errors.Is(err, peer.ErrStranger) {
				t.Errorf("%v: who knows the newer key is answered at the former one, or punished", err)
			}
		}()
		if _, err := peer.Knock(t.Context(), a, ann.config(), ben.target()); err == nil {
			t.Error("the former key answers")
		}
	})
}
