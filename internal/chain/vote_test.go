package chain_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"

	"kith/internal/chain"
	"kith/internal/wire"
)

// TestQuorum holds the numbers against the table of docs/spec/settlement.md, and
// what they are for: two quorums share an honest voter, and the honest alone are
// a quorum.
func TestQuorum(t *testing.T) {
	for i, q := range []int{1, 2, 2, 3, 4, 4, 5, 6, 6, 7} {
		if got := chain.Quorum(i + 1); got != q {
			t.Errorf("quorum of %d is %d, want %d", i+1, got, q)
		}
	}
	for n := 1; n <= chain.MaxVoters; n++ {
		f, q := chain.Faults(n), chain.Quorum(n)
		if 2*q-n <= f || n-f < q {
			t.Errorf("n %d, f %d, q %d", n, f, q)
		}
	}
}

// spelledVote is the bytes of a vote, spelt by hand from docs/spec/settlement.md.
func spelledVote(seq byte) []byte {
	return slices.Concat([]byte{1, 1}, x(0xa1, 32), x(0xa2, 32), []byte{0, 0, 0, 0, 0, 0, 0, seq},
		x(0xa3, 32), []byte{0, 0, 0, 0, 0, 0, 1, 2}, x(0xa4, 32), []byte{0, 0, 0, 0, 0, 0, 1, 1}, x(0xa5, 32), x(0xa6, 64))
}

func TestVoteBytes(t *testing.T) {
	want := spelledVote(7)
	v, err := chain.ParseVote(want)
	if err != nil {
		t.Fatal(err)
	}
	if v.Group != fill32(0xa1) || v.Device != fill32(0xa2) || v.Seq != 7 || v.Era != fill32(0xa3) || v.Round != 258 ||
		v.Block != fill32(0xa4) || v.Source != (chain.Source{Round: 257, Block: fill32(0xa5)}) || v.Signature != [64]byte(x(0xa6, 64)) {
		t.Errorf("%+v", v)
	}
	if got := v.Marshal(); !bytes.Equal(got, want) || len(got) != chain.VoteSize {
		t.Errorf("%x", got)
	}
	if v.Hash() != wire.Digest(wire.Hash(wire.HashVote, want)) {
		t.Error("hash")
	}
	p := newPerson(t, "ann")
	v.Seal(func(l wire.Label, b []byte) []byte {
		if l != wire.SignVote || !bytes.Equal(b, want[:186]) {
			t.Errorf("signed %s %x", l, b)
		}
		return wire.Sign(p.keys[0], l, b)
	})
	if !v.Verify(p.public(0)) || v.Verify(p.public(1)) {
		t.Error("signature")
	}
	for at := range 186 {
		b := v.Marshal()
		if b[at]++; at < 2 {
			continue // read by the next test
		}
		if w, err := chain.ParseVote(b); err != nil || w.Verify(p.public(0)) {
			t.Errorf("byte %d is not signed (%v)", at, err)
		}
	}
}

// warrantOf returns the bytes of a warrant of votes.
func warrantOf(votes ...[]byte) []byte {
	all := slices.Concat(votes...)
	var n wire.Writer
	n.Varint(len(all))
	return slices.Concat([]byte{1}, x(0xa4, 32), n.Bytes(), all)
}

// inOrder returns two votes of one round and device, the lower hash first.
func inOrder() ([]byte, []byte) {
	a, b := spelledVote(1), spelledVote(2)
	x, y := wire.Hash(wire.HashVote, a), wire.Hash(wire.HashVote, b)
	if bytes.Compare(x[:], y[:]) > 0 {
		a, b = b, a
	}
	return a, b
}

func TestSettlementRefusesBytes(t *testing.T) {
	vote := spelledVote(1)
	a, b := inOrder()
	read := func(parse any, b []byte) error {
		switch parse := parse.(type) {
		case func([]byte) (*chain.Vote, error):
			_, err := parse(b)
			return err
		case func([]byte) (*chain.Warrant, error):
			_, err := parse(b)
			return err
		case func([]byte) (*chain.Evidence, error):
			_, err := parse(b)
			return err
		case func([]byte) (chain.Settlement, error):
			_, err := parse(b)
			return err
		}
		panic("no such parser")
	}
	for _, c := range []struct {
		name  string
		parse any
		b     []byte
		want  error
	}{
		{"vote", chain.ParseVote, vote, nil},
		{"vote short", chain.ParseVote, vote[:249], wire.ErrShort},
		{"vote long", chain.ParseVote, append(slices.Clone(vote), 0), wire.ErrTrailing},
		{"vote version", chain.ParseVote, append([]byte{2}, vote[1:]...), chain.ErrNewer},
		{"vote sigalg", chain.ParseVote, append([]byte{1, 2}, vote[2:]...), chain.ErrNewer},
		{"vote empty", chain.ParseVote, nil, wire.ErrShort},
		{"warrant", chain.ParseWarrant, warrantOf(a, b), nil},
		{"warrant of nothing", chain.ParseWarrant, warrantOf(), nil},
		{"warrant out of order", chain.ParseWarrant, warrantOf(b, a), wire.ErrCanonical},
		{"warrant with a vote twice", chain.ParseWarrant, warrantOf(a, a), wire.ErrCanonical},
		{"warrant with half a vote", chain.ParseWarrant, warrantOf(a[:125]), wire.ErrShort},
		{"warrant version", chain.ParseWarrant, append([]byte{2}, warrantOf(a)[1:]...), chain.ErrNewer},
		{"warrant of too many", chain.ParseWarrant, warrantOf(bytes.Repeat(a, chain.MaxWarrantVotes+1)), wire.ErrTooLong},
		{"evidence", chain.ParseEvidence, append(slices.Clone(a), b...), nil},
		{"evidence out of order", chain.ParseEvidence, append(slices.Clone(b), a...), wire.ErrCanonical},
		{"evidence of one vote", chain.ParseEvidence, append(slices.Clone(a), a...), wire.ErrCanonical},
		{"evidence short", chain.ParseEvidence, a, wire.ErrShort},
		{"settlement", chain.ParseSettlement, append([]byte{0x41, 0x1d}, warrantOf(a)...), nil},
		{"settlement of nothing", chain.ParseSettlement, []byte{0}, nil},
		{"settlement cut", chain.ParseSettlement, append([]byte{0x41, 0x1c}, warrantOf(a)[:284]...), wire.ErrShort},
	} {
		if err := read(c.parse, c.b); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

// A ballotBox lets people of a real group vote.
type ballotBox struct {
	*group
	votes *chain.Votes
	seq   map[string]uint64
}

func newBallotBox(g *group) *ballotBox {
	return &ballotBox{g, chain.NewVotes(g.blocks), map[string]uint64{}}
}

// vote lets a person decide until nothing more is to be voted for.
func (b *ballotBox) settle(name string) {
	b.t.Helper()
	p := b.person(name)
	d := &chain.Voter{Device: p.device(0)}
	for range 8 {
		d.Decide(b.votes, 0)
		v := d.Decide(b.votes, 2*chain.MaxDwell).Vote
		if v == nil {
			return
		}
		b.seq[name]++
		v.Seq = b.seq[name]
		v.Seal(func(l wire.Label, c []byte) []byte { return wire.Sign(p.keys[0], l, c) })
		if ok, err := b.votes.Add(v); !ok || err != nil {
			b.t.Fatal(ok, err)
		}
		d.Last = v
	}
	b.t.Fatalf("%s votes for ever", name)
}

// story plays two eras: ann starts the group and leaves it, ben takes over.
func story(t testing.TB) *ballotBox {
	t.Helper()
	b := newBallotBox(newGroup(t, chain.Policy{}, "ann", "ben*"))
	ann := b.person("ann")
	b.commit("ben", nil, &chain.SetInfo{Info: wire.Digest{9}})
	b.settle("ann")
	s := signLeave(b.group, ann, wire.PersonID{}).Marshal()
	b.commit("ben", [][]byte{s}, &chain.Leave{Person: ann.id, Instance: b.instance("ann"), Cites: []wire.Digest{chain.Cite(s)}})
	b.commit("ben", nil, &chain.Rekey{})
	return b
}

func TestSettlementOfGroup(t *testing.T) {
	b := story(t)
	chainOf := b.blocks.Chain()
	if b.votes.Settled() != chainOf[1] || b.votes.Era() != chainOf[0] {
		t.Fatalf("settled %s in the first era", b.votes.Settled())
	}
	b.settle("ben") // no voter yet
	if b.votes.Settled() != chainOf[1] {
		t.Fatal("ben settles in ann's era")
	}
	b.settle("ann")
	if b.votes.Settled() != chainOf[2] || b.votes.Era() != chainOf[2] {
		t.Fatal("ann votes for her own leave, and not beyond")
	}
	b.settle("ben")
	if b.votes.Settled() != chainOf[3] || b.votes.Head() != chainOf[3] || len(b.votes.Settlement()) != 2 {
		t.Fatal("ben settles the rest")
	}
	if v := b.votes.Voters(); len(v) != 1 || v[0] != b.person("ben").member(0) {
		t.Errorf("voters %v", v)
	}
	for i, hash := range chainOf {
		if !b.votes.IsSettled(hash) {
			t.Errorf("block %d is not settled", i)
		}
	}
}

// TestElectorateOfFour: ann hands over to four voters; with one of them silent
// the others settle, with two silent nobody does.
func TestElectorateOfFour(t *testing.T) {
	names := []string{"ann", "ben", "cat", "dan"}
	b := newBallotBox(newGroup(t, chain.Policy{}, "ann", "ben*", "cat", "dan"))
	var electorate []wire.PersonID
	for _, name := range names {
		electorate = append(electorate, b.person(name).id)
	}
	slices.SortFunc(electorate, func(a, b wire.PersonID) int { return bytes.Compare(a[:], b[:]) })
	b.commit("ann", nil, &chain.SetPolicy{Electorate: electorate})
	change := b.blocks.Head()
	b.commit("ben", nil, &chain.SetInfo{Info: wire.Digest{1}})
	b.settle("ann")
	if b.votes.Settled() != change || b.votes.Era() != change || len(b.votes.Voters()) != 4 {
		t.Fatalf("settled %s", b.votes.Settled())
	}
	voters := map[string]*chain.Voter{}
	for _, name := range names {
		voters[name] = &chain.Voter{Device: b.person(name).device(0), Last: b.last(name)}
	}
	if b.rounds(voters, "ann", "ben"); b.votes.Settled() != change {
		t.Error("two of four settle")
	}
	if b.rounds(voters, "ann", "ben", "cat"); b.votes.Settled() != b.blocks.Head() {
		t.Error("three of four do not settle")
	}
	if got, err := b.votes.Settlement().Verify(b.blocks); err != nil || got != b.blocks.Head() {
		t.Error(got, err)
	}
}

// last returns the vote that a person cast last.
func (b *ballotBox) last(name string) (last *chain.Vote) {
	for _, v := range b.votes.All() {
		if v.Device == b.person(name).device(0) && (last == nil || v.Seq > last.Seq) {
			last = v
		}
	}
	return last
}

// rounds lets the people named vote three times each, as they are due.
func (b *ballotBox) rounds(voters map[string]*chain.Voter, names ...string) {
	b.t.Helper()
	for range 3 {
		for _, name := range names {
			d := voters[name]
			d.Decide(b.votes, 0)
			v := d.Decide(b.votes, 2*chain.MaxDwell).Vote
			if v == nil {
				continue
			}
			v.Seal(func(l wire.Label, c []byte) []byte { return wire.Sign(b.person(name).keys[0], l, c) })
			if ok, err := b.votes.Add(v); !ok || err != nil {
				b.t.Fatal(ok, err)
			}
			d.Last = v
		}
	}
}

// TestSlashForVotes: two votes that show a lie cost the device its place; two
// that do not, or that are another's, cost nothing.
func TestSlashForVotes(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(a, b *chain.Vote)
		lie    bool
	}{
		{"one round", func(_, b *chain.Vote) { b.Seq, b.Block = 2, wire.BlockHash{9} }, true},
		{"one number", func(_, b *chain.Vote) { b.Round = 2 }, true},
		{"source back", func(a, b *chain.Vote) { a.Round, a.Source.Round, b.Seq, b.Round = 2, 1, 2, 3 }, true},
		{"honest", func(_, b *chain.Vote) { b.Seq, b.Round = 2, 2 }, false},
		{"two eras", func(_, b *chain.Vote) { b.Era[0]++ }, false},
		{"another group", func(a, b *chain.Vote) { a.Group[0]++; b.Group[0]++; b.Seq = 2 }, false},
		{"another device", func(a, b *chain.Vote) { a.Device[0]++; b.Device[0]++; b.Seq = 2 }, false},
	} {
		g := ruleGroup(t)
		ben := g.person("ben")
		a := &chain.Vote{Group: wire.GroupID(g.blocks.Genesis()), Device: ben.device(0), Seq: 1, Era: g.blocks.Genesis(), Round: 1}
		b := *a
		c.change(a, &b)
		for _, v := range []*chain.Vote{a, &b} {
			v.Seal(func(l wire.Label, content []byte) []byte { return wire.Sign(ben.keys[0], l, content) })
		}
		op, papers := g.twice(chain.SlashVotes, a.Marshal(), b.Marshal())
		_, _, err := g.try(g.person("cat"), 0, papers, op)
		if rule, reason := refused(err); c.lie && err != nil || !c.lie && (rule != "V6" || reason != chain.ReasonSlash) {
			t.Errorf("%s: %v", c.name, err)
		}
		b.Signature[0]++
		op, papers = g.twice(chain.SlashVotes, a.Marshal(), b.Marshal())
		if _, _, err := g.try(g.person("cat"), 0, papers, op); err == nil {
			t.Errorf("%s: a forged vote slashes", c.name)
		}
	}
}

// TestPersonHasNoVotes: what is settled in a person's chain the recovery key says.
func TestPersonHasNoVotes(t *testing.T) {
	p := newPerson(t, "ann")
	b, err := chain.HeadersOnly(p.headers)
	if err != nil {
		t.Fatal(err)
	}
	v := chain.NewVotes(b)
	d := &chain.Voter{Device: p.device(0)}
	if got := d.Decide(v, 1<<40); got != (chain.Decision{}) {
		t.Errorf("%+v", got)
	}
	_, err = v.Add(&chain.Vote{Group: wire.GroupID(p.id)})
	if e, ok := errors.AsType[*chain.VoteError](err); !ok || e.Reason != chain.ReasonPerson {
		t.Error(err)
	}
}

// TestNoVotesBeforeGenesis: an empty set answers everything.
func TestNoVotesBeforeGenesis(t *testing.T) {
	v := chain.NewVotes(chain.NewBlocks())
	var missing *chain.MissingError
	if _, err := v.Add(&chain.Vote{Group: wire.GroupID{1}}); !errors.As(err, &missing) || missing.Parent != (wire.BlockHash{1}) {
		t.Error(err)
	}
	d := &chain.Voter{}
	got := fmt.Sprint(v.Settled(), v.Era(), v.Round(), v.Certificate(), v.Root(), v.Head(), len(v.All()), v.Settlement(), v.Conflict(), v.Voters(), v.Certified(chain.Source{}), d.Decide(v, 1))
	var z wire.BlockHash
	if want := fmt.Sprint(z, z, 0, chain.Source{}, z, z, 0, chain.Settlement(nil), (*chain.Conflict)(nil), []wire.Member(nil), false, chain.Decision{}); got != want {
		t.Error(got)
	}
}
