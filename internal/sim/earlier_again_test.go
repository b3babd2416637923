package sim_test

import (
	"testing"

	"kith/internal/group"
	"kith/internal/sim"
)

// TestHistoryOfWhoIsToldBeforeTheWelcome: Ben is removed and let in again. The blocks that
// say so come by Cleo, the Welcome later by Ann. He is given nothing of the time before, and
// that is what he is told, then and when his program starts again.
func TestHistoryOfWhoIsToldBeforeTheWelcome(t *testing.T) {
	w := sim.New(1)
	ann, ben, cleo := w.Add("Ann"), w.Add("Ben"), w.Add("Cleo")
	g := ann.Create(group.CreateParams{Title: "Trip", Newcomers: []group.Newcomer{cleo.Newcomer()}})
	must(t, ann.Say(g, "one"))
	w.Run(1000)
	enter(t, w, g, ann, ben)
	w.Cut(ann, ben)
	w.Cut(ben, cleo)
	must(t, ann.Do(g, group.Remove{Person: ben.Self.Person}))
	must(t, ann.Do(g, group.Invite{Newcomers: []group.Newcomer{ben.Newcomer()}}))
	w.Run(1000)
	w.Heal(ben, cleo)
	w.Run(1000)
	must(t, cleo.Do(g, group.Accept{}))
	w.Run(500)
	if got := machine(ben, g).Status(); got != group.StatusActive || !isMember(ben, ben, g) {
		t.Fatalf("Ben is to wait for the Welcome, his status is %d", got)
	}
	for _, when := range []string{"before", "after"} {
		if v := earlierOf(ben, g); !v.Reached || v.Of != 0 {
			t.Errorf("%s the Welcome Ben is told %+v of the past", when, v)
		}
		w.HealAll()
		w.Run(20_000)
	}
	v := earlierOf(ben, g)
	if got := machine(ben, g).Status(); got != group.StatusInvited {
		t.Fatalf("Ben was let in again, his status is %d", got)
	}
	ben.Stop()
	ben.Start()
	if again := earlierOf(ben, g); again != v {
		t.Errorf("started again, Ben is told %+v of the past, it was %+v", again, v)
	}
}
