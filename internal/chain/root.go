package chain

import (
	"bytes"
	"math/bits"

	"kith/internal/wire"
)

// A record is a member and the hash of its leaf in the state tree.
type record struct {
	Member
	leaf [32]byte
}

// The state root is the Merkle tree hash of RFC 6962 section 2.1 with labels of
// ours in place of its prefix bytes, over record 0 and then one record per
// person ever admitted, sorted by person:
//
//	record 0  u8 0, Policy, info[32], u16 features<V>, person electorate[32]<V>
//	record    u8 1, person[32], instance[32], u8 role, u32 rank, u32 join,
//	          person_head[32], u8 status, devices<V>
//	device    key[32], knock_hash[32], u8 status
func newRecord(m Member) *record {
	return &record{m, wire.Hash(wire.HashTreeLeaf, encodeMember(m))}
}

// encodeSettings returns record 0.
func (s *State) encodeSettings() []byte {
	var w wire.Writer
	w.U8(0)
	s.policy.encode(&w)
	w.Raw(s.info[:])
	encodeFeatures(&w, s.features)
	w.Group(func(w *wire.Writer) {
		for _, id := range s.electorate {
			w.Raw(id[:])
		}
	})
	return w.Bytes()
}

// decodeSettings reads record 0 and returns the active features and the electorate,
// ascending.
func decodeSettings(b []byte) (features []uint16, electorate []wire.PersonID, err error) {
	r := wire.NewReader(b)
	if r.U8() != 0 {
		r.Fail(wire.ErrCanonical)
	}
	decodePolicy(r)
	r.Raw(32) // info
	features = decodeFeatures(r)
	r.Each(32*MaxVoters, MaxVoters, func(r *wire.Reader) {
		var id wire.PersonID
		r.Fixed(id[:])
		if n := len(electorate); n > 0 && bytes.Compare(electorate[n-1][:], id[:]) >= 0 {
			r.Fail(wire.ErrCanonical)
		}
		electorate = append(electorate, id)
	})
	return features, electorate, r.Done()
}

// leaves returns the hashes of all records.
func (s *State) leaves() [][32]byte {
	leaves := make([][32]byte, 0, 1+len(s.records))
	leaves = append(leaves, wire.Hash(wire.HashTreeLeaf, s.encodeSettings()))
	for _, r := range s.records {
		leaves = append(leaves, r.leaf)
	}
	return leaves
}

// computeRoot returns the Merkle root over all records.
func (s *State) computeRoot() wire.Digest { return wire.Digest(merkle(s.leaves())) }

// merkle is MTH of RFC 6962 over one or more leaf hashes.
func merkle(leaves [][32]byte) [32]byte {
	n := len(leaves)
	if n == 1 {
		return leaves[0]
	}
	k := 1 << (bits.Len(uint(n-1)) - 1) // largest power of two below n
	left, right := merkle(leaves[:k]), merkle(leaves[k:])
	return wire.Hash(wire.HashTreeNode, left[:], right[:])
}
