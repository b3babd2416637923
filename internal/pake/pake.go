package pake

import (
	"crypto/subtle"
	"slices"
)

// An Input is what both sides must have alike before a run. None of it is sent.
type Input struct {
	Code    []byte // 1 to MaxCode bytes: what people say, in the one spelling that the caller gives it; PRS in the draft
	Channel []byte // at most MaxChannel: what the run is for and who the initiator and the responder are, as far as both know; CI
	Session []byte // MinSession to MaxSession, of no other run: what both sides drew, or the binding of their link; sid
}

func (in Input) check() error {
	if len(in.Code) == 0 || len(in.Code) > MaxCode || len(in.Channel) > MaxChannel ||
		len(in.Session) < MinSession || len(in.Session) > MaxSession {
		return ErrInput
	}
	return nil
}

// An Initiator is side A of a run, between its two messages.
type Initiator struct {
	run func() *initiatorRun // behind a function for fmt, as in identity.Device
}

type initiatorRun struct {
	y       secret
	ours    share
	session []byte
	ended   bool
}

// Start begins a run as its initiator. It returns message A, of [MessageASize]
// bytes, which says nothing of the code.
func Start(in Input) (*Initiator, []byte, error) { return start(in, newSecret()) }

func start(in Input, y secret) (*Initiator, []byte, error) {
	defer y.erase()
	if err := in.check(); err != nil {
		return nil, nil, err
	}
	run := &initiatorRun{y: y, ours: ownShare(in, &y), session: slices.Clone(in.Session)}
	return &Initiator{func() *initiatorRun { return run }}, slices.Clone(run.ours[:]), nil
}

// Finish takes message B and ends the run. adA and adB are what A and B said
// beside their shares, at most [MaxAssociated] bytes each, and must be alike at both.
//
// It returns the confirmation, of [ConfirmationSize] bytes, without an error and
// with ErrConfirm, and it is to be sent either way: with ErrConfirm it is zeros, which
// no side takes for a tag, so that the other one learns at once that the codes
// differ, and no more than it would from silence.
func (i *Initiator) Finish(theirs, adA, adB []byte) (Key, []byte, error) {
	run := i.run()
	if run.ended {
		return Key{}, nil, ErrEnded
	}
	run.ended = true
	defer run.y.erase()
	if err := checkAssociated(adA, adB); err != nil {
		return Key{}, nil, err
	}
	if len(theirs) != MessageBSize {
		return Key{}, nil, ErrMessage
	}
	t := transcript{a: run.ours, b: share(theirs[:shareSize]), adA: adA, adB: adB}
	isk, ok := t.agree(&run.y, t.b, run.session)
	if !ok {
		return Key{}, nil, ErrMessage
	}
	tagA, tagB := t.tags(run.session, &isk)
	if subtle.ConstantTimeCompare(tagB[:], theirs[shareSize:]) != 1 {
		clear(isk[:])
		return Key{}, make([]byte, ConfirmationSize), ErrConfirm
	}
	return newKey(&isk), tagA[:], nil
}

// A Responder is side B of a run, after its message.
type Responder struct {
	run func() *responderRun // as in Initiator
}

type responderRun struct {
	isk   [iskSize]byte
	tagA  [tagSize]byte // that A has to send
	ended bool
}

// Respond takes message A and returns message B, of [MessageBSize] bytes. From then
// on the run counts as a try of the code: whoever has message B knows whether its
// guess was right. adA and adB are as in [Initiator.Finish].
func Respond(in Input, theirs, adA, adB []byte) (*Responder, []byte, error) {
	return respond(in, newSecret(), theirs, adA, adB)
}

func respond(in Input, y secret, theirs, adA, adB []byte) (*Responder, []byte, error) {
	defer y.erase()
	if err := in.check(); err != nil {
		return nil, nil, err
	}
	if err := checkAssociated(adA, adB); err != nil {
		return nil, nil, err
	}
	if len(theirs) != MessageASize {
		return nil, nil, ErrMessage
	}
	t := transcript{a: share(theirs), b: ownShare(in, &y), adA: adA, adB: adB}
	isk, ok := t.agree(&y, t.a, in.Session)
	if !ok {
		return nil, nil, ErrMessage
	}
	tagA, tagB := t.tags(in.Session, &isk)
	run := &responderRun{isk: isk, tagA: tagA}
	clear(isk[:])
	return &Responder{func() *responderRun { return run }}, slices.Concat(t.b[:], tagB[:]), nil
}

// Finish takes the confirmation and ends the run.
func (r *Responder) Finish(confirmation []byte) (Key, error) {
	run := r.run()
	if run.ended {
		return Key{}, ErrEnded
	}
	defer func() { *run = responderRun{ended: true} }()
	if len(confirmation) != ConfirmationSize {
		return Key{}, ErrMessage
	}
	if subtle.ConstantTimeCompare(run.tagA[:], confirmation) != 1 {
		return Key{}, ErrConfirm
	}
	isk := run.isk
	return newKey(&isk), nil
}

// agree is ISK, from our secret and their share. Two shares that are the same
// make the same tag: one of them is a reflection.
func (t *transcript) agree(y *secret, theirs share, session []byte) ([iskSize]byte, bool) {
	if t.a == t.b {
		return [iskSize]byte{}, false
	}
	k, ok := y.meet(theirs)
	if !ok {
		return [iskSize]byte{}, false
	}
	defer clear(k[:])
	return t.isk(session, &k), true
}

func checkAssociated(adA, adB []byte) error {
	if len(adA) > MaxAssociated || len(adB) > MaxAssociated {
		return ErrInput
	}
	return nil
}
