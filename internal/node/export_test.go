package node

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"

	"kith/internal/chain"
	"kith/internal/group"
	"kith/internal/link"
	"kith/internal/mls"
	"kith/internal/store"
	"kith/internal/wire"
)

// SetAnswerBurst sets how many bytes a device is given at once of what it asks for.
func (n *Node) SetAnswerBurst(bytes uint64) { n.given.burst = bytes }

// Sighted has a node hear on the local network that another device is at an address.
func (n *Node) Sighted(by *Node, at link.Address) {
	s := link.Sighting{Address: at, Nonce: [16]byte(wire.Random(16))}
	s.Mac = by.lanMac(s.Nonce)
	n.sighted(s)
}

// MaxSightings is how many announcements are remembered.
const MaxSightings = maxSightings

// Sightings is how many are.
func (n *Node) Sightings() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.sightings)
}

// Places is at how many addresses a person's devices are dialled.
func (n *Node) Places(of wire.PersonID) (count int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, t := range n.targets {
		if t.to.Member.Person == of {
			count += len(t.hosts)
		}
	}
	return count
}

// Heard returns where on the local network a node takes another device to be.
func (n *Node) Heard(of wire.DeviceID) link.Address {
	n.mu.Lock()
	defer n.mu.Unlock()
	if t := n.targets[of]; t != nil {
		return t.lan
	}
	return link.Address{}
}

// Remembered publishes so many messages of so many bytes and returns how many
// events, and bytes of content, can still be caught up on.
func Remembered(messages, size int) (events, bytes int) {
	h := newHub()
	for range messages {
		h.publish(MessageChanged{Message{Content: group.Content{Body: make([]byte, size)}}})
	}
	list, _, _ := h.since(h.last - uint64(len(h.recent)))
	for _, e := range list {
		bytes += contentSize(e.Change)
	}
	return len(list), bytes
}

// Described returns of how many members of a group last-resort key packages are
// stored (docs/spec/sync.md, "People": the proof, then the packages).
func (n *Node) Described(g wire.GroupID) (count int) {
	err := n.db.Load(g, []group.Kind{group.KindPerson}, func(rec group.Record) error {
		r := wire.NewReader(rec.Value)
		r.Vec(wire.MaxVector)
		if len(r.Vec(wire.MaxVector)) > 0 {
			count++
		}
		return r.Done()
	})
	if err != nil {
		return 0
	}
	return count
}

// Draw makes the picture of a chain.
func Draw(b *chain.Blocks, title func(wire.Digest) string, settled Settler) map[wire.BlockHash]*Drawn {
	return draw(b, b.Head(), title, settled)
}

// Suite is the suite of a chat's keys.
func (n *Node) Suite(g wire.GroupID) (mls.Suite, error) {
	o, err := n.in(g)
	if err != nil {
		return 0, err
	}
	return o.picture.Load().view.Suite, nil
}

// CreateGroupOf makes a group of another suite, as programs before this one did.
func (n *Node) CreateGroupOf(suite mls.Suite, title string, people []wire.PersonID) (g wire.GroupID, err error) {
	err = n.withNewcomers(people, suite, func(newcomers []group.Newcomer, take []edit) error {
		m, eff, err := group.Create(n.me(), group.CreateParams{Title: title, Newcomers: newcomers, Suite: suite}, n.nowMS())
		if err != nil {
			return err
		}
		g = m.Group()
		return n.adopt(m, eff, also{edits: take})
	})
	return g, err
}

// Incidents is what people hear of a step of a machine that told events.
func Incidents(m *group.Machine, events []group.Event) []Incident {
	o := &owner{n: new(Node), id: m.Group(), machine: m}
	return o.incidents(events)
}

// Standing is what there is against whom in the group of a machine.
func Standing(m *group.Machine) []Incident {
	o := &owner{n: new(Node), id: m.Group(), machine: m}
	return o.standing(m.Conflict())
}

// Drawing is how the blocks of a machine are drawn.
func Drawing(m *group.Machine) map[wire.BlockHash]*Drawn {
	return draw(m.Blocks(), m.Head(), m.InfoText, newLedger(m))
}

// OpenCrossed opens the direct chat with somebody who was asked, as if they had
// asked too.
func (n *Node) OpenCrossed(p wire.PersonID) error {
	_, err := n.updateFriend(p, func(f *friend) (bool, error) {
		f.State, f.Opener = FriendFriend, true
		return true, nil
	})
	if err != nil {
		return err
	}
	return n.openDirect(p)
}

// MetAt are the devices that a friend was met at.
func (n *Node) MetAt(p wire.PersonID) (list []wire.DeviceID) {
	for _, d := range n.friendCopy(p).Devices {
		list = append(list, d.id())
	}
	return list
}

// Keys counts the devices of a member.
func (n *Node) Keys(g wire.GroupID, p wire.PersonID) int {
	for _, m := range n.owner(g).picture.Load().view.Members {
		if m.Person == p {
			return len(m.Devices)
		}
	}
	return 0
}

// InAnew reports whether the device that this home has now has keys for a chat.
func (n *Node) InAnew(g wire.GroupID) (in bool) {
	o := n.owner(g)
	_ = o.ask(func() error {
		v := o.machine.View()
		in = o.machine.Device() == n.me().Device.ID() && v.Inside && !v.NoKeys
		return nil
	})
	return in
}

// Heal takes a new device key, as at a sign of a copy.
func (n *Node) Heal() error { return n.heal(n.me().Device.ID()) }

// Base returns what an entry of a chat names: when the chat began, in ms, and its newest block.
func (n *Node) Base(g wire.GroupID) (createdAt uint64, head wire.BlockHash) {
	o := n.owner(g)
	_ = o.ask(func() error {
		createdAt, head = o.machine.Blocks().Header(o.machine.Chain()[0]).CreatedAt, o.machine.Head()
		return nil
	})
	return createdAt, head
}

// HasMetAnew takes note that a device knows the key there is now.
func (n *Node) HasMetAnew(d wire.DeviceID) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.met[d] = true
}

// KnocksAs returns with which own device a device is dialled first.
func (n *Node) KnocksAs(d wire.DeviceID) wire.DeviceID {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.knockAs(d, 1).ID()
}

// TreeNeighbours is with how many devices a node exchanges a group's entries along the
// tree.
func (n *Node) TreeNeighbours(g wire.GroupID) (count int) {
	o := n.owner(g)
	_ = o.ask(func() error {
		if o.cast != nil {
			count = len(o.cast.tree.Neighbours())
		}
		return nil
	})
	return count
}

// Stand is how it stands in a chat, in a line: the blocks, whose devices it has, and what is held.
func (n *Node) Stand(g wire.GroupID) (line string) {
	o := n.owner(g)
	if o == nil {
		return "unknown"
	}
	_ = o.ask(func() error {
		m := o.machine
		v := m.View()
		line = fmt.Sprintf("own %.8s head %.8s status %d inside %v nokeys %v replaced %v;", n.me().Device.ID(), m.Head(), v.Status, v.Inside, v.NoKeys, v.Replaced)
		for _, hash := range m.Chain() {
			h := m.Blocks().Header(hash)
			line += fmt.Sprintf(" %.4s(", hash)
			for _, op := range h.Ops {
				line += fmt.Sprintf("%T ", op)[len("*chain."):]
			}
			line += fmt.Sprintf("by %.4s)", h.Author.Device)
		}
		line += fmt.Sprintf(" missing %d missed %d", v.Missing, v.Missed)
		return nil
	})
	return line
}

// TellsTrue reports whether the own person chain names the last-resort packages that
// friends are told of, and how many those are.
func (n *Node) TellsTrue() (bool, int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return namesAll(n.self.Headers, n.self.Device, n.resorts), len(n.resorts)
}

// Unopened returns the chats whose machines are not made yet, in the order of their turns.
func (n *Node) Unopened() (list []wire.GroupID) {
	for _, o := range n.unopened() {
		list = append(list, o.id)
	}
	return list
}

// Snapshot copies the home as it is on the disk, as a crash would leave it. Nothing is written meanwhile.
func (n *Node) Snapshot(to string) error {
	return n.db.Update(func(*store.Tx) error {
		return errors.Join(os.CopyFS(to, os.DirFS(n.cfg.Home)), os.Chmod(filepath.Join(to, KeyFile), 0o600))
	})
}

// Sketched has a field of each kind that a sketch may have.
type Sketched struct {
	Yes     bool
	Small   uint8
	Large   uint64
	Signed  int
	Text    string
	Bytes   []byte
	ID      [3]byte
	List    []uint16
	Pointer *struct{ N int8 }
	Nil     *uint32
}

// MarshalSketched and ParseSketched are the codec of sketches.
func MarshalSketched(v Sketched) []byte { return appendValue(nil, reflect.ValueOf(v)) }

func ParseSketched(b []byte) (v Sketched, err error) {
	rest, err := readValue(b, reflect.ValueOf(&v).Elem())
	if len(rest) > 0 {
		err = errSketch
	}
	return v, err
}

// HangUp ends the sessions there are.
func (n *Node) HangUp() {
	for _, s := range n.liveSessions() {
		s.Close(errReplaced)
	}
}

// Pause returns the last back-off of dialling a device, in ms.
func (n *Node) Pause(d wire.DeviceID) uint64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.targets[d].wait
}

// PathAgain reads a message of the path channel and writes it again; nil if it is of a newer program.
func PathAgain(b []byte) ([]byte, error) {
	m, err := parsePath(b)
	if err != nil || m == nil {
		return nil, err
	}
	return m.bytes(), nil
}

// LinkHosts are the places that a contact link names, of those of an address.
var LinkHosts = linkHosts

// Hold keeps a chat's goroutine from going on until release is called; waiting says how many
// inputs wait for it.
func (n *Node) Hold(g wire.GroupID) (waiting func() int, release func()) {
	o, held, over := n.owner(g), make(chan struct{}), make(chan struct{})
	o.post(func() {
		close(held)
		<-over
	})
	<-held
	return func() int { return len(o.inbox) }, func() { close(over) }
}
