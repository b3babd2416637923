package node_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"kith/internal/group"
	"kith/internal/link"
	"kith/internal/node"
	"kith/internal/wire"
)

// Kinds of payloads on a group's channel, and of frames of the tree.
const (
	kindEntries = 4
	kindTree    = 40
	treeGossip  = 3
)

// A meter counts what carries entries in one group.
type meter struct {
	mu     sync.Mutex // guards the rest
	group  wire.GroupID
	tree   int                   // entries along the tree
	direct int                   // entries in frames of the ordinary sync
	to     map[wire.DeviceID]int // frames of the tree
}

func (m *meter) message(to wire.DeviceID, channel [32]byte, payload []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if channel != m.group {
		return
	}
	switch {
	case payload[0] == kindTree:
		m.to[to]++
		if payload[1] == treeGossip {
			m.tree++
		}
	case payload[0] == kindEntries && len(payload) > 500: // header and text of one at least
		m.direct++
	}
}

func (m *meter) begin(g wire.GroupID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.group, m.tree, m.direct, m.to = g, 0, 0, make(map[wire.DeviceID]int)
}

func (m *meter) read() (tree, direct int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.tree, m.direct
}

// memLink is a link in memory at an address that a contact link may carry.
type memLink struct{ link.Link }

func (l memLink) Address() link.Address {
	return link.Address{Peer: l.Link.Address().Peer, Hosts: []string{"/ip4/192.0.2.1/tcp/1"}}
}

// TestLargeGroupAlongTree: 34 nodes in one group, one of which announces no tree. What
// anybody writes reaches all, the 33 along the tree in hardly more copies than
// needed, the other directly; nothing of the tree is ever sent to it.
func TestLargeGroupAlongTree(t *testing.T) {
	if testing.Short() || raceDetector {
		t.Skip("34 nodes: not with -short, and not under the race detector, which has the same in fewer nodes")
	}
	net, counted := link.NewMemNet(), &meter{}
	counted.begin(wire.GroupID{})
	var all []*person
	for i := range 34 {
		name := fmt.Sprintf("p%d", i)
		cfg := node.Config{Home: t.TempDir(), Link: memLink{link.NewMem(net, name)}, NoLAN: true, TapMessage: counted.message}
		if i == 33 {
			cfg.Omits = group.FeatureTree
		}
		all = append(all, startWith(t, name, cfg))
	}
	first, old := all[0], all[33]
	for _, p := range all[1:] {
		befriend(t, first, p)
	}
	var people []wire.PersonID
	for _, p := range all[1:] {
		people = append(people, p.id())
	}
	g, err := first.CreateGroup("Large", people)
	must(t, err)
	for _, p := range all[1:] {
		p.stands(g, group.StatusInvited)
		must(t, p.AcceptGroup(g, false))
	}
	for _, p := range all { // 34 machines have to meet, perhaps on few processors
		p.within(5*time.Minute, "everybody accepted and connected", func() bool {
			if p.accepted(g) < len(all) {
				return false
			}
			for _, o := range all {
				if o != p && !p.connected(g, o) {
					return false
				}
			}
			return true
		})
	}
	for _, p := range all[:33] {
		p.until("the tree is up", func() bool { return p.TreeNeighbours(g) >= 3 })
	}
	counted.begin(g)
	var texts []string
	say := func(p *person) {
		text := "said by " + p.name
		p.say(g, text)
		texts = append(texts, text)
		for _, o := range all {
			o.sees(g, texts...)
		}
	}
	for _, i := range []int{0, 7, 20} { // these shape the tree
		say(all[i])
	}
	oldDevice := old.Status().Device
	counted.mu.Lock()
	if n := counted.to[oldDevice]; n > 0 {
		t.Errorf("%d frames of the tree went to who does not read them", n)
	}
	counted.mu.Unlock()
	counted.begin(g)
	const n = 8
	for i := range n {
		say(all[2+4*i])
	}
	tree, direct := counted.read()
	t.Logf("%d messages for 32 others along the tree: %d copies; %d frames of entries, of which the old one gets %d", n, tree, direct, n)
	if float64(tree) > 1.3*32*n {
		t.Errorf("%d copies of %d messages for 32", tree, n)
	}
	if direct > n+32*n/4 { // pushing to all would be 33*n
		t.Errorf("%d frames of entries beside the tree", direct)
	}
	say(old) // who pushes to everybody, as ever
}
