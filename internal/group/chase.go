package group

import (
	"slices"

	"kith/internal/dag"
	"kith/internal/wire"
)

// Entries are asked for by heads from one peer, which answers with all that is lacking,
// or, where that is much, with the newest: they are shown while the rest is still to
// come. The rest is chased in stretches of lamport values, from several peers at once,
// each from one, so that each entry is fetched once.

// asked is one request under way. A peer answers in the order in which it was asked.
type asked struct {
	from    wire.DeviceID
	until   uint64 // ms
	stretch bool   // else by heads
	within  dag.Range
	size    int  // entries so far
	frames  int  // of the answer so far
	found   bool // the answer so far brought something new
	early   bool // it holds something whose block is not here yet
}

// A chase is the fetching of much.
type chase struct {
	next  uint64      // the lamport up to which all was handed out
	width uint64      // lamport values of a stretch: as many as have about maxStretch entries
	top   uint64      // where it ends
	open  []dag.Range // stretches that somebody did not give, lowest first
	gave  map[wire.DeviceID]bool
	under map[wire.DeviceID]bool // who was asked
	idle  map[wire.DeviceID]bool // who gave nothing of what it was asked for, and is asked no more
}

// pullHeads asks peers by heads; false if none of them has anything.
func (m *Machine) pullHeads(now uint64, eff *Effects) bool {
	m.expire(now)
	m.afterBlocks()
	for {
		if m.chase != nil {
			if m.handOut(now, eff); len(m.asked) > 0 || m.elsewhere && m.chaseDue > now {
				return true
			}
			m.endChase(now)
		}
		if len(m.asked) > 0 {
			return true
		}
		d, ok := m.nextAsked()
		if !ok {
			return false
		}
		p := m.peers[d]
		m.askedLast = d
		if p.theirs.more || m.graph.Lowered() && !p.theirs.swept {
			m.beginChase(p)
			continue
		}
		m.request(asked{from: d, until: now + fetchTimeout}, m.askFrame(p).bytes(), eff)
		return true
	}
}

func (m *Machine) request(a asked, payload []byte, eff *Effects) {
	m.asked = append(m.asked, a)
	eff.send(a.from, payload)
}

// nextAsked is whose turn it is of those that may have something.
func (m *Machine) nextAsked() (wire.DeviceID, bool) {
	if !m.anyPeer(func(p *peer) bool { return p.byHeads && (p.theirs.heads != nil || m.mayFill(p)) }) {
		return wire.DeviceID{}, false
	}
	for _, d := range after(m.askedLast, m.connected(true)) {
		p := m.peers[d]
		switch {
		case m.isAhead(p):
			continue
		case p.byHeads && (m.lacksOf(p) || m.mayFill(p)):
			return d, true
		}
		p.theirs.heads = nil
	}
	return wire.DeviceID{}, false
}

func (m *Machine) askFrame(p *peer) askFrame {
	heads, below := m.graph.Sketch(maxHeads)
	return askFrame{heads: slices.Concat(heads, below), names: m.wants(p).refs}
}

// beginChase begins to chase what a peer has, with whoever else has it.
func (m *Machine) beginChase(p *peer) {
	c := &chase{gave: make(map[wire.DeviceID]bool), under: make(map[wire.DeviceID]bool), idle: make(map[wire.DeviceID]bool)}
	most := uint64(0)
	for _, d := range m.connected(true) {
		if o := m.peers[d]; o.byHeads && (o == p || m.lacksOf(o)) {
			c.top, most = max(c.top, o.theirs.top), max(most, o.theirs.count)
		}
	}
	here := min(m.graph.Top(), c.top)
	lacking := uint64(1)
	if n := uint64(m.graph.Len()); most > n {
		lacking = most - n
	}
	c.next, c.width = here, max(1, (c.top-here)/(lacking/maxStretch+1))
	c.open = []dag.Range{{To: here}}
	m.chase = c
}

// handOut gives stretches to peers that have room for one, the lowest first, while what
// lies ahead of the graph is not too much.
func (m *Machine) handOut(now uint64, eff *Effects) {
	c := m.chase
	for len(m.asked) < maxStretches {
		if m.elsewhere {
			if len(m.asked) > 0 || m.chaseDue > now {
				return
			}
			m.chaseDue = now + asideEvery
		}
		if ahead := len(m.waiting) + len(m.asked)*maxStretch; len(m.asked) > 0 && ahead >= maxAhead {
			return
		}
		p := m.stretcher()
		if p == nil {
			return
		}
		within, ok := c.take()
		if !ok {
			return
		}
		f, ok := m.stretchFrame(p, within)
		if !ok {
			c.open = append([]dag.Range{within}, c.open...)
			p.theirs.heads = nil
			continue
		}
		c.under[p.member.Device] = true
		m.request(asked{from: p.member.Device, until: now + fetchTimeout, stretch: true, within: within}, f.bytes(), eff)
	}
}

// take returns the next stretch to be asked for.
func (c *chase) take() (within dag.Range, ok bool) {
	if len(c.open) > 0 {
		within, c.open = c.open[0], c.open[1:]
		return within, true
	}
	if c.next >= c.top {
		return within, false
	}
	// A spot at the next lamport with the zero device is before every entry of it.
	within = dag.Range{From: dag.Spot{Lamport: c.next + 1}, To: min(c.top, c.next+c.width)}
	c.next = within.To
	return within, true
}

// giveBack puts a stretch, or what is left of it, among those that are to be asked for.
func (c *chase) giveBack(within dag.Range) {
	i, _ := slices.BinarySearchFunc(c.open, within, func(a, b dag.Range) int { return a.From.Compare(b.From) })
	c.open = slices.Insert(c.open, i, within)
}

// stretcher is who has the fewest requests under way of those that have something, at
// most two, so that a line is not idle for a round trip.
func (m *Machine) stretcher() (best *peer) {
	least := maxOfOne
	for _, d := range after(m.askedLast, m.connected(true)) {
		p, n := m.peers[d], 0
		if !p.byHeads || !m.lacksOf(p) || m.chase.idle[d] {
			continue
		}
		for _, a := range m.asked {
			if a.from == d {
				n++
			}
		}
		if n < least {
			best, least = p, n
		}
	}
	if best != nil {
		m.askedLast = best.member.Device
	}
	return best
}

func (m *Machine) stretchFrame(p *peer, within dag.Range) (f stretchFrame, ok bool) {
	devices, ok := m.tableOf(p.theirs.common)
	if !ok {
		return f, false
	}
	f = stretchFrame{block: p.theirs.common, within: within}
	var numbers []seqOf
	forked := make(map[wire.DeviceID]dag.Ref)
	for _, r := range m.graph.Forked() {
		forked[r.Device] = r
	}
	for _, r := range m.graph.Frontier().Refs() {
		_, in := slices.BinarySearchFunc(devices, r.Device, compareID)
		if _, twice := forked[r.Device]; twice || !in {
			f.others = append(f.others, r)
		} else {
			numbers = append(numbers, seqOf{r.Device, r.Seq})
		}
	}
	f.seqs, _ = byTable(devices, numbers)
	for r, h := range m.waiting {
		if h.Lamport >= within.From.Lamport && h.Lamport <= within.To {
			f.beside = append(f.beside, r)
		}
	}
	slices.SortFunc(f.beside, dag.Ref.Compare)
	return f, true
}

// endChase ends a chase of which nothing is left to be asked for.
func (m *Machine) endChase(now uint64) {
	for d := range m.chase.under {
		p := m.peers[d]
		switch {
		case p == nil:
		case !m.chase.gave[d]: // what it has and we lack it does not give
			m.passBy(now, p)
		default:
			p.theirs.swept = true
		}
	}
	m.chase = nil
}

// passBy asks a peer that gave nothing no more for what it says to have, but after a while: long
// messages are overtaken by short ones, so that after a silence an answer may have been taken for another.
func (m *Machine) passBy(now uint64, p *peer) {
	if p.theirs.heads != nil { // else it fell silent
		p.theirs.barren = p.theirs.heads
		p.fellSilent(now)
	}
}

// expire gives what was not answered in time to others, and asks who was asked for nothing
// until it speaks again, or for a while.
func (m *Machine) expire(now uint64) {
	for i := 0; i < len(m.asked); i++ {
		if m.asked[i].until > now {
			continue
		}
		if m.asked[i].stretch {
			m.chase.idle[m.asked[i].from] = true
		}
		if p := m.peers[m.asked[i].from]; p != nil {
			p.fellSilent(now)
		}
		m.forgetAsked(m.asked[i].from)
		i = -1
	}
}

// forgetAsked gives up all that one peer was asked for.
func (m *Machine) forgetAsked(d wire.DeviceID) {
	m.asked = slices.DeleteFunc(m.asked, func(a asked) bool {
		if a.from == d && a.stretch {
			m.chase.giveBack(a.within)
		}
		if p := m.peers[d]; p != nil && a.from == d {
			p.theirs.pause.owed++
		}
		return a.from == d
	})
}

// afterBlocks asks those again whose entries named blocks that were not here, once
// others are.
func (m *Machine) afterBlocks() {
	for _, p := range m.peers {
		if t := &p.theirs; t.early != nil && t.blocks != m.blocks.Len() {
			if t.heads == nil {
				t.heads = t.early
			}
			t.early = nil
		}
	}
}

// askedOf returns the oldest request that a peer has not answered whole.
func (m *Machine) askedOf(d wire.DeviceID) *asked {
	for i := range m.asked {
		if m.asked[i].from == d {
			return &m.asked[i]
		}
	}
	return nil
}

// answered takes note of one frame of an answer. For the next one there is more time only
// if something was found in it.
func (m *Machine) answered(now uint64, p *peer, f entriesFrame, a *asked, found bool) {
	a.found = a.found || found
	if found {
		p.theirs.pause.times = 0
	}
	a.size += len(f.entries)
	if a.frames++; f.answer == entriesMore && a.frames < maxAnswerFrames {
		if found {
			a.until = now + fetchTimeout
		}
		return
	}
	done := *a
	i := slices.IndexFunc(m.asked, func(a asked) bool { return a.from == p.member.Device })
	m.asked = slices.Delete(m.asked, i, i+1)
	for i := range m.asked { // its next answer comes after this one
		if m.asked[i].from == p.member.Device {
			m.asked[i].until = now + fetchTimeout
		}
	}
	switch {
	case done.early:
		p.theirs.early, p.theirs.blocks, p.theirs.heads = p.theirs.heads, m.blocks.Len(), nil
		if done.stretch {
			m.chase.gave[p.member.Device] = true
		}
	case done.stretch:
		m.chase.took(p.member.Device, done, f)
	case f.answer == entriesCut:
		m.beginChase(p)
	case !done.found:
		m.passBy(now, p)
	}
}

// took goes on after a stretch: with the rest of it if it was cut, and with wider or
// narrower ones, as it had few entries or many.
func (c *chase) took(d wire.DeviceID, a asked, f entriesFrame) {
	c.gave[d] = c.gave[d] || a.found
	few := a.size < maxStretch/2
	end, within := a.endOf(f)
	switch {
	case f.answer == entriesLast:
		if few {
			c.width = min(2*c.width, dag.MaxLamport)
		}
	case !within: // it says that there is more, and gives something else
		c.giveBack(a.within)
		c.idle[d] = true
	default:
		if !few {
			c.width = max(1, c.width/2)
		}
		c.giveBack(dag.Range{From: end, To: a.within.To})
	}
}

// endOf is how far into a stretch its answer came; false if not into it.
func (a asked) endOf(f entriesFrame) (end dag.Spot, within bool) {
	if len(f.entries) == 0 {
		return end, false
	}
	h, err := dag.ParseHeader(f.entries[len(f.entries)-1].Header)
	if err != nil {
		return end, false
	}
	end = dag.Spot{Lamport: h.Lamport, Device: h.Device}
	return end, a.within.From.Compare(end) < 0 && end.Lamport <= a.within.To
}

// askedPeople returns of whom entries are asked now, sorted by id.
func (m *Machine) askedPeople() (list []wire.PersonID) {
	add := func(d wire.DeviceID) {
		if p := m.peers[d]; p != nil {
			list = append(list, p.member.Person)
		}
	}
	for _, a := range m.asked {
		add(a.from)
	}
	if m.fetch.until != 0 {
		add(m.fetch.from)
	}
	slices.SortFunc(list, comparePerson)
	return slices.Compact(list)
}
