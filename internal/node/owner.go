package node

import (
	"context"
	"crypto/ed25519"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"kith/internal/chain"
	"kith/internal/group"
	"kith/internal/peer"
	"kith/internal/store"
	"kith/internal/wire"
)

// inboxSize is how many inputs of one group may wait; then a session is not
// read further, so that its peer slows down.
const inboxSize = 64

// An owner is the goroutine that owns one group's machine.
type owner struct {
	n       *Node
	id      wire.GroupID
	inbox   chan input
	deleted chan struct{} // closed when the chat is forgotten
	forget  sync.Once     // closes deleted
	ended   chan struct{} // closed when the goroutine is over
	started bool          // guarded by n.mu: there is, or was, a goroutine
	opened  bool          // guarded by n.mu: there is a machine, see opening.go

	turn    chan struct{} // closed when it is its turn to make its machine
	hurried sync.Once     // closes asked
	asked   chan struct{} // closed when somebody waits for the machine
	runs    chan struct{} // closed when the machine has made its first step

	// Touched by the goroutine alone, and before it starts.
	machine *group.Machine  // nil until it is made
	batch   []group.Effects // of what peers sent, which is not written yet, see batch.go
	wake    *time.Timer

	sketched   bool        // what is stored as a sketch is how the machine stands
	sketchWake *time.Timer // when it is stored again,
	sketchNext time.Time   // which is not before that

	cast     *cast // in a large group; see broadcast.go
	castWake *time.Timer
	ahead    bool // the machine holds what was not written
	split    lastSplit
	still    bool   // too few voters are left, see standstill
	moaned   uint64 // see complain
	apart    int64  // ms between the two clocks at the last step,
	timed    bool   // if there was one

	picture atomic.Pointer[picture]
}

// A picture is a machine as it stood after its last step; it never changes.
type picture struct {
	view    group.View
	devices []group.DeviceView
	waiting int                      // own messages that nobody else has
	seq     uint64                   // of the newest own entry; 0: not known yet
	waits   time.Time                // since when the newest of them does
	trouble *chain.Conflict          // two blocks were settled that exclude each other
	lost    map[wire.BlockHash]bool  // blocks that are not on the head's chain
	names   map[wire.PersonID]string // of everybody ever admitted, where known
	alike   *alike
	reach   reach

	keyed sync.Once
	keys  map[wire.DeviceID]ed25519.PublicKey // of devices, see keyOf
}

// keyOf returns the key of a device of somebody who is or was a member; nil if it is not known.
func (p *picture) keyOf(d wire.DeviceID) ed25519.PublicKey {
	p.keyed.Do(func() {
		p.keys = make(map[wire.DeviceID]ed25519.PublicKey, len(p.devices))
		for _, d := range p.devices {
			p.keys[d.Member.Device] = ed25519.PublicKey(d.Key[:])
		}
	})
	return p.keys[d]
}

func (n *Node) newOwner(m *group.Machine) *owner {
	o := n.bareOwner(m.Group())
	o.opened = true
	o.use(m)
	return o
}

func (n *Node) bareOwner(g wire.GroupID) *owner {
	return &owner{
		n: n, id: g,
		inbox: make(chan input, inboxSize), deleted: make(chan struct{}), ended: make(chan struct{}),
		turn: make(chan struct{}), asked: make(chan struct{}), runs: make(chan struct{}),
		wake: time.NewTimer(time.Hour), castWake: time.NewTimer(time.Hour), sketchWake: time.NewTimer(sketchAfter),
	}
}

// use takes a machine that was just made.
func (o *owner) use(m *group.Machine) {
	o.machine = m
	m.SpreadByTree()
	o.draw()
	o.lookForSplit()
	o.still = o.standstill()
}

func (o *owner) draw() {
	p := &picture{
		view: o.machine.View(), devices: o.machine.Devices(), waiting: o.machine.Unreached(), seq: o.machine.OwnSeq(), trouble: o.machine.Conflict(),
		names: make(map[wire.PersonID]string), lost: make(map[wire.BlockHash]bool),
	}
	for _, hash := range o.machine.Lost() {
		p.lost[hash] = true
	}
	for _, who := range o.machine.Everyone() {
		p.names[who] = o.machine.Name(who)
	}
	before := o.picture.Load()
	p.alike, p.reach = alikeAmong(p.names, before), o.newestReach()
	more := false
	if before != nil { // else nobody saw them being written
		p.waits, more = before.waits, p.waiting > before.waiting
	}
	if more {
		p.waits = time.Now()
	}
	o.picture.Store(p)
	if more {
		o.n.stirAttention()
	}
}

// run takes inputs until the node stops or the chat is deleted.
func (o *owner) run(ctx context.Context) {
	defer close(o.ended)
	if !o.open(ctx) {
		return
	}
	o.sortRows()
	o.keepAhead()
	o.step(o.lastRead())
	o.noteSlashed()
	close(o.runs)
	for {
		select {
		case <-o.deleted: // what still waits must not bring the chat back
			return
		default:
		}
		select {
		case in := <-o.inbox:
			o.take(in)
		case <-o.wake.C:
			o.step(group.Tick{})
		case <-o.castWake.C:
			o.castStep(peer.Tick{})
		case <-o.sketchWake.C:
			o.keepSketch()
		case <-o.deleted:
			return
		case <-ctx.Done():
			o.keepSketch()
			return
		}
	}
}

// post has do run by the owner's goroutine, and waits for a place in the inbox.
func (o *owner) post(do func()) bool { return o.put(input{do: do}) }

func (o *owner) put(in input) bool {
	if !o.n.awaitRun() {
		return false
	}
	select {
	case o.inbox <- in:
		return true
	case <-o.deleted:
	case <-o.n.stopping:
	}
	return false
}

// ask runs do in the owner's goroutine and waits for it. After ask has returned,
// do has either run to its end or never will: what it writes to is the caller's
// again.
func (o *owner) ask(do func() error) error {
	o.hurry()
	done := make(chan error, 1)
	if !o.post(func() { done <- do() }) {
		return o.gone()
	}
	select {
	case err := <-done:
		return err
	case <-o.ended:
	case <-o.n.stopping:
		o.n.mu.Lock()
		runs := o.started
		o.n.mu.Unlock()
		if runs {
			<-o.ended
		}
	}
	select {
	case err := <-done:
		return err
	default:
		return o.gone()
	}
}

// gone says why an owner takes nothing any more.
func (o *owner) gone() error {
	if o.n.isDamaged(o.id) {
		return fail(ReasonUnknown, o.id.String())
	}
	return fail(ReasonStopping, "")
}

// do steps the machine with c and waits until it is durable.
func (o *owner) do(c group.Cause) error {
	return o.ask(func() error { return o.step(c) })
}

func (o *owner) step(c group.Cause) error { return o.stepAlso(c, also{}) }

// also is what is written in one transaction with effects.
type also struct {
	edits []edit
	write func(*store.Tx) error // nil: nothing
}

// stepAlso steps the machine, and writes more in the same transaction.
func (o *owner) stepAlso(c group.Cause, with also) error {
	if o.ahead && !o.reload() {
		return &group.Refusal{Reason: group.ReasonStored}
	}
	if forOthers(c) && o.n.shutOut(o.id) {
		return fail(ReasonRevoked, "")
	}
	eff, err := o.machine.Step(o.input(c))
	if err != nil {
		return err
	}
	return o.apply([]group.Effects{eff}, with)
}

// input is what a machine takes now, with by how much the clock was set since the last.
func (o *owner) input(c group.Cause) group.Input {
	in := group.Input{Now: o.n.nowMS(), Cause: c}
	apart := int64(in.Now) - int64(o.n.steadyMS())
	if jump := apart - o.apart; o.timed && max(jump, -jump) > jumpLeast.Milliseconds() {
		in.Jump = jump
	}
	o.apart, o.timed = apart, true
	return in
}

// reload makes the machine again from what is durable, after a step that was not
// written. It has lost what it knew of the sessions, so they are ended: each
// comes back and begins with a digest. A machine that does not load takes no more
// steps until it does.
func (o *owner) reload() bool {
	o.setWake(o.n.nowMS() + 1000)
	m, err := o.n.loadMachine(o.id)
	o.ahead = err != nil
	if err != nil {
		o.n.log.Error("cannot load", "group", shortGroup(o.id), "err", err)
		return false
	}
	o.machine = m
	o.waitForSketch() // whoever had it loaded anew may have written records
	m.SetRead(o.lastRead())
	m.SpreadByTree()
	for _, s := range o.n.liveSessions() {
		s.Close(errReloaded)
	}
	o.draw()
	return true
}

var errReloaded = errors.New("node: a group was loaded anew")

func (o *owner) setWake(at uint64) {
	o.wake.Stop()
	if at == 0 {
		return
	}
	wait := time.Millisecond
	if now := o.n.nowMS(); at > now {
		wait = time.Duration(at-now) * time.Millisecond
	}
	o.wake.Reset(wait)
}

func (o *owner) answer(s group.Serve) ([][]byte, error) {
	read := func(k group.Kind, key []byte) ([]byte, error) {
		value, _, err := o.n.db.Get(o.id, k, key)
		return value, err
	}
	if s.Earlier {
		return s.AnswerEarlier(read, func(t group.Target) ([]byte, error) { return o.n.db.Content(o.id, t) })
	}
	return s.Answer(read)
}
