package node

import (
	"slices"

	"kith/internal/chain"
	"kith/internal/wire"
)

// Why a branch lost at a fork, for people. The fork choice decides; here its
// steps are gone through again (docs/spec/chain.md, Fork choice) to name the one
// that decided. Should the two ever differ, no reason is given.

// Why is the rule by which a branch lost.
type Why uint8

// Rules, in the order in which they decide.
const (
	WhyRules  Why = 0 // by the rules of the group; none is named
	WhyStruck Why = 1 // the author was removed, or lost the admin role, on the other side
	WhyWeight Why = 2 // the other side did what counts for more
	WhySenior Why = 3 // the other side's author is the more senior
	WhyDevice Why = 4 // two devices of one person: the one admitted earlier counts
	WhyTwice  Why = 5 // one device signed both: the lower hash counts
)

// A Loss says why a branch lost.
type Loss struct {
	Why    Why
	Fork   wire.BlockHash // the block of the chain after which the branches part
	Lost   wire.BlockHash // the first block of the branch that lost
	Won    wire.BlockHash // the first block of the one that won
	By     wire.BlockHash // WhyStruck, WhyWeight: the block that decided
	Mutual wire.BlockHash // WhyStruck: where the loser struck its senior who struck it; zero: nowhere
}

// A side is one child of the fork point and what its subtree holds.
type side struct {
	hash    wire.BlockHash
	author  wire.Member
	blocks  []*chain.Header // its subtree, parents first
	hashes  []wire.BlockHash
	dropped wire.BlockHash // the block that struck it; zero: it is in
	weight  chain.Class
	heavy   wire.BlockHash // the block that gives it its weight
}

// verdict says, of each child of a fork that is not on the chain, why it lost.
func (c *canvas) verdict(fork wire.BlockHash, children []wire.BlockHash) map[wire.BlockHash]*Loss {
	p := c.blocks.State(fork)
	sides := make([]*side, len(children))
	for i, child := range children {
		sides[i] = c.side(child)
	}
	f := &dispute{state: p, sides: sides, struck: make(map[wire.PersonID]map[int]bool)}
	won := f.decide()
	losses := make(map[wire.BlockHash]*Loss)
	for _, s := range sides {
		l := &Loss{Fork: fork, Lost: s.hash, Won: won.hash}
		if c.on[won.hash] {
			f.explain(l, s, won)
		} else { // the fork choice knows more than is told here
			l.Won = children[slices.IndexFunc(children, func(h wire.BlockHash) bool { return c.on[h] })]
		}
		losses[s.hash] = l
	}
	return losses
}

func (c *canvas) side(child wire.BlockHash) *side {
	s := &side{hash: child, author: c.blocks.Header(child).Author, hashes: c.subtree(child)}
	for _, hash := range s.hashes {
		s.blocks = append(s.blocks, c.blocks.Header(hash))
	}
	return s
}

// A dispute is one fork while its steps are gone through.
type dispute struct {
	state  *chain.State
	sides  []*side
	struck map[wire.PersonID]map[int]bool // who was struck, from which sides
}

// decide strikes, weighs and ranks, and returns the side that wins.
func (f *dispute) decide() *side {
	admins := f.state.Admins()
	for _, a := range admins {
		f.strike(a)
	}
	var won *side
	for i, s := range f.sides {
		for j, h := range s.blocks {
			if h.Class > s.weight && slices.Contains(admins, h.Author.Person) && !f.elsewhere(h.Author.Person, i) {
				s.weight, s.heavy = h.Class, s.hashes[j]
			}
		}
		if s.dropped == (wire.BlockHash{}) && (won == nil || s.weight > won.weight || s.weight == won.weight && f.before(s, won)) {
			won = s
		}
	}
	return won
}

// strike takes out the sides whose author a removed or demoted in another. If
// that were all of them, a contradicts itself, and none of it counts.
func (f *dispute) strike(a wire.PersonID) {
	type mark struct {
		person wire.PersonID
		side   int
	}
	var marks []mark
	dropped := make(map[*side]wire.BlockHash)
	left := 0
	for i, s := range f.sides {
		if s.dropped != (wire.BlockHash{}) {
			continue
		}
		left++
		if f.elsewhere(a, i) {
			continue
		}
		for j, h := range s.blocks {
			if h.Author.Person != a {
				continue
			}
			for _, u := range struckIn(h) {
				marks = append(marks, mark{u, i})
				for k, o := range f.sides {
					if k != i && o.dropped == (wire.BlockHash{}) && o.author.Person == u {
						dropped[o] = s.hashes[j]
					}
				}
			}
		}
	}
	if len(dropped) == left {
		return
	}
	for s, by := range dropped {
		s.dropped = by
	}
	for _, m := range marks {
		if f.struck[m.person] == nil {
			f.struck[m.person] = make(map[int]bool)
		}
		f.struck[m.person][m.side] = true
	}
}

// elsewhere reports whether person was struck from a side other than i.
func (f *dispute) elsewhere(person wire.PersonID, i int) bool {
	n := len(f.struck[person])
	return n > 1 || n == 1 && !f.struck[person][i]
}

// struckIn returns whom a block removes or demotes, but for its author.
func struckIn(h *chain.Header) (list []wire.PersonID) {
	for _, op := range h.Ops {
		switch op := op.(type) {
		case *chain.Remove:
			list = append(list, op.Person)
		case *chain.SetRole:
			if op.Role == chain.RoleMember {
				list = append(list, op.Person)
			}
		}
	}
	return slices.DeleteFunc(list, func(p wire.PersonID) bool { return p == h.Author.Person })
}

// before reports whether a's author is the more senior, or its device the
// earlier, or its hash the lower.
func (f *dispute) before(a, b *side) bool {
	if a.author.Person != b.author.Person {
		x, y := f.seniority(a.author.Person), f.seniority(b.author.Person)
		return slices.Compare(x[:], y[:]) < 0
	}
	if a.author.Device != b.author.Device {
		m, _ := f.state.Person(a.author.Person)
		at := func(d wire.DeviceID) int {
			return slices.IndexFunc(m.Devices, func(o chain.Device) bool { return o.ID == d })
		}
		return uint(at(a.author.Device)) < uint(at(b.author.Device)) // unknown ones come last
	}
	return slices.Compare(a.hash[:], b.hash[:]) < 0
}

// seniority orders people: admins by rank, then the others by admission.
func (f *dispute) seniority(p wire.PersonID) [2]uint32 {
	m, ok := f.state.Person(p)
	switch {
	case !ok:
		return [2]uint32{chain.NoRank, chain.NoRank}
	case f.state.IsAdmin(p):
		return [2]uint32{m.Rank, 0}
	}
	return [2]uint32{chain.NoRank, m.Join}
}

// explain says by which step s lost to won.
func (f *dispute) explain(l *Loss, s, won *side) {
	switch {
	case s.dropped != (wire.BlockHash{}):
		l.Why, l.By, l.Mutual = WhyStruck, s.dropped, f.answer(s)
	case s.weight < won.weight:
		l.Why, l.By = WhyWeight, won.heavy
	case s.author.Person != won.author.Person:
		l.Why = WhySenior
	case s.author.Device != won.author.Device:
		l.Why = WhyDevice
	default:
		l.Why = WhyTwice
	}
}

// answer finds the block by which the author of a struck side struck whoever
// struck it, if that is its senior: else something else decided between them.
func (f *dispute) answer(s *side) wire.BlockHash {
	var by wire.PersonID
	for _, o := range f.sides {
		if at := slices.Index(o.hashes, s.dropped); at >= 0 {
			by = o.blocks[at].Author.Person
		}
	}
	a, u := f.seniority(by), f.seniority(s.author.Person)
	for i, h := range s.blocks {
		if slices.Compare(a[:], u[:]) < 0 && h.Author.Person == s.author.Person && slices.Contains(struckIn(h), by) {
			return s.hashes[i]
		}
	}
	return wire.BlockHash{}
}
