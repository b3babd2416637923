package sim

import (
	"slices"

	"kith/internal/dag"
	"kith/internal/group"
)

// provable reports whether an entry of the time before n came is one that n can take: its
// header is here, or something names it, from the floor downwards, that is here or that
// somebody has who takes part. What those alone had who are gone names nothing any more
// (docs/spec/history.md, "How it is taken").
func (r *run) provable(n *Node, ref dag.Ref) bool {
	rep := n.Groups[r.g]
	if rep.header(ref) != nil {
		return true
	}
	b, ok := rep.Records[group.KindFloor][""]
	if !ok {
		return false
	}
	floor, err := dag.ParseFloor(b)
	if err != nil {
		fail("%s: %v", n.Name, err)
	}
	seen := make(map[dag.Ref]bool)
	for names := floor.Frontier; len(names) > 0; {
		at := names[0]
		names = slices.Clone(names[1:])
		if seen[at] {
			continue
		}
		seen[at] = true
		if at == ref {
			return true
		}
		if h := r.headerOf(n, at); h != nil {
			names = append(names, h.Parents...)
			if h.Seq > 1 {
				names = append(names, dag.Ref{Device: h.Device, Seq: h.Seq - 1, Hash: h.Prev.Short()})
			}
		}
	}
	return false
}

// headerOf returns a header that n has, or somebody else who takes part and hands over the
// time before.
func (r *run) headerOf(n *Node, ref dag.Ref) *dag.Header {
	var h *dag.Header
	r.pick(0, func(o *Node) bool {
		if h == nil && (o == n || r.handsOver(o)) {
			h = o.Groups[r.g].header(ref)
		}
		return false
	})
	return h
}

// handsOver reports whether a node gives others of the time before they came.
func (r *run) handsOver(o *Node) bool {
	m := r.there(o)
	return m != nil && !m.View().NoKeys && o.Self.Omits != group.FeatureHistory
}
