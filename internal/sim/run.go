package sim

import (
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"testing/cryptotest"

	"kith/internal/group"
	"kith/internal/mls"
	"kith/internal/wire"
)

// Config says how a run goes. Of its zero value every part is chosen by the
// seed.
type Config struct {
	Nodes int       // persons; 0: 3 to 6
	Steps int       // actions; 0: 60
	Delay uint64    // longest delay of a frame, in ms; 0: 20, 200 or 2,000
	Loss  int       // how many of 100 actions end or bring back sessions; 0: 20
	Crash int       // how many of 100 actions stop, start or kill nodes; 0: 12
	Suite mls.Suite // of the group; 0: that of new groups, or the one before

	Old int // how many of 10 devices have a program without FeatureHeads; below 0: none; 0: by the seed none, some or most

	Plain   bool // nothing is said but texts
	Rarely  bool // for many short runs: what is dear to look at is looked at seldom, and most people stay
	Hostile int  // how many persons lie; below 0: none; 0: by the seed none, one, or as many as voters bear
}

func (c Config) with(r *rand.Rand) Config {
	if c.Hostile == 0 {
		switch n := r.IntN(20); {
		case n < 8:
			c.Hostile = -1
		case n < 17:
			c.Hostile = 1
		default:
			c.Hostile = 2
			if c.Nodes == 0 {
				c.Nodes = 7 // of whom two may lie
			}
		}
	}
	if c.Nodes == 0 {
		c.Nodes = 3 + r.IntN(4)
	}
	if c.Steps == 0 {
		c.Steps = 60
	}
	if c.Delay == 0 {
		c.Delay = []uint64{20, 200, 2_000}[r.IntN(3)]
	}
	if c.Loss == 0 {
		c.Loss = 20
	}
	if c.Crash == 0 {
		c.Crash = 12
	}
	if c.Suite == 0 {
		c.Suite = group.Suites()[r.IntN(2)]
	}
	if c.Old == 0 {
		c.Old = []int{-1, -1, 3, 7}[r.IntN(4)]
	}
	return c
}

// Run plays the schedule of a seed and fails t where an oracle does, with the
// shortest schedule found that still fails. It returns c with what the seed chose.
func Run(t *testing.T, seed uint64, c Config) Config {
	t.Helper()
	c, _ = count(t, seed, c)
	return c
}

// Count is [Run] for who wants to know what was read.
func Count(t *testing.T, seed uint64, c Config) Tally {
	t.Helper()
	_, tally := count(t, seed, c)
	return tally
}

func count(t *testing.T, seed uint64, c Config) (Config, Tally) {
	t.Helper()
	asked := c
	c = c.with(rand.New(rand.NewPCG(seed, 1)))
	actions := schedule(rand.New(rand.NewPCG(seed, 2)), c)
	w, err := play(t, seed, c, actions)
	if err == nil {
		return c, w.tally
	}
	t.Logf("seed %d fails: %v\n\nRepeat it with: %s\n\nIt is played again without some of its actions, %d times at most.",
		seed, err, command(t, seed, asked), tries(c))
	short, tried := shrink(actions, tries(c), func(some []action) bool {
		_, other := play(t, seed, c, some)
		return other != nil && kind(other) == kind(err)
	})
	end := "no shorter one fails"
	if tried == tries(c) {
		end = "there may be a shorter one"
	}
	w, last := play(t, seed, c, short)
	t.Fatalf("The shortest schedule found (%d of %d actions, %d tries: %s) fails with: %v\n%s",
		len(short), len(actions), tried, end, last, strings.Join(w.Trace, "\n"))
	return c, Tally{}
}

// command is what repeats a run.
func command(t *testing.T, seed uint64, asked Config) string {
	s := fmt.Sprintf("go test ./internal/sim -run '^%s$' -seed=%d", t.Name(), seed)
	if asked.Steps != 0 {
		s += fmt.Sprintf(" -steps=%d", asked.Steps)
	}
	return s
}

// Trace plays the schedule of a seed and returns what happened.
func Trace(t *testing.T, seed uint64, c Config) []string {
	c = c.with(rand.New(rand.NewPCG(seed, 1)))
	w, err := play(t, seed, c, schedule(rand.New(rand.NewPCG(seed, 2)), c))
	if err != nil {
		t.Fatal(err)
	}
	return w.Trace
}

// A run is one play of a schedule.
type run struct {
	*World
	g     wire.GroupID
	check *checker
	count int // texts said

	plain   bool
	rarely  bool
	revoked map[*Node]bool // by its person
	crew    *crew
}

// failure is what an oracle panics with, to end a run from any depth.
type failure struct {
	error
	oracle string
}

func fail(format string, args ...any) { panic(failure{fmt.Errorf(format, args...), format}) }

// kind tells failures of one oracle from those of others.
func kind(err error) string {
	if f, ok := err.(failure); ok {
		return f.oracle
	}
	return "panic"
}

// progress is after how many actions a long run says how far it is.
const progress = 250

// play plays actions, lets the world come to rest, and returns what failed.
func play(t *testing.T, seed uint64, c Config, actions []action) (w *World, err error) {
	cryptotest.SetGlobalRandom(t, seed)
	w = New(seed)
	w.spare = true
	defer func() {
		switch p := recover().(type) {
		case nil:
		case failure:
			err = p
		default:
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	w.Delay = func() uint64 { return 1 + w.Rand.Uint64N(c.Delay) }
	r := &run{World: w, check: newChecker(w), plain: c.Plain, rarely: c.Rarely, revoked: make(map[*Node]bool), crew: newCrew()}
	r.check.crew = r.crew
	if c.Rarely {
		w.people = known(t, c.Nodes)
		cryptotest.SetGlobalRandom(t, seed)
		w.every, r.check.pause = seldom, 50*seldom
	}
	r.begin(c)
	for i, a := range actions {
		if i > 0 && i%progress == 0 {
			t.Logf("%d of %d actions, %d steps", i, len(actions), r.check.steps)
		}
		w.Run(a.wait)
		r.do(a)
	}
	r.rest()
	w.tally = r.tally()
	return w, nil
}

var names = []string{"Ann", "Ben", "Cleo", "Dan", "Eve", "Fay", "Gus", "Hal", "Ida", "Jon", "Kim", "Leo"}

// called is the name of the i-th person.
func called(i int) string { return names[i%len(names)] + strings.Repeat("+", i/len(names)) }

// begin makes the nodes and a group of the first with some of the others.
func (r *run) begin(c Config) {
	year := int64(365 * 24 * 3600 * 1000)
	for i := range c.Nodes {
		n := r.Add(called(i))
		switch r.Rand.IntN(8) {
		case 0:
			n.Clock = r.Rand.Int64N(20*year) - 10*year
		case 1:
			n.Clock = r.Rand.Int64N(7_200_000) - 3_600_000
		}
	}
	for _, n := range slices.Clone(r.Nodes) {
		if r.Rand.IntN(5) == 0 {
			n.Link(n.Name + "'s phone")
		}
	}
	r.age(c)
	r.recruit(c)
	full := c.Rarely && r.Rand.IntN(2) == 0 // half of many short runs begin with all of them
	var first []group.Newcomer
	for _, n := range r.Nodes[1:c.Nodes] {
		if (full || r.Rand.IntN(3) > 0) && near(r.Nodes[0], n) {
			first = append(first, n.NewcomerFor(c.Suite))
		}
	}
	r.After = r.check.step
	r.g = r.Nodes[0].Create(group.CreateParams{Title: "Trip", Newcomers: first, Suite: c.Suite})
	r.check.g = r.g
	r.tracef("%s makes the group with %d others", r.Nodes[0].Name, len(first))
	if full {
		r.Run(c.Delay + 1_000)
		for _, n := range r.Nodes {
			if r.stands(group.StatusInvited)(n) {
				n.Do(r.g, group.Accept{})
			}
		}
		for i := range r.Nodes {
			r.say(action{a: uint64(i), b: 1})
			r.Run(c.Delay + 1_000) // each knows what was said before: newcomers start on logs that rest on each other
		}
	}
}

// age gives some devices the program before FeatureHeads, and some the one before
// FeatureAckHeads, FeatureHistory, FeatureBlockNews or FeatureSparing.
func (r *run) age(c Config) {
	for i, n := range r.Nodes {
		if (i*7+3)%10 < c.Old {
			n.Self.Omits = []uint16{group.FeatureHeads, group.FeatureAckHeads, group.FeatureHistory, group.FeatureBlockNews, group.FeatureSparing}[i%5]
		}
	}
}

// near reports whether two clocks are near enough for key packages to be valid.
func near(a, b *Node) bool {
	d := a.Clock - b.Clock
	return max(d, -d) < 24*3600*1000
}
