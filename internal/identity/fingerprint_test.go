package identity_test

import (
	"strings"
	"testing"

	"kith/internal/identity"
	"kith/internal/wire"
)

func TestFingerprint(t *testing.T) {
	a, b := wire.PersonID{1}, wire.PersonID{2}
	f := identity.Fingerprint(a, b)
	if f != identity.Fingerprint(b, a) {
		t.Error("the two sides see different digits")
	}
	groups := strings.Fields(f)
	if len(groups) != 12 || len(f) != 71 || strings.Trim(f, "0123456789 ") != "" {
		t.Errorf("%q", f)
	}
	for _, g := range groups {
		if len(g) != 5 {
			t.Errorf("group %q", g)
		}
	}
	if f == identity.Fingerprint(a, wire.PersonID{3}) || f == identity.Fingerprint(a, a) {
		t.Error("another person, the same digits")
	}
	// Computed apart from this program: SHA-256 5,200 times.
	if want := "31788 63139 54270 01443 71768 54807 30297 83787 78214 90219 66686 78871"; f != want {
		t.Errorf("got %q", f)
	}
}
