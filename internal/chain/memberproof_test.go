package chain_test

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"kith/internal/chain"
	"kith/internal/wire"
)

// Every person ever admitted is proved, in groups of one to twenty, and the
// proof says what the state says.
func TestMemberProof(t *testing.T) {
	names := []string{"ann"}
	for n := 1; n <= 20; n++ {
		g := newGroup(t, chain.Policy{}, names...)
		if n > 2 {
			g.commit("ann", nil, &chain.Remove{Person: g.person(names[1]).id, Instance: g.instance(names[1])})
		}
		for _, want := range g.state().Everyone() {
			p, ok := g.state().Prove(want.Person)
			if !ok {
				t.Fatalf("%d people: no proof", n)
			}
			got, err := p.Verify(g.state().Root())
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%d people: %v, proved %+v, want %+v", n, err, got, want)
			}
			again, err := chain.ParseMemberProof(p.Marshal())
			if err != nil || !reflect.DeepEqual(again, p) {
				t.Errorf("%d people: %v: another proof after encoding", n, err)
			}
		}
		names = append(names, fmt.Sprintf("p%d", n))
	}
	if _, ok := newGroup(t, chain.Policy{}, "ann").state().Prove(wire.PersonID{9}); ok {
		t.Error("a proof of a stranger")
	}
}

// A proof changed anywhere, or held against another root, proves nothing.
func TestMemberProofRefused(t *testing.T) {
	g := newGroup(t, chain.Policy{}, "ann", "ben*", "cat", "dan", "eve")
	whole, _ := g.state().Prove(g.person("cat").id)
	root := g.state().Root()
	cat, _ := g.state().Person(g.person("cat").id)
	for i, at := range whole.Marshal() {
		b := whole.Marshal()
		b[i] = at ^ 1
		p, err := chain.ParseMemberProof(b)
		if err != nil {
			continue
		}
		// How many leaves there are is no part of what is proved.
		if m, err := p.Verify(root); err == nil && !reflect.DeepEqual(m, cat) {
			t.Errorf("byte %d changed, and it proves %+v", i, m)
		}
	}
	for name, change := range map[string]func(*chain.MemberProof){
		"a path too short": func(p *chain.MemberProof) { p.Path = p.Path[:1] },
		"a path too long":  func(p *chain.MemberProof) { p.Path = append(p.Path, [32]byte{1}) },
		"the settings":     func(p *chain.MemberProof) { p.Index = 0 },
		"beyond the end":   func(p *chain.MemberProof) { p.Index = p.Leaves },
		"no leaves":        func(p *chain.MemberProof) { p.Leaves, p.Index = 0, 0 },
		// An inner node must not pass for a leaf.
		"an inner node": func(p *chain.MemberProof) {
			p.Record, p.Path, p.Index, p.Leaves = append(slices.Clone(p.Path[0][:]), p.Path[0][:]...), p.Path[1:], 1, 3
		},
	} {
		p := *whole
		p.Path = slices.Clone(whole.Path)
		change(&p)
		if _, err := p.Verify(root); !errors.Is(err, chain.ErrMemberProof) {
			t.Errorf("%s: %v", name, err)
		}
	}
	g.commit("ann", nil, &chain.Remove{Person: g.person("cat").id, Instance: g.instance("cat")})
	if _, err := whole.Verify(g.state().Root()); !errors.Is(err, chain.ErrMemberProof) {
		t.Errorf("a proof from before the removal: %v", err)
	}
	now, _ := g.state().Prove(g.person("cat").id)
	if m, err := now.Verify(g.state().Root()); err != nil || m.Status != chain.StatusRemoved {
		t.Errorf("%v: status %d, want removed", err, m.Status)
	}
}

func TestMemberProofBytes(t *testing.T) {
	p := &chain.MemberProof{Index: 2, Leaves: 0x0103, Record: []byte("rec"), Path: [][32]byte{fill32(1), fill32(2)}}
	want := slices.Concat([]byte{1, 0, 0, 0, 2, 0, 0, 1, 3}, []byte{3}, []byte("rec"), []byte{0x40, 64}, x(1, 32), x(2, 32))
	if got := p.Marshal(); !bytes.Equal(got, want) {
		t.Errorf("got  %x\nwant %x", got, want)
	}
	if _, err := chain.ParseMemberProof(append([]byte{2}, want[1:]...)); !errors.Is(err, chain.ErrNewer) {
		t.Errorf("another version: %v", err)
	}
	for n := range want {
		if _, err := chain.ParseMemberProof(want[:n]); err == nil {
			t.Errorf("%d bytes of it parse", n)
		}
	}
}

func FuzzMemberProof(f *testing.F) {
	g := newGroup(f, chain.Policy{}, "ann", "ben", "cat")
	root := g.state().Root()
	p, _ := g.state().Prove(g.person("ben").id)
	f.Add(p.Marshal())
	f.Fuzz(func(t *testing.T, b []byte) {
		q, err := chain.ParseMemberProof(b)
		if err != nil {
			return
		}
		roundTrip(t, b, q.Marshal())
		m, err := q.Verify(root)
		if err != nil {
			return
		}
		if want, ok := g.state().Person(m.Person); !ok || !reflect.DeepEqual(m, want) {
			t.Errorf("proves %+v", m)
		}
	})
}
