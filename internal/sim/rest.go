package sim

import (
	"maps"
	"slices"

	"kith/internal/chain"
	"kith/internal/dag"
	"kith/internal/group"
)

// Times of the end of a run, in ms.
const (
	settleTime = 3_600_000 // voters dwell, and electorates change
	quietTime  = 600_000
)

// rest heals everything, waits until all is told, and checks what must hold
// then.
func (r *run) rest() {
	r.tracef("rest")
	for _, n := range r.Nodes {
		n.Crash = NoCrash
	}
	r.HealAll()
	for _, n := range r.Nodes {
		n.Start()
	}
	r.Run(settleTime)
	before := r.frames()
	r.Run(quietTime)
	if after := r.frames(); after != before {
		fail("at rest %d frames are sent in %d s", after-before, quietTime/1000)
	}
	r.equal()
	r.settled()
	for _, n := range r.Nodes {
		if n.Groups[r.g] != nil {
			if m := r.machine(n); m.Status() == group.StatusActive && !m.View().NoKeys && m.LastResort() && !r.rekeyed(m, n) {
				fail("at rest %s still uses a last-resort key package", n.Name)
			}
			r.check.reloaded(n, r.g)
			r.entitled(n)
			r.carried(n)
		}
	}
}

// rekeyed reports whether n has used up the Rekeys that it may make (V7).
func (r *run) rekeyed(m *group.Machine, n *Node) bool {
	made := 0
	for _, h := range m.Chain() {
		if h := m.Blocks().Header(h); h.Author.Person == n.Self.Person && h.Ops[0].Kind() == chain.KindRekey {
			made++
		}
	}
	return made >= chain.MaxRekeys
}

// carried checks that nothing waits for a removal to be carried over, unless
// nobody is there who could sign that.
func (r *run) carried(n *Node) {
	m := r.machine(n)
	if !speaks(m) || head(m).OfPerson() {
		return
	}
	v := m.View()
	able := r.pick(0, func(o *Node) bool {
		return r.stands(group.StatusActive)(o) && !slices.Contains(v.Carrying, o.Self.Person)
	})
	if len(v.Carrying)+v.Held > 0 && able != nil {
		fail("at rest %s has %d removals to be carried over and %d messages that wait", n.Name, len(v.Carrying), v.Held)
	}
}

func (r *run) frames() (n int) {
	for _, o := range r.Nodes {
		n += len(o.Sent)
	}
	return n
}

func speaks(m *group.Machine) bool {
	return m.Status() == group.StatusActive || m.Status() == group.StatusLeaving
}

// equal checks that all who take part agree.
func (r *run) equal() {
	var one *Node
	lost := r.lost()
	for _, n := range r.Nodes {
		m := r.machine(n)
		if m == nil || !speaks(m) {
			continue
		}
		if one == nil {
			one = n
			continue
		}
		first := r.machine(one)
		if m.Head() != first.Head() {
			fail("at rest %s and %s have different heads", one.Name, n.Name)
		}
		if !lost && !maps.Equal(m.Frontier(), first.Frontier()) {
			fail("at rest %s and %s have different frontiers:\n%v\n%v", one.Name, n.Name, first.Frontier(), m.Frontier())
		}
		if a, b := first.View(), m.View(); a.Title != b.Title || len(a.Members) != len(b.Members) || !lost && a.Missing+b.Missing > 0 {
			fail("at rest %s and %s see different groups:\n%+v\n%+v", one.Name, n.Name, a, b)
		}
	}
	if one == nil {
		return
	}
	s := head(r.machine(one))
	for _, n := range r.Nodes {
		m := r.machine(n)
		able := r.pick(0, func(o *Node) bool { // to commit its Leave
			return r.stands(group.StatusActive)(o) && o.Self.Person != n.Self.Person
		}) != nil
		in := s.Belongs(n.Self.Device.ID())
		switch {
		case m == nil && in:
			fail("at rest %s is a member and does not know the group", n.Name)
		case m == nil:
		case in && m.Head() != r.machine(one).Head():
			fail("at rest %s is a member and has another head", n.Name)
		case in && able && m.Status() == group.StatusDeclined:
			fail("at rest %s has declined and is a member", n.Name)
		case in && able && m.Status() == group.StatusLeaving:
			fail("at rest %s is leaving for ever", n.Name)
		case in && able && gone(m.Status()):
			fail("at rest %s is a member and has status %d", n.Name, m.Status())
		case in && m.View().NoKeys && m.Status() == group.StatusActive && r.mayComeBack(n):
			fail("at rest %s has no keys", n.Name)
		case !in && !gone(m.Status()):
			fail("at rest %s is no member and has status %d", n.Name, m.Status())
		}
	}
}

// lost reports whether some entry is held whole only by who takes no part any
// more, and somebody lacks it that was to read it: what refers to it waits for
// ever.
func (r *run) lost() bool {
	whole := make(map[string]bool)
	for _, n := range r.Nodes {
		if m := r.machine(n); m != nil && speaks(m) {
			for key, ciphertext := range n.Groups[r.g].Records[group.KindCipher] {
				whole[key] = whole[key] || len(ciphertext) > 0
			}
		}
	}
	for _, n := range r.Nodes {
		if r.machine(n) == nil {
			continue
		}
		for key, header := range n.Groups[r.g].Records[group.KindEntry] {
			if !whole[key] && r.lacks(key, header) {
				return true
			}
		}
	}
	return false
}

// lacks reports whether somebody who takes part, and was a member at an entry, has
// not even its header.
func (r *run) lacks(key string, header []byte) bool {
	h, err := dag.ParseHeader(header)
	if err != nil {
		return true
	}
	return r.pick(0, func(n *Node) bool {
		m := r.machine(n)
		if m == nil || !speaks(m) || n.Groups[r.g].Records[group.KindEntry][key] != nil {
			return false
		}
		s := m.Blocks().State(h.Block)
		return s == nil || s.Belongs(n.Self.Device.ID())
	}) != nil
}

// entitled checks that a node sees everything that was written for it and that
// anybody still there can give: what only those had who left is gone with them.
func (r *run) entitled(n *Node) {
	m := r.machine(n)
	if !speaks(m) || r.shutOut(m, n) {
		return
	}
	joined := arrival(m, n)
	seen := r.check.shown[n]
	for s, row := range r.check.said {
		if !m.Blocks().Has(row.Block) || !m.Blocks().IsAncestor(joined, row.Block) ||
			!m.Blocks().State(row.Block).Active(n.Self.Device.ID()) || r.late(m, row) || r.excluded(n, row.Block) {
			continue
		}
		if _, ok := seen[s]; !ok && r.held(row) {
			fail("at rest %s does not see %q", n.Name, s)
		}
	}
}

// mayComeBack reports whether somebody can give n keys, and n has come back so
// seldom that it may.
func (r *run) mayComeBack(n *Node) bool {
	m := r.machine(n)
	able := r.pick(0, func(o *Node) bool {
		return r.machine(o) != nil && speaks(r.machine(o)) && !r.machine(o).View().NoKeys
	})
	window := chain.QuotaWindow * len(m.View().Members)
	list := m.Chain()
	count := 0
	for _, h := range list[max(0, len(list)-window):] {
		for _, op := range m.Blocks().Header(h).Ops {
			if u, ok := op.(*chain.Unpark); ok && u.Person == n.Self.Person {
				count++
			}
		}
	}
	return able != nil && count < chain.MaxUnparks
}

// shutOut reports whether n was without keys at some block: what was written
// there it may not be able to read.
func (r *run) shutOut(m *group.Machine, n *Node) bool {
	if n.lost {
		return true
	}
	for _, h := range m.Blocks().All() {
		for _, op := range m.Blocks().Header(h).Ops {
			if p, ok := op.(*chain.Park); ok && p.Device == n.Self.Device.ID() {
				return true
			}
		}
	}
	return false
}

// held reports whether somebody who takes part has the entry of a row, and all
// it refers to: only such entries are passed on. Who was handed its content alone
// can pass that on to nobody but who was parked.
func (r *run) held(row group.Row) bool {
	for _, n := range r.Nodes {
		m := r.machine(n)
		if m == nil || !speaks(m) || r.check.shown[n][text(row)].Place != row.Place {
			continue
		}
		if seen, ok := n.Groups[r.g].Rows[row.Place]; ok && !seen.Waiting && n.hasCipher(r.g, row.Place) {
			return true
		}
	}
	return false
}

// arrival returns the block that last admitted n, on the head's chain.
func arrival(m *group.Machine, n *Node) (hash [32]byte) {
	for _, h := range m.Chain() {
		for _, op := range m.Blocks().Header(h).Ops {
			switch op := op.(type) {
			case *chain.Genesis:
				if op.Device.ID() == n.Self.Device.ID() {
					hash = h
				}
			case *chain.Add:
				for _, d := range op.Devices {
					if d.ID() == n.Self.Device.ID() {
						hash = h
					}
				}
			case *chain.AddDevice:
				if op.Device.ID() == n.Self.Device.ID() {
					hash = h
				}
			}
		}
	}
	return hash
}

// late reports whether a row's author was removed on the head's chain and wrote
// it after the cut: others may or may not have it.
func (r *run) late(m *group.Machine, row group.Row) bool {
	for _, h := range m.Chain() {
		for _, op := range m.Blocks().Header(h).Ops {
			var cuts []chain.Cut
			switch op := op.(type) {
			case *chain.Remove:
				if op.Person != row.Person {
					continue
				}
				cuts = op.Cuts
			case *chain.Leave:
				if op.Person != row.Person {
					continue
				}
				cuts = op.Cuts
			case *chain.RemoveDevice:
				if op.Device != row.Place.Device {
					continue
				}
				cuts = op.Cuts
			default:
				continue
			}
			if m.Blocks().IsAncestor(h, row.Block) {
				continue // written in a later membership
			}
			covered := false
			for _, c := range cuts {
				covered = covered || c.Device == row.Place.Device && c.Seq >= row.Place.Seq
			}
			if !covered {
				return true
			}
		}
	}
	return false
}
