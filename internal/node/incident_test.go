package node_test

import (
	"context"
	"slices"
	"sync"
	"testing"

	"kith/internal/chain"
	"kith/internal/group"
	"kith/internal/node"
	"kith/internal/wire"
)

// hears gathers what happens in a group, from now on.
func (p *person) hears(g wire.GroupID) func(kind node.IncidentKind) []node.Incident {
	p.t.Helper()
	var mu sync.Mutex
	var all []node.Incident
	ctx, cancel := context.WithCancel(p.t.Context())
	done, heard := make(chan struct{}), make(chan struct{})
	first := sync.OnceFunc(func() { close(heard) })
	run := p.EventRun()
	go func() {
		defer close(done)
		_ = p.Subscribe(ctx, run+" of before", 0, func(e node.Event) error { // a Reset comes at once
			first()
			if in, ok := e.Change.(node.Happened); ok && in.Incident.Chat == g {
				mu.Lock()
				all = append(all, in.Incident)
				mu.Unlock()
			}
			return nil
		})
	}()
	<-heard
	p.t.Cleanup(func() { cancel(); <-done })
	return func(kind node.IncidentKind) (list []node.Incident) {
		mu.Lock()
		defer mu.Unlock()
		for _, in := range all {
			if in.Kind == kind {
				list = append(list, in)
			}
		}
		return list
	}
}

// TestSplitIsTold: an admin names the group while another, apart from it, removes
// somebody. They hear of the split as one thing, which is told anew once what was undone is done again, and
// not again after a restart.
func TestSplitIsTold(t *testing.T) {
	t.Parallel()
	ann, ben, cleo := start(t, "Ann", t.TempDir()), start(t, "Ben", t.TempDir()), start(t, "Cleo", t.TempDir())
	befriend(t, ann, ben)
	befriend(t, ann, cleo)
	g := together(t, "Trip", ann, ben, cleo)
	must(t, ann.SetRole(g, ben.id(), true))
	ben.until("an admin", ben.chat(g, func(c node.Chat) bool { return c.Admin }))
	cleo.stop()
	ben.stop()
	must(t, ann.SetTitle(g, "North"))
	ann.stop()
	ben = ben.again()
	must(t, ben.RemoveMember(g, cleo.id()))
	told := ben.hears(g)
	ann = ann.again()
	ben.until("heard that the title is set again", func() bool { return len(told(node.IncidentSplit)) > 1 })
	all := told(node.IncidentSplit)
	for i, in := range all {
		if in.Split.Undone != 1 || in.Split.Again != i || in.Split.From == 0 || in.Block != all[0].Block {
			t.Errorf("told of %+v, %+v", in, in.Split)
		}
	}
	blocks, err := ben.Blocks(g)
	must(t, err)
	if fork := blocks[slices.IndexFunc(blocks, func(b node.Block) bool { return b.Drawn.Split != nil })]; fork.Hash != all[0].Block {
		t.Errorf("the split is after %v, told after %v", fork.Hash, all[0].Block)
	}
	ann.stop()
	ben = ben.restart()
	told = ben.hears(g)
	must(t, ben.SetTitle(g, "West"))
	if again := told(node.IncidentSplit); len(again) > 0 {
		t.Errorf("told again: %+v", again)
	}
}

// TestSettlementOfGroup: who votes, what waits, and what a choice changes.
func TestSettlementOfGroup(t *testing.T) {
	t.Parallel()
	ann, ben := start(t, "Ann", t.TempDir()), start(t, "Ben", t.TempDir())
	befriend(t, ann, ben)
	g := together(t, "Trip", ann, ben)
	s, err := ann.Settlement(g)
	must(t, err)
	if len(s.Voters) != 1 || !s.Voters[0].Person.Me || s.Voters[0].Device != ann.Status().Device || s.Quorum != 1 || s.Height != 0 || s.Coming != nil || s.Incidents != nil || s.Kind != node.ChatGroup {
		t.Errorf("at first %+v", s)
	}
	if err := ben.SetVoters(g, []wire.PersonID{ben.id()}); refusal(err) != group.ReasonRole {
		t.Errorf("by a member: %v", err)
	}
	must(t, ann.SetVoters(g, []wire.PersonID{ben.id(), ann.id()}))
	if s, err = ann.Settlement(g); err != nil || s.Open != 1 || s.Voting != 1 || len(s.Coming) != 2 || !s.Coming[0].Me || s.Coming[1].Name != "Ben" {
		t.Errorf("chosen: %+v, %v", s, err)
	}
	blocks, err := ann.Blocks(g)
	must(t, err)
	newest := blocks[len(blocks)-1]
	if !blocks[0].Drawn.Settled || newest.Drawn.Settled || len(newest.WaitsFor) != 1 || !newest.WaitsFor[0].Me || newest.VotedBy != nil {
		t.Errorf("waits: %+v", newest)
	}
	if people := newest.Changes[0].People; len(people) != 2 || people[1].Name != "Ben" {
		t.Errorf("names %v", people)
	}
	if d := ann.chatWith(ben); refusal(ann.SetVoters(d, []wire.PersonID{ann.id()})) != group.ReasonDirect {
		t.Error("a direct chat has voters to choose")
	}
	file, err := ann.Record(g, true)
	must(t, err)
	r, err := chain.ParseRecord(file)
	must(t, err)
	v, err := r.Verify()
	if err != nil || v.Head != newest.Hash || v.Settlings != nil {
		t.Errorf("the file: %v", err)
	}
}
