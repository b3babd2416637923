package group

import (
	"errors"
	"fmt"
)

// Reason says in a stable word why a request of this device's own person was
// refused; the sentence for people is made in package api.
type Reason string

// Reasons of a Refusal.
const (
	ReasonRole      Reason = "role"       // only an admin can do this
	ReasonNotActive Reason = "not-active" // invited, left or removed: nothing can be written
	ReasonNoKeys    Reason = "no-keys"    // this device cannot follow the group's keys
	ReasonReplaced  Reason = "replaced"   // and does not get them by itself: a copy of it took its place
	ReasonNewKey    Reason = "new-key"    // this device took the place of an earlier one of its home, and comes in by itself
	ReasonMember    Reason = "member"     // is a member already
	ReasonHasRole   Reason = "has-role"   // is an admin already, or is none
	ReasonNoMember  Reason = "no-member"  // is no member
	ReasonSelf      Reason = "self"       // nobody removes oneself: leave
	ReasonDirect    Reason = "direct"     // a direct chat has its two people
	ReasonSuccessor Reason = "successor"  // the last admin names who follows
	ReasonHeir      Reason = "heir"       // nobody takes over from oneself
	ReasonAlone     Reason = "alone"      // a group of one is only deleted
	ReasonContent   Reason = "content"    // empty, or not text
	ReasonLong      Reason = "long"       // more than a message holds
	ReasonAuthor    Reason = "author"     // only its author can do this to a message
	ReasonTitle     Reason = "title"      // empty, too long, or with control characters
	ReasonPackage   Reason = "package"    // the newcomer's key package cannot be used
	ReasonUnsettled Reason = "unsettled"  // the voters are to catch up first
	ReasonRule      Reason = "rule"       // the chain's rules refuse it
	ReasonInvite    Reason = "invitation" // an invitation that does not check
	ReasonNothing   Reason = "nothing"    // there is nothing to be answered
	ReasonPending   Reason = "pending"    // a removal is to be carried over first, by another
	ReasonNewer     Reason = "newer"      // the group needs a newer program
	ReasonOlder     Reason = "older"      // somebody's program is too old for it
	ReasonNoVoters  Reason = "no-voters"  // somebody has to vote
	ReasonVoters    Reason = "voters"     // more than can vote
	ReasonSame      Reason = "same"       // they vote already
	ReasonDays      Reason = "days"       // no number of days, or one where none counts
	ReasonPolicy    Reason = "policy"     // newcomers are given that already
	ReasonVoteless  Reason = "voteless"   // has not accepted, or has no device that could vote
	ReasonUncovered Reason = "uncovered"  // nobody has said to have the last messages of this device
	ReasonStored    Reason = "stored"     // what was stored does not fit together
)

// ErrSuite: a key package is of a suite that the group, or this program, does
// not use.
var ErrSuite = errors.New("group: a key package of another suite")

// A Refusal is an input that the machine did not take.
type Refusal struct {
	Reason Reason
	Err    error // what exactly, may be nil
}

func (r *Refusal) Error() string {
	if r.Err == nil {
		return "group: refused: " + string(r.Reason)
	}
	return fmt.Sprintf("group: refused: %s: %v", r.Reason, r.Err)
}

func (r *Refusal) Unwrap() error { return r.Err }

// heldBack reports whether a commit was refused until voters have caught up.
func heldBack(err error) bool {
	r, ok := errors.AsType[*Refusal](err)
	return ok && r.Reason == ReasonUnsettled
}

func refuse(reason Reason, err error) error { return &Refusal{Reason: reason, Err: err} }
