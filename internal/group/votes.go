package group

import (
	"bytes"
	"errors"
	"maps"
	"slices"

	"kith/internal/chain"
	"kith/internal/wire"
)

// Votes settle blocks for ever (docs/spec/settlement.md). Here they are taken,
// stored, and passed on: a new one once to everybody, and what a peer lacks when
// the digests differ. Programs of the first version hear nothing of them, and
// the digest that goes to those leaves them out.

// ballots is what the records hold of votes.
type ballots struct {
	votes    map[string]bool // by key
	evidence map[wire.DeviceID]*chain.Evidence
	digest   wire.Digest // of what counts now; zero: nothing at all
	came     bool        // a block did since who gave votes too early was last asked for them again
}

// pick returns the head by the blocks and votes held.
func (m *Machine) pick() wire.BlockHash {
	if genesis := m.stateAt(m.blocks.Genesis()); genesis == nil || genesis.OfPerson() {
		return m.blocks.Head() // there the recovery key settles
	}
	return m.votes.Head()
}

// modern reports whether a device reads frames from 9 on: its leaf says so, or did
// before it was parked, or it sent one itself.
func (m *Machine) modern(d wire.DeviceID) bool {
	p := m.peers[d]
	return p != nil && (p.modern || m.parkedReads(p, FeatureRepair)) || m.reads(d, FeatureRepair)
}

// parkedReads reports whether a member's device that has no leaf at the head
// announced a feature in the one that it was admitted with: one that is
// invited sends nothing by which that would be known.
func (m *Machine) parkedReads(p *peer, feature uint16) bool {
	d := p.member.Device
	if !m.state().Belongs(d) || m.state().Active(d) {
		return false
	}
	came := m.came(d)
	if m.blocks.IsLight(came) { // its leaf is not here; without these two it would hear nothing at all
		return feature == FeatureRepair || feature == FeatureHeaders
	}
	if p.admitted != came {
		p.admitted, p.announced = came, m.announcedAt(came, p.member)
	}
	return slices.Contains(p.announced, feature)
}

// voteKey sorts votes so that those are loaded first that others need: by era
// and round.
func (m *Machine) voteKey(v *chain.Vote) []byte {
	hash := v.Hash()
	var w wire.Writer
	w.U64(m.blocks.Header(v.Era).Height)
	w.Raw(v.Era[:])
	w.U64(v.Round)
	w.Raw(v.Device[:])
	w.Raw(hash[:])
	return w.Bytes()
}

// keepVotes writes what has changed of the votes held. Rounds that are over are
// deleted.
func (m *Machine) keepVotes(eff *Effects) {
	held := make(map[string]bool)
	for _, v := range m.votes.All() {
		key := m.voteKey(v)
		if held[string(key)] = true; !m.ballots.votes[string(key)] {
			eff.put(KindVote, key, v.Marshal())
		}
	}
	for _, key := range slices.Sorted(maps.Keys(m.ballots.votes)) {
		if !held[key] {
			eff.drop(KindVote, []byte(key))
		}
	}
	m.ballots.votes = held
	for _, e := range m.votes.Evidence() {
		device := e.Device()
		if old := m.ballots.evidence[device]; old != e {
			m.ballots.evidence[device] = e
			eff.put(KindVoteEvidence, device[:], e.Marshal())
			if old == nil {
				who, _, _ := m.stateAt(e.A.Era).Device(device)
				eff.Notify = append(eff.Notify, VotedTwice{wire.Member{Person: who.Person, Device: device}})
			}
		}
	}
	m.ballots.digest = m.voteDigest()
}

// voteDigest is the hash of what is settled, the votes of the current era and
// the evidence; zero if there is none of it. Votes of eras that ended count in
// what is settled.
func (m *Machine) voteDigest() wire.Digest {
	var w wire.Writer
	settled := m.votes.Settled()
	w.Raw(settled[:])
	some := settled != m.blocks.Genesis()
	w.Group(func(w *wire.Writer) {
		for _, v := range m.current() {
			hash := v.Hash()
			w.Raw(hash[:])
			some = true
		}
	})
	w.Group(func(w *wire.Writer) {
		for _, e := range m.votes.Evidence() {
			w.Raw(e.Marshal())
			some = true
		}
	})
	if !some {
		return wire.Digest{}
	}
	return wire.Digest(wire.Hash(wire.HashVotes, m.group[:], w.Bytes()))
}

// current returns the votes of the current era.
func (m *Machine) current() []*chain.Vote {
	era := m.votes.Era()
	return slices.DeleteFunc(m.votes.All(), func(v *chain.Vote) bool { return v.Era != era })
}

// sendHeld tells a peer in short what is held of votes, and asks for the rest.
func (m *Machine) sendHeld(d wire.DeviceID, eff *Effects) {
	p := m.peers[d]
	p.held = held{m.votes.Settled(), m.ballots.digest}
	eff.send(d, votesFrame{part: votesHeld, settled: p.held.settled, digest: p.held.digest}.bytes())
}

// held is what a peer was told last of the votes here.
type held struct {
	settled wire.BlockHash
	digest  wire.Digest
}

func (m *Machine) onVotes(now uint64, p *peer, r *wire.Reader, eff *Effects) error {
	f, err := parseVotes(r)
	if err != nil {
		return err
	}
	if f.part == votesHeld {
		if m.speaks() && m.answers(now, p, &p.asksVotes) {
			m.answerHeld(p, f, eff)
		}
		return nil
	}
	m.takeVotes(now, p, f, eff)
	return nil
}

// answerHeld gives a peer the votes that it may lack: the warrants of the eras from
// its settled block on, and all votes of the current era. It is told what is held
// here, unless it was already: then it gives the rest.
func (m *Machine) answerHeld(p *peer, f votesFrame, eff *Effects) {
	if f.digest == m.ballots.digest && f.settled == m.votes.Settled() {
		return
	}
	d := p.member.Device
	answer := votesFrame{part: votesAnswered, evidence: m.votes.Evidence(), votes: m.current()}
	for _, w := range m.votes.Settlement() {
		if !m.blocks.IsAncestor(w.Block, f.settled) {
			answer.warrants = append(answer.warrants, w)
		}
	}
	if len(answer.evidence) > maxVoteEvidence {
		answer.evidence = answer.evidence[:maxVoteEvidence]
	}
	if len(answer.votes) > maxVotes {
		answer.votes = answer.votes[:maxVotes]
	}
	if m.blocks.Has(f.settled) && !answer.empty() {
		eff.send(d, answer.bytes())
	}
	if (p.held != held{m.votes.Settled(), m.ballots.digest}) {
		m.sendHeld(d, eff)
	}
}

// takeVotes takes votes and what they come with, up to the first that no honest
// device passes on, and spreads what is new.
func (m *Machine) takeVotes(now uint64, p *peer, f votesFrame, eff *Effects) {
	fresh, later, err := m.addVotes(f, eff)
	if err != nil {
		eff.Notify = append(eff.Notify, Misbehaved{p.member, "vote"})
	}
	switch {
	case later && f.part == votesPushed:
		m.wantHave(now, p)
	case later:
		p.early = true // asked again at once, two who each lack the other's blocks would never end
	}
	if !fresh.empty() {
		if m.speaks() { // who is invited only listens
			m.spreadVotes(fresh, p.member.Device, eff)
		}
		m.count(now, eff)
	}
}

// askVotesAgain asks those who gave votes too early for them again, since a block has come: else they take
// themselves to have answered.
func (m *Machine) askVotesAgain(now uint64) {
	if !m.ballots.came {
		return
	}
	m.ballots.came = false
	for _, p := range m.peers {
		if p.early {
			p.early = false
			m.wantHave(now, p)
		}
	}
}

// addVotes adds what can be added and returns what of it is new; later says that
// something has to come first. The error is the sender's fault.
func (m *Machine) addVotes(f votesFrame, eff *Effects) (fresh votesFrame, later bool, err error) {
	fresh.part = votesPushed
	foreign := false // a vote of this device that it did not cast
	ok := func(changed bool, e error) bool {
		var missing *chain.MissingError
		var early *chain.EarlyError
		switch {
		case errors.As(e, &missing), errors.As(e, &early):
			later = true
		case e != nil:
			err = e
		}
		return changed && e == nil
	}
	for _, w := range f.warrants {
		m.wantNamed(w.Votes)
		if ok(m.votes.AddWarrant(w)) {
			fresh.warrants = append(fresh.warrants, w)
			foreign = foreign || slices.ContainsFunc(w.Votes, m.notMine)
		}
	}
	m.wantNamed(f.votes)
	for _, v := range f.votes {
		if !ok(m.votes.Add(v)) {
			continue
		}
		fresh.votes = append(fresh.votes, v)
		m.hear(v.Device, eff)
		foreign = foreign || v.Device == m.self.Device.ID()
	}
	if foreign {
		m.copied(eff)
	}
	for _, e := range f.evidence {
		m.wantNamed([]*chain.Vote{e.A, e.B})
		if ok(m.votes.AddEvidence(e)) {
			fresh.evidence = append(fresh.evidence, e)
		}
	}
	return fresh, later, err
}

// notMine reports whether a vote is of this device and later than what it cast
// last, or another in its place.
func (m *Machine) notMine(v *chain.Vote) bool {
	last := m.voter.Last
	return v.Device == m.self.Device.ID() &&
		(last == nil || v.Seq > last.Seq || v.Seq == last.Seq && v.Hash() != last.Hash())
}

// spreadVotes sends what is new to the members that read it, but for the one it
// came from.
func (m *Machine) spreadVotes(f votesFrame, from wire.DeviceID, eff *Effects) {
	payload := f.bytes()
	for _, d := range m.connected(false) {
		if d != from && m.modern(d) {
			eff.send(d, payload)
		}
	}
}

// count writes votes that are new and does what follows from them.
func (m *Machine) count(now uint64, eff *Effects) {
	m.keepVotes(eff)
	m.allTold(now + digestAfter)
	if m.pick() != m.head {
		m.advance(now, eff)
	}
	m.conclude(now, eff)
}

// offerVotes tells a peer that this device reads votes, if its leaf does not yet.
func (m *Machine) offerVotes(d wire.DeviceID, eff *Effects) {
	if m.modern(d) && !m.says(m.self.Device.ID(), FeatureRepair) {
		m.sendHeld(d, eff)
	}
}

// takeCertificate takes the settlement that an invitation brings.
func (m *Machine) takeCertificate(b []byte, eff *Effects) error {
	if len(b) == 0 {
		return nil
	}
	s, err := chain.ParseSettlement(b)
	if err != nil {
		return err
	}
	for _, w := range s {
		if _, err := m.votes.AddWarrant(w); err != nil {
			return err
		}
	}
	m.keepVotes(eff)
	return nil
}

func (l *loading) vote(rec Record) error {
	v, err := chain.ParseVote(rec.Value)
	if err != nil {
		return err
	}
	if err := l.m.votes.Restore(v); err != nil {
		return err
	}
	if !bytes.Equal(l.m.voteKey(v), rec.Key) {
		return errRecord
	}
	l.m.ballots.votes[string(rec.Key)] = true
	return nil
}

func (l *loading) voteEvidence(rec Record) error {
	e, err := chain.ParseEvidence(rec.Value)
	if err != nil {
		return err
	}
	if _, err := l.m.votes.AddEvidence(e); err != nil {
		return err
	}
	return nil
}

func (l *loading) settled(rec Record) error {
	if len(rec.Key) != 0 || len(rec.Value) != 32 || !l.m.votes.Pin(wire.BlockHash(rec.Value)) {
		return errRecord
	}
	return nil
}
