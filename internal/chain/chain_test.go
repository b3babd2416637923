package chain_test

import (
	"errors"
	"slices"
	"testing"

	"kith/internal/chain"
	"kith/internal/wire"
)

func TestLifeOfAGroup(t *testing.T) {
	g := newGroup(t, chain.Policy{}, "ann", "ben")
	ann, ben, cat := g.person("ann"), g.person("ben"), g.person("cat")
	if g.state().DirectChat() || !g.state().IsAdmin(ann.id) || g.state().IsAdmin(ben.id) {
		t.Error("roles after genesis")
	}
	g.commit("ann", cat.papers(1), cat.add(chain.RoleMember, 1))
	first := g.instance("cat")
	g.commit("ann", nil, &chain.SetRole{Person: cat.id, Instance: first, Role: chain.RoleAdmin})
	if got := g.state().Admins(); !slices.Equal(got, []wire.PersonID{ann.id, cat.id}) {
		t.Errorf("admins %v", got)
	}
	g.commit("cat", nil, &chain.Remove{Person: ben.id, Instance: g.instance("ben"), Cuts: []chain.Cut{{Device: ben.device(0), Seq: 7}}})
	if g.state().Active(ben.device(0)) || len(g.state().Members()) != 2 || len(g.state().Everyone()) != 3 {
		t.Error("ben is still there")
	}
	g.commit("cat", ben.papers(1), ben.add(chain.RoleMember, 1))
	if !g.state().Active(ben.device(0)) {
		t.Error("ben did not come back")
	}
	// The last two admins go: one leaves to the other, then to a successor.
	leave := func(name, by string, successor wire.PersonID) {
		t.Helper()
		p := g.person(name)
		s := signLeave(g, p, successor).Marshal()
		g.commit(by, [][]byte{s}, &chain.Leave{Person: p.id, Instance: g.instance(name), Successor: successor, Cites: []wire.Digest{chain.Cite(s)}})
	}
	leave("ann", "ben", wire.PersonID{})
	leave("cat", "ben", ben.id)
	if got := g.state().Admins(); !slices.Equal(got, []wire.PersonID{ben.id}) {
		t.Errorf("admins %v, want ben", got)
	}
	if got := g.state().Electorate(); !slices.Equal(got, []wire.PersonID{ben.id}) {
		t.Errorf("electorate %v, want ben", got)
	}
	if n := len(g.blocks.Chain()); n != 7 || g.state().Height() != 6 {
		t.Errorf("%d blocks, height %d", n, g.state().Height())
	}
}

func signLeave(g *group, p *person, successor wire.PersonID) *chain.LeaveStatement {
	m, _ := g.state().Person(p.id)
	sign := func(l wire.Label, b []byte) []byte { return wire.Sign(p.keys[0], l, b) }
	return chain.SignLeave(sign, wire.GroupID(g.blocks.Genesis()), p.member(0), m.Instance, successor)
}

func TestPersonChain(t *testing.T) {
	p := newPerson(t, "ann")
	p.extend(t, &chain.SetInfo{Info: wire.Digest{9}})
	p.extend(t, &chain.Rekey{})
	blocks := chain.NewBlocks()
	for i, h := range p.headers {
		s, err := blocks.Check(h, p.bodies[i])
		if err != nil {
			t.Fatal(err)
		}
		if err := blocks.Add(h, p.bodies[i], s); err != nil {
			t.Fatal(err)
		}
	}
	s := blocks.State(blocks.Head())
	if !s.OfPerson() || !s.Active(p.device(0)) || s.Recovery() == nil || s.Info() != (wire.Digest{9}) || wire.PersonID(blocks.Genesis()) != p.id {
		t.Errorf("state %+v", s)
	}
	if m := s.Members()[0]; m.Person != (wire.PersonID{}) || m.Rank != 1 {
		t.Errorf("member %+v", m)
	}
}

func TestProofIsOneChain(t *testing.T) {
	ann, ben := newPerson(t, "ann"), newPerson(t, "ben")
	ann.extend(t, &chain.Rekey{})
	ann.extend(t, &chain.Rekey{})
	ben.extend(t, &chain.Rekey{})
	for name, headers := range map[string][]*chain.Header{
		"nothing":          nil,
		"no genesis":       ann.headers[1:],
		"a block left out": {ann.headers[0], ann.headers[2]},
		"a block twice":    {ann.headers[0], ann.headers[1], ann.headers[1]},
		"genesis twice":    {ann.headers[0], ann.headers[0]},
		"another's block":  {ann.headers[0], ben.headers[1]},
		"out of order":     {ann.headers[0], ann.headers[2], ann.headers[1]},
	} {
		if _, err := chain.VerifyProof(headers); err == nil {
			t.Errorf("%s: is a proof", name)
		}
		if _, err := chain.ReadProof(headers); err == nil {
			t.Errorf("%s: is read as a proof", name)
		}
	}
	// The parent's hash alone is wrong, and the block is signed again.
	h := *ann.headers[1]
	h.Parent[0]++
	seal(&h, ann.bodies[1], ann.keys[0])
	if _, err := chain.VerifyProof([]*chain.Header{ann.headers[0], &h}); err == nil {
		t.Error("another parent: is a proof")
	}
}

// TestReadProof: what was checked before is read by every rule but that of signatures.
func TestReadProof(t *testing.T) {
	ann := newPerson(t, "ann")
	ann.extend(t, &chain.Rekey{})
	want, err := chain.VerifyProof(ann.headers)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := chain.ReadProof(ann.headers); err != nil || got.Root() != want.Root() {
		t.Errorf("the state is another: %v", err)
	}
	last := *ann.headers[len(ann.headers)-1]
	last.Signature[0]++
	unsigned := append(slices.Clone(ann.headers[:len(ann.headers)-1]), &last)
	if _, err := chain.VerifyProof(unsigned); err == nil {
		t.Error("a false signature is verified")
	}
	if _, err := chain.ReadProof(unsigned); err != nil {
		t.Errorf("a signature is looked at: %v", err)
	}
}

func TestDirectChat(t *testing.T) {
	g := newGroup(t, chain.Policy{Direct: true}, "ann", "ben*")
	if !g.state().DirectChat() || len(g.state().Admins()) != 2 {
		t.Fatal("not a direct chat of two admins")
	}
	cat, ben := g.person("cat"), g.person("ben")
	for _, op := range []chain.Op{
		cat.add(chain.RoleMember, 1),
		&chain.Remove{Person: ben.id, Instance: g.instance("ben")},
		&chain.SetRole{Person: ben.id, Instance: g.instance("ben")},
	} {
		_, _, err := chain.Draft(g.state(), g.params(g.person("ann"), op))
		if rule, reason := refused(err); rule != "V4" || reason != chain.ReasonDirect {
			t.Errorf("%T: %v", op, err)
		}
	}
	s := signLeave(g, ben, wire.PersonID{}).Marshal()
	g.commit("ann", [][]byte{s}, &chain.Leave{Person: ben.id, Instance: g.instance("ben"), Cites: []wire.Digest{chain.Cite(s)}})
}

func TestReplayChangesNothing(t *testing.T) {
	g := newGroup(t, chain.Policy{}, "ann", "ben*")
	h := g.commit("ann", nil, &chain.Rekey{})
	head, n, root := g.blocks.Head(), g.blocks.Len(), g.state().Root()
	for _, hash := range g.blocks.All() {
		g.take(g.blocks.Header(hash), g.blocks.Body(hash))
	}
	if g.blocks.Head() != head || g.blocks.Len() != n || g.state().Root() != root {
		t.Error("a replay changed something")
	}
	// The same ops under the next parent are another block, and its author_seq refuses it.
	again := *h
	again.Parent, again.Height = head, h.Height+1
	seal(&again, bodyOf(false), g.person("ann").keys[0])
	_, err := g.blocks.Check(&again, bodyOf(false))
	if rule, reason := refused(err); rule != "V2" || reason != chain.ReasonSeq {
		t.Errorf("replayed on the head: %v", err)
	}
}

func TestMissingParent(t *testing.T) {
	g := newGroup(t, chain.Policy{}, "ann")
	a, bodyA := g.draft(g.state(), g.blocks.Head(), g.person("ann"), nil, &chain.Rekey{})
	s, err := g.blocks.Check(a, bodyA)
	if err != nil {
		t.Fatal(err)
	}
	d := g.params(g.person("ann"), &chain.Rekey{})
	d.Parent = a.Hash()
	b, _, err := chain.Draft(s, d)
	if err != nil {
		t.Fatal(err)
	}
	_, err = g.blocks.Check(b, bodyOf(false))
	if m, ok := errors.AsType[*chain.MissingError](err); !ok || m.Parent != a.Hash() {
		t.Errorf("got %v", err)
	}
	_, err = chain.NewBlocks().Check(b, bodyOf(false))
	if _, ok := errors.AsType[*chain.MissingError](err); !ok {
		t.Errorf("in an empty set: %v", err)
	}
}
