package group

import (
	"bytes"
	"errors"
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
// header, which is signed, and the Welcome names the block.
func (m *Machine) seal(h *chain.Header, body *chain.Body, state *chain.State, staged *mls.StagedCommit, floor dagFloor, adds bool) (*madeBlock, error) {
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
			return nil, err
		}
		b.welcome = welcome{message: w, floor: floor.Marshal()}
	}
	return b, checkRoster(state, public)
}

// errCommit is why a commit does not fit its block (V6).
var errCommit = errors.New("group: the commit does not do what the block says")

// verify checks rule V6 of docs/spec/chain.md, whose two halves only this
// package knows: the commit does what the ops say, and nothing else.
func (m *Machine) verify(h *chain.Header, body *chain.Body, state *chain.State) (*mls.PublicGroup, *mls.Commit, error) {
	c, err := mls.ParseCommit(body.Commit)
	if err != nil {
		return nil, nil, err
	}
	core := h.Core()
	if !bytes.Equal(c.AuthenticatedData(), core[:]) || !c.HasPath() {
		return nil, nil, errCommit
	}
	before, err := m.before(h, body)
	if err != nil {
		return nil, nil, err
	}
	author := credential(h.Author)
	if leaf, ok := before.LeafOf(author); !ok || leaf.Index != c.Sender() {
		return nil, nil, errCommit
	}
	if err := sameChanges(h.Ops, m.blocks.State(h.Parent), before, c); err != nil {
		return nil, nil, err
	}
	if err := namedPackages(h, body); err != nil {
		return nil, nil, err
	}
	after, _, err := before.Apply(c)
	if err != nil {
		return nil, nil, err
	}
	if wire.Digest(after.TreeHash()) != h.TreeHash || wire.Digest(after.ConfirmedTranscriptHash()) != h.Transcript ||
		after.Epoch() != 1+h.Height {
		return nil, nil, errCommit
	}
	return after, c, checkRoster(state, after)
}

// before returns the public group that a block's commit starts from: its
// parent's, or epoch 0 of a genesis.
func (m *Machine) before(h *chain.Header, body *chain.Body) (*mls.PublicGroup, error) {
	if !h.IsGenesis() {
		return m.public(h.Parent)
	}
	p, err := mls.PublicFromLeaf(mls.Suite(h.Suite), mlsGroupID(h.Core()), body.Epoch0.LeafNode, body.Epoch0.ConfirmationTag)
	if err != nil {
		return nil, err
	}
	g, ok := h.Ops[0].(*chain.Genesis)
	leaf, found := p.LeafOf(credential(h.Author))
	if !ok || !found || !bytes.Equal(leaf.SignatureKey, g.Device.Key[:]) {
		return nil, errCommit
	}
	return p, nil
}

// public returns the public group after a block that is held. One that is not
// in memory is computed again from the blocks.
func (m *Machine) public(hash wire.BlockHash) (*mls.PublicGroup, error) {
	var path []wire.BlockHash
	for m.publics[hash] == nil {
		h := m.blocks.Header(hash)
		if h == nil {
			return nil, errCommit
		}
		path = append(path, hash)
		if h.IsGenesis() {
			break
		}
		hash = h.Parent
	}
	p := m.publics[hash]
	for _, hash := range slices.Backward(path) {
		h, body := m.blocks.Header(hash), m.blocks.Body(hash)
		if h.IsGenesis() {
			var err error
			if p, err = m.before(h, body); err != nil {
				return nil, err
			}
		}
		c, err := mls.ParseCommit(body.Commit)
		if err != nil {
			return nil, err
		}
		if p, _, err = p.Apply(c); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// sameChanges compares the proposals of a commit with the ops of its block: the
// Adds one by one, the Removes as a set.
func sameChanges(ops []chain.Op, parent *chain.State, before *mls.PublicGroup, c *mls.Commit) error {
	var add []chain.DeviceEntry
	var owners []wire.PersonID
	gone := make(map[uint32]bool)
	leaveOf := func(person wire.PersonID) {
		if parent == nil {
			return
		}
		who, _ := parent.Person(person)
		for _, d := range who.Devices {
			if l, ok := before.LeafOf(credential(wire.Member{Person: person, Device: d.ID})); ok {
				gone[l.Index] = true
			}
		}
	}
	for _, op := range ops {
		switch op := op.(type) {
		case *chain.Add:
			for _, d := range op.Devices {
				add, owners = append(add, d), append(owners, op.Person)
			}
		case *chain.Remove:
			leaveOf(op.Person)
		case *chain.Leave:
			leaveOf(op.Person)
		}
	}
	if err := c.ByValueOnly(); err != nil {
		return err
	}
	for _, p := range c.Proposals() {
		switch p.Type {
		case mls.ProposalAdd:
			if len(add) == 0 || !admits(add[0], owners[0], p.KeyPackage) {
				return errCommit
			}
			add, owners = add[1:], owners[1:]
		case mls.ProposalRemove:
			if !gone[p.Removed] {
				return errCommit
			}
			delete(gone, p.Removed)
		default:
			return errCommit
		}
	}
	if len(add)+len(gone) > 0 {
		return errCommit
	}
	return nil
}

func admits(d chain.DeviceEntry, owner wire.PersonID, kp *mls.KeyPackage) bool {
	return bytes.Equal(kp.Ref(), d.KeyPackageRef[:]) && bytes.Equal(kp.SignatureKey(), d.Key[:]) &&
		bytes.Equal(kp.Identity(), credential(wire.Member{Person: owner, Device: d.ID()}))
}

// checkRoster is invariant R1.
func checkRoster(s *chain.State, p *mls.PublicGroup) error {
	active := 0
	for _, who := range s.Members() {
		for _, d := range who.Devices {
			if d.Status == chain.StatusActive {
				active++
			}
		}
	}
	leaves := 0
	for l := range p.Leaves() {
		who, ok := member(l.Identity)
		if !ok {
			return errCommit
		}
		owner, d, ok := s.Device(who.Device)
		// In a person's chain the person field is zero everywhere.
		if !ok || owner.Person != who.Person || !s.Active(who.Device) || !bytes.Equal(l.SignatureKey, d.Key[:]) {
			return errCommit
		}
		leaves++
	}
	if leaves != active {
		return errCommit
	}
	return nil
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
	public, commit, err := m.verify(h, b, state)
	if err != nil {
		return hash, err
	}
	made := &madeBlock{header: h, body: b, state: state, public: public}
	made.secret = m.follow(h, commit, public)
	return hash, m.keepBlock(made, eff)
}

// follow returns the epoch after a block, nil if this device has no keys for it:
// it was not a member, is removed by it, or cannot open the commit.
func (m *Machine) follow(h *chain.Header, c *mls.Commit, public *mls.PublicGroup) *mls.Epoch {
	parent := m.epochs[h.Parent]
	if parent == nil || h.Author.Device == m.self.Device.ID() {
		return nil // an own block comes with its epoch
	}
	next, _, err := parent.secret.Process(c)
	if err != nil || externalDigest(next.ExternalPub()) != h.ExternalPub ||
		!bytes.Equal(next.Public().TreeHash(), public.TreeHash()) {
		return nil
	}
	return next
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
	m.demand(b.header.Author.Device, eff)
	m.publics[hash] = b.public
	var value wire.Writer
	value.Vec(b.header.Bytes())
	value.Vec(b.body.Bytes())
	eff.put(KindBlock, blockKey(b.header.Height, hash), value.Bytes())
	eff.put(KindPublic, hash[:], b.public.Marshal())
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
