package chain_test

import (
	"bytes"
	"encoding/hex"
	"slices"
	"testing"

	"kith/internal/chain"
	"kith/internal/wire"
)

// newer: what a later version may give a meaning.
func (v *refusalVectors) newer(t *testing.T) {
	g := newGroup(t, chain.Policy{}, "ann", "ben")
	ann, ben := g.person("ann"), g.person("ben")
	add := func(what string, b []byte) {
		v.Newer = append(v.Newer, refusedBlock{What: what, On: "two", Header: hex.EncodeToString(b)})
	}
	b := lastRekey(g).Bytes()
	b[0] = 2
	add("version 2", b)
	b = lastRekey(g).Bytes()
	b[3] = 2
	add("sigalg 2", b)
	for _, c := range []struct {
		what   string
		change func(*chain.Header)
	}{
		{"suite 2", func(h *chain.Header) { h.Suite = chain.SuiteAES + 1 }},
		{"a feature without a number", func(h *chain.Header) {
			h.Ops, h.Class = []chain.Op{&chain.SetPolicy{Features: []uint16{9}}}, chain.ClassAdmin
		}},
		{"a policy of version 3", func(h *chain.Header) {
			h.Ops, h.Class = []chain.Op{&chain.Unread{Number: chain.KindSetPolicy, Content: []byte{1, 3, 0, 0, 0, 0, 0}}}, chain.ClassAdmin
		}},
	} {
		h := lastRekey(g)
		c.change(h)
		seal(h, bodyOf(false), ann.keys[0])
		add(c.what, h.Bytes())
	}
	g = newGroup(t, chain.Policy{}, "ann", "ben")
	v.keep("slash", g, true)
	id := wire.GroupID(g.blocks.Genesis())
	op, papers := g.twice(chain.SlashVotes+1, entry(ben, id, 7, "one"), entry(ben, id, 7, "another"))
	h, body := g.draft(g.state(), g.blocks.Head(), ann, papers, op)
	v.Newer = append(v.Newer, refusal("a Slash about a fourth thing", "slash", "", "", h, body))
}

// malformed: bytes that no header has.
func (v *refusalVectors) malformed(t *testing.T) {
	g := newGroup(t, chain.Policy{}, "ann", "ben")
	rekey := lastRekey(g).Bytes()
	add := func(what string, b []byte) {
		v.Malformed = append(v.Malformed, refusedBlock{What: what, Header: hex.EncodeToString(b)})
	}
	add("a byte short", rekey[:len(rekey)-1])
	add("a byte more", append(slices.Clone(rekey), 0))
	class := slices.Clone(rekey)
	class[148] = 3
	add("class 3", class)
	add("the length of ops in two bytes", slices.Concat(rekey[:149], []byte{0x40}, rekey[149:]))
	ids := bytes.Repeat([]byte{1}, 64)
	for _, c := range []struct {
		what    string
		kind    chain.Kind
		content []byte
	}{
		{"a Rekey with something in it", chain.KindRekey, []byte{0}},
		{"role 2", chain.KindSetRole, append(ids, 2)},
		{"a SetRole without its role", chain.KindSetRole, ids},
		{"a bool of 2", chain.KindSetPolicy, []byte{2, 0, 0}},
		{"history 3", chain.KindSetPolicy, []byte{1, 1, 0, 3, 0, 0, 0}},
		{"a policy of version 2 that version 1 can say", chain.KindSetPolicy, slices.Concat([]byte{1, 2, 0, 1, 0}, make([]byte, 14), []byte{0, 0})},
		{"an electorate that does not ascend", chain.KindSetPolicy, slices.Concat([]byte{0, 0x40, 64}, ids, []byte{0})},
		{"an Add without a device", chain.KindAdd, append(ids, 0, 0, 0)},
		{"a Slash about nothing", chain.KindSlash, slices.Concat(ids, ids[:32], []byte{0, 0, 0})},
	} {
		h := lastRekey(g)
		h.Ops, h.Class = []chain.Op{&chain.Unread{Number: c.kind, Content: c.content}}, c.kind.Class()
		seal(h, bodyOf(false), g.person("ann").keys[0])
		add(c.what, h.Bytes())
	}
}
