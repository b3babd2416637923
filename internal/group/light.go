package group

import (
	"slices"

	"kith/internal/chain"
	"kith/internal/mls"
	"kith/internal/wire"
)

// Light blocks (package chain, light.go) are those that are not above the settled
// one: nothing can come to count on them any more, so whoever comes in later
// takes them without their commits. The first whole block above them, the base,
// has its tree from elsewhere; each other whole block has a whole parent.
//
//	genesis ── · ── · ── base ── · ── S ── · ── head
//	      light        whole, with its tree

// isBase reports whether a block's tree cannot be computed from below: it stays
// stored and in memory for as long as the group.
func (m *Machine) isBase(hash wire.BlockHash) bool {
	h := m.blocks.Header(hash)
	return !h.Starts() && !m.blocks.IsLight(hash) && m.blocks.IsLight(h.Parent)
}

// untracked reports whether the commit of a block cannot be followed from its
// parent: it is on a branch that what is settled excludes.
func (m *Machine) untracked(h *chain.Header) bool {
	return !h.Starts() && m.blocks.IsLight(h.Parent)
}

// takeLight checks a light block from outside and keeps it. Known blocks are no
// error.
func (m *Machine) takeLight(header []byte, attachments [][]byte, eff *Effects) (wire.BlockHash, error) {
	h, err := chain.ParseHeader(header)
	if err != nil {
		return wire.BlockHash{}, err
	}
	hash := h.Hash()
	if m.blocks.Has(hash) {
		return hash, nil
	}
	state, err := m.blocks.CheckLight(h, attachments)
	if err != nil {
		return hash, err
	}
	return hash, m.keepLight(h, attachments, state, eff)
}

// keepLight puts a checked light block into the set and writes it.
func (m *Machine) keepLight(h *chain.Header, attachments [][]byte, state *chain.State, eff *Effects) error {
	body := lightBody(attachments)
	if err := m.blocks.Add(h, body, state); err != nil {
		return err
	}
	hash := h.Hash()
	m.ballots.came = true
	m.noteSigned(h, eff)
	m.noteOwnPerson(h, body, eff)
	if h.IsGenesis() {
		m.group = h.GroupID()
		m.start(h.CreatedAt)
		m.joined = hash
	}
	m.noteSigning(h, eff)
	eff.put(KindBlock, blockKey(h.Height, hash), lightRecord(h, body.Attachments))
	return nil
}

// lightRecord is the record of a light block: an empty body, and the attachments.
func lightRecord(h *chain.Header, attachments [][]byte) []byte {
	var w wire.Writer
	w.Vec(h.Bytes())
	w.Vec(nil)
	writeList(&w, attachments)
	return w.Bytes()
}

func (l *loading) light(header []byte, r *wire.Reader) error {
	attachments := readList(r, chain.MaxBody, chain.MaxAttachments)
	if err := r.Done(); err != nil {
		return err
	}
	h, err := chain.ParseHeader(header)
	if err != nil {
		return err
	}
	s, err := l.m.blocks.CheckLight(h, attachments)
	if err != nil {
		return err
	}
	return l.put(h, lightBody(attachments), s)
}

// put takes a block that was checked.
func (l *loading) put(h *chain.Header, b *chain.Body, s *chain.State) error {
	if err := l.m.blocks.Add(h, b, s); err != nil {
		return err
	}
	if h.IsGenesis() {
		l.m.group = h.GroupID()
		l.m.start(h.CreatedAt)
	}
	if at := (signing{h.Author.Device, h.AuthorSeq}); !l.m.blocks.Has(l.m.signings[at]) {
		l.m.signings[at] = h.Hash()
	}
	return nil
}

// lightBody keeps attachments without the frame that they came in.
func lightBody(attachments [][]byte) *chain.Body {
	body := new(chain.Body)
	for _, a := range attachments {
		body.Attachments = append(body.Attachments, slices.Clone(a))
	}
	return body
}

// takeBase checks a whole block on a light one against its header, with the tree
// after it, and keeps it.
func (m *Machine) takeBase(header, body, tree []byte, eff *Effects) error {
	h, err := chain.ParseHeader(header)
	if err != nil {
		return err
	}
	if m.blocks.Has(h.Hash()) {
		return nil
	}
	b, err := chain.ParseBody(body)
	if err != nil {
		return err
	}
	state, err := m.blocks.Check(h, b)
	if err != nil {
		return err
	}
	public, err := m.groupAt(h, b, state, tree)
	if err != nil {
		return err
	}
	return m.keepBlock(&madeBlock{header: h, body: b, state: state, public: public}, eff)
}

// groupAt returns the public group after a block by its tree: the header has the
// hash of it and that of the transcript, the body the commit's confirmation tag,
// and the roster is the chain's.
func (m *Machine) groupAt(h *chain.Header, body *chain.Body, state *chain.State, tree []byte) (*mls.PublicGroup, error) {
	c, err := commitOf(h, body)
	if err != nil {
		return nil, err
	}
	core := h.Core()
	if string(c.AuthenticatedData()) != string(core[:]) {
		return nil, errCommit
	}
	start := h.Parent
	for !m.blocks.Header(start).Starts() {
		start = m.blocks.Header(start).Parent
	}
	public, err := mls.PublicFromTree(mls.Position{
		Suite: mls.Suite(h.Suite), GroupID: mlsGroupID(m.blocks.Header(start).Core()), Epoch: state.Epoch(),
		TreeHash: h.TreeHash[:], Transcript: h.Transcript[:], ConfirmationTag: c.ConfirmationTag(),
	}, tree)
	if err != nil {
		return nil, err
	}
	return public, checkRoster(state, public)
}

// withBodies returns those blocks of a list, parents before children, that are
// held whole and do not build on one of the list that is not.
func (m *Machine) withBodies(list []wire.BlockHash) (whole []wire.BlockHash) {
	out := make(map[wire.BlockHash]bool)
	for _, hash := range list {
		if m.blocks.IsLight(hash) || out[m.blocks.Header(hash).Parent] {
			out[hash] = true
			continue
		}
		whole = append(whole, hash)
	}
	return whole
}
