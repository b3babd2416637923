package group

import (
	"slices"

	"kith/internal/chain"
	"kith/internal/mls"
	"kith/internal/wire"
)

// A madeBlock is a valid block with what this device knows of its epoch.
type madeBlock struct {
	header  *chain.Header
	body    *chain.Body
	state   *chain.State
	public  *mls.PublicGroup
	secret  *mls.Epoch // nil: this device cannot follow it
	welcome welcome    // empty: nobody was added
}

// seal ends a block of this device's own: the commit's results go into the
// header, which is signed, and the Welcome names the block. Of staged nothing is
// left but Next, and of that nothing after an error.
func (m *Machine) seal(h *chain.Header, body *chain.Body, state *chain.State, staged *mls.StagedCommit, floor dagFloor, adds bool) (*madeBlock, error) {
	defer staged.Erase()
	public := staged.Next.Public()
	h.Seal(
		wire.Digest(public.TreeHash()), wire.Digest(public.ConfirmedTranscriptHash()),
		externalDigest(staged.Next.ExternalPub()), body.Hash(), m.self.Device.Sign,
	)
	b := &madeBlock{header: h, body: body, state: state, public: public, secret: staged.Next}
	if adds {
		hash := h.Hash()
		sum := floor.Hash()
		w, err := staged.Welcome(m.self.Device, []mls.Extension{
			{Type: extBlock, Data: hash[:]},
			{Type: extFloor, Data: sum[:]},
		}, public.Members() <= maxInlineTree)
		if err != nil {
			staged.Next.Erase()
			return nil, err
		}
		b.welcome = welcome{message: w, floor: floor.Marshal()}
	}
	if err := checkRoster(state, public); err != nil {
		staged.Next.Erase()
		return nil, err
	}
	return b, nil
}

// takeBlock checks a block from outside and keeps it. Known blocks are no error.
func (m *Machine) takeBlock(header, body []byte, eff *Effects) (wire.BlockHash, error) {
	h, err := chain.ParseHeader(header)
	if err != nil {
		return wire.BlockHash{}, err
	}
	hash := h.Hash()
	if m.blocks.Has(hash) {
		return hash, nil
	}
	b, err := chain.ParseBody(body)
	if err != nil {
		return hash, err
	}
	state, err := m.blocks.Check(h, b)
	if err != nil {
		return hash, err
	}
	if m.untracked(h) {
		return hash, m.keepLight(h, b.Attachments, state, eff)
	}
	public, commit, err := m.verify(h, b, state)
	if err != nil {
		return hash, err
	}
	made := &madeBlock{header: h, body: b, state: state, public: public}
	var fault chain.NackReason
	made.secret, fault = m.follow(h, commit, public)
	if h.External() && h.Author.Device == m.self.Device.ID() {
		m.noteReplaced(hash, eff)
	}
	m.noteSigned(h, eff)
	m.noteOwnPerson(h, b, eff)
	if err := m.keepBlock(made, eff); err != nil {
		return hash, err
	}
	if fault != 0 {
		m.nack(hash, fault, eff)
	}
	return hash, nil
}

// keepBlock puts a checked block into the set and writes it with its epoch.
func (m *Machine) keepBlock(b *madeBlock, eff *Effects) error {
	if err := m.blocks.Add(b.header, b.body, b.state); err != nil {
		return err
	}
	hash := b.header.Hash()
	if b.header.IsGenesis() {
		m.group = b.header.GroupID()
		m.start(b.header.CreatedAt)
		m.joined = hash
	}
	m.ballots.came = true
	m.demand(b.header.Author.Device, eff)
	if b.header.Author == m.self.Member() { // it may be from before this machine
		m.authorSeq = max(m.authorSeq, b.header.AuthorSeq)
	}
	m.noteSigning(b.header, eff)
	m.publics[hash] = b.public
	m.spareTrees(hash)
	var value wire.Writer
	value.Vec(b.header.Bytes())
	value.Vec(b.body.Bytes())
	eff.put(KindBlock, blockKey(b.header.Height, hash), value.Bytes())
	if m.farFromTree(hash) || m.isBase(hash) {
		m.trees[hash] = true
		eff.put(KindPublic, hash[:], b.public.Marshal())
	}
	if b.secret != nil {
		m.keepEpoch(hash, b.secret, eff)
	}
	if !b.welcome.empty() {
		m.keepWelcome(hash, b.welcome, eff)
	}
	return nil
}

func (m *Machine) keepEpoch(hash wire.BlockHash, secret *mls.Epoch, eff *Effects) {
	e := &epoch{secret: secret, ratchets: secret.Ratchets()}
	secret.ForgetMessages()
	m.epochs[hash] = e
	m.electLook = true
	eff.put(KindEpoch, hash[:], e.record())
	m.keepRatchets(hash, e, eff)
}

// record is what is stored of an epoch.
//
//	size field
//	8    ms; when its successor became known, 0: it is the newest
//	     the epoch's secrets
func (e *epoch) record() []byte {
	var w wire.Writer
	w.U64(e.since)
	w.Raw(e.secret.Marshal())
	return w.Bytes()
}

func (m *Machine) keepRatchets(hash wire.BlockHash, e *epoch, eff *Effects) {
	for _, c := range e.ratchets.Changes() {
		eff.Write = append(eff.Write, Record{KindRatchet, append(hash[:], c.Key...), c.Value})
	}
}

func (e *Effects) put(k Kind, key, value []byte) {
	e.Write = append(e.Write, Record{k, slices.Clone(key), value})
}

func (e *Effects) drop(k Kind, key []byte) {
	e.Write = append(e.Write, Record{k, slices.Clone(key), nil})
}

// blockKey sorts blocks so that a parent is loaded before its children.
func blockKey(height uint64, hash wire.BlockHash) []byte {
	var w wire.Writer
	w.U64(height)
	w.Raw(hash[:])
	return w.Bytes()
}
