package node_test

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"kith/internal/node"
)

// TestPathBytes spells the messages of the path channel out.
func TestPathBytes(t *testing.T) {
	host := "/ip4/5.6.7.8/tcp/9"
	h := hex.EncodeToString([]byte(host))
	for _, c := range []struct{ name, want string }{
		{"seen", "01 12" + h},
		{"probe", "02 13 12" + h},
		{"probed, none", "03 00"},
		{"punch ask", "04 01 13 12" + h},
		{"punch go", "04 03 00"},
		{"secret", "05" + strings.Repeat("ab", 32)},
		{"relay", "06 02 0024 13 12" + h + strings.Repeat("cd", 32)},
		{"relay no more", "06 00 00" + strings.Repeat("00", 32)},
		{"nodes", "07 24 00000000000000000000ffff05060708 1ae1 20010470000000000000000000000001 0001"},
	} {
		b, err := hex.DecodeString(strings.ReplaceAll(c.want, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		again, err := node.PathAgain(b)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		} else if !bytes.Equal(again, b) {
			t.Errorf("%s: %x, want %x", c.name, again, b)
		}
	}
	for _, bad := range []string{
		"", "01", "0100", "01 01 20", "04 00 00", "04 04 00", "04 03 13 12" + h, "05" + strings.Repeat("ab", 31), "05" + strings.Repeat("ab", 33),
		"02" + "4000" + "80", "06 02 0024",
		"07 12 00000000000000000000ffff05060708 0000", "07 11 00000000000000000000ffff05060708 1a",
	} {
		b, err := hex.DecodeString(strings.ReplaceAll(bad, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		if again, err := node.PathAgain(b); err == nil {
			t.Errorf("%s is taken for %x", bad, again)
		}
	}
	if again, err := node.PathAgain([]byte{200, 1, 2}); err != nil || again != nil {
		t.Errorf("a number of a newer program: %x, %v", again, err)
	}
}

func FuzzPath(f *testing.F) {
	f.Add([]byte{1, 1, 'x'})
	f.Add([]byte{4, 1, 2, 1, 'x'})
	f.Add(append([]byte{6, 0, 0}, make([]byte, 32)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		again, err := node.PathAgain(b)
		if err == nil && again != nil && !bytes.Equal(again, b) {
			t.Errorf("%x is read and written as %x", b, again)
		}
	})
}
