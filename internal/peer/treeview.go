package peer

import (
	"slices"

	"kith/internal/wire"
)

// The view: with whom a device exchanges payloads. It chooses three neighbours
// itself, and takes up to six that chose it. It draws them in turn from all members,
// which the chain names, and from those who are known to be online: nobody
// who tells it of others decides more than every second choice.

// pause says when the search for neighbours goes on.
type pause struct {
	due  uint64 // ms; 0: it need not
	wait uint64 // ms; the last rest
}

func (t *Tree) setMembers(members []wire.DeviceID, eff *Effects) {
	t.members = members
	for _, d := range slices.Clone(t.near) {
		if !t.isMember(d) {
			t.remove(d)
			eff.Disconnect = append(eff.Disconnect, d)
		}
	}
	for d := range t.pending {
		if !t.isMember(d) {
			delete(t.pending, d)
		}
	}
	t.learnt = slices.DeleteFunc(t.learnt, func(d wire.DeviceID) bool { return !t.isMember(d) })
	if len(t.members) == 0 {
		clear(t.wants)
	}
	t.search()
}

func (t *Tree) peerUp(d wire.DeviceID, eff *Effects) {
	if t.peers[d] != nil {
		t.peerDown(d)
	}
	t.peers[d] = new(contact)
	_, wanted := t.pending[d]
	delete(t.pending, d)
	switch {
	case !t.isMember(d):
	case wanted && t.ownCount() < ownNeighbours:
		t.ask(d, eff)
	case t.ownCount()+len(t.pending) < ownNeighbours:
		t.search()
	}
}

func (t *Tree) peerDown(d wire.DeviceID) {
	if c := t.peers[d]; c != nil {
		if c.neighbour {
			t.remove(d)
			t.search()
		}
		delete(t.peers, d)
	}
	delete(t.pending, d)
	t.unlearn(d)
}

// search has the search for neighbours begin anew.
func (t *Tree) search() { t.refill = pause{due: max(t.now, 1)} }

func (t *Tree) ownCount() (n int) {
	for _, d := range t.near {
		if t.peers[d].own {
			n++
		}
	}
	return n
}

// runView looks for neighbours where some are lacking, and tells others who is online.
func (t *Tree) runView(eff *Effects) {
	if len(t.members) <= 1 {
		return
	}
	for _, d := range sortedKeys(t.pending) {
		if t.pending[d] <= t.now { // it was not reached, or does not answer
			delete(t.pending, d)
			t.shun(d, shunAfterNo)
			t.search()
		}
	}
	if isTime(t.refill.due, t.now) {
		t.findNeighbours(eff)
	}
	if len(t.near) > 0 && t.shuffle <= t.now {
		if t.shuffle != 0 {
			d := t.near[t.random.IntN(len(t.near))]
			eff.send(d, shuffleFrame{false, t.online(d)})
		}
		every := shuffleEvery + t.resting
		if t.ownCount() < ownNeighbours {
			every = shuffleEvery
		}
		t.shuffle = t.now + every/2 + t.random.Uint64N(every)
	}
}

func isTime(due, now uint64) bool { return due != 0 && due <= now }

func (t *Tree) findNeighbours(eff *Effects) {
	t.refill.due = 0
	for t.ownCount()+len(t.pending) < ownNeighbours && len(t.pending) < maxPending {
		d, found := t.candidate()
		if !found {
			t.refill.wait = min(max(2*t.refill.wait, refillFirst), refillMost)
			t.refill.due = t.now + t.refill.wait
			return
		}
		if t.peers[d] != nil {
			t.ask(d, eff)
		} else {
			t.pending[d] = t.now + dialWait
			eff.Connect = append(eff.Connect, d)
		}
	}
}

// candidate draws a member who could become a neighbour: in turn from all members, and
// from those who are known to be online.
func (t *Tree) candidate() (wire.DeviceID, bool) {
	if t.sampled = !t.sampled; t.sampled {
		if d, found := t.sample(); found {
			return d, true
		}
	}
	var list []wire.DeviceID
	for d := range t.peers {
		if t.may(d) {
			list = append(list, d)
		}
	}
	for _, d := range t.learnt {
		if t.peers[d] == nil && t.may(d) {
			list = append(list, d)
		}
	}
	if len(list) == 0 {
		return t.sample()
	}
	slices.SortFunc(list, compareDevice)
	return list[t.random.IntN(len(list))], true
}

// sample draws from all members; where most are neighbours already it may find nobody.
func (t *Tree) sample() (wire.DeviceID, bool) {
	for range draws {
		if d := t.members[t.random.IntN(len(t.members))]; t.may(d) {
			return d, true
		}
	}
	return wire.DeviceID{}, false
}

// may reports whether a device could become a neighbour now.
func (t *Tree) may(d wire.DeviceID) bool {
	if c := t.peers[d]; c != nil && c.neighbour {
		return false
	}
	_, pending := t.pending[d]
	return !pending && t.shunned[d] <= t.now && t.isMember(d)
}

// ask asks a device to be a neighbour, urgently if there is none.
func (t *Tree) ask(d wire.DeviceID, eff *Effects) {
	t.pending[d] = t.now + askWait
	word := wordAsk
	if len(t.near) == 0 {
		word = wordUrgent
	}
	eff.send(d, neighbourFrame{word})
}

func (t *Tree) onNeighbour(d wire.DeviceID, c *contact, f neighbourFrame, eff *Effects) {
	_, asked := t.pending[d]
	switch f.word {
	case wordAsk, wordUrgent:
		if asked || c.neighbour || t.makeRoom(d, f.word == wordUrgent, eff) {
			t.add(d, c, asked)
			eff.send(d, neighbourFrame{wordYes})
			return
		}
		eff.send(d, neighbourFrame{wordLeave})
	case wordYes:
		if asked {
			t.add(d, c, true)
		} else if !c.neighbour { // it took too long
			t.part(d, c, eff)
		}
	case wordLeave:
		if asked || c.neighbour {
			t.shun(d, shunAfterNo)
			t.remove(d)
			t.search()
			eff.Disconnect = append(eff.Disconnect, d)
		}
	}
}

// makeRoom reports whether there is room for one more who asks. For one that has no
// neighbour at all another that asked makes room.
func (t *Tree) makeRoom(d wire.DeviceID, urgent bool, eff *Effects) bool {
	var theirs []wire.DeviceID
	for _, n := range t.near {
		if !t.peers[n].own {
			theirs = append(theirs, n)
		}
	}
	switch {
	case t.shunned[d] > t.now+shunAfterNo: // it broke its promises
		return false
	case len(theirs) < maxTheirs:
		return true
	case !urgent || t.evicted != 0 && t.now < t.evicted+evictEvery:
		return false
	}
	t.evicted = max(t.now, 1)
	out := theirs[t.random.IntN(len(theirs))]
	t.remove(out)
	eff.send(out, neighbourFrame{wordLeave})
	eff.Disconnect = append(eff.Disconnect, out)
	return true
}

// add makes a device a neighbour. Its edge begins eager: the first payload shows
// whether it is needed.
func (t *Tree) add(d wire.DeviceID, c *contact, own bool) {
	delete(t.pending, d)
	delete(t.shunned, d)
	c.own = c.own || own
	if c.neighbour {
		return
	}
	c.neighbour, c.eager, c.broken = true, true, 0
	i, _ := slices.BinarySearchFunc(t.near, d, compareDevice)
	t.near = slices.Insert(t.near, i, d)
	t.refill.wait = 0
	t.bringUp(c)
}

// remove takes a device from the neighbours.
func (t *Tree) remove(d wire.DeviceID) {
	delete(t.pending, d)
	c := t.peers[d]
	if c == nil || !c.neighbour {
		return
	}
	t.orphaned = t.orphaned || c.eager
	c.neighbour, c.own, c.eager, c.news = false, false, false, nil
	i, _ := slices.BinarySearchFunc(t.near, d, compareDevice)
	t.near = slices.Delete(t.near, i, i+1)
}

// part tells a device that takes this one for a neighbour that it is none.
func (t *Tree) part(d wire.DeviceID, c *contact, eff *Effects) {
	if c.parted == 0 || c.parted+partLeast <= t.now {
		c.parted = max(t.now, 1)
		eff.send(d, neighbourFrame{wordLeave})
	}
}

// banish ends what there is with a device that does harm.
func (t *Tree) banish(d wire.DeviceID, c *contact, eff *Effects) {
	if c.neighbour {
		t.remove(d)
		t.part(d, c, eff)
		eff.Disconnect = append(eff.Disconnect, d)
		t.search()
	}
	t.shun(d, shunAfterLie)
}

// shun has a device not asked for a time. Where too many are shunned, the one
// whose time is over first is not any more.
func (t *Tree) shun(d wire.DeviceID, ms uint64) {
	t.unlearn(d)
	t.shunned[d] = max(t.shunned[d], t.now+ms)
	if len(t.shunned) <= maxShunned {
		return
	}
	first := d
	for _, other := range sortedKeys(t.shunned) {
		if t.shunned[other] < t.shunned[first] {
			first = other
		}
	}
	delete(t.shunned, first)
}

func (t *Tree) unlearn(d wire.DeviceID) {
	t.learnt = slices.DeleteFunc(t.learnt, func(l wire.DeviceID) bool { return l == d })
}

// online is what is told to a device of who is online: neighbours, and what others
// said.
func (t *Tree) online(to wire.DeviceID) []wire.DeviceID {
	near, learnt := slices.Clone(t.near), slices.Clone(t.learnt)
	for _, list := range [][]wire.DeviceID{near, learnt} {
		t.random.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	}
	list := slices.Concat(near[:min(len(near), maxShuffle/2+1)], learnt)
	list = slices.DeleteFunc(list, func(d wire.DeviceID) bool { return d == to })
	list = list[:min(len(list), maxShuffle)]
	slices.SortFunc(list, compareDevice)
	return slices.Compact(list)
}

// onShuffle takes a few of the devices that a neighbour says to be online.
func (t *Tree) onShuffle(from wire.DeviceID, c *contact, f shuffleFrame, eff *Effects) {
	if !c.neighbour || c.shuffled != 0 && t.now < c.shuffled+shuffleLeast {
		return
	}
	c.shuffled = max(t.now, 1)
	if !f.answer {
		eff.send(from, shuffleFrame{true, t.online(from)})
	}
	list := slices.DeleteFunc(slices.Clone(f.devices), func(d wire.DeviceID) bool {
		return !t.may(d) || t.peers[d] != nil || slices.Contains(t.learnt, d)
	})
	switch {
	case len(list) > 0:
		t.resting = 0
	case f.answer && !slices.ContainsFunc(t.learnt, func(d wire.DeviceID) bool { return t.peers[d] == nil }):
		t.resting = min(max(2*t.resting, shuffleEvery), shuffleMost)
	}
	t.random.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	for _, d := range list[:min(len(list), maxTaken)] {
		if len(t.learnt) < maxLearnt {
			t.learnt = append(t.learnt, d)
		} else {
			t.learnt[t.random.IntN(maxLearnt)] = d
		}
	}
}

func sortedKeys(m map[wire.DeviceID]uint64) []wire.DeviceID {
	list := make([]wire.DeviceID, 0, len(m))
	for d := range m {
		list = append(list, d)
	}
	slices.SortFunc(list, compareDevice)
	return list
}
