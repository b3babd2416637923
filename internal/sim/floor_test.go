package sim_test

import (
	"testing"

	"kith/internal/group"
	"kith/internal/sim"
	"kith/internal/wire"
)

// TestFloorOfWhoKnowsLittle: all that Dan has of the log since he came refers to what
// is below his floor, so he may name none of it, and what he may name is no longer the
// newest of its author. Eve, whom he invites, comes in all the same, after a restart
// of his too.
//
//	Ann  a1 ─ a2 (Dan's floor) ─ a3 ─ a4
//	Ben  b1 ──┘└ b2 ─────────────┘
func TestFloorOfWhoKnowsLittle(t *testing.T) {
	for _, restarted := range []bool{false, true} {
		w, nodes, g := trip(t, "Ann", "Ben")
		ann, ben, dan, eve := nodes[0], nodes[1], w.Add("Dan"), w.Add("Eve")
		say := func(n *sim.Node, text string) {
			must(t, n.Say(g, text))
			w.Run(5000)
		}
		say(ann, "a1")
		say(ben, "b1")
		say(ann, "a2")
		w.Cut(ann, ben)
		w.Cut(ben, dan)
		enter(t, w, g, ann, dan)
		say(ben, "b2")
		w.HealAll()
		w.Run(5000)
		say(ann, "a3")
		say(ann, "a4")
		promote(t, w, g, ann, dan)
		if restarted {
			dan.Stop()
			dan.Start()
			w.Run(5000)
		}
		w.Cut(ann, eve)
		w.Cut(ben, eve)
		enter(t, w, g, dan, eve)
		w.HealAll()
		say(eve, "here")
		say(ben, "b3")
		sees(t, g, []string{"here", "b3"}, eve)
		sees(t, g, []string{"a3", "a4", "here", "b3"}, dan)
		alike(t, g, ann, ben)
	}
}

// enter lets somebody be invited, and accept.
func enter(t *testing.T, w *sim.World, g wire.GroupID, by, who *sim.Node) {
	t.Helper()
	must(t, by.Do(g, group.Invite{Newcomers: []group.Newcomer{who.Newcomer()}}))
	w.Run(5000)
	if who.Groups[g] == nil {
		t.Fatalf("%s has not been invited", who.Name)
	}
	must(t, who.Do(g, group.Accept{}))
	w.Run(5000)
}
