package sim_test

import (
	"slices"
	"testing"

	"kith/internal/chain"
	"kith/internal/group"
	"kith/internal/sim"
	"kith/internal/wire"
)

func people(nodes ...*sim.Node) (list []wire.PersonID) {
	for _, n := range nodes {
		list = append(list, n.Self.Person)
	}
	slices.SortFunc(list, func(a, b wire.PersonID) int { return slices.Compare(a[:], b[:]) })
	return list
}

// TestChosenVotersStay: an admin names two of four as voters. No other admin's node
// brings the others back, whoever comes, until somebody names everybody.
func TestChosenVotersStay(t *testing.T) {
	w, nodes, g := voting(t, "Ann", "Ben", "Cleo", "Dan")
	ann, ben, cleo, dan := nodes[0], nodes[1], nodes[2], nodes[3]
	promote(t, w, g, ann, ben)
	w.Run(10 * minute)
	must(t, ann.Do(g, group.SetVoters{People: []wire.PersonID{dan.Self.Person, ann.Self.Person, dan.Self.Person}}))
	w.Run(30 * minute)
	eve := w.Add("Eve")
	must(t, ben.Do(g, group.Invite{Newcomers: []group.Newcomer{eve.Newcomer()}}))
	w.Run(minute)
	must(t, eve.Do(g, group.Accept{}))
	w.Run(60 * minute)
	for _, n := range append(nodes, eve) {
		if f := final(n, g); !slices.Equal(f.Voters, people(ann, dan)) {
			t.Errorf("%s knows %d voters", n.Name, len(f.Voters))
		}
	}
	settledAll(t, g, 9, append(nodes, eve)...)

	must(t, ben.Do(g, group.SetVoters{People: people(ann, ben, cleo, dan, eve)}))
	w.Run(30 * minute)
	fay := w.Add("Fay")
	must(t, ann.Do(g, group.Invite{Newcomers: []group.Newcomer{fay.Newcomer()}}))
	w.Run(minute)
	must(t, fay.Do(g, group.Accept{}))
	w.Run(30 * minute)
	if f := final(ann, g); len(f.Voters) != 6 {
		t.Errorf("the nodes name %d voters by themselves again", len(f.Voters))
	}
}

// TestVotersRefused: every choice that cannot be is refused with its own reason.
func TestVotersRefused(t *testing.T) {
	w, nodes, g := voting(t, "Ann", "Ben", "Cleo")
	ann, ben := nodes[0], nodes[1]
	dan := w.Add("Dan")
	choose := func(n *sim.Node, people ...wire.PersonID) error {
		return n.Do(g, group.SetVoters{People: people})
	}
	refusedFor(t, "by a member", choose(ben, ann.Self.Person), group.ReasonRole)
	refusedFor(t, "nobody", choose(ann), group.ReasonNoVoters)
	refusedFor(t, "those of now", choose(ann, people(nodes...)...), group.ReasonSame)
	refusedFor(t, "a stranger", choose(ann, dan.Self.Person), group.ReasonNoMember)
	var many []wire.PersonID
	for i := range chain.MaxVoters + 1 {
		many = append(many, wire.PersonID{byte(i)})
	}
	refusedFor(t, "32 people", choose(ann, many...), group.ReasonVoters)
	must(t, ann.Do(g, group.Invite{Newcomers: []group.Newcomer{dan.Newcomer()}}))
	w.Run(minute)
	refusedFor(t, "who has not accepted", choose(ann, dan.Self.Person), group.ReasonVoteless)
}

// TestAccount: who settled what, and who is waited for.
func TestAccount(t *testing.T) {
	w, nodes, g := voting(t, "Ann", "Ben", "Cleo", "Dan")
	ann, cleo, dan := nodes[0], nodes[2], nodes[3]
	m := machine(ann, g)
	list := m.Settlings()
	if len(list) != 1 || list[0].Block != m.Era() || !slices.Equal(list[0].By, people(ann)) || list[0].Round == 0 {
		t.Errorf("in the first era %+v", list)
	}
	must(t, ann.Do(g, group.SetTitle{Title: "On"}))
	w.Run(10 * minute)
	if list = m.Settlings(); len(list) != 2 || list[1].Block != m.Head() || len(list[1].By) < 3 {
		t.Fatalf("in the second era %+v", list)
	}
	part(w, ann, nodes[1])
	must(t, ann.Do(g, group.SetTitle{Title: "Apart"}))
	w.Run(10 * minute)
	newest := m.Newest()
	if newest[ann.Self.Person] != m.Head() || newest[nodes[1].Self.Person] != m.Head() || newest[cleo.Self.Person] == m.Head() || newest[dan.Self.Person] == m.Head() {
		t.Errorf("the newest votes are %v, the head is %v", newest, m.Head())
	}
	if f := m.Finality(); f.Voting == 0 || !slices.Equal(f.Voted, people(ann, nodes[1])) {
		t.Errorf("voted: %+v", f)
	}
}

// TestProofs: what there is against a device is shown with both things it signed,
// whether or not it was taken out already.
func TestProofs(t *testing.T) {
	w, nodes, g := voting(t, "Ann", "Ben", "Cleo", "Dan")
	ann, dan := nodes[0], nodes[3]
	if list := machine(ann, g).Proofs(); len(list) != 0 {
		t.Errorf("against nobody: %+v", list)
	}
	must(t, ann.Do(g, group.SetTitle{Title: "A"}))
	round, parent := final(ann, g).Voting, machine(ann, g).Era()
	a, b := vote(dan, g, 90, round, machine(ann, g).Head()), vote(dan, g, 90, round, parent)
	seen := func(n *sim.Node, taken bool) {
		t.Helper()
		list := machine(n, g).Proofs()
		if len(list) != 1 || list[0].Device != dan.Self.Member() || list[0].What != chain.SlashVotes || (list[0].Block != wire.BlockHash{}) != taken {
			t.Fatalf("%s has %+v", n.Name, list)
		}
		for _, raw := range [][]byte{list[0].First, list[0].Second} {
			v, err := chain.ParseVote(raw)
			if err != nil || v.Hash() != a.Hash() && v.Hash() != b.Hash() {
				t.Errorf("%s: no vote of Dan's: %v", n.Name, err)
			}
		}
	}
	w.Run(100)
	w.Deliver(ann, dan, g, sim.Pushed(a))
	w.Deliver(ann, dan, g, sim.Pushed(b))
	seen(dan, false)
	w.Run(30 * minute)
	seen(ann, true)
}
