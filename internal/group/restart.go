package group

import (
	"bytes"
	"slices"

	"kith/internal/chain"
	"kith/internal/mls"
	"kith/internal/wire"
)

// A Restart begins the keys of a group anew: in its block an MLS group starts with
// the author alone, and the block's commit adds every other device from the
// last-resort key package that its person's chain names (docs/spec/group.md,
// "Restart"). Whoever has none is parked and comes back by itself.

// restart is an admin's word.
func (m *Machine) restart(now uint64, c Restart, eff *Effects) error {
	switch {
	case m.status != StatusActive:
		return refuse(ReasonNotActive, nil)
	case !m.state().Active(m.self.Device.ID()):
		return refuse(ReasonNoKeys, nil)
	case !m.state().IsAdmin(m.self.Person):
		return refuse(ReasonRole, nil)
	}
	for _, who := range m.state().Members() {
		for _, d := range who.Devices {
			if d.Status == chain.StatusActive && !m.reads(d.ID, FeatureRepair) {
				return refuse(ReasonOlder, nil) // it would have to stop
			}
		}
	}
	suite, reason := m.state().Suite(), chain.RestartLost
	if c.Suite != 0 {
		suite = uint16(c.Suite)
	}
	if suite != m.state().Suite() {
		reason = chain.RestartSuite
	} else if len(m.liveNacks()) > 0 {
		reason = chain.RestartPoisoned
	}
	if m.restrained() {
		return refuse(ReasonUnsettled, nil)
	}
	if !slices.Contains(Suites(), mls.Suite(suite)) {
		return refuse(ReasonRule, ErrSuite)
	}
	return m.startAnew(now, suite, reason, nil, eff)
}

// startAnew makes the block of a Restart on the head; nacks give the right to it
// to who is no admin.
func (m *Machine) startAnew(now uint64, suite uint16, reason chain.RestartReason, nacks []*chain.Nack, eff *Effects) error {
	own, secrets, err := m.self.newPackage(mls.Suite(suite), false, now)
	if err != nil {
		return err
	}
	op := &chain.Restart{Suite: suite, Reason: reason}
	var attachments [][]byte
	if len(nacks) > 0 {
		attachments = [][]byte{chain.MarshalNacks(nacks)}
		op.Cites = cites(attachments)
	}
	add, parked := m.lastResorts(mls.Suite(suite), now)
	op.Parked = parked
	h, state, err := m.draft(now, m.head, suite, []chain.Op{op})
	if err != nil {
		return err
	}
	b, err := m.startKeys(h, state, own, secrets, add, attachments, m.floorFor(nil))
	if err != nil {
		return err
	}
	if err := m.keepOwn(b, eff); err != nil {
		return err
	}
	m.back = rejoin{}
	m.spread(h.Hash(), eff)
	m.advance(now, eff)
	return nil
}

// lastResorts returns the key packages of the other devices that have a leaf at
// the head, and those that have none that the group can use: both in one order for
// everybody.
func (m *Machine) lastResorts(suite mls.Suite, now uint64) (add []*mls.KeyPackage, parked []wire.DeviceID) {
	for _, who := range m.state().Members() {
		for _, d := range who.Devices {
			if d.Status != chain.StatusActive || d.ID == m.self.Device.ID() {
				continue
			}
			if kp := m.packageOf(wire.Member{Person: who.Person, Device: d.ID}, suite, now); kp != nil && len(add) < maxRestart && containsAll(featuresIn(kp.LeafExtensions()), m.state().Features()) {
				add = append(add, kp)
			} else {
				parked = append(parked, d.ID)
			}
		}
	}
	slices.SortFunc(parked, compareID)
	return add, parked
}

// startKeys makes the block of h, in which an MLS group starts: its author alone
// in epoch 0, from where the block's commit leads to epoch 1 (docs/spec/chain.md).
// The secrets of kp are erased.
func (m *Machine) startKeys(h *chain.Header, state *chain.State, kp *mls.KeyPackage, secrets *mls.KeyPackageSecrets, add []*mls.KeyPackage, attachments [][]byte, floor dagFloor) (*madeBlock, error) {
	core := h.Core()
	e0, err := mls.Create(kp.Suite(), mlsGroupID(core), kp, secrets)
	secrets.Erase()
	if err != nil {
		return nil, err
	}
	defer e0.Erase()
	staged, err := e0.Commit(mls.CommitParams{Add: add, AuthenticatedData: core[:], Signer: m.self.Device, LeafExtensions: m.self.announced()})
	if err != nil {
		return nil, err
	}
	body := &chain.Body{
		Epoch0:      &chain.Epoch0{LeafNode: kp.LeafNode(), ConfirmationTag: e0.ConfirmationTag()},
		Commit:      staged.Commit.Bytes(),
		Attachments: attachments,
	}
	return m.seal(h, body, state, staged, floor, len(add) > 0)
}

// starterChanges checks the commit of a Restart: it adds each device that has a
// leaf after the block, but for its author's, from a last-resort key package of
// its own, and does nothing else. That none is missing is compared with the
// roster after.
func starterChanges(state *chain.State, c *mls.Commit) error {
	for _, p := range c.Proposals() {
		if p.Type != mls.ProposalAdd || !p.KeyPackage.LastResort() {
			return errCommit
		}
		who, ok := member(p.KeyPackage.Identity())
		if !ok || !state.Active(who.Device) || !bytes.Equal(p.KeyPackage.SignatureKey(), keyOf(state, who)) {
			return errCommit
		}
	}
	return nil
}

// keyOf returns the key of a member's device; nil: it is not that member's.
func keyOf(s *chain.State, who wire.Member) []byte {
	owner, d, ok := s.Device(who.Device)
	if !ok || owner.Person != who.Person {
		return nil
	}
	return d.Key[:]
}

// openRestarts opens the Welcomes of Restarts at which this device should have
// keys and has none.
func (m *Machine) openRestarts(now uint64, secrets Secrets, eff *Effects) {
	if secrets == nil {
		return
	}
	for _, hash := range sortedBlocks(m.welcomes) {
		h := m.blocks.Header(hash)
		if !isRestart(h) || m.epochs[hash] != nil || !m.stateAt(hash).Active(m.self.Device.ID()) {
			continue
		}
		w := m.welcomes[hash]
		sum := wire.Hash(wire.HashDigest, w.bytes())
		if m.tried[hash] == wire.Digest(sum) {
			continue // it did not open
		}
		m.tried[hash] = wire.Digest(sum)
		a, err := m.openWelcome(hash, w, secrets)
		if err != nil {
			continue
		}
		m.enter(a, w, eff)
		m.reconsider(eff)
		m.ackDue = m.soon(m.ackDue, now)
	}
}

// isRestart reports whether a block starts keys anew.
func isRestart(h *chain.Header) bool { return h.Starts() && !h.IsGenesis() }

// addedAnew returns the reference of the key package by which a Restart adds a
// device.
func addedAnew(body *chain.Body, who wire.Member) (ref [32]byte, ok bool) {
	c, err := mls.ParseCommit(body.Commit)
	if err != nil {
		return ref, false
	}
	for _, p := range c.Proposals() {
		if p.Type == mls.ProposalAdd && bytes.Equal(p.KeyPackage.Identity(), credential(who)) {
			return [32]byte(p.KeyPackage.Ref()), true
		}
	}
	return ref, false
}
