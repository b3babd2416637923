package chain

import (
	"bytes"
	"crypto/ed25519"

	"kith/internal/wire"
)

// authorKey returns the key that must have signed h: that of the author's
// device, or the one in the op by which it starts the chain or adds itself; nil
// if there is none.
func authorKey(parent *State, h *Header) ed25519.PublicKey {
	if parent != nil {
		if parent.byRecovery(h) {
			return parent.recovery.Key[:]
		}
		_, d, ok := parent.Device(h.Author.Device)
		if ok && (parent.Active(d.ID) || h.External() && parent.Belongs(d.ID)) {
			return d.Key[:]
		}
		if h.External() {
			if op, ok := h.Ops[0].(*AddDevice); ok {
				return op.Device.Key[:]
			}
		}
		return nil
	}
	if len(h.Ops) > 0 {
		if g, ok := h.Ops[0].(*Genesis); ok {
			return g.Device.Key[:]
		}
	}
	return nil
}

// A bodyCheck walks the attachments of a body along the ops of its header.
type bodyCheck struct {
	h      *Header
	parent *State // nil in genesis
	at     *node  // the block after which parent holds
	group  wire.GroupID
	rest   [][]byte
	shown  map[wire.PersonID][]*Header // proofs of this block's ops, the last of each person
}

// checkBody is V6 as far as it needs no MLS: the body is the one the header
// names, and holds exactly what the ops cite.
func checkBody(at *node, h *Header, body *Body) error {
	c := newBodyCheck(at, h)
	if body == nil {
		return c.refuse(ReasonBody)
	}
	encoded := body.Bytes()
	if len(encoded) > MaxBody || wire.Hash(wire.HashBody, encoded) != h.BodyHash {
		return c.refuse(ReasonBody)
	}
	if (body.Epoch0 != nil) != h.Starts() {
		return c.refuse(ReasonEpoch0)
	}
	if e := body.Epoch0; e != nil && (len(e.LeafNode) == 0 || len(e.ConfirmationTag) != tagSize) {
		return c.refuse(ReasonEpoch0)
	}
	if len(body.Commit) == 0 {
		return c.refuse(ReasonCommit)
	}
	return c.attachments(body.Attachments)
}

// attachments checks that exactly those are there that the ops cite, and what
// they show.
func (c *bodyCheck) attachments(list [][]byte) error {
	c.rest = list
	for _, op := range c.h.Ops {
		if err := c.op(op); err != nil {
			return err
		}
	}
	if len(c.rest) > 0 {
		return c.refuse(ReasonAttachment)
	}
	return nil
}

func newBodyCheck(at *node, h *Header) *bodyCheck {
	c := &bodyCheck{h: h, at: at, group: h.GroupID(), shown: make(map[wire.PersonID][]*Header)}
	if at != nil {
		c.parent = at.State
	}
	return c
}

func (c *bodyCheck) refuse(reason Reason) error { return &RejectError{"V6", reason, c.h.Height} }

// op takes what op cites and checks it.
func (c *bodyCheck) op(op Op) error {
	cites := Cites(op)
	if len(cites) > len(c.rest) {
		return c.refuse(ReasonAttachment)
	}
	cited := c.rest[:len(cites)]
	c.rest = c.rest[len(cites):]
	for i := range cites {
		if Cite(cited[i]) != cites[i] {
			return c.refuse(ReasonAttachment)
		}
	}
	switch op := op.(type) {
	case *Genesis:
		return c.genesis(op, cited)
	case *Add:
		return c.admission(op.Person, op.PersonHead, op.Devices, cited)
	case *AddDevice:
		devices := []DeviceEntry{op.Device}
		if (op.Person == wire.PersonID{}) {
			return c.knockKeys(devices, cited)
		}
		return c.admission(op.Person, op.PersonHead, devices, cited)
	case *RemoveDevice:
		return c.revocation(op, cited)
	case *Carry:
		return c.carry(op, cited)
	case *Slash:
		return c.slash(op, cited)
	case *Restart:
		if len(cited) > 0 {
			return c.nacks(cited[0])
		}
	case *Leave:
		return c.leave(op, cited[0])
	}
	return nil
}

func (c *bodyCheck) genesis(op *Genesis, cited [][]byte) error {
	devices := []DeviceEntry{op.Device}
	if (op.Creator == wire.PersonID{}) {
		return c.knockKeys(devices, cited)
	}
	return c.admission(op.Creator, op.PersonHead, devices, cited)
}

// leave checks that the statement says what the op does and is the person's.
func (c *bodyCheck) leave(op *Leave, statement []byte) error {
	s, err := ParseLeaveStatement(statement)
	if isNewer(err) {
		return ErrNewer
	}
	if err == nil && c.parent.ofPerson && s.Device != op.Cuts[0].Device {
		return c.refuse(ReasonLeave)
	}
	if err != nil || s.Group != c.group || s.Person != op.Person || s.Instance != op.Instance || s.Successor != op.Successor {
		return c.refuse(ReasonLeave)
	}
	m, d, ok := c.parent.Device(s.Device)
	if !ok || !bytes.Equal(m.Person[:], op.Person[:]) || !c.parent.Belongs(d.ID) || !s.Verify(d.Key[:]) {
		return c.refuse(ReasonLeave)
	}
	return nil
}
