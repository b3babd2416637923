package peer_test

import (
	"bytes"
	"slices"
	"testing"

	"kith/internal/peer"
)

// id32 is 32 bytes of one value.
func id32(b byte) [32]byte { return [32]byte(bytes.Repeat([]byte{b}, 32)) }

// The frames of a tree, spelt out.
func TestTreeFrameBytes(t *testing.T) {
	a, b := id32(0xaa), id32(0xbb)
	two := append([]byte{0x40, 64}, slices.Concat(a[:], b[:])...) // 64 needs a length of two bytes
	for name, frame := range map[string][]byte{
		"ask":               {1, 1},
		"ask urgently":      {1, 2},
		"yes":               {1, 3},
		"leave":             {1, 4},
		"shuffle":           append([]byte{2, 0}, two...),
		"answer":            append([]byte{2, 1}, two...),
		"shuffle of nobody": {2, 1, 0},
		"gossip":            slices.Concat([]byte{3}, a[:], []byte{0xcc, 0xdd}),
		"have":              append([]byte{4, 0}, two...),
		"have late":         append([]byte{4, 1}, two...),
		"graft":             append([]byte{5, 0}, two...),
		"graft and more":    append([]byte{5, 1}, two...),
		"prune":             {6},
	} {
		if got, err := peer.RecodeTree(frame); err != nil || !bytes.Equal(got, frame) {
			t.Errorf("%s: %x, %v, want %x", name, got, err, frame)
		}
	}
	long := func(n int) (list []byte) {
		for i := range n {
			id := id32(byte(i))
			list = append(list, id[:]...)
		}
		return append([]byte{byte(0x40 | len(list)>>8), byte(len(list))}, list...)
	}
	for name, frame := range map[string][]byte{
		"empty":                  {},
		"zero":                   {0},
		"unknown kind":           {7},
		"word zero":              {1, 0},
		"unknown word":           {1, 5},
		"no word":                {1},
		"more after the word":    {1, 1, 0},
		"shuffle, third answer":  {2, 2, 0},
		"shuffle of nine":        append([]byte{2, 0}, long(9)...),
		"shuffle backwards":      slices.Concat([]byte{2, 0, 0x40, 64}, b[:], a[:]),
		"shuffle twice the same": slices.Concat([]byte{2, 0, 0x40, 64}, a[:], a[:]),
		"shuffle cut":            append([]byte{2, 0, 31}, a[:31]...),
		"gossip of nothing":      append([]byte{3}, a[:]...),
		"gossip cut":             append([]byte{3}, a[:31]...),
		"have nothing":           {4, 0, 0},
		"have too much":          append([]byte{4, 0}, long(65)...),
		"have backwards":         slices.Concat([]byte{4, 0, 0x40, 64}, b[:], a[:]),
		"graft nothing":          {5, 1, 0},
		"graft too much":         append([]byte{5, 0}, long(65)...),
		"longer length":          slices.Concat([]byte{4, 0, 0x40, 32}, a[:]),
		"more after a prune":     {6, 0},
	} {
		if got, err := peer.RecodeTree(frame); err == nil {
			t.Errorf("%s: taken as %x", name, got)
		}
	}
}

// FuzzTreeFrame: what parses encodes to the same bytes.
func FuzzTreeFrame(f *testing.F) {
	a, b := id32(1), id32(2)
	f.Add([]byte{1, 3})
	f.Add(append([]byte{2, 1, 32}, a[:]...))
	f.Add(append([]byte{3}, append(a[:], 9)...))
	f.Add(slices.Concat([]byte{4, 1, 0x40, 64}, a[:], b[:]))
	f.Add(append([]byte{5, 1, 32}, a[:]...))
	f.Add([]byte{6})
	f.Fuzz(func(t *testing.T, frame []byte) {
		got, err := peer.RecodeTree(frame)
		if err == nil && !bytes.Equal(got, frame) {
			t.Errorf("%x became %x", frame, got)
		}
	})
}
