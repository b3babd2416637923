package sim_test

import (
	"testing"

	"kith/internal/group"
	"kith/internal/sim"
	"kith/internal/wire"
)

// TestFormerAsksAgain: who was removed and keeps asking is told once for each
// head, and not as often as it asks.
func TestFormerAsksAgain(t *testing.T) {
	w := sim.New(1)
	ann, cleo := w.Add("Ann"), w.Add("Cleo")
	g := ann.Create(group.CreateParams{Title: "Trip", Newcomers: []group.Newcomer{cleo.Newcomer()}})
	w.Run(1000)
	must(t, cleo.Do(g, group.Accept{}))
	w.Run(5000)
	must(t, ann.Do(g, group.Remove{Person: cleo.Self.Person}))
	w.Run(3000)
	m := ann.Groups[g].Machine
	ask := func() (frames int) {
		for range 100 {
			digest := append([]byte{1}, wire.Random(32)...)
			eff, err := m.Step(group.Input{Now: w.Now, Cause: group.Received{From: cleo.Self.Member(), Payload: digest}})
			must(t, err)
			frames += len(eff.Send)
		}
		return frames
	}
	for _, news := range []bool{false, true} {
		if news {
			must(t, ann.Do(g, group.SetTitle{Title: "Another trip"}))
		}
		if n := ask(); n != 1 {
			t.Errorf("100 digests are answered %d times", n)
		}
	}
}
