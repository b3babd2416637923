package group

import (
	"bytes"
	"errors"

	"kith/internal/chain"
	"kith/internal/dag"
	"kith/internal/mls"
	"kith/internal/wire"
)

// Join makes the machine of a group that from invites this device to, after
// checking everything from genesis; whatever does not check refuses the whole.
// secrets finds the private part of one of this device's key packages. The new
// machine is invited: it says nothing until Accept, unless another device of its
// own person added it.
func Join(self Self, payload []byte, from wire.Member, secrets Secrets, now uint64) (*Machine, Effects, error) {
	r := wire.NewReader(payload)
	r.U8()
	inv, err := parseInvitation(r)
	if err != nil || !IsInvitation(payload) || isPages(payload) {
		return nil, Effects{}, refuse(ReasonInvite, errors.Join(err, errShape))
	}
	var eff Effects
	m := newMachine(self)
	m.now = now
	for _, b := range inv.blocks {
		hash, err := m.takeBlock(b.header, b.body, &eff)
		if err != nil {
			return nil, Effects{}, refuse(ReasonInvite, err)
		}
		m.takeWelcome(&peer{member: from}, hash, b.welcome, &eff)
	}
	if err := m.takeCertificate(inv.certificate, &eff); err != nil {
		return nil, Effects{}, refuse(ReasonInvite, err)
	}
	if err := m.comeIn(now, inv, from, secrets, &eff); err != nil {
		return nil, Effects{}, refuse(ReasonInvite, err)
	}
	return m, m.finish(now, eff), nil
}

// comeIn makes of a machine that holds the blocks and votes of an invitation one
// that is in the group, by the Welcome.
func (m *Machine) comeIn(now uint64, inv invitation, from wire.Member, secrets Secrets, eff *Effects) error {
	m.pin(eff)
	w, err := readWelcome(inv.welcome)
	if err != nil {
		return err
	}
	if !m.blocks.Has(inv.block) {
		return errWelcome
	}
	if !m.mayInvite(from, inv.block) {
		return errInviter
	}
	if w.empty() {
		err = m.comeInWithout(inv, w.floor, eff)
	} else {
		err = m.comeInBy(inv, w, secrets, eff)
	}
	if err != nil {
		return err
	}
	m.openRestarts(now, secrets, eff)
	m.joined, m.status = inv.block, m.welcomed(inv.block)
	if m.status == StatusActive {
		m.ackDue = now
	}
	m.addInfo(m.self.Info, eff)
	m.advance(now, eff)
	m.takeInfos(inv.infos, eff)
	m.dropWelcomes(eff)
	for _, b := range inv.reaches {
		m.takeReach(b, from.Device, eff)
	}
	if m.status.gone() {
		return ErrStale
	}
	return nil
}

// comeInBy takes what a Welcome gives.
func (m *Machine) comeInBy(inv invitation, w welcome, secrets Secrets, eff *Effects) error {
	a, err := m.openWelcome(inv.block, w, secrets)
	if err != nil {
		return err
	}
	if err := m.startLogs(a.floor, w.floor, eff); err != nil {
		return err
	}
	m.enter(a, w, eff)
	return nil
}

// startLogs starts the logs at a floor, which was checked.
func (m *Machine) startLogs(f dagFloor, bytes []byte, eff *Effects) error {
	if err := m.graph.SetFloor(f); err != nil {
		return err
	}
	m.keepTips(f)
	eff.put(KindFloor, nil, bytes)
	return nil
}

// ErrStale: who brings an invitation may not know yet that it was taken back.
var ErrStale = errors.New("group: the invitation was taken back")

var (
	errShape   = errors.New("group: not an invitation")
	errInviter = errors.New("group: the sender is no member")
	errWelcome = errors.New("group: the welcome does not fit its block")
)

// An admission is what a Welcome gives: the epoch after the block, and where the
// logs start.
type admission struct {
	block wire.BlockHash
	epoch *mls.Epoch
	floor dagFloor
	use   Use // of the key package
}

// openWelcome opens a Welcome and checks it against the block it names
// (docs/spec/chain.md, "Joining").
func (m *Machine) openWelcome(hash wire.BlockHash, w welcome, secrets Secrets) (*admission, error) {
	h, state := m.blocks.Header(hash), m.blocks.State(hash)
	if h == nil || !state.Active(m.self.Device.ID()) || !m.fitsBlock(w, hash) {
		return nil, errWelcome
	}
	ref, ok := m.addedBy(hash, m.self.Member())
	if !ok {
		return nil, errWelcome
	}
	use := Use{Ref: ref, Block: hash, Parent: h.Parent}
	if !isRestart(h) {
		use.By = h.Author.Person
	}
	private, ok := secrets(use)
	if !ok {
		return nil, errWelcome
	}
	sec, err := mls.ParseKeyPackageSecrets(private)
	if err != nil {
		return nil, err
	}
	defer sec.Erase()
	kp, err := admittedPackage(m.blocks.Body(hash), use.Ref[:])
	if err != nil {
		return nil, err
	}
	public, err := m.public(hash)
	if err != nil {
		return nil, err
	}
	e, info, err := public.Join(w.message, kp, sec)
	if err != nil {
		return nil, err
	}
	floor, err := m.admittedFloor(h, e, info, w)
	if err != nil {
		e.Erase()
		return nil, err
	}
	return &admission{hash, e, floor, use}, nil
}

// admittedFloor returns the floor beside a Welcome that was opened, if both are
// what the block says.
func (m *Machine) admittedFloor(h *chain.Header, e *mls.Epoch, info *mls.GroupInfo, w welcome) (dagFloor, error) {
	floor, err := dag.ParseFloor(w.floor)
	if err != nil {
		return dagFloor{}, err
	}
	if !m.fits(h, e, info, floor) {
		return dagFloor{}, errWelcome
	}
	return floor, m.checkFloor(floor)
}

// addedBy returns the reference of the key package by which a block adds a
// device.
func (m *Machine) addedBy(hash wire.BlockHash, who wire.Member) (ref [32]byte, ok bool) {
	if h := m.blocks.Header(hash); !isRestart(h) {
		entry, ok := entryOf(h, who)
		return [32]byte(entry.KeyPackageRef), ok
	}
	return addedAnew(m.blocks.Body(hash), who)
}

// fits compares what a Welcome holds with the block it names. That the epoch is
// the one after the block, PublicGroup.Join has found: it entered no other.
func (m *Machine) fits(h *chain.Header, e *mls.Epoch, info *mls.GroupInfo, floor dagFloor) bool {
	hash, sum := h.Hash(), floor.Hash()
	author, ok := e.Public().LeafOf(credential(h.Author))
	own, found := e.Public().LeafOf(credential(m.self.Member()))
	return ok && author.Index == info.Signer && found && own.Index == e.OwnLeaf() &&
		bytes.Equal(extension(info.Extensions, extBlock), hash[:]) &&
		bytes.Equal(extension(info.Extensions, extFloor), sum[:]) &&
		externalDigest(e.ExternalPub()) == h.ExternalPub
}

// enter takes what a Welcome gave.
func (m *Machine) enter(a *admission, w welcome, eff *Effects) {
	m.keepEpoch(a.block, a.epoch, eff)
	m.keepWelcome(a.block, w, eff)
	m.followAfter(a.block, eff)
	eff.Used = append(eff.Used, a.use)
}

// checkFloor checks the signatures of the floor's heads: their authors were
// members at the blocks they name, which may lie on branches that lost.
func (m *Machine) checkFloor(f dagFloor) error {
	for _, b := range f.Heads {
		h, err := dag.ParseHeader(b)
		if err != nil {
			return err
		}
		s := m.blocks.State(h.Block)
		if s == nil || h.Group != m.group {
			return errWelcome
		}
		_, d, ok := s.Device(h.Device)
		if !ok || !h.VerifySignature(d.Key[:]) {
			return errWelcome
		}
	}
	return nil
}

// followAfter follows the blocks above the one this device came in by.
func (m *Machine) followAfter(joined wire.BlockHash, eff *Effects) {
	for _, hash := range m.blocks.All() {
		if hash == joined || !m.blocks.IsAncestor(joined, hash) || m.epochs[hash] != nil {
			continue
		}
		c, err := commitOf(m.blocks.Header(hash), m.blocks.Body(hash))
		if err != nil {
			continue
		}
		public, err := m.public(hash)
		if err != nil {
			continue
		}
		e, fault := m.follow(m.blocks.Header(hash), c, public)
		if e != nil {
			m.keepEpoch(hash, e, eff)
		} else if fault != 0 {
			m.nack(hash, fault, eff)
		}
	}
}

// admittedPackage returns the key package that a body's commit adds by ref.
func admittedPackage(body *chain.Body, ref []byte) (*mls.KeyPackage, error) {
	c, err := mls.ParseCommit(body.Commit)
	if err != nil {
		return nil, err
	}
	for _, p := range c.Proposals() {
		if p.Type == mls.ProposalAdd && bytes.Equal(p.KeyPackage.Ref(), ref) {
			return p.KeyPackage, nil
		}
	}
	return nil, errWelcome
}

func extension(list []mls.Extension, kind uint16) []byte {
	for _, e := range list {
		if e.Type == kind {
			return e.Data
		}
	}
	return nil
}

// mayInvite reports whether a device is a member's, at the block that invites or
// now: who passes an invitation on may have come in later than it was made.
func (m *Machine) mayInvite(from wire.Member, block wire.BlockHash) bool {
	return m.stateAt(block).Belongs(from.Device) || m.stateAt(m.pick()).Belongs(from.Device)
}

// readmit opens an invitation that came to a machine that is here already: its
// device was removed and is added again, or added on another branch too.
func (m *Machine) readmit(now uint64, inv invitation, from wire.Member, secrets Secrets, eff *Effects) {
	if secrets == nil || !m.blocks.Has(inv.block) || m.epochs[inv.block] != nil || !m.mayInvite(from, inv.block) {
		return
	}
	w, err := parseWelcome(inv.welcome)
	if err != nil {
		return
	}
	a, err := m.openWelcome(inv.block, w, secrets)
	if err != nil {
		return // stale: its key package was used up
	}
	m.enter(a, w, eff)
	m.openRestarts(now, secrets, eff)
	m.reconsider(eff)
	if m.readStatus(eff) {
		m.greetAll(now, eff)
	}
	m.ackDue = m.soon(m.ackDue, now) // what was due before the keys came was not signed
	eff.Write = append(eff.Write, m.selfRecord())
}
