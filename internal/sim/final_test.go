package sim_test

import (
	"bytes"
	"slices"
	"testing"

	"kith/internal/chain"
	"kith/internal/group"
	"kith/internal/sim"
	"kith/internal/wire"
)

const (
	minute = 60_000
)

func final(n *sim.Node, g wire.GroupID) group.Finality { return n.Groups[g].Machine.Finality() }

// voting is a trip whose people have all become voters.
func voting(t testing.TB, names ...string) (*sim.World, []*sim.Node, wire.GroupID) {
	t.Helper()
	w, nodes, g := trip(t, names...)
	w.Run(10 * minute)
	for _, n := range nodes {
		if f := final(n, g); len(f.Voters) != len(names) || f.Block != n.Groups[g].Machine.Head() {
			t.Fatalf("%s: %+v", n.Name, f)
		}
	}
	return w, nodes, g
}

// settledAll checks that all have settled the same head, in so many rounds at most.
func settledAll(t *testing.T, g wire.GroupID, rounds uint64, nodes ...*sim.Node) {
	t.Helper()
	for _, n := range nodes {
		f := final(n, g)
		if f.Block != n.Groups[g].Machine.Head() || f.Block != final(nodes[0], g).Block {
			t.Errorf("%s has settled block %d of %d, votes in round %d", n.Name, f.Height, n.Groups[g].Machine.Blocks().Header(n.Groups[g].Machine.Head()).Height, f.Voting)
		}
		if f.Round > rounds {
			t.Errorf("%s settled it in round %d", n.Name, f.Round)
		}
	}
}

// settlesAll is settledAll after days in which devices renew their keys by themselves: who
// did so just now has the minutes that settling takes.
func settlesAll(t *testing.T, g wire.GroupID, rounds uint64, nodes ...*sim.Node) {
	t.Helper()
	for range 5 {
		if !slices.ContainsFunc(nodes, func(n *sim.Node) bool { return final(n, g).Block != machine(n, g).Head() }) {
			break
		}
		nodes[0].World.Run(minute)
	}
	settledAll(t, g, rounds, nodes...)
}

// TestEverybodyVotes: the voters of a small group are all who have accepted, in
// one change, and they settle what is done.
func TestEverybodyVotes(t *testing.T) {
	w, nodes, g := voting(t, "Ann", "Ben", "Cleo", "Dan")
	if n := machine(nodes[0], g).Blocks().Len(); n != 2 {
		t.Errorf("it took %d blocks", n-1)
	}
	eve := w.Add("Eve")
	must(t, nodes[0].Do(g, group.Invite{Newcomers: []group.Newcomer{eve.Newcomer()}}))
	w.Run(30 * minute)
	if f := final(nodes[0], g); len(f.Voters) != 4 { // Eve has not accepted
		t.Errorf("%d voters", len(f.Voters))
	}
	settledAll(t, g, 5, append(nodes, eve)...)
	by, _, ok := machine(nodes[1], g).SettledBy(final(nodes[1], g).Block)
	if !ok || len(by) < 3 {
		t.Errorf("settled %v by %d", ok, len(by))
	}
	must(t, eve.Do(g, group.Accept{}))
	w.Run(10 * minute)
	if f := final(eve, g); len(f.Voters) != 5 {
		t.Errorf("%d voters", len(f.Voters))
	}
}

// TestSplitVoters: four voters are split two and two. Neither side settles what
// it does; healed, they settle one of it within five rounds.
func TestSplitVoters(t *testing.T) {
	w, nodes, g := voting(t, "Ann", "Ben", "Cleo", "Dan")
	ann, cleo := nodes[0], nodes[2]
	promote(t, w, g, ann, cleo)
	w.Run(10 * minute)
	before := final(ann, g)
	part(w, ann, nodes[1])
	must(t, ann.Do(g, group.SetTitle{Title: "A"}))
	must(t, cleo.Do(g, group.SetTitle{Title: "C"}))
	w.Run(3 * 60 * minute)
	for _, n := range nodes {
		if f := final(n, g); f.Block != before.Block || f.Voting == 0 {
			t.Errorf("%s, one of two, settled block %d", n.Name, f.Height)
		}
	}
	w.HealAll()
	w.Run(3 * 60 * minute)
	settledAll(t, g, before.Round+5, nodes...)
	alike(t, g, nodes...)
}

// TestVoterDies: one of four is gone for ever. The others settle on, and after 30
// days of what it should have answered it votes no more.
func TestVoterDies(t *testing.T) {
	w, nodes, g := voting(t, "Ann", "Ben", "Cleo", "Dan")
	left, dan := nodes[:3], nodes[3]
	dan.Stop()
	for i := range 33 {
		must(t, left[i%3].Say(g, "another day"))
		if i == 10 { // it is not forgotten in a restart
			left[0].Stop()
			left[0].Start()
		}
		w.Run(day)
	}
	settlesAll(t, g, 60, left...) // each of some 14 weekly Rekeys takes two rounds or more
	if f := final(left[0], g); len(f.Voters) != 3 || slices.Contains(f.Voters, dan.Self.Person) {
		t.Errorf("the voters are %v", f.Voters)
	}
	dan.Start()
	w.Run(20 * minute)
	if f := final(dan, g); len(f.Voters) != 4 {
		t.Errorf("Dan is back, and there are %d voters", len(f.Voters))
	}
	settlesAll(t, g, 9, nodes...)
}

// TestQuietVotersStay: in a group where nobody writes nobody is silent.
func TestQuietVotersStay(t *testing.T) {
	w, nodes, g := voting(t, "Ann", "Ben", "Cleo")
	must(t, nodes[0].Say(g, "until next year"))
	w.Run(100 * day)
	if f := final(nodes[0], g); len(f.Voters) != 3 {
		t.Errorf("%d voters", len(f.Voters))
	}
}

// TestRestartInMidRound: voters that stop and start between their votes, before or
// after a write, never vote twice in a round, and settle in the end.
func TestRestartInMidRound(t *testing.T) {
	w, nodes, g := voting(t, "Ann", "Ben", "Cleo", "Dan")
	must(t, nodes[0].Do(g, group.SetTitle{Title: "Once more"}))
	for i := range 24 {
		n := nodes[i%4]
		n.Crash = sim.CrashBefore + sim.Crash(i%2)
		w.Run(20_000)
		if i%3 == 0 {
			n.Stop()
			w.Run(1000)
			n.Start()
		}
	}
	for _, n := range nodes {
		n.Crash = sim.NoCrash
	}
	w.Run(60 * minute)
	settledAll(t, g, 9, nodes...)
	for _, n := range nodes {
		if lied := count[group.VotedTwice](n, g); lied > 0 || final(n, g).Excluded {
			t.Errorf("%s saw %d double votes", n.Name, lied)
		}
	}
}

// vote is one that a device signs without asking its program.
func vote(n *sim.Node, g wire.GroupID, seq, round uint64, block wire.BlockHash) *chain.Vote {
	era := machine(n, g).Era()
	v := &chain.Vote{
		Group: g, Device: n.Self.Device.ID(), Seq: seq, Era: era, Round: round, Block: block,
		Source: chain.Source{Block: era},
	}
	v.Seal(n.Self.Device.Sign)
	return v
}

// TestLiar: one of four votes for two blocks in one round, each told to another.
// Everybody hears of it, one block is settled, the liar's device is taken out and
// its person stays.
func TestLiar(t *testing.T) {
	w, nodes, g := voting(t, "Ann", "Ben", "Cleo", "Dan")
	ann, ben, dan := nodes[0], nodes[1], nodes[3]
	promote(t, w, g, ann, ben)
	w.Run(10 * minute)
	part(w, ann, nodes[2])
	must(t, ann.Do(g, group.SetTitle{Title: "A"}))
	must(t, ben.Do(g, group.SetTitle{Title: "B"}))
	round := final(ann, g).Voting
	a, b := vote(dan, g, 90, round, machine(ann, g).Head()), vote(dan, g, 90, round, machine(ben, g).Head())
	w.HealAll()
	w.Deliver(dan, ann, g, sim.Pushed(a))
	w.Deliver(dan, ben, g, sim.Pushed(b))
	w.Run(60 * minute)
	settledAll(t, g, 20, nodes[:3]...)
	for _, n := range nodes {
		if count[group.VotedTwice](n, g) != 1 {
			t.Errorf("%s does not know who lied", n.Name)
		}
	}
	s := machine(ann, g).Blocks().State(machine(ann, g).Head())
	if who, ok := s.Person(dan.Self.Person); !ok || who.Status != chain.StatusActive || s.Belongs(dan.Self.Device.ID()) {
		t.Errorf("Dan is %+v", who)
	}
	if f := final(ann, g); len(f.Voters) != 3 {
		t.Errorf("%d voters are left", len(f.Voters))
	}
	if status(dan, g) != group.StatusRemoved {
		t.Errorf("Dan's device has status %d", status(dan, g))
	}
}

// TestLiarBehindALiar: what one voter said is a lie only to who sees the blocks, so
// that no Slash can cite it; that does not keep another liar from being taken out.
func TestLiarBehindALiar(t *testing.T) {
	w, nodes, g := voting(t, "Ann", "Ben", "Cleo", "Dan")
	ann, subtle, plain := nodes[0], nodes[2], nodes[3]
	if a, b := subtle.Self.Device.ID(), plain.Self.Device.ID(); bytes.Compare(a[:], b[:]) > 0 {
		subtle, plain = plain, subtle
	}
	era := machine(ann, g).Era()
	must(t, ann.Do(g, group.SetTitle{Title: "A"}))
	must(t, ann.Do(g, group.SetTitle{Title: "B"}))
	w.Run(1000)
	head, round := machine(ann, g).Head(), final(ann, g).Voting
	said := func(n *sim.Node, seq, round uint64, source wire.BlockHash) *chain.Vote {
		v := vote(n, g, seq, round, head)
		v.Source = chain.Source{Round: 1, Block: source}
		v.Seal(n.Self.Device.Sign)
		return v
	}
	for _, v := range []*chain.Vote{
		said(subtle, 90, round+2, head), said(subtle, 91, round+3, era),
		vote(plain, g, 90, round+2, head), vote(plain, g, 90, round+2, era),
	} {
		w.Deliver(nodes[1], ann, g, sim.Pushed(v))
	}
	subtle.Stop()
	plain.Stop()
	w.Run(10 * minute)
	if got := count[group.VotedTwice](ann, g); got != 2 {
		t.Fatalf("Ann knows of %d liars", got)
	}
	if devices(ann, plain, g) != 0 {
		t.Error("the plain liar is still there")
	}
}

// TestOldBackup: a voter restored from a backup learns from others what it voted, and
// votes no more. Cleo is off meanwhile, so that it takes Dan's vote to settle: one that
// was not needed nobody keeps, and nothing that Dan votes then can be at odds with it.
func TestOldBackup(t *testing.T) {
	w, nodes, g := voting(t, "Ann", "Ben", "Cleo", "Dan")
	ann, cleo, dan := nodes[0], nodes[2], nodes[3]
	dan.Stop()
	backup := dan.Groups[g].Copy()
	dan.Start()
	cleo.Stop()
	must(t, ann.Do(g, group.SetTitle{Title: "New"}))
	w.Run(10 * minute)
	cleo.Start()
	w.Run(10 * minute)
	settledAll(t, g, 9, nodes...)
	dan.Stop()
	dan.Groups[g] = backup
	dan.Start()
	w.Run(5 * minute)
	if !final(dan, g).Excluded || count[group.Copied](dan, g) == 0 {
		t.Error("Dan's old copy votes on")
	}
}

// TestCertificateInInvitation: a newcomer that was told nothing else knows what is
// settled.
func TestCertificateInInvitation(t *testing.T) {
	w, nodes, g := voting(t, "Ann", "Ben", "Cleo", "Dan")
	eve := w.Add("Eve")
	for _, n := range nodes[1:] {
		w.Cut(n, eve)
	}
	before := final(nodes[0], g)
	must(t, nodes[0].Do(g, group.Invite{Newcomers: []group.Newcomer{eve.Newcomer()}}))
	w.Run(1000)
	if got := final(eve, g); got.Block != before.Block || got.Height == 0 || !slices.Equal(got.Voters, before.Voters) {
		t.Errorf("Eve has block %d settled", got.Height)
	}
}

// TestSettledSecretsGo: when a block is settled its parent's epoch leads nowhere
// any more, and when all have written after it nothing of that epoch is left.
func TestSettledSecretsGo(t *testing.T) {
	w, nodes, g := voting(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	old := machine(ann, g).Head()
	must(t, ann.Do(g, group.SetTitle{Title: "New"}))
	w.Run(1000)
	size := len(ann.Groups[g].Records[group.KindEpoch][string(old[:])])
	w.Run(10 * minute)
	settledAll(t, g, 9, nodes...)
	closed := len(ann.Groups[g].Records[group.KindEpoch][string(old[:])])
	if closed == 0 || closed > size-150 { // the leaf's key and five secrets less
		t.Errorf("of the parent %d bytes are kept, and were %d", closed, size)
	}
	for i, n := range []*sim.Node{ben, cleo} {
		must(t, n.Say(g, "moved on"))
		w.Run(5 * minute)
		if _, kept := ann.Groups[g].Records[group.KindEpoch][string(old[:])]; kept != (i == 0) {
			t.Errorf("after %d have moved on the epoch is kept: %v", i+1, kept)
		}
	}
	for key := range ann.Groups[g].Records[group.KindRatchet] {
		if key[:32] == string(old[:]) {
			t.Fatal("message keys of it are kept")
		}
	}
	ann.Stop()
	ann.Start()
	must(t, ann.Say(g, "still here"))
	w.Run(5000)
	alike(t, g, nodes...)
}

// TestVoterOfThePast: Ann alone settled the first blocks of the group, and has her key
// still. With it she settles another branch, years later: everybody is told, stays
// where they are, and goes on, across restarts, with people who come new.
func TestVoterOfThePast(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo", "Dan")
	ann, ben, dan := nodes[0], nodes[1], nodes[3]
	promote(t, w, g, ann, ben)
	part(w, ann, nodes[2])
	must(t, ben.Do(g, group.SetTitle{Title: "Ben's"}))
	other := machine(ben, g).Head()
	w.Run(10 * minute)
	w.HealAll()
	w.Run(day)
	settledAll(t, g, 99, nodes...)
	before := final(ben, g)
	if len(before.Voters) != 4 || machine(ben, g).Blocks().IsAncestor(other, before.Block) {
		t.Fatalf("%+v", before)
	}
	lie := &chain.Vote{
		Group: g, Device: ann.Self.Device.ID(), Seq: 90, Era: wire.BlockHash(g), Round: 1,
		Block: other, Source: chain.Source{Block: wire.BlockHash(g)},
	}
	next := *lie
	next.Seq, next.Round, next.Source = 91, 2, chain.Source{Round: 1, Block: other}
	for _, v := range []*chain.Vote{lie, &next} {
		v.Seal(ann.Self.Device.Sign)
		w.Deliver(ann, ben, g, sim.Pushed(v))
	}
	w.Run(10 * minute)
	others := nodes[1:]
	for _, n := range others {
		if !slices.ContainsFunc(n.Groups[g].Events, func(e group.Event) bool {
			twice, ok := e.(group.SettledTwice)
			return ok && twice.Kept && !twice.Stopped && twice.Blocks[1] == other
		}) {
			t.Errorf("%s is not told: %+v", n.Name, final(n, g).Conflict)
		}
		n.Stop()
	}
	for _, n := range others {
		n.Start()
		if f := final(n, g); !machine(n, g).Blocks().IsAncestor(before.Block, f.Block) || f.Conflict == nil {
			t.Errorf("%s: after a restart %+v", n.Name, f)
		}
	}
	eve := w.Add("Eve")
	must(t, ben.Do(g, group.Invite{Newcomers: []group.Newcomer{eve.Newcomer()}}))
	w.Run(1000)
	must(t, eve.Do(g, group.Accept{}))
	w.Run(20 * minute)
	must(t, dan.Do(g, group.Rekey{}))
	w.Run(20 * minute)
	settledAll(t, g, 99, append(others, eve)...)
	if f := final(eve, g); !machine(eve, g).Blocks().IsAncestor(before.Block, f.Block) || f.Height <= before.Height {
		t.Errorf("Eve: %+v", f)
	}
}
