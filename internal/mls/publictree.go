package mls

import (
	"bytes"

	"kith/internal/wire"
)

// A Position says which epoch of which group a ratchet tree is of, to whoever did
// not follow the commits up to there and has it from elsewhere: GroupContext
// without extensions, and the confirmation tag of the commit that led there.
type Position struct {
	Suite           Suite
	GroupID         []byte
	Epoch           uint64
	TreeHash        []byte
	Transcript      []byte // confirmed transcript hash
	ConfirmationTag []byte
}

// PublicFromTree returns the group at a position by its tree, the content of the
// ratchet_tree extension. The tree must have the hash that the position says, and
// is checked as section 12.4.3.1 of RFC 9420 asks of a newcomer: parent hashes,
// keys, each leaf and its signature. The confirmation tag is taken as it is: only
// members can check it.
func PublicFromTree(at Position, tree []byte) (*PublicGroup, error) {
	c, err := at.Suite.crypto()
	if err != nil {
		return nil, err
	}
	switch {
	case len(at.GroupID) > MaxGroupID:
		return nil, malformed("8.1", wire.ErrTooLong)
	case len(at.ConfirmationTag) != c.nh || len(at.Transcript) != c.nh:
		return nil, malformed("8.2", wire.ErrShort)
	}
	t, err := parseTree(c, bytes.Clone(tree))
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(t.hash(), at.TreeHash) {
		return nil, reject("12.4.3.1", ReasonTreeHash)
	}
	if err := t.validate(at.GroupID, nil); err != nil {
		return nil, err
	}
	return newPublic(t, bytes.Clone(at.GroupID), at.Epoch, nil, bytes.Clone(at.Transcript), bytes.Clone(at.ConfirmationTag)), nil
}
