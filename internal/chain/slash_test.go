package chain_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"kith/internal/chain"
	"kith/internal/wire"
)

// twice returns the op that revokes ben's device for having signed a and b, and
// its papers.
func (g *group) twice(what chain.SlashKind, a, b []byte) (*chain.Slash, [][]byte) {
	papers := [][]byte{a, b}
	slices.SortFunc(papers, bytes.Compare)
	ben := g.person("ben")
	return &chain.Slash{
		Person: ben.id, Instance: g.instance("ben"), Device: ben.device(0), What: what,
		Cites: []wire.Digest{chain.Cite(papers[0]), chain.Cite(papers[1])},
	}, papers
}

// block returns the header of a block that p signs on parent with a number.
func (g *group) block(p *person, parent wire.BlockHash, seq uint64, op chain.Op) *chain.Header {
	g.t.Helper()
	s := g.blocks.State(parent)
	h, _, err := chain.Draft(s, chain.DraftParams{
		Suite: chain.SuiteAES, Parent: parent, Group: wire.GroupID(g.blocks.Genesis()), Author: p.member(0), AuthorSeq: seq, Ops: []chain.Op{op},
	})
	if err != nil {
		g.t.Fatal(err)
	}
	seal(h, bodyOf(false), p.keys[0])
	return h
}

// entry returns the header of an entry as far as a Slash reads it.
func entry(p *person, group wire.GroupID, seq byte, rest string) []byte {
	device := p.device(0)
	b := slices.Concat([]byte{1, 0, 1, 1}, group[:], device[:], []byte{0, 0, 0, 0, 0, 0, 0, seq}, []byte(rest))
	return append(b, wire.Sign(p.keys[0], wire.SignEntry, b)...)
}

// vote returns a vote of p's in the era of genesis.
func (g *group) vote(p *person, seq, round, source uint64) []byte {
	genesis := g.blocks.Genesis()
	v := &chain.Vote{
		Group: wire.GroupID(genesis), Device: p.device(0), Seq: seq, Era: genesis, Round: round, Block: genesis,
		Source: chain.Source{Round: source, Block: genesis},
	}
	v.Seal(func(l wire.Label, b []byte) []byte { return wire.Sign(p.keys[0], l, b) })
	return v.Marshal()
}

func TestSlash(t *testing.T) {
	for name, lies := range map[string]func(*group) (chain.SlashKind, []byte, []byte){
		"two blocks on one parent": func(g *group) (chain.SlashKind, []byte, []byte) {
			head := g.blocks.Head()
			return chain.SlashBlocks, g.block(g.person("ben"), head, 1, &chain.Rekey{}).Bytes(), g.block(g.person("ben"), head, 2, &chain.Rekey{}).Bytes()
		},
		"two blocks with one number": func(g *group) (chain.SlashKind, []byte, []byte) {
			first := g.block(g.person("ben"), g.blocks.Head(), 1, &chain.Rekey{})
			g.commit("ann", nil, &chain.Rekey{})
			return chain.SlashBlocks, first.Bytes(), g.block(g.person("ben"), g.blocks.Head(), 1, &chain.Rekey{}).Bytes()
		},
		"two entries": func(g *group) (chain.SlashKind, []byte, []byte) {
			id := wire.GroupID(g.blocks.Genesis())
			return chain.SlashEntries, entry(g.person("ben"), id, 7, "one"), entry(g.person("ben"), id, 7, "another")
		},
		"two votes of one round": func(g *group) (chain.SlashKind, []byte, []byte) {
			return chain.SlashVotes, g.vote(g.person("ben"), 1, 1, 0), g.vote(g.person("ben"), 2, 1, 0)
		},
		"two votes with one number": func(g *group) (chain.SlashKind, []byte, []byte) {
			return chain.SlashVotes, g.vote(g.person("ben"), 1, 1, 0), g.vote(g.person("ben"), 1, 2, 0)
		},
		"a source that goes back": func(g *group) (chain.SlashKind, []byte, []byte) {
			return chain.SlashVotes, g.vote(g.person("ben"), 3, 3, 2), g.vote(g.person("ben"), 4, 4, 1)
		},
	} {
		g := ruleGroup(t)
		what, a, b := lies(g)
		op, papers := g.twice(what, a, b)
		op.Cuts = []chain.Cut{{Device: op.Device, Seq: 6}}
		h := g.commit("cat", papers, op)
		if m, _ := g.state().Person(op.Person); h.Class != chain.ClassRemoval || g.state().Belongs(op.Device) || m.Status != chain.StatusActive || !g.state().IsAdmin(op.Person) {
			t.Errorf("%s: class %d, or not the device alone is gone", name, h.Class)
		}
	}
}

// slashing tries cat's Slash of ben's device for two entries that make returns.
func slashing(make func(g *group, ben *person, id wire.GroupID) (a, b []byte)) func(*group) error {
	return func(g *group) error {
		a, b := make(g, g.person("ben"), wire.GroupID(g.blocks.Genesis()))
		op, papers := g.twice(chain.SlashEntries, a, b)
		_, _, err := g.try(g.person("cat"), 0, papers, op)
		return err
	}
}

// at returns the header of an entry of p's as far as its block.
func at(p *person, group wire.GroupID, seq byte, block wire.BlockHash, rest string) []byte {
	return entry(p, group, seq, string(slices.Concat(make([]byte, 32), []byte{0}, block[:], []byte(rest))))
}

// again tries cat's Slash for two entries of ben's, who was removed and let in again,
// which name the blocks that make returns; before is one from before he went.
func again(make func(g *group, before wire.BlockHash) (a, b wire.BlockHash)) func(*group) error {
	return func(g *group) error {
		d := ruleGroup(g.t)
		ben, id, before := d.person("ben"), wire.GroupID(d.blocks.Genesis()), d.blocks.Head()
		d.commit("ann", nil, remove("ben")(d))
		d.commit("ann", ben.papers(1), ben.add(chain.RoleMember, 1))
		a, b := make(d, before)
		op, papers := d.twice(chain.SlashEntries, at(ben, id, 7, a, "one"), at(ben, id, 7, b, "another"))
		_, _, err := d.try(d.person("cat"), 0, papers, op)
		return err
	}
}

// TestSlashOfOneMembership: of blocks of this membership, and of blocks elsewhere,
// two entries are two.
func TestSlashOfOneMembership(t *testing.T) {
	elsewhere := wire.BlockHash{9}
	for name, blocks := range map[string]func(*group, wire.BlockHash) (a, b wire.BlockHash){
		"now":       func(g *group, _ wire.BlockHash) (a, b wire.BlockHash) { return g.blocks.Head(), g.blocks.Head() },
		"elsewhere": func(g *group, _ wire.BlockHash) (a, b wire.BlockHash) { return elsewhere, elsewhere },
		"both":      func(g *group, _ wire.BlockHash) (a, b wire.BlockHash) { return elsewhere, g.blocks.Head() },
	} {
		if err := again(blocks)(ruleGroup(t)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// blaming does the same for two blocks.
func blaming(make func(g *group, ben *person, head wire.BlockHash) (a, b []byte)) func(*group) error {
	return func(g *group) error {
		a, b := make(g, g.person("ben"), g.blocks.Head())
		op, papers := g.twice(chain.SlashBlocks, a, b)
		_, _, err := g.try(g.person("cat"), 0, papers, op)
		return err
	}
}

// misnamed tries a good Slash by who, after change of the op.
func misnamed(who string, change func(*group, *chain.Slash)) func(*group) error {
	return func(g *group) error {
		id := wire.GroupID(g.blocks.Genesis())
		op, papers := g.twice(chain.SlashEntries, entry(g.person("ben"), id, 7, "one"), entry(g.person("ben"), id, 7, "another"))
		change(g, op)
		_, _, err := g.try(g.person(who), 0, papers, op)
		return err
	}
}

// voting does the same for two votes.
func voting(make func(g *group, ben *person) (a, b []byte)) func(*group) error {
	return func(g *group) error {
		a, b := make(g, g.person("ben"))
		op, papers := g.twice(chain.SlashVotes, a, b)
		_, _, err := g.try(g.person("cat"), 0, papers, op)
		return err
	}
}

var slashBreaches = []breach{
	{"of the author's own", "V4", chain.ReasonSelf, misnamed("ben", func(*group, *chain.Slash) {})},
	{"of another instance", "V5", chain.ReasonNotMember, misnamed("cat", func(g *group, op *chain.Slash) { op.Instance[0]++ })},
	{"of an unknown device", "V5", chain.ReasonDevice, misnamed("cat", func(_ *group, op *chain.Slash) { op.Device[0]++ })},
	{"of who did not sign", "V6", chain.ReasonSlash, misnamed("cat", func(g *group, op *chain.Slash) {
		op.Person, op.Instance, op.Device = g.person("ann").id, g.instance("ann"), g.person("ann").device(0)
	})},
	{"with two cuts", "V5", chain.ReasonForm, misnamed("cat", func(_ *group, op *chain.Slash) { op.Cuts = make([]chain.Cut, 2) })},
	{"with another's cut", "V5", chain.ReasonCut, misnamed("cat", func(g *group, op *chain.Slash) { op.Cuts = []chain.Cut{{Device: g.person("ann").device(0)}} })},
	{"of nothing", "V5", chain.ReasonForm, misnamed("cat", func(_ *group, op *chain.Slash) { op.What = 0 })},
	{"one cite", "V6", chain.ReasonAttachment, misnamed("cat", func(_ *group, op *chain.Slash) { op.Cites = op.Cites[:1] })},
	{"the higher bytes first", "V6", chain.ReasonSlash, func(g *group) error {
		id := wire.GroupID(g.blocks.Genesis())
		op, papers := g.twice(chain.SlashEntries, entry(g.person("ben"), id, 7, "one"), entry(g.person("ben"), id, 7, "another"))
		slices.Reverse(papers)
		slices.Reverse(op.Cites)
		_, _, err := g.try(g.person("cat"), 0, papers, op)
		return err
	}},
	{"one entry twice", "V6", chain.ReasonSlash, slashing(func(_ *group, ben *person, id wire.GroupID) ([]byte, []byte) {
		return entry(ben, id, 7, "one"), entry(ben, id, 7, "one")
	})},
	{"one entry with two signatures", "V6", chain.ReasonSlash, slashing(func(_ *group, ben *person, id wire.GroupID) ([]byte, []byte) {
		a := entry(ben, id, 7, "one")
		b := slices.Clone(a)
		b[len(b)-1]++
		return a, b
	})},
	{"entries of two memberships", "V6", chain.ReasonSlash, again(func(g *group, before wire.BlockHash) (x, y wire.BlockHash) { return before, g.blocks.Head() })},
	{"entries of the membership before", "V6", chain.ReasonSlash, again(func(_ *group, before wire.BlockHash) (x, y wire.BlockHash) { return before, before })},
	{"entries of two memberships, the other way", "V6", chain.ReasonSlash, again(func(g *group, before wire.BlockHash) (x, y wire.BlockHash) { return g.blocks.Head(), before })},
	{"an entry of when it was none", "V6", chain.ReasonSlash, again(func(g *group, _ wire.BlockHash) (x, y wire.BlockHash) {
		return g.blocks.Ancestor(g.blocks.Head(), 1), g.blocks.Head()
	})},
	{"entries with two numbers", "V6", chain.ReasonSlash, slashing(func(_ *group, ben *person, id wire.GroupID) ([]byte, []byte) {
		return entry(ben, id, 7, "one"), entry(ben, id, 8, "another")
	})},
	{"entries of two groups", "V6", chain.ReasonSlash, slashing(func(_ *group, ben *person, id wire.GroupID) ([]byte, []byte) {
		return entry(ben, id, 7, "one"), entry(ben, wire.GroupID{1}, 7, "another")
	})},
	{"entries of two devices", "V6", chain.ReasonSlash, slashing(func(g *group, ben *person, id wire.GroupID) ([]byte, []byte) {
		return entry(ben, id, 7, "one"), entry(g.person("ann"), id, 7, "another")
	})},
	{"a forged entry", "V6", chain.ReasonSlash, slashing(func(_ *group, ben *person, id wire.GroupID) ([]byte, []byte) {
		b := entry(ben, id, 7, "another")
		b[80]++
		return entry(ben, id, 7, "one"), b
	})},
	{"an entry cut short", "V6", chain.ReasonSlash, slashing(func(_ *group, ben *person, id wire.GroupID) ([]byte, []byte) {
		return entry(ben, id, 7, "one"), entry(ben, id, 7, "")[:139]
	})},
	{"two parents and two numbers", "V6", chain.ReasonSlash, func(g *group) error {
		d := ruleGroup(g.t)
		a := d.block(d.person("ben"), d.blocks.Head(), 1, &chain.Rekey{}).Bytes()
		d.commit("ann", nil, &chain.Rekey{})
		op, papers := d.twice(chain.SlashBlocks, a, d.block(d.person("ben"), d.blocks.Head(), 2, &chain.Rekey{}).Bytes())
		_, _, err := d.try(d.person("cat"), 0, papers, op)
		return err
	}},
	{"a block of another device", "V6", chain.ReasonSlash, blaming(func(g *group, ben *person, head wire.BlockHash) ([]byte, []byte) {
		return g.block(ben, head, 1, &chain.Rekey{}).Bytes(), g.block(g.person("cat"), head, 1, &chain.Rekey{}).Bytes()
	})},
	{"a forged block", "V6", chain.ReasonSlash, blaming(func(g *group, ben *person, head wire.BlockHash) ([]byte, []byte) {
		h := g.block(ben, head, 1, &chain.SetInfo{})
		h.Signature[0]++
		return g.block(ben, head, 1, &chain.Rekey{}).Bytes(), h.Bytes()
	})},
	{"a block of another group", "V6", chain.ReasonSlash, blaming(func(g *group, ben *person, head wire.BlockHash) ([]byte, []byte) {
		h := g.block(ben, head, 1, &chain.SetInfo{})
		h.Group[0]++
		seal(h, bodyOf(false), ben.keys[0])
		return g.block(ben, head, 1, &chain.Rekey{}).Bytes(), h.Bytes()
	})},
	{"votes of two rounds", "V6", chain.ReasonSlash, voting(func(g *group, ben *person) ([]byte, []byte) { return g.vote(ben, 1, 1, 0), g.vote(ben, 2, 2, 1) })},
	{"a vote of another device", "V6", chain.ReasonSlash, voting(func(g *group, ben *person) ([]byte, []byte) {
		return g.vote(ben, 1, 1, 0), g.vote(g.person("cat"), 2, 1, 0)
	})},
	{"a forged vote", "V6", chain.ReasonSlash, voting(func(g *group, ben *person) ([]byte, []byte) {
		b := g.vote(ben, 2, 1, 0)
		b[len(b)-1]++
		return g.vote(ben, 1, 1, 0), b
	})},
	{"a vote of another group", "V6", chain.ReasonSlash, voting(func(g *group, ben *person) ([]byte, []byte) {
		other := newGroup(g.t, chain.Policy{MembersInvite: true}, "ben")
		return g.vote(ben, 1, 1, 0), other.vote(ben, 2, 1, 0)
	})},
	{"votes of two eras", "V6", chain.ReasonSlash, voting(func(g *group, ben *person) ([]byte, []byte) {
		v, err := chain.ParseVote(g.vote(ben, 2, 1, 0))
		if err != nil {
			g.t.Fatal(err)
		}
		v.Era[0]++
		v.Seal(func(l wire.Label, b []byte) []byte { return wire.Sign(ben.keys[0], l, b) })
		return g.vote(ben, 1, 1, 0), v.Marshal()
	})},
	{"garbage for a vote", "V6", chain.ReasonSlash, voting(func(g *group, ben *person) ([]byte, []byte) { return g.vote(ben, 1, 1, 0), []byte("?") })},
	{"garbage for a block", "V6", chain.ReasonSlash, blaming(func(g *group, ben *person, head wire.BlockHash) ([]byte, []byte) {
		return g.block(ben, head, 1, &chain.Rekey{}).Bytes(), []byte("?")
	})},
}

func TestSlashOfANewerVersion(t *testing.T) {
	g := ruleGroup(t)
	op, papers := g.twice(9, []byte("a"), []byte("b"))
	if _, _, err := g.try(g.person("cat"), 0, papers, op); !errors.Is(err, chain.ErrNewer) {
		t.Errorf("got %v", err)
	}
}
