package chain

import "kith/internal/wire"

// facts are what a subtree says at any fork point below it. They are unions, so
// those of a block follow from those of its children, in any order.
type facts struct {
	signed  map[wire.Member]*deeds
	revoked map[wire.DeviceID]bool
	keepers map[wire.Member][]wire.DeviceID // by revoked device: who signed knowing that
	kept    map[keeping]*deeds
	told    map[wire.Digest]*history // that revoke a device, by citation
	let     map[entrance]*history    // that let one in
}

// deeds are all the words of one device. One that several people let in, on
// branches of their own, speaks for each apart.
type deeds struct {
	person  wire.PersonID
	best    Class
	strikes map[wire.PersonID]how // whom it took what from
}

// how says by what a person was struck, as bits.
type how uint8

const (
	byDemotion how = 1 << iota
	byRemoval
	byCarry
)

// A keeping says that one device stands by what another of its person, now
// revoked, had signed below.
type keeping struct {
	wire.Member
	by wire.DeviceID
}

func newFacts() *facts { return &facts{signed: make(map[wire.Member]*deeds, 1)} }

// gather returns the facts of n's subtree from those of its children, which it
// uses up.
func gather(n *node, said map[*node]*facts) *facts {
	var all *facts
	for _, c := range n.children {
		all = all.join(said[c])
		delete(said, c)
	}
	return all.under(&n.Block)
}

// read returns the facts of n's subtree from its blocks.
func (n *node) read() *facts {
	list := n.descent()
	said := make(map[*node]*facts, len(list))
	for i := len(list) - 1; i >= 0; i-- {
		said[list[i]] = gather(list[i], said)
	}
	return said[n]
}

// under adds b, an ancestor of every block that f speaks of. A nil f is empty.
func (f *facts) under(b *Block) *facts {
	if f == nil {
		f = newFacts()
	}
	for _, w := range b.words() {
		for _, by := range f.keepers[w.by] {
			if f.kept == nil {
				f.kept = make(map[keeping]*deeds)
			}
			k := keeping{w.by, by}
			if f.kept[k] == nil {
				f.kept[k] = &deeds{person: w.by.Person}
			}
			f.kept[k].add(w)
		}
	}
	f.leaf(b)
	for _, device := range b.outdated() {
		f.keep(wire.Member{Person: b.Header.Author.Person, Device: device}, b.Header.Author.Device)
	}
	return f
}

// leaf adds b, of which f holds no descendant, if nothing is outdated after it,
// and reports whether f says more than before.
func (f *facts) leaf(b *Block) (more bool) {
	for _, w := range b.words() {
		d := f.signed[w.by]
		if d == nil {
			d = &deeds{person: w.by.Person}
			f.signed[w.by] = d
		}
		more = d.add(w) || more
	}
	for _, op := range b.Header.Ops {
		if device, ok := revokes(op); ok && !f.revoked[device] {
			if f.revoked == nil {
				f.revoked = make(map[wire.DeviceID]bool)
			}
			f.revoked[device], more = true, true
		}
	}
	for _, e := range b.citings() {
		more = f.note(e) || more
	}
	return more
}

func (f *facts) keep(of wire.Member, by wire.DeviceID) {
	for _, known := range f.keepers[of] {
		if known == by {
			return
		}
	}
	if f.keepers == nil {
		f.keepers = make(map[wire.Member][]wire.DeviceID)
	}
	f.keepers[of] = append(f.keepers[of], by)
}

// join returns the union, of which the smaller side is used up.
func (f *facts) join(o *facts) *facts {
	if f == nil {
		return o
	}
	if len(o.signed) > len(f.signed) {
		f, o = o, f
	}
	for by, d := range o.signed {
		if f.signed[by] == nil {
			f.signed[by] = d
		} else {
			f.signed[by].join(d)
		}
	}
	for device := range o.revoked {
		if f.revoked == nil {
			f.revoked = make(map[wire.DeviceID]bool)
		}
		f.revoked[device] = true
	}
	for of, by := range o.keepers {
		for _, by := range by {
			f.keep(of, by)
		}
	}
	for k, d := range o.kept {
		if f.kept == nil {
			f.kept = make(map[keeping]*deeds)
		}
		if f.kept[k] == nil {
			f.kept[k] = d
		} else {
			f.kept[k].join(d)
		}
	}
	f.learn(o)
	return f
}

// add adds a word and reports whether that is more than before.
func (d *deeds) add(w word) (more bool) {
	more = w.class > d.best
	d.best = max(d.best, w.class)
	for target, by := range w.strikes {
		more = d.strike(target, by) || more
	}
	return more
}

func (d *deeds) strike(target wire.PersonID, by how) (more bool) {
	if target == d.person || d.strikes[target]|by == d.strikes[target] {
		return false
	}
	if d.strikes == nil {
		d.strikes = make(map[wire.PersonID]how, 1)
	}
	d.strikes[target] |= by
	return true
}

func (d *deeds) join(o *deeds) {
	d.best = max(d.best, o.best)
	for target, by := range o.strikes {
		d.strike(target, by)
	}
}

// outdated returns the devices of b's author that are revoked in its state: by
// signing after that, the author stands by what they had signed before.
func (b *Block) outdated() (list []wire.DeviceID) {
	i, ok := b.State.find(b.Header.Author.Person)
	if !ok {
		return nil
	}
	for _, d := range b.State.records[i].Devices {
		if d.Status == StatusRevoked {
			list = append(list, d.ID)
		}
	}
	return list
}
