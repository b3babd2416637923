package rendezvous_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"kith/internal/identity"
	"kith/internal/rendezvous"
	"kith/internal/wire"
)

// fixed is a device key and a secret that are the same in every run.
func fixed() (ed25519.PrivateKey, rendezvous.Secret) {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, 32)), rendezvous.Secret(bytes.Repeat([]byte{2}, 32))
}

func fixedRecord() rendezvous.Record {
	key, s := fixed()
	r := rendezvous.Record{
		Key: key.Public().(ed25519.PublicKey), Made: noon, Expiry: noon + 7_200_000,
		Peer: []byte("peer"), Hosts: []string{"/ip4/203.0.113.7/tcp/9", "/ip6/2001:db8::1/udp/9/quic-v1"},
	}
	r.Sign(s, func(l wire.Label, b []byte) []byte { return wire.Sign(key, l, b) })
	return r
}

// The record, spelt by hand (docs/spec/rendezvous.md).
func TestRecordBytes(t *testing.T) {
	r := fixedRecord()
	fields := "0101" +
		"8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c" +
		"000001a3185c5000" + "000001a318ca2d00" +
		"04" + hex.EncodeToString([]byte("peer")) +
		"36" + "16" + hex.EncodeToString([]byte("/ip4/203.0.113.7/tcp/9")) + "1e" + hex.EncodeToString([]byte("/ip6/2001:db8::1/udp/9/quic-v1"))
	want := fields + hex.EncodeToString(r.Signature[:])
	want += strings.Repeat("00", 608-len(want)/2)
	if got := hex.EncodeToString(r.Marshal()); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	_, s := fixed()
	if !r.Verify(s) {
		t.Error("the signature does not hold")
	}
	other := s
	other[0] ^= 1
	if r.Verify(other) {
		t.Error("the signature holds under another secret")
	}
}

func TestRecordRefused(t *testing.T) {
	good := fixedRecord()
	b := good.Marshal()
	end := 608 - len(bytes.TrimRight(b, "\x00"))
	for name, spoil := range map[string]func([]byte) []byte{
		"short":             func(b []byte) []byte { return b[:607] },
		"long":              func(b []byte) []byte { return append(b, 0) },
		"version":           func(b []byte) []byte { b[0] = 2; return b },
		"sigalg":            func(b []byte) []byte { b[1] = 0; return b },
		"peer of 65 bytes":  func(b []byte) []byte { b[50] = 65; return b },
		"length of a host":  func(b []byte) []byte { b[55]++; return b },
		"host with a space": func(b []byte) []byte { b[60] = ' '; return b },
		"host of no bytes":  func(b []byte) []byte { b[56] = 0; return b },
		"padding":           func(b []byte) []byte { b[607] = 1; return b },
		"padding's first":   func(b []byte) []byte { b[608-end+1] = 1; return b },
	} {
		if _, err := rendezvous.ParseRecord(spoil(slices.Clone(b))); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	if _, err := rendezvous.ParseRecord(b); err != nil {
		t.Errorf("unspoilt: %v", err)
	}
}

// TestFits: however many and long the hosts are, the record has one size, and keeps the
// best of them that fit.
func TestFits(t *testing.T) {
	d, s := identity.NewDevice(), rendezvous.NewSecret()
	long := func(n int) string { return "/" + strings.Repeat("a", n-1) }
	for _, c := range []struct{ give, want []string }{
		{nil, nil},
		{[]string{"/a"}, []string{"/a"}},
		{slices.Repeat([]string{"/a"}, 9), slices.Repeat([]string{"/a"}, 8)},
		{[]string{long(129), "", "/a b", "/\x80", "/a"}, []string{"/a"}},
		{[]string{long(128), long(128), long(128), long(127), "/a"}, []string{long(128), long(128), long(128), "/a"}},
		{hosts, hosts},
	} {
		r := rendezvous.Record{Key: d.PublicKey(), Made: noon, Expiry: noon, Peer: bytes.Repeat([]byte{1}, 38), Hosts: c.give}
		r.Sign(s, d.Sign)
		b := r.Marshal()
		if len(b) != 608 || !slices.Equal(r.Hosts, c.want) {
			t.Errorf("of %d hosts %q are kept, %d bytes", len(c.give), r.Hosts, len(b))
		}
		back, err := rendezvous.ParseRecord(b)
		if err != nil || !slices.Equal(back.Hosts, c.want) || !back.Verify(s) {
			t.Errorf("%q comes back as %q: %v", c.want, back.Hosts, err)
		}
	}
}

// FuzzRecord: what parses encodes to the same bytes.
func FuzzRecord(f *testing.F) {
	r := fixedRecord()
	f.Add(r.Marshal())
	f.Add(make([]byte, 608))
	f.Add([]byte{1, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < 608 { // so that the fuzzer need not find the length
			b = append(slices.Clone(b), make([]byte, 608-len(b))...)
		}
		r, err := rendezvous.ParseRecord(b)
		if err == nil && !bytes.Equal(r.Marshal(), b) {
			t.Errorf("%x parses and encodes to %x", b, r.Marshal())
		}
	})
}
