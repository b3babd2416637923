package sim

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"kith/internal/group"
)

// A Tally counts what was said in a run, and what the members read of it in the end.
type Tally struct {
	Said       int // texts, replies, polls and what is about them
	Shown      int // at all members together
	Unreadable int // of what was written for who cannot read it
	Twice      int

	Members int            // who took part at rest
	Blocks  int            // on their chain
	Beside  int            // blocks of branches that lost
	Came    map[string]int // how often what happened
}

// Add adds another run's.
func (t *Tally) Add(o Tally) {
	t.Said += o.Said
	t.Shown += o.Shown
	t.Unreadable += o.Unreadable
	t.Twice += o.Twice
	t.Members += o.Members
	t.Blocks += o.Blocks
	t.Beside += o.Beside
	if t.Came == nil {
		t.Came = make(map[string]int)
	}
	for what, n := range o.Came {
		t.Came[what] += n
	}
}

// Happened says how often what happened, most often first.
func (t Tally) Happened() string {
	list := slices.SortedFunc(maps.Keys(t.Came), func(a, b string) int {
		return cmp.Or(t.Came[b]-t.Came[a], strings.Compare(a, b))
	})
	for i, what := range list {
		list[i] = fmt.Sprintf("%s %d", what, t.Came[what])
	}
	return strings.Join(list, ", ")
}

// tally counts at rest.
func (r *run) tally() (t Tally) {
	t.Said, t.Came = r.count, r.came
	for _, n := range r.Nodes {
		m := r.there(n)
		if m == nil {
			continue
		}
		t.Members++
		t.Blocks = max(t.Blocks, len(m.Chain()))
		t.Beside = max(t.Beside, m.Blocks().Len()-len(m.Chain()))
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
				if meant && r.readBySome(row) && !r.shutOut(m, n) && !r.excluded(n, row.Block) && !r.late(m, row) {
					t.Unreadable++
					r.unread(n, row)
				}
			}
		}
	}
	return t
}

// readBySome reports whether somebody who takes part can read what stands at a place. Who wrote
// it may be gone, and those who are left have its header alone, as who was parked then.
func (r *run) readBySome(row group.Row) bool {
	return slices.ContainsFunc(r.Nodes, func(n *Node) bool {
		return r.there(n) != nil && n.Groups[r.g].Rows[row.Place].State == group.RowShown
	})
}

// unread ends a run of texts alone, in which nobody lies: somebody cannot read what was
// written for it.
func (r *run) unread(n *Node, row group.Row) {
	if r.plain && len(r.crew.persons) == 0 {
		fail("at rest %s cannot read what %s wrote", n.Name, r.name(row.Person))
	}
}
