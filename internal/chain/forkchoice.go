package chain

import (
	"bytes"
	"maps"
	"slices"

	"kith/internal/wire"
)

// A branch is one child of a fork point with what its subtree says.
type branch struct {
	*Block
	facts  *facts
	out    bool          // dropped by a strike
	by     wire.PersonID // whose, if it is out
	void   bool          // its own author's device is not heard and nobody kept it
	last   bool          // it ranks behind: it is void, or its author's removal is carried over elsewhere
	weight Class
}

// A contest is the choice between the children of one block.
type contest struct {
	rules
	at       *State
	admins   []wire.PersonID // of the fork point, most senior first
	branches []branch
	revoked  map[wire.DeviceID]bool
	told     map[wire.Digest]*history
	let      map[entrance]*history
	muted    map[wire.Member]bool // once asked for: whether a device is not heard
	heard    map[wire.PersonID][]hearing
	signers  map[wire.PersonID][]int // branches by author of the child
	struck   marks
	parted   map[wire.PersonID]*parting
	left     int
}

// A hearing is what one device of an admin signed under a branch, if it counts.
type hearing struct {
	branch int
	*deeds
}

// marks say from which branches a person was struck.
type marks map[wire.PersonID]mark

// A mark is the first such branch, and whether there is another.
type mark struct {
	from int
	more bool
}

func (m marks) join(person wire.PersonID, n mark) {
	if old, ok := m[person]; ok {
		n = mark{old.from, old.more || n.more || old.from != n.from}
	}
	m[person] = n
}

// elsewhere reports whether person was struck from a branch other than i.
func (m marks) elsewhere(person wire.PersonID, i int) bool {
	got, ok := m[person]
	return ok && (got.more || got.from != i)
}

// contest plays out the contest between the children of the block after which
// at holds.
func (r rules) contest(at *State, branches []branch) *contest {
	c := &contest{
		rules: r, at: at, admins: at.Admins(), branches: branches, left: len(branches),
		heard: make(map[wire.PersonID][]hearing), signers: make(map[wire.PersonID][]int),
		struck: make(marks), parted: make(map[wire.PersonID]*parting), muted: make(map[wire.Member]bool),
	}
	if r.juniorFirst {
		slices.Reverse(c.admins)
	}
	c.void()
	c.listen()
	for _, a := range c.speakers(r.anyStriker) {
		c.strike(a)
	}
	for _, a := range c.speakers(r.anyWeigher) {
		c.weigh(a)
	}
	for i := range branches {
		b := &branches[i]
		b.last = b.void || c.absent(b.Header.Author.Person, i) && !r.absentRanks
	}
	return c
}

// void collects the devices that any subtree revokes, and what is shown of others.
func (c *contest) void() {
	var shown facts
	for i := range c.branches {
		for device := range c.branches[i].facts.revoked {
			if c.revoked == nil {
				c.revoked = make(map[wire.DeviceID]bool)
			}
			c.revoked[device] = true
		}
		shown.learn(c.branches[i].facts)
	}
	c.told, c.let = shown.told, shown.let
	for i := range c.branches {
		b := &c.branches[i]
		b.void = c.mute(b.Header.Author) && !c.keeps(b.facts, b.Header.Author) && !c.voidRanks
	}
}

// mute reports whether a device is revoked or doubted.
func (c *contest) mute(m wire.Member) bool {
	mute, asked := c.muted[m]
	if !asked {
		mute = c.revoked[m.Device] || c.doubts(m)
		c.muted[m] = mute
	}
	return mute
}

// keeps reports whether a block of a device that is mute counts; f is what its
// descendants say.
func (c *contest) keeps(f *facts, m wire.Member) bool {
	return slices.ContainsFunc(f.keepers[m], func(by wire.DeviceID) bool { return c.keeper(wire.Member{Person: m.Person, Device: by}) })
}

// keeper reports whether a device can keep what another of its person signed.
func (c *contest) keeper(by wire.Member) bool {
	return !c.noKeeping && (!c.mute(by) || c.keptByRevoked)
}

// listen sorts by person what counts in each branch.
func (c *contest) listen() {
	admin := make(map[wire.PersonID]bool, len(c.admins))
	for _, a := range c.admins {
		admin[a] = true
	}
	all := c.anyStriker || c.anyWeigher
	hear := func(i int, d *deeds) {
		if admin[d.person] || all {
			c.heard[d.person] = append(c.heard[d.person], hearing{i, d})
		}
	}
	for i := range c.branches {
		b := &c.branches[i]
		c.signers[b.Header.Author.Person] = append(c.signers[b.Header.Author.Person], i)
		for by, d := range b.facts.signed {
			if c.voidCounts || !c.mute(by) {
				hear(i, d)
			}
		}
		for k, d := range b.facts.kept {
			if c.mute(k.Member) && c.keeper(wire.Member{Person: k.Person, Device: k.by}) {
				hear(i, d)
			}
		}
	}
}

// speakers returns who strikes or weighs, in order.
func (c *contest) speakers(anybody bool) []wire.PersonID {
	if !anybody {
		return c.admins
	}
	list := slices.SortedFunc(maps.Keys(c.heard), func(a, b wire.PersonID) int { return bytes.Compare(a[:], b[:]) })
	return append(slices.Clone(c.admins), slices.DeleteFunc(list, c.at.IsAdmin)...)
}

// strike drops what a's removals and demotions drop together. If that is every
// branch they are taken from, a contradicts itself and none of them counts: no
// branch that holds one would be left to show for it. What was carried over
// drops nothing, but see silent.
func (c *contest) strike(a wire.PersonID) {
	hit := make(marks)
	from := make(map[int]bool)
	var gone []departure
	for _, h := range c.heard[a] {
		if c.branches[h.branch].out && !c.droppedSpeaks || c.silent(a, h.branch) && !c.struckStrikes {
			continue
		}
		for target, by := range h.strikes {
			if by&byCarry != 0 && !c.noCarry {
				c.part(target, h.branch, true)
			}
			if by&byRemoval != 0 && !c.carriedOnly {
				gone = append(gone, departure{target, h.branch})
			}
			if by&byRemoval != 0 || by&byDemotion != 0 && !c.noDemotion || by&byCarry != 0 && c.carryDrops {
				hit.join(target, mark{from: h.branch})
				from[h.branch] = true
			}
		}
	}
	out := c.hit(hit)
	for _, i := range out {
		delete(from, i)
	}
	if c.noStrike || len(out) == c.left || len(from) == 0 && !c.noSelfDefeat {
		return
	}
	c.left -= len(out)
	for _, i := range out {
		c.branches[i].out, c.branches[i].by = true, a
	}
	for target, m := range hit {
		c.struck.join(target, m)
	}
	for _, g := range gone {
		c.part(g.person, g.branch, false)
	}
}

// A departure is a removal that counts in a branch.
type departure struct {
	person wire.PersonID
	branch int
}

// A parting says in which branches a person's removal counts, and whether in one
// of them it was carried over.
type parting struct {
	in      map[int]bool
	carried bool
}

// part notes that a person's removal counts in a branch.
func (c *contest) part(person wire.PersonID, branch int, carried bool) {
	p := c.parted[person]
	if p == nil {
		p = &parting{in: make(map[int]bool)}
		c.parted[person] = p
	}
	p.in[branch] = true
	p.carried = p.carried || carried
}

// silent reports whether what a person signed in a branch does not count: it
// was struck from another, or its removal was carried over in another and does
// not count in this one. Anybody can write a Carry anywhere, so it asks no more of
// a branch than that the person goes there, too.
func (c *contest) silent(person wire.PersonID, branch int) bool {
	return c.struck.elsewhere(person, branch) || c.absent(person, branch)
}

func (c *contest) absent(person wire.PersonID, branch int) bool {
	p := c.parted[person]
	return p != nil && p.carried && !p.in[branch]
}

// hit returns the branches still in that strikes drop.
func (c *contest) hit(by marks) (out []int) {
	for target := range by {
		for _, i := range c.signers[target] {
			if !c.branches[i].out && (by.elsewhere(target, i) || c.ownChildToo) {
				out = append(out, i)
			}
		}
	}
	return out
}

// weigh lets a's work count where a is not struck from elsewhere.
func (c *contest) weigh(a wire.PersonID) {
	for _, h := range c.heard[a] {
		if b := &c.branches[h.branch]; !c.noWeight && (!c.silent(a, h.branch) || c.struckWeighs) {
			b.weight = max(b.weight, h.best)
		}
	}
}

// winner returns which of the branches is chosen.
func (c *contest) winner() int {
	won := -1
	for i := range c.branches {
		if !c.branches[i].out && (won < 0 || c.beats(&c.branches[i], &c.branches[won])) {
			won = i
		}
	}
	return won
}

// beats orders the branches that are left.
func (c *contest) beats(b, o *branch) bool {
	if b.weight != o.weight {
		return b.weight > o.weight
	}
	if b.last != o.last {
		return o.last
	}
	x, y := b.Header.Author, o.Header.Author
	if off := x.Person != y.Person && c.noRank || x.Person == y.Person && c.noDeviceRank; !off {
		if d := c.at.senior(x, y); d != 0 {
			return d < 0
		}
	}
	return compareHashes(b.Hash, o.Hash) < 0 // two blocks of one device
}
