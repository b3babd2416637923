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
	base := m.baseFor(block)
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

// onPagesAsk gives the next page; the way of today from the start to who asked for
// what is not held here.
func (m *Machine) onPagesAsk(p *peer, a pagesAskFrame, eff *Effects) {
	if !m.speaks() {
		return
	}
	next, err := m.pageOf(a, false)
	switch {
	case err == nil && (a.base == wire.BlockHash{} || m.blocks.IsAncestor(a.base, m.votes.Settled())):
		eff.send(p.member.Device, next.bytes())
	case m.acks[p.member.Device] == nil:
		if inv := m.invitationFor(p.member); inv != nil {
			eff.send(p.member.Device, inv)
		}
	}
}

// sendPages opens pages to a member that was away and lacks blocks that are held
// here without their commits.
func (m *Machine) sendPages(p *peer, offer chain.Offer, eff *Effects) {
	next, err := m.pageOf(pagesAskFrame{base: m.baseFor(wire.BlockHash{}), offer: offer}, true)
	if err != nil || next.base == (wire.BlockHash{}) {
		return
	}
	eff.send(p.member.Device, opening{invitation: invitation{certificate: m.certificateFor(p.member.Device)}, page: next}.bytes())
}
