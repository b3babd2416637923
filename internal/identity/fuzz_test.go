package identity_test

import (
	"bytes"
	"errors"
	"testing"

	"kith/internal/identity"
)

func FuzzParseDevice(f *testing.F) {
	f.Add(storedDevice(1, 2))
	f.Fuzz(func(t *testing.T, b []byte) {
		if d, err := identity.ParseDevice(b); err == nil && !bytes.Equal(d.Marshal(), b) {
			t.Fatalf("%x came back as other bytes", b)
		}
	})
}

func FuzzParseInfo(f *testing.F) {
	f.Add(identity.Info{Name: "Ann"}.Marshal())
	f.Add(identity.Info{Name: "a\u202eb"}.Marshal())
	f.Fuzz(func(t *testing.T, b []byte) {
		if i, err := identity.ParseInfo(b); err == nil && !bytes.Equal(i.Marshal(), b) {
			t.Fatalf("%x came back as other bytes", b)
		}
	})
}

// FuzzParseContactLink tries texts as they stand and as the body of a link
// with the right checksum.
func FuzzParseContactLink(f *testing.F) {
	f.Add([]byte("kith:AAAA"))
	f.Add(linkBytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, s := range []string{string(b), text(b)} {
			l, err := identity.ParseContactLink(s, 0)
			if err != nil {
				if !errors.As(err, new(*identity.InputError)) {
					t.Fatalf("untyped refusal %v", err)
				}
				continue
			}
			again, err := l.Text()
			if err != nil || s == text(b) && again != s {
				t.Fatalf("%q came back as %q, %v", s, again, err)
			}
		}
	})
}

// FuzzParseKnock reads plaintexts; sealing is random and would only hide them
// from the fuzzer.
func FuzzParseKnock(f *testing.F) {
	f.Add(knockPlaintext(1))
	f.Fuzz(func(t *testing.T, plain []byte) {
		k, err := identity.ParseKnock(plain)
		if err != nil {
			return
		}
		want := append(append(append(k.Member.Person[:], k.Member.Device[:]...), k.Flags), k.Signature[:]...)
		if !bytes.Equal(plain, append(want, make([]byte, 63)...)) {
			t.Fatalf("%x was read as %+v", plain, k)
		}
	})
}

func FuzzParsePhrase(f *testing.F) {
	f.Add(zeroPhrase)
	f.Fuzz(func(t *testing.T, words string) {
		if _, err := identity.ParsePhrase(words); err != nil && !errors.As(err, new(*identity.InputError)) {
			t.Fatalf("untyped refusal %v", err)
		}
	})
}
