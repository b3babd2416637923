package node

import (
	"kith/internal/group"
	"kith/internal/mls"
	"kith/internal/wire"
)

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

// Hello is what a node says of itself to a friend.
func Hello(peer []byte, hosts []string, able bool, left uint8) []byte {
	return hello{peer, hosts, able, left}.bytes()
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

// Newest is what is kept of a friend's key packages.
func Newest(list [][]byte) [][]byte { return newest(list) }

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
		m, eff, err := group.Create(n.self, group.CreateParams{Title: title, Newcomers: newcomers, Suite: suite}, nowMS())
		if err != nil {
			return err
		}
		g = m.Group()
		return n.adopt(m, eff, also{edits: take})
	})
	return g, err
}
