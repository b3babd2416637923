package chain_test

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"kith/internal/chain"
	"kith/internal/wire"
)

// A voteCase is a chain with votes of four, one of whom may lie. ann elects them
// in E and settles that; votes name blocks by their names.
type voteCase struct {
	What   string       `json:"what"`
	Blocks []voteBlock  `json:"blocks"` // parents first
	Votes  []votedBlock `json:"votes"`  // taken in in this order
	Pairs  []votePair   `json:"pairs,omitempty"`
}

type voteBlock struct {
	Name   string `json:"name"`
	Header string `json:"header"`
	Hash   string `json:"hash"`
}

type votedBlock struct {
	Says     string   `json:"says"`
	Vote     string   `json:"vote"`
	Hash     string   `json:"hash"`
	Settled  string   `json:"settled"`             // once it is held
	Start    string   `json:"start"`               // where fork choice starts then
	Conflict string   `json:"conflict,omitempty"`  // kept, resolved or stopped
	Liars    []string `json:"liars,omitempty"`     // devices against which there is evidence
	Pin      bool     `json:"pin_after,omitempty"` // what is settled is pinned then
}

// A votePair is two votes of one device and era: whether they are evidence, and
// whether a Slash may cite them.
type votePair struct {
	What     string   `json:"what"`
	Says     []string `json:"says"`
	Evidence string   `json:"evidence"` // the two votes, the lower hash first
	Holds    bool     `json:"holds"`
	Slashes  bool     `json:"slashes"`
}

// A plannedCase is a voteCase as it is written down: who votes what in which
// round from which source, as "ann 1 a2 0 E" in the era of E; "pin" after a
// vote. A sixth word is vote_seq.
type plannedCase struct {
	what  string
	ends  string // what is settled, where fork choice starts, what conflict there is
	votes []string
	pairs [][3]string // what, and two votes
}

var plannedCases = []plannedCase{
	{what: "the picture of settlement.md", ends: "a1 a2", votes: []string{
		"ann 1 a2 0 E", "ben 1 a2 0 E", "cat 1 c2 0 E", "ann 2 a2 1 a1", "ben 2 a2 1 a1", "cat 2 a2 1 a1",
		"ann 3 a2 2 a2", "ben 3 a2 2 a2", "dan 3 c2 1 a1",
	}},
	{what: "a liar counts for every block of its round", ends: "a2 a2", votes: []string{
		"ann 1 a2 0 E", "ben 1 a2 0 E", "dan 1 c2 0 E", "dan 1 a1 0 E",
		"ann 2 a2 1 a2", "ben 2 a2 1 a2", "dan 2 c2 1 a1", "dan 2 c2 0 E",
	}},
	{what: "votes settle nothing unless their source is of the round just before", ends: "E a2", votes: []string{
		"ann 1 a2 0 E", "ben 1 a2 0 E", "cat 1 a2 0 E", "ann 3 a2 1 a2", "ben 3 a2 1 a2", "cat 3 a2 1 a2",
	}},
	{what: "of two certificates that of the later round is higher, though it be lower", ends: "E a1", votes: []string{
		"ann 1 a2 0 E", "ben 1 a2 0 E", "cat 1 a2 0 E", "ann 2 a1 0 E", "ben 2 a1 0 E", "cat 2 a1 0 E",
	}},
	{what: "a conflict that loses the votes of who is known to lie", ends: "E E resolved", votes: []string{
		"ann 1 a2 0 E", "ben 1 a2 0 E", "cat 1 a2 0 E", "ann 2 a2 1 a2", "ben 2 a2 1 a2", "cat 2 a2 1 a2",
		"ben 3 c2 0 E", "cat 3 c2 0 E", "dan 3 c2 0 E", "ben 4 c2 3 c2", "cat 4 c2 3 c2", "dan 4 c2 3 c2",
	}},
	{what: "a conflict that nobody is known to have lied for stops the group", ends: "a1 a1 stopped", votes: []string{
		"ben 1 c2 0 E", "cat 1 c2 0 E", "dan 1 c2 0 E", "ben 2 c2 1 c2", "cat 2 c2 1 c2", "dan 2 c2 1 c2",
		"ann 8 a2 7 a2", "ben 8 a2 7 a2", "cat 8 a2 7 a2",
	}},
	{what: "a conflict with what is pinned is kept", ends: "c2 c2 kept", votes: []string{
		"ben 1 c2 0 E", "cat 1 c2 0 E", "dan 1 c2 0 E", "ben 2 c2 1 c2", "cat 2 c2 1 c2", "dan 2 c2 1 c2 pin",
		"ann 8 a2 7 a2", "ben 8 a2 7 a2", "cat 8 a2 7 a2",
	}},
	{what: "what is evidence", ends: "E E", pairs: [][3]string{
		{"two blocks in one round", "ann 1 a1 0 E", "ann 1 c2 0 E"},
		{"one block twice in a round", "ann 1 a1 0 E", "ann 1 a1 0 E"},
		{"one number in two rounds", "ann 1 a1 0 E 7", "ann 2 c2 0 E 7"},
		{"a number that goes back", "ann 1 a1 0 E 7", "ann 2 c2 0 E 6"},
		{"a source of an earlier round", "ann 2 a1 1 a1", "ann 3 a1 0 E"},
		{"a source of one round that is lower: no Slash shows it", "ann 3 a2 2 a2", "ann 4 a2 2 a1"},
		{"a source of one round that is higher", "ann 3 a2 2 a1", "ann 4 a2 2 a2"},
		{"two branches in two rounds", "ann 1 a1 0 E", "ann 2 c2 0 E"},
		{"a source on another branch, of a later round", "ann 2 a1 1 a1", "ann 5 c2 2 c2"},
	}},
}

// A polling is the chain of a case and where its votes go.
type polling struct {
	*group
	at    map[string]wire.BlockHash
	votes *chain.Votes
	seq   map[string]uint64
}

func newPolling(t *testing.T, c *voteCase) *polling {
	p := &polling{newGroup(t, chain.Policy{}, "ann", "ben*", "cat", "dan"), map[string]wire.BlockHash{}, nil, map[string]uint64{}}
	p.votes = chain.NewVotes(p.blocks)
	keep := func(name string, h *chain.Header) {
		hash := h.Hash()
		p.at[name] = hash
		c.Blocks = append(c.Blocks, voteBlock{name, hex.EncodeToString(h.Bytes()), hash.String()})
	}
	on := func(parent, name, who string, op chain.Op) {
		h, body := p.draft(p.blocks.State(p.at[parent]), p.at[parent], p.person(who), nil, op)
		p.take(h, body)
		keep(name, h)
	}
	keep("G", p.blocks.Header(p.blocks.Genesis()))
	on("G", "E", "ann", &chain.SetPolicy{Electorate: p.voters("ann", "ben", "cat", "dan")})
	on("E", "a1", "ben", &chain.Rekey{})
	on("a1", "a2", "cat", &chain.Rekey{})
	on("a1", "c2", "dan", &chain.Rekey{})
	return p
}

// cast returns the vote that a sentence tells, in the era that starts with the
// block named.
func (p *polling) cast(era, sentence string) *chain.Vote {
	p.t.Helper()
	var who, block, source string
	v := chain.Vote{Group: wire.GroupID(p.blocks.Genesis()), Era: p.at[era]}
	if n, err := fmt.Sscan(sentence, &who, &v.Round, &block, &v.Source.Round, &source, &v.Seq); n < 5 {
		p.t.Fatal(sentence, err)
	}
	if v.Seq == 0 {
		p.seq[who]++
		v.Seq = p.seq[who]
	}
	v.Device, v.Block, v.Source.Block = p.person(who).device(0), p.at[block], p.at[source]
	v.Seal(func(l wire.Label, b []byte) []byte { return wire.Sign(p.person(who).keys[0], l, b) })
	return &v
}

func makeVoteCase(t *testing.T, plan plannedCase) (c voteCase) {
	c.What = plan.what
	p := newPolling(t, &c)
	take := func(era, says string, pin bool) {
		v := p.cast(era, says)
		c.Votes = append(c.Votes, votedBlock{Says: says, Vote: hex.EncodeToString(v.Marshal()), Hash: v.Hash().String(), Pin: pin})
	}
	take("G", "ann 1 E 0 G", false)
	take("G", "ann 2 E 1 E", false)
	for _, says := range plan.votes {
		says, pin := strings.CutSuffix(says, " pin")
		take("E", says, pin)
	}
	for _, pair := range plan.pairs {
		a, b := p.cast("E", pair[1]), p.cast("E", pair[2])
		if x, y := a.Hash(), b.Hash(); strings.Compare(string(x[:]), string(y[:])) > 0 {
			a, b = b, a
		}
		e := chain.Evidence{A: a, B: b}
		c.Pairs = append(c.Pairs, votePair{What: pair[0], Says: pair[1:], Evidence: hex.EncodeToString(e.Marshal())})
	}
	playVotes(t, &c)
	last := c.Votes[len(c.Votes)-1]
	if ends := strings.TrimSpace(last.Settled + " " + last.Start + " " + last.Conflict); ends != plan.ends {
		t.Errorf("%s: ends with %q, want %q", plan.what, ends, plan.ends)
	}
	return c
}

// playVotes reads a case as another implementation would, and writes into it
// what follows from its bytes.
func playVotes(t *testing.T, c *voteCase) {
	t.Helper()
	var headers []*chain.Header
	names := map[string]string{}
	for _, b := range c.Blocks {
		h, err := chain.ParseHeader(unhex(t, b.Header))
		if err != nil || h.Hash().String() != b.Hash {
			t.Fatal(b.Name, err)
		}
		headers, names[b.Hash] = append(headers, h), b.Name
	}
	votes := chain.NewVotes(mustHeaders(t, headers))
	for i := range c.Votes {
		v := &c.Votes[i]
		vote, err := chain.ParseVote(unhex(t, v.Vote))
		if err != nil || vote.Hash().String() != v.Hash {
			t.Fatal(v.Says, err)
		}
		if ok, err := votes.Add(vote); !ok || err != nil {
			t.Fatalf("%s: %s: %v, %v", c.What, v.Says, ok, err)
		}
		v.Settled, v.Start, v.Conflict, v.Liars = names[votes.Settled().String()], names[votes.Root().String()], conflictWord(votes.Conflict()), nil
		for _, e := range votes.Evidence() {
			d := e.Device()
			v.Liars = append(v.Liars, hex.EncodeToString(d[:]))
		}
		if v.Pin {
			votes.Pin(votes.Settled())
		}
	}
	for i := range c.Pairs {
		pair := &c.Pairs[i]
		e, err := chain.ParseEvidence(unhex(t, pair.Evidence))
		if err != nil {
			pair.Holds, pair.Slashes = false, false
			continue
		}
		_, err = votes.AddEvidence(e)
		if refusal, ok := errors.AsType[*chain.VoteError](err); err != nil && (!ok || refusal.Reason != chain.ReasonBlameful) {
			t.Fatal(pair.What, err)
		}
		pair.Holds, pair.Slashes = err == nil, e.Slashable()
	}
}

func conflictWord(c *chain.Conflict) string {
	switch {
	case c == nil:
		return ""
	case c.Kept:
		return "kept"
	case c.Stopped:
		return "stopped"
	}
	return "resolved"
}
