package node

import (
	"testing"

	"kith/internal/identity"
)

// TestChooseBoxes: those of administrators and of who came first are used, whatever ids those
// of others have; of one that two name, the first's hosts count.
func TestChooseBoxes(t *testing.T) {
	t.Parallel()
	box := func(b byte, host string) identity.Box { return identity.Box{Peer: []byte{b}, Hosts: []string{host}} }
	told := []toldBox{
		{box(1, "own"), [2]uint64{9, 40}},
		{box(2, "late"), [2]uint64{9, 90}},
		{box(3, "later"), [2]uint64{9, 91}},
		{box(4, "admin"), [2]uint64{1, 50}},
		{box(1, "false"), [2]uint64{0, 10}},
	}
	got := chooseBoxes(told)
	if len(got) != 2 || got[0].Hosts[0] != "own" || got[1].Hosts[0] != "admin" {
		t.Errorf("chosen: %+v", got)
	}
}
