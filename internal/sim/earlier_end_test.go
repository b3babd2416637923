package sim_test

import (
	"testing"

	"kith/internal/chain"
	"kith/internal/group"
	"kith/internal/sim"
	"kith/internal/wire"
)

// TestLieAboutTheEnd: where newcomers are given all, nobody can say that the rest is older
// than what is given: somebody who says so is passed over, and all comes from another.
func TestLieAboutTheEnd(t *testing.T) {
	w, nodes, g, said := talk(t, 9)
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	gives(t, w, g, ann, group.SetHistory{History: chain.HistoryAll})
	dan := w.Add("Dan")
	w.Cut(cleo, dan)
	w.Cut(ben, dan)
	must(t, ann.Do(g, group.Invite{Newcomers: []group.Newcomer{dan.Newcomer()}}))
	w.Run(1000)
	w.Cut(ann, dan)
	must(t, dan.Do(g, group.Accept{}))
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
	w.Delay = func() uint64 { return 200 }
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
