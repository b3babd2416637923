package chain_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"slices"
	"testing"

	"kith/internal/chain"
	"kith/internal/wire"
)

// A kin is the chain of a person whose phrase is at hand: one device more stands
// for the recovery key.
type kin struct {
	*person
	t      testing.TB
	blocks *chain.Blocks
}

const phrase = personDevices

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

// The word of the recovery key that the group has seen is found whichever op
// showed it.
//
//	G -> R -> B    R: the recovery key adds two devices, B: the first revokes both and adds another
//	G -> S -> T    S, T: the recovery key adds one of the two, and speaks again
func TestOldProofIsFoundAgain(t *testing.T) {
	k, third, fourth := newKin(t, "rae"), newPerson(t, "third"), newPerson(t, "fourth")
	first := k.blocks.Head()
	r := k.grow(first, phrase, [][]byte{k.knock[1], third.knock[0]}, k.addOwn(1), third.addOwn(0), anew(chain.SuiteAES))
	b := k.grow(r, 0, [][]byte{fourth.knock[0]}, drop(k.device(1)), drop(third.device(0)), fourth.addOwn(0))
	tip := k.grow(first, phrase, [][]byte{third.knock[0]}, third.addOwn(0), anew(chain.SuiteAES))
	tip = k.grow(tip, phrase, nil, anew(chain.SuiteAES))
	enter := func(g *group, p *person, i int, head wire.BlockHash) (chain.Op, [][]byte) {
		papers := [][]byte{k.proofTo(head), p.knock[i]}
		return &chain.AddDevice{
			Person: k.id, Instance: g.instance("rae"), PersonHead: head, Device: p.entry(i),
			Cites: []wire.Digest{chain.Cite(papers[0]), chain.Cite(papers[1])},
		}, papers
	}
	for name, show := range map[string]func(g *group){
		"AddDevice": func(g *group) {
			op, papers := enter(g, fourth, 0, b)
			g.commit("ann", papers, &chain.Rekey{}, op)
		},
		"RemoveDevice": func(g *group) {
			op, papers := enter(g, k.person, 1, r)
			g.commit("ann", papers, op)
			proof := k.proofTo(b)
			g.commit("ann", [][]byte{proof}, &chain.RemoveDevice{
				Person: k.id, Instance: g.instance("rae"), PersonHead: b, Device: k.device(1), Cites: []wire.Digest{chain.Cite(proof)},
			})
		},
	} {
		g := newGroup(t, chain.Policy{}, "ann")
		g.people["rae"] = k.person
		add := k.add(chain.RoleMember, 1)
		add.PersonHead, add.Cites[0] = first, chain.Cite(k.proofTo(first))
		g.commit("ann", [][]byte{k.proofTo(first), k.knock[0]}, add)
		show(g)
		op, papers := enter(g, third, 0, r)
		_, _, err := g.try(g.person("ann"), 0, papers, op)
		if rule, reason := refused(err); rule != "V6" || reason != chain.ReasonProof {
			t.Errorf("after %s: an old word counts: %v", name, err)
		}
		op, papers = enter(g, third, 0, tip)
		if _, _, err := g.try(g.person("ann"), 0, papers, op); err != nil {
			t.Errorf("after %s: a newer word: %v", name, err)
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
