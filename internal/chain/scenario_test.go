package chain_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"kith/internal/chain"
	"kith/internal/wire"
)

// The forty scenarios of docs/assurance.md are tests whose names begin with
// TestScenario and the number. Those here are decided by blocks and votes alone;
// those with keys, messages and restarts are in package sim.

// numbered plays the pictures of fork_pictures_test.go that have the number.
func numbered(t *testing.T, number string) {
	t.Helper()
	played := 0
	for _, c := range allPictures() {
		if name, ok := strings.CutPrefix(c.name, number+" "); ok {
			played++
			t.Run(name, func(t *testing.T) { wins(t, c.people, c.picture, c.does, c.head) })
		}
	}
	if played == 0 {
		t.Fatalf("no picture has the number %s", number)
	}
}

// wins plays a picture under several hashes; head must win under each.
func wins(t *testing.T, people, picture string, does map[string]string, head string) {
	t.Helper()
	for salt := range 8 {
		f := plant(t, salt, people)
		f.grow(picture, does)
		if got := f.head(); got != head {
			t.Fatalf("%s under salt %d: head %s, want %s", picture, salt, got, head)
		}
	}
}

// pending returns the removals that lost and are to be carried over, as "B dan".
func (f *tree) pending(root string) (list []string) {
	for _, p := range chain.Pending(f.blocks[root].Hash, f.all()) {
		list = append(list, f.name(p.Block)+" "+f.nameOf(p.Person))
	}
	slices.Sort(list)
	return list
}

func (f *tree) nameOf(id wire.PersonID) string {
	for name, p := range f.people {
		if p.id == id {
			return name
		}
	}
	return "nobody"
}

// A poll lets people vote about the blocks of a picture, on several sides that do
// not hear each other.
type poll struct {
	*tree
	last map[string]*chain.Vote // by voter: what it cast last, on whatever side
}

func (f *tree) poll() *poll { return &poll{f, map[string]*chain.Vote{}} }

// A side is what some people hold: blocks of the picture, and votes.
type side struct {
	*poll
	blocks *chain.Blocks
	votes  *chain.Votes
}

// side returns one that holds the blocks named and those below them.
func (p *poll) side(names ...string) *side {
	s := &side{poll: p, blocks: chain.NewBlocks()}
	s.votes = chain.NewVotes(s.blocks)
	s.learn(names...)
	return s
}

// learn adds blocks with what they stand on.
func (s *side) learn(names ...string) {
	s.t.Helper()
	for _, name := range names {
		b := s.tree.blocks[name]
		if b == nil {
			s.t.Fatalf("no block %s", name)
		}
		if b.Header.Height > 0 {
			s.learn(s.name(b.Header.Parent))
		}
		if err := s.blocks.Add(b.Header, b.Body, b.State); err != nil {
			s.t.Fatal(err)
		}
	}
}

// vote lets people decide, each on what the side holds, until nobody has more to
// say; it returns the rounds they took.
func (s *side) vote(names ...string) (rounds uint64) {
	s.t.Helper()
	before := s.votes.Round()
	for spoke := true; spoke; {
		spoke = false
		for _, name := range names {
			spoke = s.cast(name) || spoke
		}
		if s.votes.Round() > before+20 {
			s.t.Fatal("they vote for ever")
		}
	}
	return s.votes.Round() - before
}

// cast lets one person vote if it is due.
func (s *side) cast(name string) bool {
	s.t.Helper()
	p := s.person(name)
	d := &chain.Voter{Device: p.device(0), Last: s.last[name]}
	d.Decide(s.votes, 0)
	v := d.Decide(s.votes, 2*chain.MaxDwell).Vote
	if v == nil {
		return false
	}
	s.sign(name, v)
	if ok, err := s.votes.Add(v); !ok || err != nil {
		s.t.Fatalf("%s's vote: %v, %v", name, ok, err)
	}
	s.last[name] = v
	return true
}

func (p *poll) sign(name string, v *chain.Vote) {
	key := p.person(name).keys[0]
	v.Seal(func(l wire.Label, b []byte) []byte { return wire.Sign(key, l, b) })
}

// hear takes in all blocks and votes of other sides.
func (s *side) hear(others ...*side) {
	s.t.Helper()
	for _, o := range others {
		for _, hash := range o.blocks.All() {
			s.learn(s.name(hash))
		}
	}
	for changed := true; changed; {
		changed = false
		for _, o := range others {
			for _, v := range o.votes.All() {
				if ok, _ := s.votes.Add(v); ok { // early ones come again
					changed = true
				}
			}
		}
	}
}

// stands fails unless the side has this settled block and this head.
func (s *side) stands(settled, head string) {
	s.t.Helper()
	if got := s.name(s.votes.Settled()); got != settled {
		s.t.Fatalf("settled %s, want %s", got, settled)
	}
	if got := s.name(s.votes.Head()); got != head {
		s.t.Fatalf("head %s, want %s", got, head)
	}
}

// with returns does with more of it.
func with(does, more map[string]string) map[string]string {
	all := maps.Clone(does)
	maps.Copy(all, more)
	return all
}
