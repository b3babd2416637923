package group

import (
	"bytes"
	"errors"
	"slices"

	"kith/internal/chain"
	"kith/internal/dag"
	"kith/internal/mls"
	"kith/internal/wire"
)

// Extensions of the GroupInfo in a Welcome (RFC 9420 section 12.4.3.1), from
// the range for private use.
const (
	extBlock uint16 = 0xF001 // block hash that the Welcome belongs to
	extFloor uint16 = 0xF002 // hash of the floor that travels beside it
)

type dagFloor = dag.Floor

// A welcome is what a block gives its newcomers beside the block itself. Every
// member keeps it and passes it on until they have all accepted.
//
//	size field
//	V    MLS Welcome, with the tree in its GroupInfo
//	V    floor, docs/spec/entry.md
type welcome struct{ message, floor []byte }

func (w welcome) empty() bool { return len(w.message) == 0 }

func (w welcome) bytes() []byte {
	var out wire.Writer
	out.Vec(w.message)
	out.Vec(w.floor)
	return out.Bytes()
}

func parseWelcome(b []byte) (w welcome, err error) {
	r := wire.NewReader(b)
	w.message, w.floor = r.Vec(maxBlock), r.Vec(maxHave)
	if err := r.Done(); err != nil {
		return w, err
	}
	if w.empty() {
		return w, wire.ErrCanonical
	}
	return w, nil
}

// An invitation is everything a newcomer needs who knows nothing of the group.
//
//	size field
//	1    8, invitation
//	32   block that admits the newcomer
//	V    welcome of that block
//	V    blocks, genesis first: as in a blocks frame
//	V    reaches, each V
//	V    infos, each V
//	V    certificate: the proof that a block is settled; empty until votes exist
type invitation struct {
	block   wire.BlockHash
	welcome []byte
	blocks  []blockFrame
	reaches [][]byte
	infos   [][]byte
}

func (i invitation) bytes() []byte {
	var w wire.Writer
	w.U8(frameInvitation)
	w.Raw(i.block[:])
	w.Vec(i.welcome)
	writeBlocks(&w, i.blocks)
	writeList(&w, i.reaches)
	writeList(&w, i.infos)
	w.Vec(nil)
	return w.Bytes()
}

func parseInvitation(r *wire.Reader) (i invitation, err error) {
	r.Fixed(i.block[:])
	i.welcome = r.Vec(maxBlock)
	r.Each(wire.MaxVector, maxInvitationBlocks, func(r *wire.Reader) {
		i.blocks = append(i.blocks, readBlock(r))
	})
	i.reaches = readList(r, maxReach, maxStatements)
	i.infos = readList(r, maxInfo, maxStatements)
	r.Vec(0)
	return i, r.Done()
}

// IsInvitation reports whether payload is one: what a device may send for a
// group that this device does not know.
func IsInvitation(payload []byte) bool { return len(payload) > 0 && payload[0] == frameInvitation }

// Join makes the machine of a group that from invites this device to, after
// checking everything from genesis; whatever does not check refuses the whole.
// secrets finds the private part of one of this device's key packages. The new
// machine is invited: it says nothing until Accept.
func Join(self Self, payload []byte, from wire.Member, secrets func(ref []byte) ([]byte, bool), now uint64) (*Machine, Effects, error) {
	r := wire.NewReader(payload)
	r.U8()
	inv, err := parseInvitation(r)
	if err != nil || !IsInvitation(payload) {
		return nil, Effects{}, refuse(ReasonInvite, errors.Join(err, errShape))
	}
	var eff Effects
	m := newMachine(self)
	for _, b := range inv.blocks {
		if _, err := m.takeBlock(b.header, b.body, &eff); err != nil {
			return nil, Effects{}, refuse(ReasonInvite, err)
		}
	}
	w, err := parseWelcome(inv.welcome)
	if err != nil {
		return nil, Effects{}, refuse(ReasonInvite, err)
	}
	if err := m.enter(inv.block, w, secrets, &eff); err != nil {
		return nil, Effects{}, refuse(ReasonInvite, err)
	}
	if !m.state0(inv.block).Active(from.Device) {
		return nil, Effects{}, refuse(ReasonInvite, errInviter)
	}
	m.status = StatusInvited
	m.followAfter(inv.block, &eff)
	for _, b := range inv.infos {
		m.addInfo(b, &eff)
	}
	m.addInfo(self.Info, &eff)
	m.advance(now, &eff)
	for _, b := range inv.reaches {
		m.takeReach(b, &eff)
	}
	if m.status != StatusInvited {
		return nil, Effects{}, refuse(ReasonInvite, errStale)
	}
	return m, m.finish(now, eff), nil
}

var (
	errShape   = errors.New("group: not an invitation")
	errInviter = errors.New("group: the sender is no member")
	errStale   = errors.New("group: the invitation was taken back")
	errWelcome = errors.New("group: the welcome does not fit its block")
)

// enter opens a Welcome and checks it against the block it names
// (docs/spec/chain.md, "Joining").
func (m *Machine) enter(hash wire.BlockHash, w welcome, secrets func([]byte) ([]byte, bool), eff *Effects) error {
	h, state := m.blocks.Header(hash), m.blocks.State(hash)
	if h == nil || !state.Active(m.self.Device.ID()) {
		return errWelcome
	}
	ref, ok := ownPackage(h, m.self)
	if !ok {
		return errWelcome
	}
	private, ok := secrets(ref)
	if !ok {
		return errWelcome
	}
	sec, err := mls.ParseKeyPackageSecrets(private)
	if err != nil {
		return err
	}
	kp, err := admittedPackage(m.blocks.Body(hash), ref)
	if err != nil {
		return err
	}
	e, info, err := mls.Join(w.message, kp, sec, nil)
	if err != nil {
		return err
	}
	floor, err := dag.ParseFloor(w.floor)
	if err != nil {
		return err
	}
	sum := floor.Hash()
	public := m.publics[hash]
	signer, ok := public.LeafOf(credential(h.Author))
	if !ok || signer.Index != info.Signer ||
		!bytes.Equal(extension(info.Extensions, extBlock), hash[:]) ||
		!bytes.Equal(extension(info.Extensions, extFloor), sum[:]) ||
		!bytes.Equal(e.Public().TreeHash(), public.TreeHash()) ||
		!bytes.Equal(e.Public().ConfirmedTranscriptHash(), public.ConfirmedTranscriptHash()) ||
		!bytes.Equal(e.ConfirmationTag(), public.ConfirmationTag()) ||
		!bytes.Equal(e.Public().GroupID(), public.GroupID()) ||
		externalDigest(e.ExternalPub()) != h.ExternalPub {
		return errWelcome
	}
	if own, ok := public.LeafOf(credential(m.self.Member())); !ok || own.Index != e.OwnLeaf() {
		return errWelcome
	}
	if err := m.checkFloor(floor, hash); err != nil {
		return err
	}
	if err := m.graph.SetFloor(floor); err != nil {
		return err
	}
	m.joined = hash
	m.keepEpoch(hash, e, eff)
	m.keepWelcome(hash, w, eff)
	m.keepTips(floor)
	eff.put(KindFloor, nil, w.floor)
	eff.Used = append(eff.Used, ref)
	return nil
}

// checkFloor checks the signatures of the floor's heads: their authors were
// members at the blocks they name.
func (m *Machine) checkFloor(f dagFloor, at wire.BlockHash) error {
	for _, b := range f.Heads {
		h, err := dag.ParseHeader(b)
		if err != nil {
			return err
		}
		s := m.blocks.State(h.Block)
		if s == nil || !m.blocks.IsAncestor(h.Block, at) || h.Group != m.group {
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
		c, err := mls.ParseCommit(m.blocks.Body(hash).Commit)
		if err != nil {
			continue
		}
		if e := m.follow(m.blocks.Header(hash), c, m.publics[hash]); e != nil {
			m.keepEpoch(hash, e, eff)
		}
	}
}

// ownPackage returns the KeyPackageRef by which a block admits this device.
func ownPackage(h *chain.Header, self Self) ([]byte, bool) {
	for _, op := range h.Ops {
		if a, ok := op.(*chain.Add); ok && a.Person == self.Person {
			for _, d := range a.Devices {
				if d.ID() == self.Device.ID() {
					return slices.Clone(d.KeyPackageRef[:]), true
				}
			}
		}
	}
	return nil, false
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

// floorFor is where somebody starts who is added by the next block: all that is
// checked here. Who was a member before also needs its own newest entry whole,
// or its log could not go on.
func (m *Machine) floorFor(newcomers []Newcomer) dagFloor {
	if m.graph == nil {
		return dagFloor{}
	}
	f := dagFloor{Frontier: m.graph.Frontier().Refs()}
	heads := m.graph.Newest(dag.MaxFloorHeads)
	for _, n := range newcomers {
		who, _ := m.state().Person(n.Person)
		for _, d := range who.Devices {
			if t, ok := m.tips[d.ID]; ok && !slices.Contains(heads, t.ref) && len(heads) < dag.MaxFloorHeads {
				heads = append(heads, t.ref)
			}
		}
	}
	slices.SortFunc(heads, dag.Ref.Compare)
	for _, r := range heads {
		if t := m.tips[r.Device]; t.ref == r {
			f.Heads = append(f.Heads, t.header)
		}
	}
	return f
}

func (m *Machine) keepTips(f dagFloor) {
	for _, b := range f.Heads {
		if h, err := dag.ParseHeader(b); err == nil {
			m.keepTip(h)
		}
	}
}

func (m *Machine) keepTip(h *dag.Header) {
	ref := h.Ref()
	if t, ok := m.tips[h.Device]; !ok || t.ref.Seq < ref.Seq {
		m.tips[h.Device] = tip{ref, h.Bytes()}
	}
}

func (m *Machine) keepWelcome(hash wire.BlockHash, w welcome, eff *Effects) {
	m.welcomes[hash] = w
	eff.put(KindWelcome, hash[:], w.bytes())
}

// invitationFor returns the invitation for a device that was admitted and has
// not accepted yet; nil if there is none.
func (m *Machine) invitationFor(who wire.Member) []byte {
	if m.acks[who.Device] != nil || who.Device == m.self.Device.ID() {
		return nil
	}
	for _, hash := range slices.Backward(m.blocks.Chain()) {
		w, ok := m.welcomes[hash]
		if !ok || !admitsDevice(m.blocks.Header(hash), who) {
			continue
		}
		inv := invitation{block: hash, welcome: w.bytes(), reaches: m.allReaches(), infos: m.allInfos()}
		for _, h := range m.blocks.All() {
			inv.blocks = append(inv.blocks, m.blockFrame(h))
		}
		return inv.bytes()
	}
	return nil
}

func admitsDevice(h *chain.Header, who wire.Member) bool {
	for _, op := range h.Ops {
		if a, ok := op.(*chain.Add); ok && a.Person == who.Person {
			for _, d := range a.Devices {
				if d.ID() == who.Device {
					return true
				}
			}
		}
	}
	return false
}
