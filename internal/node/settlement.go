package node

import (
	"slices"

	"kith/internal/chain"
	"kith/internal/group"
	"kith/internal/wire"
)

// A Settlement says what of a group can no longer be undone, and who decides that.
type Settlement struct {
	Chat      wire.GroupID
	Kind      ChatKind
	Block     wire.BlockHash // settled, with all before it
	Height    uint64
	Round     uint64   // whose votes settled it; 0: it is the first
	By        []Person // who cast them
	Open      uint64   // how many blocks of the chain stand above it
	Voters    []Voter
	Quorum    int
	Liars     int      // how many voters may lie without harm
	Voting    uint64   // the round they vote in now; 0: nothing is open
	Since     uint64   // the round of their era that settled last; 0: none has
	Muted     bool     // this device never votes
	Stopped   bool     // nobody votes any more
	Coming    []Person // voters that are chosen, once that is settled
	Incidents []Incident
}

// A Voter is a member that votes.
type Voter struct {
	Person Person
	Device wire.DeviceID // zero: it has none, and cannot vote
	Voted  bool          // in the round of now
	Gone   bool          // the device it votes by is no member's any more, or never votes again
	Left   bool          // it is no member any more
	Heir   bool          // it has another device, which votes once that is settled
}

// Able reports whether it can vote.
func (v Voter) Able() bool { return !v.Gone && v.Device != (wire.DeviceID{}) }

// Gone reports whether something is open and too few voters are left to settle it.
func (s Settlement) Gone() bool {
	left := 0
	for _, v := range s.Voters {
		if v.Voted || v.Able() {
			left++
		}
	}
	return s.Voting > 0 && left < s.Quorum
}

// Settlement returns what is settled in a group, and what there is against whom.
func (n *Node) Settlement(g wire.GroupID) (Settlement, error) {
	o, err := n.in(g)
	if err != nil {
		return Settlement{}, err
	}
	c, err := n.chat(o)
	if err != nil {
		return Settlement{}, err
	}
	s := Settlement{Chat: g, Kind: c.Kind}
	err = o.ask(func() error {
		o.settlement(&s)
		return nil
	})
	return s, err
}

func (o *owner) settlement(s *Settlement) {
	m := o.machine
	f := m.Finality()
	s.Block, s.Height, s.Round, s.By = f.Block, f.Height, f.Round, o.people(f.By)
	s.Open = m.Blocks().Header(m.Head()).Height - f.Height
	s.Quorum, s.Liars, s.Voting, s.Since, s.Muted = f.Quorum, chain.Faults(len(f.Voters)), f.Voting, f.Since, f.Excluded
	s.Stopped = f.Conflict != nil && f.Conflict.Stopped
	head := m.Blocks().State(m.Head())
	for _, v := range m.Voters() {
		who, _ := head.Person(v.Person)
		s.Voters = append(s.Voters, Voter{
			Person: o.n.personIn(m, v.Person), Device: v.Device, Voted: slices.Contains(f.Voted, v.Person),
			Gone: !o.votes(head, v),
			Left: who.Status == chain.StatusRemoved,
			Heir: slices.ContainsFunc(head.Voters(), func(next wire.Member) bool {
				return next.Person == v.Person && next.Device != v.Device && next.Device != (wire.DeviceID{})
			}),
		})
	}
	slices.SortFunc(s.Voters, func(a, b Voter) int { return meFirst(a.Person, b.Person) })
	if next := head.Electorate(); !slices.Equal(next, f.Voters) {
		s.Coming = o.people(next)
	}
	s.Incidents = o.standing(f.Conflict)
}

func (o *owner) people(ids []wire.PersonID) (list []Person) {
	for _, id := range ids {
		list = append(list, o.n.personIn(o.machine, id))
	}
	slices.SortFunc(list, meFirst)
	return list
}

// meFirst orders people as they are named: oneself, then by name.
func meFirst(a, b Person) int {
	switch {
	case a.Me != b.Me && a.Me:
		return -1
	case a.Me != b.Me:
		return 1
	}
	return compareNames(a, b)
}

// SetVoters names who votes.
func (n *Node) SetVoters(g wire.GroupID, people []wire.PersonID) error {
	return n.inGroup(g, group.SetVoters{People: people})
}

// A ledger says of the blocks of the chain who settled them. It is made once for
// all of them.
type ledger struct {
	machine   *group.Machine
	settlings []group.Settling
}

func newLedger(m *group.Machine) ledger { return ledger{m, m.Settlings()} }

// SettledBy returns by whose votes of which round a block is settled, or that it
// is not. What was settled before there were votes here nobody is named for.
func (l ledger) SettledBy(hash wire.BlockHash) (by []wire.PersonID, round uint64, ok bool) {
	if !l.machine.IsSettled(hash) {
		return nil, 0, false
	}
	height := l.machine.Blocks().Header(hash).Height
	i := slices.IndexFunc(l.settlings, func(s group.Settling) bool { return s.Height >= height })
	if i < 0 || height == 0 {
		return nil, 0, true
	}
	return l.settlings[i].By, l.settlings[i].Round, true
}

// openings fills in, of the blocks of the chain that are not settled, who has
// voted for them and who has not.
func (o *owner) openings(list []Block) {
	m := o.machine
	newest, voters := m.Newest(), m.Voters()
	for i := range list {
		b := &list[i]
		for _, who := range m.Stuck(b.Hash) {
			b.Stuck = append(b.Stuck, o.n.personIn(m, who.Person))
		}
		if !b.OnChain || b.Drawn.Settled {
			continue
		}
		for _, v := range voters {
			who := o.n.personIn(m, v.Person)
			if vote, voted := newest[v.Person]; voted && m.Blocks().IsAncestor(b.Hash, vote) {
				b.VotedBy = append(b.VotedBy, who)
			} else {
				b.WaitsFor = append(b.WaitsFor, who)
			}
		}
		slices.SortFunc(b.VotedBy, meFirst)
		slices.SortFunc(b.WaitsFor, meFirst)
	}
}
