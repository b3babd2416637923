package chain

import (
	"crypto/ed25519"

	"kith/internal/wire"
)

// A history is the chain of a person as a block cites it. It was judged with the
// block; a contest reads it when it first asks what it says.
type history struct {
	person wire.PersonID
	cite   wire.Digest
	paper  []byte // nil: not held

	asked   bool
	state   *State                  // after the last header; nil: cannot be read
	headers map[wire.BlockHash]bool // by hash
	tip     wire.BlockHash
	word    *Header // the newest block of the recovery key; nil: none
}

// A citing is a history with what it is cited for: the device that it lets in,
// or, if that is zero, some revocation.
type citing struct {
	*history
	admits wire.DeviceID
}

// An entrance is a device with the citation of a history that let it in.
type entrance struct {
	device wire.DeviceID
	cite   wire.Digest
}

// citings returns the histories that b cites for devices.
func (b *Block) citings() (list []citing) {
	if b.said != nil {
		return b.shown
	}
	at := 0
	for _, op := range b.Header.Ops {
		switch op := op.(type) {
		case *Add:
			h := b.history(op.Person, op.Cites, at, 0)
			for _, d := range op.Devices {
				list = append(list, citing{h, d.ID()})
			}
		case *AddDevice:
			list = append(list, citing{b.history(op.Person, op.Cites, at, 0), op.Device.ID()})
		case *RemoveDevice:
			list = append(list, citing{history: b.history(op.Person, op.Cites, at, 0)})
		case *Carry:
			if (op.Device != wire.DeviceID{}) {
				list = append(list, citing{history: b.history(op.Person, op.Cites, at, 1)})
			}
		}
		at += len(Cites(op))
	}
	return list
}

// history returns citation i of an op whose attachments begin at at.
func (b *Block) history(person wire.PersonID, cites []wire.Digest, at, i int) *history {
	h := &history{person: person}
	if i < len(cites) {
		h.cite = cites[i]
	}
	if b.Body != nil && at+i < len(b.Body.Attachments) {
		h.paper = b.Body.Attachments[at+i]
	}
	return h
}

// read reports whether what h says is known here. Signatures were checked
// when its block came.
func (h *history) read() bool {
	if h.asked {
		return h.state != nil
	}
	h.asked = true
	headers, err := ParseProof(h.paper)
	if err != nil {
		return false
	}
	var s *State
	h.headers = make(map[wire.BlockHash]bool, len(headers))
	for _, x := range headers {
		if s, err = judge(s, x, func(*Header, ed25519.PublicKey) bool { return true }); err != nil {
			return false
		}
		h.tip = x.Hash()
		h.headers[h.tip] = true
		if s.byRecovery(x) && (h.word == nil || newer(x, h.word)) {
			h.word = x
		}
	}
	h.state = s
	return true
}

// passes reports whether h goes on from o, or the recovery key said something
// in it later than in o.
func (h *history) passes(o *history, r rules) bool {
	if h.headers[o.tip] && !r.noPassing {
		return true
	}
	return h.word != nil && (o.word == nil || newer(h.word, o.word)) && !r.noRecovery
}

// note takes in what a citing shows and reports whether that is new.
func (f *facts) note(e citing) bool {
	if (e.admits == wire.DeviceID{}) {
		if f.told[e.cite] != nil {
			return false
		}
		if f.told == nil {
			f.told = make(map[wire.Digest]*history)
		}
		f.told[e.cite] = e.history
		return true
	}
	k := entrance{e.admits, e.cite}
	if f.let[k] != nil {
		return false
	}
	if f.let == nil {
		f.let = make(map[entrance]*history)
	}
	f.let[k] = e.history
	return true
}

// learn takes in all citings that o holds.
func (f *facts) learn(o *facts) {
	for _, h := range o.told {
		f.note(citing{history: h})
	}
	for k, h := range o.let {
		f.note(citing{h, k.device})
	}
}

// doubts reports whether the fork point does not know a device, and a history
// that revokes a device of its person does not know it either, nor is passed by
// one that let it in. So nobody speaks for a person through a device that came
// from one stolen, and whoever lost a device and has another may. What is not
// held speaks against nobody.
func (c *contest) doubts(m wire.Member) bool {
	if of, _, known := c.at.Device(m.Device); known && of.Person == m.Person || c.noDoubt {
		return false
	}
	against, of := 0, 0
	for _, h := range c.told {
		if h.person != m.Person || !h.read() {
			continue
		}
		if of++; !c.vouched(m, h) {
			against++
		}
	}
	if c.anyTold {
		return against > 0 && against == of
	}
	return against > 0 || c.doubtNew && of > 0
}

// vouched reports whether a device came in with, or knowing of, a history that
// revokes another of its person.
func (c *contest) vouched(m wire.Member, by *history) bool {
	if by.state.Belongs(m.Device) && !c.noShown {
		return true
	}
	let, passed := 0, 0
	for k, h := range c.let {
		if k.device != m.Device || h.person != m.Person {
			continue
		}
		if let++; !h.read() || h.passes(by, c.rules) {
			passed++
		}
	}
	return passed > 0 && (passed == let || !c.allPass)
}
