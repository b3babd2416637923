package chain_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"testing"

	"kith/internal/chain"
)

const standingVectorFile = "../../docs/spec/vectors/standing.json"

type standingVectors struct {
	Comment string            `json:"comment"`
	Shown   []standingShown   `json:"shown"`
	Refused []standingRefused `json:"refused"`
	Follows []standingFollows `json:"follows"`
}

type standingShown struct {
	Name    string   `json:"name"`
	File    string   `json:"file"`
	Group   string   `json:"group"`
	Settled string   `json:"settled"`
	Height  uint64   `json:"height"`
	Person  string   `json:"person"`
	Status  uint8    `json:"status"`
	Role    uint8    `json:"role"`
	Devices []string `json:"devices"`
	By      []int    `json:"by"` // how many votes of the round each era shows
}

type standingRefused struct {
	What   string `json:"what"`
	File   string `json:"file"`
	Reason string `json:"reason"` // "newer": needs a newer version
}

// standingFollows says what becomes of what is kept when another file comes; names
// are those of shown.
type standingFollows struct {
	Kept  string `json:"kept"`
	Newer string `json:"newer"`
	What  string `json:"what"` // "taken", "twice", or the reason
}

// standingCases plays the story of one group, and another side that ann, who voted
// first, settles later.
func standingCases(t *testing.T) (names []string, by map[string]*chain.Standing) {
	by = make(map[string]*chain.Standing)
	put := func(name string, s *chain.Standing) { names, by[name] = append(names, name), s }
	b, grown := moved(t)
	genesis, err := chain.NewStanding(b.blocks, nil, b.person("ben").id, noWay)
	if err != nil {
		t.Fatal(err)
	}
	put("genesis", genesis)
	for i, name := range []string{"block 1", "block 2", "block 3, which makes ben the voter", "block 4"} {
		put(name, after(t, b, grown[i], noWay))
	}
	put("block 4, from 1", after(t, b, grown[3], 1))
	forger := newBallotBox(&group{t, chain.NewBlocks(), b.people})
	for _, hash := range b.blocks.Chain()[:3] {
		forger.take(b.blocks.Header(hash), b.blocks.Body(hash))
	}
	b.person("ann").seq[0] = 10
	forger.commit("ann", nil, &chain.Rekey{})
	forger.settle("ann")
	put("another block 3, by ann alone", forger.standing("ann", 0))
	return names, by
}

func makeStandingVectors(t *testing.T) standingVectors {
	v := standingVectors{Comment: "Bytes in hex. Keys as in chain.json. ann starts a group with ben and votes alone until block 3 makes ben the voter. docs/spec/standing.md"}
	names, by := standingCases(t)
	for _, name := range names {
		s := by[name]
		shown, err := s.Verify()
		if err != nil {
			t.Fatal(err)
		}
		m := shown.Member
		c := standingShown{
			name, hex.EncodeToString(s.Marshal()), shown.Group.String(), shown.Settled.Hash().String(), shown.Settled.Height,
			m.Person.String(), uint8(m.Status), uint8(m.Role), nil, nil,
		}
		for _, d := range m.Devices {
			c.Devices = append(c.Devices, d.ID.String())
		}
		for _, by := range shown.Settlings {
			c.By = append(c.By, len(by.By))
		}
		v.Shown = append(v.Shown, c)
	}
	for _, c := range []struct {
		what   string
		change func(s *chain.Standing)
	}{
		{"no votes for the last block", func(s *chain.Standing) { s.Steps[1].Votes = nil }},
		{"the votes of the other era", func(s *chain.Standing) { s.Steps[1].Votes = s.Steps[0].Votes }},
		{"an era without its voters", func(s *chain.Standing) { s.Steps[0].Voters = nil }},
		{"the voters without the settings", func(s *chain.Standing) { s.Steps[0].Voters = s.Steps[0].Voters[1:] }},
		{"no voters after the last block", func(s *chain.Standing) { s.Steps[1].Voters = nil }},
		{"a way that does not reach the block", func(s *chain.Standing) { s.Way = s.Way[:1] }},
		{"a block above that no vote names", func(s *chain.Standing) { s.Above = s.Way[1:] }},
		{"a record of another block", func(s *chain.Standing) { s.Member = by["block 1"].Member }},
	} {
		s, err := chain.ParseStanding(by["block 4, from 1"].Marshal())
		if err != nil {
			t.Fatal(err)
		}
		c.change(s)
		v.Refused = append(v.Refused, standingRefused{c.what, hex.EncodeToString(s.Marshal()), whyRefused(s)})
	}
	newer := featured(t)
	v.Refused = append(v.Refused, standingRefused{"a feature is active that is not known", hex.EncodeToString(newer.Marshal()), whyRefused(newer)})
	for _, kept := range names {
		for _, newer := range names {
			v.Follows = append(v.Follows, standingFollows{kept, newer, became(by[newer], by[kept])})
		}
	}
	return v
}

// whyRefused is a reason, or "newer": needs a newer version.
func whyRefused(s *chain.Standing) string {
	if _, err := s.Verify(); errors.Is(err, chain.ErrNewer) {
		return "newer"
	}
	return string(refusedFor(s))
}

// featured is of a group whose settled block, the second, has made a feature active
// that this program does not know.
func featured(t *testing.T) *chain.Standing {
	b := newBallotBox(newGroup(t, chain.Policy{}, "ann", "ben"))
	g := b.blocks.Genesis()
	s := b.blocks.State(g).Featured(900)
	h, body := b.draft(b.blocks.State(g), g, b.person("ann"), nil, &chain.Rekey{})
	h.StateRoot = s.Root()
	seal(h, body, b.person("ann").keys[0])
	y := h.Hash()
	proof, _ := s.Prove(b.person("ben").id)
	return &chain.Standing{
		Genesis: b.blocks.Header(g),
		Steps: []chain.Step{{
			Header: h, Votes: []*chain.Vote{b.cast("ann", g, 2, y, chain.Source{Round: 1, Block: y})}, Voters: s.ProveVoters(),
		}},
		Member: proof,
	}
}

func became(newer, kept *chain.Standing) string {
	switch why := whyNot(newer, kept).(type) {
	case nil:
		return "taken"
	case chain.StandingReason:
		return string(why)
	case string:
		return why
	}
	return "?"
}

// TestVectorsOfStandingAreMade: the story gives exactly the file.
func TestVectorsOfStandingAreMade(t *testing.T) {
	want, err := json.MarshalIndent(makeStandingVectors(t), "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	want = append(want, '\n')
	if *update {
		if err := os.WriteFile(standingVectorFile, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(standingVectorFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("the file has other bytes; if the format changed on purpose, run with -update")
	}
}

// TestVectorsOfStanding reads the file as another implementation would.
func TestVectorsOfStanding(t *testing.T) {
	raw, err := os.ReadFile(standingVectorFile)
	if err != nil {
		t.Fatal(err)
	}
	var v standingVectors
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	by := make(map[string]*chain.Standing)
	for _, c := range v.Shown {
		s, err := chain.ParseStanding(unhex(t, c.File))
		if err != nil {
			t.Fatal(err)
		}
		shown, err := s.Verify()
		if err != nil || shown.Group.String() != c.Group || shown.Settled.Hash().String() != c.Settled || shown.Settled.Height != c.Height ||
			shown.Member.Person.String() != c.Person || uint8(shown.Member.Status) != c.Status || uint8(shown.Member.Role) != c.Role || len(shown.Member.Devices) != len(c.Devices) {
			t.Errorf("%s: %v, %+v", c.Name, err, shown)
		}
		by[c.Name] = s
	}
	for _, c := range v.Refused {
		s, err := chain.ParseStanding(unhex(t, c.File))
		if err != nil {
			t.Fatal(err)
		}
		if got := whyRefused(s); got != c.Reason || got == "" {
			t.Errorf("%s: %q, want %q", c.What, got, c.Reason)
		}
	}
	for _, c := range v.Follows {
		if got := became(by[c.Newer], by[c.Kept]); got != c.What {
			t.Errorf("%s after %s: %s, want %s", c.Newer, c.Kept, got, c.What)
		}
	}
}
