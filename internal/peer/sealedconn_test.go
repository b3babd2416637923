package peer_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"testing"

	"kith/internal/link"
	"kith/internal/peer"
)

// seal seals the fragment with this number by hand.
func seal(t *testing.T, secret, binding [32]byte, label string, number byte, fragment []byte) []byte {
	t.Helper()
	key, err := hkdf.Key(sha256.New, secret[:], binding[:], label, 32)
	if err != nil {
		t.Fatal(err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	nonce := []byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, number}
	return append([]byte{6}, gcm.Seal(nil, nonce, fragment, nil)...)
}

// The bytes of frames, spelt out as they leave a session, both ways.
func TestFrameBytes(t *testing.T) {
	ann, ben := friends(t)
	l := ben.contactLink()
	a, b := connect(t)
	got := accept(t.Context(), b, ben.config())
	x, _, err := peer.Ask(t.Context(), a, ann.config(), l, ann.card())
	if err != nil {
		t.Fatal(err)
	}
	y := (<-got).session
	run(t, x)
	run(t, y)
	channel := [32]byte{1, 2, 3}
	long := make([]byte, peer.FragmentSize+2)
	long[peer.FragmentSize] = 0x55
	for _, payload := range [][]byte{{0x77}, long} {
		if err := x.Send(peer.Message{Channel: channel, Payload: payload}); err != nil {
			t.Fatal(err)
		}
		<-y.Messages()
	}
	if err := y.Send(peer.Message{Channel: channel, Payload: []byte{0x77}}); err != nil {
		t.Fatal(err)
	}
	<-x.Messages()
	whole := append(append([]byte{5, 0, 3}, channel[:]...), 0x77)
	first := append(append([]byte{5, 1, 1}, channel[:]...), make([]byte, peer.FragmentSize)...)
	last := []byte{5, 1, 2, 0x55, 0}
	for i, fragment := range [][]byte{whole, first, last} {
		want := seal(t, l.Secret, a.Binding(), "Kith 1 dialler", byte(i), fragment)
		if got := a.written()[1+i]; !bytes.Equal(got, want) {
			t.Errorf("frame %d is %.40x… of %d bytes", i, got, len(got))
		}
		if len(want) > link.MaxFrame || len(want) != len(fragment)+peer.SealedOverhead {
			t.Errorf("frame %d has %d bytes", i, len(want))
		}
	}
	if got := b.written()[1]; !bytes.Equal(got, seal(t, l.Secret, a.Binding(), "Kith 1 listener", 0, whole)) {
		t.Errorf("the listener's frame is %x", got)
	}
}

// A frame that the session's keys do not open ends it: changed, replayed, out of
// turn, of the other direction, not sealed at all.
func TestFramesThatDoNotOpen(t *testing.T) {
	hello := fragmentOf(0, 3, 5)
	for name, frames := range map[string]func(sealed [][]byte) [][]byte{
		"not sealed":  func([][]byte) [][]byte { return [][]byte{hello} },
		"too short":   func([][]byte) [][]byte { return [][]byte{{6, 1, 2, 3}} },
		"changed":     func(s [][]byte) [][]byte { s[0][20] ^= 1; return s[:1] },
		"cut":         func(s [][]byte) [][]byte { return [][]byte{s[0][:len(s[0])-1]} },
		"replayed":    func(s [][]byte) [][]byte { return [][]byte{s[0], s[0]} },
		"out of turn": func(s [][]byte) [][]byte { return s[1:] },
	} {
		t.Run(name, func(t *testing.T) {
			ann, ben := friends(t)
			a, b := connect(t)
			x, y := meet(t, ann, ben, a, b)
			end := run(t, y)
			go func() {
				for range y.Messages() {
				}
			}()
			void, _ := connect(t)
			by := peer.Hostile(x, void)
			for range 2 {
				if err := by.Write(t.Context(), hello); err != nil {
					t.Fatal(err)
				}
			}
			for _, f := range frames(void.written()) {
				if err := a.Write(t.Context(), f); err != nil {
					t.Fatal(err)
				}
			}
			bad, ok := errors.AsType[*peer.MisbehaviourError](<-end)
			if !ok || bad.Rule != peer.RuleFrame {
				t.Fatalf("ended with %v", bad)
			}
		})
	}
}
