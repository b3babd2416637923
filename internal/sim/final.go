package sim

import (
	"kith/internal/chain"
	"kith/internal/group"
	"kith/internal/wire"
)

// finality is the oracle of what is settled: no two nodes settle blocks that
// exclude each other, and none takes one back, across restarts too.
type finality struct {
	heights map[uint64]wire.BlockHash // settled by anybody
	reached map[*Node]uint64          // height
}

func newFinality() finality {
	return finality{heights: make(map[uint64]wire.BlockHash), reached: make(map[*Node]uint64)}
}

// step looks at what is settled at a node.
func (f *finality) step(n *Node, m *group.Machine) {
	settled := m.Settled()
	height := m.Blocks().Header(settled).Height
	if height < f.reached[n] {
		fail("%s had block %d settled, and now %d", n.Name, f.reached[n], height)
	}
	f.reached[n] = height
	for h := settled; ; {
		b := m.Blocks().Header(h)
		if was, ok := f.heights[b.Height]; ok {
			if was != h {
				fail("%s settles another block of height %d than somebody before", n.Name, b.Height)
			}
			return
		}
		f.heights[b.Height] = h
		if b.IsGenesis() {
			return
		}
		h = b.Parent
	}
}

// settled checks that at rest the head is settled if enough voters are there.
func (r *run) settled() {
	for _, n := range r.Nodes {
		m := r.there(n)
		if m == nil {
			continue
		}
		f := m.Finality()
		able := 0
		for _, v := range m.Voters() {
			if o := r.byDevice(v.Device); o != nil && r.votes(o) {
				able++
			}
		}
		if f.Block != m.Head() && able >= f.Quorum {
			fail("at rest %s has not settled its head %d, but %d, in round %d; %d of %d voters are there", n.Name,
				m.Blocks().Header(m.Head()).Height, f.Height, f.Voting, able, len(f.Voters))
		}
	}
}

// votes reports whether nothing keeps a node from voting.
func (r *run) votes(n *Node) bool {
	m := r.there(n)
	return m != nil && !m.Finality().Excluded && !m.View().NoKeys
}

// Pushed is the frame that pushes one vote (docs/spec/sync.md).
func Pushed(v *chain.Vote) []byte {
	var w wire.Writer
	w.U8(kindVotes)
	w.U8(1)
	w.Vec(chain.Settlement(nil).Marshal())
	w.Group(func(*wire.Writer) {})
	w.Vec(v.Marshal())
	return w.Bytes()
}
