package peer

import (
	"math"
	"slices"

	"kith/internal/wire"
)

// The payloads: pushed along eager edges, announced along the others, asked for
// where an announcement came and the payload did not.

func (e *Effects) send(to wire.DeviceID, f treeFrame) {
	e.Send = append(e.Send, Frame{To: to, Bytes: f.bytes()})
}

// push sends a payload, which its owner puts behind the frame.
func (e *Effects) push(to wire.DeviceID, id PayloadID) {
	e.Send = append(e.Send, Frame{To: to, Bytes: gossipFrame{id: id}.bytes(), Payload: &id})
}

func (t *Tree) publish(p Publish, eff *Effects) {
	if t.seen[p.ID] != nil {
		return
	}
	t.note(p.ID, &post{state: VerdictHeld, size: p.Size})
	t.spread(p.ID, false, eff)
}

func (t *Tree) came(c Came) {
	t.settleWant(c.ID)
	switch p := t.seen[c.ID]; {
	case p == nil:
		t.note(c.ID, &post{state: VerdictHeld, size: c.Size})
	case p.state == VerdictLater:
		p.state = VerdictHeld
	}
}

// note remembers a payload, in the place of the oldest if there are many.
func (t *Tree) note(id PayloadID, p *post) {
	t.seen[id] = p
	if len(t.order) < maxSeen {
		t.order = append(t.order, id)
		return
	}
	delete(t.seen, t.order[t.next])
	t.order[t.next] = id
	t.next = (t.next + 1) % maxSeen
}

// spread passes a payload on. One that had to be asked for comes late: those beyond
// have heard of it by other ways and may be asking for it, so it is
// announced to them in place of being pushed.
func (t *Tree) spread(id PayloadID, late bool, eff *Effects) {
	p := t.seen[id]
	others := slices.DeleteFunc(slices.Clone(t.near), func(d wire.DeviceID) bool { return d == p.from })
	if p.from == (wire.DeviceID{}) && len(others) > 0 && !slices.ContainsFunc(others, func(d wire.DeviceID) bool { return t.peers[d].eager }) {
		t.peers[others[t.random.IntN(len(others))]].eager = true // somebody has to be the first
	}
	for _, d := range others {
		switch c := t.peers[d]; {
		case c.eager && late:
			eff.send(d, haveFrame{true, []PayloadID{id}})
		case c.eager:
			eff.push(d, id)
		case len(c.news) < maxNews:
			c.news = append(c.news, id)
			if t.newsDue == 0 {
				t.newsDue = t.now + lazyEvery
			}
		}
	}
}

// bringUp has the newest payloads announced to a new neighbour: it may have had none
// when they passed, or this device when it wrote one.
func (t *Tree) bringUp(c *contact) {
	for i := range min(len(t.order), bringUp) {
		id := t.order[(t.next+len(t.order)-1-i)%len(t.order)]
		if p := t.seen[id]; p != nil && p.state == VerdictHeld {
			c.news = append(c.news, id)
		}
	}
	if len(c.news) > 0 && t.newsDue == 0 {
		t.newsDue = t.now + lazyEvery
	}
}

// announceNews announces what was gathered.
func (t *Tree) announceNews(eff *Effects) {
	if !isTime(t.newsDue, t.now) {
		return
	}
	t.newsDue = 0
	for _, d := range t.near {
		c := t.peers[d]
		ids := c.news[:min(len(c.news), maxIDs)]
		if c.news = c.news[len(ids):]; len(c.news) > 0 {
			t.newsDue = t.now + lazyEvery
		} else {
			c.news = nil
		}
		if len(ids) > 0 {
			eff.send(d, haveFrame{false, sortedIDs(ids)})
		}
	}
}

// onGossip takes a payload. One that is here already shows an edge too many, but for
// one that was asked for, whose other copy was under way.
func (t *Tree) onGossip(from wire.DeviceID, c *contact, f gossipFrame, eff *Effects) {
	if !c.neighbour {
		t.part(from, c, eff)
		if !t.allows(from, c, eff) {
			return
		}
	}
	if p := t.seen[f.id]; p != nil {
		t.lives(from)
		if slices.Contains(p.asked, from) || !t.allows(from, c, eff) {
			return
		}
		if c.neighbour && !p.pulled && from != p.from && (c.pruned == 0 || c.pruned+pruneLeast <= t.now) {
			c.eager, c.pruned = false, max(t.now, 1)
			eff.send(from, pruneFrame{})
		}
		return
	}
	p := &post{size: len(f.payload), from: from}
	if w := t.wants[f.id]; w != nil {
		p.asked, p.pulled = w.asked, slices.Contains(w.asked, from)
	}
	t.seen[f.id] = p
	eff.Deliver = append(eff.Deliver, Delivery{f.id, from, f.payload})
}

// learn marks the edge by which a payload came that is genuine, or may be.
func (t *Tree) learn(id PayloadID, p *post) {
	c := t.peers[p.from]
	switch {
	case c == nil:
	case p.pulled && !c.eager:
		t.repaired++
	case p.pulled:
		t.repaired, t.orphaned = 0, false
	default:
		t.repaired, t.orphaned, t.parent = 0, false, p.from
		c.eager = c.neighbour
		t.lag.note(t.wants[id], t.now)
	}
}

// lives takes note that the parent has what was asked for elsewhere: it is only late.
func (t *Tree) lives(d wire.DeviceID) {
	if d == t.parent {
		t.repaired = 0
	}
}

// checked passes on what is genuine, and forgets what is not what it is called, or not
// all of it: another copy is then as good as the first.
func (t *Tree) checked(v Checked, eff *Effects) {
	p := t.seen[v.ID]
	if p == nil || p.state != 0 {
		return
	}
	c := t.peers[p.from]
	switch p.state = v.Verdict; v.Verdict {
	case VerdictHeld, VerdictLater:
		t.learn(v.ID, p)
		t.settleWant(v.ID)
		t.note(v.ID, p)
	case VerdictFalse, VerdictBare:
		delete(t.seen, v.ID)
		t.askOthers(v.ID, p.from)
	}
	switch {
	case v.Verdict == VerdictHeld:
		if c != nil {
			c.broken = 0
		}
		t.spread(v.ID, p.pulled, eff)
	case c == nil:
	case v.Verdict == VerdictFalse:
		t.banish(p.from, c, eff)
	case t.allows(p.from, c, eff) && v.Verdict == VerdictBare:
		t.breaks(p.from, eff) // whoever has such neighbours alone would hear nothing
	}
}

// askOthers has a payload that was announced asked for of others than the one that gave
// something else for it.
func (t *Tree) askOthers(id PayloadID, d wire.DeviceID) {
	w := t.wants[id]
	if w == nil {
		return
	}
	if slices.Contains(w.from, d) && !slices.Contains(w.tried, d) {
		w.tried = append(w.tried, d)
	}
	if w.now == d {
		w.now, w.due = wire.DeviceID{}, max(t.now, 1)
	}
}

// onHave takes note of what a neighbour has.
func (t *Tree) onHave(from wire.DeviceID, c *contact, f haveFrame, eff *Effects) {
	if !c.neighbour {
		t.part(from, c, eff)
		return
	}
	for _, id := range f.ids {
		if t.seen[id] != nil {
			if f.late {
				t.lives(from)
			}
			continue
		}
		w := t.wants[id]
		if w == nil {
			if len(t.wants) >= maxWants || c.promises >= maxPromises {
				continue
			}
			w = &want{since: t.now, due: t.now + t.lag.patience()}
			t.wants[id] = w
			c.promises++
		}
		if len(w.from) < maxFrom && !slices.Contains(w.from, from) {
			w.from = append(w.from, from)
		}
		if f.late && c.eager && w.now == (wire.DeviceID{}) {
			w.due = min(w.due, max(t.now, 1)) // it will not be pushed
		}
	}
}

// settleWant forgets that a payload is lacking.
func (t *Tree) settleWant(id PayloadID) {
	w := t.wants[id]
	if w == nil {
		return
	}
	if c := t.peers[w.from[0]]; c != nil {
		c.promises = max(0, c.promises-1)
	}
	delete(t.wants, id)
}

// runWants asks for what is due.
func (t *Tree) runWants(eff *Effects) {
	var due []PayloadID
	for id, w := range t.wants {
		if w.due <= t.now && t.seen[id] == nil { // else its owner is looking at it
			due = append(due, id)
		}
	}
	if len(due) == 0 {
		return
	}
	due = sortedIDs(due) // so that effects are the same in every run
	for _, d := range t.silent(due) {
		t.breaks(d, eff)
	}
	from := make(map[wire.DeviceID][]PayloadID)
	for _, id := range due {
		w := t.wants[id]
		d, ok := t.choose(w)
		if !ok {
			t.settleWant(id) // the ordinary sync will bring it
			continue
		}
		w.now, w.due = d, t.now+answerWait
		w.tried = append(w.tried, d)
		if !slices.Contains(w.asked, d) {
			w.asked = append(w.asked, d)
		}
		from[d] = append(from[d], id)
	}
	for _, d := range t.near {
		if len(from[d]) > 0 {
			t.graft(d, t.peers[d], from[d], eff)
		}
	}
}

// silent returns the neighbours that owe an answer which is due.
func (t *Tree) silent(due []PayloadID) []wire.DeviceID {
	return slices.DeleteFunc(slices.Clone(t.near), func(d wire.DeviceID) bool {
		return !slices.ContainsFunc(due, func(id PayloadID) bool { return t.wants[id].now == d })
	})
}

// choose picks who is asked for a payload next: who would push it, else who announced
// it first.
func (t *Tree) choose(w *want) (wire.DeviceID, bool) {
	for ; w.round < maxRounds; w.round++ {
		var lazy []wire.DeviceID
		for _, d := range w.from {
			c := t.peers[d]
			if c == nil || !c.neighbour || slices.Contains(w.tried, d) {
				continue
			}
			if c.eager {
				return d, true
			}
			lazy = append(lazy, d)
		}
		if len(lazy) > 0 {
			return lazy[0], true
		}
		w.tried = nil
	}
	return wire.DeviceID{}, false
}

// graft asks a neighbour for payloads. If nothing came by itself lately the edge is
// made eager.
func (t *Tree) graft(d wire.DeviceID, c *contact, ids []PayloadID, eff *Effects) {
	eager := !c.eager && (t.orphaned || t.repaired >= graftFrom)
	if eager {
		c.eager, t.orphaned, t.repaired = true, false, 0
	}
	for len(ids) > 0 {
		n := min(len(ids), maxIDs)
		eff.send(d, graftFrame{eager, ids[:n]})
		ids = ids[n:]
	}
}

// breaks counts a promise that was not kept.
func (t *Tree) breaks(d wire.DeviceID, eff *Effects) {
	c := t.peers[d]
	if c.broken++; c.broken >= maxBroken {
		t.banish(d, c, eff)
	}
}

// onGraft gives a neighbour what it asks for.
func (t *Tree) onGraft(from wire.DeviceID, c *contact, f graftFrame, eff *Effects) {
	if !c.neighbour {
		t.part(from, c, eff)
		return
	}
	c.eager = c.eager || f.eager
	for _, id := range f.ids {
		p := t.seen[id]
		if p != nil && p.state == VerdictHeld && c.repairs.take(t.now, float64(p.size), repairRate, repairBurst) {
			eff.push(from, id)
		}
	}
}

// A lag is by how many ms payloads that come by themselves come after they were first
// announced: what RFC 6298 does for round trips.
type lag struct{ mean, spread float64 }

// note takes in a payload that came by itself; w is nil if nobody announced it before.
func (l *lag) note(w *want, now uint64) {
	ms := 0.0
	if w != nil {
		ms = min(float64(now-w.since), graftMost)
	}
	l.spread += (math.Abs(ms-l.mean) - l.spread) / 4
	l.mean += (ms - l.mean) / 8
}

// patience is how long a payload that was announced is awaited, in ms.
func (l *lag) patience() uint64 {
	return uint64(min(max(l.mean+4*l.spread, graftLeast), graftMost))
}

func sortedIDs(ids []PayloadID) []PayloadID {
	list := slices.Clone(ids)
	slices.SortFunc(list, func(a, b PayloadID) int { return compareDevice(wire.DeviceID(a), wire.DeviceID(b)) })
	return list
}
