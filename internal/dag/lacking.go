package dag

import "kith/internal/wire"

// Lacking returns how many entries are known of that are not here: of each log what lies
// between the last that is checked and the last that a parked entry names, without what is
// parked of it. A log has no gaps, so a name tells of all before it. It is what members'
// entries claim, and for people to read: nothing is decided by it.
func (g *Graph) Lacking() (count uint64) {
	last := make(map[wire.DeviceID]uint64) // the last that is named
	names := make(map[wire.DeviceID]uint64)
	for r := range g.park.waiting {
		if g.park.entries[r] == nil {
			last[r.Device] = max(last[r.Device], r.Seq)
			names[r.Device]++
		}
	}
	if len(last) == 0 {
		return 0
	}
	here := make(map[wire.DeviceID]uint64)
	for r := range g.park.entries {
		if r.Seq < last[r.Device] {
			here[r.Device]++
		}
	}
	for d, seq := range last {
		if l := g.logs[d]; l != nil && len(l.nodes) > 0 {
			here[d] += l.top()
		}
		// Beside a fork more may be named than the numbers tell.
		count += max(names[d], seq-min(seq, here[d]))
	}
	return count
}
