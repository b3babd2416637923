package group

import (
	"bytes"
	"errors"
	"slices"

	"kith/internal/chain"
	"kith/internal/mls"
	"kith/internal/wire"
)

// errCommit is why a commit does not fit its block (V6).
var errCommit = errors.New("group: the commit does not do what the block says")

// verify checks rule V6 of docs/spec/chain.md, whose two halves only this
// package knows: the commit does what the ops say, and nothing else.
func (m *Machine) verify(h *chain.Header, body *chain.Body, state *chain.State) (*mls.PublicGroup, *mls.Commit, error) {
	c, err := commitOf(h, body)
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
	if err := c.ByValueOnly(); err != nil {
		return nil, nil, err
	}
	if err := bounded(c, before.Members()); err != nil {
		return nil, nil, err
	}
	switch {
	case isRestart(h):
		err = starterChanges(state, c)
	case h.External():
		err = m.joinerChanges(h, before, c)
	default:
		err = m.memberChanges(h, before, c)
	}
	if err != nil {
		return nil, nil, err
	}
	if err := namedPackages(h, body); err != nil {
		return nil, nil, err
	}
	after, changes, err := before.Apply(c)
	if err != nil {
		return nil, nil, err
	}
	if l, ok := after.Leaf(changes.Committer); !ok || !bytes.Equal(l.Identity, credential(h.Author)) {
		return nil, nil, errCommit
	}
	if wire.Digest(after.TreeHash()) != h.TreeHash || wire.Digest(after.ConfirmedTranscriptHash()) != h.Transcript ||
		after.Epoch() != state.Epoch() {
		return nil, nil, errCommit
	}
	if err := m.announceAll(h, state, after, changes); err != nil {
		return nil, nil, err
	}
	return after, c, checkRoster(state, after)
}

// commitOf reads the commit of a block: an external one where the author's
// device comes in by it, a member's everywhere else.
func commitOf(h *chain.Header, body *chain.Body) (*mls.Commit, error) {
	if h.External() {
		return mls.ParseExternalCommit(body.Commit)
	}
	return mls.ParseCommit(body.Commit)
}

// before returns the public group that a block's commit starts from: its
// parent's, or epoch 0 of one that starts keys.
func (m *Machine) before(h *chain.Header, body *chain.Body) (*mls.PublicGroup, error) {
	if !h.Starts() {
		return m.public(h.Parent)
	}
	if body.Epoch0 == nil { // of before this device came in, without what it started
		return nil, errCommit
	}
	if len(body.Epoch0.LeafNode) > maxLeaf {
		return nil, errBound
	}
	p, err := mls.PublicFromLeaf(mls.Suite(h.Suite), mlsGroupID(h.Core()), body.Epoch0.LeafNode, body.Epoch0.ConfirmationTag)
	if err != nil {
		return nil, err
	}
	leaf, found := p.LeafOf(credential(h.Author))
	if !found || !bytes.Equal(leaf.SignatureKey, m.authorKey(h)) {
		return nil, errCommit
	}
	return p, nil
}

// authorKey returns the key of the device that signed a block which starts keys.
func (m *Machine) authorKey(h *chain.Header) []byte {
	if g, ok := h.Ops[0].(*chain.Genesis); ok {
		return g.Device.Key[:]
	}
	if s := m.stateAt(h.Parent); s != nil {
		return keyOf(s, h.Author)
	}
	return nil
}

// public returns the public group after a block that is held. One that is not
// in memory is computed again from the blocks.
// What was computed on the way is kept now and then, so that whoever signs many
// blocks on old ones does not have all of it computed each time.
func (m *Machine) public(hash wire.BlockHash) (*mls.PublicGroup, error) {
	return m.replay(hash, func(b wire.BlockHash, p *mls.PublicGroup) {
		if m.blocks.Header(b).Height%treeEvery == 0 {
			m.publics[b] = p
			m.spareTrees(b)
		}
	})
}

// replay is public; each is told of every public group that was computed.
func (m *Machine) replay(hash wire.BlockHash, each func(wire.BlockHash, *mls.PublicGroup)) (*mls.PublicGroup, error) {
	var path []wire.BlockHash
	for m.publics[hash] == nil {
		h := m.blocks.Header(hash)
		if h == nil || m.blocks.IsLight(hash) { // below what is settled a header may be all there is
			return nil, errCommit
		}
		path = append(path, hash)
		if h.Starts() {
			break
		}
		hash = h.Parent
	}
	p := m.publics[hash]
	for _, hash := range slices.Backward(path) {
		h, body := m.blocks.Header(hash), m.blocks.Body(hash)
		if body.IsLight() {
			return nil, errCommit // settled before this device came, and taken without commits
		}
		if h.Starts() {
			var err error
			if p, err = m.before(h, body); err != nil {
				return nil, err
			}
		}
		c, err := commitOf(h, body)
		if err != nil {
			return nil, err
		}
		if p, _, err = p.Apply(c); err != nil {
			return nil, err
		}
		each(hash, p)
	}
	return p, nil
}

// memberChanges compares the proposals of a member's commit with the ops of its
// block: the Adds one by one, the Removes as a set.
func (m *Machine) memberChanges(h *chain.Header, before *mls.PublicGroup, c *mls.Commit) error {
	if leaf, ok := before.LeafOf(credential(h.Author)); !ok || leaf.Index != c.Sender() {
		return errCommit
	}
	gone := leavesGone(h.Ops, m.blocks.State(h.Parent), before)
	var add []chain.DeviceEntry
	var owners []wire.PersonID
	for _, op := range h.Ops {
		person, devices := welcomes(op)
		for _, d := range devices {
			add, owners = append(add, d), append(owners, person)
		}
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

// leavesGone returns the leaves that ops take out. A parked device has none.
func leavesGone(ops []chain.Op, parent *chain.State, before *mls.PublicGroup) map[uint32]bool {
	gone := make(map[uint32]bool)
	if parent == nil {
		return gone
	}
	for _, op := range ops {
		for _, who := range endsLeaves(op, parent) {
			if l, ok := before.LeafOf(credential(who)); ok {
				gone[l.Index] = true
			}
		}
	}
	return gone
}

// endsLeaves returns the devices whose leaves an op takes out, if they have one.
func endsLeaves(op chain.Op, parent *chain.State) (list []wire.Member) {
	if park, ok := op.(*chain.Park); ok {
		return []wire.Member{{Person: park.Person, Device: park.Device}}
	}
	gone, _, ok := ends(op)
	switch {
	case !ok:
		return nil
	case gone.Device != (wire.DeviceID{}):
		return []wire.Member{gone}
	}
	who, _ := parent.Person(gone.Person)
	for _, d := range who.Devices {
		list = append(list, wire.Member{Person: gone.Person, Device: d.ID})
	}
	return list
}

// joinerChanges checks the external commit of a device that comes in by itself:
// beside its ExternalInit it removes its own old leaf, if it has one, and does
// nothing else. That the new leaf is its own is compared with the roster after.
func (m *Machine) joinerChanges(h *chain.Header, before *mls.PublicGroup, c *mls.Commit) error {
	old, has := before.LeafOf(credential(h.Author))
	inits := 0
	for _, p := range c.Proposals() {
		switch {
		case p.Type == mls.ProposalExternalInit:
			inits++
		case p.Type == mls.ProposalRemove && has && p.Removed == old.Index:
			has = false
		default:
			return errCommit
		}
	}
	if has || inits != 1 {
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
