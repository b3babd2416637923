package group

import (
	"slices"

	"kith/internal/dag"
	"kith/internal/wire"
)

// Who needs to be told of a new entry (docs/spec/sync.md, "Who is told"). Its author pushes an
// entry to all with whom it has a session, or it goes along the tree. So where each says with
// whom it has one, nobody tells another of what that one is just getting; now and then some are
// asked all the same whether they have everything.

// telling is what is known of who is getting what is new.
type telling struct {
	giver     wire.DeviceID // whose entries are being taken; zero: nobody's
	pushed    bool          // and they were not asked for
	named     int           // how many peers had named the group
	linksDue  uint64        // ms; when others are told with whom there are sessions; 0: they know it
	linksLast uint64        // ms; when they were told last
	checkDue  uint64        // ms; when some are told what is here who should have it; 0: all know it
}

// sayLinks tells with whom this device has a session: a second after there are more, and at once when there
// are fewer, but not twice in a second.
func (m *Machine) sayLinks(now uint64, eff *Effects) {
	n := 0
	for _, p := range m.peers {
		if p.named {
			n++
		}
	}
	switch t := &m.telling; {
	case n < t.named:
		t.linksDue = m.soon(t.linksDue, max(now, t.linksLast+linksAfter))
	case n > t.named:
		t.linksDue = m.soon(t.linksDue, now+linksAfter)
	}
	m.telling.named = n
	if !isDue(m.telling.linksDue, now) {
		return
	}
	m.telling.linksDue, m.telling.linksLast = 0, now
	list := m.connected(true)
	if len(m.Spreaders()) > 0 || m.self.Omits == FeatureSparing {
		return
	}
	for _, d := range list {
		p := m.peers[d]
		if !m.reads(d, FeatureSparing) || len(list) == 1 && p.linksTold == (wire.Digest{}) {
			continue // it is told nothing that it does not know
		}
		f := linksFrame{block: p.theirs.common}
		devices, ok := m.tableOf(f.block)
		if !ok {
			f.block = m.votes.Settled() // which whoever takes part soon has
			devices, _ = m.tableOf(f.block)
		}
		f.bits = bitsOf(devices, list)
		if payload := f.bytes(); digestOf(payload) != p.linksTold {
			p.linksTold = digestOf(payload)
			eff.send(d, payload)
		}
	}
}

// onLinks takes with whom a peer has a session. Who has lost the one with somebody who wrote just now
// may not have got that.
func (m *Machine) onLinks(now uint64, p *peer, r *wire.Reader) error {
	f, err := parseLinks(r)
	if err != nil {
		return err
	}
	p.named, p.again = true, false
	devices, ok := m.tableOf(f.block)
	if !ok || len(f.bits) > (len(devices)+7)/8 {
		p.links = nil // it takes for held here a block that is not
		return nil
	}
	before := p.links
	p.links = make(map[wire.DeviceID]bool)
	for i, d := range devices {
		if i/8 < len(f.bits) && f.bits[i/8]>>(i%8)&1 == 1 {
			p.links[d] = true
		}
	}
	for d := range before {
		if w, ok := m.prompt.ways[d]; ok && !p.links[d] && w.at+linksSlack > now {
			p.news = true
			m.digestDue = m.soon(m.digestDue, now+digestAfter)
			break
		}
	}
	return nil
}

// bitsOf are those of a table that are in a list, which ascends.
func bitsOf(devices, list []wire.DeviceID) []byte {
	bits := make([]byte, (len(devices)+7)/8)
	for i, d := range devices {
		if _, found := slices.BinarySearchFunc(list, d, compareID); found {
			bits[i/8] |= 1 << (i % 8)
		}
	}
	for len(bits) > 0 && bits[len(bits)-1] == 0 {
		bits = bits[:len(bits)-1]
	}
	return bits
}

// entryNews has an entry told of to those who are not getting it just now: those to whom neither its author
// pushes it, nor the tree brings it.
func (m *Machine) entryNews(now uint64, h *dag.Header) {
	own := h.Device == m.self.Device.ID()
	lack := false
	for d, p := range m.peers {
		if d == h.Device || d == m.telling.giver || m.isGetting(p, h.Device, own) {
			continue
		}
		p.news, lack = true, true
	}
	if lack {
		m.digestDue = m.soon(m.digestDue, now+m.digestWait())
	}
	m.telling.checkDue = m.soon(m.telling.checkDue, now+checkAfter)
}

func (m *Machine) isGetting(p *peer, author wire.DeviceID, own bool) bool {
	switch d := p.member.Device; {
	case !own && !m.telling.pushed:
		return false
	case m.spreadsTo(d):
		return own || m.spreadsTo(m.telling.giver)
	case own:
		return p.named
	default:
		return m.telling.giver == author && p.links[author]
	}
}

// checkedNow returns some of those who may lack something that they were not told of.
func (m *Machine) checkedNow(now uint64) []wire.DeviceID {
	list := m.untold(func(*peer) bool { return true })
	if len(list) <= checkAtOnce {
		return list
	}
	m.telling.checkDue = now + checkAfter
	return m.nextTold(list, checkAtOnce)
}

// nextTold returns the next n of a list, so that nobody's turn comes before everybody else's has.
func (m *Machine) nextTold(list []wire.DeviceID, n int) []wire.DeviceID {
	if m.toldLast == (wire.DeviceID{}) {
		m.toldLast = m.self.Device.ID() // so that not all begin with the same
	}
	list = after(m.toldLast, list)[:n]
	m.toldLast = list[n-1]
	return list
}
