package chain_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"slices"
	"testing"

	"kith/internal/chain"
	"kith/internal/wire"
)

// A kin is the chain of a person whose phrase is at hand: device 2 stands for
// the recovery key.
type kin struct {
	*person
	t      testing.TB
	blocks *chain.Blocks
}

const phrase = 2

func newKin(t testing.TB, name string) *kin {
	t.Helper()
	seed := sha256.Sum256([]byte("phrase of " + name))
	key := ed25519.NewKeyFromSeed(seed[:])
	p := makePerson(t, name, [32]byte(key.Public().(ed25519.PublicKey)))
	p.seq = map[int]uint64{}
	p.keys = append(p.keys, key)
	k := &kin{p, t, chain.NewBlocks()}
	s, err := k.blocks.Check(p.headers[0], p.bodies[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := k.blocks.Add(p.headers[0], p.bodies[0], s); err != nil {
		t.Fatal(err)
	}
	return k
}

// try makes a block of device i on parent and checks it.
func (k *kin) try(parent wire.BlockHash, i int, papers [][]byte, ops ...chain.Op) (*chain.Header, *chain.Body, error) {
	s := k.blocks.State(parent)
	suite := s.Suite()
	if op, ok := ops[len(ops)-1].(*chain.Restart); ok {
		suite = op.Suite
	}
	h, _, err := chain.Draft(s, chain.DraftParams{
		Suite: suite, Parent: parent, Group: wire.GroupID(k.id),
		Author: wire.Member{Device: k.device(i)}, AuthorSeq: s.LastSeq(k.device(i)) + 1, Ops: ops,
	})
	if err != nil {
		return nil, nil, err
	}
	body := bodyOf(h.Starts(), papers...)
	seal(h, body, k.keys[i])
	_, err = k.blocks.Check(h, body)
	return h, body, err
}

// grow makes a block of device i on parent and takes it.
func (k *kin) grow(parent wire.BlockHash, i int, papers [][]byte, ops ...chain.Op) wire.BlockHash {
	k.t.Helper()
	h, body, err := k.try(parent, i, papers, ops...)
	if err != nil {
		k.t.Fatal(err)
	}
	s, err := k.blocks.Check(h, body)
	if err != nil {
		k.t.Fatal(err)
	}
	if err := k.blocks.Add(h, body, s); err != nil {
		k.t.Fatal(err)
	}
	return h.Hash()
}

// two lets the second device in and returns the block.
func (k *kin) two() wire.BlockHash {
	k.t.Helper()
	return k.grow(k.blocks.Head(), 0, [][]byte{k.knock[1]}, k.addOwn(1))
}

// proofTo returns the proof that ends with hash.
func (k *kin) proofTo(hash wire.BlockHash) []byte {
	var headers []*chain.Header
	for h := k.blocks.Header(hash); h != nil; h = k.blocks.Header(h.Parent) {
		headers = append(headers, h)
	}
	slices.Reverse(headers)
	return chain.MarshalProof(headers)
}

func anew(suite uint16, parked ...wire.DeviceID) *chain.Restart {
	slices.SortFunc(parked, func(a, b wire.DeviceID) int { return slices.Compare(a[:], b[:]) })
	return &chain.Restart{Suite: suite, Reason: chain.RestartRecovery, Parked: parked}
}

func drop(d wire.DeviceID) *chain.RemoveDevice { return &chain.RemoveDevice{Device: d} }

// All devices are lost: the phrase takes them out and lets a new one in.
func TestRecovery(t *testing.T) {
	k := newKin(t, "rae")
	hash := k.grow(k.blocks.Head(), phrase, [][]byte{k.knock[1]}, k.addOwn(1), drop(k.device(0)), anew(chain.SuiteXWing))
	s := k.blocks.State(hash)
	if s.Active(k.device(0)) || !s.Active(k.device(1)) || s.Suite() != chain.SuiteXWing || s.Start() != 1 || s.Epoch() != 1 {
		t.Error("not recovered")
	}
	if s.LastSeq(s.RecoveryDevice()) != 1 || s.Active(s.RecoveryDevice()) || s.Belongs(s.RecoveryDevice()) {
		t.Error("the recovery key is no device")
	}
	hash = k.grow(hash, 1, nil, &chain.Rekey{})
	if s = k.blocks.State(hash); s.Start() != 1 || s.Epoch() != 2 {
		t.Errorf("epoch %d from block %d", s.Epoch(), s.Start())
	}
	if _, err := chain.ParseProof(k.proofTo(hash)); err != nil {
		t.Error(err)
	}
}

// A device goes by its own wish; another commits it.
func TestDeviceLeaves(t *testing.T) {
	k := newKin(t, "rae")
	parent := k.two()
	signed := chain.SignLeave(k.sign(1), wire.GroupID(k.id), wire.Member{Device: k.device(1)}, wire.Instance{}, wire.PersonID{}).Marshal()
	leave := &chain.Leave{Cuts: []chain.Cut{{Device: k.device(1)}}, Cites: []wire.Digest{chain.Cite(signed)}}
	s := k.blocks.State(k.grow(parent, 0, [][]byte{signed}, leave))
	if _, d, _ := s.Device(k.device(1)); d.Status != chain.StatusRevoked {
		t.Errorf("status %d", d.Status)
	}
}

func (k *kin) sign(i int) func(wire.Label, []byte) []byte {
	return func(l wire.Label, b []byte) []byte { return wire.Sign(k.keys[i], l, b) }
}

// G -> A -> B1 | A -> B2     B1: the first device revokes the second
// ......................     B2: the second device revokes the first
// ......... | A -> R         R: the recovery key revokes the second
func TestScenario37DevicesRevokeEachOther(t *testing.T) {
	k := newKin(t, "rae")
	a := k.two()
	k.grow(a, 0, nil, drop(k.device(1)))
	if got := k.blocks.Suspended(); len(got) != 0 {
		t.Errorf("a revocation that nobody answers suspends %v", got)
	}
	b2 := k.grow(a, 1, nil, drop(k.device(0)))
	want := []wire.DeviceID{k.device(0), k.device(1)}
	slices.SortFunc(want, func(a, b wire.DeviceID) int { return slices.Compare(a[:], b[:]) })
	if got := k.blocks.Suspended(); !slices.Equal(got, want) {
		t.Errorf("suspended %v, want both", got)
	}
	r := k.grow(a, phrase, nil, drop(k.device(1)), anew(chain.SuiteAES))
	if got := k.blocks.Suspended(); len(got) != 0 || k.blocks.Head() != r {
		t.Errorf("the recovery key decided, yet suspended %v, head %s", got, k.blocks.Head())
	}
	// What stands elsewhere counts no more, however much is built there.
	k.grow(b2, 1, nil, &chain.Rekey{})
	if k.blocks.Head() != r {
		t.Error("the head left the block of the recovery key")
	}
	r2 := k.grow(b2, phrase, nil, anew(chain.SuiteAES))
	r3 := k.grow(r, phrase, nil, anew(chain.SuiteAES))
	if k.blocks.Head() != r3 || r2 == r3 {
		t.Error("the newest block of the recovery key is not the head")
	}
}

// A group follows the recovery key to another history, and nobody else.
func TestProofByRecovery(t *testing.T) {
	for _, by := range []int{0, phrase} {
		k := newKin(t, "rae")
		old := k.blocks.Head()
		a := k.two()
		g := newGroup(t, chain.Policy{}, "ann")
		add := k.add(chain.RoleMember, 1)
		add.PersonHead, add.Cites[0] = a, chain.Cite(k.proofTo(a))
		g.commit("ann", [][]byte{k.proofTo(a), k.knock[0]}, add)
		list := []chain.Op{k.addOwn(1), anew(chain.SuiteXWing)}
		tip := k.grow(old, by, [][]byte{k.knock[1]}, list...)
		proof := k.proofTo(tip)
		g.people["rae"] = k.person
		op, papers := g.addDevice(k.person, 1, true)
		op.PersonHead, op.Cites[0], papers[0] = tip, chain.Cite(proof), proof
		_, _, err := g.try(k.person, 1, papers, op)
		if by == phrase && err != nil {
			t.Errorf("signed by the recovery key: %v", err)
		}
		if rule, reason := refused(err); by != phrase && (rule != "V6" || reason != chain.ReasonProof) {
			t.Errorf("another history: %v", err)
		}
	}
}

// A proof that ends with the recovery key brings nobody back whom a newer
// history took out:
//
//	G -> R -> B        R: the recovery key adds the second device, B: the first revokes it
//	G -> R -> B -> S   S: the recovery key again
func TestOldProofByRecovery(t *testing.T) {
	k := newKin(t, "rae")
	r := k.grow(k.blocks.Head(), phrase, [][]byte{k.knock[1]}, k.addOwn(1), anew(chain.SuiteAES))
	b := k.grow(r, 0, nil, drop(k.device(1)))
	s := k.grow(b, phrase, nil, anew(chain.SuiteAES))
	for _, seen := range []wire.BlockHash{b, s} {
		g := newGroup(t, chain.Policy{}, "ann")
		g.people["rae"] = k.person
		k.seq = map[int]uint64{}
		add := k.add(chain.RoleMember, 1)
		add.PersonHead, add.Cites[0] = seen, chain.Cite(k.proofTo(seen))
		g.commit("ann", [][]byte{k.proofTo(seen), k.knock[0]}, add)
		op, papers := g.addDevice(k.person, 1, true)
		papers[0] = k.proofTo(r)
		op.PersonHead, op.Cites[0] = r, chain.Cite(papers[0])
		_, _, err := g.try(k.person, 1, papers, op)
		if rule, reason := refused(err); rule != "V6" || reason != chain.ReasonProof {
			t.Errorf("a revoked device comes in by an old proof: %v", err)
		}
	}
}

// Who holds headers alone sees the same devices suspended, and a Leave that
// nobody may have asked for is no way round it.
func TestSuspendedFromHeaders(t *testing.T) {
	k := newKin(t, "rae")
	a := k.two()
	signed := chain.SignLeave(k.sign(1), wire.GroupID(k.id), wire.Member{Device: k.device(1)}, wire.Instance{}, wire.PersonID{}).Marshal()
	k.grow(a, 0, [][]byte{signed}, &chain.Leave{Cuts: []chain.Cut{{Device: k.device(1)}}, Cites: []wire.Digest{chain.Cite(signed)}})
	k.grow(a, 1, nil, drop(k.device(0)))
	var headers []*chain.Header
	for _, hash := range k.blocks.All() {
		headers = append(headers, k.blocks.Header(hash))
	}
	friend, err := chain.HeadersOnly(headers)
	if err != nil {
		t.Fatal(err)
	}
	if got := friend.Suspended(); len(got) != 2 || !slices.Equal(got, k.blocks.Suspended()) || friend.Head() != k.blocks.Head() {
		t.Errorf("suspended %v", got)
	}
}

// inChain tries a block of device i in a person's chain of two devices.
func inChain(i int, make func(*kin) ([]chain.Op, [][]byte)) func(*group) error {
	return func(g *group) error {
		k := newKin(g.t, "rae")
		parent := k.two()
		list, papers := make(k)
		_, _, err := k.try(parent, i, papers, list...)
		return err
	}
}

func just(op ...chain.Op) func(*kin) ([]chain.Op, [][]byte) {
	return func(*kin) ([]chain.Op, [][]byte) { return op, nil }
}

// leavesOwn tries a Leave of device 1 that change has been at, committed by
// device i.
func leavesOwn(i int, change func(*kin, *chain.Leave) (signer int)) func(*group) error {
	return inChain(i, func(k *kin) ([]chain.Op, [][]byte) {
		op := &chain.Leave{Cuts: []chain.Cut{{Device: k.device(1)}}}
		by := change(k, op)
		signed := chain.SignLeave(k.sign(by), wire.GroupID(k.id), wire.Member{Device: k.device(by)}, op.Instance, op.Successor).Marshal()
		op.Cites = []wire.Digest{chain.Cite(signed)}
		return []chain.Op{op}, [][]byte{signed}
	})
}

var personBreaches = []breach{
	{"an Unpark", "V4", chain.ReasonPolicy, inChain(0, func(k *kin) ([]chain.Op, [][]byte) { return []chain.Op{&chain.Unpark{Device: k.device(0)}}, nil })},
	{"a Park", "V4", chain.ReasonPolicy, inChain(0, func(k *kin) ([]chain.Op, [][]byte) { return []chain.Op{&chain.Park{Device: k.device(1)}}, nil })},
	{"a device adds itself", "V3", chain.ReasonAuthor, func(g *group) error {
		k := newKin(g.t, "rae")
		op := k.addOwn(1)
		op.Device.KeyPackageRef = wire.Digest{}
		_, _, err := k.try(k.blocks.Head(), 1, [][]byte{k.knock[1]}, op)
		return err
	}},
	{"AddDevice with a person", "V4", chain.ReasonPersonField, func(g *group) error {
		k := newKin(g.t, "rae")
		op := k.addOwn(1)
		op.Person = k.id
		_, _, err := k.try(k.blocks.Head(), 0, nil, op)
		return err
	}},
	{"AddDevice with an instance", "V4", chain.ReasonPersonField, func(g *group) error {
		k := newKin(g.t, "rae")
		op := k.addOwn(1)
		op.Instance[0] = 1
		_, _, err := k.try(k.blocks.Head(), 0, nil, op)
		return err
	}},
	{"AddDevice with a head", "V4", chain.ReasonPersonField, func(g *group) error {
		k := newKin(g.t, "rae")
		op := k.addOwn(1)
		op.PersonHead[0] = 1
		_, _, err := k.try(k.blocks.Head(), 0, nil, op)
		return err
	}},
	{"AddDevice with a proof", "V6", chain.ReasonAttachment, func(g *group) error {
		k := newKin(g.t, "rae")
		op := k.addOwn(1)
		op.Cites = append(op.Cites, wire.Digest{})
		_, _, err := k.try(k.blocks.Head(), 0, nil, op)
		return err
	}},
	{"the recovery key as a device", "V5", chain.ReasonDevice, inChain(0, func(k *kin) ([]chain.Op, [][]byte) {
		op := k.addOwn(1)
		op.Device.Key = [32]byte(k.public(phrase))
		return []chain.Op{op}, nil
	})},
	{"a device of the past", "V5", chain.ReasonDevice, func(g *group) error {
		k := newKin(g.t, "rae")
		parent := k.grow(k.two(), 0, nil, drop(k.device(1)))
		_, _, err := k.try(parent, 0, [][]byte{k.knock[1]}, k.addOwn(1))
		return err
	}},
	{"a device revokes itself", "V4", chain.ReasonSelf, inChain(1, func(k *kin) ([]chain.Op, [][]byte) { return []chain.Op{drop(k.device(1))}, nil })},
	{"a revoked author", "V3", chain.ReasonAuthor, func(g *group) error {
		k := newKin(g.t, "rae")
		parent := k.grow(k.two(), 0, nil, drop(k.device(1)))
		_, _, err := k.try(parent, 1, nil, &chain.Rekey{})
		return err
	}},
	{"recovery without a Restart", "V4", chain.ReasonRecovery, inChain(phrase, func(k *kin) ([]chain.Op, [][]byte) { return []chain.Op{drop(k.device(1))}, nil })},
	{"a Rekey of the recovery key", "V4", chain.ReasonRecovery, inChain(phrase, just(&chain.Rekey{}, anew(chain.SuiteAES)))},
	{"recovery that leaves nobody", "V5", chain.ReasonRestart, inChain(phrase, func(k *kin) ([]chain.Op, [][]byte) {
		return []chain.Op{drop(k.device(0)), drop(k.device(1)), anew(chain.SuiteAES)}, nil
	})},
	{"recovery with a false signature", "V3", chain.ReasonSignature, func(g *group) error {
		k := newKin(g.t, "rae")
		h, body, err := k.try(k.blocks.Head(), phrase, nil, anew(chain.SuiteAES))
		if err != nil {
			return err
		}
		seal(h, body, k.keys[0])
		_, err = k.blocks.Check(h, body)
		return err
	}},
	{"recovery under a person's name", "V3", chain.ReasonAuthor, func(g *group) error {
		k := newKin(g.t, "rae")
		_, _, err := chain.Draft(k.blocks.State(k.blocks.Head()), chain.DraftParams{
			Suite: chain.SuiteAES, Parent: k.blocks.Head(), Group: wire.GroupID(k.id),
			Author: k.member(phrase), AuthorSeq: 1, Ops: []chain.Op{anew(chain.SuiteAES)},
		})
		return err
	}},
	{"recovery with an old number", "V2", chain.ReasonSeq, func(g *group) error {
		k := newKin(g.t, "rae")
		parent := k.grow(k.blocks.Head(), phrase, nil, anew(chain.SuiteAES))
		_, _, err := chain.Draft(k.blocks.State(parent), chain.DraftParams{
			Suite: chain.SuiteAES, Parent: parent, Group: wire.GroupID(k.id),
			Author: wire.Member{Device: k.device(phrase)}, AuthorSeq: 1, Ops: []chain.Op{anew(chain.SuiteAES)},
		})
		return err
	}},
	{"a Restart with Nacks", "V6", chain.ReasonAttachment, inChain(0, just(&chain.Restart{Suite: chain.SuiteAES, Cites: make([]wire.Digest, 1)}))},
	{"a leave that its device commits", "V4", chain.ReasonSelf, leavesOwn(1, func(*kin, *chain.Leave) int { return 1 })},
	{"a leave signed by another device", "V6", chain.ReasonLeave, leavesOwn(0, func(*kin, *chain.Leave) int { return 0 })},
	{"a leave of no device", "V5", chain.ReasonCut, leavesOwn(0, func(_ *kin, op *chain.Leave) int { op.Cuts = nil; return 1 })},
	{"a leave to a successor", "V4", chain.ReasonPersonField, leavesOwn(0, func(k *kin, op *chain.Leave) int { op.Successor = k.id; return 1 })},
	{"a Package without a ref", "V5", chain.ReasonPackage, inChain(0, just(&chain.Package{Cites: make([]wire.Digest, 1)}))},
	{"a Package without its bytes", "V6", chain.ReasonAttachment, inChain(0, just(&chain.Package{KeyPackageRef: wire.Digest{1}}))},
	{"the Package it has", "V5", chain.ReasonNoChange, inChain(0, just(packages(1, 1)...))},
	{"nine suites", "V5", chain.ReasonPackage, inChain(0, just(packages(1, 2, 3, 4, 5, 6, 7, 8, 9)...))},
}

// packages names the same last-resort package for each suite.
func packages(suites ...uint16) (list []chain.Op) {
	for _, suite := range suites {
		list = append(list, &chain.Package{Suite: suite, KeyPackageRef: wire.Digest{1}, Cites: make([]wire.Digest, 1)})
	}
	return list
}
