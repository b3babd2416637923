package sim_test

import (
	"slices"
	"testing"

	"kith/internal/group"
	"kith/internal/wire"
)

// TestNotSentAgainAfterRemoval: Cleo wrote while she was apart, on a branch of her own or not,
// and was removed. Added again, she is asked before anybody reads it, though all of them
// were members then, and though she has said something since; it has its first date.
func TestNotSentAgainAfterRemoval(t *testing.T) {
	for i := range 4 {
		branch, yes := i&1 == 0, i&2 == 0
		w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
		ann, ben, cleo := nodes[0], nodes[1], nodes[2]
		w.Run(minute)
		part(w, cleo)
		if branch {
			must(t, cleo.Do(g, group.Rekey{}))
		}
		must(t, cleo.Say(g, "apart"))
		said := w.Now
		w.Run(2 * minute)
		must(t, ann.Do(g, group.Remove{Person: cleo.Self.Person}))
		w.Run(5000)
		w.HealAll()
		w.Run(15 * minute)
		must(t, ann.Do(g, group.Invite{Newcomers: []group.Newcomer{cleo.Newcomer()}}))
		w.Run(5000)
		must(t, cleo.Do(g, group.Accept{}))
		w.Run(minute)
		must(t, cleo.Say(g, "back"))
		w.Run(5 * minute)
		cleo.Stop()
		cleo.Start()
		w.Run(5 * minute)
		sees(t, g, []string{"back"}, ann, ben)
		want := []wire.PersonID{ann.Self.Person, ben.Self.Person}
		slices.SortFunc(want, func(a, b wire.PersonID) int { return slices.Compare(a[:], b[:]) })
		if v := machine(cleo, g).View(); v.Unasked != 1 || !v.Readded || !slices.Equal(v.UnaskedOf, want) {
			t.Errorf("Cleo is asked about %d messages, for %v", v.Unasked, v.UnaskedOf)
		}
		must(t, cleo.Do(g, group.Resend{Yes: yes}))
		w.Run(minute)
		for _, n := range nodes[:2] {
			if shows(n, g, "apart") != yes {
				t.Errorf("Cleo says %v: %s sees %q", yes, n.Name, n.Texts(g))
			}
		}
		for _, row := range ann.Groups[g].Rows {
			if c, err := group.ParseContent(row.Content); err == nil && string(c.Body) == "apart" && row.Time != said {
				t.Errorf("it is dated %d ms later", row.Time-said)
			}
		}
		if v := machine(cleo, g).View(); v.Unasked != 0 {
			t.Errorf("Cleo is asked again about %d", v.Unasked)
		}
	}
}
