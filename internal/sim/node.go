package sim

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"kith/internal/group"
	"kith/internal/identity"
	"kith/internal/mls"
	"kith/internal/peer"
	"kith/internal/wire"
)

// A Node is one device of a person.
type Node struct {
	Name   string
	Self   group.Self
	World  *World
	Online bool
	Clock  int64 // ms that its clock is off
	Groups map[wire.GroupID]*Replica
	Sent   []Payload // every payload handed to a link, but in a run

	Refused []error // why invitations were

	// Crash kills the node in its next step that writes something, after CrashIn
	// others.
	Crash   Crash
	CrashIn int

	withholds func(to *Node, kind byte) bool // nil: it sends all that it is to send
	paged     []group.Received               // what came in pages, see checker.asksOpener

	index    int
	sent     int // payloads handed to a link
	life     int // counts starts: what an earlier life had under way is void
	packages map[[32]byte]group.Package
	joining  map[wire.GroupID]*group.Joining
	lost     bool             // it lost its keys at least once
	as       *identity.Device // whose sessions it has after it healed; nil: its own
	recovery *identity.Recovery
	linkedBy *Node // the device that made it one of its person; nil: it is the first
	used     map[[32]byte][]group.Use
	resort   map[mls.Suite]group.Package
}

// A Crash says what of an interrupted step is durable. Nothing of it is sent.
type Crash uint8

// Crashes.
const (
	NoCrash     Crash = iota
	CrashBefore       // the step's effects are lost
	CrashAfter        // they are committed
)

var (
	errCrash   = errors.New("sim: the node crashed")
	errNoGroup = errors.New("sim: the node is not in the group")
)

// crashDown is how long a node that crashed stays off, in ms.
const crashDown = 50

// Stop takes a node off; what it had sent may still arrive.
func (n *Node) Stop() {
	if !n.Online {
		return
	}
	n.World.tracef("stop %s", n.Name)
	n.World.came["stopped"]++
	linked := slices.DeleteFunc(slices.Clone(n.World.Nodes), func(o *Node) bool { return !n.World.Linked(n, o) })
	n.Online = false
	n.life++
	clear(n.joining)
	for _, o := range linked {
		o.down(n)
	}
	if n.World.thrifty != nil {
		n.forget()
	}
}

// Start loads a node from its records.
func (n *Node) Start() {
	if n.Online {
		return
	}
	n.World.tracef("start %s", n.Name)
	n.World.came["started from its records"]++
	n.Online = true
	n.life++
	for _, g := range n.groups() {
		n.reload(g)
	}
	for _, o := range n.World.Nodes {
		if n.World.Linked(n, o) {
			o.up(n)
			n.up(o)
		}
	}
}

func (n *Node) reload(g wire.GroupID) {
	r := n.Groups[g]
	m, err := group.Load(n.Self, r.source)
	if err != nil {
		panic(fmt.Sprintf("%s cannot load its records: %v", n.Name, err))
	}
	r.use(m)
	r.cast = nil
	if n.World.trees {
		m.SpreadByTree()
	}
	n.step(g, group.Tick{})
}

func (n *Node) groups() (list []wire.GroupID) {
	for g := range n.Groups {
		list = append(list, g)
	}
	slices.SortFunc(list, compareGroups)
	return list
}

func compareGroups(a, b wire.GroupID) int { return bytes.Compare(a[:], b[:]) }

func (n *Node) up(o *Node) {
	for _, g := range n.groups() {
		n.step(g, group.PeerUp{Peer: o.member()})
		n.Groups[g].cast.step(peer.PeerUp{Device: o.member().Device})
	}
}

func (n *Node) down(o *Node) {
	for _, g := range n.groups() {
		n.step(g, group.PeerDown{Device: o.member().Device})
		n.Groups[g].cast.step(peer.PeerDown{Device: o.member().Device})
	}
	for _, g := range slices.SortedFunc(maps.Keys(n.joining), compareGroups) {
		n.goOn(g, n.joining[g], n.joining[g].Down(n.now(), o.member().Device))
	}
}

func (n *Node) now() uint64 { return uint64(int64(n.World.Now) + n.Clock) }

// step drives one machine as package node does; a refusal is returned.
func (n *Node) step(g wire.GroupID, c group.Cause) error {
	if !n.Online {
		return errCrash
	}
	r := n.Groups[g]
	eff, err := r.Machine.Step(r.input(n, c))
	if err != nil {
		return err
	}
	return n.apply(g, r, eff)
}

// apply commits effects, then sends.
func (n *Node) apply(g wire.GroupID, r *Replica, eff group.Effects) error {
	if n.Crash != NoCrash && len(eff.Write)+len(eff.Rows) > 0 {
		if n.CrashIn == 0 {
			return n.die(g, r, eff)
		}
		n.CrashIn--
	}
	n.commit(g, r, eff)
	for _, f := range eff.Send {
		n.send(g, f.To, f.Payload)
	}
	for _, s := range eff.Serve {
		for _, p := range r.Answer(s) {
			n.send(g, s.To, p)
		}
	}
	if eff.Wake != 0 {
		n.wakeAt(g, eff.Wake)
	}
	n.told(g, eff)
	if n.World.trees && n.Online {
		n.castOf(g).kept(eff)
	}
	return nil
}

// told looks at a machine after a step that was committed, in every world, and
// hands it to who listens.
func (n *Node) told(g wire.GroupID, eff group.Effects) {
	n.World.steps++
	if n.World.steps%max(1, n.World.every) == 0 {
		if err := n.Groups[g].Machine.CheckInvariants(); err != nil {
			fail("%s: %v", n.Name, err)
		}
		bounded(n, n.Groups[g].Machine)
	}
	if n.World.After != nil {
		n.World.After(n, g, eff)
	}
	for _, e := range eff.Notify {
		if e, ok := e.(group.Repropose); ok {
			n.World.after(1, func() { n.repropose(g, e.People) })
		}
	}
}

// repropose invites people again, as package node does: with fresh key packages.
func (n *Node) repropose(g wire.GroupID, people []wire.PersonID) {
	for _, p := range people {
		i := slices.IndexFunc(n.World.Nodes, func(o *Node) bool { return o.Self.Person == p })
		suite := mls.Suite(head(n.Groups[g].Machine).Suite())
		n.Do(g, group.Invite{Newcomers: []group.Newcomer{n.World.Nodes[i].NewcomerFor(suite)}})
	}
}

func (n *Node) commit(g wire.GroupID, r *Replica, eff group.Effects) {
	n.Groups[g] = r
	r.commit(eff, n.World.thrifty)
	for _, ref := range eff.Void {
		delete(n.packages, ref)
	}
	for _, u := range eff.Used {
		n.used[u.Ref] = append(n.used[u.Ref], u)
	}
	r.Events = append(r.Events, eff.Notify...)
}

// die ends the node in the middle of a step, and starts it again a little later.
func (n *Node) die(g wire.GroupID, r *Replica, eff group.Effects) error {
	n.World.tracef("%s crashes (%d)", n.Name, n.Crash)
	n.World.came["crashed within a step"]++
	if n.Crash == CrashAfter {
		n.commit(g, r, eff)
		n.told(g, group.Effects{Rows: eff.Rows, Checked: eff.Checked, Twice: eff.Twice, Notify: eff.Notify})
	}
	n.Crash = NoCrash
	n.Stop()
	life := n.life
	n.World.after(crashDown, func() {
		if n.life == life {
			n.Start()
		}
	})
	return errCrash
}

func (n *Node) wakeAt(g wire.GroupID, at uint64) {
	r, life := n.Groups[g], n.life
	r.wake++
	wake := r.wake
	wait := uint64(1)
	if at > n.now() {
		wait = at - n.now()
	}
	if wait > 1 {
		r.spins = 0
	}
	n.World.after(wait, func() {
		if n.Online && n.life == life && r.wake == wake {
			if r.spins++; r.spins > maxSpins {
				fail("%s wakes each millisecond for nothing", n.Name)
			}
			n.step(g, group.Tick{})
		}
	})
}

// maxSpins is how often in a row a machine may ask to be woken at once.
const maxSpins = 1000

// send delivers a payload after a delay, in order for each pair, if the session
// is still up then.
func (n *Node) send(g wire.GroupID, to wire.DeviceID, payload []byte) {
	w := n.World
	i := slices.IndexFunc(w.Nodes, func(o *Node) bool { return o.Online && o.member().Device == to })
	if i < 0 || !w.Linked(n, w.Nodes[i]) {
		return
	}
	o := w.Nodes[i]
	if n.withholds != nil && n.withholds(o, payload[0]) {
		return
	}
	p := Payload{From: n, To: o, Group: g, Bytes: payload}
	n.sent++
	w.kinds[payload[0]]++
	if !w.spare {
		n.Sent = append(n.Sent, p)
	}
	place := len(w.History)
	if w.thrifty != nil {
		place = maxHistory
	}
	if place < maxHistory {
		w.History = append(w.History, p)
	}
	lives := [2]int{n.life, o.life}
	way := [2]int{n.index, o.index}
	w.arrive[way] = max(w.arrive[way], w.Now+w.Delay())
	w.after(w.arrive[way]-w.Now, func() {
		if w.Linked(n, o) && lives == [2]int{n.life, o.life} {
			if w.Arrived != nil {
				w.Arrived(p)
			}
			taken := o.receive(g, n, payload) == nil
			if place < maxHistory {
				w.History[place].Taken = taken
			}
		}
	})
}

func (n *Node) receive(g wire.GroupID, from *Node, payload []byte) error {
	if len(payload) > 1 && payload[0] == kindPages && n.World.thrifty == nil {
		n.paged = append(n.paged, group.Received{From: from.member(), Payload: payload})
	}
	if frame := group.TreeFrameIn(payload); frame != nil && n.Groups[g] != nil {
		n.Groups[g].cast.step(peer.Heard{From: from.member().Device, Frame: frame})
		return nil
	}
	if n.Groups[g] != nil {
		return n.step(g, group.Received{From: from.member(), Payload: payload, Secrets: n.secrets})
	}
	if group.IsInvitation(payload) {
		return n.invited(g, from, payload)
	}
	return errNoGroup
}

func gone(s group.Status) bool {
	return s == group.StatusRemoved || s == group.StatusLeft || s == group.StatusDeclined
}

// secrets keeps used packages for the siblings of the blocks they were used for.
func (n *Node) secrets(u group.Use) ([]byte, bool) {
	p, ok := n.packages[u.Ref]
	lastResort := n.resort[p.Suite].Ref == u.Ref
	spent := slices.ContainsFunc(n.used[u.Ref], func(before group.Use) bool { return !u.Follows(before, lastResort) })
	return p.Secrets, ok && !spent
}

// Create makes a group at n, and returns its id.
func (n *Node) Create(p group.CreateParams) wire.GroupID {
	m, eff, err := group.Create(n.Self, p, n.now())
	if err != nil {
		panic(err)
	}
	g := m.Group()
	r := newReplica()
	r.use(m)
	if n.World.trees {
		m.SpreadByTree()
	}
	if n.apply(g, r, eff) == nil {
		n.meet(g)
	}
	return g
}

// Do steps n's machine of g and traces it; the machine's refusal is returned.
func (n *Node) Do(g wire.GroupID, c group.Cause) error {
	if n.Groups[g] == nil || !n.Online {
		return fmt.Errorf("sim: %s is not there", n.Name)
	}
	at := len(n.World.Trace)
	n.World.tracef("%s %s", n.Name, n.World.describe(c))
	err := n.step(g, c)
	if err != nil {
		n.World.Trace[at] += ": " + err.Error()
	} else {
		n.World.came[strings.ToLower(strings.TrimPrefix(fmt.Sprintf("%T", c), "group."))]++
	}
	return err
}

// Withhold makes a node keep back the payloads for which which says so; nil: none.
func (n *Node) Withhold(which func(to *Node, kind byte) bool) { n.withholds = which }

// Say writes a text.
func (n *Node) Say(g wire.GroupID, text string) error {
	c, err := group.Text(text)
	if err != nil {
		return err
	}
	return n.Do(g, group.Compose{Client: said, Content: c})
}

// said is the client id of what nodes say.
const said = "sim"

// Holds reports whether n has the private part of a key package that it made.
func (n *Node) Holds(ref [32]byte) bool {
	_, ok := n.packages[ref]
	return ok
}
