package sim

import (
	"slices"

	"kith/internal/group"
)

// leaves reports whether a node asked to go, and is a member all the same though others
// could commit that.
func (r *run) leaves(n *Node) bool {
	m := r.machine(n)
	return m != nil && r.honest(n) && (m.Status() == group.StatusLeaving || m.Status() == group.StatusDeclined) &&
		head(m).Belongs(n.Self.Device.ID()) && r.letsGo(n)
}

// letsGo reports whether somebody is there who can commit the Leave of n: not who is
// removed as soon as anybody carries that over, and can sign nothing before.
func (r *run) letsGo(n *Node) bool {
	return r.pick(0, func(o *Node) bool {
		m := r.there(o)
		if m == nil || m.Status() != group.StatusActive || o.Self.Person == n.Self.Person {
			return false
		}
		v := m.View()
		return !v.NoKeys && !slices.Contains(v.Carrying, o.Self.Person)
	}) != nil
}
