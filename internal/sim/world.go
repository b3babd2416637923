package sim

import (
	"bytes"
	"container/heap"
	"fmt"
	"math/rand/v2"
	"slices"

	"kith/internal/chain"
	"kith/internal/dag"
	"kith/internal/group"
	"kith/internal/identity"
	"kith/internal/wire"
)

// Start is the virtual time at which a world begins, in ms.
const Start uint64 = 1_700_000_000_000

// A World is some nodes, the sessions between them and what is under way.
type World struct {
	Rand  *rand.Rand
	Now   uint64 // ms
	Nodes []*Node
	Delay func() uint64 // ms, of the next frame
	Trace []string      // what happened, for a failing run

	queue  events
	serial int
	cut    map[[2]int]bool
}

// New returns an empty world; the same seed plays the same run.
func New(seed uint64) *World {
	r := rand.New(rand.NewPCG(seed, 0))
	return &World{Rand: r, Now: Start, cut: make(map[[2]int]bool), Delay: func() uint64 { return 1 + r.Uint64N(40) }}
}

// An event is a function at a time; of two at one time the earlier made runs first.
type event struct {
	at     uint64
	serial int
	run    func()
}

type events []event

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	return e[i].at < e[j].at || e[i].at == e[j].at && e[i].serial < e[j].serial
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	last := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return last
}

func (w *World) after(ms uint64, run func()) {
	w.serial++
	heap.Push(&w.queue, event{w.Now + ms, w.serial, run})
}

// Step runs the next event; false if there is none.
func (w *World) Step() bool {
	if len(w.queue) == 0 {
		return false
	}
	e := heap.Pop(&w.queue).(event)
	w.Now = max(w.Now, e.at)
	e.run()
	return true
}

// Run lets ms of virtual time pass.
func (w *World) Run(ms uint64) {
	end := w.Now + ms
	for len(w.queue) > 0 && w.queue[0].at <= end {
		w.Step()
	}
	w.Now = end
}

func (w *World) tracef(format string, args ...any) {
	w.Trace = append(w.Trace, fmt.Sprintf("%8d ", w.Now-Start)+fmt.Sprintf(format, args...))
}

// A Node is one person with one device.
type Node struct {
	Name   string
	Self   group.Self
	World  *World
	Online bool
	Clock  int64 // ms that its clock is off
	Groups map[wire.GroupID]*Replica
	Sent   [][]byte // every payload handed to a link

	index    int
	life     int // counts starts: what an earlier life had under way is void
	packages map[[32]byte]group.Package
}

// A Replica is one group at one node: the machine, and what it wrote.
type Replica struct {
	Machine *group.Machine
	Records map[group.Kind]map[string][]byte
	Rows    map[group.Place]group.Row
	Events  []group.Event

	wake int // serial of the newest wake
}

// Add makes a node that is online.
func (w *World) Add(name string) *Node {
	device := identity.NewDevice()
	recovery, err := identity.ParsePhrase(identity.NewPhrase())
	if err != nil {
		panic(err)
	}
	self, eff, err := group.NewPerson(group.NewPersonParams{
		Device: device, Name: name,
		Recovery: chain.RecoveryKeys{Key: [32]byte(recovery.RecoveryKey()), Sealing: [chain.KnockKeySize]byte(recovery.SealingKey())},
	}, w.Now)
	if err != nil {
		panic(err)
	}
	_ = eff
	n := &Node{
		Name: name, Self: self, World: w, Online: true, index: len(w.Nodes),
		Groups: make(map[wire.GroupID]*Replica), packages: make(map[[32]byte]group.Package),
	}
	w.Nodes = append(w.Nodes, n)
	return n
}

// Node returns the node of that name.
func (w *World) Node(name string) *Node {
	i := slices.IndexFunc(w.Nodes, func(n *Node) bool { return n.Name == name })
	return w.Nodes[i]
}

func pair(a, b *Node) [2]int { return [2]int{min(a.index, b.index), max(a.index, b.index)} }

// Linked reports whether a session between two nodes is up.
func (w *World) Linked(a, b *Node) bool {
	return a != b && a.Online && b.Online && !w.cut[pair(a, b)]
}

// Cut ends the session between two nodes until Heal.
func (w *World) Cut(a, b *Node) {
	if w.cut[pair(a, b)] {
		return
	}
	up := w.Linked(a, b)
	w.cut[pair(a, b)] = true
	w.tracef("cut %s %s", a.Name, b.Name)
	if up {
		a.down(b)
		b.down(a)
	}
}

// Heal lets a session between two nodes be again.
func (w *World) Heal(a, b *Node) {
	if !w.cut[pair(a, b)] {
		return
	}
	delete(w.cut, pair(a, b))
	w.tracef("heal %s %s", a.Name, b.Name)
	if w.Linked(a, b) {
		a.up(b)
		b.up(a)
	}
}

// Stop takes a node off; what it had sent may still arrive.
func (n *Node) Stop() {
	if !n.Online {
		return
	}
	n.World.tracef("stop %s", n.Name)
	for _, o := range n.World.Nodes {
		if n.World.Linked(n, o) {
			o.down(n)
		}
	}
	n.Online = false
	n.life++
}

// Start loads a node from its records.
func (n *Node) Start() {
	if n.Online {
		return
	}
	n.World.tracef("start %s", n.Name)
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
	r.Machine = m
	n.step(g, group.Tick{})
}

func (r *Replica) source(k group.Kind, each func(group.Record) error) error {
	keys := make([]string, 0, len(r.Records[k]))
	for key := range r.Records[k] {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		if err := each(group.Record{Kind: k, Key: []byte(key), Value: r.Records[k][key]}); err != nil {
			return err
		}
	}
	return nil
}

func (n *Node) groups() (list []wire.GroupID) {
	for g := range n.Groups {
		list = append(list, g)
	}
	slices.SortFunc(list, func(a, b wire.GroupID) int { return bytes.Compare(a[:], b[:]) })
	return list
}

func (n *Node) up(o *Node) {
	for _, g := range n.groups() {
		n.step(g, group.PeerUp{Peer: o.Self.Member()})
	}
}

func (n *Node) down(o *Node) {
	for _, g := range n.groups() {
		n.step(g, group.PeerDown{Device: o.Self.Device.ID()})
	}
}

func (n *Node) now() uint64 { return uint64(int64(n.World.Now) + n.Clock) }

// step drives one machine as package node does; a refusal is returned.
func (n *Node) step(g wire.GroupID, c group.Cause) error {
	r := n.Groups[g]
	eff, err := r.Machine.Step(group.Input{Now: n.now(), Cause: c})
	if err != nil {
		return err
	}
	n.apply(g, eff)
	return nil
}

// apply commits effects, then sends.
func (n *Node) apply(g wire.GroupID, eff group.Effects) {
	r := n.Groups[g]
	r.commit(eff)
	for _, ref := range eff.Used {
		delete(n.packages, [32]byte(ref))
	}
	r.Events = append(r.Events, eff.Notify...)
	for _, f := range eff.Send {
		n.send(g, f.To, f.Payload)
	}
	for _, s := range eff.Serve {
		var entries []group.Packed
		for _, ref := range s.Refs {
			key := string(group.EntryKey(ref))
			entries = append(entries, group.Packed{Header: r.Records[group.KindEntry][key], Ciphertext: r.Records[group.KindCipher][key]})
		}
		for _, p := range group.Batches(entries) {
			n.send(g, s.To, p)
		}
	}
	if eff.Wake != 0 {
		n.wakeAt(g, eff.Wake)
	}
}

func (n *Node) wakeAt(g wire.GroupID, at uint64) {
	r, life := n.Groups[g], n.life
	r.wake++
	wake := r.wake
	wait := uint64(1)
	if at > n.now() {
		wait = at - n.now()
	}
	n.World.after(wait, func() {
		if n.Online && n.life == life && r.wake == wake {
			n.step(g, group.Tick{})
		}
	})
}

// send delivers a payload after a delay, in order for each pair, if the session
// is still up then.
func (n *Node) send(g wire.GroupID, to wire.DeviceID, payload []byte) {
	w := n.World
	i := slices.IndexFunc(w.Nodes, func(o *Node) bool { return o.Self.Device.ID() == to })
	if i < 0 || !w.Linked(n, w.Nodes[i]) {
		return
	}
	o := w.Nodes[i]
	n.Sent = append(n.Sent, payload)
	lives := [2]int{n.life, o.life}
	w.after(w.Delay(), func() {
		if w.Linked(n, o) && lives == [2]int{n.life, o.life} {
			o.receive(g, n, payload)
		}
	})
}

func (n *Node) receive(g wire.GroupID, from *Node, payload []byte) {
	r := n.Groups[g]
	if group.IsInvitation(payload) && (r == nil || gone(r.Machine.Status())) {
		n.join(g, from, payload)
		return
	}
	if r != nil {
		n.step(g, group.Received{From: from.Self.Member(), Payload: payload})
	}
}

func gone(s group.Status) bool {
	return s == group.StatusRemoved || s == group.StatusLeft || s == group.StatusDeclined
}

func (n *Node) join(g wire.GroupID, from *Node, payload []byte) {
	m, eff, err := group.Join(n.Self, payload, from.Self.Member(), func(ref []byte) ([]byte, bool) {
		p, ok := n.packages[[32]byte(ref)]
		return p.Secrets, ok
	}, n.now())
	if err != nil {
		n.World.tracef("%s refuses an invitation: %v", n.Name, err)
		return
	}
	r := n.Groups[g]
	if r == nil {
		r = newReplica()
		n.Groups[g] = r
	}
	r.Machine = m
	n.World.tracef("%s is invited by %s", n.Name, from.Name)
	n.apply(g, eff)
	for _, o := range n.World.Nodes {
		if n.World.Linked(n, o) {
			n.step(g, group.PeerUp{Peer: o.Self.Member()})
		}
	}
}

func newReplica() *Replica {
	return &Replica{Records: make(map[group.Kind]map[string][]byte), Rows: make(map[group.Place]group.Row)}
}

// commit writes effects as the store does.
func (r *Replica) commit(eff group.Effects) {
	for _, rec := range eff.Write {
		t := r.Records[rec.Kind]
		if t == nil {
			t = make(map[string][]byte)
			r.Records[rec.Kind] = t
		}
		switch {
		case rec.Value != nil:
			t[string(rec.Key)] = rec.Value
		case rec.Kind == group.KindRatchet && len(rec.Key) == 32:
			for key := range t {
				if bytes.HasPrefix([]byte(key), rec.Key) {
					delete(t, key)
				}
			}
		default:
			delete(t, string(rec.Key))
		}
	}
	for _, row := range eff.Rows {
		r.putRow(row)
	}
	for _, p := range eff.Checked {
		if row, ok := r.Rows[p]; ok {
			row.Waiting = false
			r.Rows[p] = row
		}
	}
}

func (r *Replica) putRow(row group.Row) {
	for p, old := range r.Rows {
		if p != row.Place && old.Person == row.Person && old.ID == row.ID && old.Commit == row.Commit && row.Commit != (wire.Digest{}) {
			if dag.Less(p, row.Place) {
				return
			}
			delete(r.Rows, p)
		}
	}
	r.Rows[row.Place] = row
}

// Newcomer is what a friend of n holds of it, with a fresh key package.
func (n *Node) Newcomer() group.Newcomer {
	p, err := n.Self.NewPackage(n.now())
	if err != nil {
		panic(err)
	}
	n.packages[p.Ref] = p
	return group.Newcomer{
		Person: n.Self.Person, Headers: n.Self.Headers, Info: n.Self.Info,
		KnockKey: n.Self.Device.KnockKey(), KeyPackage: p.Public,
	}
}

// Create makes a group at n, and returns its id.
func (n *Node) Create(p group.CreateParams) wire.GroupID {
	m, eff, err := group.Create(n.Self, p, n.now())
	if err != nil {
		panic(err)
	}
	g := m.Group()
	r := newReplica()
	r.Machine = m
	n.Groups[g] = r
	n.apply(g, eff)
	for _, o := range n.World.Nodes {
		if n.World.Linked(n, o) {
			n.step(g, group.PeerUp{Peer: o.Self.Member()})
		}
	}
	return g
}

// Do steps n's machine of g and traces it; the machine's refusal is returned.
func (n *Node) Do(g wire.GroupID, c group.Cause) error {
	if n.Groups[g] == nil || !n.Online {
		return fmt.Errorf("sim: %s is not there", n.Name)
	}
	err := n.step(g, c)
	n.World.tracef("%s %T %v", n.Name, c, err)
	return err
}

// Say writes a text.
func (n *Node) Say(g wire.GroupID, text string) error {
	c, err := group.Text(text)
	if err != nil {
		return err
	}
	return n.Do(g, group.Compose{Content: c})
}

// Texts returns what the person of n sees, in the order of display.
func (n *Node) Texts(g wire.GroupID) (list []string) {
	r := n.Groups[g]
	if r == nil {
		return nil
	}
	places := make([]group.Place, 0, len(r.Rows))
	for p := range r.Rows {
		places = append(places, p)
	}
	slices.SortFunc(places, func(a, b group.Place) int {
		if dag.Less(a, b) {
			return -1
		}
		return 1
	})
	for _, p := range places {
		if row := r.Rows[p]; row.State == group.RowShown {
			c, err := group.ParseContent(row.Content)
			if err != nil {
				panic(err)
			}
			list = append(list, string(c.Body))
		}
	}
	return list
}
