package chain_test

import (
	"strings"
	"testing"

	"kith/internal/chain"
	"kith/internal/wire"
)

// A told history of a person: what a block cites of it.
type told struct {
	paper   []byte
	cite    wire.Digest
	headers []*chain.Header
	hashes  []wire.BlockHash // of headers
	state   *chain.State
	head    wire.BlockHash
}

// library holds every history ever told, by citation.
var library = map[wire.Digest]told{}

// tell makes a history of the person's chain, which begins with its first
// device. Each word is a block: "1+2" by which device 1 lets device 2 in, "2-1"
// by which device 2 revokes device 1; r is the recovery key, which may do several
// things at once: "r+3-1". Nothing is signed.
func (p *person) tell(t testing.TB, words string) told {
	t.Helper()
	if made, ok := p.told[words]; ok {
		return made
	}
	headers, hashes := p.headers[:1:1], []wire.BlockHash{wire.BlockHash(p.id)}
	states, err := chain.CheckHeaders(headers)
	if err != nil {
		t.Fatal(err)
	}
	s := states[0]
	for word := range strings.FieldsSeq(words) {
		author := s.RecoveryDevice()
		if word[0] != 'r' {
			author = p.device(int(word[0] - '1'))
		}
		var ops []chain.Op
		for i := 1; i < len(word); i += 2 {
			if device := int(word[i+1] - '1'); word[i] == '+' {
				ops = append(ops, p.addOwn(device))
			} else {
				ops = append(ops, drop(p.device(device)))
			}
		}
		if word[0] == 'r' {
			ops = append(ops, anew(chain.SuiteAES))
		}
		h, next, err := chain.Draft(s, chain.DraftParams{
			Suite: chain.SuiteAES, Parent: hashes[len(hashes)-1], Group: wire.GroupID(p.id),
			Author: wire.Member{Device: author}, AuthorSeq: s.LastSeq(author) + 1, Ops: ops,
		})
		if err != nil {
			t.Fatalf("%s tells %q: %v", p.name, words, err)
		}
		headers, hashes, s = append(headers, h), append(hashes, h.Hash()), next
	}
	paper := chain.MarshalProof(headers)
	made := told{paper, chain.Cite(paper), headers, hashes, s, hashes[len(hashes)-1]}
	p.told[words], library[made.cite] = made, made
	return made
}

// telling returns the op by which a device of the person is revoked, or comes in,
// as a history says, and what it cites.
func (p *person) telling(t testing.TB, at *chain.State, verb string, device int, words string) (chain.Op, [][]byte) {
	t.Helper()
	m, _ := at.Person(p.id)
	h := p.tell(t, words)
	if verb == "revokes" {
		return &chain.RemoveDevice{
			Person: p.id, Instance: m.Instance, PersonHead: h.head, Device: p.device(device), Cites: []wire.Digest{h.cite},
		}, [][]byte{h.paper}
	}
	op := &chain.AddDevice{
		Person: p.id, Instance: m.Instance, PersonHead: h.head, Device: p.entry(device),
		Cites: []wire.Digest{h.cite, chain.Cite(p.knock[device])},
	}
	if verb == "enters" {
		op.Device.KeyPackageRef = wire.Digest{}
	}
	return op, [][]byte{h.paper, p.knock[device]}
}
