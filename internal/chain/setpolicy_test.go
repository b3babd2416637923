package chain_test

import (
	"bytes"
	"slices"
	"testing"

	"kith/internal/chain"
	"kith/internal/wire"
)

// voters returns the ids of people, as an electorate lists them.
func (g *group) voters(names ...string) (list []wire.PersonID) {
	for _, name := range names {
		list = append(list, g.person(name).id)
	}
	slices.SortFunc(list, func(a, b wire.PersonID) int { return bytes.Compare(a[:], b[:]) })
	return list
}

func TestSetPolicy(t *testing.T) {
	g := ruleGroup(t)
	want := chain.Policy{MembersInvite: true, History: chain.HistorySince, HistoryDays: 30, MaxEntries: 5000}
	h := g.commit("ben", nil, &chain.SetPolicy{Policy: &want, Electorate: g.voters("ann", "ben", "cat"), Features: []uint16{chain.FeatureNothing}})
	s := g.state()
	if h.Class != chain.ClassAdmin || s.Policy() != want || !slices.Equal(s.Electorate(), g.voters("ann", "ben", "cat")) || !slices.Equal(s.Features(), []uint16{chain.FeatureNothing}) {
		t.Errorf("policy %+v, electorate %v, features %v", s.Policy(), s.Electorate(), s.Features())
	}
	if entries, bytes := s.Policy().Limits(); entries != 5000 || bytes != 64<<20 {
		t.Errorf("limits %d, %d", entries, bytes)
	}
	if entries, bytes := (chain.Policy{MaxBytes: 7}).Limits(); entries != 1000 || bytes != 7 {
		t.Errorf("limits %d, %d", entries, bytes)
	}
	g.commit("cat", g.person("dan").papers(1), g.person("dan").add(chain.RoleMember, 1)) // members invite now
	g.commit("ann", nil, remove("ben")(g))
	if got := g.state().Electorate(); !slices.Equal(got, g.voters("ann", "cat")) {
		t.Errorf("electorate %v after a voter went", got)
	}
	g.commit("ann", nil, &chain.SetPolicy{Electorate: g.voters("dan"), Policy: &chain.Policy{}}, remove("dan")(g))
	if got := g.state().Electorate(); !slices.Equal(got, g.voters("ann")) {
		t.Errorf("electorate %v after its last voter went", got)
	}
	if g.state().Policy() != (chain.Policy{}) || len(g.state().Features()) != 1 {
		t.Error("policy or features")
	}
}

// The two of a direct chat may let both of them vote.
func TestSetPolicyInADirectChat(t *testing.T) {
	g := newGroup(t, chain.Policy{Direct: true}, "ann", "ben*")
	g.commit("ben", nil, &chain.SetPolicy{Electorate: g.voters("ann", "ben"), Policy: &chain.Policy{Direct: true, History: chain.HistoryAll}})
	if !g.state().DirectChat() || len(g.state().Electorate()) != 2 {
		t.Error("not set")
	}
}

func setting(op *chain.SetPolicy) func(*group) error {
	return ops("ann", one(func(*group) chain.Op { return op }))
}

var policyBreaches = []breach{
	{"by a member", "V4", chain.ReasonRole, ops("cat", one(func(*group) chain.Op { return &chain.SetPolicy{Policy: &chain.Policy{MembersInvite: true}} }))},
	{"that makes a direct chat", "V4", chain.ReasonDirect, setting(&chain.SetPolicy{Policy: &chain.Policy{Direct: true}})},
	{"of nothing", "V5", chain.ReasonNoChange, setting(&chain.SetPolicy{})},
	{"the policy it has", "V5", chain.ReasonNoChange, setting(&chain.SetPolicy{Policy: &chain.Policy{}})},
	{"the voters it has", "V5", chain.ReasonNoChange, ops("ann", one(func(g *group) chain.Op { return &chain.SetPolicy{Electorate: g.voters("ann")} }))},
	{"a stranger votes", "V5", chain.ReasonNotMember, ops("ann", one(func(g *group) chain.Op { return &chain.SetPolicy{Electorate: g.voters("ann", "dan")} }))},
	{"a removed voter", "V5", chain.ReasonNotMember, ops("ann", func(g *group) []chain.Op {
		return []chain.Op{remove("cat")(g), &chain.SetPolicy{Electorate: g.voters("cat")}}
	})},
	{"a voter twice", "V5", chain.ReasonForm, ops("ann", one(func(g *group) chain.Op { return &chain.SetPolicy{Electorate: slices.Repeat(g.voters("ben"), 2)} }))},
	{"32 voters", "V5", chain.ReasonForm, ops("ann", one(func(*group) chain.Op {
		op := new(chain.SetPolicy)
		for i := range 32 {
			op.Electorate = append(op.Electorate, wire.PersonID{byte(i)})
		}
		return op
	}))},
	{"no days", "V5", chain.ReasonForm, setting(&chain.SetPolicy{Policy: &chain.Policy{History: chain.HistorySince}})},
	{"days of nothing", "V5", chain.ReasonForm, setting(&chain.SetPolicy{Policy: &chain.Policy{HistoryDays: 3}})},
	{"a feature twice", "V8", chain.ReasonFeature, setting(&chain.SetPolicy{Features: []uint16{chain.FeatureNothing, chain.FeatureNothing}})},
	{"a feature it has", "V8", chain.ReasonFeature, ops("ann", func(*group) []chain.Op {
		op := &chain.SetPolicy{Features: []uint16{chain.FeatureNothing}}
		return []chain.Op{op, op}
	})},
	{"in a person's chain", "V4", chain.ReasonPolicy, inChain(0, just(&chain.SetPolicy{Policy: &chain.Policy{MembersInvite: true}}))},
}

func TestPolicyBytes(t *testing.T) {
	for _, c := range []struct {
		policy chain.Policy
		want   []byte
	}{
		{chain.Policy{}, []byte{1, 0, 0, 0}},
		{chain.Policy{MembersInvite: true, History: chain.HistoryAll, Direct: true}, []byte{1, 1, 1, 1}},
		{chain.Policy{History: chain.HistorySince, HistoryDays: 0x0102}, []byte{2, 0, 2, 0, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}},
		{chain.Policy{MembersInvite: true, MaxEntries: 3, MaxBytes: 4}, []byte{2, 1, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 4}},
	} {
		op := slices.Concat([]byte{5, byte(3 + len(c.want)), 1}, c.want, []byte{0, 0})
		want, _ := headerAround(op)
		h, err := chain.ParseHeader(want)
		if err != nil || !bytes.Equal(h.Bytes(), want) {
			t.Errorf("%+v: %v", c.policy, err)
			continue
		}
		if got := h.Ops[0].(*chain.SetPolicy).Policy; *got != c.policy {
			t.Errorf("read %+v, want %+v", *got, c.policy)
		}
	}
}
