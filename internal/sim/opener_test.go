package sim_test

import (
	"testing"

	"kith/internal/group"
	"kith/internal/sim"
	"kith/internal/wire"
)

// TestFormerOpensPages: Dan, who was removed, opens to Cleo the pages with which she was
// invited, as if there were more. What she asks him for names no block that came after he was gone.
func TestFormerOpensPages(t *testing.T) {
	w, nodes, g := voting(t, "Ann", "Ben", "Dan")
	ann, dan, cleo := nodes[0], nodes[2], w.Add("Cleo")
	must(t, ann.Do(g, group.Invite{Newcomers: []group.Newcomer{cleo.Newcomer()}}))
	w.Run(1000)
	must(t, cleo.Do(g, group.Accept{}))
	must(t, ann.Do(g, group.Remove{Person: dan.Self.Person}))
	w.Run(5000)
	must(t, ann.Do(g, group.SetTitle{Title: "Later"}))
	w.Run(5000)
	var opening []byte
	for _, p := range ann.Sent {
		if p.To == cleo && p.Bytes[0] == 15 && p.Bytes[1] == 0 {
			opening = p.Bytes
		}
	}
	if opening == nil {
		t.Fatal("Cleo was not invited in pages")
	}
	r := wire.NewReader(opening[2+32:])
	r.Vec(wire.MaxVector) // the welcome
	var lie wire.Writer
	lie.Raw(append(opening[:2:2], make([]byte, 32)...)) // as to who is in
	lie.Vec(nil)
	lie.Raw(opening[len(opening)-r.Len() : len(opening)-4])
	lie.U32(9) // blocks are left
	before := len(cleo.Sent)
	w.Deliver(dan, cleo, g, lie.Bytes())
	asked := false
	for _, p := range cleo.Sent[before:] {
		if p.To != dan || p.Bytes[0] != 15 {
			continue
		}
		asked = true
		offer, ok := sim.Offered(p.Bytes)
		if !ok {
			t.Fatal("no offer")
		}
		for _, tip := range append(offer.Tips, offer.Locator...) {
			if dan.Groups[g].Machine.Blocks().State(tip) == nil {
				t.Errorf("Cleo tells Dan of block %v, which he has not", tip)
			}
		}
	}
	if !asked {
		t.Error("she asks him nothing")
	}
}
