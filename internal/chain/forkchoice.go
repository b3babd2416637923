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
	void   bool          // its own author's device is revoked and nobody kept it
	weight Class
}

// A contest is the choice between the children of one block.
type contest struct {
	rules
	at       *State
	admins   []wire.PersonID // of the fork point, most senior first
	branches []branch
	revoked  map[wire.DeviceID]bool
	words    map[wire.PersonID][]word
	signers  map[wire.PersonID][]int // branches by author of the child
	struck   marks
	left     int
}

// A word is what one device of an admin signed under a branch, if it counts.
type word struct {
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
		words: make(map[wire.PersonID][]word), signers: make(map[wire.PersonID][]int),
		struck: make(marks),
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
	return c
}

// void collects the devices that any subtree revokes.
func (c *contest) void() {
	for i := range c.branches {
		for device := range c.branches[i].facts.revoked {
			if c.revoked == nil {
				c.revoked = make(map[wire.DeviceID]bool)
			}
			c.revoked[device] = true
		}
	}
	for i := range c.branches {
		b := &c.branches[i]
		device := b.Header.Author.Device
		b.void = c.revoked[device] && !c.keeps(b.facts, device) && !c.voidRanks
	}
}

// keeps reports whether a block of a revoked device counts; f is what its
// descendants say.
func (c *contest) keeps(f *facts, device wire.DeviceID) bool {
	return slices.ContainsFunc(f.keepers[device], c.keeper)
}

// keeper reports whether a device can keep what another of its person signed.
func (c *contest) keeper(by wire.DeviceID) bool {
	return !c.noKeeping && (!c.revoked[by] || c.keptByRevoked)
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
			c.words[d.person] = append(c.words[d.person], word{i, d})
		}
	}
	for i := range c.branches {
		b := &c.branches[i]
		c.signers[b.Header.Author.Person] = append(c.signers[b.Header.Author.Person], i)
		for device, d := range b.facts.signed {
			if !c.revoked[device] || c.voidCounts {
				hear(i, d)
			}
		}
		for k, d := range b.facts.kept {
			if c.revoked[k.device] && c.keeper(k.by) {
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
	list := slices.SortedFunc(maps.Keys(c.words), func(a, b wire.PersonID) int { return bytes.Compare(a[:], b[:]) })
	return append(slices.Clone(c.admins), slices.DeleteFunc(list, c.at.IsAdmin)...)
}

// strike drops what a's removals and demotions drop together. If that is every
// branch they are taken from, a contradicts itself and none of them counts: no
// branch that holds one would be left to show for it.
func (c *contest) strike(a wire.PersonID) {
	hit := make(marks)
	from := make(map[int]bool)
	for _, w := range c.words[a] {
		if c.branches[w.branch].out && !c.droppedSpeaks || c.struck.elsewhere(a, w.branch) && !c.struckStrikes {
			continue
		}
		for target, removal := range w.strikes {
			if removal || !c.noDemotion {
				hit.join(target, mark{from: w.branch})
				from[w.branch] = true
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
	for _, w := range c.words[a] {
		if b := &c.branches[w.branch]; !c.noWeight && (!c.struck.elsewhere(a, w.branch) || c.struckWeighs) {
			b.weight = max(b.weight, w.best)
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
	if b.void != o.void {
		return o.void
	}
	x, y := b.Header.Author, o.Header.Author
	if off := x.Person != y.Person && c.noRank || x.Person == y.Person && c.noDeviceRank; !off {
		if d := c.at.senior(x, y); d != 0 {
			return d < 0
		}
	}
	return compareHashes(b.Hash, o.Hash) < 0 // two blocks of one device
}
