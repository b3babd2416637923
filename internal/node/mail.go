package node

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"kith/internal/group"
	"kith/internal/identity"
	"kith/internal/link"
	"kith/internal/mailbox"
	"kith/internal/peer"
	"kith/internal/store"
	"kith/internal/wire"
)

// What is left in mailboxes for members who are off, and found there. Each group and mailbox has a
// task of its own: it reads what others have left, leaves what this device has said, and then
// waits until either has news (docs/spec/mailbox-drops.md, docs/spec/mailbox.md).

const (
	// mailEach is how often is looked which groups have a mailbox.
	mailEach = 10 * time.Second
	// maxMail bounds the tasks: each holds a connection. Where more are wanted, mailTurns of them are
	// those of others every mailTurn ms.
	maxMail   = 64
	mailTurns = 16
	mailTurn  = 5 * 60 * 1000
	// mailHours is how long what is left is kept there, in hours.
	mailHours = 30 * 24
	// mailSaid and mailHeard are how long what this device has written, and what it has to say of
	// what others wrote, waits for more before it is left.
	mailSaid  = 3 * time.Second
	mailHeard = 45 * time.Second
	// mailMost bounds the entries in one bundle.
	mailMost = 256
	// mailOld is for how long a drop of an epoch that is not the newest is looked at each time;
	// those that are older are looked at once a day.
	mailOld = 3 * 24 * 3600 * 1000
	// mailWait bounds one wait at a mailbox, and mailAgain what follows a failure.
	mailWait  = 30 * time.Minute
	mailFirst = 5 * time.Second
	mailAgain = 10 * time.Minute
	// mailAnew is after how long what others are not known to have is left once more, in ms: a
	// mailbox may have lost it, or never kept it. It takes longer each time, up to mailAnewMost as
	// long: whoever never comes back is not written to each day.
	mailAnew     = 24 * 3600 * 1000
	mailAnewMost = 9
	// mailLimit bounds one conversation with a mailbox but for its wait.
	mailLimit = time.Minute
)

// A mailKey names a task.
type mailKey struct {
	group wire.GroupID
	box   boxID
}

// mailState is what a task keeps over a restart.
type mailState struct {
	Mark []byte            // what was left last, see group.Export
	Word wire.Digest       // that it was of
	Seq  uint64            // up to which own entry all lies there
	Next map[string]int    // of an epoch's block: how many successors were left in its drops
	Read map[string]uint64 // of a drop: up to which position it was read
	Put  map[string]uint64 `json:",omitempty"` // of a drop: the position of this device's newest item
	Days map[string]uint64 // of an epoch's block: the day up to which its drops were read
	Up   uint64            // the day up to which everything was read

	Turns map[string]uint64   `json:",omitempty"` // see mailplan.go
	Queue map[string][][]byte `json:",omitempty"`
	Head  wire.BlockHash      // that the newest of Queue is of
	Full  uint64              `json:",omitempty"` // up to which own entry all lies there once Queue is empty

	Invited map[string]mailInvited `json:",omitempty"` // see mailinvite.go
	Anew    uint64                 `json:",omitempty"` // ms, when all that others lack was left last; 0: they lack nothing
	Told    wire.BlockHash         // the head to which blocks lie in the drops of older epochs
	Times   int                    `json:",omitempty"` // how often it was, without all of them having got it
}

// mailing keeps the tasks until ctx ends.
func (n *Node) mailing(ctx context.Context) {
	if n.cfg.Link != nil {
		return
	}
	running := make(map[mailKey]*mailRun)
	tick := time.NewTicker(mailEach)
	defer tick.Stop()
	look, named := time.NewTicker(namedEach), make(map[*peer.Session]naming)
	defer look.Stop()
	for {
		wanted := n.mailWanted()
		for key, run := range running {
			if box, ok := wanted[key]; !ok || !slices.Equal(box.Hosts, run.box.Hosts) {
				run.end()
			}
			select {
			case <-run.over: // only now may another of the key begin
				run.end()
				delete(running, key)
			default:
			}
		}
		for key, box := range wanted {
			if running[key] == nil {
				task, end := context.WithCancel(ctx)
				run := &mailRun{box, end, make(chan struct{})}
				if !n.spawn(func(context.Context) {
					defer n.mailSoon()
					defer close(run.over)
					n.mailTask(task, key, box)
				}) {
					end()
					return
				}
				running[key] = run
			}
		}
		for again := false; !again; {
			select {
			case <-look.C:
				n.noteNamed(named)
			case <-tick.C:
				again = true
			case <-n.mail:
				again = true
			case <-ctx.Done():
				for _, run := range running {
					run.end()
				}
				return
			}
		}
	}
}

// A mailRun is a task that runs, or is about to end.
type mailRun struct {
	box  identity.Box
	end  context.CancelFunc
	over chan struct{} // closed when it has ended
}

// mailSoon has the tasks looked through.
func (n *Node) mailSoon() {
	select {
	case n.mail <- struct{}{}:
	default:
	}
}

// A mailTask is one group at one mailbox.
type mailTask struct {
	n           *Node
	o           *owner
	key         mailKey
	box         identity.Box
	state       mailState
	parts       gathering
	held        map[string]uint64 // of a drop: from where it is read again after a restart, see save
	before      map[string]uint64 // Put as it was at the start, of drops that were not read since
	told        promise
	news        chan struct{} // this device has something to say, perhaps
	back        chan struct{} // the mailbox answers again
	since       time.Time     // when what was said and is not left yet was first seen; zero: nothing
	inviteAfter time.Time     // when invitations are left again, after a failure
	unsaid      group.Word
	days        map[string][]mailbox.Turn // by drop and members: what is drawn for a day
}

func (n *Node) mailTask(ctx context.Context, key mailKey, box identity.Box) {
	o := n.owner(key.group)
	if o == nil {
		return
	}
	t := &mailTask{n: n, o: o, key: key, box: box, news: make(chan struct{}, 1), back: make(chan struct{}, 1), held: make(map[string]uint64)}
	t.load()
	n.mu.Lock()
	n.mailNews[key] = &mailNews{t.news, t.back, t.state.Seq}
	n.mu.Unlock()
	defer func() {
		n.mu.Lock()
		delete(n.mailNews, key) // no other task of the key has begun: see mailing
		n.mu.Unlock()
	}()
	wait := mailFirst
	for ctx.Err() == nil && n.owner(key.group) == o { // else the chat was forgotten, and is here anew
		began := nowTime()
		err := t.round(ctx)
		if err == nil {
			if nowTime().Sub(began) >= mailFirst { // else whatever was wrong may be wrong yet
				wait = mailFirst
			}
			continue
		}
		if ctx.Err() != nil {
			return
		}
		select {
		case <-t.back: // as it was before it failed
		default:
		}
		n.noteBox(key.box, err)
		n.log.Info("a mailbox is not served", "group", shortGroup(key.group), "err", err)
		t.pause(ctx, wait/2+rand.N(wait))
		wait = min(2*wait, mailAgain)
	}
}

// pause waits; less if the mailbox answers another task meanwhile, or ctx ends.
func (t *mailTask) pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-t.back:
	case <-ctx.Done():
	}
}

// pause waits; less if ctx ends.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// stirMail has the tasks of a group look whether this device has said more.
func (n *Node) stirMail(g wire.GroupID) { n.stirMails(func(of wire.GroupID) bool { return of == g }) }

// stirMails is stirMail of some groups.
func (n *Node) stirMails(of func(wire.GroupID) bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for key, at := range n.mailNews {
		if of(key.group) {
			select {
			case at.news <- struct{}{}:
			default:
			}
		}
	}
}

// round reads, leaves, and waits for news.
func (t *mailTask) round(ctx context.Context) error {
	keys, before, err := t.keys()
	if err != nil || len(keys) == 0 {
		pause(ctx, mailAgain)
		return err
	}
	if s, err := t.n.Settings(); err == nil && s.QuietMail {
		return t.quietRound(ctx, keys)
	}
	if len(t.state.Queue) > 0 { // it waited for turns
		t.state.Queue = nil
		t.leaveAnew()
	}
	if err := t.read(ctx, keys); err != nil {
		return err
	}
	err, t.told = t.told.check(t.state.Read), promise{}
	if err != nil {
		return err
	}
	t.n.noteBox(t.key.box, nil)
	word, err := t.word()
	if err != nil {
		return err
	}
	if word.All == t.state.Word {
		t.state.Seq = word.Seq // a home that has not counted them
		t.showSeq()
	}
	switch due := t.due(word); {
	case word.Head != before.Head: // what was read has led on
		return nil
	case keys[0].Block != word.Head: // no keys of it are here: they come in a session, or by a newer block
		return t.wait(ctx, keys[0], mailWait, word)
	case due == 0:
		return t.leave(ctx, keys, word)
	case due <= mailSaid:
		pause(ctx, due)
		return nil
	default:
		return t.wait(ctx, keys[0], due, word)
	}
}

// due is when to leave what this device has said; 0: now. While all others are connected nothing
// is left.
func (t *mailTask) due(word group.Word) time.Duration {
	if len(t.invitations()) > 0 {
		return 0
	}
	away := t.n.someAway(t.o)
	if away && t.lackingDue(word) || t.state.Told != word.Head && t.n.formerAway(t.o) {
		return 0
	}
	if word.All == t.state.Word || !away {
		t.since = time.Time{}
		return mailWait
	}
	now, wait := nowTime(), mailHeard
	if t.since.IsZero() {
		t.since = now
	}
	if word.Seq != t.unsaid.Seq || word.Head != t.unsaid.Head {
		wait = mailSaid
	}
	return max(0, t.since.Add(wait).Sub(now))
}

// someAway reports whether a member's device has no session with this node.
func (n *Node) someAway(o *owner) bool {
	p, me := o.picture.Load(), n.me()
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.ContainsFunc(p.devices, func(d group.DeviceView) bool {
		return !d.Former && d.Member.Person != me.Person && n.sessions[d.Member.Device] == nil
	})
}

// formerAway reports whether somebody who may be told that they are no member any more has no session
// with this node: what they look at are the drops of the epoch that they were in last.
func (n *Node) formerAway(o *owner) bool {
	p, now := o.picture.Load(), n.nowMS()
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.ContainsFunc(p.devices, func(d group.DeviceView) bool {
		return d.Former && d.Until > now && n.sessions[d.Member.Device] == nil
	})
}

func (t *mailTask) word() (word group.Word, err error) {
	err = t.o.ask(func() error { word = t.o.machine.Word(); return nil })
	return word, err
}

// dial connects by a link of its own, which takes no connections.
func (t *mailTask) dial(ctx context.Context) (*mailbox.Client, error) {
	return mailbox.Dial(ctx, func() (link.Link, error) {
		return link.NewDirect(link.DirectConfig{Allow: func(netip.Addr) bool { return false }, Write: t.n.cfg.Tap, Log: t.n.log})
	}, t.box)
}

// load reads what the task kept.
func (t *mailTask) load() {
	_ = t.n.db.View(func(tx *store.Tx) error {
		_, err := getJSON(tx, bucketMail, t.id(), &t.state)
		return err
	})
	for _, m := range []*map[string]uint64{&t.state.Read, &t.state.Days} {
		if *m == nil {
			*m = make(map[string]uint64)
		}
	}
	if t.state.Next == nil {
		t.state.Next = make(map[string]int)
	}
	if t.state.Put == nil {
		t.state.Put = make(map[string]uint64)
	}
	t.before = maps.Clone(t.state.Put)
}

func (t *mailTask) save() error {
	kept := t.state
	kept.Read = maps.Clone(t.state.Read)
	for name, at := range t.held { // items of a bundle that is not whole are read again
		if _, ok := kept.Read[name]; ok {
			kept.Read[name] = at
		}
	}
	b, err := json.Marshal(kept)
	if err != nil {
		return err
	}
	err = t.n.db.Update(func(tx *store.Tx) error {
		if t.n.owner(t.key.group) != t.o {
			return nil // the chat was deleted meanwhile, with this
		}
		return tx.Put(bucketMail, t.id(), b)
	})
	if err == nil {
		t.showSeq()
	}
	return storeErrorOr(err)
}

func (t *mailTask) id() []byte { return append(bytes.Clone(t.key.group[:]), t.key.box[:]...) }

func storeErrorOr(err error) error {
	if err != nil {
		return storeError(err)
	}
	return nil
}
