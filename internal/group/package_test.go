package group_test

import (
	"errors"
	"testing"

	"kith/internal/group"
	"kith/internal/mls"
)

const (
	aDay    uint64 = 24 * 3600
	longest        = 401 * aDay // of a lifetime, in seconds (docs/spec/friend.md)
)

// TestPackageLifetime is sections 7.2 and 7.3 of RFC 9420: a key package that
// arrives is valid now, and not for longer than the application allows in all.
func TestPackageLifetime(t *testing.T) {
	const now = start / 1000
	ann, ben := newHuman(t, "Ann", newRecovery(t)), newHuman(t, "Ben", newRecovery(t))
	m, _, err := group.Create(ann.Self, group.CreateParams{Title: "Trip"}, start)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		what          string
		before, after uint64
		good          bool
	}{
		{"the longest", now - aDay, now - aDay + longest, true},
		{"a second longer", now - aDay, now - aDay + longest + 1, false},
		{"for ever", 0, ^uint64(0), false},
		{"nearly over", now - longest, now, true},
		{"over", now - longest, now - 1, false},
		{"to come", now + 1, now + aDay, false},
	} {
		b := packageFor(t, ben, c.before, c.after)
		if _, err := group.CheckPackage(b, ben.Member(), start); (err == nil) != c.good {
			t.Errorf("%s: %v", c.what, err)
		}
		if c.good {
			continue
		}
		n := ben.newcomer(group.Package{Public: b})
		_, err := m.Step(group.Input{Now: start, Cause: group.Invite{Newcomers: []group.Newcomer{n}}})
		if e, ok := errors.AsType[*group.Refusal](err); !ok || e.Reason != group.ReasonPackage {
			t.Errorf("%s, of a newcomer: %v", c.what, err)
		}
	}
}

// packageFor makes a key package as the program does, but for its lifetime.
func packageFor(t *testing.T, h *human, before, after uint64) []byte {
	t.Helper()
	person, device := h.Person, h.Device.ID()
	kp, _, err := mls.NewKeyPackage(h.Device, mls.KeyPackageParams{
		Suite: group.NewSuite, Identity: append(person[:], device[:]...), NotBefore: before, NotAfter: after,
	})
	if err != nil {
		t.Fatal(err)
	}
	return kp.Bytes()
}

// TestWelcomeSecretsGo: whoever made a block keeps none of the secrets that its
// Welcome alone needed, the joiner secret among them.
func TestWelcomeSecretsGo(t *testing.T) {
	ann, ben := newHuman(t, "Ann", newRecovery(t)), newHuman(t, "Ben", newRecovery(t))
	m, _, err := group.Create(ann.Self, group.CreateParams{Title: "Trip"}, start)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.WelcomeAgain(start, ben.newcomer(ben.offer(t, group.NewSuite, false))); !errors.Is(err, mls.ErrKeyUsed) {
		t.Errorf("a block's Welcome is made again: %v", err)
	}
}
