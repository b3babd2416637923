package group_test

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"kith/internal/group"
	"kith/internal/identity"
)

// TestHistoriesStandInOneOrder: of random histories of a person of three devices, as
// long, of any two one stands above the other, and never three in a ring.
func TestHistoriesStandInOneOrder(t *testing.T) {
	for seed := range uint64(4) {
		list := histories(t, rand.New(rand.NewPCG(seed, 0)))
		above := make([][]bool, len(list))
		for a := range list {
			for b := range list {
				above[a] = append(above[a], group.StandsAbove(list[a], list[b]))
			}
		}
		for a := range list {
			for b := range list {
				if same := slices.EqualFunc(list[a], list[b], bytes.Equal); same == (above[a][b] != above[b][a]) {
					t.Fatalf("seed %d: of %d and %d, the same: %v, %v and %v stand above the other", seed, a, b, same, above[a][b], above[b][a])
				}
				for c := range list {
					if above[a][b] && above[b][c] && !above[a][c] {
						t.Fatalf("seed %d: %d, %d, %d stand in a ring", seed, a, b, c)
					}
				}
			}
		}
	}
}

// histories makes such as begin with the same three devices and go on by four blocks in
// which a random active device admits or revokes one.
func histories(t *testing.T, r *rand.Rand) (list [][][]byte) {
	t.Helper()
	self := newHuman(t, "Ann", newRecovery(t)).Self
	devices := []*identity.Device{self.Device, identity.NewDevice(), identity.NewDevice()}
	base := self.Headers
	var err error
	for _, d := range devices[1:] {
		if base, err = group.AdmitDevice(base, self.Device, group.PublicSide(d), start); err != nil {
			t.Fatal(err)
		}
	}
	for len(list) < 24 {
		from := base
		if len(list) > 0 && r.IntN(2) == 0 {
			from = list[r.IntN(len(list))][:len(base)+1+r.IntN(3)]
		}
		for h := from; ; {
			next, err := group.AdmitDevice(h, devices[r.IntN(3)], group.PublicSide(identity.NewDevice()), start)
			if r.IntN(3) == 0 {
				next, err = group.RevokeDevice(h, devices[r.IntN(3)], devices[r.IntN(3)].ID(), start)
			}
			if err != nil {
				continue // by a device that is revoked, or of one
			}
			if h = next; len(h) == len(base)+4 {
				list = append(list, h)
				break
			}
		}
	}
	return list
}
