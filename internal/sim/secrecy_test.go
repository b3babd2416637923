package sim_test

import (
	"bytes"
	"testing"

	"kith/internal/group"
	"kith/internal/sim"
)

// TestFramesTellNothing: what is handed to the link of a stranger, and of who was
// removed, is no byte of the group, and blocks up to the removal at most.
func TestFramesTellNothing(t *testing.T) {
	w := sim.New(1)
	ann, ben, cleo, eve := w.Add("Ann"), w.Add("Ben"), w.Add("Cleo"), w.Add("Eve")
	g := ann.Create(group.CreateParams{Title: "Trip", Newcomers: []group.Newcomer{ben.Newcomer(), cleo.Newcomer()}})
	w.Run(1000)
	must(t, ben.Do(g, group.Accept{}))
	must(t, cleo.Do(g, group.Accept{}))
	w.Run(5000)
	must(t, ann.Do(g, group.Remove{Person: cleo.Self.Person}))
	w.Run(5000)
	mark := []int{len(ann.Sent), len(ben.Sent)}

	const title = "Somewhere else entirely"
	must(t, ann.Do(g, group.SetTitle{Title: title}))
	must(t, ben.Say(g, "where nobody looks"))
	w.Run(5000)
	w.Cut(ann, cleo)
	w.Heal(ann, cleo)
	for _, p := range w.History { // both ask for everything they ever saw asked
		w.Deliver(cleo, ann, g, p.Bytes)
		w.Deliver(eve, ann, g, p.Bytes)
		w.Deliver(cleo, ben, g, p.Bytes)
		w.Deliver(eve, ben, g, p.Bytes)
	}
	w.Run(60_000)

	removal := ann.Groups[g].Machine.Chain()[1]
	later := ann.Groups[g].Machine.Chain()[2]
	positive := false
	for i, n := range []*sim.Node{ann, ben} {
		for at, p := range n.Sent {
			positive = positive || p.To == ben && bytes.Contains(p.Bytes, []byte(title))
			switch {
			case p.To == eve:
				t.Errorf("%s sends a stranger a payload of kind %d", n.Name, p.Bytes[0])
			case p.To != cleo || at < mark[i]:
			case p.Bytes[0] != kindBlocks:
				t.Errorf("%s sends Cleo, who was removed, a payload of kind %d", n.Name, p.Bytes[0])
			case bytes.Contains(p.Bytes, removal[:]), bytes.Contains(p.Bytes, later[:]), bytes.Contains(p.Bytes, []byte(title)):
				t.Errorf("%s tells Cleo of what came after her removal", n.Name)
			}
		}
	}
	if !positive {
		t.Error("the title was not found in what Ann sends Ben either: the search does not work")
	}
	if got := cleo.Groups[g].Machine.Blocks().Len(); got != 2 {
		t.Errorf("Cleo holds %d blocks", got)
	}
}

// TestOneGroupTellsNothingOfAnother: what goes to a member of one group names no
// other.
func TestOneGroupTellsNothingOfAnother(t *testing.T) {
	w := sim.New(1)
	ann, ben, cleo := w.Add("Ann"), w.Add("Ben"), w.Add("Cleo")
	one := ann.Create(group.CreateParams{Title: "One", Newcomers: []group.Newcomer{ben.Newcomer()}})
	two := ann.Create(group.CreateParams{Title: "Two", Newcomers: []group.Newcomer{cleo.Newcomer()}})
	w.Run(1000)
	must(t, ben.Do(one, group.Accept{}))
	must(t, cleo.Do(two, group.Accept{}))
	must(t, ann.Say(one, "to Ben"))
	must(t, ann.Say(two, "to Cleo"))
	w.Run(5000)
	for _, p := range ann.Sent {
		if p.To == ben && (p.Group != one || bytes.Contains(p.Bytes, two[:])) ||
			p.To == cleo && (p.Group != two || bytes.Contains(p.Bytes, one[:])) {
			t.Errorf("%s is sent something of another group", p.To.Name)
		}
	}
}
