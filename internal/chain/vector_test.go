package chain_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"slices"
	"testing"

	"kith/internal/chain"
	"kith/internal/wire"
)

var update = flag.Bool("update", false, "write the vectors anew")

const vectorFile = "../../docs/spec/vectors/chain.json"

type vectors struct {
	Comment string          `json:"comment"`
	Person  []vectorBlock   `json:"person"` // a person's chain
	Group   []vectorBlock   `json:"group"`  // parents first, one fork among them
	Head    string          `json:"head"`   // of the group
	Leave   string          `json:"leave"`  // the statement cited in the group's last block
	Offer   string          `json:"offer"`  // of who holds all blocks of the group
	Refused []vectorRefusal `json:"refused"`
	Record  string          `json:"record"`  // of the group, a chain file
	Members []vectorMember  `json:"members"` // of everybody ever in it, at its head

	Recovered     []vectorBlock `json:"recovered"` // a person's chain, with its recovery key
	RecoveredHead string        `json:"recovered_head"`
	Suspended     []string      `json:"suspended"` // devices, before the last block of recovered
	Devices       []vectorBlock `json:"devices"`   // a group with every op on a device
	DevicesHead   string        `json:"devices_head"`
}

type vectorBlock struct {
	What      string   `json:"what"`
	Header    string   `json:"header"`
	Body      string   `json:"body"`
	Hash      string   `json:"hash"`
	Core      string   `json:"core"`
	BodyHash  string   `json:"body_hash"`
	StateRoot string   `json:"state_root"`
	Height    uint64   `json:"height"`
	Class     uint8    `json:"class"`
	Admins    []string `json:"admins"` // most senior first
}

type vectorRefusal struct {
	What   string `json:"what"`
	Header string `json:"header"`
	Rule   string `json:"rule"`
	Reason string `json:"reason"`
}

// A vectorMember is a proof of one member against the state root of the head.
type vectorMember struct {
	Person string `json:"person"`
	Status uint8  `json:"status"`
	Role   uint8  `json:"role"`
	Rank   uint32 `json:"rank"`
	Proof  string `json:"proof"`
}

func memberVector(m chain.Member, proof string) vectorMember {
	return vectorMember{m.Person.String(), uint8(m.Status), uint8(m.Role), m.Rank, proof}
}

func blockVector(what string, h *chain.Header, body *chain.Body, s *chain.State) vectorBlock {
	hash, core, bodyHash, root := h.Hash(), h.Core(), body.Hash(), s.Root()
	v := vectorBlock{
		What: what, Header: hex.EncodeToString(h.Bytes()), Body: hex.EncodeToString(body.Bytes()),
		Hash: hex.EncodeToString(hash[:]), Core: hex.EncodeToString(core[:]), BodyHash: hex.EncodeToString(bodyHash[:]),
		StateRoot: hex.EncodeToString(root[:]), Height: h.Height, Class: uint8(h.Class),
	}
	for _, id := range s.Admins() {
		v.Admins = append(v.Admins, id.String())
	}
	return v
}

// makeVectors plays a small history from fixed keys.
func makeVectors(t *testing.T) vectors {
	v := vectors{Comment: "Bytes in hex. Keys are Ed25519 seeds SHA-256(\"device I of NAME\") and SHA-256(\"phrase of NAME\"); commits and leaf nodes are stand-ins, as this format does not look into them. docs/spec/chain.md"}
	ann := newPerson(t, "ann")
	ann.extend(t, &chain.SetInfo{Info: wire.Digest{9}})
	for i, h := range ann.headers {
		s, err := chain.VerifyProof(ann.headers[:i+1])
		if err != nil {
			t.Fatal(err)
		}
		v.Person = append(v.Person, blockVector([]string{"genesis of ann", "ann changes her name"}[i], h, ann.bodies[i], s))
	}
	g := newGroup(t, chain.Policy{MembersInvite: true, History: chain.HistoryAll}, "ann", "ben*", "cat")
	keep := func(what string, h *chain.Header) {
		v.Group = append(v.Group, blockVector(what, h, g.blocks.Body(h.Hash()), g.blocks.State(h.Hash())))
	}
	genesis := g.blocks.Header(g.blocks.Genesis())
	keep("ann makes a group with ben, an admin, and cat", genesis)
	before, at := g.state(), g.blocks.Head()
	cuts := []chain.Cut{{Device: g.person("ben").device(0), Seq: 3, Hash: wire.Short{1, 2, 3}}}
	removes := func(by, whom string, cuts []chain.Cut) *chain.Header {
		m, _ := before.Person(g.person(whom).id)
		h, body := g.draft(before, at, g.person(by), nil, &chain.Remove{Person: m.Person, Instance: m.Instance, Cuts: cuts})
		g.take(h, body)
		return h
	}
	keep("ben removes ann: loses", removes("ben", "ann", nil))
	keep("ann removes ben: wins", removes("ann", "ben", cuts))
	dan := g.person("dan")
	keep("cat, a member, adds dan", g.commit("cat", dan.papers(1), dan.add(chain.RoleMember, 1)))
	keep("ann promotes dan and rekeys", g.commit("ann", nil, &chain.SetRole{Person: dan.id, Instance: g.instance("dan"), Role: chain.RoleAdmin}, &chain.Rekey{}))
	s := signLeave(g, g.person("ann"), g.person("cat").id).Marshal()
	v.Leave = hex.EncodeToString(s)
	keep("ann leaves", g.commit("dan", [][]byte{s}, &chain.Leave{Person: g.person("ann").id, Instance: g.instance("ann"), Successor: g.person("cat").id, Cites: []wire.Digest{chain.Cite(s)}}))
	v.Head = g.blocks.Head().String()
	v.Offer = hex.EncodeToString(g.blocks.Offer().Marshal())
	v.Refused = refusedVectors(t, g)
	v.Record = hex.EncodeToString(chain.NewRecord(g.blocks).Marshal())
	for _, m := range g.state().Everyone() {
		p, _ := g.state().Prove(m.Person)
		v.Members = append(v.Members, memberVector(m, hex.EncodeToString(p.Marshal())))
	}
	laterVectors(t, &v)
	return v
}

// refusedVectors are Rekeys of dan on the head, each with one thing wrong and,
// but for the first, a signature that holds. None gets as far as its body.
func refusedVectors(t *testing.T, g *group) (list []vectorRefusal) {
	dan := g.person("dan")
	for _, c := range []struct {
		what   string
		change func(*chain.Header)
	}{
		{"signature", nil},
		{"height", func(h *chain.Header) { h.Height++ }},
		{"class", func(h *chain.Header) { h.Class = chain.ClassAdmin }},
		{"state_root", func(h *chain.Header) { h.StateRoot[31] ^= 1 }},
		{"suite", func(h *chain.Header) { h.Suite = chain.SuiteXWing }},
		{"unassigned op", func(h *chain.Header) { h.Ops = []chain.Op{&chain.Unread{Number: 200}} }},
		{"ben was removed", func(h *chain.Header) { h.Ops = []chain.Op{remove("ben")(g)}; h.Class = chain.ClassRemoval }},
	} {
		h, body := g.draft(g.state(), g.blocks.Head(), dan, nil, &chain.Rekey{})
		if c.change == nil {
			h.Signature[0] ^= 1
		} else {
			c.change(h)
			seal(h, body, dan.keys[0])
		}
		_, err := g.blocks.Check(h, body)
		rule, reason := refused(err)
		if rule == "" {
			t.Fatalf("%s: %v", c.what, err)
		}
		list = append(list, vectorRefusal{c.what, hex.EncodeToString(h.Bytes()), rule, string(reason)})
	}
	return list
}

// TestVectorsAreMade: the history gives exactly the file.
func TestVectorsAreMade(t *testing.T) {
	want, err := json.MarshalIndent(makeVectors(t), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	want = append(want, '\n')
	if *update {
		if err := os.WriteFile(vectorFile, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(vectorFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("the file has other bytes; if the format changed on purpose, run with -update")
	}
}

// TestVectors reads the file as another implementation would.
func TestVectors(t *testing.T) {
	raw, err := os.ReadFile(vectorFile)
	if err != nil {
		t.Fatal(err)
	}
	var v vectors
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	checkVectors(t, v.Person)
	b := checkVectors(t, v.Group)
	if b.Head().String() != v.Head || hex.EncodeToString(b.Offer().Marshal()) != v.Offer {
		t.Error("head or offer")
	}
	s, err := chain.ParseLeaveStatement(unhex(t, v.Leave))
	if err != nil {
		t.Fatal(err)
	}
	k := checkVectors(t, v.Recovered[:len(v.Recovered)-1])
	var suspended []string
	for _, d := range k.Suspended() {
		suspended = append(suspended, hex.EncodeToString(d[:]))
	}
	if !slices.Equal(suspended, v.Suspended) || checkVectors(t, v.Recovered).Head().String() != v.RecoveredHead || checkVectors(t, v.Devices).Head().String() != v.DevicesHead {
		t.Error("suspended devices, or a head")
	}
	if last := b.Body(b.Head()); !slices.Equal(last.Attachments[0], s.Marshal()) {
		t.Error("statement")
	}
	readPapers(t, &v, b)
	for _, c := range v.Refused {
		h, err := chain.ParseHeader(unhex(t, c.Header))
		if err != nil {
			t.Fatal(err)
		}
		_, err = b.Check(h, nil)
		if rule, reason := refused(err); rule != c.Rule || string(reason) != c.Reason {
			t.Errorf("%s: refused by %s %s", c.What, rule, reason)
		}
	}
}

// readPapers reads what an outsider is given of the group: its file, and proofs
// of its members.
func readPapers(t *testing.T, v *vectors, b *chain.Blocks) {
	t.Helper()
	r, err := chain.ParseRecord(unhex(t, v.Record))
	if err != nil {
		t.Fatal(err)
	}
	shown, err := r.Verify()
	if err != nil || shown.Head.String() != v.Head || shown.Blocks.Len() != b.Len() || !bytes.Equal(r.Marshal(), unhex(t, v.Record)) {
		t.Errorf("record: head %s of %d blocks, %v", shown.Head, shown.Blocks.Len(), err)
	}
	root := b.State(b.Head()).Root()
	for _, c := range v.Members {
		p, err := chain.ParseMemberProof(unhex(t, c.Proof))
		if err != nil {
			t.Fatal(err)
		}
		if m, err := p.Verify(root); err != nil || memberVector(m, c.Proof) != c {
			t.Errorf("member %s: %+v, %v", c.Person, m, err)
		}
	}
}

func checkVectors(t *testing.T, list []vectorBlock) *chain.Blocks {
	t.Helper()
	b := chain.NewBlocks()
	for _, c := range list {
		h, err := chain.ParseHeader(unhex(t, c.Header))
		if err != nil {
			t.Fatal(err)
		}
		body, err := chain.ParseBody(unhex(t, c.Body))
		if err != nil {
			t.Fatal(err)
		}
		s, err := b.Check(h, body)
		if err != nil {
			t.Fatalf("%s: %v", c.What, err)
		}
		if err := b.Add(h, body, s); err != nil {
			t.Fatal(err)
		}
		got := blockVector(c.What, h, body, s)
		if got.Hash != c.Hash || got.Core != c.Core || got.BodyHash != c.BodyHash || got.StateRoot != c.StateRoot || got.Class != c.Class || !slices.Equal(got.Admins, c.Admins) {
			t.Errorf("%s: got %+v", c.What, got)
		}
	}
	return b
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
