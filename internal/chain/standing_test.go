package chain_test

import (
	"bytes"
	"errors"
	"math"
	"reflect"
	"slices"
	"testing"

	"kith/internal/chain"
	"kith/internal/wire"
)

// noWay is a height above every block.
const noWay = math.MaxUint64

// handedOver is a group with two eras, each settled: ann's ends with her leave,
// then ben votes. Its chain has four blocks.
func handedOver(t testing.TB) *ballotBox {
	b := story(t)
	b.settle("ann")
	b.settle("ben")
	return b
}

// fourVoters is a group whose four members vote from its second block on; the
// blocks above that are ben's.
func fourVoters(t testing.TB) (b *ballotBox, change wire.BlockHash) {
	b = newBallotBox(newGroup(t, chain.Policy{}, "ann", "ben*", "cat", "dan"))
	var electorate []wire.PersonID
	for _, name := range []string{"ann", "ben", "cat", "dan"} {
		electorate = append(electorate, b.person(name).id)
	}
	slices.SortFunc(electorate, func(a, b wire.PersonID) int { return bytes.Compare(a[:], b[:]) })
	b.commit("ann", nil, &chain.SetPolicy{Electorate: electorate})
	change = b.blocks.Head()
	b.settle("ann")
	b.commit("ben", nil, &chain.SetInfo{Info: wire.Digest{1}})
	b.commit("ben", nil, &chain.SetInfo{Info: wire.Digest{2}})
	return b, change
}

// cast is a vote of the era that starts with the block era.
func (b *ballotBox) cast(name string, era wire.BlockHash, round uint64, block wire.BlockHash, from chain.Source) *chain.Vote {
	b.seq[name]++
	v := vote(b.group, name, b.seq[name], round, block, from)
	v.Era = era
	v.Seal(func(l wire.Label, c []byte) []byte { return wire.Sign(b.person(name).keys[0], l, c) })
	return v
}

func (b *ballotBox) add(votes ...*chain.Vote) {
	b.t.Helper()
	for _, v := range votes {
		if ok, err := b.votes.Add(v); !ok || err != nil {
			b.t.Fatal(ok, err)
		}
	}
}

// standing makes one, which holds and comes out the same after encoding.
func (b *ballotBox) standing(name string, since uint64) *chain.Standing {
	b.t.Helper()
	made, err := chain.NewStanding(b.blocks, b.votes.Settlement(), b.person(name).id, since)
	if err != nil {
		b.t.Fatal(err)
	}
	s, err := chain.ParseStanding(made.Marshal())
	if err != nil {
		b.t.Fatal(err)
	}
	if !bytes.Equal(s.Marshal(), made.Marshal()) {
		b.t.Error("another encoding")
	}
	return s
}

// agrees checks that a light device is shown what a full one knows.
func (b *ballotBox) agrees(s *chain.Standing, name string) {
	b.t.Helper()
	shown, err := s.Verify()
	if err != nil {
		b.t.Fatalf("%s: %v", name, err)
	}
	settled := b.votes.Settled()
	want, _ := b.blocks.State(settled).Person(b.person(name).id)
	if shown.Group != wire.GroupID(b.blocks.Genesis()) || shown.Settled.Hash() != settled || !reflect.DeepEqual(shown.Member, want) {
		b.t.Errorf("%s: shown %+v at %s, want %+v at %s", name, shown.Member, shown.Settled.Hash(), want, settled)
	}
	if len(shown.Settlings) != len(b.votes.Settlement()) {
		b.t.Errorf("%s: %d eras", name, len(shown.Settlings))
	}
}

// TestStanding (I17): whoever knows the id of the group alone agrees with a member
// about the settled block and everybody ever in the group.
func TestStanding(t *testing.T) {
	fresh := newBallotBox(newGroup(t, chain.Policy{}, "ann", "ben"))
	four, _ := fourVoters(t)
	for _, b := range []*ballotBox{fresh, handedOver(t), four} {
		for _, name := range []string{"ann", "ben"} {
			for _, since := range []uint64{0, 1, noWay} {
				b.agrees(b.standing(name, since), name)
			}
		}
	}
	b := handedOver(t)
	s := b.standing("ann", noWay)
	shown, err := s.Verify()
	if err != nil || shown.Member.Status != chain.StatusRemoved {
		t.Errorf("ann left: %v, status %d", err, shown.Member.Status)
	}
	for i, name := range []string{"ann", "ben"} {
		by := shown.Settlings[i]
		if by.Voters != 1 || by.Quorum != 1 || !slices.Equal(by.By, []wire.PersonID{b.person(name).id}) || by.Block != s.Steps[i].Header.Hash() {
			t.Errorf("era %d: %+v", i, by)
		}
	}
	if len(s.Way) != 0 || len(b.standing("ann", 0).Way) != 2 || len(b.standing("ann", 1).Way) != 1 {
		t.Error("the way is not what was asked for")
	}
}

// TestStandingOfRecord: it can be made of a chain file alone.
func TestStandingOfRecord(t *testing.T) {
	b := handedOver(t)
	r := chain.NewRecord(b.blocks)
	r.Settlement = b.votes.Settlement()
	v, err := r.Verify()
	if err != nil {
		t.Fatal(err)
	}
	s, err := chain.NewStanding(v.Blocks, r.Settlement, b.person("ben").id, 0)
	if err != nil || !bytes.Equal(s.Marshal(), b.standing("ben", 0).Marshal()) {
		t.Errorf("%v, or another", err)
	}
	var e *chain.StandingError
	if _, err := chain.NewStanding(v.Blocks, r.Settlement, wire.PersonID{9}, 0); !errors.As(err, &e) || e.Reason != chain.StandingAbsent {
		t.Errorf("of a stranger: %v", err)
	}
}

// TestStandingAbove: two voters settle by a source above the block, and the proof
// says how that stands on it.
//
//	E ── x1 ── x2     round 1: x2 x2 x2 x1    round 2: x2(1, x2) x2(1, x2) x2(1, x1)
func TestStandingAbove(t *testing.T) {
	b, e := fourVoters(t)
	at := b.blocks.Chain()
	x1, x2 := at[len(at)-2], at[len(at)-1]
	given := chain.Source{Block: e}
	b.add(b.cast("ann", e, 1, x2, given), b.cast("ben", e, 1, x2, given), b.cast("cat", e, 1, x2, given), b.cast("dan", e, 1, x1, given))
	top, low := chain.Source{Round: 1, Block: x2}, chain.Source{Round: 1, Block: x1}
	b.add(b.cast("ann", e, 2, x2, top), b.cast("ben", e, 2, x2, top), b.cast("cat", e, 2, x2, low))
	if b.votes.Settled() != x1 {
		t.Fatal("the picture settles another block")
	}
	s := b.standing("dan", noWay)
	b.agrees(s, "dan")
	if len(s.Above) != 1 || s.Above[0].Hash() != x2 || len(s.Steps[1].Votes) != 3 || len(s.Steps[0].Voters) != 5 {
		t.Errorf("%d above, %d votes, %d voters", len(s.Above), len(s.Steps[1].Votes), len(s.Steps[0].Voters))
	}
	s.Above = nil
	if err := refusedFor(s); err != chain.StandingVotes {
		t.Errorf("without what is above: %q", err)
	}
}

// TestStandingLiar: a voter of whom two votes of the round are held counts for
// every block, here as for members; two votes that differ in their signature
// alone are one.
func TestStandingLiar(t *testing.T) {
	b, e := fourVoters(t)
	at := b.blocks.Chain()
	x1, x2 := at[len(at)-2], at[len(at)-1]
	given, low := chain.Source{Block: e}, chain.Source{Round: 1, Block: x1}
	for _, name := range []string{"ann", "ben", "cat"} {
		b.add(b.cast(name, e, 1, x1, given))
	}
	b.add(b.cast("ann", e, 2, x1, low), b.cast("ben", e, 2, x1, low))
	b.add(b.cast("dan", e, 2, x2, given), b.cast("dan", e, 2, x1, given))
	if b.votes.Settled() != x1 {
		t.Fatal("two and a liar do not settle")
	}
	s := b.standing("dan", noWay)
	b.agrees(s, "dan")
	last := &s.Steps[1]
	whole := slices.Clone(last.Votes)
	for i, v := range whole {
		if v.Device != b.person("dan").device(0) {
			continue
		}
		if last.Votes = slices.Delete(slices.Clone(whole), i, i+1); refusedFor(s) != chain.StandingVotes {
			t.Error("one vote of the liar's is enough")
		}
	}
	last.Votes = slices.DeleteFunc(whole, func(v *chain.Vote) bool { return v.Device != b.person("dan").device(0) })
	if refusedFor(s) != chain.StandingVotes {
		t.Error("a liar settles alone")
	}
}

// refusedFor is why a Standing is refused; empty: it holds, or for no reason of
// its own.
func refusedFor(s *chain.Standing) chain.StandingReason {
	_, err := s.Verify()
	if e, ok := errors.AsType[*chain.StandingError](err); ok {
		return e.Reason
	}
	return ""
}

// TestStandingRefused breaks one thing at a time.
func TestStandingRefused(t *testing.T) {
	b, e := fourVoters(t)
	at := b.blocks.Chain()
	head := at[len(at)-1]
	for round, from := range []chain.Source{{Block: e}, {Round: 1, Block: head}} {
		for _, name := range []string{"ann", "ben", "cat"} {
			b.add(b.cast(name, e, uint64(round+1), head, from))
		}
	}
	b.agrees(b.standing("ben", 0), "ben")
	two, from := handedOver(t), chain.Source{Round: 1, Block: head}
	resealed := func(name string, change func(*chain.Vote)) func(*chain.Standing) {
		return func(s *chain.Standing) {
			v := b.cast(name, e, 2, head, from)
			change(v)
			v.Seal(func(l wire.Label, c []byte) []byte { return wire.Sign(b.person(name).keys[0], l, c) })
			votes := s.Steps[1].Votes
			votes[slices.IndexFunc(votes, func(o *chain.Vote) bool { return o.Device == v.Device })] = v
		}
	}
	lost := draftOn(b, at[1], "ben", &chain.SetInfo{Info: wire.Digest{7}})
	for name, c := range map[string]struct {
		change func(*chain.Standing)
		want   chain.StandingReason
	}{
		"a vote less":              {func(s *chain.Standing) { s.Steps[1].Votes = s.Steps[1].Votes[1:] }, chain.StandingVotes},
		"no votes":                 {func(s *chain.Standing) { s.Steps[1].Votes = nil }, chain.StandingVotes},
		"a vote twice":             {func(s *chain.Standing) { s.Steps[1].Votes[1] = s.Steps[1].Votes[0] }, chain.StandingVotes},
		"votes out of order":       {func(s *chain.Standing) { slices.Reverse(s.Steps[1].Votes) }, chain.StandingVotes},
		"votes for another block":  {func(s *chain.Standing) { s.Steps[1].Header = b.blocks.Header(at[2]) }, chain.StandingVotes},
		"a block of a lost branch": {func(s *chain.Standing) { s.Steps[1].Header = lost }, chain.StandingVotes},
		"a forged vote":            {func(s *chain.Standing) { s.Steps[1].Votes[0].Signature[0]++ }, chain.StandingVotes},
		"a vote of another era":    {resealed("ann", func(v *chain.Vote) { v.Era = b.blocks.Genesis() }), chain.StandingVotes},
		"a vote of another group":  {resealed("ann", func(v *chain.Vote) { v.Group = wire.GroupID{1} }), chain.StandingVotes},
		"a vote of another round":  {resealed("ann", func(v *chain.Vote) { v.Round = 3 }), chain.StandingVotes},
		"a source rounds before":   {resealed("ann", func(v *chain.Vote) { v.Source = chain.Source{Block: e} }), chain.StandingVotes},
		"a source of its round":    {resealed("ann", func(v *chain.Vote) { v.Source.Round = 2 }), chain.StandingVotes},
		"a vote without number":    {resealed("ann", func(v *chain.Vote) { v.Seq = 0 }), chain.StandingVotes},
		"votes of no voter":        {func(s *chain.Standing) { s.Steps = s.Steps[1:] }, chain.StandingVotes},
		"an era that has no end":   {func(s *chain.Standing) { s.Steps[0].Voters = nil }, chain.StandingVoters},
		"a voter less":             {func(s *chain.Standing) { s.Steps[0].Voters = s.Steps[0].Voters[:4] }, chain.StandingVoters},
		"no settings":              {func(s *chain.Standing) { s.Steps[0].Voters = s.Steps[0].Voters[1:] }, chain.StandingVoters},
		"other settings":           {func(s *chain.Standing) { s.Steps[0].Voters[0].Record[3] ^= 1 }, chain.StandingVoters},
		"another voter": {func(s *chain.Standing) {
			v := s.Steps[0].Voters
			v[1], v[2] = v[2], v[1]
		}, chain.StandingVoters},
		"no voters after the last": {func(s *chain.Standing) { s.Steps[1].Voters = nil }, chain.StandingVoters},
		"voters of before":         {func(s *chain.Standing) { s.Steps[1].Voters = s.Steps[0].Voters }, chain.StandingVoters},
		"a way with a gap":         {func(s *chain.Standing) { s.Way = s.Way[:len(s.Way)-1] }, chain.StandingWay},
		"a way of a lost branch":   {func(s *chain.Standing) { s.Way[len(s.Way)-1] = lost }, chain.StandingWay},
		"a way from genesis":       {func(s *chain.Standing) { s.Way = append([]*chain.Header{s.Genesis}, s.Way...) }, chain.StandingWay},
		"a stray block above":      {func(s *chain.Standing) { s.Above = []*chain.Header{lost} }, chain.StandingWay},
		"another person's record":  {func(s *chain.Standing) { s.Member = two.standing("ben", noWay).Member }, chain.StandingPerson},
		"the settings as a person": {func(s *chain.Standing) { s.Member = s.Steps[0].Voters[0] }, chain.StandingPerson},
		"a record of before":       {func(s *chain.Standing) { s.Member = s.Steps[0].Voters[2] }, chain.StandingPerson},
		"another group's genesis":  {func(s *chain.Standing) { s.Genesis = two.standing("ben", noWay).Genesis }, chain.StandingWay},
		"another block as genesis": {func(s *chain.Standing) { s.Genesis = s.Way[0] }, chain.StandingWay},
		"a person's chain":         {func(s *chain.Standing) { s.Genesis = b.person("ann").headers[0] }, chain.StandingKind},
	} {
		s := b.standing("ben", 0)
		if c.change(s); refusedFor(s) != c.want {
			_, err := s.Verify()
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}

// draftOn is a block that is not held, on another parent than the head.
func draftOn(b *ballotBox, parent wire.BlockHash, name string, ops ...chain.Op) *chain.Header {
	h, _ := b.draft(b.blocks.State(parent), parent, b.person(name), nil, ops...)
	return h
}

// TestStandingEveryByte: one bit changed anywhere, and the file is refused, or
// shows the same: the counts that shape a path are no part of what is proved.
func TestStandingEveryByte(t *testing.T) {
	b := handedOver(t)
	file := b.standing("ben", 0).Marshal()
	want, err := b.standing("ben", 0).Verify()
	if err != nil {
		t.Fatal(err)
	}
	same := 0
	for i := range file {
		for _, bit := range []byte{1, 0x80} {
			forged := slices.Clone(file)
			forged[i] ^= bit
			shown, err := verifyStanding(forged)
			if err != nil {
				mustExplain(t, i, err)
				continue
			}
			if same++; !reflect.DeepEqual(shown, want) {
				t.Errorf("byte %d changed, and it shows %+v", i, shown)
			}
		}
	}
	if same > 8 {
		t.Errorf("%d changes are not noticed", same)
	}
}

func verifyStanding(file []byte) (*chain.Shown, error) {
	s, err := chain.ParseStanding(file)
	if err != nil {
		return nil, err
	}
	return s.Verify()
}

// mustExplain: whoever is told of the error has words for it.
func mustExplain(t *testing.T, at int, err error) {
	t.Helper()
	_, own := errors.AsType[*chain.StandingError](err)
	_, rule := errors.AsType[*chain.RejectError](err)
	if !own && !rule && !errors.Is(err, chain.ErrNewer) {
		t.Errorf("byte %d changed: %v", at, err)
	}
}

// TestStandingOfUnknownFeature: what an active feature changes only a newer version
// knows (V8), so nothing that the file shows is believed.
func TestStandingOfUnknownFeature(t *testing.T) {
	s, err := chain.ParseStanding(featured(t).Marshal())
	if err != nil {
		t.Fatal(err)
	}
	if shown, err := s.Verify(); !errors.Is(err, chain.ErrNewer) {
		t.Errorf("believed: %v, %v; want ErrNewer", shown != nil, err)
	}
}
