package chain

import (
	"slices"

	"kith/internal/wire"
)

// What attachments show of a person: its chain, and the knock keys of devices.

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
	c.shown[person] = headers
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
// already seen of this person, so that an old one cannot bring a device back; or
// ends with a block of the recovery key, which stands above every other history,
// newer than any that the group has seen of it.
func (c *bodyCheck) descends(person wire.PersonID, headers []*Header, state *State) bool {
	old, here := c.shown[person]
	var seen wire.BlockHash
	if here {
		seen = old[len(old)-1].Hash()
	} else if c.parent != nil {
		m, known := c.parent.Person(person)
		seen, here = m.PersonHead, known
	}
	if !here || slices.ContainsFunc(headers, func(h *Header) bool { return h.Hash() == seen }) {
		return true
	}
	tip := headers[len(headers)-1]
	if !state.byRecovery(tip) {
		return false
	}
	if old == nil {
		old = c.shownBefore(person, seen)
	}
	for _, h := range old {
		if state.byRecovery(h) && !newer(tip, h) {
			return false
		}
	}
	return old != nil
}

// shownBefore returns the proof by which person_head became what it is, which
// some block on the way here carries.
func (c *bodyCheck) shownBefore(person wire.PersonID, head wire.BlockHash) []*Header {
	for n := c.at; n != nil; n = n.parent {
		cited := 0
		for _, op := range n.Header.Ops {
			if p, h := proves(op); p == person && h == head && n.Body != nil && cited < len(n.Body.Attachments) {
				if headers, err := ParseProof(n.Body.Attachments[cited]); err == nil {
					return headers
				}
			}
			cited += len(Cites(op))
		}
	}
	return nil
}

// proves returns whose person_head an op moves, and where to.
func proves(op Op) (wire.PersonID, wire.BlockHash) {
	switch op := op.(type) {
	case *Genesis:
		return op.Creator, op.PersonHead
	case *Add:
		return op.Person, op.PersonHead
	case *AddDevice:
		return op.Person, op.PersonHead
	case *RemoveDevice:
		return op.Person, op.PersonHead
	}
	return wire.PersonID{}, wire.BlockHash{}
}

func (c *bodyCheck) knockKeys(devices []DeviceEntry, keys [][]byte) error {
	for i, d := range devices {
		if len(keys[i]) != KnockKeySize || KnockHash(keys[i]) != d.KnockHash {
			return c.refuse(ReasonKnockKey)
		}
	}
	return nil
}
