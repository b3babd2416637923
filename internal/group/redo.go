package group

import (
	"slices"

	"kith/internal/chain"
	"kith/internal/wire"
)

// revokeAgain is a revocation that was undone, for the head; nil if the device is
// none of a member's there. The proof is the one that the block cited: if the head
// knows more of the person than it shows, the rules refuse it, and the person's own
// program brings a newer one.
func (m *Machine) revokeAgain(op *chain.RemoveDevice) *chain.RemoveDevice {
	who, _, ok := m.state().Device(op.Device)
	if !ok || who.Person != op.Person || !m.state().Belongs(op.Device) || op.Device == m.self.Device.ID() {
		return nil
	}
	again := *op
	again.Instance, again.Cuts = who.Instance, nil
	for _, cut := range m.cuts(who) {
		if cut.Device == op.Device {
			again.Cuts = append(again.Cuts, cut)
		}
	}
	return &again
}

// policyAgain is what of a change of the policy, of the features or of the voters that
// an admin named is to be made again: each if the head has it as it was before the
// fork, and nothing later on the branch that lost changed it. Voters whom the nodes named
// they name again themselves. While a change of voters waits to be settled, this one
// waits, too.
func (m *Machine) policyAgain(hash wire.BlockHash, op *chain.SetPolicy) ([]chain.Op, error) {
	s, before := m.state(), m.stateAt(m.forkOf(hash))
	if !s.IsAdmin(m.self.Person) || m.overtaken(hash, func(later chain.Op) bool { return later.Kind() == chain.KindSetPolicy }) {
		return nil, nil
	}
	again := &chain.SetPolicy{}
	if op.Policy != nil && s.Policy() == before.Policy() && *op.Policy != s.Policy() {
		again.Policy = op.Policy
	}
	for _, f := range op.Features {
		if !slices.Contains(s.Features(), f) {
			again.Features = append(again.Features, f)
		}
	}
	byHand := slices.ContainsFunc(m.blocks.Header(hash).Ops, func(op chain.Op) bool { return op.Kind() == chain.KindRekey })
	if byHand && slices.Equal(s.Electorate(), before.Electorate()) && !slices.Equal(s.Electorate(), op.Electorate) &&
		!slices.ContainsFunc(op.Electorate, func(p wire.PersonID) bool { return !m.isMember(p) }) {
		again.Electorate = op.Electorate
	}
	switch {
	case len(again.Electorate) > 0 && !m.votersStand():
		return nil, refuse(ReasonUnsettled, nil)
	case len(again.Electorate) > 0:
		return []chain.Op{again, &chain.Rekey{}}, nil // by which it is known as an admin's choice
	case again.Policy == nil && len(again.Features) == 0:
		return nil, nil
	}
	return []chain.Op{again}, nil
}
