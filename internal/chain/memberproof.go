package chain

import (
	"errors"
	"fmt"
	"math/bits"

	"kith/internal/wire"
)

// A MemberProof shows to whoever holds one trusted header what the membership
// after that block says of one person: a device that keeps nothing but the
// settled header and its certificate needs no state. It is the audit path of RFC
// 6962 section 2.1.1 from the person's record to state_root.
type MemberProof struct {
	Index  uint32     // of the record among the leaves; 0 is the settings
	Leaves uint32     // how many there are: people ever admitted, plus one; shapes the path, is not proved
	Record []byte     // as in the state root
	Path   [][32]byte // from the leaf's sibling upwards
}

// memberProofVersion is the first byte of an encoded proof.
const memberProofVersion = 1

// Bounds of member proofs; ours.
const (
	// maxMemberRecord bounds one person's record, in bytes: some 110 are fixed,
	// and MaxDevicesEver devices take 65 each.
	maxMemberRecord = 17 << 10

	// maxPath bounds an audit path: the leaves are counted in 32 bits.
	maxPath = 32
)

// ErrMemberProof says that a proof does not lead to the state root.
var ErrMemberProof = errors.New("chain: the proof of membership does not lead to the state root")

// encodeMember returns a person's record in the state tree; see [newRecord].
func encodeMember(m Member) []byte {
	var w wire.Writer
	w.U8(1)
	w.Raw(m.Person[:])
	w.Raw(m.Instance[:])
	w.U8(uint8(m.Role))
	w.U32(m.Rank)
	w.U32(m.Join)
	w.Raw(m.PersonHead[:])
	w.U8(uint8(m.Status))
	w.Group(func(w *wire.Writer) {
		for _, d := range m.Devices {
			w.Raw(d.Key[:])
			w.Raw(d.KnockHash[:])
			w.U8(uint8(d.Status))
		}
	})
	return w.Bytes()
}

// decodeMember reads what encodeMember wrote.
func decodeMember(b []byte) (m Member, err error) {
	r := wire.NewReader(b)
	if r.U8() != 1 {
		r.Fail(wire.ErrCanonical)
	}
	r.Fixed(m.Person[:])
	r.Fixed(m.Instance[:])
	m.Role = Role(r.U8())
	m.Rank = r.U32()
	m.Join = r.U32()
	r.Fixed(m.PersonHead[:])
	m.Status = Status(r.U8())
	r.Each(maxMemberRecord, maxMemberRecord, func(r *wire.Reader) {
		var d Device
		r.Fixed(d.Key[:])
		r.Fixed(d.KnockHash[:])
		d.Status = Status(r.U8())
		d.ID = wire.Device(d.Key[:])
		if d.Status > StatusRevoked {
			r.Fail(wire.ErrCanonical)
		}
		m.Devices = append(m.Devices, d)
	})
	if m.Role > RoleAdmin || m.Status > StatusRemoved {
		r.Fail(wire.ErrCanonical)
	}
	return m, r.Done()
}

// Prove returns the proof of what the state says of a person; false if the
// person was never admitted.
func (s *State) Prove(person wire.PersonID) (*MemberProof, bool) {
	at, ok := s.find(person)
	if !ok {
		return nil, false
	}
	leaves := s.leaves()
	return &MemberProof{
		Index: uint32(at + 1), Leaves: uint32(len(leaves)),
		Record: encodeMember(s.records[at].Member), Path: auditPath(leaves, at+1),
	}, true
}

// auditPath is PATH of RFC 6962 section 2.1.1.
func auditPath(leaves [][32]byte, at int) [][32]byte {
	n := len(leaves)
	if n == 1 {
		return nil
	}
	k := 1 << (bits.Len(uint(n-1)) - 1) // largest power of two below n
	if at < k {
		return append(auditPath(leaves[:k], at), merkle(leaves[k:]))
	}
	return append(auditPath(leaves[k:], at-k), merkle(leaves[:k]))
}

// Verify returns what a block with this state root says of the person. The
// caller trusts the root: it stands in a header it has checked, or holds the
// certificate of.
func (p *MemberProof) Verify(root wire.Digest) (Member, error) {
	if p.Index == 0 || !p.leads(root) {
		return Member{}, ErrMemberProof
	}
	m, err := decodeMember(p.Record)
	if err != nil {
		return Member{}, fmt.Errorf("chain: member record: %w", err)
	}
	return m, nil
}

// leads reports whether the path leads from the record to root.
func (p *MemberProof) leads(root wire.Digest) bool {
	if p.Index >= p.Leaves {
		return false
	}
	hash := [32]byte(wire.Hash(wire.HashTreeLeaf, p.Record))
	at, last, path := p.Index, p.Leaves-1, p.Path
	for ; last > 0; at, last = at>>1, last>>1 { // RFC 9162 section 2.1.3.2
		if at&1 == 0 && at == last {
			continue // no sibling at this height
		}
		if len(path) == 0 {
			return false
		}
		left, right := hash, path[0]
		if at&1 == 1 {
			left, right = path[0], hash
		}
		hash, path = wire.Hash(wire.HashTreeNode, left[:], right[:]), path[1:]
	}
	return len(path) == 0 && wire.Digest(hash) == root
}

// offset size field
// 0      1    version, 0x01
// 1      4    index of the leaf, from 1
// 5      4    leaves
// 9      var  opaque record<V>
// +0     var  path[32]<V>, from the leaf's sibling upwards
func (p *MemberProof) Marshal() []byte {
	var w wire.Writer
	p.encode(&w)
	return w.Bytes()
}

func (p *MemberProof) encode(w *wire.Writer) {
	w.U8(memberProofVersion)
	w.U32(p.Index)
	w.U32(p.Leaves)
	w.Vec(p.Record)
	w.Group(func(w *wire.Writer) {
		for _, hash := range p.Path {
			w.Raw(hash[:])
		}
	})
}

func decodeMemberProof(r *wire.Reader) *MemberProof {
	if v := r.U8(); r.Err() == nil && v != memberProofVersion {
		r.Fail(ErrNewer)
	}
	p := &MemberProof{Index: r.U32(), Leaves: r.U32()}
	p.Record = append([]byte(nil), r.Vec(maxMemberRecord)...)
	r.Each(32*maxPath, maxPath, func(r *wire.Reader) {
		var hash [32]byte
		r.Fixed(hash[:])
		p.Path = append(p.Path, hash)
	})
	return p
}
