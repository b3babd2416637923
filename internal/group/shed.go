package group

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"slices"

	"kith/internal/chain"
	"kith/internal/wire"
)

// A device may sign any number of blocks, and on any old parent, and a person let
// any number of devices in. Of their blocks at one height the few are kept that
// [chain.Surplus] leaves, and with the head's chain
// whatever something else that is held names:
//
//	block comes ── checked ──> held ── surplus, and nothing names it ──> dropped
//	dropped ── an entry, a vote or a block that its author signed names it ──> wanted
//	wanted ── comes again ──> held, until what names it is here
//
// What of them is held follows from the blocks, votes and entries held, whatever
// came first. Nothing honest is lost by it: who wrote, voted or built on a block
// keeps it for everybody.

// shed drops what is surplus and returns the head that is left.
func (m *Machine) shed(eff *Effects) wire.BlockHash {
	head := m.pick()
	if uint64(m.blocks.Len()) == m.stateAt(head).Height()+1 {
		m.forgetWanted(nil) // there is no fork
		return head
	}
	var named map[wire.BlockHash]bool // once something is surplus
	spared := make(map[wire.BlockHash]bool)
	m.blocks.Keeps = func(hash wire.BlockHash) bool {
		if named == nil {
			named = m.named()
		}
		if hash == head || named[hash] || m.graph.Names(hash) {
			return true
		}
		spared[hash] = m.wanted[hash] != wire.DeviceID{}
		return spared[hash]
	}
	for {
		dropped := m.blocks.Shed(m.votes.Settled())
		for _, b := range dropped {
			m.dropBlock(b, eff)
		}
		next := m.pick()
		if len(dropped) == 0 || next == head { // what is dropped says nothing any more
			m.forgetWanted(spared)
			return next
		}
		head = next
	}
}

// named returns the blocks that this device cannot do without, besides those that
// its log names.
func (m *Machine) named() map[wire.BlockHash]bool {
	named := m.votes.Named()
	for _, hash := range []wire.BlockHash{m.head, m.joined, m.replaced} {
		named[hash] = true
	}
	for hash := range m.undone {
		named[hash] = true
	}
	for _, h := range m.waiting {
		named[h.Block] = true
	}
	return named
}

// dropBlock forgets a block that is not held any more.
func (m *Machine) dropBlock(b *chain.Block, eff *Effects) {
	hash, h := b.Hash, b.Header
	eff.drop(KindBlock, blockKey(h.Height, hash))
	if at := (signing{h.Author.Device, h.AuthorSeq}); m.signings[at] == hash {
		delete(m.signings, at)
	}
	delete(m.publics, hash)
	if m.trees[hash] {
		delete(m.trees, hash)
		eff.drop(KindPublic, hash[:])
	}
	if m.epochs[hash] != nil {
		m.dropEpoch(hash, eff)
	}
	if !m.welcomes[hash].empty() {
		delete(m.welcomes, hash)
		eff.drop(KindWelcome, hash[:])
	}
	delete(m.tried, hash)
	for _, d := range sortedDevices(m.nacks[hash]) {
		m.dropNack(hash, d, eff)
	}
	m.carrying = carrying{} // it counts blocks
}

// futile reports whether a block would be dropped as soon as it is taken, whatever
// else it says: then it is not worth checking. It is excluded by what is settled, so
// that it never is the head; enough of its device at its height are held that come
// before it; and nobody names it, nor is anything of the same frame built on it.
func (m *Machine) futile(header []byte, rest []blockFrame) bool {
	h, err := chain.ParseHeader(header)
	if err != nil || h.IsGenesis() || !m.blocks.Has(h.Parent) || m.blocks.IsAncestor(m.votes.Settled(), h.Parent) {
		return false
	}
	hash := h.Hash()
	if m.blocks.Has(hash) || m.wanted[hash] != (wire.DeviceID{}) || m.lower(h, hash) < chain.MaxSiblings {
		return false
	}
	return !slices.ContainsFunc(rest, func(b blockFrame) bool {
		next, err := chain.ParseHeader(b.header)
		return err == nil && next.Parent == hash
	})
}

// lower counts the contents held of a device at a height under lower hashes.
func (m *Machine) lower(h *chain.Header, hash wire.BlockHash) int {
	var contents [][]byte
	for _, other := range m.blocks.At(h.Height) {
		o := m.blocks.Header(other)
		if o.Author != h.Author || bytes.Compare(other[:], hash[:]) >= 0 {
			continue
		}
		content := o.Bytes()
		content = content[:len(content)-wire.SignatureSize]
		if !slices.ContainsFunc(contents, func(c []byte) bool { return bytes.Equal(c, content) }) {
			contents = append(contents, content)
		}
	}
	return len(contents)
}

// stillHeld returns the blocks of a list that were not dropped.
func (m *Machine) stillHeld(list []wire.BlockHash) []wire.BlockHash {
	return slices.DeleteFunc(list, func(hash wire.BlockHash) bool { return !m.blocks.Has(hash) })
}

// want takes note that a block that is not here is named by something that a
// device signed, so that it stays when it comes. Of one device few are, and only if
// it belongs to a member here or on a branch that lost.
func (m *Machine) want(hash wire.BlockHash, by wire.DeviceID, holds func(ed25519.PublicKey) bool) {
	if m.blocks.Has(hash) || m.wanted[hash] != (wire.DeviceID{}) {
		return
	}
	n := 0
	for _, d := range m.wanted {
		if d == by {
			n++
		}
	}
	if n >= maxWanted {
		return
	}
	if key := m.keyAnywhere(by); key != nil && holds(key) {
		m.wanted[hash] = by
	}
}

// wantNamed is want for what votes name.
func (m *Machine) wantNamed(votes []*chain.Vote) {
	for _, v := range votes {
		for _, hash := range []wire.BlockHash{v.Block, v.Source.Block} {
			m.want(hash, v.Device, v.Verify)
		}
	}
}

// wantParent is want for the block that another is built on.
func (m *Machine) wantParent(header []byte, err error) {
	if _, missing := errors.AsType[*chain.MissingError](err); !missing {
		return
	}
	if h, err := chain.ParseHeader(header); err == nil && h.Group == m.group {
		m.want(h.Parent, h.Author.Device, h.VerifySignature)
	}
}

// keyAnywhere returns the key of a device that belongs at the head, or on some
// branch; nil: on none.
func (m *Machine) keyAnywhere(d wire.DeviceID) ed25519.PublicKey {
	if key := m.deviceKey(d); key != nil {
		return key
	}
	for _, tip := range m.blocks.Tips() {
		if s := m.stateAt(tip); s.Belongs(d) {
			_, known, _ := s.Device(d)
			return known.Key[:]
		}
	}
	return nil
}

// forgetWanted forgets the wanted blocks that are here and stay without that.
func (m *Machine) forgetWanted(spared map[wire.BlockHash]bool) {
	for hash := range m.wanted {
		if m.blocks.Has(hash) && !spared[hash] {
			delete(m.wanted, hash)
		}
	}
}
