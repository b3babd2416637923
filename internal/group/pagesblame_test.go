package group_test

import (
	"bytes"
	"slices"
	"testing"

	"kith/internal/chain"
	"kith/internal/group"
	"kith/internal/sim"
	"kith/internal/wire"
)

// blamed collects whom a node blames from now on.
func blamed(w *sim.World, who *sim.Node) *[]group.Misbehaved {
	list := new([]group.Misbehaved)
	w.After = func(n *sim.Node, _ wire.GroupID, eff group.Effects) {
		for _, e := range eff.Notify {
			if e, ok := e.(group.Misbehaved); ok && n == who {
				*list = append(*list, e)
			}
		}
	}
	return list
}

// lastOpening returns the last invitation in pages that n sent to somebody.
func lastOpening(t *testing.T, n, to *sim.Node) []byte {
	t.Helper()
	for _, p := range slices.Backward(n.Sent) {
		if p.To == to && p.Bytes[0] == 15 && p.Bytes[1] == 0 {
			return bytes.Clone(p.Bytes)
		}
	}
	t.Fatalf("%s opens nothing to %s", n.Name, to.Name)
	return nil
}

// TestLowerBaseIsNoLie: what Dan came in by is settled higher than the base of an
// opening, so that he holds that base without its commit. The sender, who knows less,
// did not lie.
func TestLowerBaseIsNoLie(t *testing.T) {
	w, ann, ben, g := settledGroup(t, 8)
	eve, dan := w.Add("Eve"), w.Add("Dan")
	do(t, w, ann, g, group.Invite{Newcomers: []group.Newcomer{eve.Newcomer()}})
	low := lastOpening(t, ann, eve)
	do(t, w, eve, g, group.Accept{})
	w.Run(20 * minutes)
	do(t, w, ann, g, group.Invite{Newcomers: []group.Newcomer{dan.Newcomer()}})
	do(t, w, dan, g, group.Accept{})
	var base wire.BlockHash
	group.Rewrite(low, func(p *group.Piece) { base = *p.Base })
	if !dan.Groups[g].Machine.Blocks().IsLight(base) {
		t.Fatal("Dan holds the lower base whole")
	}
	list := blamed(w, dan)
	w.Deliver(ann, dan, g, low)
	w.Run(5000)
	if len(*list) > 0 {
		t.Errorf("Dan blames %v", *list)
	}
	do(t, w, ann, g, group.SetTitle{Title: "after"})
	agree(t, g, ann, ben, eve, dan)
	w.Deliver(ann, dan, g, group.Rewrite(low, func(p *group.Piece) { p.Base[0] ^= 1 }))
	if len(*list) != 1 || (*list)[0].Rule != "pages" {
		t.Errorf("of a base that is nowhere, Dan blames %v", *list)
	}
}

// catchingUp is Ben, who was away for long, and Dan, whose first page for him is on its
// way, of so many bytes.
func catchingUp(t *testing.T, room int) (w *sim.World, ben, dan *sim.Node, g wire.GroupID, first []byte) {
	t.Helper()
	w, ann, ben, dan, g := away(t)
	ann.Stop()
	dan.Groups[g].Machine.SetPageRoom(room)
	ben.Start()
	for invites(dan, ben)[0] == 0 && w.Step() {
	}
	return w, ben, dan, g, lastOpening(t, dan, ben)
}

// TestManyOpeningsAreNoLie: each Have is answered by an opening, and over a slow line
// several are sent before the answer to the first page comes.
func TestManyOpeningsAreNoLie(t *testing.T) {
	w, ben, dan, g, first := catchingUp(t, 4<<10)
	list := blamed(w, ben)
	for range 8 {
		w.Deliver(dan, ben, g, first)
	}
	w.Run(2 * minutes)
	if len(*list) > 0 {
		t.Errorf("Ben blames %v", *list)
	}
	if parts := invites(ben, dan); parts[1] > 20 {
		t.Errorf("Ben asks %d times for a page", parts[1])
	}
	agree(t, g, dan, ben)
}

// without leaves the first block out of a page that n does not hold, and that one
// builds on which follows.
func without(n *sim.Node, g wire.GroupID, page []byte) []byte {
	return group.Rewrite(page, func(p *group.Piece) {
		for i, l := range p.Lights {
			if h, err := chain.ParseHeader(l.Header); err == nil && i+1 < len(p.Lights) && !n.Groups[g].Machine.Blocks().Has(h.Hash()) {
				p.Lights = slices.Delete(p.Lights, i, i+1)
				return
			}
		}
		panic("the page has no two blocks that are lacking")
	})
}

// TestDroppedSinceIsNoLie: what Ben said he has when he asked is surplus by the time
// the answer comes, and dropped: the first page builds on what is not there.
func TestDroppedSinceIsNoLie(t *testing.T) {
	w, ben, dan, g, first := catchingUp(t, 8<<10)
	list := blamed(w, ben)
	w.Deliver(dan, ben, g, without(ben, g, first))
	w.Run(2 * minutes)
	if len(*list) > 0 {
		t.Errorf("Ben blames %v", *list)
	}
	agree(t, g, dan, ben)
}

// TestStrangerOpensOnNothing: what somebody opens who is no member builds on what is not
// here. It may be anybody who knows of the group: it is asked nothing, and not blamed.
func TestStrangerOpensOnNothing(t *testing.T) {
	w, ben, dan, g, first := catchingUp(t, 8<<10)
	list := blamed(w, ben)
	eve := w.Add("Eve")
	sent := len(ben.Sent)
	w.Deliver(eve, ben, g, without(ben, g, first))
	if slices.ContainsFunc(ben.Sent[sent:], func(p sim.Payload) bool { return p.To == eve }) || len(*list) > 0 {
		t.Errorf("Ben says something to Eve, or blames %v", *list)
	}
	w.Run(2 * minutes)
	agree(t, g, dan, ben)
}

// TestPageOnNothingIsALie: a page that answers what Ben says he has builds on what he
// does not have.
func TestPageOnNothingIsALie(t *testing.T) {
	w, ben, dan, g, first := catchingUp(t, 4<<10)
	list := blamed(w, ben)
	w.Deliver(dan, ben, g, first)
	for invites(dan, ben)[2] == 0 && w.Step() {
	}
	page := dan.Sent[slices.IndexFunc(dan.Sent, func(p sim.Payload) bool { return p.To == ben && p.Bytes[0] == 15 && p.Bytes[1] == 2 })]
	w.Deliver(dan, ben, g, without(ben, g, page.Bytes))
	if len(*list) != 1 || (*list)[0].Rule != "pages" {
		t.Errorf("Ben blames %v", *list)
	}
}
