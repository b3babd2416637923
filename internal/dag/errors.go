package dag

import "errors"

// Facts a caller branches on.
var (
	// ErrFull says that an entry would have to wait and the parking is full.
	ErrFull = errors.New("dag: too many entries wait for others")
	// ErrStarted says that a floor was set on a graph that is not empty.
	ErrStarted = errors.New("dag: a floor must come before the first entry")
)

// A Reason says which rule a refused value breaks. Values are stable.
type Reason string

const (
	ReasonForm    Reason = "form"    // the bytes, or a field by itself, break the format
	ReasonVersion Reason = "version" // made by a newer version
	ReasonGap     Reason = "gap"     // prev is an entry of this device, but not number seq-1
	ReasonParent  Reason = "parent"  // prev or a parent was itself refused
	ReasonLamport Reason = "lamport" // not 1 + the highest lamport it names
	ReasonOrder   Reason = "order"   // not above what it names, or more than MaxDrift beyond
	ReasonBlock   Reason = "block"   // its block is older than the block of an entry it names
	ReasonFloor   Reason = "floor"   // a floor's heads and frontier disagree
)

// A RejectError refuses a value by rule. Whoever signed the value broke the
// rule; who carried it could not always know.
type RejectError struct {
	Reason Reason
	Err    error // what the codec said, if it did
}

func (e *RejectError) Error() string {
	if e.Err != nil {
		return "dag: refused (" + string(e.Reason) + "): " + e.Err.Error()
	}
	return "dag: refused (" + string(e.Reason) + ")"
}

func (e *RejectError) Unwrap() error { return e.Err }

func reject(r Reason) error { return &RejectError{Reason: r} }

func malformed(err error) error {
	if err == nil {
		return nil
	}
	var e *RejectError
	if errors.As(err, &e) {
		return e
	}
	return &RejectError{Reason: ReasonForm, Err: err}
}
