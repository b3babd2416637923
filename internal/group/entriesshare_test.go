package group_test

import (
	"testing"

	"kith/internal/group"
)

// TestShareOfRequests: one member's requests for entries are answered 1,000 times at once, and
// then 500 times a second, also where each is for nothing; others' are answered meanwhile.
func TestShareOfRequests(t *testing.T) {
	w, g, ann, ben, cleo := three(t)
	do(t, w, ann, g, says(t, "hello"))
	w.Run(5000)
	m := machineOf(ann, g)
	block := m.Picked()
	stretch := append([]byte{kindStretch}, block[:]...)
	stretch = append(stretch, 0, 0)                                                 // it has nothing
	stretch = append(append(stretch, make([]byte, 40)...), 0, 0, 0, 0, 0, 0, 0, 99) // from the start, up to lamport 99
	stretch = append(stretch, 0)
	for what, payload := range map[string][]byte{"wants": {kindWant, 1, 0, 0}, "stretches": stretch} {
		answers := func(now uint64, from group.Received) (n int) {
			eff, err := m.Step(group.Input{Now: now, Cause: from})
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range eff.Notify {
				t.Fatalf("%s: %+v", what, e)
			}
			for _, s := range eff.Serve {
				if s.To == from.From.Device && len(s.Refs) > 0 {
					n++
				}
			}
			return n
		}
		w.Run(60_000)
		now, sum := w.Now, 0
		fromBen := group.Received{From: ben.Self.Member(), Payload: payload}
		for range 3000 {
			sum += answers(now, fromBen)
		}
		if sum < 1000 || sum > 1001 {
			t.Errorf("%s: %d answers at once", what, sum)
		}
		if answers(now, group.Received{From: cleo.Self.Member(), Payload: payload}) != 1 {
			t.Errorf("%s: Cleo has no answer", what)
		}
		sum = 0
		for i := range uint64(4000) {
			sum += answers(now+i/4, fromBen)
		}
		if sum < 490 || sum > 510 {
			t.Errorf("%s: %d answers in a second", what, sum)
		}
	}
}
