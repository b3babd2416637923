package sim_test

import (
	"slices"
	"testing"

	"kith/internal/group"
)

// TestSaidPastLightBlocks: while Ben is off Ann says something under new keys, and invites
// Dan, who has the blocks before his own without their commits. Dan is the only one there
// when Ben starts, so Ben can follow no commit and comes back by himself. What Ann said was
// for him: he reads it once she is there (seed 1232 of TestFive).
func TestSaidPastLightBlocks(t *testing.T) {
	w, nodes, g := voting(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo, dan := nodes[0], nodes[1], nodes[2], w.Add("Dan")
	ben.Stop()
	must(t, ann.Do(g, group.Rekey{}))
	must(t, ann.Say(g, "under new keys"))
	w.Run(10 * minute)
	must(t, ann.Do(g, group.SetTitle{Title: "Later"}))
	w.Run(10 * minute)
	enter(t, w, g, ann, dan)
	if !machine(dan, g).Blocks().Lights() {
		t.Fatal("Dan has every block whole, so the test shows nothing")
	}
	ann.Stop()
	cleo.Stop()
	ben.Start()
	w.Run(10 * minute)
	must(t, ben.Say(g, "back"))
	w.Run(minute)
	sees(t, g, []string{"back"}, dan)
	ann.Start()
	w.Run(minute)
	if got := ben.Texts(g); !slices.Contains(got, "under new keys") {
		t.Errorf("Ben reads %q", got)
	}
	ben.Stop()
	ben.Start()
	if got := ben.Texts(g); !slices.Contains(got, "under new keys") {
		t.Errorf("after a start Ben reads %q", got)
	}
}
