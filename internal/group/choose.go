package group

import (
	"slices"

	"kith/internal/chain"
	"kith/internal/wire"
)

// Voters by an admin's choice. A block that names them by hand renews its author's
// keys as well, and one that a node makes by itself does not: by that every
// admin's node knows a choice, and adds nobody to it.

// votersOps are the ops that name the voters.
func votersOps(list []wire.PersonID, chosen bool) []chain.Op {
	ops := []chain.Op{&chain.SetPolicy{Electorate: list}}
	if chosen {
		ops = append(ops, &chain.Rekey{})
	}
	return ops
}

// chosen reports whether an admin named the voters of the head by hand.
func (m *Machine) chosen() bool {
	for hash := m.head; ; {
		h := m.blocks.Header(hash)
		named, renews := false, false
		for _, op := range h.Ops {
			switch op := op.(type) {
			case *chain.SetPolicy:
				named = named || len(op.Electorate) > 0
			case *chain.Rekey:
				renews = true
			}
		}
		if named || h.IsGenesis() {
			return named && renews
		}
		hash = h.Parent
	}
}

// setVoters lets an admin name the voters: witnesses who would be none by
// themselves, or fewer. Whom the nodes would name anyway is no choice, and the
// nodes go on by themselves.
func (m *Machine) setVoters(now uint64, people []wire.PersonID, eff *Effects) error {
	if err := m.mayWrite(); err != nil {
		return err
	}
	s := m.state()
	list := slices.Clone(people)
	slices.SortFunc(list, comparePerson)
	list = slices.Compact(list)
	switch {
	case s.DirectChat():
		return refuse(ReasonDirect, nil)
	case !s.IsAdmin(m.self.Person):
		return refuse(ReasonRole, nil)
	case len(list) == 0:
		return refuse(ReasonNoVoters, nil)
	case len(list) > chain.MaxVoters:
		return refuse(ReasonVoters, nil)
	case slices.Equal(list, s.Electorate()):
		return refuse(ReasonSame, nil)
	}
	for _, p := range list {
		if !m.isMember(p) {
			return refuse(ReasonNoMember, nil)
		}
		who, _ := s.Person(p)
		if !m.hasVote(who) {
			return refuse(ReasonVoteless, nil)
		}
	}
	if !m.allRead(FeatureRepair) {
		return refuse(ReasonOlder, nil)
	}
	chosen := !slices.Equal(list, m.entitled(false))
	return m.commit(now, change{ops: votersOps(list, chosen)}, eff)
}
