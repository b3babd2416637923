package peer_test

import (
	"slices"
	"testing"

	"kith/internal/peer"
	"kith/internal/wire"
)

// A treeHand drives one tree by hand: device 0 is its own, the others are numbers.
type treeHand struct {
	t    *testing.T
	tree *peer.Tree
	now  uint64
	wake uint64
	sent []handFrame
	got  []peer.PayloadID
	want []wire.DeviceID // sessions it asked for
	end  []wire.DeviceID // sessions it needs no more
}

type handFrame struct {
	to    byte
	bytes []byte
}

func newTreeHand(t *testing.T, members int) *treeHand {
	h := &treeHand{t: t, tree: peer.NewTree(id32(0), id32(7)), now: 1_000_000}
	h.step(peer.Members{Devices: handMembers(members)})
	return h
}

func handMembers(n int) (list []wire.DeviceID) {
	for i := range n + 1 {
		list = append(list, id32(byte(i)))
	}
	return list
}

func (h *treeHand) step(c peer.Cause) {
	eff := h.tree.Step(peer.Input{Now: h.now, Cause: c})
	h.wake = eff.Wake
	for _, f := range eff.Send {
		h.sent = append(h.sent, handFrame{f.To[0], f.Bytes})
	}
	h.want, h.end = append(h.want, eff.Connect...), append(h.end, eff.Disconnect...)
	for _, d := range eff.Deliver {
		h.got = append(h.got, d.ID)
	}
}

func (h *treeHand) hear(from byte, frame ...byte) {
	h.step(peer.Heard{From: id32(from), Frame: frame})
}

// pass lets time pass, as it is told to wake.
func (h *treeHand) pass(ms uint64) {
	for until := h.now + ms; ; {
		if h.wake == 0 || h.wake > until {
			h.now = until
			return
		}
		h.now = max(h.now, h.wake)
		h.step(peer.Tick{})
	}
}

// take returns what was sent to a device since it was looked at last, by kind.
func (h *treeHand) take(to byte) (kinds []byte) {
	h.sent = slices.DeleteFunc(h.sent, func(f handFrame) bool {
		if f.to == to {
			kinds = append(kinds, f.bytes[0])
		}
		return f.to == to
	})
	return kinds
}

func (h *treeHand) sends(to byte, want ...byte) {
	h.t.Helper()
	if got := h.take(to); !slices.Equal(got, want) {
		h.t.Errorf("sent %v to %d, want %v", got, to, want)
	}
}

// neighbours makes devices neighbours: they ask.
func (h *treeHand) neighbours(list ...byte) {
	h.t.Helper()
	for _, d := range list {
		h.step(peer.PeerUp{Device: id32(d)})
		h.hear(d, 1, 1)
		if _, near := h.tree.Neighbours()[id32(d)]; !near {
			h.t.Fatalf("%d is no neighbour", d)
		}
		h.take(d)
	}
}

func ids(kind, flag byte, list ...byte) []byte {
	b := []byte{kind, flag, byte(32 * len(list))}
	if len(list) > 1 {
		b = []byte{kind, flag, byte(0x40 | 32*len(list)>>8), byte(32 * len(list))}
	}
	for _, v := range list {
		id := id32(v)
		b = append(b, id[:]...)
	}
	return b
}

func gossip(id byte) []byte {
	b := id32(id)
	return append(append([]byte{3}, b[:]...), 0xff)
}

func (h *treeHand) checked(id byte, v peer.Verdict) { h.step(peer.Checked{ID: id32(id), Verdict: v}) }
