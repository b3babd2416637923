package group

import (
	"bytes"
	"slices"

	"kith/internal/wire"
)

// How a block is asked for that others have; see blocknews.go.

// seek has a block asked for when it is time. The first news say when that is. Who did not give what it
// was asked for is asked ever more rarely.
func (m *Machine) seek(p *peer, new soughtBlock) {
	b := &p.blocks
	switch {
	case new.told || b.silent == 0:
	case b.silent > maxSilences:
		return // until it tells of one, or a session begins
	default:
		new.due = max(new.due, m.now+blocksTimeout<<min(b.silent-1, maxSilences))
	}
	switch i := slices.IndexFunc(b.sought, func(s soughtBlock) bool { return s.hash == new.hash }); {
	case i >= 0 && new.told && !b.sought[i].told:
		b.sought[i] = new
	case i < 0 && len(b.sought) < maxBlockNews:
		b.sought = append(b.sought, new)
	}
}

// askForBlocks asks one of those that have what is not here, and another if that one does
// not give it.
func (m *Machine) askForBlocks(now uint64, eff *Effects) {
	s := &m.seeking
	if s.until > now {
		return
	}
	if s.until != 0 {
		if p := m.peers[s.from]; p != nil {
			p.blocks.sought, p.blocks.welcomes = nil, nil
			p.blocks.silent++
			if p.rel == present {
				m.greetAgain(now, p, eff) // a block of which it told, and nothing more, may have removed it
				if p.proofDue != 0 {
					p.proofDue = now + unfoundAfter
				}
			}
		}
		s.until = 0
	}
	if !m.anyPeer(func(p *peer) bool { return m.givesBlocks(p, now) }) {
		return
	}
	var best *peer
	for _, d := range after(s.from, sortedDevices(m.peers)) {
		if p := m.peers[d]; m.givesBlocks(p, now) && (best == nil || p.blocks.silent < best.blocks.silent) {
			best = p
		}
	}
	m.askBlocksOf(now, best, eff)
}

// isAhead reports whether a peer told of blocks that are not here: entries of it may name them.
func (m *Machine) isAhead(p *peer) bool {
	return slices.ContainsFunc(p.blocks.sought, func(s soughtBlock) bool { return !m.blocks.Has(s.hash) })
}

// givesBlocks reports whether a peer has blocks for which it is time.
func (m *Machine) givesBlocks(p *peer, now uint64) bool {
	b := &p.blocks
	b.sought = slices.DeleteFunc(b.sought, func(s soughtBlock) bool { return m.blocks.Has(s.hash) })
	return p.rel == present && (len(b.welcomes) > 0 || slices.ContainsFunc(b.sought, func(s soughtBlock) bool { return s.due <= now }))
}

func (m *Machine) askBlocksOf(now uint64, p *peer, eff *Effects) {
	slices.SortFunc(p.blocks.welcomes, func(a, b wire.BlockHash) int { return bytes.Compare(a[:], b[:]) })
	eff.send(p.member.Device, askBlocksFrame{m.blocks.Offer(), p.blocks.welcomes}.bytes())
	m.seeking.from, m.seeking.until = p.member.Device, now+blocksTimeout
}

// onAskBlocks gives what is asked for.
func (m *Machine) onAskBlocks(now uint64, p *peer, r *wire.Reader, eff *Effects) error {
	f, err := parseAskBlocks(r)
	if err != nil {
		return err
	}
	p.blocks.tells = true
	if m.chainShares.due(p.member.Device) > now {
		return nil // it asks another, or again
	}
	lacks := m.blocks.Missing(f.offer)
	for _, hash := range f.welcomes {
		if w := m.welcomes[hash]; !w.empty() && m.blocks.Header(hash).Author == m.self.Member() {
			lacks = append(lacks, hash)
		}
	}
	before := len(eff.Send)
	if sent := m.sendBlocks(p.member.Device, lacks, eff); sent > 0 || len(lacks) == 0 {
		m.countChain(now, p, 0, eff.Send[before:])
	} else if m.readsPages(p.member.Device) {
		m.sendPages(now, p, f.offer, eff)
	}
	for _, hash := range lacks {
		p.blocks.know(hash)
	}
	return nil
}

// blocksCame takes note of blocks that a peer sent, of which more follow or not, and some
// were new or none.
func (m *Machine) blocksCame(now uint64, p *peer, more, fresh bool, eff *Effects) {
	asked := m.seeking.until != 0 && m.seeking.from == p.member.Device
	switch {
	case asked && more && fresh:
		m.askBlocksOf(now, p, eff)
		return
	case m.speaks() && (more || asked && fresh): // votes and statements that came before them were passed over
		m.wantHave(now, p)
	}
	if asked {
		p.blocks.silent = 0
		m.seeking.until, p.blocks.sought, p.blocks.welcomes = 0, nil, nil
	}
}

// blocksWake is when blocks are asked for, or told of; 0: never.
func (m *Machine) blocksWake() (next uint64) {
	s := &m.seeking
	if m.speaks() {
		next = s.due
	}
	if s.until != 0 {
		return m.soon(next, s.until)
	}
	for _, p := range m.peers {
		for _, b := range p.blocks.sought {
			if p.rel == present {
				next = m.soon(next, b.due)
			}
		}
	}
	return next
}

// hastenBlocks is for a clock that was set back.
func (m *Machine) hastenBlocks(now uint64) {
	s := &m.seeking
	s.until, s.due = min(s.until, now), min(s.due, now)
	for i := range s.fresh {
		s.fresh[i].at = min(s.fresh[i].at, now)
	}
	for _, p := range m.peers {
		for i := range p.blocks.sought {
			p.blocks.sought[i].due = min(p.blocks.sought[i].due, now)
		}
	}
}
