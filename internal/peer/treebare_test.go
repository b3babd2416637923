package peer_test

import (
	"encoding/binary"
	"slices"
	"testing"

	"kith/internal/peer"
)

// 1 is quicker than the others, and gives the header of an entry alone: the next copy is
// no second one, its sender is not pruned, and it goes on.
func TestTreeTakesWholeAfterBare(t *testing.T) {
	h := newTreeHand(t, 3)
	h.neighbours(1, 2, 3)
	h.hear(1, gossip(0x10)...)
	h.checked(0x10, peer.VerdictBare)
	h.sends(1)
	h.hear(2, gossip(0x10)...)
	h.sends(2)
	if len(h.got) != 2 {
		t.Fatalf("delivered %x", h.got)
	}
	h.checked(0x10, peer.VerdictHeld)
	h.sends(3, 3)
	h.hear(1, gossip(0x10)...)
	h.sends(1, 3, 6) // it lacked it, and is told that it is not needed
}

// 3 announces what 1 then gives without its text, or gives something else for: 3 is asked
// for it as if nothing had come.
func TestTreeAsksAfterBare(t *testing.T) {
	for name, verdict := range map[string]peer.Verdict{"bare": peer.VerdictBare, "false": peer.VerdictFalse} {
		h := newTreeHand(t, 3)
		h.neighbours(1, 2, 3)
		h.hear(3, ids(4, 0, 0x10)...)
		h.hear(1, gossip(0x10)...)
		h.checked(0x10, verdict)
		h.pass(1500)
		if !slices.Contains(h.take(3), 5) {
			t.Errorf("%s: 3 is not asked", name)
		}
		h.hear(3, gossip(0x10)...)
		h.checked(0x10, peer.VerdictHeld)
		h.take(2)
		h.hear(2, ids(5, 0, 0x10)...)
		h.sends(2, 3)
	}
}

// What 1 sends that is no payload in the end drives out none that is, and before long
// 1 is no neighbour.
func TestTreeFloodOfBare(t *testing.T) {
	for name, verdict := range map[string]peer.Verdict{"bare": peer.VerdictBare, "later": peer.VerdictLater} {
		h := newTreeHand(t, 3)
		h.neighbours(1, 2, 3)
		h.step(peer.Publish{ID: id32(0x10), Size: 1})
		for i := range uint32(6000) {
			id := id32(0x20)
			binary.BigEndian.PutUint32(id[:], i)
			h.hear(1, append(append([]byte{3}, id[:]...), 0xff)...)
			if n := len(h.got); n > 0 {
				h.step(peer.Checked{ID: h.got[n-1], Verdict: verdict})
				h.got = nil
			}
		}
		if _, near := h.tree.Neighbours()[id32(1)]; near {
			t.Errorf("%s: 1 is a neighbour", name)
		}
		h.take(2)
		h.hear(2, ids(5, 0, 0x10)...)
		h.sends(2, 3)
	}
}

// What could not be judged when it came along the tree, and comes later by other ways, is
// given to who asks.
func TestTreeGivesWhatCameLater(t *testing.T) {
	h := newTreeHand(t, 2)
	h.neighbours(1, 2)
	h.hear(1, gossip(0x10)...)
	h.checked(0x10, peer.VerdictLater)
	h.hear(2, ids(5, 0, 0x10)...)
	h.sends(2)
	h.step(peer.Came{ID: id32(0x10), Size: 1})
	h.hear(2, ids(5, 0, 0x10)...)
	h.sends(2, 3)
}
