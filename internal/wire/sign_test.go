package wire_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"

	"kith/internal/wire"
)

// key returns a fixed key, the same in every run.
func key(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte(name))
	return ed25519.NewKeyFromSeed(seed[:])
}

func public(k ed25519.PrivateKey) ed25519.PublicKey { return k.Public().(ed25519.PublicKey) }

func TestHashBytes(t *testing.T) {
	want := sha256.Sum256([]byte("\x0cKith 1 block" + "ab" + "\x03cde"))
	if got := wire.Hash(wire.HashBlock, []byte("ab"), wire.Opaque([]byte("cde"))); got != want {
		t.Errorf("%x, want %x", got, want)
	}
	pub := public(key("ann"))
	id := sha256.Sum256([]byte("\x0dKith 1 device\x01" + string(pub)))
	if got := wire.Device(pub); got != id {
		t.Errorf("device id %s, want %x", got, id)
	}
}

// TestHashLabelsSeparate: the same parts under two labels, or the same bytes
// with the border between label and part moved, are different hashes.
func TestHashLabelsSeparate(t *testing.T) {
	if wire.Hash(wire.HashBlock, []byte("x")) == wire.Hash(wire.HashCore, []byte("x")) {
		t.Error("two labels give one hash")
	}
	if wire.Hash("ab", []byte("c")) == wire.Hash("a", []byte("bc")) {
		t.Error("a label runs into what follows it")
	}
}

func TestSignContentBytes(t *testing.T) {
	got := wire.SignContent(wire.SignEntry, []byte("hi"))
	if want := "\x0cKith 1 entry\x02hi"; string(got) != want {
		t.Errorf("%q, want %q", got, want)
	}
	if bytes.HasPrefix(got[1:], []byte("MLS 1.0 ")) {
		t.Error("what we sign could be an MLS signature")
	}
}

func TestSignVerify(t *testing.T) {
	ann := key("ann")
	content := []byte("content")
	sig := wire.Sign(ann, wire.SignBlock, content)
	flip := func(b []byte, i int) []byte {
		c := bytes.Clone(b)
		c[i] ^= 1
		return c
	}
	for _, c := range []struct {
		name    string
		key     ed25519.PublicKey
		label   wire.Label
		content []byte
		sig     []byte
		want    bool
	}{
		{"as signed", public(ann), wire.SignBlock, content, sig, true},
		{"other key", public(key("ben")), wire.SignBlock, content, sig, false},
		{"other label", public(ann), wire.SignEntry, content, sig, false},
		{"other content", public(ann), wire.SignBlock, []byte("Content"), sig, false},
		{"R changed", public(ann), wire.SignBlock, content, flip(sig, 0), false},
		{"S changed", public(ann), wire.SignBlock, content, flip(sig, 32), false},
		{"signature cut", public(ann), wire.SignBlock, content, sig[:63], false},
		{"signature longer", public(ann), wire.SignBlock, content, append(bytes.Clone(sig), 0), false},
		{"no signature", public(ann), wire.SignBlock, content, nil, false},
		{"key cut", public(ann)[:31], wire.SignBlock, content, sig, false},
		{"no key", nil, wire.SignBlock, content, sig, false},
		{"S plus the group order", public(ann), wire.SignBlock, content, plusOrder(sig), false},
	} {
		if got := wire.Verify(c.key, c.label, c.content, c.sig); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

// order is the order of the group, little-endian (RFC 8032 section 5.1).
var order = unhex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010")

// plusOrder returns sig with S + L in place of S: the same point, another
// encoding, which must be refused.
func plusOrder(sig []byte) []byte {
	out := bytes.Clone(sig)
	carry := 0
	for i := range order {
		carry += int(out[32+i]) + int(order[i])
		out[32+i] = byte(carry)
		carry >>= 8
	}
	return out
}

// smallOrder are all 14 encodings of the 8 points of small order: 8 canonical,
// then 6 that are not.
var smallOrder = []struct{ name, hex string }{
	{"order 1", "0100000000000000000000000000000000000000000000000000000000000000"},
	{"order 2", "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"},
	{"order 4", "0000000000000000000000000000000000000000000000000000000000000000"},
	{"order 4, other sign", "0000000000000000000000000000000000000000000000000000000000000080"},
	{"order 8, first", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"},
	{"order 8, second", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85"},
	{"order 8, third", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"},
	{"order 8, fourth", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"},
	{"order 1, sign of zero", "0100000000000000000000000000000000000000000000000000000000000080"},
	{"order 2, sign of zero", "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"},
	{"order 1, y over p", "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"},
	{"order 1, y over p, sign of zero", "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"},
	{"order 4, y is p", "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"},
	{"order 4, y is p, other sign", "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"},
}

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

// TestZIP215 holds the rule on the signatures where rules differ: key and R of
// small order, S zero. ZIP-215 accepts all 196 of them; Go's own rule does not,
// which is why the two must never be mixed (docs/adr/0003-one-signature-rule.md).
func TestZIP215(t *testing.T) {
	message := []byte("Zcash")
	var batch wire.Batch
	differ, all := 0, 0
	for _, a := range smallOrder {
		for _, r := range smallOrder {
			pub, sig := unhex(a.hex), append(unhex(r.hex), make([]byte, 32)...)
			all++
			if !wire.VerifyRaw(pub, message, sig) {
				t.Errorf("key %s, R %s: refused", a.name, r.name)
			}
			batch.AddRaw(pub, message, sig)
			if !ed25519.Verify(pub, message, sig) {
				differ++
			}
			sig[32] = 1
			if wire.VerifyRaw(pub, message, sig) {
				t.Errorf("key %s, R %s, S one: accepted", a.name, r.name)
			}
		}
	}
	if ok, _ := batch.Verify(); !ok {
		t.Error("a batch refuses what single checks accept")
	}
	if differ == 0 {
		t.Error("Go's own rule agrees everywhere: the table proves nothing")
	}
	t.Logf("Go's own rule refuses %d of these %d", differ, all)
}

// TestNoPoint: 32 bytes that are no point of the curve are no key and no R.
func TestNoPoint(t *testing.T) {
	bad := unhex("02" + strings.Repeat("00", 31))
	good := wire.Sign(key("ann"), wire.SignBlock, nil)
	if wire.Verify(bad, wire.SignBlock, nil, good) {
		t.Error("a key that is no point was accepted")
	}
	if wire.Verify(public(key("ann")), wire.SignBlock, nil, append(bad, good[32:]...)) {
		t.Error("an R that is no point was accepted")
	}
}

func TestBatch(t *testing.T) {
	var b wire.Batch
	if ok, each := b.Verify(); !ok || len(each) != 0 {
		t.Error("an empty batch does not hold")
	}
	for i := range 40 {
		k := key(string(rune('a' + i)))
		sig := wire.Sign(k, wire.SignEntry, []byte{byte(i)})
		if i == 7 || i == 31 {
			sig[40] ^= 1
		}
		b.Add(public(k), wire.SignEntry, []byte{byte(i)}, sig)
	}
	ok, each := b.Verify()
	if ok || len(each) != 40 {
		t.Fatalf("ok %v with two false signatures, %d results", ok, len(each))
	}
	for i, holds := range each {
		if want := i != 7 && i != 31; holds != want {
			t.Errorf("signature %d: %v, want %v", i, holds, want)
		}
	}
	if ok, each := b.Verify(); !ok || len(each) != 0 {
		t.Error("a batch is not empty after Verify")
	}
}

// FuzzVerify: no key, message or signature makes a check panic, and a batch
// gives the same answer as a single check.
func FuzzVerify(f *testing.F) {
	k := key("ann")
	f.Add([]byte(public(k)), []byte("m"), ed25519.Sign(k, []byte("m")))
	f.Add(unhex(smallOrder[0].hex), []byte("m"), append(unhex(smallOrder[13].hex), make([]byte, 32)...))
	f.Add([]byte{}, []byte{}, []byte{})
	f.Add(make([]byte, 33), []byte("m"), make([]byte, 65))
	f.Fuzz(func(t *testing.T, pub, message, sig []byte) {
		one := wire.VerifyRaw(pub, message, sig)
		var b wire.Batch
		b.AddRaw(pub, message, sig)
		if all, each := b.Verify(); all != one || each[0] != one {
			t.Errorf("single %v, batch %v %v", one, all, each)
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	k := key("ann")
	sig := wire.Sign(k, wire.SignEntry, []byte("content"))
	for b.Loop() {
		wire.Verify(public(k), wire.SignEntry, []byte("content"), sig)
	}
}

func BenchmarkBatch1024(b *testing.B) {
	k := key("ann")
	sig := wire.Sign(k, wire.SignEntry, []byte("content"))
	for b.Loop() {
		var batch wire.Batch
		for range 1024 {
			batch.Add(public(k), wire.SignEntry, []byte("content"), sig)
		}
		batch.Verify()
	}
	b.ReportMetric(float64(b.N)*1024/b.Elapsed().Seconds(), "signatures/s")
}
