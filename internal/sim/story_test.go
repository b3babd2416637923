package sim_test

import (
	"slices"
	"testing"

	"kith/internal/group"
	"kith/internal/sim"
	"kith/internal/wire"
)

// TestStory is the story every part of Kith is measured by: invite, accept,
// write, remove, add, deliver through somebody else.
func TestStory(t *testing.T) {
	w := sim.New(1)
	ann, ben, cleo, dan := w.Add("Ann"), w.Add("Ben"), w.Add("Cleo"), w.Add("Dan")
	g := ann.Create(group.CreateParams{Title: "Trip", Newcomers: []group.Newcomer{ben.Newcomer(), cleo.Newcomer()}})
	w.Run(1000)
	for _, n := range []*sim.Node{ben, cleo} {
		if got := n.Groups[g].Machine.Status(); got != group.StatusInvited {
			t.Fatalf("%s: status %d, want invited", n.Name, got)
		}
		must(t, n.Do(g, group.Accept{}))
	}
	w.Run(5000)
	must(t, ann.Say(g, "one"))
	w.Run(100)
	must(t, ben.Say(g, "two"))
	w.Run(100)
	must(t, cleo.Say(g, "three"))
	w.Run(5000)
	sees(t, g, []string{"one", "two", "three"}, ann, ben, cleo)
	if v := cleo.Groups[g].Machine.View(); v.Title != "Trip" || len(v.Members) != 3 || v.Members[0].Name == "" {
		t.Fatalf("Cleo's view: %+v", v)
	}

	// Ben is off while Ann and Cleo write; Ann goes off; Ben has it from Cleo.
	ben.Stop()
	must(t, ann.Say(g, "four"))
	w.Run(3000)
	must(t, cleo.Say(g, "five"))
	w.Run(3000)
	ann.Stop()
	ben.Start()
	w.Run(5000)
	sees(t, g, []string{"one", "two", "three", "four", "five"}, ben, cleo)
	ann.Start()
	w.Run(5000)

	// Ann removes Cleo, who learns it and reads nothing after.
	must(t, ann.Do(g, group.Remove{Person: cleo.Self.Person}))
	w.Run(3000)
	if got := cleo.Groups[g].Machine.View(); got.Status != group.StatusRemoved || got.RemovedBy != ann.Self.Person {
		t.Fatalf("Cleo: %+v", got)
	}
	must(t, ann.Say(g, "six"))
	w.Run(3000)
	all := []string{"one", "two", "three", "four", "five", "six"}
	sees(t, g, all, ann, ben)
	sees(t, g, all[:5], cleo)

	// Ann adds Dan, who reads nothing from before.
	must(t, ann.Do(g, group.Invite{Newcomers: []group.Newcomer{dan.Newcomer()}}))
	w.Run(1000)
	must(t, dan.Do(g, group.Accept{}))
	w.Run(3000)
	must(t, ben.Say(g, "seven"))
	w.Run(3000)
	must(t, dan.Say(g, "eight"))
	w.Run(5000)
	sees(t, g, append(all, "seven", "eight"), ann, ben)
	sees(t, g, []string{"seven", "eight"}, dan)
	sees(t, g, all[:5], cleo)

	// Cleo comes back, and reads from there on.
	must(t, ann.Do(g, group.Invite{Newcomers: []group.Newcomer{cleo.Newcomer()}}))
	w.Run(1000)
	must(t, cleo.Do(g, group.Accept{}))
	w.Run(3000)
	must(t, cleo.Say(g, "nine"))
	w.Run(5000)
	sees(t, g, append(all, "seven", "eight", "nine"), ann, ben)
	sees(t, g, append(slices.Clone(all[:5]), "nine"), cleo)

	// Everybody restarts and nothing is lost.
	for _, n := range w.Nodes {
		n.Stop()
	}
	for _, n := range w.Nodes {
		n.Start()
	}
	w.Run(5000)
	must(t, dan.Do(g, group.Leave{}))
	w.Run(5000)
	if got := dan.Groups[g].Machine.Status(); got != group.StatusLeft {
		t.Fatalf("Dan: status %d, want left", got)
	}
	sees(t, g, append(all, "seven", "eight", "nine"), ann, ben)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func sees(t *testing.T, g wire.GroupID, want []string, nodes ...*sim.Node) {
	t.Helper()
	for _, n := range nodes {
		if got := n.Texts(g); !slices.Equal(got, want) {
			t.Fatalf("%s sees %q, want %q\n%v", n.Name, got, want, n.Groups[g].Events)
		}
	}
}
