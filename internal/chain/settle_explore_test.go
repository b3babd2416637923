package chain

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// An exploration looks at every set of votes that honest voters and a liar can
// bring about within some rounds, for a tree of blocks. It says more of honest
// voters than is true: in each round each may vote from any certificate there is
// that is not lower than its own last source, for any block at or above, or not
// at all, whatever it could know at that time. So every schedule, every loss and
// every order of blocks is among what is looked at. The liar says everything:
// two votes in each round count for every block.
//
// More votes only ever add choices, so the rounds are gone through one by one.
// Two sets that leave the same choices and the same settled blocks are one state.
type exploration struct {
	name    string
	picture string
	voters  int
	liar    bool // the last voter
	rounds  int
	heal    bool // from every state, look whether honest voters settle

	off     rule // taken away from what counts
	scene   *scene
	start   *era
	ballots map[[5]byte]*ballot
	seen    map[string]bool
	slowest uint64 // rounds that healing took at most
	sets    int    // sets of votes looked at
}

// A standing is one state of an exploration.
type standing struct {
	era    *era
	last   []*ballot // by honest voter; nil: none yet
	honest int
}

func (x *exploration) run() error {
	x.scene = play(x.picture)
	x.start = newEra(x.scene.by["G"], x.off)
	x.ballots, x.seen = map[[5]byte]*ballot{}, map[string]bool{}
	s := standing{era: x.start, honest: x.voters}
	if x.liar {
		s.honest--
	}
	s.last = make([]*ballot, s.honest)
	if err := x.inspect(s); err != nil {
		return err
	}
	return x.explore(s, 1)
}

// explore goes through all that may happen in the round of that number.
func (x *exploration) explore(s standing, number uint64) error {
	if number > uint64(x.rounds) || s.era.reached()+1 < number {
		return nil
	}
	choices := make([][]*ballot, s.honest)
	for i := range choices {
		choices[i] = x.choices(s, i, number)
	}
	picked := make([]int, s.honest)
	for {
		next := x.cast(s, number, choices, picked)
		x.sets++
		if key := x.key(next, number); !x.seen[key] {
			x.seen[key] = true
			if err := x.inspect(next); err != nil {
				return err
			}
			if err := x.explore(next, number+1); err != nil {
				return err
			}
		}
		i := 0
		for ; i < len(picked); i++ {
			if picked[i]++; picked[i] < len(choices[i]) {
				break
			}
			picked[i] = 0
		}
		if i == len(picked) {
			return nil
		}
	}
}

// choices returns what an honest voter may do in a round; nil is: nothing.
func (x *exploration) choices(s standing, voter int, number uint64) []*ballot {
	list := []*ballot{nil}
	for round := range number {
		for _, name := range x.scene.order {
			source := x.scene.by[name]
			if x.off.on(ruleHeldSource) && !s.era.certified(round, source) || round == 0 && source != s.era.start {
				continue
			}
			if last := s.last[voter]; last != nil && x.off.on(ruleForward) &&
				(round < last.Source.Round || round == last.Source.Round && source.State.height < last.source.State.height) {
				continue
			}
			for _, name := range x.scene.order {
				if block := x.scene.by[name]; block != s.era.start && below(source, block) {
					list = append(list, x.ballot(voter, number, block, round, source))
				}
			}
		}
	}
	return list
}

// ballot returns the one ballot of that content.
func (x *exploration) ballot(voter int, number uint64, block *node, round uint64, source *node) *ballot {
	key := [5]byte{byte(voter), byte(number), x.index(block), byte(round), x.index(source)}
	b := x.ballots[key]
	if b == nil {
		v := x.scene.vote(fmt.Sprintf("%d votes %s in %d from %s of %d", voter, x.scene.names[block], number, x.scene.names[source], round))
		b = &ballot{v, v.Hash(), voter, block, source}
		x.ballots[key] = b
	}
	return b
}

// cast returns the state after the round; older rounds are shared.
func (x *exploration) cast(s standing, number uint64, choices [][]*ballot, picked []int) standing {
	e := *s.era
	e.rounds = slices.Clone(e.rounds)
	next := standing{era: &e, last: slices.Clone(s.last), honest: s.honest}
	for i, p := range picked {
		if b := choices[i][p]; b != nil {
			e.put(b)
			next.last[i] = b
		}
		if !x.off.on(ruleOnce) && p > 0 {
			e.put(choices[i][1+p%(len(choices[i])-1)])
		}
	}
	if x.liar {
		for _, name := range []string{"a1", "b1"} {
			e.put(x.ballot(x.voters-1, number, x.scene.by[name], 0, e.start))
		}
	}
	e.judge(e.start, func() voterSet { return 0 })
	return next
}

// key tells states apart by what follows from them: the last source of each
// honest voter, whoever it is; while the round has no quorum its votes, which
// others may yet join; the certificates that one of them may still vote from;
// what is settled.
func (x *exploration) key(s standing, number uint64) string {
	open := s.era.reached() < number
	var voters []string
	lowest := uint64(0)
	for i, last := range s.last {
		own := []byte{'-'}
		if last != nil {
			own = []byte{byte(last.Source.Round), x.index(last.source)}
			if open && last.Round == number {
				own = append(own, x.index(last.block))
			}
			if i == 0 || last.Source.Round < lowest {
				lowest = last.Source.Round
			}
		} else {
			lowest = 0
		}
		voters = append(voters, string(own))
	}
	if !x.off.on(ruleForward) {
		lowest = 0
	}
	slices.Sort(voters)
	key := append([]byte{byte(number)}, strings.Join(voters, "/")...)
	for _, r := range s.era.rounds {
		if key = append(key, '|'); r.number < lowest {
			continue
		}
		for _, name := range x.scene.order {
			if n := x.scene.by[name]; r.certifies(s.era, n) {
				key = append(key, x.index(n))
			}
		}
	}
	return string(append(key, '!', x.index(s.era.settled)))
}

func (x *exploration) index(n *node) byte { return byte(n.Header.CreatedAt) }

// inspect checks one state.
func (x *exploration) inspect(s standing) error {
	if c := s.era.conflict; c != nil {
		return fmt.Errorf("%s and %s are both settled: %s", x.scene.name(c.Blocks[0]), x.scene.name(c.Blocks[1]), x.story(s))
	}
	if !x.heal {
		return nil
	}
	for _, liarSpeaks := range []bool{false, true} {
		if liarSpeaks && !x.liar {
			break
		}
		took, err := x.mend(s, liarSpeaks)
		if err != nil {
			return err
		}
		x.slowest = max(x.slowest, took)
	}
	return nil
}

// story lists the votes of a state.
func (x *exploration) story(s standing) string {
	var lines []string
	for _, b := range s.era.ballots() {
		lines = append(lines, fmt.Sprintf("%d votes %s in %d from %s of %d", b.voter, x.scene.names[b.block], b.Round, x.scene.names[b.source], b.Source.Round))
	}
	return strings.Join(lines, "; ")
}

// healRounds is how many rounds a group needs at most once everybody hears
// everybody.
const healRounds = 8

// mend lets all honest voters hear everything, and returns after how many rounds
// the head was settled. They decide with the real rule. The liar keeps silent or
// goes on to say everything.
func (x *exploration) mend(s standing, liarSpeaks bool) (uint64, error) {
	v := x.votes(s)
	first := v.current().reached()
	voters := make([]*Voter, s.honest)
	for i := range voters {
		voters[i] = &Voter{Device: sceneDevice(i), off: x.off}
		if s.last[i] != nil {
			voters[i].Last = s.last[i].Vote
		}
	}
	for v.Settled() != v.Head() {
		e := v.current()
		number := e.reached() + 1
		if number > first+healRounds {
			return 0, fmt.Errorf("not settled %d rounds after healing (liar speaks: %v): %s", healRounds, liarSpeaks, x.story(s))
		}
		if liarSpeaks {
			for _, name := range []string{"a1", "b1"} {
				v.put(e, x.ballot(x.voters-1, number, x.scene.by[name], 0, e.start))
			}
			if v.Settled() == v.Head() {
				break
			}
		}
		if !x.turn(v, voters) {
			return 0, fmt.Errorf("nobody votes in round %d after healing: %s", number, x.story(s))
		}
	}
	return v.current().reached() - first, nil
}

// turn lets who is due first vote first, and reports whether anybody voted.
func (x *exploration) turn(v *Votes, voters []*Voter) bool {
	voted := false
	for _, dwells := range []uint64{1, 2} {
		for _, d := range voters {
			b, ok := v.booth(d)
			if !ok || b.due(d) > dwells*MaxDwell {
				continue
			}
			if speaker, has := b.speaker(); dwells == 1 && has && speaker != b.voter {
				continue
			}
			decision := b.decide(d, 2*MaxDwell)
			if decision.Vote == nil {
				continue
			}
			e, ballot, err := v.check(decision.Vote)
			if err != nil {
				continue
			}
			voted = true
			d.Last = decision.Vote
			v.put(e, ballot)
		}
	}
	return voted
}

// votes returns the real set of the votes of a state.
func (x *exploration) votes(s standing) *Votes {
	v := NewVotes(x.scene.blocks)
	v.off = x.off | ruleSignature
	e := newEra(x.start.start, v.off)
	for _, b := range s.era.ballots() {
		e.put(b)
	}
	v.eras[e.start] = e
	return v
}

// wide is a tree of three heights with a fork at each but the last.
func wide(voters string) string {
	return "G:" + voters + " -> a1 -> a2 -> a3 | a1 -> c2 | G -> b1"
}

// explorations of the default size take seconds; KITH_EXPLORE=big minutes.
func explorations() []*exploration {
	list := []*exploration{
		{name: "2 voters", picture: wide("01"), voters: 2, rounds: 3, heal: true},
		{name: "2 voters, longer", picture: "G:01 -> a1 -> a2 | G -> b1", voters: 2, rounds: 4, heal: true},
		{name: "3 voters", picture: "G:012 -> a1 -> a2 | G -> b1", voters: 3, rounds: 3, heal: true},
		{name: "3 voters, longer", picture: "G:012 -> a1 | G -> b1", voters: 3, rounds: 4, heal: true},
		{name: "4 voters, one lies", picture: "G:0123 -> a1 -> a2 | G -> b1", voters: 4, liar: true, rounds: 3, heal: true},
		{name: "4 voters, one lies, longer", picture: "G:0123 -> a1 | G -> b1", voters: 4, liar: true, rounds: 4, heal: true},
	}
	if os.Getenv("KITH_EXPLORE") == "big" {
		list = append(list,
			&exploration{name: "2 voters, big", picture: wide("01"), voters: 2, rounds: 5, heal: true},
			&exploration{name: "3 voters, big", picture: wide("012"), voters: 3, rounds: 3, heal: true},
			&exploration{name: "3 voters, longer, big", picture: "G:012 -> a1 -> a2 | G -> b1", voters: 3, rounds: 4, heal: true},
			&exploration{name: "4 voters, one lies, big", picture: wide("0123"), voters: 4, liar: true, rounds: 3, heal: true},
			&exploration{name: "4 voters, one lies, longer, big", picture: "G:0123 -> a1 | G -> b1", voters: 4, liar: true, rounds: 5, heal: true},
		)
	}
	return list
}

func TestExploreSettlement(t *testing.T) {
	for _, x := range explorations() {
		t.Run(x.name, func(t *testing.T) {
			began := time.Now()
			if err := x.run(); err != nil {
				t.Fatal(err)
			}
			t.Logf("%s: %d sets of votes, %d states, no conflict; healed within %d rounds; %v", x.picture, x.sets, len(x.seen), x.slowest, time.Since(began).Round(time.Millisecond))
			if len(x.seen) < 100 {
				t.Errorf("saw %d states; there must be more", len(x.seen))
			}
		})
	}
}

// TestExploreTooManyLiars: one liar among three is more than the rules bear, and
// the exploration sees that.
func TestExploreTooManyLiars(t *testing.T) {
	x := &exploration{picture: "G:012 -> a1 -> a2 | G -> b1", voters: 3, liar: true, rounds: 4}
	err := x.run()
	if err == nil {
		t.Fatal("no conflict found")
	}
	t.Log(err)
}
