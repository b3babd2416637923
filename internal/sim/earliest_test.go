package sim_test

import (
	"slices"
	"testing"

	"kith/internal/group"
	"kith/internal/wire"
)

// A person votes with its earliest device, also where that one declined, or was never
// asked, and another has accepted.

// TestVoterWithoutVote: Ben's laptop declines where nobody hears of it, and his phone
// accepts. He is no voter, for nothing would ever be settled.
func TestVoterWithoutVote(t *testing.T) {
	w, nodes, g := voting(t, "Ann", "Cleo")
	ann, cleo, ben := nodes[0], nodes[1], w.Add("Ben")
	phone := ben.Link("Ben's phone")
	must(t, ann.Do(g, group.Invite{Newcomers: []group.Newcomer{ben.Newcomer()}}))
	w.Run(1000)
	part(w, ben)
	must(t, ben.Do(g, group.Leave{}))
	ben.Stop()
	must(t, ann.Do(g, phone.Device()))
	w.Run(1000)
	must(t, phone.Do(g, group.Accept{}))
	w.Run(10 * minute)
	if got := final(ann, g).Voters; slices.Contains(got, ben.Self.Person) {
		t.Errorf("%v vote, and Ben among them", got)
	}
	must(t, ann.Do(g, group.SetTitle{Title: "with the phone"}))
	w.Run(60 * minute)
	settledAll(t, g, 20, ann, cleo, phone)
	w.HealAll()
	ben.Start()
	w.Run(3 * minute)
	if isMember(ann, ben, g) {
		t.Error("Ben is a member, and declined")
	}
}

// TestVoteOfWhoDeclined: Ben, one of two voters, is removed and invited again. His
// laptop declines and his phone accepts: a vote that never comes is not waited for.
func TestVoteOfWhoDeclined(t *testing.T) {
	w, nodes, g := voting(t, "Ann", "Ben")
	ann, ben := nodes[0], nodes[1]
	phone := ben.Link("Ben's phone")
	ben.Stop()
	must(t, ann.Do(g, group.Remove{Person: ben.Self.Person}))
	w.Run(1000)
	ben.Start()
	w.Run(1000)
	must(t, ann.Do(g, group.Invite{Newcomers: []group.Newcomer{ben.Newcomer()}}))
	must(t, ann.Do(g, phone.Device()))
	w.Run(1000)
	must(t, phone.Do(g, group.Accept{}))
	w.Run(5000)
	if got := final(ann, g).Voters; !slices.Equal(got, inPersonOrder(ann.Self.Person, ben.Self.Person)) {
		t.Fatalf("%v vote, so the test shows nothing", got)
	}
	must(t, ben.Do(g, group.Leave{}))
	w.Run(3 * minute)
	if isMember(ann, ben, g) {
		t.Error("Ben's vote is waited for, which never comes")
	}
}

func inPersonOrder(people ...wire.PersonID) []wire.PersonID {
	slices.SortFunc(people, func(a, b wire.PersonID) int { return slices.Compare(a[:], b[:]) })
	return people
}
