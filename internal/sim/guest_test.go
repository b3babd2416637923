package sim_test

import (
	"fmt"
	"slices"
	"testing"

	"kith/internal/chain"
	"kith/internal/group"
	"kith/internal/mls"
	"kith/internal/sim"
	"kith/internal/wire"
)

// What somebody hears who was invited, has not accepted, and is removed again.

// titles lets ann make blocks.
func titles(t *testing.T, w *sim.World, ann *sim.Node, n int) {
	t.Helper()
	for g := range ann.Groups {
		for i := range n {
			must(t, ann.Do(g, group.SetTitle{Title: fmt.Sprint("Title ", i)}))
			w.Run(100)
		}
	}
}

// TestGuestIsTakenOut: a guest hears of its removal from whoever it meets, at once if it
// is there, however many and long the blocks before are. Of what came after it hears
// nothing.
func TestGuestIsTakenOut(t *testing.T) {
	for _, c := range []struct {
		name           string
		others, blocks int
		off            bool
	}{
		{"is there, long blocks", 40, 30, false},
		{"is there, many blocks", 0, 80, false},
		{"was off, long blocks", 40, 30, true},
		{"was off, many blocks", 0, 80, true},
		{"was off, many long blocks", 40, 80, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := sim.New(1)
			ann, ben, dan := w.Add("Ann"), w.Add("Ben"), w.Add("Dan")
			g := ann.Create(group.CreateParams{Title: "Trip", Newcomers: append(crowd(w, c.others), ben.Newcomer())})
			w.Run(1000)
			must(t, ben.Do(g, group.Accept{}))
			w.Run(5000)
			must(t, ann.Do(g, group.Invite{Newcomers: []group.Newcomer{dan.Newcomer()}}))
			w.Run(1000)
			w.Cut(ann, dan)
			if c.off {
				dan.Stop()
			}
			titles(t, w, ann, c.blocks)
			must(t, ann.Do(g, group.Remove{Person: dan.Self.Person}))
			gone := machine(ann, g).Head()
			w.Run(1000)
			if c.off {
				must(t, ann.Do(g, group.SetTitle{Title: "Later"}))
				w.Run(1000)
				ann.Stop()
				dan.Start()
				w.Run(5000)
			}
			if m := machine(dan, g); m.Status() != group.StatusRemoved || m.Head() != gone {
				t.Errorf("Dan has status %d at height %d of %d", m.Status(), m.Blocks().State(m.Head()).Height(), machine(ben, g).Blocks().State(gone).Height())
			}
		})
	}
}

// TestGuestAsksNoFormerMember: Ben tells Dan, a guest, of a block on nothing, and is removed
// before Dan asks him for what lies between.
func TestGuestAsksNoFormerMember(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben")
	ann, ben, dan := nodes[0], nodes[1], w.Add("Dan")
	must(t, ann.Do(g, group.Invite{Newcomers: []group.Newcomer{dan.Newcomer()}}))
	w.Run(5000)
	w.Deliver(ben, dan, g, crafted{ben, &chain.Rekey{}, nil, func(core []byte) (*mls.StagedCommit, error) {
		return epochOf(t, ben, g).Commit(mls.CommitParams{AuthenticatedData: core, Signer: ben.Self.Device})
	}, func(h *chain.Header, _ *wire.Digest) { h.Parent[0] ^= 1 }}.payload(t, ben, g))
	must(t, ann.Do(g, group.Remove{Person: ben.Self.Person}))
	sent := len(dan.Sent)
	w.Run(5000)
	if isMember(dan, ben, g) || slices.ContainsFunc(dan.Sent[sent:], func(p sim.Payload) bool { return p.To == ben }) {
		t.Errorf("Ben is a member to Dan: %v, or is asked for blocks", isMember(dan, ben, g))
	}
}
