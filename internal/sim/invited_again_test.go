package sim_test

import (
	"testing"

	"kith/internal/group"
	"kith/internal/sim"
)

// TestMembersAreNotInvitedAgain: Ben and Cleo have come in by Ann and never met, so that
// neither knows that the other has accepted. When they meet, no invitation is sent, which in
// a large group has megabytes; and Dan, whom nobody has told yet, has his from Ben in a
// second.
func TestMembersAreNotInvitedAgain(t *testing.T) {
	w := sim.New(1)
	ann, ben, cleo, dan := w.Add("Ann"), w.Add("Ben"), w.Add("Cleo"), w.Add("Dan")
	g := ann.Create(group.CreateParams{Title: "Trip", Newcomers: []group.Newcomer{ben.Newcomer(), cleo.Newcomer(), dan.Newcomer()}})
	dan.Stop()
	cleo.Stop()
	w.Run(1000)
	must(t, ben.Do(g, group.Accept{}))
	w.Run(5000)
	ben.Stop()
	cleo.Start()
	w.Run(1000)
	must(t, cleo.Do(g, group.Accept{}))
	w.Run(5000)
	ann.Stop()
	before := [2]int{len(ben.Sent), len(cleo.Sent)}
	ben.Start()
	w.Run(5000)
	for i, n := range []*sim.Node{ben, cleo} {
		for _, p := range n.Sent[before[i]:] {
			if p.Bytes[0] == kindInvitation {
				t.Errorf("%s invites %s again", n.Name, p.To.Name)
			}
		}
	}
	alike(t, g, ben, cleo)
	dan.Start()
	w.Run(1000)
	if dan.Groups[g] == nil {
		t.Error("Dan is not invited")
	}
}
