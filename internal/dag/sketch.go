package dag

import "kith/internal/wire"

// NewestHeads returns the heads, those of highest lamport where there are more than
// most; more says that some were left out.
func (g *Graph) NewestHeads(most int) (heads []Ref, more bool) {
	heads = g.Heads()
	if more = len(heads) > most; more {
		heads = g.newestOf(g.heads, most, func(Ref) bool { return true })
	}
	return heads, more
}

// Sketch names what is checked here, so that others find what is lacking: the newest
// heads, and below them the 2nd, 4th, 8th ... newest entry to the sketchDepth-th: who
// does not know a head knows perhaps one of these. It walks over so many entries.
func (g *Graph) Sketch(most int) (heads, below []Ref) {
	heads, _ = g.NewestHeads(most)
	newest, _ := g.NewestBeyond(nil, sketchDepth, sketchDepth)
	for i := 2; i <= len(newest); i *= 2 {
		below = append(below, newest[i-1])
	}
	return heads, below
}

// Forked returns the tips of the logs in which a place is taken twice.
func (g *Graph) Forked() (tips []Ref) {
	for _, l := range g.forked {
		if g.logs[l.device] == l {
			t := l.named()
			tips = append(tips, Ref{l.device, t.Seq, t.Hash})
		}
	}
	return tips
}

// TipAt is the tip of whoever says only how far it has a device's log. Where this graph
// has two entries there it cannot tell which.
func (g *Graph) TipAt(device wire.DeviceID, seq uint64) Tip {
	t := Tip{Seq: seq}
	if l := g.logs[device]; l != nil && l.forks == nil {
		if n, ok := l.main(seq); ok {
			t.Hash = n.hash
		}
	}
	return t
}

// Seq returns how far a device's log is checked.
func (g *Graph) Seq(device wire.DeviceID) uint64 {
	if l := g.logs[device]; l != nil {
		return l.top()
	}
	return 0
}

// Refused reports whether an entry was judged false.
func (g *Graph) Refused(r Ref) bool { return g.judged.has(r) }
