package chain

import (
	"bytes"
	"crypto/ed25519"
	"encoding/binary"

	"kith/internal/wire"
)

// Slash revokes a device that signed two things of which an honest one signs
// only one. It cites both, the lower bytes first. It speaks for itself, so it is
// nobody's privilege, and it is never about the person.
type Slash struct {
	Person   wire.PersonID
	Instance wire.Instance
	Device   wire.DeviceID
	What     SlashKind
	Cuts     []Cut // of that device; none: it had written nothing
	Cites    []wire.Digest
}

// SlashKind says what two things were signed.
type SlashKind uint8

// What a device may have signed twice.
const (
	SlashBlocks  SlashKind = 1 // headers of one group with one author_seq or one parent
	SlashEntries SlashKind = 2 // entry headers of one group with one seq
	SlashVotes   SlashKind = 3 // votes of one era, see [Evidence]
)

// Kind returns the number of the op.
func (*Slash) Kind() Kind { return KindSlash }

// The content of a Slash (docs/spec/chain.md):
//
//	person[32] instance[32] device[32] u8 what Cut cuts<V> cites[32]<V>
func (op *Slash) encode(w *wire.Writer) {
	w.Raw(op.Person[:])
	w.Raw(op.Instance[:])
	w.Raw(op.Device[:])
	w.U8(uint8(op.What))
	encodeCuts(w, op.Cuts)
	encodeCites(w, op.Cites)
}

func decodeSlash(r *wire.Reader) *Slash {
	op := new(Slash)
	r.Fixed(op.Person[:])
	r.Fixed(op.Instance[:])
	r.Fixed(op.Device[:])
	if op.What = SlashKind(r.U8()); op.What == 0 {
		r.Fail(wire.ErrCanonical)
	}
	op.Cuts = decodeCuts(r, 1)
	op.Cites = decodeCites(r)
	return op
}

func (c *change) slash(op *Slash) error {
	if len(op.Cites) != 2 {
		return c.refuse("V6", ReasonAttachment)
	}
	return c.expel(op.Person, op.Instance, op.Device, op.Cuts)
}

// slash checks that the device signed both.
func (c *bodyCheck) slash(op *Slash, cited [][]byte) error {
	_, d, _ := c.parent.Device(op.Device)
	check := c.twoBlocks
	switch op.What {
	case SlashEntries:
		check = c.twoEntries
	case SlashVotes:
		check = c.twoVotes
	case SlashBlocks:
	default:
		return ErrNewer
	}
	if bytes.Compare(cited[0], cited[1]) >= 0 || sameContent(cited[0], cited[1]) || !check(d, cited[0], cited[1]) {
		return c.refuse(ReasonSlash)
	}
	if op.What == SlashEntries && (c.otherMembership(op, cited[0]) || c.otherMembership(op, cited[1])) {
		return c.refuse(ReasonSlash)
	}
	return nil
}

// sameContent reports whether a and b differ at most in their signature, which
// is no lie.
func sameContent(a, b []byte) bool {
	n := len(a) - wire.SignatureSize
	return n >= 0 && len(a) == len(b) && bytes.Equal(a[:n], b[:n])
}

func (c *bodyCheck) twoBlocks(d Device, first, second []byte) bool {
	a, err := ParseHeader(first)
	if err != nil {
		return false
	}
	b, err := ParseHeader(second)
	if err != nil {
		return false
	}
	for _, h := range []*Header{a, b} {
		if h.GroupID() != c.group || h.Author.Device != d.ID || !h.VerifySignature(d.Key[:]) {
			return false
		}
	}
	return a.AuthorSeq == b.AuthorSeq || a.Parent == b.Parent
}

// twoEntries reads of an entry header (docs/spec/entry.md) its place in the log;
// otherMembership reads on as far as its block:
//
//	offset size field
//	0      1    version, 1
//	1      2    suite
//	3      1    sigalg, 1
//	4      32   group id
//	36     32   device id
//	68     8    seq
//	76     32   prev
//	108    V    parents
//	+0     32   block
//	...         what is signed ends 64 bytes before the end
//	-64    64   signature, label "entry"
func (c *bodyCheck) twoEntries(d Device, first, second []byte) bool {
	for _, b := range [][]byte{first, second} {
		if !entryOf(b, c.group, d.ID) || !entrySigned(b, d.Key[:]) {
			return false
		}
	}
	return binary.BigEndian.Uint64(first[68:]) == binary.BigEndian.Uint64(second[68:])
}

func entryOf(b []byte, group wire.GroupID, device wire.DeviceID) bool {
	return len(b) >= 76+wire.SignatureSize && b[0] == 1 && b[3] == wire.SigEd25519 &&
		bytes.Equal(b[4:36], group[:]) && bytes.Equal(b[36:68], device[:])
}

func entrySigned(b []byte, key ed25519.PublicKey) bool {
	end := len(b) - wire.SignatureSize
	return wire.Verify(key, wire.SignEntry, b[:end], b[end:])
}

// otherMembership reports whether an entry names a block of this chain at which the
// device was no member, or in another membership than the op ends: whoever comes
// again may not know what it wrote before. Of a block elsewhere nothing is said.
func (c *bodyCheck) otherMembership(op *Slash, entry []byte) bool {
	var prev, block wire.BlockHash
	r := wire.NewReader(entry[76:])
	r.Fixed(prev[:])
	r.Vec(len(entry)) // parents
	r.Fixed(block[:])
	if r.Err() != nil {
		return false
	}
	for n := c.at; n != nil; n = n.parent {
		if n.Hash == block {
			m, _, _ := n.State.Device(op.Device)
			return m.Instance != op.Instance || !n.State.Belongs(op.Device)
		}
	}
	return false
}

// twoVotes is [Evidence] as far as the votes themselves tell it: of two sources
// of one round, which lies further back cannot be seen here.
func (c *bodyCheck) twoVotes(d Device, first, second []byte) bool {
	a, err := ParseVote(first)
	if err != nil {
		return false
	}
	b, err := ParseVote(second)
	if err != nil {
		return false
	}
	for _, v := range []*Vote{a, b} {
		if v.Group != c.group || v.Device != d.ID || !v.Verify(d.Key[:]) {
			return false
		}
	}
	return a.Era == b.Era && contradict(a, b)
}
