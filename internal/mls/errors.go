package mls

import "errors"

// Facts a caller branches on.
var (
	// ErrRemoved is returned, together with the Changes, by a commit that takes
	// the own leaf out of the group.
	ErrRemoved = errors.New("mls: this device was removed from the group")
	// ErrKeyUsed means that the key of a message was used, dropped or never kept.
	ErrKeyUsed = errors.New("mls: the key of this message is gone")
	// ErrClosed means that the epoch was closed.
	ErrClosed = errors.New("mls: the secrets that lead on from this epoch are gone")
	// ErrWrongEpoch means that a message belongs to another epoch of the group.
	ErrWrongEpoch = errors.New("mls: message of another epoch")
)

// A Reason says why something was refused. The values are stable: programs and
// tests compare them.
type Reason string

// Reasons of an [Error].
const (
	ReasonSuite        Reason = "cipher suite not supported"
	ReasonMalformed    Reason = "malformed"
	ReasonKey          Reason = "not a usable public key"
	ReasonSecret       Reason = "private key does not fit its public key"
	ReasonSignature    Reason = "signature does not verify"
	ReasonDecrypt      Reason = "does not decrypt"
	ReasonGroup        Reason = "message of another group"
	ReasonSender       Reason = "sender not allowed here"
	ReasonContent      Reason = "content type not allowed here"
	ReasonMembership   Reason = "membership tag does not verify"
	ReasonConfirmation Reason = "confirmation tag does not verify"
	ReasonPadding      Reason = "padding is not all zero"
	ReasonGeneration   Reason = "message too far ahead of its sender's ratchet"
	ReasonExhausted    Reason = "sender ratchet is used up"

	ReasonLeafSource   Reason = "leaf node of the wrong source"
	ReasonLifetime     Reason = "outside its lifetime"
	ReasonCapability   Reason = "a capability in use is not supported"
	ReasonCredential   Reason = "credential not supported by every member"
	ReasonDuplicateKey Reason = "public key is already in the tree"
	ReasonSameKey      Reason = "public key was not changed"
	ReasonInitKey      Reason = "init key equals the leaf's key"
	ReasonExtension    Reason = "extension not allowed here"

	ReasonTree       Reason = "ratchet tree is not well formed"
	ReasonTreeHash   Reason = "tree hash does not match"
	ReasonUnmerged   Reason = "unmerged leaves are wrong"
	ReasonParentHash Reason = "parent hash does not verify"
	ReasonNoTree     Reason = "no ratchet tree at hand"
	ReasonNoLeaf     Reason = "no such leaf"
	ReasonOwnLeaf    Reason = "own leaf is not in the tree"

	ReasonProposalType   Reason = "proposal type not supported"
	ReasonReference      Reason = "proposal by reference is not at hand"
	ReasonOwnUpdate      Reason = "committer updates itself by proposal"
	ReasonOwnRemove      Reason = "committer removes itself"
	ReasonSameLeaf       Reason = "two proposals for one leaf"
	ReasonDuplicate      Reason = "the same proposal twice"
	ReasonPathMissing    Reason = "commit without the path it needs"
	ReasonPathLength     Reason = "path of the wrong length"
	ReasonPathKey        Reason = "path secret does not give the path's key"
	ReasonReInit         Reason = "reinit together with another proposal"
	ReasonVersion        Reason = "protocol version not supported"
	ReasonSuspended      Reason = "group was closed by a reinit"
	ReasonNotSuspended   Reason = "group was not closed by a reinit"
	ReasonSuccessor      Reason = "not the group it claims to grow out of"
	ReasonPSK            Reason = "pre-shared key not at hand or not allowed"
	ReasonNotForUs       Reason = "welcome for somebody else"
	ReasonNotFollowed    Reason = "not the epoch that was followed"
	ReasonSigner         Reason = "signer does not own the leaf"
	ReasonTooManyLeaves  Reason = "group is full"
	ReasonStoredRecord   Reason = "stored record is damaged"
	ReasonNoUpdateSecret Reason = "private key of the own update is not at hand"
)

// An Error is a refusal by rule.
type Error struct {
	Section string // of RFC 9420, where the rule stands
	Reason  Reason
	Err     error // what a lower layer said, or nil
}

func (e *Error) Error() string {
	s := "mls: " + string(e.Reason) + " (RFC 9420 section " + e.Section + ")"
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns what a lower layer said.
func (e *Error) Unwrap() error { return e.Err }

func reject(section string, reason Reason) error {
	return &Error{Section: section, Reason: reason}
}

func malformed(section string, err error) error {
	return &Error{Section: section, Reason: ReasonMalformed, Err: err}
}
