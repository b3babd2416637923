package group

import (
	"kith/internal/chain"
	"kith/internal/wire"
)

// Casting: whether this device is a voter and what it votes for, package chain
// decides; here it is asked, and what it says is stored before it is sent.

// vote asks the own voter, and casts.
func (m *Machine) vote(now uint64, eff *Effects) {
	d := m.decide()
	switch {
	case d.Vote != nil:
		m.voteDue = 0
		m.cast(now, d.Vote, eff)
	case d.Wait != 0:
		m.voteDue = now + d.Wait
	case d.Fetch == nil:
		m.voteDue = 0
	case m.voteDue <= now: // the votes of the own source are lacking: whoever has them is asked
		m.voteDue = now + askVotes
		for _, device := range m.connected(true) {
			if m.modern(device) {
				m.wantHave(now, m.peers[device])
			}
		}
	}
}

// cast signs a vote, takes it in, and hands it on.
func (m *Machine) cast(now uint64, v *chain.Vote, eff *Effects) {
	v.Seal(m.self.Device.Sign)
	if _, err := m.votes.Add(v); err != nil {
		return
	}
	m.voter.Last = v
	eff.Write = append(eff.Write, m.voterRecord())
	m.spreadVotes(votesFrame{part: votesPushed, votes: []*chain.Vote{v}}, v.Device, eff)
	m.count(now, eff)
	if d := m.decide(); d.Wait != 0 { // the next round begins its dwell
		m.voteDue = now + d.Wait
	} else if d.Vote != nil {
		m.voteDue = now + 1
	}
}

// decide asks the own voter. It dwells no more while somebody leaves whose vote is
// waited for: that one may not be here for long, and a round still needs the votes of
// the one before.
func (m *Machine) decide() chain.Decision {
	d := m.voter.Decide(m.votes, m.elapsed)
	if d.Wait == 0 {
		return d
	}
	for _, person := range m.leavers() {
		if m.decidesStill(person) {
			return m.voter.Decide(m.votes, m.elapsed+d.Wait)
		}
	}
	return d
}

// voterRecord is what the own voter must not forget.
//
//	size field
//	1    1: another copy of this device is, or was, running; it never votes again
//	V    the vote cast last; empty: none
func (m *Machine) voterRecord() Record {
	var w wire.Writer
	w.Bool(m.voter.Restored)
	if m.voter.Last != nil {
		w.Vec(m.voter.Last.Marshal())
	} else {
		w.Vec(nil)
	}
	return Record{KindVoter, nil, w.Bytes()}
}

func (l *loading) voter(rec Record) error {
	r := wire.NewReader(rec.Value)
	l.m.voter.Restored = r.Bool()
	last := r.Vec(chain.VoteSize)
	if err := r.Done(); err != nil {
		return err
	}
	if len(last) == 0 {
		return nil
	}
	v, err := chain.ParseVote(last)
	l.m.voter.Last = v
	return err
}

// copied takes note that this device's key signed what this device did not: it
// was restored from a backup, or there are two of it. What else the other copy
// voted for nobody knows, so this one votes no more.
func (m *Machine) copied(eff *Effects) {
	eff.Notify = append(eff.Notify, Copied{})
	if !m.voter.Restored {
		m.voter.Restored = true
		eff.Write = append(eff.Write, m.voterRecord())
	}
}

// follows reports whether this device may vote for a block: it holds its keys, or
// those of a block above it on the way to the head, as who came back after keys were
// restarted, or never could have held them, as of one that takes it out. One that
// holds a parent's and not the block's could not follow the commit, unless that
// starts new keys, of which whoever has no leaf there needs none.
func (m *Machine) follows(hash wire.BlockHash) bool {
	if m.blocks.Has(hash) && m.followsAbove(hash) {
		return true
	}
	settled, self := m.votes.Settled(), m.self.Device.ID()
	for hash != settled {
		h := m.blocks.Header(hash)
		if h == nil {
			return false
		}
		active := m.stateAt(hash).Active(self)
		if m.epochs[hash] != nil || h.IsGenesis() || h.Starts() && !active {
			return true
		}
		if m.epochs[h.Parent] != nil && active {
			return false
		}
		hash = h.Parent
	}
	return true
}

// followsAbove reports whether the keys of a block between a block and the head, or
// of one of the two, are held.
func (m *Machine) followsAbove(hash wire.BlockHash) bool {
	if !m.blocks.IsAncestor(hash, m.head) {
		return false
	}
	for at := m.head; ; at = m.blocks.Header(at).Parent {
		if m.epochs[at] != nil || at == hash {
			return m.epochs[at] != nil
		}
	}
}
