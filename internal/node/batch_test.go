package node_test

import (
	"fmt"
	"slices"
	"testing"
)

// TestBatches: what came from two people while a node was busy is written together, in the order in
// which it came, shown once, and there after a start; and so is what it says itself in between.
func TestBatches(t *testing.T) {
	t.Parallel()
	ann, ben, cleo := start(t, "Ann", t.TempDir()), start(t, "Ben", t.TempDir()), start(t, "Cleo", t.TempDir())
	befriend(t, ann, ben)
	befriend(t, ann, cleo)
	g := together(t, "Trip", ann, ben, cleo)
	for _, p := range []*person{ben, cleo} {
		p.until("all are there", func() bool { return p.accepted(g) == 3 && p.connected(g, ann) })
	}
	ann.until("all are there", func() bool { return ann.accepted(g) == 3 && ann.connected(g, ben) && ann.connected(g, cleo) })
	waiting, release := ann.Hold(g)
	var want []string
	for i := range 20 {
		for _, p := range []*person{ben, cleo} {
			text := fmt.Sprint(p.name, " ", i)
			want = append(want, text)
			p.say(g, text)
		}
	}
	ann.until("much of it waits", func() bool { return waiting() >= 30 })
	said := make(chan struct{})
	go func() {
		defer close(said)
		ann.say(g, "here I am")
	}()
	ann.until("her own waits too", func() bool { return waiting() >= 31 })
	release()
	<-said
	want = append(want, "here I am")
	whole := func(p *person) bool {
		got := slices.Sorted(slices.Values(p.texts(g)))
		return slices.Equal(got, slices.Sorted(slices.Values(want)))
	}
	for _, p := range []*person{ann, ben, cleo} {
		p.until("everybody has all of it once", func() bool { return whole(p) })
	}
	for _, p := range []*person{ben, cleo} {
		if got := ann.texts(g); !slices.Equal(got, p.texts(g)) {
			t.Errorf("Ann sees %q, %s %q", got, p.name, p.texts(g))
		}
	}
	before := ann.texts(g)
	ann = ann.restart()
	if got := ann.texts(g); !slices.Equal(got, before) {
		t.Errorf("after a start Ann sees %q in place of %q", got, before)
	}
}
