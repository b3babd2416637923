package group

import (
	"slices"

	"kith/internal/chain"
	"kith/internal/mls"
	"kith/internal/wire"
)

// extFeatures is the extension of a leaf by which a device announces what its
// program reads beyond the first version: u16 numbers<V>, ascending. It is
// signed with the leaf, so that everybody knows it of a member who is away.
const extFeatures uint16 = 0xF003

// Features of this program. Numbers are on the wire: append only.
const (
	// FeatureRepair: the ops 5 and 9 to 16 of a block, the frames 9 and up by which
	// a device rejoins and a group votes, and the certificate in an invitation. A program without it answers such ops
	// with "needs a newer version", and takes such frames for misbehaviour.
	FeatureRepair uint16 = 1
	// FeatureHeaders: frame 15, by which the settled part of a chain travels without
	// commits and a long one in pieces. Who does not read it is sent whole blocks.
	FeatureHeaders uint16 = 2
	// FeatureHandover: the frames 20 and 21, by which who was parked is given what was
	// written meanwhile.
	FeatureHandover uint16 = 3
	// FeaturePapers: the parts 3 and 4 of frame 13, by which it shows that two hold as
	// many papers of a person, and others.
	FeaturePapers uint16 = 4
	// FeatureHeads: the frames 22 to 25, by which a sync costs what two sides differ by.
	FeatureHeads uint16 = 5
	// FeatureAckHeads: Acks that name heads in place of all devices, once every active
	// leaf announces it, and the frames 28 to 30 by which they travel in a large group.
	FeatureAckHeads uint16 = 6
	// FeatureTree: frame 40, by which entries travel along a tree in a large group.
	FeatureTree uint16 = 7
	// FeatureTyping: frame 32, by which a device says that its person is writing.
	FeatureTyping uint16 = 8
	// FeatureHistory: the frames 33 and 34, by which newcomers are given what the policy
	// gives them of the time before.
	FeatureHistory uint16 = 9
	// FeatureBlockNews: the frames 35 and 36, by which a block comes to each member once.
	FeatureBlockNews uint16 = 10

	// FeatureMarks: frame 37, by which Acks that say what was read travel in a large group.
	FeatureMarks uint16 = 11

	// FeatureSettings: frame 39, by which newcomers are given how long messages last.
	FeatureSettings uint16 = 13

	// FeatureSparing: the frames 43 to 45, by which an Ack goes at once to those alone who wait for
	// it, once every active leaf announces it, and nobody tells of an entry who just gets it.
	FeatureSparing uint16 = 14
)

// NewestFeature is the last of them. A program without it does not open a home whose leaves announce it: the
// number of databases goes up with it (internal/store/migrate.go).
const NewestFeature = FeatureSparing

// announced is what this device's leaf says.
func (s Self) announced() []mls.Extension {
	var w wire.Writer
	w.Group(func(w *wire.Writer) {
		for _, f := range []uint16{
			FeatureRepair, FeatureHeaders, FeatureHandover, FeaturePapers, FeatureHeads, FeatureAckHeads, FeatureTree, FeatureTyping, FeatureHistory,
			FeatureBlockNews, FeatureMarks, FeatureSettings, FeatureSparing,
			chain.FeatureNothing,
		} {
			if f != s.Omits {
				w.U16(f)
			}
		}
	})
	return []mls.Extension{{Type: extFeatures, Data: w.Bytes()}}
}

// leafFeatures reads what a leaf announces. A list that is not well formed says
// nothing: it harms its author alone.
func leafFeatures(l mls.Leaf) []uint16 { return featuresIn(l.Extensions) }

func featuresIn(extensions []mls.Extension) (list []uint16) {
	r := wire.NewReader(extension(extensions, extFeatures))
	r.Each(2*maxFeatures, maxFeatures, func(r *wire.Reader) {
		f := r.U16()
		if n := len(list); n > 0 && list[n-1] >= f {
			r.Fail(wire.ErrCanonical)
		}
		list = append(list, f)
	})
	if r.Done() != nil {
		return nil
	}
	return list
}

// announcements is what the leaves at one block say.
type announcements struct {
	at wire.BlockHash
	by map[wire.DeviceID][]uint16
}

// says reports whether the leaf of a device at the head announces a feature.
func (m *Machine) says(device wire.DeviceID, feature uint16) bool {
	if m.said.by == nil || m.said.at != m.head {
		public, err := m.public(m.head) // after a start that of a branch that lost is not in memory
		if err != nil {
			return false
		}
		m.said = announcements{m.head, make(map[wire.DeviceID][]uint16)}
		for l := range public.Leaves() {
			if who, ok := member(l.Identity); ok {
				m.said.by[who.Device] = leafFeatures(l)
			}
		}
	}
	return slices.Contains(m.said.by[device], feature)
}

// readAt reports whether a device's leaf announced a feature at a block that is
// held, where it may be no member at the head.
func (m *Machine) readAt(hash wire.BlockHash, p *peer, feature uint16) bool {
	return slices.Contains(m.announcedAt(hash, p.member), feature)
}

// announcedAt returns what a device's leaf announced at a block.
func (m *Machine) announcedAt(hash wire.BlockHash, who wire.Member) []uint16 {
	public, err := m.public(hash)
	if err != nil {
		return nil
	}
	l, _ := public.LeafOf(credential(who))
	return leafFeatures(l)
}

// activates reports whether a block, whose parent is held, adds a feature to the
// group that this program does not know and every leaf at the parent announces.
// This device's own leaf does so only if a newer program made it.
func (m *Machine) activates(header []byte) bool {
	h, err := chain.ParseHeader(header)
	if err != nil {
		return false
	}
	public, err := m.public(h.Parent)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(h.Ops, func(op chain.Op) bool {
		policy, ok := op.(*chain.SetPolicy)
		return ok && slices.ContainsFunc(policy.Features, func(f uint16) bool { return !chain.Knows(f) && allAnnounce(public, f) })
	})
}

// announceAll is rule V8: the leaves that a block brings announce what the group
// uses, and all leaves do where it begins to use something.
func (m *Machine) announceAll(h *chain.Header, state *chain.State, after *mls.PublicGroup, changes *mls.Changes) error {
	uses := state.Features()
	if len(uses) == 0 {
		return nil
	}
	fresh := map[uint32]bool{changes.Committer: true}
	for _, l := range changes.Added {
		fresh[l.Index] = true
	}
	begins := h.IsGenesis() || len(m.stateAt(h.Parent).Features()) < len(uses)
	for l := range after.Leaves() {
		if (begins || fresh[l.Index]) && !containsAll(leafFeatures(l), uses) {
			return errCommit
		}
	}
	return nil
}

func containsAll(list, wanted []uint16) bool {
	return !slices.ContainsFunc(wanted, func(f uint16) bool { return !slices.Contains(list, f) })
}

func allAnnounce(public *mls.PublicGroup, feature uint16) bool {
	for l := range public.Leaves() {
		if !slices.Contains(leafFeatures(l), feature) {
			return false
		}
	}
	return true
}
