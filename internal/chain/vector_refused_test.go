package chain_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"testing"

	"kith/internal/chain"
	"kith/internal/wire"
)

const refusedVectorFile = "../../docs/spec/vectors/refused.json"

// refusalVectors are blocks that no one takes in, each for one thing: signatures hold
// but where the form is wrong, and what is refused has the state root that it would
// have if it were not.
type refusalVectors struct {
	Comment   string                  `json:"comment"`
	Chains    map[string][]plainBlock `json:"chains"` // valid, parents first
	Refused   []refusedBlock          `json:"refused"`
	Newer     []refusedBlock          `json:"newer"`     // neither valid nor invalid here
	Malformed []refusedBlock          `json:"malformed"` // no header at all
}

// A plainBlock has no body where headers alone decide.
type plainBlock struct {
	Header string `json:"header"`
	Body   string `json:"body,omitempty"`
}

type refusedBlock struct {
	What   string `json:"what"`
	On     string `json:"on,omitempty"` // the chain it goes on; none: it is a genesis
	Header string `json:"header"`
	Body   string `json:"body,omitempty"`
	Rule   string `json:"rule,omitempty"`
	Reason string `json:"reason,omitempty"`
}

// keep adds the blocks of g, with their bodies or without.
func (v *refusalVectors) keep(name string, g *group, bodies bool) {
	for _, hash := range g.blocks.All() {
		b := plainBlock{Header: hex.EncodeToString(g.blocks.Header(hash).Bytes())}
		if bodies {
			b.Body = hex.EncodeToString(g.blocks.Body(hash).Bytes())
		}
		v.Chains[name] = append(v.Chains[name], b)
	}
}

func refusal(what, on, rule string, reason chain.Reason, h *chain.Header, body *chain.Body) refusedBlock {
	b := refusedBlock{What: what, On: on, Header: hex.EncodeToString(h.Bytes()), Rule: rule, Reason: string(reason)}
	if body != nil {
		b.Body = hex.EncodeToString(body.Bytes())
	}
	return b
}

func makeRefusedVectors(t *testing.T) *refusalVectors {
	v := &refusalVectors{
		Comment: "Bytes in hex; keys and stand-ins as in chain.json. docs/spec/chain.md, Rules",
		Chains:  map[string][]plainBlock{},
	}
	v.genesis(t)
	v.proofs(t)
	v.nacks(t)
	v.carries(t)
	v.rekeys(t)
	v.unparks(t)
	v.devices(t)
	v.newer(t)
	v.malformed(t)
	return v
}

// genesis: V1, by headers alone. None of the changes moves the state root.
func (v *refusalVectors) genesis(t *testing.T) {
	for _, c := range []struct {
		what   string
		reason chain.Reason
		change func(*chain.Header, *chain.Genesis)
	}{
		{"genesis with author_seq 2", chain.ReasonZero, func(h *chain.Header, _ *chain.Genesis) { h.AuthorSeq = 2 }},
		{"genesis at height 1", chain.ReasonZero, func(h *chain.Header, _ *chain.Genesis) { h.Height = 1 }},
		{"genesis with a parent", chain.ReasonZero, func(h *chain.Header, _ *chain.Genesis) { h.Parent[0] = 1 }},
		{"genesis made in 2^52", chain.ReasonCreated, func(h *chain.Header, _ *chain.Genesis) { h.CreatedAt = chain.MaxCreated }},
		{"a Rekey after Genesis", chain.ReasonGenesis, func(h *chain.Header, _ *chain.Genesis) { h.Ops = append(h.Ops, &chain.Rekey{}) }},
		{"a group with recovery keys", chain.ReasonPersonField, func(_ *chain.Header, op *chain.Genesis) { op.Recovery = new(chain.RecoveryKeys) }},
	} {
		ann := newPerson(t, "ann")
		op := ann.genesis(chain.Policy{})
		h, _, err := chain.Draft(nil, chain.DraftParams{Suite: chain.SuiteAES, Author: ann.member(0), AuthorSeq: 1, Ops: []chain.Op{op}})
		if err != nil {
			t.Fatal(err)
		}
		c.change(h, h.Ops[0].(*chain.Genesis))
		seal(h, bodyOf(true), ann.keys[0])
		v.Refused = append(v.Refused, refusal(c.what, "", "V1", c.reason, h, nil))
	}
	h := newPerson(t, "ann").headers[0]
	bare := *h.Ops[0].(*chain.Genesis)
	bare.Recovery, h.Ops = nil, []chain.Op{&bare}
	seal(h, bodyOf(true), newPerson(t, "ann").keys[0])
	v.Refused = append(v.Refused, refusal("a creator of zeros without recovery keys", "", "V1", chain.ReasonPersonField, h, nil))
}

// proofs: V6, an old proof. Ben's chain lets two devices in and goes on; the
// group has seen all of it.
func (v *refusalVectors) proofs(t *testing.T) {
	g := newGroup(t, chain.Policy{}, "ann", "ben")
	ben := g.person("ben")
	ben.second(t)
	ben.extendWith(t, [][]byte{ben.knock[2]}, ben.addOwn(2))
	old := slices.Clone(ben.headers)
	ben.extend(t, &chain.SetInfo{Info: wire.Digest{1}})
	in, papers := g.addDevice(ben, 1, false)
	g.commit("ann", papers, in)
	v.keep("proof", g, true)
	ben.headers = old
	in, papers = g.addDevice(ben, 2, false)
	h, body := g.draft(g.state(), g.blocks.Head(), g.person("ann"), papers, in)
	v.Refused = append(v.Refused, refusal("AddDevice by a proof older than the one on record", "proof", "V6", chain.ReasonProof, h, body))

	h, body = g.draft(g.state(), g.blocks.Head(), g.person("ann"), nil, &chain.Rekey{})
	h.AuthorSeq = 1
	seal(h, body, g.person("ann").keys[0])
	v.Refused = append(v.Refused, refusal("an author_seq that falls", "proof", "V2", chain.ReasonSeq, h, body))
}

// nacks: V6. Ann and ben have a device each and cat has three; ann signs after
// the block that some could not follow.
func (v *refusalVectors) nacks(t *testing.T) {
	g := newGroup(t, chain.Policy{}, "ann", "ben", "cat")
	cat := g.person("cat")
	cat.second(t)
	cat.extendWith(t, [][]byte{cat.knock[2]}, cat.addOwn(2))
	for i := 1; i <= 2; i++ {
		in, papers := g.addDevice(cat, i, false)
		g.commit("cat", papers, in)
	}
	poisoned := g.commit("ben", nil, &chain.Rekey{}).Hash()
	g.commit("ann", nil, &chain.Rekey{})
	v.keep("nacks", g, true)
	ann, ben := g.person("ann"), g.person("ben")
	after := g.blocks.Head()
	for _, c := range []struct {
		what  string
		nacks []*chain.Nack
	}{
		{"Nacks by two of five devices, of two of three people", []*chain.Nack{g.nack(ben, 0, after), g.nack(cat, 0, after)}},
		{"Nacks by three of five devices, all of one person", []*chain.Nack{g.nack(cat, 0, poisoned), g.nack(cat, 1, poisoned), g.nack(cat, 2, poisoned)}},
		{"a Nack of who signed a block since", []*chain.Nack{g.nack(ann, 0, poisoned), g.nack(cat, 0, poisoned), g.nack(cat, 1, poisoned)}},
		{"a Nack of the author of the block", []*chain.Nack{g.nack(ben, 0, poisoned), g.nack(cat, 0, poisoned), g.nack(cat, 1, poisoned)}},
	} {
		paper := together(c.nacks...)
		op := anew(chain.SuiteAES)
		op.Cites = []wire.Digest{chain.Cite(paper)}
		h, _ := g.draft(g.state(), after, cat, nil, op)
		body := bodyOf(true, paper)
		seal(h, body, cat.keys[0])
		v.Refused = append(v.Refused, refusal(c.what, "nacks", "V6", chain.ReasonNack, h, body))
	}
}

// carries: V6. Ben removed cat on a branch that lost.
func (v *refusalVectors) carries(t *testing.T) {
	d := divide(t)
	d.on("G", "A", "ann", nil, d.removal("G", "dan"))
	v.keep("carry", d.group, true)
	ben := d.person("ben")
	lost := d.block(ben, d.at["G"], 1, d.removal("G", "cat"))
	foreign := *lost
	foreign.Group[0]++
	seal(&foreign, bodyOf(false), ben.keys[0])
	other := newGroup(t, chain.Policy{MembersInvite: true}, "ann", "ben*", "cat", "dan")
	theirs, _ := other.draft(other.state(), other.blocks.Head(), other.person("ben"), nil, remove("cat")(other))
	for _, c := range []struct {
		what   string
		branch *chain.Header
	}{
		{"a Carry of a branch that names another group", &foreign},
		{"a Carry of a branch of another group", theirs},
	} {
		paper := chain.MarshalProof([]*chain.Header{c.branch})
		h, body := d.draft(d.blocks.State(d.at["A"]), d.at["A"], d.person("ann"), [][]byte{paper}, &chain.Carry{
			Block: c.branch.Hash(), Person: d.person("cat").id, Instance: d.in("A", "cat"), Cites: []wire.Digest{chain.Cite(paper)},
		})
		v.Refused = append(v.Refused, refusal(c.what, "carry", "V6", chain.ReasonCarry, h, body))
	}
}

// rekeys: V7. A Rekey leaves the state root alone, so ben's becomes ann's.
func (v *refusalVectors) rekeys(t *testing.T) {
	g := newGroup(t, chain.Policy{}, "ann", "ben")
	for range chain.MaxRekeys {
		g.commit("ann", nil, &chain.Rekey{})
	}
	v.keep("rekeys", g, false)
	v.Refused = append(v.Refused, refusal("the 17th Rekey of one person in 32 blocks", "rekeys", "V7", chain.ReasonRekeys, lastRekey(g), nil))
	g = newGroup(t, chain.Policy{}, "ann", "ben")
	v.keep("two", g, false)
	h := lastRekey(g)
	h.Ops = slices.Repeat(h.Ops, 17)
	seal(h, bodyOf(false), g.person("ann").keys[0])
	v.Refused = append(v.Refused, refusal("17 Rekeys in one block", "two", "V7", chain.ReasonRekeys, h, nil))
}

// lastRekey returns a Rekey of ann's on the head that nobody has judged.
func lastRekey(g *group) *chain.Header {
	ann := g.person("ann")
	h, body := g.draft(g.state(), g.blocks.Head(), g.person("ben"), nil, &chain.Rekey{})
	h.Author, h.AuthorSeq = ann.member(0), ann.seq[0]+1
	seal(h, body, ann.keys[0])
	return h
}

// unparks: V7. Nobody calls for ben's after the first.
func (v *refusalVectors) unparks(t *testing.T) {
	g := newGroup(t, chain.Policy{}, "ann", "ben")
	ben := g.person("ben")
	for range 1 + chain.MaxUnparks {
		g.commit("ben", nil, unparking(g, "ben", 0))
	}
	v.keep("unparks", g, false)
	h, body := g.draft(g.state(), g.blocks.Head(), g.person("ann"), nil, &chain.Rekey{})
	h.Author, h.AuthorSeq, h.Ops = ben.member(0), ben.seq[0]+1, []chain.Op{unparking(g, "ben", 0)}
	h.Class = chain.KindUnpark.Class()
	seal(h, body, ben.keys[0])
	v.Refused = append(v.Refused, refusal("the fifth Unpark that nobody called for", "unparks", "V7", chain.ReasonUnparks, h, nil))
}

// devices: V7. Ben's 17th device in the window; what the state root would be is
// that of the same block when the window has passed.
func (v *refusalVectors) devices(t *testing.T) {
	p := newPhones(t)
	s := p.s
	step := func(who string, ops ...chain.Op) *chain.Header {
		by := p.person(who)
		h, after, err := chain.Draft(s, p.params(by, ops...))
		if err != nil {
			t.Fatal(err)
		}
		s = after
		seal(h, bodyOf(false), by.keys[0])
		return h
	}
	sign := func(parent wire.BlockHash, h *chain.Header) *chain.Header {
		h.Parent = parent
		seal(h, bodyOf(false), p.person("ann").keys[0])
		return h
	}
	var many []chain.Op
	for n := range chain.MaxAddDevices - 1 {
		many = append(many, p.add(n))
	}
	v.keep("devices", p.group, false)
	head := p.blocks.Genesis()
	gone, also := phone(0), phone(1)
	for _, ops := range [][]chain.Op{many, {p.drop(gone.ID()), p.drop(also.ID())}, {p.add(50)}} {
		h := sign(head, step("ann", ops...))
		head = h.Hash()
		v.Chains["devices"] = append(v.Chains["devices"], plainBlock{Header: hex.EncodeToString(h.Bytes())})
	}
	height, seq := s.Height(), p.person("ann").seq[0]
	for i := range 2 * chain.QuotaWindow {
		step([]string{"ann", "ben"}[i%2], &chain.Rekey{})
	}
	h := step("ann", p.add(51))
	h.Height, h.AuthorSeq = height+1, seq+1
	v.Refused = append(v.Refused, refusal("the 17th device of one person in 32 blocks", "devices", "V7", chain.ReasonAdded, sign(head, h), nil))
}

// TestRefusedVectorsAreMade: what is refused is exactly the file.
func TestRefusedVectorsAreMade(t *testing.T) {
	want, err := json.MarshalIndent(makeRefusedVectors(t), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	want = append(want, '\n')
	if *update {
		if err := os.WriteFile(refusedVectorFile, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(refusedVectorFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("the file has other bytes; if the format changed on purpose, run with -update")
	}
}

// TestRefusedVectors reads the file as another implementation would.
func TestRefusedVectors(t *testing.T) {
	raw, err := os.ReadFile(refusedVectorFile)
	if err != nil {
		t.Fatal(err)
	}
	var v refusalVectors
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	for name := range v.Chains {
		if err := v.take(t, refusedBlock{On: name}); err != nil {
			t.Errorf("chain %s: %v", name, err)
		}
	}
	for _, c := range v.Refused {
		if rule, reason := refused(v.take(t, c)); rule != c.Rule || string(reason) != c.Reason {
			t.Errorf("%s: refused by %q %q", c.What, rule, reason)
		}
	}
	for _, c := range v.Newer {
		if err := v.take(t, c); !errors.Is(err, chain.ErrNewer) {
			t.Errorf("%s: %v", c.What, err)
		}
	}
	for _, c := range v.Malformed {
		if _, err := chain.ParseHeader(unhex(t, c.Header)); err == nil || errors.Is(err, chain.ErrNewer) {
			t.Errorf("%s: %v", c.What, err)
		}
	}
}

// take returns the error of the block on its chain, or of the chain if the block
// has no header.
func (v *refusalVectors) take(t *testing.T, c refusedBlock) error {
	t.Helper()
	list := v.Chains[c.On]
	if c.Header != "" {
		list = append(slices.Clone(list), plainBlock{c.Header, c.Body})
	}
	b := chain.NewBlocks()
	var headers []*chain.Header
	for _, x := range list {
		h, err := chain.ParseHeader(unhex(t, x.Header))
		if err != nil {
			return err
		}
		headers = append(headers, h)
		if x.Body == "" {
			continue
		}
		body, err := chain.ParseBody(unhex(t, x.Body))
		if err != nil {
			t.Fatal(err)
		}
		s, err := b.Check(h, body)
		if err != nil {
			return err
		}
		if err := b.Add(h, body, s); err != nil {
			t.Fatal(err)
		}
	}
	if b.Len() > 0 {
		return nil
	}
	_, err := chain.CheckHeaders(headers)
	return err
}
