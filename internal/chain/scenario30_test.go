package chain_test

import (
	"errors"
	"testing"

	"kith/internal/chain"
	"kith/internal/wire"
)

// More scenarios that validity and evidence decide.

// TestScenario30StolenKey: what a key that was stolen signs after its owner has
// revoked it is void, however far back it is put.
func TestScenario30StolenKey(t *testing.T) { numbered(t, "30") }

// TestScenario31DemotedInItsBlock: whoever is an admin at the parent acts as one in
// all of the block, and in none after it.
func TestScenario31DemotedInItsBlock(t *testing.T) {
	g := ruleGroup(t)
	ben, cat := g.person("ben"), g.person("cat")
	// ben steps down in the block in which it removes cat.
	g.commit("ben", nil, &chain.SetRole{Person: ben.id, Instance: g.instance("ben")}, &chain.Remove{Person: cat.id, Instance: g.instance("cat")})
	if g.state().IsAdmin(ben.id) {
		t.Error("ben is still an admin")
	}
	_, _, err := chain.Draft(g.state(), g.params(ben, &chain.SetInfo{}))
	if _, reason := refused(err); reason != chain.ReasonRole {
		t.Errorf("next block: %v", err)
	}

	// Who is demoted in another block of the same height had the power, and loses it
	// to the more senior word.
	does := map[string]string{"B": "ben demotes ben, removes cat", "A": "ann demotes ben", "C": "cat rekeys"}
	wins(t, "ann ben* cat", "G -> B | G -> A -> C", does, "C")
	wins(t, "ann ben* cat", "G -> B | G -> C", does, "B")
}

// TestScenario32LastAdmin: the last admin cannot go without naming another. Without
// a device it stays the admin: the others go on, and it comes back by a new one.
func TestScenario32LastAdmin(t *testing.T) {
	g := newGroup(t, chain.Policy{}, "ann", "ben")
	leave := func(successor wire.PersonID) error {
		_, _, err := chain.Draft(g.state(), g.params(g.person("ben"), &chain.Leave{
			Person: g.person("ann").id, Instance: g.instance("ann"), Successor: successor, Cites: make([]wire.Digest, 1),
		}))
		return err
	}
	for _, successor := range []wire.PersonID{{}, g.person("ann").id, g.person("dan").id} {
		if rule, reason := refused(leave(successor)); rule != "V4" || reason != chain.ReasonNoAdmin {
			t.Errorf("successor %s: %s %s", successor, rule, reason)
		}
	}
	if err := leave(g.person("ben").id); err != nil {
		t.Error(err)
	}

	ann := g.person("ann")
	ann.second(t)
	ann.revokeFirst(t)
	gone, papers := g.removeDevice(ann, 0)
	g.commit("ben", papers, gone)
	if s := g.state(); s.Active(ann.device(0)) || !s.IsAdmin(ann.id) || len(s.Admins()) != 1 {
		t.Fatal("she is no admin any more")
	}
	g.commit("ben", nil, &chain.Rekey{})
	if _, _, err := chain.Draft(g.state(), g.params(g.person("ben"), &chain.SetInfo{})); err == nil {
		t.Error("a member takes over")
	}
	op, papers := g.addDevice(ann, 1, true)
	g.commitAs(ann, 1, papers, op)
	g.commitAs(ann, 1, nil, &chain.SetRole{Person: g.person("ben").id, Instance: g.instance("ben"), Role: chain.RoleAdmin})
	if !g.state().IsAdmin(g.person("ben").id) {
		t.Error("her new device does not act for her")
	}
}

// revokeFirst lets the person's second device revoke the first in its own chain.
func (p *person) revokeFirst(t testing.TB) {
	t.Helper()
	s, err := chain.VerifyProof(p.headers)
	if err != nil {
		t.Fatal(err)
	}
	h, _, err := chain.Draft(s, chain.DraftParams{
		Suite: chain.SuiteAES, Parent: p.head(), Group: wire.GroupID(p.id),
		Author: wire.Member{Device: p.device(1)}, AuthorSeq: 1, Ops: []chain.Op{drop(p.device(0))},
	})
	if err != nil {
		t.Fatal(err)
	}
	body := bodyOf(false)
	seal(h, body, p.keys[1])
	p.headers, p.bodies = append(p.headers, h), append(p.bodies, body)
}

// TestScenario36TwoRestarts: two admins start the keys again at once. One of the
// two counts, and what is built on it goes on in its keys.
func TestScenario36TwoRestarts(t *testing.T) {
	does := map[string]string{
		"A": "ann restarts", "B": "ben restarts", "C": "cat rekeys", "D": "dan rekeys", "R": "ben removes cat", "T": "ben retitles",
	}
	people := "ann ben* cat dan"
	wins(t, people, "G -> A | G -> B", does, "A")
	wins(t, people, "G -> A -> C | G -> B -> D", does, "C")
	wins(t, people, "G -> A | G -> T", does, "A")
	wins(t, people, "G -> A | G -> R", does, "R")
	wins(t, people, "G -> A | G -> B -> R", does, "R")
	f := plant(t, 0, people)
	f.grow("G -> C -> A -> D | C -> B", does)
	if s := f.blocks[f.head()].State; f.head() != "D" || s.Start() != 2 || s.Epoch() != 2 {
		t.Errorf("head %s, keys from %d, epoch %d", f.head(), s.Start(), s.Epoch())
	}
}

func TestScenario37TwoDevices(t *testing.T) { numbered(t, "37") }

// TestScenario38LightDevice: who holds headers, a settlement and no body is shown
// members of a branch that lost.
//
//	G -> A -> B | G -> L      A: ann retitles, L: ben adds eve
func TestScenario38LightDevice(t *testing.T) {
	d := divide(t)
	eve := d.person("eve")
	d.on("G", "A", "ann", nil, d.retitle())
	d.on("A", "B", "cat", nil, &chain.Rekey{})
	d.on("G", "L", "ben", eve.papers(1), eve.add(chain.RoleMember, 1))
	box := newBallotBox(d.group)
	box.settle("ann")
	settlement := box.votes.Settlement()

	whole := func(names ...string) (headers []*chain.Header) {
		for _, name := range names {
			headers = append(headers, d.blocks.Header(d.at[name]))
		}
		return headers
	}
	light := mustHeaders(t, whole("G", "A", "B"))
	settled, err := settlement.Verify(light)
	if err != nil || settled != d.at["B"] {
		t.Fatalf("settled %s, %v", settled, err)
	}
	// It agrees with who holds everything (I17).
	if light.Head() != d.blocks.Head() || light.State(settled).Root() != d.blocks.State(settled).Root() {
		t.Error("another head or state")
	}
	lost, ok := d.blocks.State(d.at["L"]).Prove(eve.id)
	if !ok {
		t.Fatal("no proof")
	}
	if m, err := lost.Verify(d.blocks.State(d.at["L"]).Root()); err != nil || m.Person != eve.id {
		t.Fatalf("the proof shows nothing where it was made: %v", err)
	}
	if _, err := lost.Verify(light.State(settled).Root()); !errors.Is(err, chain.ErrMemberProof) {
		t.Errorf("a member of a branch that lost: %v", err)
	}
	// The headers of that branch, with the true settlement, with none, and with one
	// signed by who is no voter.
	losing := mustHeaders(t, whole("G", "L"))
	if got, err := settlement.Verify(losing); err == nil {
		t.Errorf("they settle %s", got)
	}
	if got, err := chain.Settlement(nil).Verify(losing); err != nil || got != d.at["G"] {
		t.Errorf("without votes %s is settled: %v", got, err)
	}
	start := chain.Source{Block: d.at["G"]}
	forged := chain.Settlement{{Block: d.at["L"], Votes: []*chain.Vote{
		vote(d.group, "ben", 1, 1, d.at["L"], start), vote(d.group, "ben", 2, 2, d.at["L"], chain.Source{Round: 1, Block: d.at["L"]}),
	}}}
	if got, err := forged.Verify(losing); err == nil {
		t.Errorf("votes of no voter settle %s", got)
	}
	// Nor is it shown to who keeps no chain at all, but one true proof.
	s, err := chain.NewStanding(d.blocks, settlement, d.person("ben").id, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, votes := range [][]*chain.Vote{settlement[0].Votes, forged[0].Votes} {
		s.Steps[0] = chain.Step{Header: d.blocks.Header(d.at["L"]), Votes: votes[len(votes)-1:]}
		s.Way, s.Member = nil, lost
		if _, err := s.Verify(); err == nil {
			t.Error("a proof of a branch that lost")
		}
	}
}
