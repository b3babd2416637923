package group

import "kith/internal/chain"

// dayMS is a day in ms.
const dayMS = 24 * 3600 * 1000

// setHistory lets an admin say what newcomers are given of the time before they came. It
// binds from that block on: who came before it has what the policy was then.
func (m *Machine) setHistory(now uint64, c SetHistory, eff *Effects) error {
	if err := m.mayWrite(); err != nil {
		return err
	}
	s := m.state()
	policy := s.Policy()
	policy.History, policy.HistoryDays = c.History, c.Days
	switch {
	case s.DirectChat() || s.OfPerson():
		return refuse(ReasonDirect, nil)
	case !s.IsAdmin(m.self.Person):
		return refuse(ReasonRole, nil)
	case c.History > chain.HistorySince, (c.History == chain.HistorySince) != (c.Days > 0):
		return refuse(ReasonDays, nil)
	case policy == s.Policy():
		return refuse(ReasonPolicy, nil)
	case !m.allRead(FeatureRepair), c.History == chain.HistorySince && !m.allRead(FeatureHistory):
		return refuse(ReasonOlder, nil) // the first version knows neither the op nor a number of days
	}
	return m.commit(now, change{ops: []chain.Op{&chain.SetPolicy{Policy: &policy}}}, eff)
}
