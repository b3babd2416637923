package chain

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"kith/internal/wire"
)

// A walk is a group in a bad network: blocks fork, voters change, messages come
// late, twice, never and in any order, devices restart, and as many voters lie
// as there may.
type walk struct {
	rng   *rand.Rand
	scene *scene
	nodes []*walker // by person
	liars map[int]bool
	cast  []*Vote
	now   uint64
}

type walker struct {
	person  int
	blocks  *Blocks
	votes   *Votes
	voter   *Voter
	settled *node // of the scene
}

func newWalk(seed uint64) *walk {
	rng := rand.New(rand.NewPCG(seed, 2))
	n := 1 + rng.IntN(6)
	w := &walk{rng: rng, scene: play("G:" + "0123456"[:n]), liars: map[int]bool{}}
	if Faults(n) > 0 {
		w.liars[rng.IntN(n)] = true
	}
	for i := range scenePeople {
		if !w.liars[i] {
			d := &walker{person: i, blocks: w.scene.only("G"), voter: &Voter{Device: sceneDevice(i)}, settled: w.scene.by["G"]}
			d.restart(nil)
			w.nodes = append(w.nodes, d)
		}
	}
	return w
}

// restart starts a device anew with the votes it had stored.
func (d *walker) restart(stored []*Vote) {
	d.votes = NewVotes(d.blocks)
	d.votes.off = ruleSignature
	if err := offer(d.votes, stored); err != nil {
		panic(err)
	}
	d.voter = &Voter{Device: d.voter.Device, Last: d.voter.Last}
}

// grow adds a block on what some device takes for its head, or below it; one in
// five changes the voters.
func (w *walk) grow() {
	d := w.nodes[w.rng.IntN(len(w.nodes))]
	parent := w.scene.blocks.by[d.votes.Head()]
	for back := w.rng.IntN(3); back > 0 && parent.parent != nil; back-- {
		parent = parent.parent
	}
	digits, changes := "", w.rng.IntN(5) == 0
	if changes {
		digits = w.replaced(parent.State)
	}
	name := fmt.Sprint("b", len(w.scene.order))
	w.scene.add(name, parent, digits, changes)
	w.hear(d, w.scene.by[name])
}

// replaced returns the electorate with one honest voter replaced.
func (w *walk) replaced(s *State) string {
	var in []byte
	for i := range scenePeople {
		if slices.Contains(s.electorate, scenePerson(i)) {
			in = append(in, byte('0'+i))
		}
	}
	fresh := byte('0' + w.rng.IntN(scenePeople))
	at := w.rng.IntN(len(in))
	if !slices.Contains(in, fresh) && !w.liars[int(in[at]-'0')] {
		in[at] = fresh
	}
	slices.Sort(in)
	return string(in)
}

func (w *walk) hear(d *walker, n *node) {
	if n == nil || d.blocks.Has(n.Hash) {
		return
	}
	w.hear(d, n.parent)
	if err := d.blocks.Add(n.Header, nil, n.State); err != nil {
		panic(err)
	}
}

// take lets a device hear a vote; what it cannot judge yet is lost.
func (d *walker) take(v *Vote) error {
	_, err := d.votes.Add(v)
	if errors.As(err, new(*MissingError)) || errors.As(err, new(*EarlyError)) {
		return nil
	}
	return err
}

func (w *walk) decide(d *walker) error {
	v := d.voter.Decide(d.votes, w.now).Vote
	if v == nil {
		return nil
	}
	ok, err := d.votes.Add(v)
	if err != nil || !ok {
		return fmt.Errorf("own vote: %v, %w", ok, err)
	}
	d.voter.Last = v
	w.cast = append(w.cast, v)
	return nil
}

// lie casts a vote that is valid in the eyes of some device and otherwise drawn.
func (w *walk) lie() {
	d := w.nodes[w.rng.IntN(len(w.nodes))]
	e := d.votes.current()
	for i := range w.liars {
		v := &Vote{Group: wire.GroupID(w.scene.blocks.Genesis()), Device: sceneDevice(i), Seq: uint64(1 + w.rng.IntN(9)), Era: e.start.Hash, Round: e.reached() + uint64(w.rng.IntN(3))}
		block := w.scene.by[w.scene.order[w.rng.IntN(len(w.scene.order))]]
		if !below(w.scene.blocks.by[e.start.Hash], block) {
			return
		}
		v.Block, v.Source.Block = block.Hash, e.start.Hash
		if v.Round > 1 && w.rng.IntN(3) > 0 {
			back := block.State.height - e.start.State.height
			v.Source = Source{v.Round - 1, block.at(block.State.height - uint64(w.rng.IntN(int(back)+1))).Hash}
		}
		if v.Round > 0 {
			w.cast = append(w.cast, v)
		}
	}
}

func (w *walk) step() error {
	d := w.nodes[w.rng.IntN(len(w.nodes))]
	switch w.rng.IntN(12) {
	case 0:
		if len(w.scene.order) < 24 {
			w.grow()
		}
	case 1, 2:
		w.hear(d, w.scene.by[w.scene.order[w.rng.IntN(len(w.scene.order))]])
	case 3:
		w.lie()
	case 4:
		d.restart(d.votes.All())
	case 5, 6:
		w.now += uint64(w.rng.IntN(MaxDwell))
		return w.decide(d)
	default:
		if len(w.cast) > 0 {
			d.takeSome(w.cast[w.rng.IntN(len(w.cast))])
		}
	}
	return nil
}

// takeSome ignores refusals: a liar may have said what is invalid.
func (d *walker) takeSome(v *Vote) { _ = d.take(v) }

// check holds what must hold after every step.
func (w *walk) check() error {
	for i, d := range w.nodes {
		y := w.scene.blocks.by[d.votes.Settled()]
		if !below(d.settled, y) {
			return fmt.Errorf("%d went from settled %s to %s", d.person, w.scene.names[d.settled], w.scene.names[y])
		}
		d.settled = y
		if head := w.scene.blocks.by[d.votes.Head()]; !below(y, head) {
			return fmt.Errorf("%d has the head %s beside settled %s", d.person, w.scene.names[head], w.scene.names[y])
		}
		for _, o := range w.nodes[:i] {
			if !below(o.settled, y) && !below(y, o.settled) {
				return fmt.Errorf("%d settled %s and %d %s", d.person, w.scene.names[y], o.person, w.scene.names[o.settled])
			}
		}
		if d.votes.Conflict() != nil {
			return fmt.Errorf("%d sees a conflict", d.person)
		}
	}
	return nil
}

// whisper lets the liars vote once more, heard at first by some only.
func (w *walk) whisper() {
	before := len(w.cast)
	w.lie()
	for _, v := range w.cast[before:] {
		for _, d := range w.nodes {
			if w.rng.IntN(2) == 0 {
				d.takeSome(v)
			}
		}
	}
}

// heal lets everybody hear everything until nothing changes, and returns in how
// many rounds of one era at most the head was settled.
func (w *walk) heal(lying bool) (most uint64, err error) {
	first := map[wire.BlockHash]uint64{}
	for range 200 {
		for changed := true; changed; {
			changed = false
			for _, d := range w.nodes {
				for _, name := range w.scene.order {
					w.hear(d, w.scene.by[name])
				}
				for _, v := range w.cast {
					ok, _ := d.votes.Add(v)
					changed = changed || ok
				}
			}
		}
		if err := w.check(); err != nil {
			return 0, err
		}
		v := w.nodes[0].votes
		if v.Settled() == v.Head() {
			return most, nil
		}
		if _, ok := first[v.Era()]; !ok {
			first[v.Era()] = v.Round()
		}
		if most = max(most, v.Round()-first[v.Era()]); most > healRounds {
			return most, fmt.Errorf("not settled %d rounds after healing", healRounds)
		}
		if lying {
			w.whisper()
		}
		w.now += FirstDwell / 2
		for _, d := range w.nodes {
			if wait := d.voter.Decide(d.votes, w.now).Wait; wait > MaxDwell {
				w.now += MaxDwell / 4
			}
			if err := w.decide(d); err != nil {
				return most, err
			}
		}
		w.now += MaxDwell / 4
	}
	return most, errors.New("not settled after 200 turns")
}

func TestSettlementWalks(t *testing.T) {
	const usual = 150
	settled, eras, most := uint64(0), 0, uint64(0)
	n := draws(t, usual)
	for seed := range uint64(n) {
		w := newWalk(seed)
		for i := range 400 {
			err := w.step()
			if err == nil {
				err = w.check()
			}
			if err != nil {
				t.Fatalf("seed %d, step %d: %v", seed, i, err)
			}
		}
		took, err := w.heal(seed%2 == 0)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if err := w.shuffled(); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		v := w.nodes[0].votes
		settled += w.scene.blocks.by[v.Settled()].State.height
		eras += len(v.path) - 1
		most = max(most, took)
	}
	t.Logf("%d walks: %d blocks settled, %d changes of voters among them; healed within %d rounds", n, settled, eras, most)
	if settled == 0 || eras == 0 {
		t.Error("the walks settle too little")
	}
}

// shuffled takes all votes in again, in other orders: the same comes of it.
func (w *walk) shuffled() error {
	want := ""
	for range 3 {
		v := NewVotes(w.scene.blocks)
		v.off = ruleSignature
		w.rng.Shuffle(len(w.cast), func(i, j int) { w.cast[i], w.cast[j] = w.cast[j], w.cast[i] })
		for changed := true; changed; {
			changed = false
			for _, vote := range w.cast {
				ok, _ := v.Add(vote)
				changed = changed || ok
			}
		}
		got := fmt.Sprint(v.Settled(), v.Certificate(), v.Head(), v.Round())
		for _, vote := range v.All() {
			got += fmt.Sprintf(" %x", vote.Marshal())
		}
		got += fmt.Sprintf(" %x", v.Settlement().Marshal())
		if want == "" {
			want = got
		}
		if got != want {
			return errors.New("another order of votes says something else")
		}
		all, err := v.Settlement().verify(w.scene.blocks, v.off)
		if err != nil || all != v.Settled() {
			return fmt.Errorf("the settlement shows %s, not %s: %w", w.scene.name(all), w.scene.name(v.Settled()), err)
		}
	}
	return nil
}
