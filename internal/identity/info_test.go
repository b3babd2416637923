package identity_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"kith/internal/identity"
	"kith/internal/wire"
)

func TestInfoBytes(t *testing.T) {
	i := identity.Info{Salt: [32]byte(bytes.Repeat([]byte{1}, 32)), Name: "Zoë", Picture: wire.Digest(bytes.Repeat([]byte{2}, 32))}
	want := append(bytes.Repeat([]byte{1}, 32), 4, 'Z', 'o', 0xc3, 0xab)
	want = append(want, bytes.Repeat([]byte{2}, 32)...)
	if got := i.Marshal(); !bytes.Equal(got, want) {
		t.Fatalf("%x", got)
	}
	if i.Commit() != wire.Digest(wire.Hash(wire.HashInfo, want)) {
		t.Error("commitment")
	}
	back, err := identity.ParseInfo(want)
	if err != nil || back != i {
		t.Errorf("came back as %+v, %v", back, err)
	}
	for _, b := range [][]byte{nil, want[:len(want)-1], append(bytes.Clone(want), 0)} {
		if _, err := identity.ParseInfo(b); !errors.Is(err, identity.ErrInfo) {
			t.Errorf("%x: %v", b, err)
		}
	}
}

func TestNewInfo(t *testing.T) {
	a, err := identity.NewInfo("  Ann \n")
	if err != nil || a.Name != "Ann" || a.Picture != (wire.Digest{}) {
		t.Fatalf("%+v %v", a, err)
	}
	b, err := identity.NewInfo("Ann")
	if err != nil || a.Salt == b.Salt || a.Commit() == b.Commit() {
		t.Error("two infos have one salt")
	}
}

func TestNames(t *testing.T) {
	for _, c := range []struct {
		name   string
		reason identity.Reason
	}{
		{"A", ""},
		{strings.Repeat("ü", 64), ""},
		{strings.Repeat("😀", 64), ""},
		{"Family 👨‍👩‍👧", ""},  // joiners
		{"می\u200cخواهم", ""}, // zero width non-joiner
		{"שלום", ""},
		{"e\u0301", ""},
		{strings.Repeat("ü", 65), identity.ReasonNameLong},
		{"", identity.ReasonNameEmpty},
		{"  ", identity.ReasonNameEmpty},
		{"\u3164", identity.ReasonNameEmpty},
		{"\u2800", identity.ReasonNameEmpty},
		{"\u0301", identity.ReasonNameEmpty},
		{"A\xff", identity.ReasonNameText},
		{"A\x00B", identity.ReasonNameControl},
		{"A\nB", identity.ReasonNameControl},
		{"A\u0085B", identity.ReasonNameControl},
		{"A\u2028B", identity.ReasonNameControl},
		{"A\u202eB", identity.ReasonNameControl},
		{"A\u2066B", identity.ReasonNameControl},
		{"A\u200bB", identity.ReasonNameControl},
		{"\ufeffA", identity.ReasonNameControl},
		{"A\x1b[31m", identity.ReasonNameControl},
	} {
		i, err := identity.NewInfo(c.name)
		checkInput(t, c.name, err, c.reason)
		if c.reason == "" && i.Name != c.name {
			t.Errorf("%q became %q", c.name, i.Name)
		}
		_, err = identity.ParseInfo(identity.Info{Name: c.name}.Marshal())
		if c.reason == identity.ReasonNameLong {
			continue
		}
		checkInput(t, c.name, err, c.reason)
	}
	_, err := identity.ParseInfo(identity.Info{Name: " A"}.Marshal())
	checkInput(t, "untrimmed", err, identity.ReasonNameSpace)
	_, err = identity.ParseInfo(identity.Info{Name: strings.Repeat("x", 257)}.Marshal())
	if !errors.Is(err, identity.ErrInfo) {
		t.Errorf("long bytes: %v", err)
	}
}

// checkInput fails the test unless err refuses by reason; an empty reason wants
// no error.
func checkInput(t testing.TB, what string, err error, reason identity.Reason) {
	t.Helper()
	var e *identity.InputError
	switch {
	case reason == "" && err != nil:
		t.Errorf("%q: %v", what, err)
	case reason != "" && (!errors.As(err, &e) || e.Reason != reason):
		t.Errorf("%q: got %v, want %q", what, err, reason)
	case reason != "" && len(err.Error()) < 30:
		t.Errorf("%q: the error does not say what to do: %v", what, err)
	}
}

func TestInfoSize(t *testing.T) {
	i := identity.Info{Name: strings.Repeat("😀", identity.MaxName)}
	if n := len(i.Marshal()); n != identity.MaxInfo {
		t.Errorf("the longest info has %d bytes", n)
	}
}
