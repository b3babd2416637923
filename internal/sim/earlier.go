package sim

import (
	"slices"

	"kith/internal/chain"
	"kith/internal/dag"
	"kith/internal/group"
	"kith/internal/wire"
)

// history lets an admin say what newcomers are given.
func (r *run) history(a action) {
	if n := r.admin(a.a); n != nil {
		c := []group.SetHistory{{}, {History: chain.HistoryAll}, {History: chain.HistoryAll}, {History: chain.HistorySince, Days: uint16(1 + a.b>>32%40)}}[a.b%4]
		n.Do(r.g, c)
	}
}

// mayHaveEarlier reports whether somebody may be given what was written at a block of
// which it has no keys, as the chain up to the head of m says: by the policy of the block
// that made its person a member, or because another device of that person could read it.
func mayHaveEarlier(m *group.Machine, who wire.Member, block wire.BlockHash, order uint64) bool {
	var came wire.BlockHash
	var least, latest uint64
	for _, hash := range m.Chain() {
		h := m.Blocks().Header(hash)
		latest = max(latest, h.CreatedAt)
		for _, op := range h.Ops {
			if add, ok := op.(*chain.Add); ok && add.Person == who.Person {
				came, least = hash, latest
			}
		}
	}
	if block == came || came == (wire.BlockHash{}) || m.Blocks().IsAncestor(came, block) {
		at := m.Blocks().State(block)
		_, _, known := at.Device(who.Device)
		return at.Active(who.Device) || !known && hadSomebody(at, head(m), who.Device)
	}
	switch p := m.Blocks().State(came).Policy(); p.History {
	case chain.HistoryAll:
		return true
	case chain.HistorySince:
		return order+uint64(p.HistoryDays)*24*3600*1000 >= least
	}
	return false
}

// servedEarlier checks that nobody is handed what the policy does not give.
func (c *checker) servedEarlier(n *Node, g wire.GroupID, s group.Serve) {
	m := n.Groups[g].Machine
	owner, _, _ := head(m).Device(s.To)
	if !head(m).Active(s.To) {
		fail("%s hands over the time before to %s, who is not in the keys", n.Name, c.w.device(s.To))
	}
	if s.Settings {
		c.servedSettings(n, g, s)
		return
	}
	for i, ref := range s.Refs {
		h := n.Groups[g].header(ref)
		if h == nil {
			continue // known by name only: not sent
		}
		who := wire.Member{Person: owner.Person, Device: s.To}
		at := m.Blocks().State(h.Block)
		if !s.Bare[i] && !mayHaveEarlier(m, who, h.Block, h.Order) {
			fail("%s hands over to %s what the group does not give it", n.Name, c.w.device(s.To))
		}
		came := arrivalOf(m, who.Person) // zero: it made the group
		if s.Bare[i] && !mayHaveEarlier(m, who, h.Block, h.Order) && came != (wire.BlockHash{}) && h.Block != came && (at == nil || !m.Blocks().IsAncestor(came, h.Block)) {
			fail("%s gives %s a header of the time before that the group does not give it", n.Name, c.w.device(s.To))
		}
	}
}

// arrivalOf returns the block that made a person a member.
func arrivalOf(m *group.Machine, p wire.PersonID) (hash wire.BlockHash) {
	for _, h := range m.Chain() {
		if slices.ContainsFunc(m.Blocks().Header(h).Ops, func(op chain.Op) bool {
			add, ok := op.(*chain.Add)
			return ok && add.Person == p
		}) {
			hash = h
		}
	}
	return hash
}

// header returns the header of an entry that is stored.
func (r *Replica) header(ref dag.Ref) *dag.Header {
	for _, k := range []group.Kind{group.KindEntry, group.KindEarlier} {
		if h, err := dag.ParseHeader(r.Records[k][string(group.EntryKey(ref))]); err == nil {
			return h
		}
	}
	return nil
}

// entitledEarlier checks that a newcomer sees all of the time before that the policy
// gives it, and that anybody still there can prove. Who is leaving asks for nothing more.
func (r *run) entitledEarlier(n *Node) {
	m := r.machine(n)
	if m.Status() != group.StatusActive || m.View().NoKeys || r.shutOut(m, n) || n.Self.Omits == group.FeatureHistory {
		return
	}
	came := arrivalOf(m, n.Self.Person)
	for s, row := range r.check.said {
		if !m.Blocks().Has(row.Block) || row.Block == came || m.Blocks().IsAncestor(came, row.Block) ||
			!mayHaveEarlier(m, n.Self.Member(), row.Block, row.Place.Order) || r.late(m, row) || r.check.isRemoved(row) {
			continue
		}
		if _, ok := r.check.shown[n][s]; !ok && r.heldEarlier(n, row) && !r.cameTwice(m, n, row) {
			fail("at rest %s does not see %q, which the group gives it", n.Name, s)
		}
	}
}

// cameTwice reports whether n has had the header of a row since an earlier membership that gave it nothing,
// as it began after the row was written or ended before, maybe on a branch that lost: what that leaves out is
// not asked for when a later one gives more.
func (r *run) cameTwice(m *group.Machine, n *Node, row group.Row) bool {
	times, out := 0, !m.Blocks().State(row.Block).Belongs(n.Self.Device.ID())
	for _, h := range m.Chain() {
		before := h == row.Block || m.Blocks().IsAncestor(h, row.Block)
		if (out || !before) && slices.ContainsFunc(m.Blocks().Header(h).Ops, func(op chain.Op) bool {
			add, ok := op.(*chain.Add)
			return ok && add.Person == n.Self.Person
		}) {
			times++
		}
	}
	return times > 1 && n.Groups[r.g].Records[group.KindEntry][string(group.EntryKey(row.Place.Ref()))] != nil
}

// heldEarlier reports whether another who takes part can hand over a row.
func (r *run) heldEarlier(n *Node, row group.Row) bool {
	return r.provable(n, row.Place.Ref()) && r.pick(0, func(o *Node) bool {
		if o == n || !r.handsOver(o) {
			return false
		}
		rep := o.Groups[r.g]
		seen, ok := rep.Rows[row.Place]
		return ok && seen.State == group.RowShown && !seen.Waiting && rep.Records[group.KindSalt][string(group.EntryKey(row.Place.Ref()))] != nil
	}) != nil
}
