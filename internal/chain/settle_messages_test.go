package chain

import (
	"fmt"
	"os"
	"testing"
	"time"
)

// A room is some devices that hear of blocks and votes one by one, in every
// order there is. Each decides with the real rule over the real sets.
type room struct {
	picture string
	people  int // devices; some become voters with a later block
	rounds  uint64
	limit   int // states; 0: all
	liar    int // votes by a further device that lies, of all it can cast; 0: nobody lies
	off     rule
	walked  func() // called after each choice of lies; nil: nothing

	scene *scene
	cast  []*Vote               // every vote anybody may have cast
	ids   map[[250]byte]int     // its index
	views map[chair]*view       // by what a device holds
	seen  map[[4]chair]struct{} // states
	todo  [][4]chair
	lies  uint64 // votes of the liar that may reach anybody at any time, or nobody
	all   int    // states seen with every choice of lies
}

// A chair is all that one device holds.
type chair struct {
	who    int8
	blocks uint16 // by order in the scene
	votes  uint64 // by index in cast
	last   int8   // index in cast; -1: none
}

// A view is what follows from a chair.
type view struct {
	settled *node
	vote    int // what it casts when it has waited long; -1: nothing
	votes   *Votes
}

func (r *room) run() error {
	r.scene = play(r.picture)
	r.ids, r.views = map[[250]byte]int{}, map[chair]*view{}
	list := r.everyLie()
	for _, lies := range choices(list, r.liar) {
		r.lies = 0
		for _, id := range lies {
			r.lies |= 1 << id
		}
		if err := r.walk(); err != nil {
			return fmt.Errorf("%w; the liar says %d of %d", err, lies, len(list))
		}
		if r.walked != nil {
			r.walked()
		}
		if r.all += len(r.seen); r.limit > 0 && r.all > r.limit {
			return nil
		}
	}
	return nil
}

// everyLie returns the votes that the device after the last can cast in the first
// era: in every round for every block, from every source that may be one.
func (r *room) everyLie() (ids []int) {
	if r.liar == 0 {
		return nil
	}
	for round := uint64(1); round <= r.rounds; round++ {
		for _, name := range r.scene.order {
			b := r.scene.by[name]
			for x := b; x != nil; x = x.parent {
				if round == 1 && x.parent != nil {
					continue // the first round has no source but the start of the era
				}
				v := r.scene.vote(fmt.Sprintf("%d votes %s in %d from %s of %d", r.people, name, round, r.scene.names[x], round-1))
				ids = append(ids, r.id(v))
			}
		}
	}
	return ids
}

// choices returns every set of up to n of a list.
func choices(list []int, n int) [][]int {
	sets := [][]int{nil}
	if n == 0 {
		return sets
	}
	for i, x := range list {
		for _, rest := range choices(list[i+1:], n-1) {
			sets = append(sets, append([]int{x}, rest...))
		}
	}
	return sets
}

// walk visits every state that there is with today's lies.
func (r *room) walk() error {
	r.seen, r.todo = map[[4]chair]struct{}{}, nil
	var first [4]chair
	for i := range r.people {
		first[i] = chair{int8(i), 1, 0, -1}
	}
	r.visit(first)
	for len(r.todo) > 0 {
		s := r.todo[len(r.todo)-1]
		r.todo = r.todo[:len(r.todo)-1]
		if err := r.expand(s); err != nil {
			return err
		}
		if r.limit > 0 && r.all+len(r.seen) > r.limit {
			return nil
		}
	}
	return nil
}

func (r *room) visit(s [4]chair) {
	if _, ok := r.seen[s]; !ok {
		r.seen[s] = struct{}{}
		r.todo = append(r.todo, s)
	}
}

// expand checks a state and visits what may come next.
func (r *room) expand(s [4]chair) error {
	known := r.lies // votes cast so far
	for _, at := range s[:r.people] {
		known |= at.votes
	}
	for i, at := range s[:r.people] {
		v := r.view(at)
		for _, o := range s[:i] {
			if y := r.view(o).settled; !below(y, v.settled) && !below(v.settled, y) {
				return fmt.Errorf("%d has settled %s and %d %s", at.who, r.scene.names[v.settled], o.who, r.scene.names[y])
			}
		}
		for _, after := range r.nexts(at, v, known) {
			if y := r.view(after).settled; !below(v.settled, y) {
				return fmt.Errorf("%d goes from settled %s to %s", at.who, r.scene.names[v.settled], r.scene.names[y])
			}
			next := s
			next[i] = after
			r.visit(next)
		}
	}
	return nil
}

// nexts returns what a device may hold after its next block, vote or decision.
func (r *room) nexts(at chair, v *view, known uint64) (list []chair) {
	for k, name := range r.scene.order {
		n := r.scene.by[name]
		if at.blocks>>k&1 == 0 && v.votes.blocks.Has(n.parent.Hash) {
			after := at
			after.blocks |= 1 << k
			list = append(list, after)
		}
	}
	for id := range r.cast {
		if known&^at.votes>>id&1 == 0 {
			continue
		}
		if _, _, err := v.votes.check(r.cast[id]); err == nil {
			after := at
			after.votes |= 1 << id
			list = append(list, after)
		}
	}
	if v.vote >= 0 {
		after := at
		after.votes |= 1 << v.vote
		after.last = int8(v.vote)
		list = append(list, after)
	}
	return list
}

// view works out what a device sees.
func (r *room) view(at chair) *view {
	if v := r.views[at]; v != nil {
		return v
	}
	var names []string
	for k, name := range r.scene.order {
		if at.blocks>>k&1 == 1 {
			names = append(names, name)
		}
	}
	votes := NewVotes(r.scene.only(names...))
	votes.off = r.off | ruleSignature
	var held []*Vote
	for id, vote := range r.cast {
		if at.votes>>id&1 == 1 {
			held = append(held, vote)
		}
	}
	if err := offer(votes, held); err != nil {
		panic(err)
	}
	v := &view{settled: r.scene.blocks.by[votes.Settled()], vote: -1, votes: votes}
	d := &Voter{Device: sceneDevice(int(at.who)), off: r.off}
	if at.last >= 0 {
		d.Last = r.cast[at.last]
	}
	if b, ok := votes.booth(d); ok && b.round <= r.rounds {
		if vote := b.decide(d, 2*MaxDwell).Vote; vote != nil {
			v.vote = r.id(vote)
		}
	}
	r.views[at] = v
	return v
}

func (r *room) id(vote *Vote) int {
	key := [250]byte(vote.Marshal())
	id, ok := r.ids[key]
	if !ok {
		id = len(r.cast)
		if id == 64 {
			panic("more votes than a chair has bits for")
		}
		r.ids[key] = id
		r.cast = append(r.cast, vote)
	}
	return id
}

// rooms have a change of voters in each: who votes before it and after it, with
// a branch that competes with it and branches above it.
func rooms() []*room {
	list := []*room{
		{picture: "G:01 -> e1:12 -> d1 | G -> b1", people: 3, rounds: 2, limit: 300_000},
		{picture: "G:0 -> e1:01 -> d1 | e1 -> d2 | G -> b1", people: 2, rounds: 2},
		{picture: "G:0123 -> e1:012", people: 3, rounds: 2, liar: 1},
	}
	if os.Getenv("KITH_EXPLORE") == "big" {
		list = append(list,
			&room{picture: "G:01 -> e1:12 -> d1 | e1 -> d2 | G -> b1", people: 3, rounds: 2, limit: 20_000_000},
			&room{picture: "G:012 -> a1 | G -> b1", people: 3, rounds: 3, limit: 20_000_000},
			&room{picture: "G:0123 -> e1:012 -> d1", people: 3, rounds: 2, liar: 1},
			&room{picture: "G:0123 -> e1:012 | G -> b1", people: 3, rounds: 2, liar: 1},
			&room{picture: "G:0123 -> e1:012", people: 3, rounds: 2, liar: 2})
	}
	return list
}

func TestExploreMessages(t *testing.T) {
	for _, r := range rooms() {
		t.Run(r.picture, func(t *testing.T) {
			began := time.Now()
			if err := r.run(); err != nil {
				t.Fatal(err)
			}
			how := "all"
			if len(r.todo) > 0 {
				how = "bounded"
			}
			if r.liar > 0 {
				how += fmt.Sprintf(", a fourth that says any %d votes", r.liar)
			}
			t.Logf("%d states (%s), %d votes, %d views of one device, no conflict, nothing unsettled again; %v", r.all, how, len(r.cast), len(r.views), time.Since(began).Round(time.Millisecond))
		})
	}
}
