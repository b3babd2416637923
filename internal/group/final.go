package group

import (
	"slices"

	"kith/internal/chain"
	"kith/internal/wire"
)

// What follows when a block is settled, and what people are shown of it.

// final is what is settled, as last announced.
type final struct {
	block    wire.BlockHash
	conflict bool
}

// conclude announces what is settled now and was not before.
func (m *Machine) conclude(now uint64, eff *Effects) {
	if c := m.votes.Conflict(); (c != nil) != m.final.conflict {
		m.final.conflict = c != nil
		if c != nil {
			eff.Notify = append(eff.Notify, SettledTwice{c.Blocks, c.Stopped, c.Kept})
		}
	}
	s := m.votes.Settled()
	if s == m.final.block {
		return
	}
	m.pin(eff)
	m.restraint, m.electLook = 0, true
	for _, person := range m.leavers() { // it may have waited for that
		delete(m.turns, errandName{kind: errandLeave, person: person})
	}
	eff.Notify = append(eff.Notify, Settled{Block: s, Height: m.blocks.Header(s).Height})
	m.prune(now, eff)
	m.tellUntold(eff)
	m.inviteProved(now)
}

// pin makes what is settled stay so, whatever votes come to be held.
func (m *Machine) pin(eff *Effects) {
	s := m.votes.Settled()
	m.votes.Pin(s)
	m.final.block = s
	eff.put(KindSettled, nil, s[:])
}

// restrain takes note of when the head came to be so far beyond the settled
// block that this device signs no more than removals. A voter who comes and goes
// does not begin that anew.
func (m *Machine) restrain() {
	s := m.stateAt(m.votes.Settled())
	switch {
	case s.OfPerson() || !chain.Restrained(s, m.state()):
		m.restraint = 0
	case m.restraint == 0 && m.votersHere():
		m.restraint = max(m.elapsed, 1)
	}
}

// restrained reports whether the voters are to catch up first. Those that do not
// in a while, though they were here, are not waited for.
func (m *Machine) restrained() bool {
	m.restrain()
	return m.restraint != 0 && m.votersHere() && m.elapsed-m.restraint < restraintTime
}

// votersHere reports whether the voters are more than this device, and enough of
// them are connected to settle something.
func (m *Machine) votersHere() bool {
	voters := m.votes.Voters()
	here := 0
	for _, v := range voters {
		if p := m.peers[v.Device]; v.Device == m.self.Device.ID() || p != nil && p.named {
			here++
		}
	}
	return len(voters) > 1 && here >= chain.Quorum(len(voters))
}

// A Finality says what of a group is settled for ever, and who decides that.
type Finality struct {
	Block    wire.BlockHash // settled, with all before it
	Height   uint64
	Round    uint64          // whose votes settled it; 0: it is genesis
	By       []wire.PersonID // who cast them
	Voters   []wire.PersonID // of the current era, by person
	Quorum   int             // how many of them settle a block
	Voting   uint64          // round that voters vote in now; 0: the head is settled
	Since    uint64          // the round of their era that settled last; 0: none has. See [chain.Dwell]
	Voted    []wire.PersonID // who has voted in it
	Excluded bool            // this device never votes: another copy of it is, or was, running
	Conflict *chain.Conflict // two blocks were settled that exclude each other; nil: none
}

// Finality returns what is settled.
func (m *Machine) Finality() Finality {
	s := m.votes.Settled()
	f := Finality{
		Block: s, Height: m.blocks.Header(s).Height, Conflict: m.votes.Conflict(), Excluded: m.voter.Restored,
	}
	f.By, f.Round, _ = m.SettledBy(s)
	voters := m.votes.Voters()
	f.Quorum = chain.Quorum(len(voters))
	for _, v := range voters {
		f.Voters = append(f.Voters, v.Person)
	}
	if s != m.head {
		f.Voting, f.Since = m.votes.Round()+1, m.votes.Since()
		f.Voted = m.voted(m.current(), f.Voting)
	}
	return f
}

// SettledBy returns who settled a block and in which round; false if it is not
// settled. Genesis needs nobody.
func (m *Machine) SettledBy(hash wire.BlockHash) (by []wire.PersonID, round uint64, ok bool) {
	if !m.votes.IsSettled(hash) {
		return nil, 0, false
	}
	if hash == m.blocks.Genesis() {
		return nil, 0, true
	}
	for _, w := range m.votes.Settlement() {
		if m.blocks.IsAncestor(hash, w.Block) {
			round = w.Votes[len(w.Votes)-1].Round
			return m.voted(w.Votes, round), round, true
		}
	}
	return nil, 0, true
}

// voted returns the persons whose votes of a round are among the list, sorted.
func (m *Machine) voted(list []*chain.Vote, round uint64) (people []wire.PersonID) {
	for _, v := range list {
		if v.Round != round {
			continue
		}
		who, _, _ := m.stateAt(v.Era).Device(v.Device)
		if !slices.Contains(people, who.Person) {
			people = append(people, who.Person)
		}
	}
	slices.SortFunc(people, comparePerson)
	return people
}

// Voters returns the devices that vote in the current era, by person; of a person
// who has none the device is zero.
func (m *Machine) Voters() []wire.Member { return m.votes.Voters() }

// Era returns the block that starts the current era.
func (m *Machine) Era() wire.BlockHash { return m.votes.Era() }

// Settled returns the block that is settled, with all before it.
func (m *Machine) Settled() wire.BlockHash { return m.final.block }

// Head returns the block whose state counts.
func (m *Machine) Head() wire.BlockHash { return m.head }

// Chain returns the blocks from genesis to the head.
func (m *Machine) Chain() []wire.BlockHash { return m.notOn(m.head, wire.BlockHash{}) }
