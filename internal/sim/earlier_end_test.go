package sim_test

import (
	"testing"

	"kith/internal/chain"
	"kith/internal/group"
	"kith/internal/sim"
	"kith/internal/wire"
)

// awaitsHistory is a group of three in which newcomers are given all, and Dan, who came in by
// Ann and hears nobody now. What he asks for comes slowly.
func awaitsHistory(t *testing.T) (w *sim.World, nodes []*sim.Node, g wire.GroupID, said []string, dan *sim.Node) {
	t.Helper()
	w, nodes, g, said = talk(t, 9)
	gives(t, w, g, nodes[0], group.SetHistory{History: chain.HistoryAll})
	dan = w.Add("Dan")
	w.Cut(nodes[1], dan)
	w.Cut(nodes[2], dan)
	must(t, nodes[0].Do(g, group.Invite{Newcomers: []group.Newcomer{dan.Newcomer()}}))
	w.Run(1000)
	w.Cut(nodes[0], dan)
	must(t, dan.Do(g, group.Accept{}))
	w.Delay = func() uint64 { return 200 }
	return w, nodes, g, said, dan
}

// TestLieAboutTheEnd: where newcomers are given all, nobody can say that the rest is older
// than what is given: somebody who says so is passed over, and all comes from another.
func TestLieAboutTheEnd(t *testing.T) {
	w, nodes, g, said, dan := awaitsHistory(t)
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	lies := 0
	w.After = func(n *sim.Node, _ wire.GroupID, eff group.Effects) {
		for _, f := range eff.Send {
			for _, liar := range []*sim.Node{ben, cleo} {
				if n == dan && f.To == liar.Self.Device.ID() && f.Payload[0] == kindAskEarlier {
					lies++
					w.Deliver(liar, dan, g, []byte{kindEarlier, 0, 3})
				}
			}
		}
	}
	w.Heal(cleo, dan)
	w.Heal(ben, dan)
	w.Run(20_000)
	if v := earlierOf(dan, g); lies < 2 || v.Reached || v.Proved || v.Have != 0 {
		t.Errorf("after %d lies Dan knows of the past %+v", lies, v)
	}
	w.After = nil
	w.Heal(ann, dan)
	w.Run(20_000)
	sees(t, g, said, dan)
	if v := earlierOf(dan, g); v.Have != 9 || !v.Reached {
		t.Errorf("Dan knows of the past %+v", v)
	}
}

// TestOneSaysTheEnd: in a group where Ann alone votes she alone, who also made the floor, does not
// say for all of them that nothing more is to come.
func TestOneSaysTheEnd(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	w.Run(20 * minute) // until all vote
	must(t, ann.Do(g, group.SetVoters{People: []wire.PersonID{ann.Self.Person}}))
	gives(t, w, g, ann, group.SetHistory{History: chain.HistorySince, Days: 2})
	for range 4 {
		for _, n := range nodes {
			must(t, n.Say(g, n.Name))
		}
		w.Run(day)
	}
	if voters := machine(ann, g).Blocks().State(machine(ann, g).Head()).Electorate(); len(voters) != 1 {
		t.Fatalf("%d people vote", len(voters))
	}
	dan := w.Add("Dan")
	w.Cut(ben, dan)
	w.Cut(cleo, dan)
	enter(t, w, g, ann, dan)
	w.Run(60_000)
	if v := earlierOf(dan, g); v.Reached || v.Have == 0 {
		t.Errorf("by Ann's word alone Dan knows of the past %+v", v)
	}
	w.Heal(ben, dan)
	w.Run(60_000)
	if v := earlierOf(dan, g); !v.Reached || !v.Proved {
		t.Errorf("by Ann's and Ben's word Dan knows of the past %+v", v)
	}
}
