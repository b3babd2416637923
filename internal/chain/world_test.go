package chain_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"testing"

	"kith/internal/chain"
	"kith/internal/wire"
)

// TestMain collects garbage less often: the walks make much of it, and hold little.
func TestMain(m *testing.M) {
	debug.SetGCPercent(800)
	os.Exit(m.Run())
}

// personDevices is how many a person of the tests has.
const personDevices = 4

// A person of the tests. Its keys follow from its name; only the first device
// stands in its own chain.
type person struct {
	name    string
	keys    []ed25519.PrivateKey
	knock   [][]byte
	id      wire.PersonID
	headers []*chain.Header
	bodies  []*chain.Body
	seq     map[int]uint64  // author_seq used last, by device, in the group under test
	adds    [2]*chain.Add   // by role; see lightAdd
	told    map[string]told // see told
}

// newPerson returns the person of that name, made once and as new every time.
func newPerson(t testing.TB, name string) *person {
	t.Helper()
	if made[name] == nil {
		made[name] = makePerson(t, name, sha256.Sum256([]byte("recovery of "+name)))
	}
	p := *made[name]
	p.seq = map[int]uint64{}
	first := *p.headers[0]
	p.headers, p.bodies = []*chain.Header{&first}, slices.Clone(p.bodies)
	return &p
}

var made = map[string]*person{}

func makePerson(t testing.TB, name string, recoveryKey [32]byte) *person {
	t.Helper()
	p := &person{name: name, told: map[string]told{}}
	for i := range personDevices {
		seed := sha256.Sum256(fmt.Appendf(nil, "device %d of %s", i, name))
		p.keys = append(p.keys, ed25519.NewKeyFromSeed(seed[:]))
		p.knock = append(p.knock, bytes.Repeat(seed[:1], chain.KnockKeySize))
	}
	recovery := &chain.RecoveryKeys{Key: recoveryKey}
	genesis := &chain.Genesis{
		Nonce: sha256.Sum256([]byte("nonce of " + name)), Device: p.entry(0),
		Recovery: recovery, Cites: []wire.Digest{chain.Cite(p.knock[0])},
	}
	h, _, err := chain.Draft(nil, chain.DraftParams{Suite: chain.SuiteAES, Author: wire.Member{Device: p.device(0)}, AuthorSeq: 1, Ops: []chain.Op{genesis}, CreatedAt: 1})
	if err != nil {
		t.Fatal(err)
	}
	body := bodyOf(true, p.knock[0])
	seal(h, body, p.keys[0])
	p.id, p.headers, p.bodies = wire.PersonID(h.Hash()), []*chain.Header{h}, []*chain.Body{body}
	return p
}

func (p *person) entry(i int) chain.DeviceEntry {
	return chain.DeviceEntry{
		Key: [32]byte(p.public(i)), KnockHash: chain.KnockHash(p.knock[i]),
		KeyPackageRef: sha256.Sum256(fmt.Appendf(nil, "package %d of %s", i, p.name)),
	}
}

func (p *person) public(i int) ed25519.PublicKey { return p.keys[i].Public().(ed25519.PublicKey) }
func (p *person) device(i int) wire.DeviceID     { return wire.Device(p.public(i)) }
func (p *person) member(i int) wire.Member       { return wire.Member{Person: p.id, Device: p.device(i)} }
func (p *person) head() wire.BlockHash           { return p.headers[len(p.headers)-1].Hash() }
func (p *person) proof() []byte                  { return chain.MarshalProof(p.headers) }

// extend signs one more block of the person's own chain.
func (p *person) extend(t testing.TB, ops ...chain.Op) {
	t.Helper()
	p.extendWith(t, nil, ops...)
}

// extendWith is extend for ops that cite papers.
func (p *person) extendWith(t testing.TB, papers [][]byte, ops ...chain.Op) {
	t.Helper()
	p.extendAs(t, 0, papers, ops...)
}

// extendAs is extendWith by device i.
func (p *person) extendAs(t testing.TB, i int, papers [][]byte, ops ...chain.Op) {
	t.Helper()
	s, err := chain.VerifyProof(p.headers)
	if err != nil {
		t.Fatal(err)
	}
	h, _, err := chain.Draft(s, chain.DraftParams{
		Suite: chain.SuiteAES, Parent: p.head(), Group: wire.GroupID(p.id),
		Author: wire.Member{Device: p.device(i)}, AuthorSeq: s.LastSeq(p.device(i)) + 1, Ops: ops,
	})
	if err != nil {
		t.Fatal(err)
	}
	body := bodyOf(false, papers...)
	seal(h, body, p.keys[i])
	p.headers, p.bodies = append(p.headers, h), append(p.bodies, body)
}

// add returns an Add of the person with its first n devices.
func (p *person) add(role chain.Role, n int) *chain.Add {
	op := &chain.Add{Person: p.id, PersonHead: p.head(), Role: role, Cites: []wire.Digest{chain.Cite(p.proof())}}
	for i := range n {
		op.Devices = append(op.Devices, p.entry(i))
		op.Cites = append(op.Cites, chain.Cite(p.knock[i]))
	}
	return op
}

// papers returns what an Add of n devices of the person cites.
func (p *person) papers(n int) [][]byte { return append([][]byte{p.proof()}, p.knock[:n]...) }

// genesis returns the op by which the person starts a group.
func (p *person) genesis(policy chain.Policy) *chain.Genesis {
	return &chain.Genesis{
		Nonce: sha256.Sum256([]byte("group of " + p.name)), Creator: p.id, PersonHead: p.head(), Device: p.entry(0),
		Info: sha256.Sum256([]byte("title")), Policy: policy,
		Cites: []wire.Digest{chain.Cite(p.proof()), chain.Cite(p.knock[0])},
	}
}

func bodyOf(genesis bool, attachments ...[]byte) *chain.Body {
	b := &chain.Body{Commit: []byte("commit"), Attachments: attachments}
	if genesis {
		b.Epoch0 = &chain.Epoch0{LeafNode: []byte("leaf"), ConfirmationTag: make([]byte, 32)}
	}
	return b
}

func seal(h *chain.Header, body *chain.Body, key ed25519.PrivateKey) {
	h.Seal(wire.Digest{1}, wire.Digest{2}, wire.Digest{3}, body.Hash(), func(l wire.Label, b []byte) []byte { return wire.Sign(key, l, b) })
}

// A group under test, with real bodies.
type group struct {
	t      testing.TB
	blocks *chain.Blocks
	people map[string]*person
}

// newGroup makes a group of the people named; the first creates it, the others
// are added in genesis, as admins if a star follows the name.
func newGroup(t testing.TB, policy chain.Policy, names ...string) *group {
	t.Helper()
	g := &group{t: t, blocks: chain.NewBlocks(), people: map[string]*person{}}
	var ops []chain.Op
	var papers [][]byte
	for i, name := range names {
		role := chain.RoleMember
		if name[len(name)-1] == '*' {
			name, role = name[:len(name)-1], chain.RoleAdmin
		}
		p := g.person(name)
		papers = append(papers, p.papers(1)...)
		if i == 0 {
			ops = append(ops, p.genesis(policy))
		} else {
			ops = append(ops, p.add(role, 1))
		}
	}
	h, body := g.draft(nil, wire.BlockHash{}, g.person(names[0]), papers, ops...)
	g.take(h, body)
	return g
}

func (g *group) person(name string) *person {
	if g.people[name] == nil {
		g.people[name] = newPerson(g.t, name)
	}
	return g.people[name]
}

func (g *group) instance(name string) wire.Instance {
	m, _ := g.state().Person(g.person(name).id)
	return m.Instance
}

func (g *group) state() *chain.State { return g.blocks.State(g.blocks.Head()) }

// params returns those of a block by p on the head; p's author_seq goes up.
func (g *group) params(p *person, ops ...chain.Op) chain.DraftParams {
	p.seq[0]++
	suite := chain.SuiteAES
	if s := g.state(); s != nil {
		suite = s.Suite()
	}
	return chain.DraftParams{
		Suite: suite, Parent: g.blocks.Head(), Group: wire.GroupID(g.blocks.Genesis()),
		Author: p.member(0), AuthorSeq: p.seq[0], Ops: ops, CreatedAt: 1000,
	}
}

func (g *group) draft(s *chain.State, parent wire.BlockHash, p *person, papers [][]byte, ops ...chain.Op) (*chain.Header, *chain.Body) {
	g.t.Helper()
	d := g.params(p, ops...)
	d.Parent = parent
	h, _, err := chain.Draft(s, d)
	if err != nil {
		g.t.Fatal(err)
	}
	body := bodyOf(s == nil, papers...)
	seal(h, body, p.keys[0])
	return h, body
}

// take checks and adds a block.
func (g *group) take(h *chain.Header, body *chain.Body) {
	g.t.Helper()
	s, err := g.blocks.Check(h, body)
	if err != nil {
		g.t.Fatal(err)
	}
	if err := g.blocks.Add(h, body, s); err != nil {
		g.t.Fatal(err)
	}
}

// commit makes a block on the head and takes it.
func (g *group) commit(name string, papers [][]byte, ops ...chain.Op) *chain.Header {
	g.t.Helper()
	h, body := g.draft(g.state(), g.blocks.Head(), g.person(name), papers, ops...)
	g.take(h, body)
	return h
}

// refused reports by which rule and for which reason err refuses a block.
func refused(err error) (string, chain.Reason) {
	if e, ok := errors.AsType[*chain.RejectError](err); ok {
		return e.Rule, e.Reason
	}
	return "", chain.Reason(fmt.Sprint(err))
}
