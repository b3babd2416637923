package peer

import (
	"errors"
	"fmt"
)

// Facts a caller branches on.
var (
	// ErrSilent: the other side closed without an answer. It does not say why,
	// on purpose: it may not know this device, have blocked it, or the contact
	// link may be used up.
	ErrSilent = errors.New("peer: the other device gave no answer: it may not know this one, or the contact link is used up or too old")

	// ErrImpostor: the answer does not prove the device that was wanted.
	ErrImpostor = errors.New("peer: the answer does not come from the device that was wanted")

	// ErrStranger: a dialler was refused; what it wraps is for this side only.
	ErrStranger = errors.New("peer: a stranger knocked")

	// ErrBanned: the device broke the rules of a session too often.
	ErrBanned = errors.New("peer: the device is banned for a time")

	// ErrExpired: the contact link is too old.
	ErrExpired = errors.New("peer: the contact link has expired: ask for a new one")

	// ErrSelf: the contact link or target is this person's or device's own.
	ErrSelf = errors.New("peer: this is you")

	// ErrSlow: the peer does not read as fast as we write; the session is over.
	ErrSlow = errors.New("peer: the other device takes no more messages")

	// ErrMessageTooLong: a message to be sent is over MaxMessage.
	ErrMessageTooLong = errors.New("peer: the message is over 17 MiB")

	// ErrEnded: the session was closed from this side.
	ErrEnded = errors.New("peer: the session has ended")

	// ErrCard: a card is malformed or its parts do not belong together.
	ErrCard = errors.New("peer: card refused")
)

// A MisbehaviourError ends a session whose peer broke a rule.
type MisbehaviourError struct {
	Rule   string // stable, as in docs/spec/peer.md or given to Punish
	Weight int    // of 100
}

func (e *MisbehaviourError) Error() string {
	return fmt.Sprintf("peer: the other device broke the rule %q", e.Rule)
}

// Rules a peer can break here.
const (
	RuleFrame   = "frame"   // unknown kind, or not a fragment's form
	RuleStream  = "stream"  // a fragment of no message, or a stream begun twice
	RuleTooLong = "message" // a message over MaxMessage
	RuleKnock   = "knock"   // a first frame that proves nothing
)

// stranger says what was wrong with a first frame; it never leaves this side.
func stranger(what string) error { return fmt.Errorf("%w: %s", ErrStranger, what) }
