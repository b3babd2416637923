package peer

import (
	"bytes"
	"math/rand/v2"
	"slices"

	"kith/internal/wire"
)

// A Tree carries new payloads through a large group: each device passes a
// payload on to a few neighbours, and few get it twice. The neighbours are a
// partial view (HyParView), the way through them is a tree with spare edges
// (Plumtree); docs/spec/broadcast.md has the frames and the rules,
// docs/adr/0022-broadcast-tree.md what was left out of the two and why.
//
// It is pure: no clock, no goroutine, no I/O. It knows ids and sizes; what a payload is,
// and whether it is genuine, its owner knows. It is not safe for several goroutines
// at once.
//
// An edge between two neighbours:
//
//	asked ── yes ──> eager ── a second copy came by it: prune ──> lazy
//	                   ^────── a payload was lacking: graft ──────┘
//
// and is gone by a leave, or with the session. Each end marks it for itself; where the
// marks differ, a second copy or a missing one sets that right.
type Tree struct {
	self    wire.DeviceID
	random  *rand.Rand
	members []wire.DeviceID // ascending; the owner's, never changed here
	now     uint64          // ms, of the newest input

	// The view.
	peers   map[wire.DeviceID]*contact // with which a session is up
	near    []wire.DeviceID            // the neighbours among them, ascending
	pending map[wire.DeviceID]uint64   // ms; who was asked or is being dialled, until when that is waited for
	shunned map[wire.DeviceID]uint64   // ms; who is not asked until then
	learnt  []wire.DeviceID            // whom neighbours say to be online
	sampled bool                       // the last candidate was drawn from all members
	refill  pause
	evicted uint64 // ms; when a neighbour last made room for an urgent one
	shuffle uint64 // ms; when the next shuffle is due
	resting uint64 // ms; how much rarer shuffles are, since they teach nothing

	// The payloads.
	seen     map[PayloadID]*post
	order    []PayloadID // of seen, a ring: the oldest is at next once it is full
	next     int
	wants    map[PayloadID]*want
	newsDue  uint64        // ms; when the lazy announcements go; 0: there are none
	parent   wire.DeviceID // the last that pushed a new payload
	repaired int           // payloads in a row that had to be asked for, without a word of the parent
	orphaned bool          // an eager neighbour was lost since the last one that came by itself
	lag      lag           // by which payloads come after their announcement
}

// PayloadID names a payload: the owner sees to it that it is bound to the bytes.
type PayloadID [32]byte

// A contact is a device with which a session is up. Its zero value is one that is
// no neighbour.
type contact struct {
	neighbour bool
	own       bool        // this device chose it
	eager     bool        // payloads are pushed to it
	news      []PayloadID // to be announced to it
	promises  int         // payloads that it was the first to announce, and that are not here yet
	broken    int         // promises in a row that it did not keep
	words     allowance   // frames that carry no new payload
	repairs   allowance   // bytes of payloads that it asks for
	shuffled  uint64      // ms; when a shuffle of its was last taken
	pruned    uint64      // ms; when it was last told to push no more
	parted    uint64      // ms; when it was last told that it is no neighbour
}

// A post is a payload that is here.
type post struct {
	state  Verdict         // 0: its owner has not said yet
	size   int             // bytes
	from   wire.DeviceID   // who brought it
	asked  []wire.DeviceID // who had been asked for it
	pulled bool            // it came from one of those
}

// A want is a payload that others announced and that is not here.
type want struct {
	from  []wire.DeviceID // who announced it, in order
	tried []wire.DeviceID // who was asked in this round
	asked []wire.DeviceID // who ever was
	since uint64          // ms; when it was first announced
	due   uint64          // ms; when the next is asked
	now   wire.DeviceID   // whose answer is awaited; zero: nobody's
	round int
}

// Input is one thing that happens to a Tree.
type Input struct {
	Now   uint64 // ms, this device's clock
	Cause Cause
}

// A Cause says what happened.
type Cause interface{ cause() }

type (
	// Tick: time has come, see Effects.Wake.
	Tick struct{}
	// Members: these devices take part from now on, this one among them; none: the
	// tree is not in use. They ascend, and the slice is not changed any more.
	Members struct{ Devices []wire.DeviceID }
	// PeerUp: a session with a device is up.
	PeerUp struct{ Device wire.DeviceID }
	// PeerDown: that session is gone.
	PeerDown struct{ Device wire.DeviceID }
	// Heard: a device sent a frame of the tree's.
	Heard struct {
		From  wire.DeviceID
		Frame []byte
	}
	// Publish: this device made a payload.
	Publish struct {
		ID   PayloadID
		Size int
	}
	// Came: a payload is here that did not come by the tree. It is given to who asks
	// for it, and not announced.
	Came struct {
		ID   PayloadID
		Size int
	}
	// Checked answers a [Delivery].
	Checked struct {
		ID      PayloadID
		Verdict Verdict
	}
)

func (Tick) cause()     {}
func (Members) cause()  {}
func (PeerUp) cause()   {}
func (PeerDown) cause() {}
func (Heard) cause()    {}
func (Publish) cause()  {}
func (Came) cause()     {}
func (Checked) cause()  {}

// Verdict is what its owner makes of a payload that came.
type Verdict uint8

// Verdicts.
const (
	VerdictHeld  Verdict = 1 // it is genuine, and stored: it is passed on
	VerdictLater Verdict = 2 // nothing can be said of it yet; it is not passed on, nor asked for again
	VerdictFalse Verdict = 3 // it is not what its id names: who brought it lied
	VerdictBare  Verdict = 4 // the text that this device is to have is not in it; others may give it whole
)

// Effects is what is to be done about an input.
type Effects struct {
	Send       []Frame
	Connect    []wire.DeviceID // a session with them is wanted
	Disconnect []wire.DeviceID // the tree needs no session with them any more
	Deliver    []Delivery      // to be answered by Checked
	Wake       uint64          // ms; when to step with Tick next; zero: never
}

// A Frame goes to a device.
type Frame struct {
	To    wire.DeviceID
	Bytes []byte
	// Payload, where not nil, names the payload that its owner puts behind Bytes; if it
	// has none for that device, the frame is not sent.
	Payload *PayloadID
}

// A Delivery is a payload that is new here.
type Delivery struct {
	ID      PayloadID
	From    wire.DeviceID
	Payload []byte
}

// NewTree returns the tree of one group at a device. The seed is random: nobody
// else can tell whom it draws.
func NewTree(self wire.DeviceID, seed [32]byte) *Tree {
	return &Tree{
		self: self, random: rand.New(rand.NewChaCha8(seed)),
		peers: make(map[wire.DeviceID]*contact), pending: make(map[wire.DeviceID]uint64), shunned: make(map[wire.DeviceID]uint64),
		seen: make(map[PayloadID]*post), wants: make(map[PayloadID]*want),
	}
}

// Step takes one input and returns what is to be done about it.
func (t *Tree) Step(in Input) Effects {
	var eff Effects
	t.clock(in.Now)
	switch c := in.Cause.(type) {
	case Tick:
	case Members:
		t.setMembers(c.Devices, &eff)
	case PeerUp:
		t.peerUp(c.Device, &eff)
	case PeerDown:
		t.peerDown(c.Device)
	case Heard:
		t.heard(c, &eff)
	case Publish:
		t.publish(c, &eff)
	case Came:
		t.came(c)
	case Checked:
		t.checked(c, &eff)
	}
	t.runWants(&eff)
	t.announceNews(&eff)
	t.runView(&eff)
	eff.Wake = t.wake()
	return eff
}

// Neighbours returns the devices that this one exchanges payloads with, and of
// each whether they are pushed to it.
func (t *Tree) Neighbours() map[wire.DeviceID]bool {
	list := make(map[wire.DeviceID]bool, len(t.near))
	for _, d := range t.near {
		list[d] = t.peers[d].eager
	}
	return list
}

// heard takes a frame from a device with which a session is up. A frame that does not
// parse, or comes from no member, is passed over: its owner judges sessions.
func (t *Tree) heard(h Heard, eff *Effects) {
	c := t.peers[h.From]
	if c == nil || !t.isMember(h.From) {
		return
	}
	f, err := parseTreeFrame(h.Frame)
	if err != nil {
		return
	}
	if g, ok := f.(gossipFrame); ok {
		t.onGossip(h.From, c, g, eff)
		return
	}
	if !t.allows(h.From, c, eff) {
		return
	}
	switch f := f.(type) {
	case neighbourFrame:
		t.onNeighbour(h.From, c, f, eff)
	case shuffleFrame:
		t.onShuffle(h.From, c, f, eff)
	case haveFrame:
		t.onHave(h.From, c, f, eff)
	case graftFrame:
		t.onGraft(h.From, c, f, eff)
	case pruneFrame:
		c.eager = false
	}
}

// allows counts a frame that brings nothing new. Who sends too many is no neighbour
// for a while.
func (t *Tree) allows(d wire.DeviceID, c *contact, eff *Effects) bool {
	if c.words.take(t.now, 1, wordRate, wordBurst) {
		return true
	}
	t.banish(d, c, eff)
	return false
}

// clock moves all times with a clock that was set back, or what is due by the old
// one would be only when the old time has come again.
func (t *Tree) clock(now uint64) {
	if now < t.now {
		by := t.now - now
		back := func(at *uint64) {
			if *at != 0 {
				*at = max(*at, by+1) - by
			}
		}
		for _, at := range []*uint64{&t.evicted, &t.shuffle, &t.newsDue, &t.refill.due} {
			back(at)
		}
		for _, list := range []map[wire.DeviceID]uint64{t.pending, t.shunned} {
			for d, at := range list {
				back(&at)
				list[d] = at
			}
		}
		for _, w := range t.wants {
			back(&w.since)
			back(&w.due)
		}
		for _, c := range t.peers {
			for _, at := range []*uint64{&c.words.at, &c.repairs.at, &c.shuffled, &c.pruned, &c.parted} {
				back(at)
			}
		}
	}
	t.now = now
}

// wake returns when something is due next.
func (t *Tree) wake() uint64 {
	var next uint64
	at := func(due uint64) {
		if due != 0 && (next == 0 || due < next) {
			next = due
		}
	}
	at(t.newsDue)
	for _, w := range t.wants {
		at(w.due)
	}
	if len(t.members) > 1 {
		at(t.refill.due)
		if len(t.near) > 0 {
			at(t.shuffle)
		}
		for _, due := range t.pending {
			at(due)
		}
	}
	if next != 0 {
		next = max(next, t.now+1)
	}
	return next
}

func compareDevice(a, b wire.DeviceID) int { return bytes.Compare(a[:], b[:]) }

func (t *Tree) isMember(d wire.DeviceID) bool {
	_, found := slices.BinarySearchFunc(t.members, d, compareDevice)
	return found && d != t.self
}

// An allowance fills at a rate per second up to a burst. It is full at first.
type allowance struct {
	spent float64
	at    uint64 // ms
}

// take takes n, unless that is more than there is.
func (a *allowance) take(now uint64, n, rate, burst float64) bool {
	if now > a.at {
		a.spent = max(0, a.spent-float64(now-a.at)/1000*rate)
		a.at = now
	}
	if a.spent+n > burst {
		return false
	}
	a.spent += n
	return true
}
