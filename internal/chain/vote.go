package chain

import (
	"bytes"
	"crypto/ed25519"
	"fmt"

	"kith/internal/wire"
)

// A Source names a certificate by its round and block. Round 0 is that of the
// block that starts the era, which needs no votes.
type Source struct {
	Round uint64
	Block wire.BlockHash
}

// A Vote is a voter's signed word that it takes Block for settled next, made in
// one round of one era on the strength of the certificate Source.
type Vote struct {
	Group     wire.GroupID
	Device    wire.DeviceID
	Seq       uint64         // counts this device's votes in this group, from 1
	Era       wire.BlockHash // the block that starts the era
	Round     uint64         // from 1
	Block     wire.BlockHash
	Source    Source
	Signature [wire.SignatureSize]byte
}

// voteVersion is the first byte of a vote.
const voteVersion = 1

// VoteSize is the length of every vote, in bytes.
const VoteSize = 250

// offset size field
// 0      1    version, 0x01
// 1      1    sigalg, 0x01
// 2      32   group_id
// 34     32   device
// 66     8    vote_seq, from 1
// 74     32   era, block hash
// 106    8    round, from 1
// 114    32   block
// 146    8    source round; 0: the block that starts the era
// 154    32   source block              what is signed ends here
// 186    64   signature, label "vote"
func (v *Vote) signed() []byte {
	var w wire.Writer
	w.U8(voteVersion)
	w.U8(wire.SigEd25519)
	w.Raw(v.Group[:])
	w.Raw(v.Device[:])
	w.U64(v.Seq)
	w.Raw(v.Era[:])
	w.U64(v.Round)
	w.Raw(v.Block[:])
	w.U64(v.Source.Round)
	w.Raw(v.Source.Block[:])
	return w.Bytes()
}

// ParseVote decodes a whole vote. It checks the form alone; [Votes.Add] checks
// the rules.
func ParseVote(b []byte) (*Vote, error) {
	r := wire.NewReader(b)
	v := decodeVote(r)
	if err := r.Done(); err != nil {
		return nil, fmt.Errorf("chain: vote: %w", err)
	}
	return v, nil
}

func decodeVote(r *wire.Reader) *Vote {
	if version, alg := r.U8(), r.U8(); r.Err() == nil && (version != voteVersion || alg != wire.SigEd25519) {
		r.Fail(ErrNewer)
	}
	v := new(Vote)
	r.Fixed(v.Group[:])
	r.Fixed(v.Device[:])
	v.Seq = r.U64()
	r.Fixed(v.Era[:])
	v.Round = r.U64()
	r.Fixed(v.Block[:])
	v.Source.Round = r.U64()
	r.Fixed(v.Source.Block[:])
	r.Fixed(v.Signature[:])
	return v
}

// Marshal returns the encoding of the vote.
func (v *Vote) Marshal() []byte { return append(v.signed(), v.Signature[:]...) }

// Hash returns what names the vote.
func (v *Vote) Hash() wire.Digest { return wire.Digest(wire.Hash(wire.HashVote, v.Marshal())) }

// Seal signs the vote. A vote is stored before it is sent.
func (v *Vote) Seal(sign func(wire.Label, []byte) []byte) {
	v.Signature = [wire.SignatureSize]byte{}
	copy(v.Signature[:], sign(wire.SignVote, v.signed()))
}

// Verify reports whether key signed the vote.
func (v *Vote) Verify(key ed25519.PublicKey) bool {
	return wire.Verify(key, wire.SignVote, v.signed(), v.Signature[:])
}

// sameContent reports whether two votes differ at most in their signature.
func (v *Vote) sameContent(o *Vote) bool {
	same := *o
	same.Signature = v.Signature
	return same == *v
}

// A VoteError says that a vote, warrant or piece of evidence is invalid for
// everybody and for ever.
type VoteError struct{ Reason Reason }

func (e *VoteError) Error() string { return "chain: vote refused: " + string(e.Reason) }

// An EarlyError says that a vote cannot be judged yet: the votes of earlier
// rounds, or those that settle the start of its era, are to be added first.
type EarlyError struct {
	Era   wire.BlockHash
	Round uint64
}

func (e *EarlyError) Error() string {
	return fmt.Sprintf("chain: vote of round %d of era %s is early", e.Round, e.Era)
}

// Reasons of a VoteError.
const (
	ReasonGroup    Reason = "group"    // of another group
	ReasonPerson   Reason = "person"   // a person's chain has no votes
	ReasonEra      Reason = "era"      // starts no era, or one that the block is not of
	ReasonVoter    Reason = "voter"    // no voter of the era
	ReasonRound    Reason = "round"    // zero, or not above the source's
	ReasonVoteSeq  Reason = "vote seq" // zero
	ReasonSource   Reason = "source"   // not between the era's start and the block
	ReasonOrder    Reason = "order"    // not in the order of its encoding
	ReasonQuorum   Reason = "quorum"   // the votes do not settle what they should
	ReasonBlameful Reason = "blameful" // the two votes can both be an honest voter's
)

func compareDigests(a, b wire.Digest) int { return bytes.Compare(a[:], b[:]) }
