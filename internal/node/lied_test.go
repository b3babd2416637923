package node_test

import (
	"slices"
	"testing"

	"kith/internal/chain"
	"kith/internal/group"
	"kith/internal/node"
	"kith/internal/sim"
	"kith/internal/wire"
)

const minute = 60_000 // ms

// trip is a simulated group whose people have all become voters.
func trip(t *testing.T, names ...string) (*sim.World, []*sim.Node, wire.GroupID) {
	t.Helper()
	w := sim.New(1)
	var nodes []*sim.Node
	var others []group.Newcomer
	for i, name := range names {
		nodes = append(nodes, w.Add(name))
		if i > 0 {
			others = append(others, nodes[i].Newcomer())
		}
	}
	g := nodes[0].Create(group.CreateParams{Title: "Trip", Newcomers: others})
	w.Run(1000)
	for _, n := range nodes[1:] {
		must(t, n.Do(g, group.Accept{}))
	}
	w.Run(10 * minute)
	return w, nodes, g
}

func machineOf(n *sim.Node, g wire.GroupID) *group.Machine { return n.Groups[g].Machine }

// heard returns what a person heard of one kind.
func heard(n *sim.Node, g wire.GroupID, kind node.IncidentKind) (list []node.Incident) {
	for _, in := range node.Incidents(machineOf(n, g), n.Groups[g].Events) {
		if in.Kind == kind {
			list = append(list, in)
		}
	}
	return list
}

func forged(n *sim.Node, g wire.GroupID, seq, round uint64, era, block wire.BlockHash, from chain.Source) *chain.Vote {
	v := &chain.Vote{Group: g, Device: n.Self.Device.ID(), Seq: seq, Era: era, Round: round, Block: block, Source: from}
	v.Seal(n.Self.Device.Sign)
	return v
}

// outsider checks the file of a group as it stands at one of its members.
func outsider(t *testing.T, m *group.Machine) *chain.Verified {
	t.Helper()
	file := chain.NewRecord(m.Blocks())
	file.Settlement = m.Settlement()
	r, err := chain.ParseRecord(file.Marshal())
	must(t, err)
	v, err := r.Verify()
	must(t, err)
	if v.Head != m.Head() || v.Settled != m.Settled() {
		t.Errorf("an outsider sees head %v, settled %v; a member %v, %v", v.Head, v.Settled, m.Head(), m.Settled())
	}
	return v
}

// TestSettledIsDrawn: of each block of the chain it is known who settled it, as a
// member knows it and as an outsider does.
func TestSettledIsDrawn(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo", "Dan")
	ann := nodes[0]
	must(t, ann.Do(g, group.SetTitle{Title: "On"}))
	w.Run(10 * minute)
	must(t, ann.Do(g, group.SetTitle{Title: "And on"}))
	m := machineOf(ann, g)
	drawn, v := node.Drawing(m), outsider(t, m)
	for i, hash := range m.Chain() {
		d := drawn[hash]
		if want := i < 3; d.Settled != want {
			t.Errorf("block %d: settled %v", i, d.Settled)
		}
		switch {
		case i == 0 && (d.Voters != nil || d.Round != 0):
			t.Errorf("somebody settled the first block: %v", d.Voters)
		case i == 1 && (!slices.Equal(d.Voters, []wire.PersonID{ann.Self.Person}) || d.Round != 2):
			t.Errorf("block 1 was settled by %v in round %d", d.Voters, d.Round)
		case i == 2 && (len(d.Voters) < 3 || d.Round != 2 || !slices.Equal(d.Voters, v.SettledBy)):
			t.Errorf("block 2 was settled by %v in round %d", d.Voters, d.Round)
		}
	}
	if len(v.Settlings) != 2 || v.Settlings[0].Voters != 1 || v.Settlings[1].Voters != 4 || v.Settlings[1].Quorum != 3 {
		t.Errorf("an outsider sees %+v", v.Settlings)
	}
	settled := heard(ann, g, node.IncidentSettled)
	if len(settled) < 2 || settled[0].Chat != g || settled[1].Height == 0 {
		t.Errorf("heard %+v", settled)
	}
}

// TestLiarIsNamed: a device votes twice. Everybody hears of it once, with both votes,
// and finds them later.
func TestLiarIsNamed(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo", "Dan")
	ann, dan := nodes[0], nodes[3]
	m := machineOf(ann, g)
	era := m.Era()
	must(t, ann.Do(g, group.SetTitle{Title: "On"}))
	for _, block := range []wire.BlockHash{era, m.Head()} {
		w.Deliver(dan, ann, g, sim.Pushed(forged(dan, g, 90, 1, era, block, chain.Source{Block: era})))
	}
	w.Run(20 * minute)
	for _, n := range nodes[:3] {
		for where, list := range map[string][]node.Incident{"heard": heard(n, g, node.IncidentVoted), "standing": node.Standing(machineOf(n, g))} {
			if len(list) != 1 {
				t.Errorf("%s: %s %d incidents", n.Name, where, len(list))
				continue
			}
			in := list[0]
			if in.Person.ID != dan.Self.Person || in.Device != dan.Self.Device.ID() || in.Block == (wire.BlockHash{}) || len(in.Proof) != 2 {
				t.Errorf("%s: %s %+v", n.Name, where, in)
			}
			for _, x := range in.Proof {
				if x.Vote == nil || x.Vote.Hash() != x.Hash || x.Vote.Seq != 90 || len(x.Bytes) != chain.VoteSize {
					t.Errorf("%s: %s %+v", n.Name, where, x)
				}
			}
		}
	}
	outsider(t, m)
}

// TestVoterOfThePastIsTold: whoever settled the first blocks settles another branch
// later. What was settled stays, both sets of votes are shown, and an outsider
// sees what the member sees.
func TestVoterOfThePastIsTold(t *testing.T) {
	w := sim.New(1)
	ann, ben := w.Add("Ann"), w.Add("Ben")
	g := ann.Create(group.CreateParams{Title: "Trip", Newcomers: []group.Newcomer{ben.Newcomer()}})
	w.Run(1000)
	must(t, ben.Do(g, group.Accept{}))
	must(t, ann.Do(g, group.SetRole{Person: ben.Self.Person, Role: chain.RoleAdmin}))
	w.Run(1000)
	w.Part(func(n *sim.Node) bool { return n == ann })
	must(t, ann.Do(g, group.SetTitle{Title: "Ann's"}))
	must(t, ben.Do(g, group.SetTitle{Title: "Ben's"}))
	other := machineOf(ben, g).Head()
	w.Run(10 * minute)
	w.HealAll()
	w.Run(60 * minute)
	m := machineOf(ben, g)
	kept := m.Settled()
	if m.Blocks().IsAncestor(other, kept) {
		t.Fatal("Ben's branch won")
	}
	genesis := wire.BlockHash(g)
	w.Deliver(ann, ben, g, sim.Pushed(forged(ann, g, 90, 1, genesis, other, chain.Source{Block: genesis})))
	w.Deliver(ann, ben, g, sim.Pushed(forged(ann, g, 91, 2, genesis, other, chain.Source{Round: 1, Block: other})))
	w.Run(10 * minute)
	for where, list := range map[string][]node.Incident{"heard": heard(ben, g, node.IncidentElsewhere), "standing": node.Standing(m)[:1]} {
		if len(list) != 1 || list[0].Kind != node.IncidentElsewhere || len(list[0].Proof) == 0 {
			t.Fatalf("%s %+v", where, list)
		}
		if last := list[0].Proof[len(list[0].Proof)-1]; wire.BlockHash(last.Hash) != other {
			t.Errorf("%s: the votes are for %v", where, last.Hash)
		}
	}
	if !m.IsSettled(kept) {
		t.Error("what was settled went")
	}
	outsider(t, m)
}

// TestKeysAreTold: what happens to keys.
func TestKeysAreTold(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	ben.Stop()
	must(t, ann.Do(g, group.Park{Device: ben.Self.Device.ID()}))
	w.Run(5000)
	ben.Start()
	w.Run(minute)
	must(t, ann.Do(g, group.Restart{}))
	w.Run(minute)
	for kind, who := range map[node.IncidentKind]*sim.Node{node.IncidentParked: ben, node.IncidentRejoined: ben, node.IncidentRestarted: ann} {
		list := heard(cleo, g, kind)
		once := kind != node.IncidentRejoined // Ben comes back from the Restart too
		if len(list) == 0 || once && len(list) > 1 || list[0].Person.ID != who.Self.Person || list[0].Device != who.Self.Device.ID() || list[0].Author.ID == (wire.PersonID{}) || list[0].Own {
			t.Errorf("%d: %+v", kind, list)
		}
	}
	if list := heard(ben, g, node.IncidentParked); len(list) != 1 || !list[0].Own {
		t.Errorf("to Ben himself: %+v", list)
	}
}
