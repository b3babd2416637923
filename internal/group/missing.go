package group

import (
	"math"
	"slices"
)

// missingSteps: how many entries are missing is told anew once an eighth of them has come,
// or as many more are known of. Of 100,000 that is told a hundred times, and not with each
// payload.
const missingSteps = 8

// countMissing is how many entries are known of that are not here.
func (m *Machine) countMissing() int { return int(min(m.graph.Lacking(), math.MaxInt32)) }

// tellMissing tells how many entries are missing and who is asked for them, if either is
// another than was told.
func (m *Machine) tellMissing(eff *Effects) {
	n, from := m.countMissing(), m.askedPeople()
	moved := n != m.missing && (min(n, m.missing) == 0 || missingSteps*max(n-m.missing, m.missing-n) >= m.missing)
	if !moved && (n == 0 || slices.Equal(from, m.missingFrom)) {
		return
	}
	m.missing, m.missingFrom = n, from
	eff.Notify = append(eff.Notify, MissingChanged{n})
}
