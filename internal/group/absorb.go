package group

import "kith/internal/wire"

// absorb takes what was gathered, unless it is settled against what is here.
func (m *Machine) absorb(now uint64, p *peer, g *gathering, eff *Effects) {
	if !m.agrees(g) {
		return
	}
	fresh := m.merge(g, eff)
	for _, hash := range sortedBlocks(g.m.welcomes) {
		if m.welcomes[hash].empty() {
			m.keepWelcome(hash, g.m.welcomes[hash], eff)
		}
	}
	if m.takeCertificate(g.start.certificate, eff) == nil {
		m.count(now, eff)
	}
	if len(fresh) > 0 {
		m.takeFresh(now, p, fresh, eff)
	}
	m.dropWelcomes(eff)
}

// agrees reports whether the base stays settled with the votes that are held here,
// and with what is pinned here: else what was gathered must not be taken, for a
// light block may not come to be the head.
func (m *Machine) agrees(g *gathering) bool {
	mine, theirs := m.votes.Settled(), g.m.votes.Settled()
	if !g.m.blocks.IsAncestor(mine, theirs) && !g.m.blocks.IsAncestor(theirs, mine) || !g.m.votes.Pin(mine) {
		return false
	}
	for _, v := range m.votes.All() {
		_, _ = g.m.votes.Add(v) // one that is over by now says nothing
	}
	for _, e := range m.votes.Evidence() {
		_, _ = g.m.votes.AddEvidence(e)
	}
	return g.base == wire.BlockHash{} || g.m.blocks.IsAncestor(g.base, g.m.votes.Settled())
}

// merge takes the blocks that were gathered, all of which were checked, and returns
// those that are new.
func (m *Machine) merge(g *gathering, eff *Effects) (fresh []wire.BlockHash) {
	for _, hash := range g.m.blocks.All() {
		if m.blocks.Has(hash) {
			continue
		}
		h, body, state := g.m.blocks.Header(hash), g.m.blocks.Body(hash), g.m.stateAt(hash)
		var err error
		switch {
		case body.IsLight():
			err = m.keepLight(h, body.Attachments, state, eff)
		case g.m.isBase(hash):
			err = m.keepBlock(&madeBlock{header: h, body: body, state: state, public: g.m.publics[hash]}, eff)
		default:
			_, err = m.takeBlock(h.Bytes(), body.Bytes(), eff)
		}
		if err == nil {
			fresh = append(fresh, hash)
		}
	}
	return fresh
}
