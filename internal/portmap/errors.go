package portmap

import (
	"errors"
	"fmt"
)

// A refusal is why a way did not lead to a mapping.
type refusal struct {
	reason Reason
	code   int // of the protocol; 0: there is none
}

func (e *refusal) Error() string {
	if e.code == 0 {
		return "portmap: " + string(e.reason)
	}
	return fmt.Sprintf("portmap: %s (%d)", e.reason, e.code)
}

// reasonOf is why err; what is no refusal is nobody there.
func reasonOf(err error) Reason {
	if r, ok := errors.AsType[*refusal](err); ok {
		return r.reason
	}
	return NoAnswer
}
