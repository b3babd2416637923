package chain

import (
	"crypto/ed25519"
	"fmt"

	"kith/internal/wire"
)

// A LeaveStatement is a person's own word that it leaves a group. Another
// member commits it; nobody can go on counting who left as a member.
type LeaveStatement struct {
	Group     wire.GroupID
	Person    wire.PersonID
	Device    wire.DeviceID // that signed
	Instance  wire.Instance // so that it ends this membership, not a later one
	Successor wire.PersonID // takes over if nobody else is in charge; zero: none
	Signature [wire.SignatureSize]byte
}

// leaveVersion is the first byte of a statement.
const leaveVersion = 1

// offset size field
// 0      1    version, 0x01
// 1      1    sigalg, 0x01
// 2      32   group_id
// 34     32   person
// 66     32   device
// 98     32   instance
// 130    32   successor, zero: none      what is signed ends here
// 162    64   signature, label "leave"
func (s *LeaveStatement) signed() []byte {
	var w wire.Writer
	w.U8(leaveVersion)
	w.U8(wire.SigEd25519)
	w.Raw(s.Group[:])
	w.Raw(s.Person[:])
	w.Raw(s.Device[:])
	w.Raw(s.Instance[:])
	w.Raw(s.Successor[:])
	return w.Bytes()
}

// SignLeave makes the statement that author's membership instance in group ends.
func SignLeave(sign func(wire.Label, []byte) []byte, group wire.GroupID, author wire.Member, instance wire.Instance, successor wire.PersonID) *LeaveStatement {
	s := &LeaveStatement{Group: group, Person: author.Person, Device: author.Device, Instance: instance, Successor: successor}
	copy(s.Signature[:], sign(wire.SignLeave, s.signed()))
	return s
}

// ParseLeaveStatement decodes a whole statement.
func ParseLeaveStatement(b []byte) (*LeaveStatement, error) {
	r := wire.NewReader(b)
	if version, alg := r.U8(), r.U8(); r.Err() == nil && (version != leaveVersion || alg != wire.SigEd25519) {
		return nil, ErrNewer
	}
	s := new(LeaveStatement)
	r.Fixed(s.Group[:])
	r.Fixed(s.Person[:])
	r.Fixed(s.Device[:])
	r.Fixed(s.Instance[:])
	r.Fixed(s.Successor[:])
	r.Fixed(s.Signature[:])
	if err := r.Done(); err != nil {
		return nil, fmt.Errorf("chain: leave statement: %w", err)
	}
	return s, nil
}

// Marshal returns the encoding of the statement.
func (s *LeaveStatement) Marshal() []byte { return append(s.signed(), s.Signature[:]...) }

// Verify reports whether key signed the statement.
func (s *LeaveStatement) Verify(key ed25519.PublicKey) bool {
	return wire.Verify(key, wire.SignLeave, s.signed(), s.Signature[:])
}
