package chain_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"slices"
	"testing"

	"kith/internal/chain"
	"kith/internal/wire"
)

const voteVectorFile = "../../docs/spec/vectors/settlement.json"

type voteVectors struct {
	Comment    string       `json:"comment"`
	Headers    []string     `json:"headers"` // of the group, parents first
	Votes      []voteVector `json:"votes"`   // taken in in this order
	Refused    []voteVector `json:"refused"` // none of which is taken in after them
	Evidence   string       `json:"evidence"`
	Settlement string       `json:"settlement"` // of the last settled block
	Cases      []voteCase   `json:"cases"`
}

type voteVector struct {
	What    string `json:"what"`
	Vote    string `json:"vote"`
	Hash    string `json:"hash"`
	Settled string `json:"settled,omitempty"` // block settled after it
	Reason  string `json:"reason,omitempty"`
}

// makeVoteVectors plays the story of two eras.
func makeVoteVectors(t *testing.T) voteVectors {
	v := voteVectors{Comment: "Bytes in hex. Keys as in chain.json. ann starts the group and votes alone; ben commits her leave, which she settles, and votes alone from then on. docs/spec/settlement.md"}
	b := story(t)
	b.settle("ann")
	b.settle("ben")
	for _, hash := range b.blocks.Chain() {
		v.Headers = append(v.Headers, hex.EncodeToString(b.blocks.Header(hash).Bytes()))
	}
	again := chain.NewVotes(b.blocks)
	for _, vote := range b.votes.All() {
		if _, err := again.Add(vote); err != nil {
			t.Fatal(err)
		}
		v.Votes = append(v.Votes, voteVector{"vote", hex.EncodeToString(vote.Marshal()), vote.Hash().String(), again.Settled().String(), ""})
	}
	last := b.votes.All()[len(b.votes.All())-1]
	seal := func(name string, vote chain.Vote) *chain.Vote {
		vote.Seal(func(l wire.Label, c []byte) []byte { return wire.Sign(b.person(name).keys[0], l, c) })
		return &vote
	}
	for _, c := range []struct {
		what, by string
		change   func(*chain.Vote)
	}{
		{"a device that is no voter of the era", "ann", func(w *chain.Vote) { w.Device = b.person("ann").device(0) }},
		{"source of the same round", "ben", func(w *chain.Vote) { w.Source.Round = w.Round }},
		{"round 0 of another block than the era's start", "ben", func(w *chain.Vote) { w.Source.Round = 0 }},
		{"an era that no block starts", "ben", func(w *chain.Vote) { w.Era = b.blocks.Chain()[1] }},
		{"a block beyond the next change of voters", "ann", func(w *chain.Vote) {
			w.Device, w.Era, w.Source = b.person("ann").device(0), b.blocks.Genesis(), chain.Source{Block: b.blocks.Genesis()}
		}},
		{"another signer", "ann", func(*chain.Vote) {}},
	} {
		w := *last
		c.change(&w)
		sealed := seal(c.by, w)
		_, err := again.Add(sealed)
		e, ok := errors.AsType[*chain.VoteError](err)
		if !ok {
			t.Fatalf("%s: %v", c.what, err)
		}
		v.Refused = append(v.Refused, voteVector{c.what, hex.EncodeToString(sealed.Marshal()), sealed.Hash().String(), "", string(e.Reason)})
	}
	w := *last
	w.Seq++
	if _, err := again.Add(seal("ben", w)); err != nil {
		t.Fatal(err)
	}
	v.Evidence = hex.EncodeToString(again.Evidence()[0].Marshal())
	v.Settlement = hex.EncodeToString(b.votes.Settlement().Marshal())
	for _, plan := range plannedCases {
		v.Cases = append(v.Cases, makeVoteCase(t, plan))
	}
	return v
}

// TestVoteVectorsAreMade: the story and the cases give exactly the file.
func TestVoteVectorsAreMade(t *testing.T) {
	want, err := json.MarshalIndent(makeVoteVectors(t), "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	want = append(want, '\n')
	if *update {
		if err := os.WriteFile(voteVectorFile, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(voteVectorFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("the file has other bytes; if the format changed on purpose, run with -update")
	}
}

// TestVoteVectors reads the file as another implementation would.
func TestVoteVectors(t *testing.T) {
	raw, err := os.ReadFile(voteVectorFile)
	if err != nil {
		t.Fatal(err)
	}
	var v voteVectors
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	var headers []*chain.Header
	for _, text := range v.Headers {
		h, err := chain.ParseHeader(unhex(t, text))
		if err != nil {
			t.Fatal(err)
		}
		headers = append(headers, h)
	}
	b := mustHeaders(t, headers)
	votes := chain.NewVotes(b)
	for _, c := range v.Votes {
		vote, err := chain.ParseVote(unhex(t, c.Vote))
		if err != nil {
			t.Fatal(err)
		}
		if ok, err := votes.Add(vote); !ok || err != nil || vote.Hash().String() != c.Hash || votes.Settled().String() != c.Settled {
			t.Errorf("vote %s: %v, %v, settled %s", c.Hash, ok, err, votes.Settled())
		}
	}
	for _, c := range v.Refused {
		vote, err := chain.ParseVote(unhex(t, c.Vote))
		if err != nil {
			t.Fatal(err)
		}
		_, err = votes.Add(vote)
		if e, ok := errors.AsType[*chain.VoteError](err); !ok || string(e.Reason) != c.Reason {
			t.Errorf("%s: %v, want %s", c.What, err, c.Reason)
		}
	}
	evidence, err := chain.ParseEvidence(unhex(t, v.Evidence))
	if err != nil {
		t.Fatal(err)
	}
	if ok, err := votes.AddEvidence(evidence); !ok || err != nil {
		t.Errorf("evidence: %v, %v", ok, err)
	}
	s, err := chain.ParseSettlement(unhex(t, v.Settlement))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := s.Verify(b); err != nil || got.String() != v.Votes[len(v.Votes)-1].Settled {
		t.Errorf("settlement of %s: %v", got, err)
	}
	for _, c := range v.Cases {
		got := c
		got.Votes, got.Pairs = slices.Clone(c.Votes), slices.Clone(c.Pairs)
		if playVotes(t, &got); !reflect.DeepEqual(got, c) {
			t.Errorf("%s: got %+v", c.What, got)
		}
	}
}
