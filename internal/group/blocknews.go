package group

import (
	"bytes"
	"encoding/binary"
	"slices"

	"kith/internal/chain"
	"kith/internal/wire"
)

// How a block comes to each member once (docs/spec/sync.md, "Blocks that are new"): who makes
// it gives it to all it is connected to. Who got it tells the others that it has it, and they
// ask one, if nobody gives it to them.

// seeking is the one request for blocks that is under way, and what is to be told.
type seeking struct {
	from  wire.DeviceID // who was asked
	until uint64        // ms; when somebody else is asked; 0: nobody is waited for

	fresh []freshBlock // what came last, oldest first
	due   uint64       // ms; when those are told of that were not; 0: all were
}

// A freshBlock is one that came here a short while ago.
type freshBlock struct {
	hash wire.BlockHash
	at   uint64 // ms
	told bool
}

// A soughtBlock is one that a peer has and that is not here.
type soughtBlock struct {
	hash wire.BlockHash
	due  uint64 // ms; when it may be asked for
	told bool   // by news, not by its name among what the peer has
}

// heldBlocks is what a peer showed to have of blocks, or was told of.
type heldBlocks struct {
	sought   []soughtBlock    // not here
	welcomes []wire.BlockHash // here, but for the Welcome that the peer, their author, has
	known    []wire.BlockHash // newest last
	silent   int              // how often in a row it did not give what it had told of
	tells    bool             // it sent a frame of FeatureBlockNews
}

func (h *heldBlocks) know(hash wire.BlockHash) {
	if slices.Contains(h.known, hash) {
		return
	}
	if len(h.known) == maxBlockNews {
		h.known = slices.Delete(h.known, 0, 1)
	}
	h.known = append(h.known, hash)
}

// asksBlocks reports whether a device that is told of a block asks for it: its program reads
// the frames, and it knows this device as one of the group.
func (m *Machine) asksBlocks(p *peer) bool {
	d := p.member.Device
	guest := m.acks[d] == nil
	return p.rel == present && (p.named && !p.again || guest) && m.readsBlockNews(p)
}

func (m *Machine) readsBlockNews(p *peer) bool {
	return m.self.Omits != FeatureBlockNews && (p.blocks.tells || m.reads(p.member.Device, FeatureBlockNews) || m.parkedReads(p, FeatureBlockNews))
}

// spread gives a block that this device has made to the members' devices that are connected; in
// a large group to some of those that ask if they are told of it by these.
func (m *Machine) spread(hash wire.BlockHash, eff *Effects) {
	payload := blocksFrame{blocks: []blockFrame{m.blockFrame(hash)}}.bytes()
	list := m.connected(false)
	if len(m.Spreaders()) > 0 {
		few := m.someOf(hash, m.tellable(list))
		list = slices.DeleteFunc(list, func(d wire.DeviceID) bool { return m.asksBlocks(m.peers[d]) && !slices.Contains(few, d) })
	}
	for _, d := range list {
		m.peers[d].blocks.know(hash)
		eff.send(d, payload)
	}
	m.noteFresh(hash, true)
}

// pass tells of a block that somebody else made and that is new here, and gives it to those
// that would neither ask for it nor say that they lack it.
func (m *Machine) pass(hash wire.BlockHash, from wire.DeviceID, eff *Effects) {
	if m.blocks.IsLight(hash) {
		return // it came late, and counts nowhere
	}
	var payload []byte
	for _, d := range m.connected(false) {
		p := m.peers[d]
		if d == from || p.named && !p.again || m.asksBlocks(p) {
			continue
		}
		if payload == nil {
			payload = blocksFrame{blocks: []blockFrame{m.blockFrame(hash)}}.bytes()
		}
		eff.send(d, payload)
	}
	m.noteFresh(hash, false)
}

// noteFresh remembers that a block came, and has it told of.
func (m *Machine) noteFresh(hash wire.BlockHash, told bool) {
	s := &m.seeking
	if len(s.fresh) == maxBlockNews {
		s.fresh = slices.Delete(s.fresh, 0, 1)
	}
	s.fresh = append(s.fresh, freshBlock{hash, m.now, told})
	if !told {
		s.due = m.soon(s.due, m.now+tellBlockAfter+m.place(hash, tellBlockSpread))
	}
}

// place is a number below n that differs from device to device and from block to block.
func (m *Machine) place(hash wire.BlockHash, n uint64) uint64 {
	own := m.self.Device.ID()
	sum := wire.Hash(wire.HashDigest, own[:], hash[:])
	return binary.BigEndian.Uint64(sum[:8]) % n
}

// tellable returns those of the devices that ask for blocks.
func (m *Machine) tellable(list []wire.DeviceID) (asking []wire.DeviceID) {
	for _, d := range list {
		if m.asksBlocks(m.peers[d]) {
			asking = append(asking, d)
		}
	}
	return asking
}

// someOf returns all of a few devices; of many, in a group in which all cannot be told by each,
// some, and others at each device.
func (m *Machine) someOf(hash wire.BlockHash, list []wire.DeviceID) []wire.DeviceID {
	if len(m.Spreaders()) == 0 || len(list) <= toldAtOnce {
		return list
	}
	at := int(m.place(hash, uint64(len(list))))
	return slices.Concat(list[at:], list[:at])[:toldAtOnce]
}

// tellBlocks tells what came a moment ago to those that did not show to have it.
func (m *Machine) tellBlocks(now uint64, eff *Effects) {
	s := &m.seeking
	if !isDue(s.due, now) {
		return
	}
	s.due = 0
	var fresh []wire.BlockHash
	for i, f := range s.fresh {
		if !f.told && m.blocks.Has(f.hash) && !m.blocks.IsLight(f.hash) {
			fresh = append(fresh, f.hash)
		}
		s.fresh[i].told = true
	}
	news := make(map[wire.DeviceID][]blockNews)
	for _, hash := range m.lastOf(fresh) {
		for _, d := range m.someOf(hash, m.tellable(m.connected(false))) {
			if !m.showed(m.peers[d], hash) {
				news[d] = append(news[d], m.newsOf(hash))
			}
		}
	}
	for _, d := range sortedDevices(news) {
		m.tellOf(m.peers[d], news[d], eff)
	}
}

// lastOf returns those blocks of a list on which no other of it stands: who lacks one asks for
// all that it lacks.
func (m *Machine) lastOf(list []wire.BlockHash) []wire.BlockHash {
	under := make(map[wire.BlockHash]bool, len(list))
	for _, hash := range list {
		under[m.blocks.Header(hash).Parent] = true
	}
	return slices.DeleteFunc(slices.Clone(list), func(hash wire.BlockHash) bool { return under[hash] })
}

// showed reports whether a peer showed to have a block, or one on it.
func (m *Machine) showed(p *peer, hash wire.BlockHash) bool {
	return slices.ContainsFunc(p.blocks.known, func(k wire.BlockHash) bool {
		return k == hash || m.blocks.Has(k) && m.blocks.IsAncestor(hash, k)
	})
}

// toldLately is how many blocks came just now that a peer did not show to have.
func (m *Machine) toldLately(p *peer) (n int) {
	for _, f := range m.seeking.fresh {
		if f.at+givenFor > m.now && m.blocks.Has(f.hash) && !m.showed(p, f.hash) {
			n++
		}
	}
	return n
}

// newsOf says who is giving a block just now, and which Welcome it has from this device.
func (m *Machine) newsOf(hash wire.BlockHash) blockNews {
	n := blockNews{block: hash}
	author := m.blocks.Header(hash).Author
	if author.Device == m.self.Device.ID() {
		n.welcome = m.welcomeDigest(hash)
	}
	i := slices.IndexFunc(m.seeking.fresh, func(f freshBlock) bool { return f.hash == hash })
	if i >= 0 && m.seeking.fresh[i].at+givenFor > m.now && len(m.Spreaders()) == 0 {
		n.giver = author.Device
	}
	return n
}

// welcomeDigest is the digest of the Welcome beside a block; zero if there is none.
func (m *Machine) welcomeDigest(hash wire.BlockHash) (d wire.Digest) {
	if w := m.welcomes[hash]; !w.empty() {
		d = digestOf(w.bytes())
	}
	return d
}

func (m *Machine) tellOf(p *peer, news []blockNews, eff *Effects) {
	slices.SortFunc(news, func(a, b blockNews) int { return bytes.Compare(a.block[:], b.block[:]) })
	eff.send(p.member.Device, encodeBlockNews(news))
}

// giveLacking gives a member the blocks that it lacks by what it says to have, in pages if some
// are held here without their commits; who asks for blocks is told of them. Others were told the
// same by it, and would give it the same.
func (m *Machine) giveLacking(now uint64, p *peer, offer chain.Offer, eff *Effects) {
	lacks := m.blocks.Missing(offer)
	for _, tip := range offer.Tips {
		p.blocks.know(tip)
		if !m.blocks.Has(tip) && m.asksBlocks(p) {
			m.seek(p, soughtBlock{tip, now + newsWait, false}) // by then it has told who gives it
		}
	}
	whole := m.withBodies(lacks)
	if len(whole) == 0 || !m.asksBlocks(p) {
		m.sendLacking(now, p, offer, lacks, eff)
		return
	}
	var news []blockNews
	ends := m.lastOf(whole)
	for _, hash := range ends[:min(len(ends), maxBlockNews)] {
		news = append(news, m.newsOf(hash))
	}
	m.tellOf(p, news, eff)
}

func (m *Machine) sendLacking(now uint64, p *peer, offer chain.Offer, lacks []wire.BlockHash, eff *Effects) {
	switch {
	case len(lacks) == 0:
	case m.chainShares.due(p.member.Device) > now:
		m.wantHave(now, p) // it says then again what it has
	case m.giveBlocks(p, lacks, eff) == 0 && m.readsPages(p.member.Device):
		m.sendPages(now, p, offer, eff)
	}
}

// onBlockNews takes note of what a peer has.
func (m *Machine) onBlockNews(now uint64, p *peer, r *wire.Reader, eff *Effects) error {
	list, err := parseBlockNews(r)
	if err != nil {
		return err
	}
	p.blocks.tells = true
	if p.rel != present {
		return nil
	}
	if slices.ContainsFunc(list, func(n blockNews) bool { return m.blocks.Has(n.block) && m.takesOut(n.block, p.member.Device) }) {
		m.greetAgain(now, p, eff)
	}
	for _, n := range list {
		p.blocks.know(n.block)
		switch {
		case !m.blocks.Has(n.block):
			due := now
			leaves := m.leaves[p.member.Person] != nil // it may have left by this block, and then gives nothing
			if (m.peers[n.giver] != nil || leaves) && n.giver != p.member.Device {
				due += giverWait + m.place(n.block, giverSpread)
			}
			m.seek(p, soughtBlock{n.block, due, true})
		case n.welcome != wire.Digest{} && m.blocks.Header(n.block).Author == p.member && m.needed(n.block) && m.welcomeDigest(n.block) != n.welcome:
			if len(p.blocks.welcomes) < maxBlockNews && !slices.Contains(p.blocks.welcomes, n.block) {
				p.blocks.welcomes = append(p.blocks.welcomes, n.block)
			}
		}
	}
	return nil
}
