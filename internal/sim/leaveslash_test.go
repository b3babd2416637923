package sim_test

import (
	"testing"

	"kith/internal/group"
	"kith/internal/sim"
	"kith/internal/wire"
)

// takenOut lets Dan's home run twice until Ann has taken out his device. It returns the
// other copy, which is off.
func takenOut(t *testing.T, w *sim.World, g wire.GroupID, dan, ann *sim.Node) *sim.Node {
	t.Helper()
	other := dan.Copy("Dan's copy")
	dan.Stop()
	other.Start()
	must(t, other.Say(g, "from the copy"))
	w.Run(2000)
	other.Stop()
	dan.Start()
	_ = dan.Say(g, "from the first")
	for range 60 {
		w.Run(1000)
		if !machine(ann, g).Blocks().State(machine(ann, g).Head()).Active(dan.Self.Device.ID()) {
			return other
		}
	}
	t.Fatal("Dan's device is not taken out")
	return nil
}

// TestLeaveBesideSlash: of four voters Dan's device is taken out, and Cleo leaves in the
// next moment. Her vote is needed, so she stays until it is not.
func TestLeaveBesideSlash(t *testing.T) {
	w, nodes, g := voting(t, "Ann", "Ben", "Cleo", "Dan")
	ann, ben, cleo, dan := nodes[0], nodes[1], nodes[2], nodes[3]
	takenOut(t, w, g, dan, ann)
	must(t, cleo.Do(g, group.Leave{}))
	w.Run(5000)
	if got := status(cleo, g); got != group.StatusLeaving {
		t.Errorf("Cleo has status %d, and Dan's device is out", got)
	}
	renewed(t, w, dan, g)
	w.Run(30 * minute) // all are there
	if got := status(cleo, g); got != group.StatusLeft {
		t.Errorf("Cleo has status %d when all are here", got)
	}
	goesOnSettling(t, w, g, ann, ben)
}

// TestSlashAlone: where nobody leaves, three of four settle without Dan's device.
func TestSlashAlone(t *testing.T) {
	w, nodes, g := voting(t, "Ann", "Ben", "Cleo", "Dan")
	ann, ben, cleo, dan := nodes[0], nodes[1], nodes[2], nodes[3]
	takenOut(t, w, g, dan, ann)
	renewed(t, w, dan, g)
	w.Run(60 * minute)
	goesOnSettling(t, w, g, ann, ben, cleo)
}

// TestLeaveAfterSlashBesideRemove: nothing can be settled any more, with Cleo or without,
// so her Leave waits for nothing.
func TestLeaveAfterSlashBesideRemove(t *testing.T) {
	w, nodes, g := voting(t, "Ann", "Ben", "Cleo", "Dan")
	ann, ben, cleo, dan := nodes[0], nodes[1], nodes[2], nodes[3]
	must(t, ann.Do(g, group.Remove{Person: ben.Self.Person}))
	w.Run(1000)
	takenOut(t, w, g, dan, ann)
	must(t, cleo.Do(g, group.Leave{}))
	w.Run(60 * minute)
	if status(cleo, g) != group.StatusLeft {
		t.Error("Cleo waits for votes that never come: Ben and Dan's device are out")
	}
}

// TestReaddSettles: Ben is removed, and before that is settled Dan's device is taken out.
// Nothing is settled any more, until Ben is added again with the device that votes.
func TestReaddSettles(t *testing.T) {
	w, nodes, g := voting(t, "Ann", "Ben", "Cleo", "Dan")
	ann, ben, cleo, dan := nodes[0], nodes[1], nodes[2], nodes[3]
	before := final(ann, g).Block
	must(t, ann.Do(g, group.Remove{Person: ben.Self.Person}))
	w.Run(1000)
	takenOut(t, w, g, dan, ann)
	renewed(t, w, dan, g)
	w.Run(60 * minute)
	if final(ann, g).Block != before {
		t.Error("two of four have settled something")
	}
	must(t, ann.Do(g, group.Invite{Newcomers: []group.Newcomer{ben.Newcomer()}}))
	w.Run(5000)
	must(t, ben.Do(g, group.Accept{}))
	w.Run(180 * minute)
	settledAll(t, g, 100, ann, ben, cleo)
}

// TestShareOfWhoIsTakenOut: a device that was taken out and asks for the way back again and again is given no more
// blocks than others who ask, and then more in a while.
func TestShareOfWhoIsTakenOut(t *testing.T) {
	const burst, each = 256 << 20, 64 << 10 // docs/spec/sync.md
	w, nodes, g := voting(t, "Ann", "Ben", "Cleo", "Dan")
	ann, dan := nodes[0], nodes[3]
	takenOut(t, w, g, dan, ann)
	genesis := machine(ann, g).Chain()[0]
	ask := func(now uint64) (bytes int) {
		eff, err := machine(ann, g).Step(group.Input{Now: now, Cause: group.Received{From: dan.Self.Member(), Payload: append([]byte{9}, genesis[:]...)}})
		must(t, err)
		for _, f := range eff.Send {
			if f.To == dan.Self.Device.ID() && f.Payload[0] == kindBlocks {
				bytes += len(f.Payload)
			}
		}
		return bytes
	}
	given, sum := 0, 0
	for range 2 * burst / each {
		if n := ask(w.Now); n > 0 {
			given, sum = given+1, sum+n
		}
	}
	if given == 0 || sum+given*each > burst/20*21 {
		t.Errorf("%d bytes are given in %d answers", sum, given)
	}
	if ask(w.Now+1000) == 0 {
		t.Error("nothing is given any more")
	}
}
