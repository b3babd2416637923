package dag_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"kith/internal/dag"
	"kith/internal/wire"
)

// fill returns n bytes b.
func fill(b byte, n int) []byte { return bytes.Repeat([]byte{b}, n) }

// sample is a header in which every field has bytes of its own.
func sample() *dag.Header {
	h := &dag.Header{
		Version: 1, Suite: 3, SigAlg: 1, Seq: 2,
		Lamport: 0x0102030405, Order: 0x0a0b, Time: 0x0c0d, Length: 0x1234,
		Parents: []dag.Ref{
			{Device: wire.DeviceID(fill(0x30, 32)), Seq: 7, Hash: wire.Short(fill(0x31, 16))},
			{Device: wire.DeviceID(fill(0x32, 32)), Seq: 8, Hash: wire.Short(fill(0x33, 16))},
		},
	}
	copy(h.Group[:], fill(0x10, 32))
	copy(h.Device[:], fill(0x11, 32))
	copy(h.Prev[:], fill(0x12, 32))
	copy(h.Block[:], fill(0x13, 32))
	copy(h.ContentID[:], fill(0x14, 16))
	copy(h.ContentCommit[:], fill(0x15, 32))
	copy(h.CiphertextHash[:], fill(0x16, 32))
	copy(h.Signature[:], fill(0x17, 64))
	return h
}

// The three parts of sample's bytes, spelt by hand.
var (
	sampleOpen = "01" + "0003" + "01" +
		strings.Repeat("10", 32) + strings.Repeat("11", 32) + "0000000000000002" + strings.Repeat("12", 32) +
		"4070" + // 112 bytes of parents
		strings.Repeat("30", 32) + "0000000000000007" + strings.Repeat("31", 16) +
		strings.Repeat("32", 32) + "0000000000000008" + strings.Repeat("33", 16) +
		strings.Repeat("13", 32) + "0000000102030405" + "0000000000000a0b" + "0000000000000c0d" +
		strings.Repeat("14", 16) + strings.Repeat("15", 32)
	sampleSealed = strings.Repeat("16", 32) + "00001234"
	sampleSigned = strings.Repeat("17", 64)
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestHeaderBytes(t *testing.T) {
	h := sample()
	want := unhex(t, sampleOpen+sampleSealed+sampleSigned)
	if got := h.Bytes(); !bytes.Equal(got, want) {
		t.Fatalf("got\n%x\nwant\n%x", got, want)
	}
	if got := h.SignedBytes(); !bytes.Equal(got, unhex(t, sampleOpen+sampleSealed)) {
		t.Errorf("signed bytes %x", got)
	}
	if got := wire.Hash(wire.HashEntryAAD, unhex(t, sampleOpen)); h.AAD() != wire.Digest(got) {
		t.Error("AAD covers other bytes")
	}
	if got := wire.Hash(wire.HashEntry, want); h.Hash() != wire.EntryHash(got) || h.Ref().Hash != wire.Short(got[:16]) {
		t.Error("hash covers other bytes")
	}
	back, err := dag.ParseHeader(want)
	if err != nil || !bytes.Equal(back.Bytes(), want) {
		t.Errorf("came back as %+v, %v", back, err)
	}
}

func TestHeaderLengths(t *testing.T) {
	h := sample()
	h.Parents = nil
	for i := range dag.MaxParents {
		h.Parents = append(h.Parents, dag.Ref{Device: wire.DeviceID(fill(byte(0x40+i), 32)), Seq: 1})
	}
	b := h.Bytes()
	if len(b) != dag.MaxHeader {
		t.Errorf("the longest header has %d bytes", len(b))
	}
	if _, err := dag.ParseHeader(b); err != nil {
		t.Error(err)
	}
	h.Parents = append(h.Parents, dag.Ref{Device: wire.DeviceID(fill(0x50, 32)), Seq: 1})
	_, err := dag.ParseHeader(h.Bytes())
	wantReason(t, err, dag.ReasonForm)
}

func TestHeaderRefuses(t *testing.T) {
	good := sampleOpen + sampleSealed + sampleSigned
	for name, s := range map[string]string{
		"empty":            "",
		"one byte more":    good + "00",
		"one byte less":    good[:len(good)-2],
		"long prefix":      strings.Replace(good, "4070"+strings.Repeat("30", 32), "80000070"+strings.Repeat("30", 32), 1),
		"parents swapped":  strings.NewReplacer(strings.Repeat("30", 32), strings.Repeat("32", 32), strings.Repeat("32", 32), strings.Repeat("30", 32)).Replace(good),
		"half a parent":    strings.Replace(good, "4070"+strings.Repeat("30", 32), "406f"+strings.Repeat("30", 32), 1),
		"own parent":       strings.Replace(good, strings.Repeat("32", 32), strings.Repeat("11", 32), 1),
		"parent of seq 0":  strings.Replace(good, "0000000000000007", "0000000000000000", 1),
		"first with prev":  strings.Replace(good, "0000000000000002", "0000000000000001", 1),
		"later without":    strings.Replace(good, strings.Repeat("12", 32), strings.Repeat("00", 32), 1),
		"wrong sigalg":     strings.Replace(good, "01000301", "01000302", 1),
		"version 0":        "00" + good[2:],
		"ciphertext 4 GiB": strings.Replace(good, "00001234", "ffffffff", 1),
	} {
		_, err := dag.ParseHeader(unhex(t, s))
		if name == "version 0" {
			wantReason(t, err, dag.ReasonVersion)
			continue
		}
		wantReason(t, err, dag.ReasonForm)
	}
	_, err := dag.ParseHeader([]byte{2, 1, 1})
	wantReason(t, err, dag.ReasonVersion)
}

func TestEveryByteIsSigned(t *testing.T) {
	w := newWriter("ann")
	h := sample()
	h.Device = w.id
	h.Sign(w.sign)
	b := h.Bytes()
	for i := range b {
		c := bytes.Clone(b)
		c[i] ^= 1
		g, err := dag.ParseHeader(c)
		if err == nil && g.VerifySignature(publicKey(w)) {
			t.Fatalf("a change of byte %d passes", i)
		}
	}
	if !h.VerifySignature(publicKey(w)) || h.VerifySignature(publicKey(newWriter("ben"))) {
		t.Error("signature")
	}
}

func TestDisplayOrder(t *testing.T) {
	low, high := wire.DeviceID{1}, wire.DeviceID{2}
	places := []dag.Place{{Order: 1, Device: low, Seq: 9}, {Order: 1, Device: high, Seq: 1}, {Order: 1, Device: high, Seq: 2}, {Order: 1, Device: high, Seq: 2, Hash: wire.Short{1}}, {Order: 2, Device: low, Seq: 1}}
	for i, a := range places {
		for j, b := range places {
			if dag.Less(a, b) != (i < j) {
				t.Errorf("Less(%v, %v)", a, b)
			}
		}
	}
}

func TestPaddedSize(t *testing.T) {
	for n, want := range map[int]int{
		-1: 256, 0: 256, 1: 256, 255: 256, 256: 256, 257: 272, 272: 272, 273: 288,
		511: 512, 512: 512, 513: 544, 1000: 1024, 1025: 1088, 9000: 9216, 65536: 65536, 65568: 67584,
	} {
		if got := dag.PaddedSize(n); got != want {
			t.Errorf("PaddedSize(%d) = %d, want %d", n, got, want)
		}
	}
	for n := 257; n < 70_000; n++ {
		p := dag.PaddedSize(n)
		if p < n || (p-n)*100 > n*12 || dag.PaddedSize(p) != p {
			t.Fatalf("PaddedSize(%d) = %d", n, p)
		}
	}
}

func TestContentCommit(t *testing.T) {
	group, device, id, salt := wire.GroupID{1}, wire.DeviceID{2}, wire.ContentID{3}, [32]byte{4}
	want := wire.Hash(wire.HashContent, group[:], device[:], id[:], salt[:], []byte{2, 'h', 'i'})
	if got := dag.ContentCommit(group, device, id, salt, []byte("hi")); got != wire.Digest(want) {
		t.Error("content commit")
	}
	if dag.CiphertextHash([]byte("hi")) != wire.Digest(wire.Hash(wire.HashCiphertext, []byte{2, 'h', 'i'})) {
		t.Error("ciphertext hash")
	}
}

func TestErrors(t *testing.T) {
	_, err := dag.ParseHeader([]byte{1})
	if !errors.Is(err, wire.ErrShort) || err.Error() != "dag: refused (form): wire: input ends early" {
		t.Errorf("%v", err)
	}
	_, err = dag.ParseHeader([]byte{2})
	if err.Error() != "dag: refused (version)" {
		t.Errorf("%v", err)
	}
	_, err = dag.ParseFrontier([]byte{0, 0})
	if !errors.Is(err, wire.ErrTrailing) {
		t.Errorf("%v", err)
	}
	_, err = dag.ParseFloor([]byte{2, 0, 0})
	wantReason(t, err, dag.ReasonVersion)
}
