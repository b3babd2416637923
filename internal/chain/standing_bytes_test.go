package chain_test

import (
	"bytes"
	"errors"
	"reflect"
	"slices"
	"testing"

	"kith/internal/chain"
	"kith/internal/wire"
)

// prefixed is b as opaque<V>.
func prefixed(parts ...[]byte) []byte { return wire.Opaque(slices.Concat(parts...)) }

// TestStandingBytes spells a file out from docs/spec/standing.md.
func TestStandingBytes(t *testing.T) {
	p := newPerson(t, "ann")
	p.extend(t, &chain.Rekey{})
	p.extend(t, &chain.Rekey{})
	a, b, c := p.headers[0], p.headers[1], p.headers[2]
	vote, err := chain.ParseVote(spelledVote(7))
	if err != nil {
		t.Fatal(err)
	}
	settings := &chain.MemberProof{Leaves: 2, Record: []byte("set"), Path: [][32]byte{fill32(1)}}
	voter := &chain.MemberProof{Index: 1, Leaves: 2, Record: []byte("rec")}
	settingsBytes := slices.Concat([]byte{1, 0, 0, 0, 0, 0, 0, 0, 2, 3}, []byte("set"), []byte{32}, x(1, 32))
	voterBytes := slices.Concat([]byte{1, 0, 0, 0, 1, 0, 0, 0, 2, 3}, []byte("rec"), []byte{0})
	s := &chain.Standing{
		Genesis: a,
		Steps: []chain.Step{
			{Header: b, Votes: []*chain.Vote{vote}, Voters: []*chain.MemberProof{settings, voter}},
			{Header: c},
		},
		Above: []*chain.Header{b}, Way: []*chain.Header{c, b}, Member: voter,
	}
	want := slices.Concat([]byte("KITHSTD"), []byte{1},
		prefixed(a.Bytes()),
		prefixed(
			prefixed(b.Bytes()), []byte{0x40, 250}, spelledVote(7),
			[]byte{62}, []byte{46}, settingsBytes, []byte{14}, voterBytes,
			prefixed(c.Bytes()), []byte{0}, []byte{0}),
		prefixed(prefixed(b.Bytes())),
		prefixed(prefixed(c.Bytes()), prefixed(b.Bytes())),
		[]byte{14}, voterBytes)
	if got := s.Marshal(); !bytes.Equal(got, want) {
		t.Errorf("got  %x\nwant %x", got, want)
	}
	got, err := chain.ParseStanding(want)
	if err != nil || !bytes.Equal(got.Marshal(), want) || !reflect.DeepEqual(got.Member, voter) {
		t.Errorf("%v, or another", err)
	}
}

// TestStandingRefusesBytes: what is no whole file is none.
func TestStandingRefusesBytes(t *testing.T) {
	whole := handedOver(t).standing("ben", 0)
	file := whole.Marshal()
	for n := range file {
		if _, err := chain.ParseStanding(file[:n]); err == nil {
			t.Fatalf("%d bytes of it parse", n)
		}
	}
	head := len("KITHSTD") + 1
	many := bytes.Repeat([]byte{0, 0, 0}, 2000)
	g := newGroup(t, chain.Policy{}, "ann").blocks
	genesis := prefixed(g.Header(g.Genesis()).Bytes())
	for name, c := range map[string]struct {
		b    []byte
		want chain.StandingReason
	}{
		"nothing":          {nil, chain.StandingKind},
		"a chain file":     {chain.NewRecord(g).Marshal(), chain.StandingKind},
		"left over":        {append(slices.Clone(file), 0), chain.StandingForm},
		"too long":         {append(slices.Clone(file), make([]byte, chain.MaxStanding)...), chain.StandingForm},
		"steps of nothing": {slices.Concat(file[:head], genesis, prefixed(many), []byte{0, 0, 0}), chain.StandingForm},
		"no person":        {slices.Concat(file[:head], genesis, []byte{0, 0, 0, 0}), chain.StandingForm},
	} {
		_, err := chain.ParseStanding(c.b)
		if e, ok := errors.AsType[*chain.StandingError](err); !ok || e.Reason != c.want {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
	newer := slices.Clone(file)
	if newer[head-1] = 2; !newerVersion(newer) {
		t.Error("another version")
	}
	newer = slices.Clone(file)
	newer[len(newer)-len(whole.Member.Marshal())] = 2
	if !newerVersion(newer) {
		t.Error("another version of the member's proof")
	}
}

func newerVersion(b []byte) bool {
	_, err := chain.ParseStanding(b)
	return errors.Is(err, chain.ErrNewer)
}

func FuzzStanding(f *testing.F) {
	b := handedOver(f)
	whole := b.standing("ben", 0)
	f.Add(whole.Marshal())
	f.Add(newBallotBox(newGroup(f, chain.Policy{}, "ann")).standing("ann", 0).Marshal())
	f.Fuzz(func(t *testing.T, file []byte) {
		s, err := chain.ParseStanding(file)
		if err != nil {
			return
		}
		roundTrip(t, file, s.Marshal())
		shown, err := s.Verify()
		if err != nil {
			mustExplain(t, -1, err)
		}
		if err != nil || shown.Group != wire.GroupID(b.blocks.Genesis()) {
			return
		}
		if !b.votes.IsSettled(shown.Settled.Hash()) {
			t.Errorf("shows %s as settled", shown.Settled.Hash())
		}
		if want, _ := b.blocks.State(shown.Settled.Hash()).Person(shown.Member.Person); !reflect.DeepEqual(shown.Member, want) {
			t.Errorf("shows %+v", shown.Member)
		}
		_ = s.Follows(whole)
		_ = whole.Follows(s)
	})
}
