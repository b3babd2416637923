package group

import (
	"bytes"
	"crypto/ed25519"
	"slices"

	"kith/internal/chain"
	"kith/internal/dag"
	"kith/internal/wire"
)

// Evidence is two things of which an honest device signs only one: two blocks
// with one parent or one author_seq, two entries with one seq. Whoever sees both
// keeps them and tells everybody; then a block, a Slash, revokes the device. It is
// never about the person, who goes on with another device. Two votes are evidence
// likewise; the votes keep and spread it (votes.go).

// evidence is what is held against one device.
//
//	size field
//	1    what, see chain.SlashKind
//	V    the one with the lower bytes
//	V    the other
type evidence struct {
	what   chain.SlashKind
	first  []byte
	second []byte
}

func newEvidence(what chain.SlashKind, a, b []byte) *evidence {
	if bytes.Compare(a, b) > 0 {
		a, b = b, a
	}
	return &evidence{what, bytes.Clone(a), bytes.Clone(b)}
}

func (e *evidence) bytes() []byte {
	var w wire.Writer
	w.U8(uint8(e.what))
	w.Vec(e.first)
	w.Vec(e.second)
	return w.Bytes()
}

func parseEvidence(b []byte) (*evidence, error) {
	r := wire.NewReader(b)
	e := &evidence{what: chain.SlashKind(r.U8()), first: r.Vec(chain.MaxHeader), second: r.Vec(chain.MaxHeader)}
	if e.what != chain.SlashBlocks && e.what != chain.SlashEntries || bytes.Compare(e.first, e.second) >= 0 {
		r.Fail(wire.ErrCanonical)
	}
	if err := r.Done(); err != nil {
		return nil, err
	}
	return newEvidence(e.what, e.first, e.second), nil
}

// accuses returns the device of which e is evidence, if it signed both, and what tells that; without a key it is
// evidence of nothing. No signature is checked.
func (m *Machine) accuses(e *evidence) (d wire.DeviceID, signed func(ed25519.PublicKey) bool, key ed25519.PublicKey) {
	if e.sameContent() {
		return d, nil, nil
	}
	switch e.what {
	case chain.SlashBlocks:
		a, err := chain.ParseHeader(e.first)
		b, other := chain.ParseHeader(e.second)
		if err != nil || other != nil || a.Author.Device != b.Author.Device || a.AuthorSeq != b.AuthorSeq && a.Parent != b.Parent ||
			a.GroupID() != m.group || b.GroupID() != m.group {
			return d, nil, nil
		}
		d = a.Author.Device
		signed = func(k ed25519.PublicKey) bool { return a.VerifySignature(k) && b.VerifySignature(k) }
	case chain.SlashEntries:
		a, err := dag.ParseHeader(e.first)
		b, other := dag.ParseHeader(e.second)
		if err != nil || other != nil || a.Device != b.Device || a.Seq != b.Seq || a.Group != m.group || b.Group != m.group || !m.ofNow(a.Device, e) {
			return d, nil, nil
		}
		d = a.Device
		signed = func(k ed25519.PublicKey) bool { return a.VerifySignature(k) && b.VerifySignature(k) }
	}
	return d, signed, m.deviceKey(d)
}

// ofNow reports whether evidence is of the membership in which a device belongs at the
// head, as far as entries go: both name a block that is held and at which the device
// belonged in it. Whoever was let in again, and whose home forgot what it wrote
// before, goes on from where its inviter says that it stopped.
func (m *Machine) ofNow(d wire.DeviceID, e *evidence) bool {
	if e.what != chain.SlashEntries {
		return true
	}
	now, _, _ := m.stateAt(m.pick()).Device(d)
	for _, b := range [][]byte{e.first, e.second} {
		h, err := dag.ParseHeader(b)
		if err != nil {
			return false
		}
		at := m.stateAt(h.Block)
		if at == nil || !at.Belongs(d) {
			return false
		}
		if then, _, _ := at.Device(d); then.Instance != now.Instance {
			return false
		}
	}
	return true
}

// sameContent reports whether the two differ in their signatures alone, which is
// no lie.
func (e *evidence) sameContent() bool {
	n := len(e.first) - wire.SignatureSize
	return len(e.first) == len(e.second) && bytes.Equal(e.first[:n], e.second[:n])
}

// deviceKey returns the key of a device that belongs at the head; nil: none does.
func (m *Machine) deviceKey(d wire.DeviceID) []byte {
	head := m.stateAt(m.pick()) // not m.state, which is none yet where blocks of an invitation are taken
	_, known, ok := head.Device(d)
	if !ok || !head.Belongs(d) {
		return nil
	}
	return known.Key[:]
}

// A signing names a block by its author's count.
type signing struct {
	device wire.DeviceID
	seq    uint64
}

// noteSigning looks for another block that the author of one that is held should
// not have signed.
func (m *Machine) noteSigning(h *chain.Header, eff *Effects) {
	hash, at := h.Hash(), signing{h.Author.Device, h.AuthorSeq}
	twins := m.blocks.Children(h.Parent)
	if other, ok := m.signings[at]; ok {
		twins = append(twins, other)
	} else {
		m.signings[at] = hash
	}
	for _, other := range twins {
		if o := m.blocks.Header(other); other != hash && o != nil && o.Author.Device == h.Author.Device {
			m.keepEvidence(newEvidence(chain.SlashBlocks, o.Bytes(), h.Bytes()), wire.DeviceID{}, eff)
		}
	}
}

// noteDoubles looks at the blocks held of devices that a new head knows and the one
// before did not: evidence is kept of those alone that the head knows.
func (m *Machine) noteDoubles(changed HeadChanged, eff *Effects) {
	if uint64(m.blocks.Len()) == m.state().Height()+1 {
		return // there is no fork
	}
	fresh := m.learned(changed)
	if len(fresh) == 0 {
		return
	}
	var list []*chain.Block
	for _, hash := range m.blocks.All() {
		if fresh[m.blocks.Header(hash).Author.Device] {
			list = append(list, m.block(hash))
		}
	}
	for _, pair := range chain.Doubles(list) {
		a, b := m.blocks.Header(pair[0]), m.blocks.Header(pair[1])
		m.keepEvidence(newEvidence(chain.SlashBlocks, a.Bytes(), b.Bytes()), wire.DeviceID{}, eff)
	}
}

// learned returns the devices that belong at a new head and did not at the one before,
// or were admitted again since.
func (m *Machine) learned(changed HeadChanged) map[wire.DeviceID]bool {
	devices := make(map[wire.DeviceID]bool)
	learn := func(list []chain.DeviceEntry) {
		for _, d := range list {
			devices[d.ID()] = true
		}
	}
	for _, hash := range changed.Blocks {
		for _, op := range m.blocks.Header(hash).Ops {
			switch op := op.(type) {
			case *chain.Genesis:
				learn([]chain.DeviceEntry{op.Device})
			case *chain.Add:
				learn(op.Devices)
			case *chain.AddDevice:
				learn([]chain.DeviceEntry{op.Device})
			}
		}
	}
	if len(changed.Lost) == 0 {
		return devices
	}
	before := m.stateAt(changed.Lost[len(changed.Lost)-1])
	for _, who := range m.state().Members() {
		for _, d := range who.Devices {
			if m.state().Belongs(d.ID) && !before.Belongs(d.ID) {
				devices[d.ID] = true
			}
		}
	}
	return devices
}

// noteEntry looks whether a device wrote another entry in the place of its newest.
func (m *Machine) noteEntry(h *dag.Header, eff *Effects) {
	if t, ok := m.tips[h.Device]; ok && t.ref.Seq == h.Seq && t.ref != h.Ref() {
		m.keepEvidence(newEvidence(chain.SlashEntries, t.header, h.Bytes()), wire.DeviceID{}, eff)
	}
}

// takeEvidence keeps what another device brings.
func (m *Machine) takeEvidence(b []byte, from wire.DeviceID, eff *Effects) {
	if e, err := parseEvidence(b); err == nil {
		m.keepEvidence(e, from, eff)
	}
}

// keepEvidence keeps the first that holds against a device, and tells of it. From who brought too much that
// is false it is not looked at; the zero device: it was found here.
func (m *Machine) keepEvidence(e *evidence, from wire.DeviceID, eff *Effects) {
	d, signed, key := m.accuses(e)
	if before := m.evidence[d]; key == nil || before != nil && m.ofNow(d, before) {
		return
	}
	here := from == wire.DeviceID{}
	if here && !signed(key) || !here && !m.falseShares.hold(m.now, from, signed, key) {
		return
	}
	m.evidence[d] = e
	eff.put(KindEvidence, d[:], e.bytes())
	eff.Notify = append(eff.Notify, SignedTwice{d, e.what})
	if m.speaks() {
		m.tellFaults(faultsFrame{evidence: [][]byte{e.bytes()}}, wire.DeviceID{}, eff)
	}
}

func (m *Machine) allEvidence() (list [][]byte) {
	for _, d := range sortedDevices(m.evidence) {
		list = append(list, m.evidence[d].bytes())
	}
	return list
}

// dropEvidence forgets what is held against devices that are gone.
func (m *Machine) dropEvidence(eff *Effects) {
	for _, d := range sortedDevices(m.evidence) {
		if !m.state().Belongs(d) && !m.onLosing(d) {
			delete(m.evidence, d)
			eff.drop(KindEvidence, d[:])
		}
	}
}

// onLosing reports whether a device belongs on a branch that may still win.
func (m *Machine) onLosing(d wire.DeviceID) bool {
	return slices.ContainsFunc(m.blocks.Tips(), func(tip wire.BlockHash) bool {
		return m.stateAt(tip).Height()+maxEpochs >= m.state().Height() && m.stateAt(tip).Belongs(d)
	})
}

// slashWait returns the first device that is to be revoked and how long this one
// waits before it does it: admins first, then anybody.
func (m *Machine) slashWait() (device wire.DeviceID, wait uint64, needed bool) {
	accused := m.accused()
	if len(accused) == 0 || m.mayWrite() != nil {
		return device, 0, false
	}
	for _, d := range accused {
		if d == m.self.Device.ID() || m.self.formerly(d) != nil || !m.state().Belongs(d) || m.mend.unproved[d] {
			continue
		}
		if !m.allRead(FeatureRepair) {
			break // a program that does not read the op would have to stop
		}
		after, step, order := slashAfter, slashStep, m.state().Admins()
		if !m.state().IsAdmin(m.self.Person) {
			after, order = slashByAnybody, m.order()
		}
		liar, _, _ := m.state().Device(d)
		order = slices.DeleteFunc(order, func(p wire.PersonID) bool { return p == liar.Person })
		return d, after + m.turn(order)*step, true
	}
	return device, 0, false
}

// accused returns the devices that there is evidence against, sorted.
func (m *Machine) accused() (list []wire.DeviceID) {
	for d, e := range m.evidence {
		if m.ofNow(d, e) {
			list = append(list, d)
		}
	}
	for d, e := range m.ballots.evidence {
		if e.Slashable() { // not a source that went back in height alone
			list = append(list, d)
		}
	}
	slices.SortFunc(list, compareID)
	return slices.Compact(list)
}

// against returns the evidence against a device that is accused: two votes, unless
// there are two blocks or entries.
func (m *Machine) against(d wire.DeviceID) *evidence {
	if e := m.evidence[d]; e != nil && m.ofNow(d, e) {
		return e
	}
	votes := m.ballots.evidence[d]
	return newEvidence(chain.SlashVotes, votes.A.Marshal(), votes.B.Marshal())
}

// slash revokes a device by the evidence against it.
func (m *Machine) slash(now uint64, d wire.DeviceID, eff *Effects) error {
	who, _, _ := m.state().Device(d)
	e := m.against(d)
	cited := [][]byte{e.first, e.second}
	op := &chain.Slash{Person: who.Person, Instance: who.Instance, Device: d, What: e.what, Cites: cites(cited)}
	for _, cut := range m.cuts(who) {
		if cut.Device == d {
			op.Cuts = append(op.Cuts, cut)
		}
	}
	return m.commit(now, change{ops: []chain.Op{op}, attachments: cited}, eff)
}
