package group_test

import (
	"fmt"
	"testing"

	"kith/internal/group"
	"kith/internal/sim"
	"kith/internal/wire"
)

// unsettled is a table at which Ann alone gives Dan a chain of so many blocks, none of
// which is settled, so that all come whole.
func unsettled(t testing.TB, blocks int) (ann, dan *sim.Node, g wire.GroupID, ask func(group.Cause) []byte, pack group.Package) {
	t.Helper()
	w := sim.New(1)
	ann, dan = w.Add("Ann"), w.Add("Dan")
	m, _, err := group.Create(ann.Self, group.CreateParams{Title: "Trip", Newcomers: newcomers(w, 2)}, w.Now)
	if err != nil {
		t.Fatal(err)
	}
	ask = func(c group.Cause) (answer []byte) {
		t.Helper()
		eff, err := m.Step(group.Input{Now: w.Now, Cause: c})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range eff.Send {
			if group.IsInvitation(f.Payload) {
				answer = f.Payload
			}
		}
		return answer
	}
	for i := range blocks {
		ask(group.SetTitle{Title: fmt.Sprint("title ", i)})
	}
	if pack, err = dan.Self.NewPackage(group.NewSuite, w.Now); err != nil {
		t.Fatal(err)
	}
	ask(group.Invite{Newcomers: []group.Newcomer{{
		Person: dan.Self.Person, Headers: dan.Self.Headers, Info: dan.Self.Info,
		KnockKey: dan.Self.Device.KnockKey(), KeyPackage: pack.Public,
	}}})
	m.SetPageRoom(256 << 10)
	return ann, dan, m.Group(), ask, pack
}

// TestTreesOfWhatComes: while a chain comes that is not settled, few of its public
// groups are in memory, and one is written at the end.
func TestTreesOfWhatComes(t *testing.T) {
	ann, dan, g, ask, pack := unsettled(t, 600)
	j := group.NewJoining(dan.Self, g)
	payload := ask(group.PeerUp{Peer: dan.Self.Member()})
	trees := 0
	for payload != nil {
		m, eff, err := j.Take(1, payload, ann.Self.Member(), func(group.Use) ([]byte, bool) { return pack.Secrets, true })
		if err != nil {
			t.Fatal(err)
		}
		trees = max(trees, j.Trees())
		if m != nil {
			stored := 0
			for _, rec := range eff.Write {
				if rec.Kind == group.KindPublic && rec.Value != nil {
					stored++
				}
			}
			if trees == 0 || trees > 257 || stored != 1 {
				t.Errorf("of %d blocks %d public groups are in memory, %d are written", m.Blocks().Len(), trees, stored)
			}
			return
		}
		payload = ask(group.Received{From: dan.Self.Member(), Payload: eff.Send[0].Payload})
	}
	t.Fatal("Dan is not in")
}
