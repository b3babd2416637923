package node_test

import (
	"bytes"
	"slices"
	"testing"

	"kith/internal/node"
	"kith/internal/wire"
)

// TestOwnBytes spells what friends say beside their groups.
func TestOwnBytes(t *testing.T) {
	for name, c := range map[string]struct{ got, want []byte }{
		"hello":         {node.Hello([]byte{7, 8}, []string{"ab", "c"}, false, 5), []byte{1, 2, 7, 8, 5, 2, 'a', 'b', 1, 'c', 5}},
		"able":          {node.Hello([]byte{7, 8}, []string{"ab", "c"}, true, 5), []byte{1, 2, 7, 8, 5, 2, 'a', 'b', 1, 'c', 0x85}},
		"holding hello": {node.HelloHolding([]byte{7, 8}, []string{"ab", "c"}, 5), []byte{1, 2, 7, 8, 5, 2, 'a', 'b', 1, 'c', 0xc5}},
		"64 left":       {node.Hello(nil, nil, false, 64), []byte{1, 0, 0, 0x40}},
		"person since": {
			node.PersonNewsSince(wire.BlockHash{31: 9}, []byte{7}, [][]byte{{10}}, nil),
			slices.Concat([]byte{5}, make([]byte, 31), []byte{9, 1, 7, 2, 1, 10, 0}),
		},
		"nowhere":  {node.Hello(nil, nil, false, 0), []byte{1, 0, 0, 0}},
		"person":   {node.PersonNews([]byte{7}, [][]byte{{8, 9}, {10}}, [][]byte{{11}}), []byte{3, 1, 7, 5, 2, 8, 9, 1, 10, 2, 1, 11}},
		"packages": {node.Packages([]byte{1, 2, 3}, []byte{4}), []byte{2, 6, 3, 1, 2, 3, 1, 4}},
	} {
		if !bytes.Equal(c.got, c.want) {
			t.Errorf("%s: %x, want %x", name, c.got, c.want)
		}
		if b, err := node.RecodeOwn(c.want); err != nil || !bytes.Equal(b, c.want) {
			t.Errorf("%s again: %x, %v", name, b, err)
		}
	}
	// The hash of a header is that of its block; the digest has name and packages.
	digest := wire.Hash(wire.HashPerson, []byte{1, 7, 2, 1, 11})
	head := wire.Hash(wire.HashBlock, []byte{10})
	want := slices.Concat([]byte{4}, head[:], digest[:])
	if got := node.Holding([]byte{7}, [][]byte{{8, 9}, {10}}, [][]byte{{11}}); !bytes.Equal(got, want) {
		t.Errorf("holding: %x, want %x", got, want)
	}
	if b, err := node.RecodeOwn(want); err != nil || !bytes.Equal(b, want) {
		t.Errorf("holding again: %x, %v", b, err)
	}
	if got := node.Holding([]byte{7}, nil, nil); !bytes.Equal(got, slices.Concat([]byte{4}, make([]byte, 64))) {
		t.Errorf("holding nothing: %x", got)
	}
	nine := make([][]byte, 9)
	for i := range nine {
		nine[i] = []byte{1}
	}
	for name, b := range map[string][]byte{
		"empty": {}, "unknown": {6}, "cut": {1, 2, 7}, "left over": {1, 0, 0, 0, 0},
		"half a holding":      slices.Concat([]byte{4}, make([]byte, 63)),
		"more than a holding": slices.Concat([]byte{4}, make([]byte, 65)),
		"since nothing":       slices.Concat([]byte{5}, make([]byte, 32), []byte{1, 7, 0, 0}),
		"nine hosts":          node.Hello(nil, []string{"1", "2", "3", "4", "5", "6", "7", "8", "9"}, true, 0),
		"nine packages":       node.Packages(nine...),
		"long package":        node.Packages(make([]byte, 8<<10+1)),
		"nine last resorts":   node.PersonNews([]byte{1}, [][]byte{{1}}, nine),
		"long last resort":    node.PersonNews([]byte{1}, [][]byte{{1}}, [][]byte{make([]byte, 8<<10+1)}),
		"long name":           node.PersonNews(make([]byte, 323), [][]byte{{1}}, nil),
		"long header":         node.PersonNews([]byte{1}, [][]byte{make([]byte, 64<<10+1)}, nil),
		"1,025 headers":       node.PersonNews([]byte{1}, slices.Repeat([][]byte{{1}}, 1025), nil),
		"over 1 MiB together": node.PersonNews([]byte{1}, slices.Repeat([][]byte{make([]byte, 60<<10)}, 18), nil),
		"long peer":           node.Hello(make([]byte, 65), nil, true, 0),
		"long host":           node.Hello(nil, []string{string(make([]byte, 129))}, true, 0),
	} {
		if _, err := node.RecodeOwn(b); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

func FuzzOwn(f *testing.F) {
	f.Add(node.Hello([]byte{7, 8}, []string{"/ip4/192.0.2.1/tcp/4001"}, true, 5))
	f.Add(node.PersonNews([]byte("name"), [][]byte{[]byte("header")}, [][]byte{[]byte("package")}))
	f.Add(node.HelloHolding([]byte{7, 8}, nil, 5))
	f.Add(node.PersonNewsSince(wire.BlockHash{1}, []byte("name"), [][]byte{[]byte("header")}, nil))
	f.Add(node.Holding([]byte("name"), [][]byte{[]byte("header")}, nil))
	f.Add(node.Packages([]byte("one"), []byte("two")))
	f.Fuzz(func(t *testing.T, b []byte) {
		if again, err := node.RecodeOwn(b); err == nil && !bytes.Equal(again, b) {
			t.Errorf("%x becomes %x", b, again)
		}
	})
}
