package node

import (
	"kith/internal/chain"
	"kith/internal/group"
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
func Hello(peer []byte, hosts []string, left uint8) []byte { return hello{peer, hosts, left}.bytes() }

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
func Draw(b *chain.Blocks, title func(wire.Digest) string, settled Settlement) map[wire.BlockHash]*Drawn {
	return draw(b, title, settled)
}
