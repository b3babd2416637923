package sim

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/cryptotest"

	"kith/internal/dag"
	"kith/internal/group"
	"kith/internal/wire"
)

// A Crowd is a large group of whom few are there at a time: sessions of one length
// follow each other in a few slots, and all members take their turns in one order, again
// and again. Messages are said by who is there.
type Crowd struct {
	Members  int
	Online   int    // at a time; all of them: nobody ever goes
	Session  uint64 // ms
	Length   uint64 // ms
	Talk     uint64 // ms of them, the first, in which messages are said
	Messages int
	Every    int // how many steps go by between two looks at the invariants; 0: all are looked at
}

// joinTime is how long the founder and one newcomer have for its coming in, in ms, and
// settleCrowd how long all have, who stay, before the first of them speaks.
const (
	joinTime    = 6_000
	settleCrowd = 1_200_000
	crowdHour   = 3_600_000 // after which a run says how far it is
)

// A Spread is what a run of a crowd shows.
type Spread struct {
	Said  int
	Marks []Mark // the shares at times after a message was said
	End   Mark   // when the length was over

	// Ideal is when everybody had everything that could have it by who met whom, and
	// Ours when everybody really had, in ms since the beginning; 0: never.
	Ideal, Ours uint64
	OneOrder    bool // all show the same texts in one order

	Sessions int
	Entries  uint64          // bytes of all entries
	Received map[byte]uint64 // bytes that arrived, by kind of payload
	Digests  int             // most that one step sent
}

// A Mark is the mean share of members that have a message, some time after it was said.
type Mark struct {
	After       uint64 // ms
	Ours, Ideal float64
}

// Copies is how many bytes arrived for each byte of an entry that a member is to have.
func (s Spread) Copies(members int) float64 {
	all := uint64(0)
	for _, n := range s.Received {
		all += n
	}
	return float64(all) / float64(uint64(members)*s.Entries)
}

// A crowdRun is a crowd under way.
type crowdRun struct {
	*World
	Crowd
	g     wire.GroupID
	begun uint64
	order []int // in which members take their turns
	next  int
	slots []int // who is there

	said  []uint64         // when each message was
	index map[string]int   // of a message by its text
	ours  [][]uint64       // by message and member: since when it is shown; 0: not
	ideal [][]uint64       // likewise, as fast as who met whom allows
	met   map[int]struct{} // messages that those who are there have, ideally
	out   Spread
}

// PlayCrowd plays a crowd of a seed.
func PlayCrowd(t *testing.T, seed uint64, c Crowd) Spread {
	t.Helper()
	cryptotest.SetGlobalRandom(t, seed)
	w := New(seed)
	w.spare, w.thrifty, w.every, w.trees = true, newThrift(), c.Every, true
	r := &crowdRun{World: w, Crowd: c, index: make(map[string]int), met: make(map[int]struct{})}
	r.out.Received = make(map[byte]uint64)
	r.gather(t)
	r.begun = w.Now
	w.After, w.Arrived = r.shown, func(p Payload) { r.out.Received[p.Bytes[0]] += uint64(len(p.Bytes)) }
	r.begin()
	r.talk()
	for w.Now < r.begun+c.Length {
		w.Run(min(crowdHour, r.begun+c.Length-w.Now))
		if len(r.said) > 0 {
			m := r.mark(0, func(int) uint64 { return w.Now })
			t.Logf("after %.1f h %d messages are at %.1f %% of the members, at best at %.1f %%", float64(w.Now-r.begun)/crowdHour, len(r.said), 100*m.Ours, 100*m.Ideal)
		}
	}
	r.marks()
	r.finish(t)
	r.orders(t)
	return r.out
}

// gather makes the members and lets them in, one after the other: later ones come in by
// a chain that has grown.
func (r *crowdRun) gather(t *testing.T) {
	const atOnce = 200 // more do not fit into one block
	suite := group.Suites()[len(group.Suites())-1]
	var others []group.Newcomer
	for i := range r.Members {
		n := r.Add(fmt.Sprint("member ", i))
		if i > 0 {
			n.Stop()
			others = append(others, n.NewcomerFor(suite))
		}
	}
	ann := r.Nodes[0]
	first := min(atOnce-1, len(others))
	r.g = ann.Create(group.CreateParams{Title: "Crowd", Newcomers: others[:first], Suite: suite})
	for part := range slices.Chunk(others[first:], atOnce) {
		if err := ann.Do(r.g, group.Invite{Newcomers: part}); err != nil {
			t.Fatal(err)
		}
		r.Run(joinTime)
	}
	for i, n := range r.Nodes[1:] {
		n.Start()
		for n.Groups[r.g] == nil && r.Step() {
		}
		if err := n.Do(r.g, group.Accept{}); err != nil {
			t.Fatalf("member %d: %v", i+1, err)
		}
		r.Run(joinTime)
		if !r.stay() {
			n.Stop()
		}
		r.Trace = nil
		if i%100 == 99 {
			t.Logf("%d have come in", i+1)
		}
	}
	if r.stay() {
		r.Run(settleCrowd)
		return
	}
	ann.Stop()
}

// stay reports whether all are there all the time.
func (r *crowdRun) stay() bool { return r.Online == r.Members }

// begin fills the slots, whose sessions end one after the other.
func (r *crowdRun) begin() {
	r.order = r.Rand.Perm(r.Members)
	if r.stay() {
		r.slots = slices.Clone(r.order)
		return
	}
	for slot := range r.Online {
		r.slots = append(r.slots, -1)
		r.enter(slot)
		r.after(r.Session*uint64(slot+1)/uint64(r.Online), func() { r.turn(slot) })
	}
}

// turn lets the next take the place of who is in a slot.
func (r *crowdRun) turn(slot int) {
	r.Nodes[r.slots[slot]].Stop()
	r.slots[slot] = -1
	r.enter(slot)
	r.after(r.Session, func() { r.turn(slot) })
}

// enter lets the next come who is not there.
func (r *crowdRun) enter(slot int) {
	who := r.draw()
	r.slots[slot] = who
	r.out.Sessions++
	r.Trace = nil
	r.meet(who)
	r.Nodes[who].Start()
}

func (r *crowdRun) draw() int {
	for {
		who := r.order[r.next%r.Members]
		r.next++
		if !slices.Contains(r.slots, who) {
			return who
		}
	}
}

// meet is the ideal epidemic: who comes and who is there have at once what either has.
func (r *crowdRun) meet(who int) {
	for i := range r.said {
		switch _, there := r.met[i]; {
		case there && r.ideal[i][who] == 0:
			r.ideal[i][who] = r.Now
		case !there && r.ideal[i][who] != 0:
			r.met[i] = struct{}{}
			r.spread(i)
		}
	}
}

func (r *crowdRun) spread(message int) {
	for _, who := range r.slots {
		if who >= 0 && r.ideal[message][who] == 0 {
			r.ideal[message][who] = r.Now
		}
	}
}

// talk says the messages at random times, each by somebody who is there.
func (r *crowdRun) talk() {
	for i := range r.Messages {
		each := r.Talk / uint64(r.Messages)
		at := each*uint64(i) + r.Rand.Uint64N(each)
		r.after(r.begun+at-r.Now, func() { r.say(i) })
	}
}

func (r *crowdRun) say(i int) {
	who := r.slots[r.Rand.IntN(len(r.slots))]
	text := fmt.Sprintf("message %d by member %d: %s", i, who, words(r.Rand))
	message := len(r.said)
	r.index[text] = message
	r.said = append(r.said, r.Now)
	r.ours, r.ideal = append(r.ours, make([]uint64, r.Members)), append(r.ideal, make([]uint64, r.Members))
	if err := r.Nodes[who].Say(r.g, text); err != nil {
		fail("member %d cannot write: %v", who, err)
	}
	r.met[message] = struct{}{}
	r.spread(message)
	row := r.Nodes[who].newest(r.g)
	r.out.Entries += uint64(len(r.Nodes[who].Groups[r.g].Records[group.KindEntry][row]) + len(r.Nodes[who].Groups[r.g].Records[group.KindCipher][row]))
}

// words is a text as long as people write.
func words(r *rand.Rand) string { return fmt.Sprintf("%0*d", 20+r.IntN(160), r.Uint32()) }

// newest is the key of the newest entry of n's own.
func (n *Node) newest(g wire.GroupID) string {
	ref := n.Groups[g].Machine.Frontier()[n.Self.Device.ID()]
	return string(group.EntryKey(dag.Ref{Device: n.Self.Device.ID(), Seq: ref.Seq, Hash: ref.Hash}))
}

// shown takes note of what a member sees.
func (r *crowdRun) shown(n *Node, _ wire.GroupID, eff group.Effects) {
	digests := 0
	for _, f := range eff.Send {
		if f.Payload[0] == kindDigest {
			digests++
		}
	}
	r.out.Digests = max(r.out.Digests, digests)
	for _, row := range eff.Rows {
		if row.State != group.RowShown {
			fail("%s sees a message in state %d", n.Name, row.State)
		}
		message, ok := r.index[text(row)]
		switch {
		case !ok:
			fail("%s sees what nobody said", n.Name)
		case r.ours[message][n.index] != 0:
			fail("%s sees message %d twice", n.Name, message)
		}
		r.ours[message][n.index] = r.Now
	}
}

// marks counts who has what by now, and had some times after it was said.
func (r *crowdRun) marks() {
	r.out.Said = len(r.said)
	for _, after := range []uint64{60_000, 600_000, 3_600_000} {
		r.out.Marks = append(r.out.Marks, r.mark(after, func(i int) uint64 { return r.said[i] + after }))
	}
	r.out.End = r.mark(r.Length, func(int) uint64 { return r.Now })
}

// mark is the mean share over the messages for which that time has come.
func (r *crowdRun) mark(after uint64, at func(int) uint64) Mark {
	m := Mark{After: after}
	count := 0
	for i := range r.said {
		if at(i) > r.Now {
			continue
		}
		count += r.Members
		for who := range r.Members {
			if t := r.ours[i][who]; t != 0 && t <= at(i) {
				m.Ours++
			}
			if t := r.ideal[i][who]; t != 0 && t <= at(i) {
				m.Ideal++
			}
		}
	}
	m.Ours, m.Ideal = m.Ours/float64(count), m.Ideal/float64(count)
	return m
}

// finish lets sessions follow each other until everybody has all that could have it, and
// the last of them had its session.
func (r *crowdRun) finish(t *testing.T) {
	for limit := r.Now + 4*uint64(r.Members/r.Online+1)*r.Session; r.Now < limit && !all(r.ideal); {
		r.Run(r.Session)
	}
	r.Run(r.Session)
	if all(r.ideal) {
		r.out.Ideal = r.latest(r.ideal)
	}
	if all(r.ours) {
		r.out.Ours = r.latest(r.ours)
	}
	for i := range r.ours {
		for who, at := range r.ours[i] {
			if at == 0 && r.ideal[i][who] != 0 {
				t.Errorf("member %d has not got message %d, and could have had it %d s ago", who, i, (r.Now-r.ideal[i][who])/1000)
			}
		}
	}
}

func all(since [][]uint64) bool {
	return !slices.ContainsFunc(since, func(by []uint64) bool { return slices.Contains(by, 0) })
}

func (r *crowdRun) latest(since [][]uint64) (ms uint64) {
	for _, by := range since {
		ms = max(ms, slices.Max(by)-r.begun)
	}
	return ms
}

// orders looks whether all show one order.
func (r *crowdRun) orders(t *testing.T) {
	want := r.Nodes[0].Texts(r.g)
	r.out.OneOrder = len(want) == len(r.said)
	for _, n := range r.Nodes {
		if got := n.Texts(r.g); !slices.Equal(got, want) {
			r.out.OneOrder = false
			t.Errorf("%s sees %d messages in another order than %s, who sees %d", n.Name, len(got), r.Nodes[0].Name, len(want))
		}
	}
}
