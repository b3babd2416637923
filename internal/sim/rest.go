package sim

import (
	"fmt"
	"maps"
	"slices"

	"kith/internal/chain"
	"kith/internal/dag"
	"kith/internal/group"
	"kith/internal/wire"
)

// Times of the end of a run, in ms.
const (
	settleTime = 3_600_000 // voters dwell, and electorates change
	quietTime  = 600_000
	liarTime   = 6 * settleTime // and liars have had rounds go by
	leaveTime  = 25 * 3_600_000 // a Leave has waited for votes that do not come
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
		if r.honest(n) || !r.crew.silent {
			n.Start()
		} else {
			n.Stop()
		}
	}
	if len(r.crew.persons) > 0 {
		r.Run(liarTime)
	}
	r.Run(settleTime)
	if r.pick(0, r.leaves) != nil {
		r.Run(leaveTime)
	}
	before, early, kinds, heads := r.frames(), r.unsettled(), r.kinds, r.heads()
	r.Run(quietTime)
	// A round that settles nothing makes the next one later, and who owes a word for an hour
	// votes no more from then on.
	if (early || !maps.Equal(heads, r.heads())) && r.frames() != before {
		r.Run(settleTime)
		before, kinds = r.frames(), r.kinds
		r.Run(quietTime)
	}
	if after := r.frames(); after != before {
		fail("at rest %d frames are sent in %d s%s", after-before, quietTime/1000, r.more(kinds))
	}
	r.equal()
	r.settled()
	r.delivered()
	for _, n := range r.Nodes {
		if r.honest(n) && n.Groups[r.g] != nil {
			if m := r.machine(n); m.Status() == group.StatusActive && !m.View().NoKeys && m.LastResort() && !r.rekeyed(m, n) {
				fail("at rest %s still uses a last-resort key package", n.Name)
			}
			if r.looked(n) {
				r.check.reloaded(n, r.g)
				r.outsider(n)
			}
			r.entitled(n)
			r.entitledEarlier(n)
			r.folded(n)
			r.carried(n)
		}
	}
	r.pagesAlike()
	r.same()
	r.goesOn()
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
// nobody is there who could sign that. What waited waits on where its author is asked whether those
// who came meanwhile get it.
func (r *run) carried(n *Node) {
	m := r.machine(n)
	if !speaks(m) || head(m).OfPerson() {
		return
	}
	v := m.View()
	able := r.pick(0, func(o *Node) bool {
		return r.honest(o) && r.stands(group.StatusActive)(o) && !slices.Contains(v.Carrying, o.Self.Person)
	})
	waits := v.Held
	if len(v.UnaskedOf) > 0 {
		waits = 0
	}
	if len(v.Carrying)+waits > 0 && able != nil {
		fail("at rest %s has %d removals to be carried over and %d messages that wait", n.Name, len(v.Carrying), waits)
	}
}

// heads are the blocks that those are at who take part.
func (r *run) heads() map[*Node]wire.BlockHash {
	list := make(map[*Node]wire.BlockHash)
	for _, n := range r.Nodes {
		if m := r.there(n); m != nil {
			list[n] = m.Head()
		}
	}
	return list
}

func (r *run) frames() (n int) {
	for _, o := range r.Nodes {
		n += o.sent
	}
	return n
}

// more says of which kinds payloads were sent since.
func (r *run) more(before [256]int) (s string) {
	for kind, n := range r.kinds {
		if n > before[kind] {
			s += fmt.Sprintf(", %d of kind %d", n-before[kind], kind)
		}
	}
	return s
}

// toldOf reports whether a guest hears that it is none: its inviter takes part, and somebody
// who does knows of it.
func (r *run) toldOf(n *Node, m *group.Machine) bool {
	inviter := n.Groups[r.g].inviter
	return inviter != nil && r.there(inviter) != nil && slices.ContainsFunc(r.Nodes, func(o *Node) bool {
		there := r.there(o)
		return there != nil && there.Blocks().Has(m.Head())
	})
}

// unsettled reports whether somebody who takes part has not settled its head.
func (r *run) unsettled() bool {
	return slices.ContainsFunc(r.Nodes, func(n *Node) bool {
		m := r.there(n)
		return m != nil && m.Settled() != m.Head()
	})
}

// there returns the machine of an honest node that takes part.
func (r *run) there(n *Node) *group.Machine {
	if m := r.machine(n); m != nil && r.honest(n) && speaks(m) {
		return m
	}
	return nil
}

func speaks(m *group.Machine) bool {
	return m.Status() == group.StatusActive || m.Status() == group.StatusLeaving
}

// equal checks that all who take part agree.
func (r *run) equal() {
	var one *Node
	lost := r.lost()
	for _, n := range r.Nodes {
		m := r.there(n)
		if m == nil {
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
		if a, b := r.frontier(first), r.frontier(m); !lost && !maps.Equal(a, b) {
			fail("at rest %s and %s have different frontiers:\n%v\n%v", one.Name, n.Name, a, b)
		}
		if a, b := first.View(), m.View(); a.Title != b.Title || len(a.Members) != len(b.Members) || !lost && len(r.crew.persons) == 0 && a.Missing+b.Missing > 0 {
			fail("at rest %s and %s see different groups:\n%+v\n%+v", one.Name, n.Name, a, b)
		}
	}
	if one == nil {
		return
	}
	s := head(r.machine(one))
	for _, n := range r.Nodes {
		if !r.honest(n) {
			continue
		}
		m := r.machine(n)
		able := r.letsGo(n)
		in := s.Belongs(n.Self.Device.ID())
		switch {
		case m == nil && in:
			fail("at rest %s is a member and does not know the group", n.Name)
		case m == nil || r.alone(n, one):
		case in && m.Status() == group.StatusInvited && len(r.crew.persons) > 0:
			// A guest asks for nothing before it has accepted, and hears what it is told.
		case in && !gone(m.Status()) && m.Head() != r.machine(one).Head():
			fail("at rest %s is a member and has another head", n.Name)
		case in && able && m.Status() == group.StatusDeclined:
			fail("at rest %s has declined and is a member", n.Name)
		case in && able && m.Status() == group.StatusLeaving:
			fail("at rest %s is leaving for ever", n.Name)
		case in && able && gone(m.Status()):
			fail("at rest %s is a member and has status %d", n.Name, m.Status())
		case in && m.View().NoKeys && m.Status() == group.StatusActive && r.mayComeBack(n):
			fail("at rest %s has no keys", n.Name)
		case !in && m.Status() == group.StatusInvited && !r.toldOf(n, m):
			// Whom a guest invited, on a branch that lost, nobody knows; and who has not accepted
			// hears what it is told, by an inviter that is none of the group any more nothing.
		case !in && !gone(m.Status()):
			fail("at rest %s is no member and has status %d", n.Name, m.Status())
		}
	}
}

// frontier is how far the logs of those are at a node who do not lie.
func (r *run) frontier(m *group.Machine) dag.Frontier {
	f := m.Frontier()
	maps.DeleteFunc(f, func(d wire.DeviceID, _ dag.Tip) bool { o := r.byDevice(d); return o != nil && r.crew.has(o) })
	return f
}

// alone reports whether n, which says nothing to anybody, was shown blocks that the
// others were not: it is invited, or such a block removes it.
func (r *run) alone(n, other *Node) bool {
	m := r.machine(n)
	return len(r.crew.persons) > 0 && !speaks(m) && !r.machine(other).Blocks().Has(m.Head())
}

// lost reports whether some entry is held only by who takes no part any more, and
// somebody lacks it that is to have it, or holds what refers to it, which then waits
// for ever. Who was to read it needs it whole; who was parked then, its header.
func (r *run) lost() bool {
	header, whole := make(map[string]bool), make(map[string]bool)
	for _, n := range r.Nodes {
		if r.there(n) == nil {
			continue
		}
		for key := range n.Groups[r.g].Records[group.KindEntry] {
			header[key] = true
		}
		for key, ciphertext := range n.Groups[r.g].Records[group.KindCipher] {
			whole[key] = whole[key] || len(ciphertext) > 0
		}
	}
	for _, n := range r.Nodes {
		if r.machine(n) == nil && r.honest(n) || n.Groups[r.g] == nil {
			continue
		}
		for key, h := range n.Groups[r.g].Records[group.KindEntry] {
			if !whole[key] && r.lacks(key, h, header[key]) {
				return true
			}
		}
		if m := r.there(n); m != nil && m.View().Missing > 0 && r.waits(n, header) {
			return true
		}
	}
	return false
}

// waits reports whether an entry of n names one that nobody holds.
func (r *run) waits(n *Node, held map[string]bool) bool {
	for _, b := range n.Groups[r.g].Records[group.KindEntry] {
		h, err := dag.ParseHeader(b)
		if err != nil {
			return true
		}
		names := h.Parents
		if h.Seq > 1 {
			names = append(slices.Clone(names), dag.Ref{Device: h.Device, Seq: h.Seq - 1, Hash: h.Prev.Short()})
		}
		if slices.ContainsFunc(names, func(p dag.Ref) bool { return !held[string(group.EntryKey(p))] }) {
			return true
		}
	}
	return false
}

// lacks reports whether somebody who takes part, and was a member at an entry that
// nobody has whole, has not even its header, though that is what it gets if anybody
// has the header.
func (r *run) lacks(key string, header []byte, held bool) bool {
	h, err := dag.ParseHeader(header)
	if err != nil {
		return true
	}
	return r.pick(0, func(n *Node) bool {
		m := r.there(n)
		if m == nil || n.Groups[r.g].Records[group.KindEntry][key] != nil {
			return false
		}
		s := m.Blocks().State(h.Block)
		return s == nil || s.Active(n.Self.Device.ID()) || !held && s.Belongs(n.Self.Device.ID())
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
	var counts map[dag.Ref]bool
	for s, row := range r.check.said {
		if !m.Blocks().Has(row.Block) || !m.Blocks().IsAncestor(joined, row.Block) ||
			!m.Blocks().State(row.Block).Active(n.Self.Device.ID()) || r.excluded(n, row.Block) {
			continue
		}
		if r.late(m, row) {
			if counts == nil {
				counts = r.answered(n)
			}
			if !counts[row.Place.Ref()] {
				continue
			}
		}
		if _, ok := seen[s]; !ok && r.held(row) && !r.check.isRemoved(row) {
			fail("at rest %s does not see %q", n.Name, s)
		}
	}
}

// mayComeBack reports whether somebody can give n keys, and n has come back so
// seldom that it may.
func (r *run) mayComeBack(n *Node) bool {
	m := r.machine(n)
	able := r.pick(0, func(o *Node) bool {
		m := r.there(o)
		return m != nil && !m.View().NoKeys
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

// shutOut reports whether n was without keys at some block, as one that a liar led
// onto a branch alone also is until it comes back: what was written there it may not
// be able to read.
func (r *run) shutOut(m *group.Machine, n *Node) bool {
	if n.lost {
		return true
	}
	for _, h := range m.Blocks().All() {
		for _, op := range m.Blocks().Header(h).Ops {
			if p, ok := op.(*chain.Park); ok && p.Device == n.Self.Device.ID() {
				return true
			}
			if u, ok := op.(*chain.Unpark); ok && u.Device == n.Self.Device.ID() && len(r.crew.persons) > 0 {
				return true
			}
		}
	}
	return false
}

// held reports whether somebody who takes part has the entry of a row as it was
// written, and all it refers to: only such entries are passed on. Who was parked at its
// block and handed what it says has no ciphertext of it, and a member that was not
// parked takes nothing else: without the ciphertext the entry stays a header to it.
func (r *run) held(row group.Row) bool {
	for _, n := range r.Nodes {
		m := r.there(n)
		if m == nil || r.check.shown[n][text(row)].Place != row.Place {
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
		if slices.ContainsFunc(m.Blocks().Header(h).Ops, func(op chain.Op) bool { return slices.Contains(letIn(op), n.Self.Device.ID()) }) {
			hash = h
		}
	}
	return hash
}
