package group

import (
	"errors"

	"kith/internal/chain"
	"kith/internal/wire"
)

// What a member gives of pages.

// errNotHere: this device cannot give what was asked for, and another may.
var errNotHere = errors.New("group: not held here")

// baseFor returns the base by which a device may take the chain that a block
// admits, or one that is in, if the block is zero: the settled block, or the
// admitting one if that is lower, since what a Welcome opens is followed from
// there. Zero where nothing is settled.
func (m *Machine) baseFor(admits wire.BlockHash) wire.BlockHash {
	if m.state().OfPerson() {
		return wire.BlockHash{} // few blocks, and no votes
	}
	base := m.votes.Settled()
	if admits != (wire.BlockHash{}) && m.blocks.IsAncestor(admits, base) {
		base = admits
	}
	if m.blocks.Header(base).IsGenesis() {
		return wire.BlockHash{}
	}
	return base
}

// pageOf returns what of the chain comes next to who has some of its blocks and of
// the tree; one thing at least, however large it is, unless spare.
func (m *Machine) pageOf(a pagesAskFrame, spare bool) (page, error) {
	return m.pageWith(a, m.blocks.Missing(a.offer), spare)
}

// pageWith is pageOf of those blocks alone.
func (m *Machine) pageWith(a pagesAskFrame, lacks []wire.BlockHash, spare bool) (page, error) {
	p := page{base: a.base, offset: a.tree}
	var lights, whole []wire.BlockHash
	for _, hash := range lacks {
		if a.base == (wire.BlockHash{}) || m.blocks.IsAncestor(a.base, hash) {
			whole = append(whole, hash)
		} else {
			lights = append(lights, hash)
		}
	}
	var tree []byte
	if a.base != (wire.BlockHash{}) {
		if !m.blocks.Has(a.base) || m.blocks.IsLight(a.base) {
			return p, errNotHere
		}
		if !m.blocks.Header(a.base).Starts() && len(whole) > 0 && whole[0] == a.base {
			public, err := m.public(a.base)
			if err != nil {
				return p, err
			}
			tree = public.RatchetTree()
		}
	}
	if len(m.withBodies(whole)) < len(whole) || uint64(a.tree) > uint64(len(tree)) || len(tree) > maxTree {
		return p, errNotHere
	}
	p.treeSize = uint32(len(tree))
	p.fill(m, lights, tree[a.tree:], whole, spare)
	return p, nil
}

// fill puts in as much as a page may hold.
func (p *page) fill(m *Machine, lights []wire.BlockHash, tree []byte, whole []wire.BlockHash, spare bool) {
	room := m.pageRoom
	p.left = uint32(len(lights) + len(whole))
	for _, hash := range lights {
		l := lightFrame{m.blocks.Header(hash).Bytes(), m.blocks.Body(hash).Attachments}
		if room -= l.size(); room < 0 && (spare || len(p.lights) > 0) || len(p.lights) == maxPageBlocks {
			return
		}
		p.lights, p.left = append(p.lights, l), p.left-1
	}
	if len(tree) > 0 {
		n := min(len(tree), max(room, 1<<10))
		p.tree = tree[:n]
		if room -= n; n < len(tree) {
			return
		}
	}
	for _, hash := range whole {
		b := m.blockFrame(hash)
		room -= len(b.header) + len(b.body) + len(b.welcome)
		if room < 0 && (spare || len(p.lights)+len(p.tree)+len(p.blocks) > 0) || len(p.blocks) == maxPageBlocks {
			return
		}
		p.blocks, p.left = append(p.blocks, b), p.left-1
	}
}

func (l lightFrame) size() (n int) {
	n = len(l.header)
	for _, a := range l.attachments {
		n += len(a)
	}
	return n
}

// openingFor returns the invitation in pages for a device that a block admits.
func (m *Machine) openingFor(who wire.DeviceID, block wire.BlockHash, w welcome) []byte {
	return m.openingAbove(m.baseFor(block), who, block, w)
}

func (m *Machine) openingAbove(base wire.BlockHash, who wire.DeviceID, block wire.BlockHash, w welcome) []byte {
	p, err := m.pageOf(pagesAskFrame{base: base}, true)
	if err != nil {
		return nil
	}
	for i := range p.blocks {
		if h, err := chain.ParseHeader(p.blocks[i].header); err == nil && h.Hash() == block {
			p.blocks[i].welcome = nil // it stands elsewhere
		}
	}
	return opening{invitation: invitation{
		block: block, welcome: w.bytes(), reaches: m.allReaches(), infos: m.allInfos(), certificate: m.certificateFor(who),
	}, page: p}.bytes()
}

// readsPages reports whether a device's program reads pages: its leaf says so, or did
// before it was parked, or it sent one.
func (m *Machine) readsPages(d wire.DeviceID) bool {
	p := m.peers[d]
	return p != nil && (p.pages || m.parkedReads(p, FeatureHeaders)) || m.reads(d, FeatureHeaders)
}

// onPagesAsk takes what a member, or a former one, asks for; of several the last. It is
// answered once its share allows it.
func (m *Machine) onPagesAsk(now uint64, p *peer, a pagesAskFrame, eff *Effects) {
	if !m.speaks() {
		return
	}
	p.pagesAsked = &a
	m.givePages(now, p, eff)
}

// owePages gives the pages that were waited for.
func (m *Machine) owePages(now uint64, eff *Effects) {
	if !m.anyPeer(func(p *peer) bool { return isDue(p.pagesDue, now) }) {
		return
	}
	for _, d := range sortedDevices(m.peers) {
		if p := m.peers[d]; isDue(p.pagesDue, now) {
			m.givePages(now, p, eff)
		}
	}
}

// givePages gives the next page of what a peer asked for, or waits until it may have one.
func (m *Machine) givePages(now uint64, p *peer, eff *Effects) {
	p.pagesDue = 0
	if p.pagesAsked == nil {
		return
	}
	if due := m.chainShares.due(p.member.Device); due > now {
		p.pagesDue = due
		return
	}
	a, before, tree := *p.pagesAsked, len(eff.Send), 0
	p.pagesAsked = nil
	switch m.relation(p.member) {
	case present:
		tree = m.givePage(p, a, eff)
	case former:
		m.onFormerAsk(p, a, eff)
	}
	m.countChain(now, p, tree, eff.Send[before:])
}

// countChain counts what a peer is given of the chain, or instead of it.
func (m *Machine) countChain(now uint64, p *peer, tree int, given []Frame) {
	size := chainCost + tree/treeCost
	for _, f := range given {
		size += len(f.Payload)
	}
	m.chainShares.use(now, p.member.Device, size)
}

// givePage gives a member the next page; the way of today from the start to who asked for
// what is not held here. It returns the size of the tree that it looked at.
func (m *Machine) givePage(p *peer, a pagesAskFrame, eff *Effects) (tree int) {
	next, err := m.pageOf(a, false)
	switch {
	case err == nil && (a.base == wire.BlockHash{} || m.blocks.IsAncestor(a.base, m.votes.Settled())):
		eff.send(p.member.Device, next.bytes())
	case m.acks[p.member.Device] == nil:
		if inv := m.invitationFor(p.member); inv != nil {
			eff.send(p.member.Device, inv)
		}
	}
	return int(next.treeSize)
}

// sendPages opens pages to a member that was away and lacks blocks that are held
// here without their commits. Who had too much of them is told what is here, and says then
// again what it has.
func (m *Machine) sendPages(now uint64, p *peer, offer chain.Offer, eff *Effects) {
	if m.chainShares.due(p.member.Device) > now {
		m.wantHave(now, p)
		return
	}
	next, err := m.pageOf(pagesAskFrame{base: m.baseFor(wire.BlockHash{}), offer: offer}, true)
	before := len(eff.Send)
	if err == nil && next.base != (wire.BlockHash{}) {
		eff.send(p.member.Device, opening{invitation: invitation{certificate: m.certificateFor(p.member.Device)}, page: next}.bytes())
	}
	m.countChain(now, p, int(next.treeSize), eff.Send[before:])
}
