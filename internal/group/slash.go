package group

import (
	"bytes"
	"slices"

	"kith/internal/chain"
	"kith/internal/wire"
)

// A device that voted twice is taken out, by whoever's turn is first: the two
// votes speak for themselves. Its person stays a member.

// slashLiars makes the Slash whose time has come.
func (m *Machine) slashLiars(now uint64, eff *Effects) {
	liar, ok := m.liar()
	switch {
	case !ok:
		m.slashDue = 0
	case m.slashDue == 0:
		m.slashDue = now + m.turnAgainst(liar.Device())*errandStep + 1
	case isDue(m.slashDue, now):
		m.slashDue = 0
		if m.slashVoter(now, liar, eff) != nil {
			m.slashDue = now + slashAgain
		}
	}
}

// liar returns evidence against a device that has to go and that this device may
// take out.
func (m *Machine) liar() (*chain.Evidence, bool) {
	if len(m.ballots.evidence) == 0 || m.mayWrite() != nil || !m.allRead(FeatureRepair) {
		return nil, false
	}
	for _, e := range m.votes.Evidence() {
		if d := e.Device(); d != m.self.Device.ID() && m.state().Belongs(d) && e.Slashable() {
			return e, true
		}
	}
	return nil, false
}

func (m *Machine) slashVoter(now uint64, e *chain.Evidence, eff *Effects) error {
	who, _, _ := m.state().Device(e.Device())
	cited := [][]byte{e.A.Marshal(), e.B.Marshal()}
	slices.SortFunc(cited, bytes.Compare)
	op := &chain.Slash{
		Person: who.Person, Instance: who.Instance, Device: e.Device(), What: chain.SlashVotes, Cites: cites(cited),
	}
	for _, cut := range m.cuts(who) {
		if cut.Device == e.Device() {
			op.Cuts = append(op.Cuts, cut)
		}
	}
	return m.commit(now, change{ops: []chain.Op{op}, attachments: cited}, eff)
}

// turnAgainst is this device's place among those that may act against another: members
// by rank.
func (m *Machine) turnAgainst(but wire.DeviceID) (turn uint64) {
	against, _, _ := m.state().Device(but)
	for _, who := range m.byRank() {
		if who.Person == m.self.Person {
			break
		}
		if who.Person != against.Person && m.acceptedBy(who) {
			turn++
		}
	}
	return turn
}
