package group

import (
	"maps"
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
//	V    MLS Welcome; the tree is in its GroupInfo up to maxInlineTree leaves,
//	     else it follows from the blocks, whose header has its hash
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
	if w, err = readWelcome(b); err == nil && w.empty() {
		err = wire.ErrCanonical
	}
	return w, err
}

// readWelcome also takes one without the MLS Welcome, which is lost.
func readWelcome(b []byte) (w welcome, err error) {
	r := wire.NewReader(b)
	w.message, w.floor = r.Vec(maxBlock), r.Vec(maxHave)
	return w, r.Done()
}

// An invitation is everything a newcomer needs who knows nothing of the group.
//
//	size field
//	1    8, invitation
//	32   block that admits the newcomer
//	V    welcome of that block
//	V    blocks, genesis first: as in a blocks frame, the Welcome above left out
//	V    reaches, each V
//	V    infos, each V
//	V    certificate: the settlement that proves what is settled; empty for a
//	     program that reads no votes, and where nothing is settled
type invitation struct {
	block       wire.BlockHash
	welcome     []byte
	blocks      []blockFrame
	reaches     [][]byte
	infos       [][]byte
	certificate []byte
}

func (i invitation) bytes() []byte { return i.numbered(frameInvitation) }

func (i invitation) numbered(number uint8) []byte {
	var w wire.Writer
	w.U8(number)
	w.Raw(i.block[:])
	w.Vec(i.welcome)
	writeBlocks(&w, i.blocks)
	writeList(&w, i.reaches)
	writeList(&w, i.infos)
	w.Vec(i.certificate)
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
	i.certificate = r.Vec(chain.MaxSettlement)
	return i, r.Done()
}

// IsInvitation reports whether payload is one, or a piece of one: what a device
// may send for a group that this device does not know.
func IsInvitation(payload []byte) bool {
	return len(payload) > 0 && (payload[0] == frameInvitation || isPages(payload))
}

// isPages reports whether payload is part of a chain in pages, but no request.
func isPages(payload []byte) bool {
	return len(payload) > 1 && payload[0] == framePages && payload[1] != pagesAsk
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
		} else if header := m.passed[r]; header != nil {
			f.Heads = append(f.Heads, header)
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

// keepTip keeps the header of a device's newest entry, and those of earlier ones
// that a floor still has to name: above a floor what refers to names alone is not
// named itself.
func (m *Machine) keepTip(h *dag.Header) {
	ref := h.Ref()
	t, ok := m.tips[h.Device]
	if ok && t.ref.Seq >= ref.Seq {
		return
	}
	m.tips[h.Device] = tip{ref, h.Bytes()}
	maps.DeleteFunc(m.passed, func(r dag.Ref, _ []byte) bool { return !m.graph.Named(r) })
	if ok && m.graph.Named(t.ref) {
		m.passed[t.ref] = t.header
	}
}

func (m *Machine) keepWelcome(hash wire.BlockHash, w welcome, eff *Effects) {
	m.welcomes[hash] = w
	eff.put(KindWelcome, hash[:], w.bytes())
}

// awaitsInvitation reports whether a device was admitted by a Welcome that is here and has not
// accepted, as far as is known here.
func (m *Machine) awaitsInvitation(who wire.Member) bool {
	if m.acks[who.Device] != nil || who.Device == m.self.Device.ID() {
		return false
	}
	_, ok := m.welcomes[m.came(who.Device)]
	return ok
}

// invites reports whether there is an invitation for a device.
func (m *Machine) invites(who wire.Member) bool {
	return m.awaitsInvitation(who) || m.admittedLight(who)
}

// admittedBy is who signed the block by which a device came in.
func (m *Machine) admittedBy(who wire.Member) wire.PersonID {
	return m.blocks.Header(m.came(who.Device)).Author.Person
}

// invitationFor returns the invitation for a device that was admitted and has
// not accepted yet; nil if there is none.
func (m *Machine) invitationFor(who wire.Member) []byte {
	if m.admittedLight(who) {
		return m.openingWithout(who)
	}
	if !m.awaitsInvitation(who) {
		return nil
	}
	hash := m.came(who.Device)
	w := m.welcomes[hash]
	if _, ok := entryOf(m.blocks.Header(hash), who); !ok {
		return nil
	}
	pages := m.readsPages(who.Device)
	if pages && m.baseFor(hash) != (wire.BlockHash{}) {
		return m.openingFor(who.Device, hash, w)
	}
	if m.blocks.Lights() {
		return nil
	}
	whole := invitation{
		block: hash, welcome: w.bytes(), blocks: m.allBlocks(hash), reaches: m.allReaches(), infos: m.allInfos(),
		certificate: m.certificateFor(who.Device),
	}.bytes()
	if pages && len(whole) > m.allRoom {
		return m.openingFor(who.Device, hash, w)
	}
	return whole
}

// inviteLate sends its invitation to a peer that has not named the group: of others'
// newcomers this device hears the Acks late, and in a large group an invitation has
// megabytes. One that has named it may have meant a membership that is over, and gets it
// a while later, once in a session, if it has said nothing of this one.
func (m *Machine) inviteLate(now uint64, p *peer, eff *Effects) {
	p.inviteDue = 0
	if p.rel != present {
		return
	}
	if p.named && !p.again && !p.waited {
		if p.waited = m.invites(p.member); p.waited {
			p.inviteDue = now + inviteAgain
			if len(m.Spreaders()) > 0 {
				p.inviteDue = now + inviteTree
			}
		}
		return
	}
	m.sendInvitation(p, eff)
}

// takesForGone reports whether a peer that holds what is here, and no votes but those that an invitation
// brings, takes itself for no member: a newcomer then refuses the invitation.
func (m *Machine) takesForGone(p *peer) bool {
	return !m.stateAt(m.blocks.HeadFrom(m.votes.Settled())).Belongs(p.member.Device)
}

// inviteProved gives their invitation once more to those for whom it proves now that they are in.
func (m *Machine) inviteProved(now uint64) {
	for _, p := range m.peers {
		if p.unproved && p.rel == present && !m.takesForGone(p) {
			p.unproved = false
			due := now
			if m.admittedBy(p.member) != m.self.Person {
				due += inviteAfter
			}
			p.inviteDue = m.soon(p.inviteDue, due)
		}
	}
}

// canInvite refuses to add a device whose program does not read what the group
// uses, or takes an invitation of whole blocks alone, where this device has none:
// nobody else may have a session with it.
func (m *Machine) canInvite(add []*mls.KeyPackage) error {
	for _, kp := range add {
		reads := featuresIn(kp.LeafExtensions())
		if !containsAll(reads, m.state().Features()) {
			return refuse(ReasonOlder, nil)
		}
		if m.blocks.Lights() && !slices.Contains(reads, FeatureHeaders) {
			return refuse(ReasonOlder, errNotHere)
		}
	}
	return nil
}

// certificateFor returns what proves the settled block to a newcomer; nothing to
// one whose program reads no votes.
func (m *Machine) certificateFor(d wire.DeviceID) []byte {
	s := m.votes.Settlement()
	if len(s) == 0 || !m.modern(d) {
		return nil
	}
	return s.Marshal()
}

// allBlocks returns all blocks, the Welcome of one left out: it stands elsewhere.
func (m *Machine) allBlocks(but wire.BlockHash) (list []blockFrame) {
	for _, h := range m.blocks.All() {
		b := m.blockFrame(h)
		if h == but {
			b.welcome = nil
		}
		list = append(list, b)
	}
	return list
}

// welcomes returns whose devices an op brings in that get a Welcome for it: all
// but the one that signs genesis, and one that adds itself.
func welcomes(op chain.Op) (wire.PersonID, []chain.DeviceEntry) {
	switch op := op.(type) {
	case *chain.Add:
		return op.Person, op.Devices
	case *chain.AddDevice:
		if op.Device.KeyPackageRef != (wire.Digest{}) {
			return op.Person, []chain.DeviceEntry{op.Device}
		}
	}
	return wire.PersonID{}, nil
}

// entryOf returns the entry by which a block brings in a device that gets a
// Welcome for it.
func entryOf(h *chain.Header, who wire.Member) (chain.DeviceEntry, bool) {
	for _, op := range h.Ops {
		person, devices := welcomes(op)
		for _, d := range devices {
			if person == who.Person && d.ID() == who.Device {
				return d, true
			}
		}
	}
	return chain.DeviceEntry{}, false
}
