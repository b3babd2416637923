package pake

import "errors"

// Facts a caller branches on.
var (
	// ErrInput refuses what the caller gave: a code that is empty, or anything whose
	// length is out of its limits.
	ErrInput = errors.New("pake: an input is shorter or longer than it may be")
	// ErrMessage refuses bytes that no honest side sends: a length that is wrong,
	// a share that encodes no point, the identity, or our own share.
	ErrMessage = errors.New("pake: not a message of the other side")
	// ErrConfirm refuses a tag: the other side has another code, or saw other
	// bytes than were sent, or is somebody else.
	ErrConfirm = errors.New("pake: the other side does not have the same code")
	// ErrEnded refuses a second use of a run.
	ErrEnded = errors.New("pake: the run has ended")
)
