package chain

import (
	"bytes"
	"crypto/ed25519"
	"slices"

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
	heads  map[wire.PersonID]wire.BlockHash // person_heads that ops of this block moved
}

// checkBody is V6 as far as it needs no MLS: the body is the one the header
// names, and holds exactly what the ops cite.
func checkBody(at *node, h *Header, body *Body) error {
	c := &bodyCheck{h: h, at: at, group: h.GroupID(), heads: make(map[wire.PersonID]wire.BlockHash)}
	if at != nil {
		c.parent = at.State
	}
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
	c.rest = body.Attachments
	for _, op := range h.Ops {
		if err := c.op(op); err != nil {
			return err
		}
	}
	if len(c.rest) > 0 {
		return c.refuse(ReasonAttachment)
	}
	return nil
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

// admission checks a proof, then the knock key of each device.
func (c *bodyCheck) admission(person wire.PersonID, head wire.BlockHash, devices []DeviceEntry, cited [][]byte) error {
	state, err := c.proof(person, head, cited[0])
	if err != nil {
		return err
	}
	for _, d := range devices {
		if _, shown, ok := state.Device(d.ID()); !ok || !state.Belongs(shown.ID) || shown.KnockHash != d.KnockHash {
			return c.refuse(ReasonProof)
		}
	}
	return c.knockKeys(devices, cited[1:])
}

// revocation checks that the proof shows the device as revoked.
func (c *bodyCheck) revocation(op *RemoveDevice, cited [][]byte) error {
	if (op.Person == wire.PersonID{}) {
		return nil // the chain is the proof
	}
	state, err := c.proof(op.Person, op.PersonHead, cited[0])
	if err != nil {
		return err
	}
	return c.revoked(state, op.Device)
}

func (c *bodyCheck) revoked(state *State, device wire.DeviceID) error {
	if _, d, ok := state.Device(device); !ok || d.Status != StatusRevoked {
		return c.refuse(ReasonProof)
	}
	return nil
}

// history returns the headers that lead to a person's head, and the state there.
func (c *bodyCheck) history(person wire.PersonID, head wire.BlockHash, encoded []byte) ([]*Header, *State, error) {
	headers, err := ParseProof(encoded)
	if err != nil {
		return nil, nil, c.proofError(err)
	}
	state, err := VerifyProof(headers)
	if err != nil {
		return nil, nil, c.proofError(err)
	}
	if wire.PersonID(headers[0].Hash()) != person || headers[len(headers)-1].Hash() != head {
		return nil, nil, c.refuse(ReasonProof)
	}
	return headers, state, nil
}

// proof returns the state of a person at head, which becomes the one on record.
func (c *bodyCheck) proof(person wire.PersonID, head wire.BlockHash, encoded []byte) (*State, error) {
	headers, state, err := c.history(person, head, encoded)
	if err != nil {
		return nil, err
	}
	if !c.descends(person, headers, state) {
		return nil, c.refuse(ReasonProof)
	}
	c.heads[person] = head
	return state, nil
}

// proofError keeps a newer version's proof apart from a false one.
func (c *bodyCheck) proofError(err error) error {
	if isNewer(err) {
		return ErrNewer
	}
	return c.refuse(ReasonProof)
}

// descends reports whether the proof passes the block that the group has
// already seen of this person, so that an old one cannot bring a device back.
func (c *bodyCheck) descends(person wire.PersonID, headers []*Header, state *State) bool {
	seen, known := c.heads[person]
	if !known && c.parent != nil {
		var m Member
		m, known = c.parent.Person(person)
		seen = m.PersonHead
	}
	// What the recovery key signs stands above every other history.
	byRecovery := state.byRecovery(headers[len(headers)-1])
	return !known || byRecovery || slices.ContainsFunc(headers, func(h *Header) bool { return h.Hash() == seen })
}

func (c *bodyCheck) knockKeys(devices []DeviceEntry, keys [][]byte) error {
	for i, d := range devices {
		if len(keys[i]) != KnockKeySize || KnockHash(keys[i]) != d.KnockHash {
			return c.refuse(ReasonKnockKey)
		}
	}
	return nil
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
