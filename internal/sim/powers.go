package sim

import (
	"slices"

	"kith/internal/dag"
	"kith/internal/group"
	"kith/internal/wire"
)

// headersOf returns the headers of all that is here, by what they are copies of.
func (r *Replica) headersOf() map[group.Target][]*dag.Header {
	list := make(map[group.Target][]*dag.Header)
	blocks := r.Machine.Blocks()
	for _, k := range []group.Kind{group.KindEntry, group.KindEarlier} {
		for _, b := range r.Records[k] {
			h, err := dag.ParseHeader(b)
			if err != nil {
				continue
			}
			at := blocks.State(h.Block)
			if at == nil {
				at = blocks.State(r.Machine.Head())
			}
			who, _, _ := at.Device(h.Device)
			t := group.Target{Person: who.Person, ID: h.ContentID, Commit: h.ContentCommit}
			list[t] = append(list[t], h)
		}
	}
	return list
}

// servedSettings checks that nothing else is given as a setting, and nobody is given one that comes
// to it by the log.
func (c *checker) servedSettings(n *Node, g wire.GroupID, s group.Serve) {
	r := n.Groups[g]
	for _, ref := range s.Refs {
		key := group.EntryKey(ref)
		if len(r.Records[group.KindExpiry][string(key)]) == 0 {
			fail("%s gives %s as a setting what is none", n.Name, c.w.device(s.To))
		}
		for _, k := range []group.Kind{group.KindEntry, group.KindEarlier, group.KindSetting} {
			h, err := dag.ParseHeader(r.Records[k][string(key)])
			if at := r.Machine.Blocks().State; err == nil && at(h.Block) != nil && at(h.Block).Active(s.To) {
				fail("%s gives %s a setting that it had a key for", n.Name, c.w.device(s.To))
			}
		}
	}
}

// mayDelete reports whether a Delete of another's message counts, by the rule as it is
// written: some copy of it, and some of the message, of which its author is an admin at
// the block of the first, and at that of the second where that one is later.
func (r *Replica) mayDelete(headers map[group.Target][]*dag.Header, del group.Row, of group.Target) bool {
	blocks := r.Machine.Blocks()
	admin := func(b wire.BlockHash) bool {
		s := blocks.State(b)
		return s != nil && !s.DirectChat() && s.IsAdmin(del.Person)
	}
	return slices.ContainsFunc(headers[del.Target()], func(d *dag.Header) bool {
		return admin(d.Block) && (len(headers[of]) == 0 || slices.ContainsFunc(headers[of], func(m *dag.Header) bool {
			return !blocks.IsAncestor(d.Block, m.Block) || admin(m.Block)
		}))
	})
}
