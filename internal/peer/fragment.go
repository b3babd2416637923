package peer

import (
	"kith/internal/wire"
)

// Kinds of frames. Zero stays reserved; numbers are only ever appended.
const (
	kindKnock         = 1
	kindRequest       = 2
	kindKnockAnswer   = 3
	kindRequestAnswer = 4
	kindFragment      = 5 // inside a sealed frame
	kindSealed        = 6
	kindJoin          = 7
	kindJoinAnswer    = 8
)

// Flags of a fragment.
const (
	flagFirst = 1
	flagLast  = 2
)

// A fragment is one frame of a message. A message of at most fragmentSize bytes
// is one fragment of stream 0. A longer one takes stream 1 or 2 from its first
// fragment to its last; every fragment but the last is full, and the last is
// not empty, so that a message is cut in one way only.
//
//	offset size field
//	0      1    kind, 0x05
//	1      1    stream: 0 whole message, 1 or 2 part of one
//	2      1    flags: bit 0 first, bit 1 last; both if and only if stream is 0
//	3      32   channel; only in a first fragment
//	+0     var  payload: fragmentSize bytes, at most that in a last fragment
type fragment struct {
	stream  uint8
	flags   uint8
	channel [32]byte
	payload []byte
}

func (f fragment) first() bool { return f.flags&flagFirst != 0 }
func (f fragment) last() bool  { return f.flags&flagLast != 0 }

func (f fragment) bytes() []byte {
	b := make([]byte, 0, 3+len(f.channel)+len(f.payload))
	b = append(b, kindFragment, f.stream, f.flags)
	if f.first() {
		b = append(b, f.channel[:]...)
	}
	return append(b, f.payload...)
}

// parseFragment decodes a session frame. The payload aliases b.
func parseFragment(b []byte) (fragment, error) {
	var f fragment
	r := wire.NewReader(b)
	if r.U8() != kindFragment {
		return f, &MisbehaviourError{RuleFrame, weightFormat}
	}
	f.stream, f.flags = r.U8(), r.U8()
	if f.first() {
		r.Fixed(f.channel[:])
	}
	f.payload = r.Rest()
	if r.Err() != nil || !f.wellFormed() {
		return fragment{}, &MisbehaviourError{RuleFrame, weightFormat}
	}
	return f, nil
}

func (f fragment) wellFormed() bool {
	if f.flags > flagFirst|flagLast || f.stream > maxStreams || len(f.payload) > fragmentSize {
		return false
	}
	if f.stream == 0 {
		return f.first() && f.last()
	}
	if f.last() {
		return !f.first() && len(f.payload) > 0
	}
	return len(f.payload) == fragmentSize
}

// An assembly puts the fragments of one direction together again.
type assembly struct {
	parts [maxStreams]partial
}

// partial is a message under way. It keeps the frames as they came; the whole
// is made once, when the last is here.
type partial struct {
	channel [32]byte
	frames  [][]byte
	size    int
}

// take adds a frame and returns the message it completes, if it does.
func (a *assembly) take(frame []byte) (m Message, whole bool, err error) {
	f, err := parseFragment(frame)
	if err != nil {
		return Message{}, false, err
	}
	if f.stream == 0 {
		return Message{Channel: f.channel, Payload: f.payload}, true, nil
	}
	p := &a.parts[f.stream-1]
	if f.first() != (p.size == 0) {
		return Message{}, false, &MisbehaviourError{RuleStream, weightFormat}
	}
	if p.size+len(f.payload) > MaxMessage {
		return Message{}, false, &MisbehaviourError{RuleTooLong, weightFormat}
	}
	if f.first() {
		p.channel = f.channel
	}
	p.frames = append(p.frames, f.payload)
	p.size += len(f.payload)
	if !f.last() {
		return Message{}, false, nil
	}
	m = Message{Channel: p.channel, Payload: p.join()}
	*p = partial{}
	return m, true, nil
}

func (p *partial) join() []byte {
	b := make([]byte, 0, p.size)
	for _, f := range p.frames {
		b = append(b, f...)
	}
	return b
}
