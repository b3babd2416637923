package sim_test

import (
	"testing"

	"kith/internal/dag"
	"kith/internal/sim"
	"kith/internal/wire"
)

// TestAnswerWithoutEnd: Eve says again and again that she has what Ben lacks, and
// answers him with nothing and the promise of more. Ben asks Ann all the same.
func TestAnswerWithoutEnd(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Eve")
	ann, ben, eve := nodes[0], nodes[1], nodes[2]
	part(w, ann)
	must(t, ann.Say(g, "for Ben"))
	w.Run(5000)
	eve.Withhold(func(*sim.Node, byte) bool { return true }) // her program is another
	have := func() []byte {
		var out wire.Writer
		out.U8(2)
		out.Vec(machine(ben, g).Blocks().Offer().Marshal())
		out.Vec(dag.Frontier{eve.Self.Device.ID(): {Seq: 1000}}.Marshal())
		out.Group(func(*wire.Writer) {})
		out.Group(func(*wire.Writer) {})
		return out.Bytes()
	}
	more := append(entries()[:len(entries())-1], 2)
	for i := range 60 {
		w.Deliver(eve, ben, g, have())
		w.Run(1000)
		w.Deliver(eve, ben, g, more)
		w.Run(1000)
		if i == 2 {
			w.Heal(ann, ben)
		}
	}
	sees(t, g, []string{"for Ben"}, ben)
}
