package chain

import (
	"errors"
	"fmt"

	"kith/internal/wire"
)

// ErrNewer says that bytes or a block need a newer version of the program: an
// op, version, suite or feature that is assigned but unknown here. Nothing was
// changed. It is no proof of its author: who adds its own device is not yet
// known by whoever cannot read the op.
var ErrNewer = errors.New("chain: needs a newer version")

// A MissingError says that a block cannot be judged before its parent is here.
type MissingError struct{ Parent wire.BlockHash }

func (e *MissingError) Error() string { return "chain: parent is missing: " + e.Parent.String() }

// A RejectError says that a block is invalid for everybody and for ever.
type RejectError struct {
	Rule   string // "V1" to "V8", docs/spec/chain.md
	Reason Reason
	Height uint64
}

func (e *RejectError) Error() string {
	return fmt.Sprintf("chain: block at height %d refused by %s: %s", e.Height, e.Rule, e.Reason)
}

// Reason is a stable word for one way to break a rule.
type Reason string

// V1: the genesis block.
const (
	ReasonGenesis     Reason = "genesis"      // no Genesis op where one must be, or one where none may be
	ReasonOther       Reason = "other chain"  // another genesis, or a block of another group
	ReasonZero        Reason = "not zero"     // group, parent, height or author_seq of a genesis
	ReasonNonce       Reason = "nonce"        // all zero
	ReasonCreated     Reason = "created"      // created_at out of range
	ReasonCreator     Reason = "creator"      // author, creator and device do not agree
	ReasonPersonField Reason = "person field" // a person's field in a group, or the reverse
	ReasonDirectShape Reason = "direct shape" // a direct chat not of exactly two admins
)

// V2: its place in the chain.
const (
	ReasonHeight Reason = "height"
	ReasonSeq    Reason = "author seq"
	ReasonSuite  Reason = "suite"
)

// V3: its author.
const (
	ReasonAuthor    Reason = "author"
	ReasonSignature Reason = "signature"
)

// V4: authority.
const (
	ReasonRole     Reason = "role"     // needs an admin
	ReasonSelf     Reason = "self"     // nobody removes itself or commits its own leave
	ReasonDirect   Reason = "direct"   // the members of a direct chat never change so
	ReasonClass    Reason = "class"    // not the class of its ops
	ReasonNoAdmin  Reason = "no admin" // nobody would be left in charge
	ReasonPolicy   Reason = "policy"   // an op that this kind of chain never has
	ReasonRecovery Reason = "recovery" // what the recovery key never signs
)

// V5: ops and size.
const (
	ReasonForm      Reason = "form" // not the encoding that ParseHeader reads
	ReasonEmpty     Reason = "empty"
	ReasonMember    Reason = "member"     // already one
	ReasonNotMember Reason = "not member" // no such membership at this point
	ReasonNoChange  Reason = "no change"
	ReasonDevice    Reason = "device"  // twice, or another person's
	ReasonCut       Reason = "cut"     // not the person's devices in order
	ReasonDevices   Reason = "devices" // more than a person may have
	ReasonAlone     Reason = "alone"   // an external commit beside another op
	ReasonPackage   Reason = "package" // no key package where one must be named, or one too many
	ReasonRestart   Reason = "restart" // not the last op, or not a list of active devices
	ReasonStateRoot Reason = "state root"
)

// V6: the body.
const (
	ReasonBody       Reason = "body"       // not the one the header names
	ReasonEpoch0     Reason = "epoch 0"    // missing, or out of place
	ReasonCommit     Reason = "commit"     // missing
	ReasonAttachment Reason = "attachment" // missing, left over, or not the one cited
	ReasonProof      Reason = "proof"      // does not show the device
	ReasonKnockKey   Reason = "knock key"
	ReasonLeave      Reason = "leave" // statement does not carry the op
	ReasonCarry      Reason = "carry" // no such removal, or not by who was and is an admin
	ReasonSlash      Reason = "slash" // both can be an honest device's
	ReasonNack       Reason = "nack"  // not by more than half, or not of this stretch of keys
)

// V7 and V8.
const (
	ReasonRekeys  Reason = "rekeys"
	ReasonUnparks Reason = "unparks"
	ReasonAdded   Reason = "added"   // too many devices of one person
	ReasonFeature Reason = "feature" // uses what the parent has not activated
)

func isNewer(err error) bool { return errors.Is(err, ErrNewer) }
