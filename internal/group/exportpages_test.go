package group_test

import (
	"testing"

	"kith/internal/group"
	"kith/internal/sim"
)

// parted has no session left between anybody.
func parted(w *sim.World) {
	for i, a := range w.Nodes {
		for _, b := range w.Nodes[:i] {
			w.Cut(a, b)
		}
	}
}

// TestExportInPages: Dan has no commits of the time that Ben was away, so that his export is
// pages, which Ben asks for by nobody; a part of them alone leaves nothing that waits.
func TestExportInPages(t *testing.T) {
	w, ann, ben, dan, g := away(t)
	if !dan.Groups[g].Machine.Blocks().Lights() {
		t.Fatal("Dan has all commits")
	}
	parted(w)
	ann.Stop()
	dan.Groups[g].Machine.SetPageRoom(4 << 10)
	ben.Start()
	w.Run(minutes)
	items := dan.Export(g, group.ExportTo{Device: ben.Self.Device.ID()}, 1000)
	pages := 0
	for _, p := range items[0].Payloads {
		if p[0] == 15 {
			pages++
		}
	}
	if pages < 3 {
		t.Fatalf("%d pages", pages)
	}
	half := items[0]
	half.Payloads = half.Payloads[:pages/2]
	ben.Import(half)
	w.Run(minutes)
	if ben.Groups[g].Machine.Head() == dan.Groups[g].Machine.Head() {
		t.Error("half of the pages were enough")
	}
	for _, i := range items {
		ben.Import(i)
	}
	if ben.Groups[g].Machine.Head() != dan.Groups[g].Machine.Head() {
		t.Error("Ben does not follow")
	}
	w.Heal(ben, dan)
	w.Run(2 * minutes)
	agree(t, g, dan, ben)
}

// TestInvitedByFileInPages: who is invited by a large group gets all pages of its chain in one file.
func TestInvitedByFileInPages(t *testing.T) {
	w, ann, _, dan, g := away(t)
	eve := w.Add("Eve")
	parted(w)
	if err := ann.Do(g, group.Invite{Newcomers: []group.Newcomer{eve.Newcomer()}}); err != nil {
		t.Fatal(err)
	}
	if err := ann.Say(g, "hello Eve"); err != nil {
		t.Fatal(err)
	}
	ann.Groups[g].Machine.SetPageRoom(4 << 10)
	for range 2 {
		for _, i := range ann.Export(g, group.ExportTo{Device: eve.Self.Device.ID()}, 1000) {
			eve.Import(i)
		}
		if eve.Groups[g] == nil {
			t.Fatalf("Eve is not invited: %v", eve.Refused)
		}
		_ = eve.Do(g, group.Accept{}) // the second time she has
	}
	for _, i := range ann.Export(g, group.ExportTo{Device: dan.Self.Device.ID()}, 1000) {
		dan.Import(i)
	}
	agree(t, g, ann, dan)
	for _, n := range []*sim.Node{dan, eve} {
		if texts := n.Texts(g); len(texts) == 0 || texts[len(texts)-1] != "hello Eve" {
			t.Errorf("%s sees %q", n.Name, texts)
		}
	}
	if ann.Groups[g].Machine.Head() != eve.Groups[g].Machine.Head() {
		t.Error("Eve is at another block")
	}
}
