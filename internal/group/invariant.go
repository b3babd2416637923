package group

import (
	"bytes"
	"errors"
	"fmt"
	"maps"

	"kith/internal/dag"
	"kith/internal/mls"
	"kith/internal/wire"
)

// CheckInvariants looks for a fault of the machine itself: nothing that comes
// from outside makes it return an error. It reads the head and what is kept of
// epochs, no entries; tests call it after every step.
func (m *Machine) CheckInvariants() error {
	if m.head != m.pick() {
		return errors.New("group: the head is not what fork choice picks")
	}
	if s := m.votes.Settled(); s != m.final.block || !m.blocks.IsAncestor(s, m.head) {
		return errors.New("group: the head is not on the settled chain")
	}
	if err := m.checkPublics(); err != nil {
		return err
	}
	for _, hash := range sortedBlocks(m.epochs) {
		e, h := m.epochs[hash], m.blocks.Header(hash)
		switch {
		case h == nil || e.secret == nil || e.ratchets == nil:
			return fmt.Errorf("group: the epoch of block %v is not whole", hash)
		case !bytes.Equal(e.secret.Public().TreeHash(), h.TreeHash[:]),
			hash == m.head && e.secret != m.soundHead && externalDigest(e.secret.ExternalPub()) != h.ExternalPub: // costs a key derivation
			return fmt.Errorf("group: the epoch of block %v is another one's", hash)
		}
		if hash == m.head {
			m.soundHead = e.secret
		}
	}
	for r := range m.waiting {
		if m.graph.Has(r) {
			return fmt.Errorf("group: entry %v is here and is marked as waiting", r)
		}
	}
	return nil
}

// checkPublics is invariant R1. A block and its public group never change, so each is
// looked at once.
func (m *Machine) checkPublics() error {
	maps.DeleteFunc(m.sound, func(hash wire.BlockHash, p *mls.PublicGroup) bool { return m.publics[hash] != p })
	if len(m.sound) == len(m.publics) {
		return nil
	}
	if m.sound == nil {
		m.sound = make(map[wire.BlockHash]*mls.PublicGroup)
	}
	for _, hash := range sortedBlocks(m.publics) {
		if m.sound[hash] != nil {
			continue
		}
		if err := m.checkPublic(hash); err != nil {
			return fmt.Errorf("group: block %v: %w", hash, err)
		}
		m.sound[hash] = m.publics[hash]
	}
	return nil
}

// checkPublic is invariant R1 for one block.
func (m *Machine) checkPublic(hash wire.BlockHash) error {
	h, s, p := m.blocks.Header(hash), m.blocks.State(hash), m.publics[hash]
	switch {
	case h == nil:
		return errors.New("a public group of an unknown block")
	case wire.Digest(p.ConfirmedTranscriptHash()) != h.Transcript || p.Epoch() != s.Epoch():
		return errors.New("the public group is another block's")
	}
	return checkRoster(s, p)
}

// Frontier says how far each log is here.
func (m *Machine) Frontier() dag.Frontier { return m.graph.Frontier() }

// Twins are the pairs of entries in which one device used one number twice.
func (m *Machine) Twins() [][2]dag.Ref { return m.graph.Evidence() }

// Heads are the entries here that no other names.
func (m *Machine) Heads() []dag.Ref { return m.graph.Heads() }
