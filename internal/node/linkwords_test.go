package node_test

import (
	"bytes"
	"slices"
	"testing"

	"kith/internal/node"
	"kith/internal/wire"
)

func filled(n int, b byte) []byte { return bytes.Repeat([]byte{b}, n) }

// sharedWords are words and records as docs/spec/device-link.md and docs/spec/own.md spell
// them.
var (
	linkWords = map[string][]byte{
		"reveal":    slices.Concat([]byte{1}, filled(32, 7), []byte{5}, []byte("Phone")),
		"taken":     slices.Concat([]byte{2, 2, 8, 9, 6, 2, 1, 2, 2, 3, 4}, filled(32, 5), []byte{0, 20, 0, 2}),
		"shared":    {3, 3, 1, 2, 3},
		"all":       {4},
		"packages":  {5, 6, 2, 1, 2, 2, 3, 4},
		"installed": {6},
		"refused":   {7, 1},
	}
	sharedRecords = map[string][]byte{
		"choice":   slices.Concat([]byte{2, 32}, filled(32, 1), []byte{0, 0, 0, 0, 0, 0, 0, 9, 1, 1}),
		"read":     slices.Concat([]byte{3, 32}, filled(32, 1), []byte{0, 0, 0, 0, 0, 0, 0, 9, 0x40, 64}, filled(64, 3)),
		"draft":    slices.Concat([]byte{4, 32}, filled(32, 1), []byte{0, 0, 0, 0, 0, 0, 0, 9, 4, 2}, []byte("ha"), []byte{0}),
		"device":   slices.Concat([]byte{5, 32}, filled(32, 1), []byte{0, 0, 0, 0, 0, 0, 0, 9, 7, 5}, []byte("Phone"), []byte{0}),
		"standing": slices.Concat([]byte{6, 32}, filled(32, 1), []byte{0, 0, 0, 0, 0, 0, 0, 9, 1, 2}),
		"gone":     slices.Concat([]byte{1, 32}, filled(32, 1), []byte{0, 0, 0, 0, 0, 0, 0, 9, 0}),
		"later":    slices.Concat([]byte{200, 32}, filled(32, 1), []byte{0, 0, 0, 0, 0, 0, 0, 9, 2, 4, 4}),
		"friend": slices.Concat([]byte{1, 32}, filled(32, 1), []byte{0, 0, 0, 0, 0, 0, 0, 9, 47},
			[]byte{3}, []byte{0, 0, 0, 0, 0, 0, 0, 8}, []byte{1, 6}, []byte{2, 1, 7}, filled(32, 2), []byte{0}),
	}
)

func TestLinkWords(t *testing.T) {
	for name, b := range linkWords {
		again, err := node.RecodeLinkWord(b)
		if err != nil || !bytes.Equal(again, b) {
			t.Errorf("%s: %x, %v, want %x", name, again, err, b)
		}
		for n := range b {
			if _, err := node.RecodeLinkWord(b[:n]); err == nil {
				t.Errorf("%d bytes of %s are taken", n, name)
			}
		}
		if _, err := node.RecodeLinkWord(append(bytes.Clone(b), 0)); err == nil {
			t.Errorf("%s and a byte is taken", name)
		}
	}
	for name, b := range map[string][]byte{
		"unknown":          {8},
		"no name":          slices.Concat([]byte{1}, filled(32, 7), []byte{0}),
		"an invisible one": slices.Concat([]byte{1}, filled(32, 7), []byte{1, ' '}),
		"a control":        slices.Concat([]byte{1}, filled(32, 7), []byte{2, 'a', 7}),
		"too many wanted":  slices.Concat([]byte{2, 0, 0}, filled(32, 5), []byte{4, 1, 0, 0}),
	} {
		if _, err := node.RecodeLinkWord(b); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

func TestSharedBytes(t *testing.T) {
	var all []byte
	for name, b := range sharedRecords {
		again, err := node.RecodeShared(b)
		if err != nil || !bytes.Equal(again, b) {
			t.Errorf("%s: %x, %v, want %x", name, again, err, b)
		}
		all = append(all, b...)
	}
	if again, err := node.RecodeShared(all); err != nil || !bytes.Equal(again, all) {
		t.Errorf("all of them: %v", err)
	}
	for name, b := range map[string][]byte{
		"a short key":   slices.Concat([]byte{2, 31}, filled(31, 1), []byte{0, 0, 0, 0, 0, 0, 0, 9, 1, 1}),
		"no such state": slices.Concat(sharedRecords["friend"][:43], []byte{5}, sharedRecords["friend"][44:]),
		"cut":           all[:len(all)-1],
	} {
		if _, err := node.RecodeShared(b); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

// TestLinkDigits: each part of what two devices say of themselves is in the digits.
func TestLinkDigits(t *testing.T) {
	maker, nonce, joiner, other, knock := wire.Member{Person: [32]byte{1}, Device: [32]byte{2}}, [32]byte{3}, wire.DeviceID{4}, [32]byte{5}, filled(1216, 6)
	want := node.LinkDigits(maker, nonce, joiner, other, knock)
	if len(want) != 6 {
		t.Fatalf("digits %q", want)
	}
	for name, got := range map[string]string{
		"another person":    node.LinkDigits(wire.Member{Person: [32]byte{9}, Device: maker.Device}, nonce, joiner, other, knock),
		"another maker":     node.LinkDigits(wire.Member{Person: maker.Person, Device: [32]byte{9}}, nonce, joiner, other, knock),
		"its nonce":         node.LinkDigits(maker, [32]byte{9}, joiner, other, knock),
		"another joiner":    node.LinkDigits(maker, nonce, wire.DeviceID{9}, other, knock),
		"its own nonce":     node.LinkDigits(maker, nonce, joiner, [32]byte{9}, knock),
		"another knock key": node.LinkDigits(maker, nonce, joiner, other, filled(1216, 9)),
	} {
		if got == want {
			t.Errorf("%s has the same digits", name)
		}
	}
}

func FuzzLinkWord(f *testing.F) {
	for _, b := range linkWords {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if again, err := node.RecodeLinkWord(b); err == nil && !bytes.Equal(again, b) {
			t.Errorf("%x becomes %x", b, again)
		}
	})
}

func FuzzShared(f *testing.F) {
	for _, b := range sharedRecords {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if again, err := node.RecodeShared(b); err == nil && !bytes.Equal(again, b) {
			t.Errorf("%x becomes %x", b, again)
		}
	})
}
