package sim

import (
	"crypto/sha256"
)

// A thrift lets a world of a thousand nodes fit into memory: a node that is off has its
// records and no machine, and of equal records of all nodes one is kept.
type thrift struct {
	shared map[[32]byte][]byte
}

// Records are shared from shareFrom bytes on. maxShared bounds the list by which they are
// found; the records stay where they are when it is begun anew.
const (
	shareFrom = 200
	maxShared = 1 << 16
)

func newThrift() *thrift { return &thrift{make(map[[32]byte][]byte)} }

// share returns a value that is equal to b and nobody changes.
func (t *thrift) share(b []byte) []byte {
	if len(b) < shareFrom {
		return append([]byte{}, b...)
	}
	key := sha256.Sum256(b)
	if same := t.shared[key]; same != nil {
		return same
	}
	if len(t.shared) >= maxShared {
		clear(t.shared)
	}
	c := append([]byte{}, b...)
	t.shared[key] = c
	return c
}

// forget throws the machines of a node away that is off.
func (n *Node) forget() {
	for _, r := range n.Groups {
		r.Machine, r.cast = nil, nil
	}
}
