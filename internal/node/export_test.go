package node

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"

	"kith/internal/chain"
	"kith/internal/group"
	"kith/internal/identity"
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

// Hello is what a node says of itself to a friend.
func Hello(peer []byte, hosts []string, able bool, left uint8) []byte {
	return hello{peer: peer, hosts: hosts, able: able, left: left}.bytes()
}

// HelloHolding is Hello of a program that says what it holds of a friend's chain.
func HelloHolding(peer []byte, hosts []string, left uint8) []byte {
	return hello{peer, hosts, true, true, left}.bytes()
}

// Holding is how a node says what it holds of a friend's chain.
func Holding(info []byte, headers, resorts [][]byte) []byte {
	return personNews{info: info, headers: headers, resorts: resorts}.holding().bytes()
}

// PersonNewsSince is how a node tells what follows a header of its person chain.
func PersonNewsSince(after wire.BlockHash, info []byte, headers, resorts [][]byte) []byte {
	return personNews{info, after, headers, resorts}.bytes()
}

// OwnNews is what the node tells of its person.
func (n *Node) OwnNews() (info []byte, headers, resorts [][]byte) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.self.Info, n.self.Headers, n.resorts
}

// Packages is how key packages are given.
func Packages(list ...[]byte) []byte { return packages(list).bytes() }

// RecodeOwn parses what a friend says and encodes it again.
func RecodeOwn(b []byte) ([]byte, error) {
	said, err := parseOwn(b)
	if err != nil {
		return nil, err
	}
	return said.bytes(), nil
}

// Draw makes the picture of a chain.
func Draw(b *chain.Blocks, title func(wire.Digest) string, settled Settler) map[wire.BlockHash]*Drawn {
	return draw(b, b.Head(), title, settled)
}

// Newest is what is kept of a friend's key packages.
func Newest(list [][]byte) [][]byte { return newest(list) }

// ForgetPackages loses what is kept of somebody's key packages.
func (n *Node) ForgetPackages(p wire.PersonID) error {
	_, err := n.updateFriend(p, func(f *friend) (bool, error) {
		f.Packages = nil
		return true, nil
	})
	return err
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

// PersonNews is how a node tells of its person chain.
func PersonNews(info []byte, headers, resorts [][]byte) []byte {
	return personNews{info: info, headers: headers, resorts: resorts}.bytes()
}

// Kept is what is kept of a friend's person chain, and of its last-resort key
// packages.
func (n *Node) Kept(p wire.PersonID) (headers, resorts [][]byte) {
	f := n.friendCopy(p)
	card, _ := f.card()
	return f.headers(card), f.Resorts
}

// Chain is the own person chain.
func (n *Node) Chain() [][]byte { return n.me().Headers }

// RenewAt does what the node does now and then, at a time in ms.
func (n *Node) RenewAt(now uint64) { n.renewOwn(now) }

// RenewNow renews the last-resort packages before it is time.
func (n *Node) RenewNow() error {
	n.renewing.Lock()
	defer n.renewing.Unlock()
	m, err := n.loadPerson()
	if err != nil {
		return err
	}
	return n.publishResorts(m, n.nowMS())
}

// Secrets returns the private parts of own key packages as they are stored: those
// that were not used, those that were, and those of last resorts.
func (n *Node) Secrets() (fresh, spent, resorts []string) {
	_ = n.db.View(func(tx *store.Tx) error {
		all, err := tx.List(bucketPackage, nil)
		for _, item := range all {
			var own ownPackage
			if err := json.Unmarshal(item.Value, &own); err != nil {
				return err
			}
			text := base64.StdEncoding.EncodeToString(own.Secrets)
			switch {
			case own.LastResort:
				resorts = append(resorts, text)
			case own.Spent != nil:
				spent = append(spent, text)
			default:
				fresh = append(fresh, text)
			}
		}
		return err
	})
	return fresh, spent, resorts
}

// CardHeaders is what of a person chain a card shows.
func CardHeaders(headers [][]byte) [][]byte { return cardHeaders(headers) }

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

// MetAt is the device that a friend is met at.
func (n *Node) MetAt(p wire.PersonID) wire.DeviceID {
	known, _ := n.friendCopy(p).known()
	return known.Member.Device
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

// LearnFork has this node, which has healed, learn of the history that another copy of
// it would have made of the same chain, and reports whether that one counts.
func (n *Node) LearnFork(before [][]byte) (counts bool, err error) {
	self, other := n.me(), n.me()
	other.Device = identity.NewDevice()
	if other.Headers, err = group.AdmitDevice(before, self.Former[0], other.Device, n.nowMS()); err != nil {
		return false, err
	}
	_, theirs, err := namedResorts(other, n.nowMS())
	if err != nil {
		return false, err
	}
	if err := n.learnPerson(theirs); err != nil {
		return false, err
	}
	now := n.Chain()
	return len(now) > len(theirs) && same(now[:len(theirs)], theirs), nil
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
