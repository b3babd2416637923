package group

import "kith/internal/chain"

// leavesAgain keeps the Leaves that blocks committed which are not on the chain any more: who
// signed one may not have heard of the block, and then does not tell it again.
func (m *Machine) leavesAgain(changed HeadChanged, eff *Effects) {
	for _, hash := range changed.Lost {
		for _, op := range m.blocks.Header(hash).Ops {
			leave, ok := op.(*chain.Leave)
			if !ok || leave.Person == m.self.Person {
				continue
			}
			for _, statement := range m.blocks.Body(hash).Attachments {
				m.takeLeave(statement, m.self.Device.ID(), eff)
			}
		}
	}
}
