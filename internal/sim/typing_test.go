package sim_test

import (
	"testing"

	"kith/internal/group"
	"kith/internal/sim"
)

// typed counts what a node was told of who writes.
func typed(n *sim.Node, events []group.Event) (on, off int) {
	for _, e := range events {
		if t, ok := e.(group.Typed); ok && t.On {
			on++
		} else if ok {
			off++
		}
	}
	return on, off
}

// TestTyping: that Ann writes is heard by who is connected and reads it, once in a while,
// and nothing of it is kept or passed on.
func TestTyping(t *testing.T) {
	w := sim.New(1)
	ann, ben, cleo, dan := w.Add("Ann"), w.Add("Ben"), w.Add("Cleo"), w.Add("Dan")
	cleo.Self.Omits = group.FeatureTyping
	g := ann.Create(group.CreateParams{Title: "Trip", Newcomers: []group.Newcomer{ben.Newcomer(), cleo.Newcomer(), dan.Newcomer()}})
	w.Run(1000)
	for _, n := range []*sim.Node{ben, cleo, dan} {
		must(t, n.Do(g, group.Accept{}))
	}
	w.Run(5000)
	dan.Stop()
	w.Run(1000)
	counts := func() (n int) {
		for _, k := range ben.Groups[g].Records {
			n += len(k)
		}
		return n
	}
	before := counts()
	for range 4 { // within a second
		must(t, ann.Do(g, group.Typing{On: true}))
		w.Run(200)
	}
	must(t, ann.Do(g, group.Typing{}))
	must(t, ann.Do(g, group.Typing{}))
	w.Run(1000)
	if on, off := typed(ben, ben.Groups[g].Events); on != 1 || off != 1 {
		t.Errorf("Ben heard it %d times, and that it ended %d times", on, off)
	}
	if counts() != before {
		t.Error("Ben keeps something of it")
	}
	dan.Start()
	w.Run(5000)
	for _, n := range []*sim.Node{cleo, dan} {
		if on, off := typed(n, n.Groups[g].Events); on+off != 0 {
			t.Errorf("%s heard of it", n.Name)
		}
	}
	if m := ben.Groups[g].Events; len(m) == 0 {
		t.Error("Ben heard nothing at all")
	}
	// Whoever says it all the time is heard once a second.
	for range 50 {
		w.Deliver(ann, ben, g, []byte{32, 1})
		w.Run(10)
	}
	w.Run(100)
	if on, _ := typed(ben, ben.Groups[g].Events); on > 3 {
		t.Errorf("Ben heard it %d times", on)
	}
}
