package group

import (
	"bytes"
	"cmp"
	"errors"
	"slices"

	"kith/internal/chain"
	"kith/internal/mls"
	"kith/internal/wire"
)

// A device that has the keys of a block's parent and cannot follow the block
// signs a Nack: its author made the commit so that this device, or everybody, is
// shut out. Such a block is poisoned. A Nack is kept, and told to every member
// whose program reads it (docs/spec/group.md, "Poisoned blocks").
//
//	size field
//	1    12, faults
//	     nacks: opaque<V> each, see chain.Nack
//	     evidence: opaque<V> each, see evidence.go

type faultsFrame struct{ nacks, evidence [][]byte }

func (f faultsFrame) bytes() []byte {
	var w wire.Writer
	w.U8(frameFaults)
	writeList(&w, f.nacks)
	writeList(&w, f.evidence)
	return w.Bytes()
}

func (f faultsFrame) empty() bool { return len(f.nacks)+len(f.evidence) == 0 }

func parseFaults(r *wire.Reader) (f faultsFrame, err error) {
	f.nacks = readList(r, maxNack, maxStatements)
	f.evidence = readList(r, maxEvidence, maxStatements)
	return f, r.Done()
}

// follow returns the epoch after a block, nil if this device has no keys for it:
// it was not a member, is removed by it, the keys start anew there, or, which
// the reason then says, the commit cannot be followed.
func (m *Machine) follow(h *chain.Header, c *mls.Commit, public *mls.PublicGroup) (*mls.Epoch, chain.NackReason) {
	parent := m.epochs[h.Parent]
	if parent == nil || parent.secret.Closed() || h.Starts() || h.Author.Device == m.self.Device.ID() {
		return nil, 0 // an own block comes with its epoch
	}
	next, _, err := parent.secret.Process(c)
	switch {
	case errors.Is(err, mls.ErrRemoved):
		return nil, 0
	case err != nil:
		if why, ok := errors.AsType[*mls.Error](err); ok && why.Reason == mls.ReasonConfirmation {
			return nil, chain.NackTag
		}
		return nil, chain.NackPath
	case !bytes.Equal(next.Public().TreeHash(), public.TreeHash()):
		return nil, chain.NackPath
	case externalDigest(next.ExternalPub()) != h.ExternalPub:
		next.Erase()
		return nil, chain.NackExternalPub
	}
	return next, 0
}

// nack signs that this device cannot follow a block that is held.
func (m *Machine) nack(hash wire.BlockHash, reason chain.NackReason, eff *Effects) {
	own := m.self.Device.ID()
	if m.nacks[hash][own] != nil || m.outsideAt(hash) {
		return
	}
	n := chain.SignNack(m.self.Device.Sign, m.group, own, hash, reason)
	m.keepNack(n, eff)
	eff.Notify = append(eff.Notify, CannotFollow{hash, faultOf(reason)})
	if m.speaks() {
		m.tellFaults(faultsFrame{nacks: [][]byte{n.Marshal()}}, wire.DeviceID{}, eff)
	}
}

func faultOf(r chain.NackReason) Fault {
	if r == chain.NackExternalPub {
		return FaultExternalPub
	}
	return FaultCommit
}

func (m *Machine) keepNack(n *chain.Nack, eff *Effects) {
	if m.nacks[n.Block] == nil {
		m.nacks[n.Block] = make(map[wire.DeviceID]*chain.Nack)
	}
	m.nacks[n.Block][n.Device] = n
	eff.put(KindNack, append(n.Block[:], n.Device[:]...), n.Marshal())
}

// takeNack takes a Nack from a device: true if it is new and holds.
func (m *Machine) takeNack(b []byte, from wire.DeviceID, eff *Effects) bool {
	n, err := chain.ParseNack(b)
	if err != nil || n.Group != m.group || !m.blocks.Has(n.Block) || m.nacks[n.Block][n.Device] != nil {
		return false
	}
	h := m.blocks.Header(n.Block)
	_, d, known := m.state().Device(n.Device)
	parent := m.stateAt(h.Parent) // nil before genesis
	concerned := m.stateAt(n.Block).Active(n.Device) || parent != nil && parent.Active(n.Device)
	if !known || !m.state().Belongs(n.Device) || h.Author.Device == n.Device || !concerned || !m.falseShares.hold(m.now, from, n.Verify, d.Key[:]) {
		return false
	}
	if !m.roomForNack(n, eff) {
		return false
	}
	m.keepNack(n, eff)
	eff.Notify = append(eff.Notify, Nacked{n.Device, n.Block})
	return true
}

// roomForNack drops the Nack of the lowest block of a device that has too many.
func (m *Machine) roomForNack(n *chain.Nack, eff *Effects) bool {
	var list []wire.BlockHash
	for _, hash := range sortedBlocks(m.nacks) {
		if m.nacks[hash][n.Device] != nil {
			list = append(list, hash)
		}
	}
	if len(list) < maxNacks {
		return true
	}
	slices.SortFunc(list, func(a, b wire.BlockHash) int {
		return cmp.Or(cmp.Compare(m.blocks.Header(a).Height, m.blocks.Header(b).Height), bytes.Compare(a[:], b[:]))
	})
	if m.blocks.Header(list[0]).Height >= m.blocks.Header(n.Block).Height {
		return false
	}
	m.dropNack(list[0], n.Device, eff)
	return true
}

func (m *Machine) dropNack(hash wire.BlockHash, d wire.DeviceID, eff *Effects) {
	delete(m.nacks[hash], d)
	if len(m.nacks[hash]) == 0 {
		delete(m.nacks, hash)
	}
	eff.drop(KindNack, append(hash[:], d[:]...))
}

// dropNacks forgets those that count for nothing any more: of devices that are
// gone, and of blocks that fork choice cannot come back to, unless they lie on the
// chain and still speak for a Restart.
func (m *Machine) dropNacks(eff *Effects) {
	if len(m.nacks) == 0 {
		return
	}
	live := m.liveNacks()
	for _, hash := range sortedBlocks(m.nacks) {
		deep := m.blocks.Header(hash).Height+maxEpochs < m.state().Height()
		for _, d := range sortedDevices(m.nacks[hash]) {
			if !m.state().Belongs(d) || deep && live[d] != m.nacks[hash][d] {
				m.dropNack(hash, d, eff)
			}
		}
	}
}

// liveNacks returns, one of each device, the Nacks that a Restart on the head may
// cite: of blocks since the keys started, by devices that are active and have
// signed no block since. Whoever came back has signed one.
func (m *Machine) liveNacks() map[wire.DeviceID]*chain.Nack {
	live := make(map[wire.DeviceID]*chain.Nack)
	for _, hash := range sortedBlocks(m.nacks) {
		if !m.blocks.IsAncestor(hash, m.head) || m.blocks.Header(hash).Height < m.state().Start() {
			continue
		}
		for d, n := range m.nacks[hash] {
			if m.state().Active(d) && !m.signedFrom(d, hash) {
				live[d] = n
			}
		}
	}
	return live
}

// signedFrom reports whether a device signed a block of the head's chain at the
// height of an earlier one, or above it.
func (m *Machine) signedFrom(d wire.DeviceID, hash wire.BlockHash) bool {
	var before uint64
	if parent := m.stateAt(m.blocks.Header(hash).Parent); parent != nil {
		before = parent.LastSeq(d)
	}
	return m.state().LastSeq(d) > before
}

// tellFaults sends to every member's device that takes part and can read it, but
// for the one it came from.
func (m *Machine) tellFaults(f faultsFrame, from wire.DeviceID, eff *Effects) {
	payload := f.bytes()
	for _, d := range m.connected(true) {
		if d != from && m.readsRepair(m.peers[d]) {
			eff.send(d, payload)
		}
	}
}

// readsRepair reports whether a peer's program reads the frames of FeatureRepair.
func (m *Machine) readsRepair(p *peer) bool {
	return m.modern(p.member.Device)
}

// offerFaults sends a peer all Nacks and evidence.
func (m *Machine) offerFaults(p *peer, eff *Effects) {
	var f faultsFrame
	for _, hash := range sortedBlocks(m.nacks) {
		for _, d := range sortedDevices(m.nacks[hash]) {
			if len(f.nacks) < maxStatements {
				f.nacks = append(f.nacks, m.nacks[hash][d].Marshal())
			}
		}
	}
	f.evidence = m.allEvidence()
	if !f.empty() && m.readsRepair(p) {
		eff.send(p.member.Device, f.bytes())
	}
}

func (m *Machine) onFaults(p *peer, r *wire.Reader, eff *Effects) error {
	f, err := parseFaults(r)
	if err != nil {
		return err
	}
	var fresh faultsFrame // evidence that is new here is told where it is kept
	for _, b := range f.nacks {
		if m.takeNack(b, p.member.Device, eff) {
			fresh.nacks = append(fresh.nacks, b)
		} else if n, err := chain.ParseNack(b); err == nil && !m.blocks.Has(n.Block) {
			m.wantHave(m.now, p) // the block comes another way, and then it is told again
		}
	}
	for _, b := range f.evidence {
		m.takeEvidence(b, p.member.Device, eff)
	}
	if !fresh.empty() {
		m.tellFaults(fresh, p.member.Device, eff)
	}
	return nil
}
