package group_test

import (
	"bytes"
	"testing"

	"kith/internal/group"
	"kith/internal/identity"
)

// TestNewestDoubtsStay: of a home that took new keys twice the texts of the newer
// device stay, whichever of the two ids is the lower.
func TestNewestDoubtsStay(t *testing.T) {
	low, high := identity.NewDevice(), identity.NewDevice()
	if a, b := low.ID(), high.ID(); bytes.Compare(a[:], b[:]) > 0 {
		low, high = high, low
	}
	const most = 64
	for _, devices := range [][]*identity.Device{{low, high}, {high, low}} {
		for each, older := range map[int]int{most: 0, most - 10: 10, most / 2: most / 2} {
			kept := group.Doubted(devices, each)
			if kept[devices[1].ID()] != each || kept[devices[0].ID()] != older {
				t.Errorf("of %d texts of each device %d of the newer and %d of the older stay", each, kept[devices[1].ID()], kept[devices[0].ID()])
			}
		}
	}
}
