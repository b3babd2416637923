package sim

import "kith/internal/group"

// A Tally counts what was said in a run, and what the members read of it in the end.
type Tally struct {
	Said       int // texts, replies, polls and what is about them
	Shown      int // at all members together
	Unreadable int // of what was written for who cannot read it
	Twice      int
}

// Add adds another run's.
func (t *Tally) Add(o Tally) {
	t.Said += o.Said
	t.Shown += o.Shown
	t.Unreadable += o.Unreadable
	t.Twice += o.Twice
}

// tally counts at rest.
func (r *run) tally() (t Tally) {
	t.Said = r.count
	for _, n := range r.Nodes {
		m := r.there(n)
		if m == nil {
			continue
		}
		joined := arrival(m, n)
		lines := make(map[string]bool) // no two texts are the same
		for _, row := range n.Groups[r.g].Rows {
			switch row.State {
			case group.RowShown:
				t.Shown++
				if !row.Annotation {
					if lines[string(row.Content)] {
						t.Twice++
					}
					lines[string(row.Content)] = true
				}
			case group.RowUnreadable, group.RowDamaged:
				meant := m.Blocks().Has(row.Block) && m.Blocks().IsAncestor(joined, row.Block) && m.Blocks().State(row.Block).Active(n.Self.Device.ID())
				if meant && !r.shutOut(m, n) && !r.excluded(n, row.Block) && !r.late(m, row) {
					t.Unreadable++
				}
			}
		}
	}
	return t
}
