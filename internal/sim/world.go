package sim

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"slices"

	"kith/internal/chain"
	"kith/internal/group"
	"kith/internal/identity"
	"kith/internal/mls"
	"kith/internal/wire"
)

// Start is the virtual time at which a world begins, in ms.
const Start uint64 = 1_700_000_000_000

// maxHistory bounds the payloads that stay to be replayed.
const maxHistory = 4_000

// A World is some nodes, the sessions between them and what is under way.
type World struct {
	Rand    *rand.Rand
	Now     uint64 // ms
	Nodes   []*Node
	Delay   func() uint64 // ms, of the next frame
	Trace   []string      // what happened, for a failing run
	History []Payload     // what was sent, oldest first

	// After, if set, is told of every step whose effects were committed.
	After func(*Node, wire.GroupID, group.Effects)
	// Arrived, if set, is told of every payload that a node receives.
	Arrived func(Payload)

	spare   bool    // nodes keep nothing of what they send: a long run would be all that
	trees   bool    // large groups have a broadcast tree
	thrifty *thrift // nil: each node has its own of everything
	every   int     // how many steps go by between two looks at invariants and bounds; 0: none
	steps   int
	tally   Tally          // of a run that ended well
	kinds   [256]int       // payloads handed to a link, by their first byte
	came    map[string]int // how often what happened
	people  []person       // who is to come, made before; made when they come if there are none
	queue   events
	serial  int
	cut     map[[2]int]bool
	arrive  map[[2]int]uint64 // from, to: when the newest frame on that way arrives
}

// A Payload is one frame on its way.
type Payload struct {
	From, To *Node
	Group    wire.GroupID
	Bytes    []byte
	Taken    bool // it arrived, and what the receiver made of it is durable
}

// New returns an empty world; the same seed plays the same run.
func New(seed uint64) *World {
	r := rand.New(rand.NewPCG(seed, 0))
	return &World{
		Rand: r, Now: Start, Delay: func() uint64 { return 1 + r.Uint64N(40) },
		cut: make(map[[2]int]bool), arrive: make(map[[2]int]uint64), came: make(map[string]int),
	}
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

// Add makes a node that is online.
func (w *World) Add(name string) *Node {
	var p person
	if len(w.people) > 0 {
		p, w.people = w.people[0], w.people[1:]
	} else {
		p = newPerson(name, w.Now)
	}
	n := w.enter(name, p.self)
	n.recovery = p.recovery
	return n
}

// A person is somebody with one device, who is in no world yet.
type person struct {
	self     group.Self
	recovery *identity.Recovery
}

func newPerson(name string, now uint64) person {
	device := identity.NewDevice()
	recovery, err := identity.ParsePhrase(identity.NewPhrase())
	if err != nil {
		panic(err)
	}
	self, _, err := group.NewPerson(group.NewPersonParams{
		Device: device, Name: name,
		Recovery: chain.RecoveryKeys{Key: [32]byte(recovery.RecoveryKey()), Sealing: [chain.KnockKeySize]byte(recovery.SealingKey())},
	}, now)
	if err != nil {
		panic(err)
	}
	return person{self, recovery}
}

// enter makes the node of a device.
func (w *World) enter(name string, self group.Self) *Node {
	n := &Node{
		Name: name, Self: self, World: w, Online: true, index: len(w.Nodes),
		Groups: make(map[wire.GroupID]*Replica), packages: make(map[[32]byte]group.Package), used: make(map[[32]byte][]group.Use),
		resort: make(map[mls.Suite]group.Package), joining: make(map[wire.GroupID]*group.Joining),
	}
	w.Nodes = append(w.Nodes, n)
	for _, o := range w.Nodes {
		if w.Linked(n, o) {
			o.up(n)
		}
	}
	return n
}

// Node returns the node of that name.
func (w *World) Node(name string) *Node {
	i := slices.IndexFunc(w.Nodes, func(n *Node) bool { return n.Name == name })
	return w.Nodes[i]
}

// name returns the name of a person, for traces.
func (w *World) name(p wire.PersonID) string {
	for _, n := range w.Nodes {
		if n.Self.Person == p {
			return n.Name
		}
	}
	return "nobody"
}

func (w *World) device(d wire.DeviceID) string {
	if n := w.byDevice(d); n != nil {
		return n.Name
	}
	return "nothing"
}

// byDevice returns the node of a device; nil: there is none.
func (w *World) byDevice(d wire.DeviceID) *Node {
	for _, n := range w.Nodes {
		if n.Self.Device.ID() == d {
			return n
		}
	}
	return nil
}

func pair(a, b *Node) [2]int { return [2]int{min(a.index, b.index), max(a.index, b.index)} }

// Linked reports whether a session between two nodes is up.
func (w *World) Linked(a, b *Node) bool {
	return a != b && a.Online && b.Online && !w.cut[pair(a, b)]
}

// Cut ends the session between two nodes until Heal.
func (w *World) Cut(a, b *Node) {
	if a == b || w.cut[pair(a, b)] {
		return
	}
	up := w.Linked(a, b)
	w.cut[pair(a, b)] = true
	w.tracef("cut %s %s", a.Name, b.Name)
	w.came["cut"]++
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
	w.came["healed"]++
	if w.Linked(a, b) {
		a.up(b)
		b.up(a)
	}
}

// HealAll lets every session be again.
func (w *World) HealAll() {
	for i, a := range w.Nodes {
		for _, b := range w.Nodes[:i] {
			w.Heal(b, a)
		}
	}
}

// Part cuts every session between two nodes of which only one is in side.
func (w *World) Part(side func(*Node) bool) {
	for i, a := range w.Nodes {
		for _, b := range w.Nodes[:i] {
			if side(a) != side(b) {
				w.Cut(b, a)
			}
		}
	}
}

// Deliver hands a payload to a node at once, as if from said it now; it is lost
// without a session.
func (w *World) Deliver(from, to *Node, g wire.GroupID, payload []byte) {
	if w.Linked(from, to) {
		to.receive(g, from, payload)
	}
}
