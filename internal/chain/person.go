package chain

import (
	"bytes"
	"slices"

	"kith/internal/wire"
)

// What only the chain of a person has: the recovery key, which settles.

// byRecovery reports whether the recovery key of a person's chain signed h.
func (s *State) byRecovery(h *Header) bool { return s.ofPerson && h.Author.Device == s.recoveryID }

// recover is V3 and V4 for a block signed by the recovery key, which is no
// member and has no leaf: it always starts the keys again, among devices that
// are there or that it lets in.
func (c *change) recover() error {
	if (c.h.Author.Person != wire.PersonID{}) {
		return c.refuse("V3", ReasonAuthor)
	}
	for _, op := range c.h.Ops {
		switch op.(type) {
		case *Restart, *AddDevice, *RemoveDevice, *SetInfo:
		default:
			return c.refuse("V4", ReasonRecovery)
		}
	}
	if c.h.restart() == nil {
		return c.refuse("V4", ReasonRecovery)
	}
	return nil
}

// leaveDevice revokes a device that asked for it; a person's chain names it by
// the cut of its log.
func (c *change) leaveDevice(op *Leave) error {
	m, err := c.owner(op.Person, op.Instance)
	if err != nil {
		return err
	}
	switch {
	case len(op.Cites) != 1:
		return c.refuse("V6", ReasonAttachment)
	case len(op.Cuts) != 1:
		return c.refuse("V5", ReasonCut)
	case op.Successor != wire.PersonID{}:
		return c.refuse("V4", ReasonPersonField)
	}
	return c.setDevice(m, op.Cuts[0].Device, StatusRevoked)
}

// settledPerson returns the block of a person's chain that nothing undoes: the
// newest one that the recovery key signed, or genesis.
func (b *Blocks) settledPerson() *node {
	best := b.genesis
	for _, n := range b.by {
		if n != b.genesis && b.genesis.State.byRecovery(n.Header) && (best == b.genesis || newer(n.Header, best.Header)) {
			best = n
		}
	}
	return best
}

// Outranks reports whether one block of the recovery key stands above another, of
// another history of the person.
func Outranks(a, b *Header) bool { return newer(a, b) }

// newer orders the blocks of the recovery key; of two with one number, which
// only a copied phrase makes, the longer history wins, then the lower hash.
func newer(a, b *Header) bool {
	if a.AuthorSeq != b.AuthorSeq {
		return a.AuthorSeq > b.AuthorSeq
	}
	if a.Height != b.Height {
		return a.Height > b.Height
	}
	return compareHashes(a.Hash(), b.Hash()) < 0
}

// root returns where the walk to the head starts.
func (b *Blocks) root() wire.BlockHash {
	if b.genesis.State.ofPerson {
		return b.settledPerson().Hash
	}
	return b.genesis.Hash
}

// Suspended returns, sorted, the devices of a person's chain that revoked each
// other since the recovery key last spoke. Neither counts until it decides; a
// revocation that nobody answers holds at once. It needs no bodies: who holds
// headers alone asks [HeadersOnly].
func (b *Blocks) Suspended() []wire.DeviceID {
	if b.genesis == nil || !b.genesis.State.ofPerson {
		return nil
	}
	type pair struct{ by, whom wire.DeviceID }
	said := make(map[pair]bool)
	settled := b.settledPerson()
	for _, n := range b.by {
		if n == settled || !b.IsAncestor(settled.Hash, n.Hash) {
			continue
		}
		for _, op := range n.Header.Ops {
			switch op := op.(type) {
			case *RemoveDevice:
				said[pair{n.Header.Author.Device, op.Device}] = true
			case *Leave: // from headers alone nobody sees whether it was asked for
				said[pair{n.Header.Author.Device, op.Cuts[0].Device}] = true
			}
		}
	}
	var list []wire.DeviceID
	for p := range said {
		if said[pair{p.whom, p.by}] && !slices.Contains(list, p.by) {
			list = append(list, p.by)
		}
	}
	slices.SortFunc(list, func(a, b wire.DeviceID) int { return bytes.Compare(a[:], b[:]) })
	return list
}
