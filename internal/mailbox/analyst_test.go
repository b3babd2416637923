package mailbox_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"kith/internal/mailbox"
)

// What a mailbox sees of one connection of a client: which drop, whether it put or read,
// when. All connections have a link key of their own, all items one size, all reads begin
// at the start of the drop. Source addresses are left out: who does not hide them shows
// them, and then no rule of the client helps.
type sight struct {
	at  time.Time
	put bool
	by  int // the truth, which the analyst does not have
}

// seen is all that is seen of one drop, with the truth about it.
type seen struct {
	group, day int
	sights     []sight
}

// world is a month of 200 people in 60 groups and pairs.
type world struct {
	groups [][]int   // who is in which
	words  []float64 // what a group says a day
	skew   []time.Duration
	awake  []func(day int, at time.Time) bool
	roots  [][32]byte
}

const (
	peopleCount, groupCount, daysCount = 200, 60, 30
	firstDay                           = 20000
)

// newWorld draws one. habits gives each person hours of the day at which its machine is
// on; without, machines are on all day but for one hour in twenty, at random.
func newWorld(r *rand.Rand, habits bool) *world {
	w := new(world)
	for p := range peopleCount {
		w.skew = append(w.skew, time.Duration(r.NormFloat64()*float64(5*time.Second)))
		from, hours, seed := r.IntN(24), 4+r.IntN(8), r.Uint64()
		w.awake = append(w.awake, func(day int, at time.Time) bool {
			if habits {
				return (at.Hour()-from+24)%24 < hours
			}
			return rand.NewPCG(seed, uint64(day*24+at.Hour())+uint64(p)).Uint64()%20 != 0
		})
	}
	for g := range groupCount {
		size := 2
		if g >= groupCount/2 {
			size = 3 + r.IntN(18)
		}
		w.groups = append(w.groups, r.Perm(peopleCount)[:size])
		w.words = append(w.words, math.Exp(r.NormFloat64()+2))
		var root [32]byte
		for i := range root {
			root[i] = byte(r.Uint32())
		}
		w.roots = append(w.roots, root)
	}
	return w
}

// planned is the month by the client's rules (Plan).
func (w *world) planned() []seen {
	drops := make(map[[2]int]*seen)
	for g, members := range w.groups {
		for own, person := range members {
			plan := mailbox.Plan{Root: w.roots[g], Members: len(members), Own: own}
			for day := range daysCount {
				for _, turn := range plan.On(uint64(firstDay + day)) {
					if !w.awake[person](day, turn.At.UTC()) {
						continue
					}
					key := [2]int{g, int(turn.Drop) - firstDay}
					if drops[key] == nil {
						drops[key] = &seen{group: g, day: key[1]}
					}
					drops[key].sights = append(drops[key].sights, sight{turn.At.Add(w.skew[person]), turn.Do == mailbox.TurnPut, person})
				}
			}
		}
	}
	return w.sorted(drops)
}

// atOnce is the month of clients that put when there is something to say and look every
// hour or so while they are on: what the rules are there to prevent.
func (w *world) atOnce(r *rand.Rand) []seen {
	drops := make(map[[2]int]*seen)
	for g, members := range w.groups {
		for day := range daysCount {
			d := &seen{group: g, day: day}
			midnight := time.Unix(int64(firstDay+day)*86400, 0)
			for range int(w.words[g] * (0.7 + 0.6*r.Float64())) {
				by := members[r.IntN(len(members))]
				if at := midnight.Add(time.Duration(r.Int64N(86400)) * time.Second); w.awake[by](day, at.UTC()) {
					d.sights = append(d.sights, sight{at.Add(w.skew[by]), true, by})
				}
			}
			for _, by := range members {
				minute := time.Duration(by*7919%3600) * time.Second // of the hour, since it started
				for hour := range 24 {
					if at := midnight.Add(time.Duration(hour)*time.Hour + minute + time.Duration(r.IntN(60))*time.Second); w.awake[by](day, at.UTC()) {
						d.sights = append(d.sights, sight{at.Add(w.skew[by]), false, by})
					}
				}
			}
			drops[[2]int{g, day}] = d
		}
	}
	return w.sorted(drops)
}

func (w *world) sorted(drops map[[2]int]*seen) (all []seen) {
	for _, d := range drops {
		if d.day >= 0 && d.day < daysCount-1 { // those at the edges are cut
			slices.SortFunc(d.sights, func(a, b sight) int { return a.at.Compare(b.at) })
			all = append(all, *d)
		}
	}
	slices.SortFunc(all, func(a, b seen) int { return (a.group*100 + a.day) - (b.group*100 + b.day) })
	return all
}

// features are what the analyst measures of a drop: how often it is written and read,
// the share of each in eight parts of the day, the place of them within the hour, the
// first and the last, and the shortest and the mean distance.
func features(d seen) []float64 {
	f := make([]float64, 2+16+8+4)
	midnight := time.Unix(int64(firstDay+d.day)*86400, 0)
	gaps, shortest := 0.0, 1e9
	for i, s := range d.sights {
		kind := 0
		if !s.put {
			kind = 1
		}
		f[kind]++
		into := s.at.Sub(midnight)
		part := int(into.Hours()/3) % 8
		if part < 0 {
			part += 8
		}
		f[2+8*kind+part]++
		minute := math.Mod(into.Minutes()+60, 60)
		f[18+4*kind] += math.Sin(minute / 60 * 2 * math.Pi)
		f[19+4*kind] += math.Cos(minute / 60 * 2 * math.Pi)
		f[20+4*kind] += math.Mod(into.Seconds()+3600, 60) / 60
		if i > 0 {
			gap := s.at.Sub(d.sights[i-1].at).Minutes()
			gaps += gap
			shortest = min(shortest, gap)
		}
	}
	if n := len(d.sights); n > 1 {
		f[26], f[27] = d.sights[0].at.Sub(midnight).Hours(), d.sights[n-1].at.Sub(midnight).Hours()
		f[28], f[29] = gaps/float64(n-1), shortest
	}
	return f
}

// joined is the analyst's score for joining drops of one group over days: the chance that
// it holds two drops of one group, of different days, for more alike than two of
// different groups (the area under the curve; 0.5 is chance), and its standard error. It
// learns how much each feature tells from the first half of the groups, and is asked
// about the second.
func joined(r *rand.Rand, drops []seen) (auc, sigma float64) {
	of := make([][]float64, len(drops))
	for i, d := range drops {
		of[i] = features(d)
	}
	n := len(of[0])
	for j := range n { // each by its own spread
		var sum, squares float64
		for i := range of {
			sum += of[i][j]
			squares += of[i][j] * of[i][j]
		}
		mean := sum / float64(len(of))
		spread := math.Sqrt(max(squares/float64(len(of))-mean*mean, 1e-12))
		for i := range of {
			of[i][j] = (of[i][j] - mean) / spread
		}
	}
	byGroup := make(map[int][]int)
	for i, d := range drops {
		byGroup[d.group] = append(byGroup[d.group], i)
	}
	// A pair of drops of one group, or of two, from the groups of one half.
	draw := func(half int, same bool) (a, b int) {
		for {
			g := r.IntN(groupCount/2)*2 + half
			h := g
			if !same {
				h = r.IntN(groupCount/2)*2 + half
			}
			a, b = byGroup[g][r.IntN(len(byGroup[g]))], byGroup[h][r.IntN(len(byGroup[h]))]
			if (g == h) == same && drops[a].day != drops[b].day {
				return a, b
			}
		}
	}
	weight := make([]float64, n)
	for j := range n {
		var near, far float64
		for range 3000 {
			a, b := draw(0, true)
			near += math.Abs(of[a][j] - of[b][j])
			a, b = draw(0, false)
			far += math.Abs(of[a][j] - of[b][j])
		}
		weight[j] = max(0, far/max(near, 1e-9)-1)
	}
	alike := func(a, b int) (s float64) {
		for j := range n {
			s -= weight[j] * math.Abs(of[a][j]-of[b][j])
		}
		return s
	}
	const draws = 4000
	right := 0.0
	for range draws {
		x, y := alike(draw(1, true)), alike(draw(1, false))
		if x > y {
			right++
		} else if x == y {
			right += 0.5
		}
	}
	// Of 30 groups with 29 drops each, the drops are the sample: 870 independent ones.
	return right / draws, 0.5 / math.Sqrt(groupCount/2*(daysCount-1))
}

// writers is the analyst's score for telling writers: of three puts into one drop, two by
// one person and one by another, how often it finds the pair that belongs together,
// by the place in the minute and in the hour, and by the distance. Chance is a half,
// since it is asked which of two is the first one's.
func writers(r *rand.Rand, drops []seen) (share, sigma float64, asked int) {
	right := 0
	for _, d := range drops {
		var puts []sight
		for _, s := range d.sights {
			if s.put {
				puts = append(puts, s)
			}
		}
		for range 4 {
			if len(puts) < 3 {
				break
			}
			i, j, k := r.IntN(len(puts)), r.IntN(len(puts)), r.IntN(len(puts))
			if i == j || i == k || j == k || puts[i].by != puts[j].by || puts[i].by == puts[k].by {
				continue
			}
			asked++
			near := func(a, b sight) float64 {
				return circle(a.at, b.at, time.Hour) + circle(a.at, b.at, time.Minute) + circle(a.at, b.at, 24*time.Hour)
			}
			if near(puts[i], puts[j]) < near(puts[i], puts[k]) {
				right++
			}
		}
	}
	return float64(right) / float64(asked), 0.5 / math.Sqrt(float64(asked)), asked
}

// circle is how far two moments are apart on a clock with one hand, 0 to 0.5.
func circle(a, b time.Time, turn time.Duration) float64 {
	d := math.Mod(math.Abs(float64(a.Sub(b))), float64(turn)) / float64(turn)
	return min(d, 1-d)
}

// TestAnalyst gives a month at a mailbox to an analyst. By the client's rules it joins
// drops and tells writers no better than chance; without them it does, so that the analyst
// is known to see; and where machines are on at their people's hours alone it joins
// again, which docs/spec/mailbox.md says.
func TestAnalyst(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	always, habits := newWorld(r, false), newWorld(r, true)
	const sigmas = 3.5 // chance passes this once in 4,000 runs

	for _, c := range []struct {
		name  string
		drops []seen
		blind bool
		sees  bool
	}{
		{"by the rules, machines on all day", always.planned(), true, false},
		{"by the rules, machines on at fixed hours", habits.planned(), false, false},
		{"without the rules, machines on all day", always.atOnce(r), false, true},
		{"without the rules, machines on at fixed hours", habits.atOnce(r), false, true},
	} {
		auc, sigma := joined(r, c.drops)
		told, toldSigma, asked := writers(r, c.drops)
		line := fmt.Sprintf("%s: joins drops %.3f (chance 0.5 ± %.3f), tells writers %.3f (chance 0.5 ± %.3f, %d asked)",
			c.name, auc, sigma, told, toldSigma, asked)
		fmt.Println("analyst: " + line)
		if c.blind && (auc > 0.5+sigmas*sigma || told > 0.5+sigmas*toldSigma) {
			t.Errorf("better than chance: %s", line)
		}
		if c.sees && auc < 0.7 {
			t.Errorf("the analyst is blind where there is something to see: %s", line)
		}
	}
}

// TestPlanTurns: each day has every turn once, whoever asks; all members have as many as
// any other or one more; and all of a group that is not larger than Turns read on the day
// after.
func TestPlanTurns(t *testing.T) {
	for _, n := range []int{1, 2, 5, 24, 40} {
		turns := make(map[string]int)
		least, most := 1000, 0
		for own := range n {
			mine, late := 0, 0
			for _, turn := range (mailbox.Plan{Root: [32]byte{9}, Members: n, Own: own}).On(firstDay) {
				if mailbox.DayOf(turn.At) != firstDay {
					t.Fatalf("a turn on another day: %v", turn.At)
				}
				part := turn.At.Sub(time.Unix(firstDay*86400, 0)) / (24 * time.Hour / mailbox.Turns)
				turns[fmt.Sprint(turn.Do, turn.Drop, part)]++
				if turn.Do == mailbox.TurnPut {
					mine++
				}
				if turn.Drop == firstDay-1 {
					late++
				}
			}
			least, most = min(least, mine), max(most, mine)
			if n <= mailbox.Turns && late == 0 {
				t.Errorf("%d members: %d does not read yesterday's drop", n, own)
			}
		}
		if len(turns) != 3*mailbox.Turns || most > least+1 {
			t.Errorf("%d members: %d turns, %d to %d each", n, len(turns), least, most)
		}
		for turn, times := range turns {
			if times != 1 {
				t.Errorf("%d members: turn %s %d times", n, turn, times)
			}
		}
	}
}
