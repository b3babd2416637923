package sim

import "kith/internal/group"

// bounded checks that others have not made a machine hold more than it says it
// ever may (docs/spec/group.md, "Limits"): property I16.
func bounded(n *Node, m *group.Machine) {
	for _, h := range m.Holdings() {
		if h.Held > h.Most {
			fail("%s holds %d of %q, at most %d may be", n.Name, h.Held, h.Name, h.Most)
		}
	}
}
