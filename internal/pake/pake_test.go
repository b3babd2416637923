package pake_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"kith/internal/pake"
)

var (
	adA = []byte("what A says beside")
	adB = []byte("what B says beside")
)

func input(code string) pake.Input {
	return pake.Input{Code: []byte(code), Channel: []byte("add a device"), Session: []byte("sixteen bytes id")}
}

// begun is a run up to message B, each side with its own input.
func begun(t testing.TB, inA, inB pake.Input) (*pake.Initiator, *pake.Responder, []byte) {
	t.Helper()
	a, messageA, err := pake.Start(inA)
	if err != nil || len(messageA) != pake.MessageASize {
		t.Fatalf("message A %x, %v", messageA, err)
	}
	b, messageB, err := pake.Respond(inB, messageA, adA, adB)
	if err != nil || len(messageB) != pake.MessageBSize {
		t.Fatalf("message B %x, %v", messageB, err)
	}
	return a, b, messageB
}

func TestBothAgree(t *testing.T) {
	a, b, messageB := begun(t, input("seven"), input("seven"))
	keyA, confirmation, err := a.Finish(messageB, adA, adB)
	if err != nil || len(confirmation) != pake.ConfirmationSize {
		t.Fatalf("confirmation %x, %v", confirmation, err)
	}
	keyB, err := b.Finish(confirmation)
	if err != nil {
		t.Fatal(err)
	}
	if keyA.Derive("x") != keyB.Derive("x") {
		t.Error("the keys differ")
	}
	if keyA.Derive("x") == keyA.Derive("y") {
		t.Error("two purposes have one secret")
	}
}

func TestRunsDiffer(t *testing.T) {
	_, first, err := pake.Start(input("seven"))
	if err != nil {
		t.Fatal(err)
	}
	_, second, err := pake.Start(input("seven"))
	if err != nil || bytes.Equal(first, second) {
		t.Errorf("%x and %x, %v", first, second, err)
	}
}

// TestOtherInput: whatever the two sides do not have alike, both notice.
func TestOtherInput(t *testing.T) {
	channel, session := input("seven"), input("seven")
	channel.Channel = []byte("add a friend")
	session.Session = []byte("another sixteen b")
	shift := input("sevenadd a device")
	shift.Channel = nil
	for name, in := range map[string]pake.Input{
		"code": input("eight"), "longer": input("seven "), "channel": channel, "session": session, "moved between fields": shift,
	} {
		t.Run(name, func(t *testing.T) {
			a, b, messageB := begun(t, input("seven"), in)
			_, confirmation, err := a.Finish(messageB, adA, adB)
			if !errors.Is(err, pake.ErrConfirm) {
				t.Fatalf("A: %v", err)
			}
			if !bytes.Equal(confirmation, make([]byte, pake.ConfirmationSize)) {
				t.Fatalf("for B to learn it from: %x", confirmation)
			}
			if _, err := b.Finish(confirmation); !errors.Is(err, pake.ErrConfirm) {
				t.Errorf("B: %v", err)
			}
		})
	}
}

func TestOtherAssociated(t *testing.T) {
	for _, c := range []struct{ name, a, b string }{
		{"of A", "other", string(adB)},
		{"of B", string(adA), "other"},
		{"changed places", string(adB), string(adA)},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, b, messageB := begun(t, input("seven"), input("seven"))
			_, confirmation, err := a.Finish(messageB, []byte(c.a), []byte(c.b))
			if !errors.Is(err, pake.ErrConfirm) {
				t.Errorf("A: %v", err)
			}
			if _, err := b.Finish(confirmation); !errors.Is(err, pake.ErrConfirm) {
				t.Errorf("B: %v", err)
			}
		})
	}
}

// TestTampered: one bit of any byte changed on the way.
func TestTampered(t *testing.T) {
	for n := range pake.MessageASize {
		a, messageA, err := pake.Start(input("seven"))
		if err != nil {
			t.Fatal(err)
		}
		messageA[n] ^= 2
		_, messageB, err := pake.Respond(input("seven"), messageA, adA, adB)
		if err != nil {
			if !errors.Is(err, pake.ErrMessage) {
				t.Errorf("message A, byte %d: %v", n, err)
			}
			continue
		}
		if _, _, err := a.Finish(messageB, adA, adB); !errors.Is(err, pake.ErrConfirm) {
			t.Errorf("message A, byte %d: %v", n, err)
		}
	}
	for n := range pake.MessageBSize {
		a, b, messageB := begun(t, input("seven"), input("seven"))
		messageB[n] ^= 2
		_, confirmation, err := a.Finish(messageB, adA, adB)
		if !errors.Is(err, pake.ErrConfirm) && (n >= 32 || !errors.Is(err, pake.ErrMessage)) {
			t.Errorf("message B, byte %d: %v", n, err)
		}
		if _, err := b.Finish(confirmation); err == nil {
			t.Errorf("message B, byte %d: B noticed nothing", n)
		}
	}
	for n := range pake.ConfirmationSize {
		a, b, messageB := begun(t, input("seven"), input("seven"))
		_, confirmation, err := a.Finish(messageB, adA, adB)
		if err != nil {
			t.Fatal(err)
		}
		confirmation[n] ^= 2
		if _, err := b.Finish(confirmation); !errors.Is(err, pake.ErrConfirm) {
			t.Errorf("confirmation, byte %d: %v", n, err)
		}
	}
}

// TestReflected: what a side sent comes back to it.
func TestReflected(t *testing.T) {
	a, messageA, err := pake.Start(input("seven"))
	if err != nil {
		t.Fatal(err)
	}
	back := append(bytes.Clone(messageA), make([]byte, 64)...)
	if _, confirmation, err := a.Finish(back, nil, nil); !errors.Is(err, pake.ErrMessage) || confirmation != nil {
		t.Errorf("A's share: %x, %v", confirmation, err)
	}
	_, b, messageB := begun(t, input("seven"), input("seven"))
	if _, err := b.Finish(messageB[32:]); !errors.Is(err, pake.ErrConfirm) {
		t.Errorf("B's tag: %v", err)
	}
	v := readVectors(t)
	if _, _, err := pake.RespondWith(v.input(), v.YA, v.MessageA, nil, nil); !errors.Is(err, pake.ErrMessage) {
		t.Errorf("B's share: %v", err)
	}
}

// TestReplayed: messages of an earlier run with the same code and session.
func TestReplayed(t *testing.T) {
	a, b, messageB := begun(t, input("seven"), input("seven"))
	_, confirmation, err := a.Finish(messageB, adA, adB)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Finish(confirmation); err != nil {
		t.Fatal(err)
	}
	again, later, _ := begun(t, input("seven"), input("seven"))
	if _, _, err := again.Finish(messageB, adA, adB); !errors.Is(err, pake.ErrConfirm) {
		t.Errorf("message B: %v", err)
	}
	if _, err := later.Finish(confirmation); !errors.Is(err, pake.ErrConfirm) {
		t.Errorf("confirmation: %v", err)
	}
}

func TestMessageLengths(t *testing.T) {
	for _, n := range []int{0, 1, 31, 33, 64, 95, 97, 128, 1 << 20} {
		long := make([]byte, n)
		if _, _, err := pake.Respond(input("seven"), long, nil, nil); !errors.Is(err, pake.ErrMessage) {
			t.Errorf("message A of %d: %v", n, err)
		}
		a, b, _ := begun(t, input("seven"), input("seven"))
		if _, _, err := a.Finish(long, nil, nil); !errors.Is(err, pake.ErrMessage) {
			t.Errorf("message B of %d: %v", n, err)
		}
		if n == pake.ConfirmationSize {
			continue
		}
		if _, err := b.Finish(long); !errors.Is(err, pake.ErrMessage) {
			t.Errorf("confirmation of %d: %v", n, err)
		}
	}
	_, _, messageB := begun(t, input("seven"), input("seven"))
	a, _, _ := begun(t, input("seven"), input("seven"))
	if _, _, err := a.Finish(append(messageB, 0), nil, nil); !errors.Is(err, pake.ErrMessage) {
		t.Errorf("message B and a byte: %v", err)
	}
}

func TestInputLimits(t *testing.T) {
	messageA := []byte(readVectors(t).MessageA)
	for _, c := range []struct {
		code, channel, session, adA, adB int
		ok                               bool
	}{
		{1, 0, pake.MinSession, 0, 0, true},
		{pake.MaxCode, pake.MaxChannel, pake.MaxSession, pake.MaxAssociated, pake.MaxAssociated, true},
		{0, 0, pake.MinSession, 0, 0, false},
		{pake.MaxCode + 1, 0, pake.MinSession, 0, 0, false},
		{1, pake.MaxChannel + 1, pake.MinSession, 0, 0, false},
		{1, 0, pake.MinSession - 1, 0, 0, false},
		{1, 0, pake.MaxSession + 1, 0, 0, false},
		{1, 0, pake.MinSession, pake.MaxAssociated + 1, 0, false},
		{1, 0, pake.MinSession, 0, pake.MaxAssociated + 1, false},
	} {
		in := pake.Input{Code: make([]byte, c.code), Channel: make([]byte, c.channel), Session: make([]byte, c.session)}
		sideA, sideB := make([]byte, c.adA), make([]byte, c.adB)
		_, messageB, err := pake.Respond(in, messageA, sideA, sideB)
		if (err == nil) != c.ok || err != nil && !errors.Is(err, pake.ErrInput) {
			t.Errorf("Respond, %+v: %v", c, err)
		}
		a, _, err := pake.Start(in)
		if err == nil {
			if messageB == nil {
				messageB = make([]byte, pake.MessageBSize)
			}
			if _, _, err = a.Finish(messageB, sideA, sideB); errors.Is(err, pake.ErrConfirm) {
				err = nil // message B is for another share
			}
		}
		if (err == nil) != c.ok || err != nil && !errors.Is(err, pake.ErrInput) {
			t.Errorf("Start and Finish, %+v: %v", c, err)
		}
	}
}

// TestOneGuess: a run ends with the first message, right or wrong, and keeps no
// secret then.
func TestOneGuess(t *testing.T) {
	for name, change := range map[string]func([]byte) []byte{
		"right": func(b []byte) []byte { return b },
		"wrong": func(b []byte) []byte { b = bytes.Clone(b); b[len(b)-1] ^= 1; return b },
		"short": func(b []byte) []byte { return b[1:] },
	} {
		t.Run(name, func(t *testing.T) {
			a, b, messageB := begun(t, input("seven"), input("seven"))
			if zero(a.Left()) || zero(b.Left()) {
				t.Fatal("no secrets before the end")
			}
			_, confirmation, err := a.Finish(change(messageB), adA, adB)
			if (err == nil) != (name == "right") {
				t.Error(err)
			}
			if confirmation == nil {
				confirmation = make([]byte, 1)
			}
			key, err := b.Finish(change(confirmation))
			if (err == nil) != (name == "right") {
				t.Error(err)
			}
			if _, _, err := a.Finish(messageB, adA, adB); !errors.Is(err, pake.ErrEnded) {
				t.Errorf("A once more: %v", err)
			}
			if _, err := b.Finish(confirmation); !errors.Is(err, pake.ErrEnded) {
				t.Errorf("B once more: %v", err)
			}
			if !zero(a.Left()) || !zero(b.Left()) {
				t.Error("secrets are left")
			}
			if name == "right" && zero(key.ISK()) {
				t.Error("the key was overwritten with the run")
			}
		})
	}
}

func zero(b []byte) bool { return !slices.ContainsFunc(b, func(x byte) bool { return x != 0 }) }

func TestNoKey(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a secret was derived from no key")
		}
	}()
	pake.Key{}.Derive("x")
}

func TestPrintsNothing(t *testing.T) {
	v := readVectors(t)
	a, _, err := pake.StartWith(v.input(), v.YA)
	if err != nil {
		t.Fatal(err)
	}
	b, _, err := pake.RespondWith(v.input(), v.YB, v.MessageA, v.ADA, v.ADB)
	if err != nil {
		t.Fatal(err)
	}
	ended, _, err := pake.StartWith(v.input(), v.YA)
	if err != nil {
		t.Fatal(err)
	}
	key, _, err := ended.Finish(v.MessageB, v.ADA, v.ADB)
	if err != nil {
		t.Fatal(err)
	}
	type holder struct {
		a   *pake.Initiator
		b   pake.Responder
		key pake.Key
	}
	secrets := [][]byte{v.YA, v.YB, v.ISK, v.Confirmation}
	for _, x := range []any{a, *a, b, *b, key, &key, holder{a, *b, key}, &holder{a, *b, key}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
			out := fmt.Sprintf(verb, x)
			for _, s := range secrets {
				for _, form := range []string{"%s", "%x", "%X"} {
					if strings.Contains(out, fmt.Sprintf(form, s[:8])) {
						t.Errorf("%s of %T shows a secret: %s", verb, x, out)
					}
				}
				if strings.Contains(out, strings.Trim(fmt.Sprint(s[:8]), "[]")) {
					t.Errorf("%s of %T shows a secret: %s", verb, x, out)
				}
			}
		}
		if b, err := json.Marshal(x); err != nil || string(b) != "{}" {
			t.Errorf("JSON of %T: %s, %v", x, b, err)
		}
	}
	if out := fmt.Sprint(v.input(), key, a, *b); out != "pake.Input(redacted) pake.Key(redacted) pake.Initiator(redacted) pake.Responder(redacted)" {
		t.Errorf("printed as %q", out)
	}
}
