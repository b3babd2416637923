package chain

import (
	"errors"
	"fmt"
	"testing"

	"kith/internal/wire"
)

// TestConflictOfWarrants: what is over here is settled otherwise there. The votes
// alone come too late to be heard; the warrant is.
func TestConflictOfWarrants(t *testing.T) {
	s := play("G:0123 -> a1 -> a2 | G -> b1")
	here, there := NewVotes(s.blocks), NewVotes(s.blocks)
	mustOffer(t, here, s.several("012 vote a2 in 8 from a2 of 7", "012 vote a2 in 9 from a2 of 8")...)
	old := s.several("123 vote b1 in 1", "123 vote b1 in 2 from b1 of 1")
	mustOffer(t, there, old...)
	mustOffer(t, here, old...)
	if here.Conflict() != nil || here.Settled() != s.by["a2"].Hash {
		t.Fatal("votes of a round that is over were heard")
	}
	w := there.Settlement()[0]
	if ok, err := here.AddWarrant(w); !ok || err != nil {
		t.Fatal(ok, err)
	}
	// 1 and 2 vote for b1 and then for a2, on a source that nobody certified: no
	// two of their votes show a lie.
	c := here.Conflict()
	if c == nil || !c.Stopped || here.Settled() != s.by["G"].Hash || len(here.Evidence()) != 0 {
		t.Fatalf("%+v, settled %s, evidence %v", c, s.name(here.Settled()), here.Evidence())
	}
	for i, name := range []string{"a2", "b1"} {
		if c.Blocks[i] != s.by[name].Hash {
			t.Errorf("block %d of the conflict is %s", i, s.name(c.Blocks[i]))
		}
		v := NewVotes(s.blocks)
		if _, err := v.AddWarrant(c.Warrants[i]); err != nil || v.Settled() != c.Blocks[i] {
			t.Errorf("warrant of %s: %v", name, err)
		}
	}
	d := &Voter{Device: sceneDevice(3)}
	d.Decide(here, 0)
	if got := d.Decide(here, 1<<40); got != (Decision{}) {
		t.Errorf("a voter goes on: %+v", got)
	}
	if ok, err := here.AddWarrant(w); ok || err != nil {
		t.Errorf("again: %v, %v", ok, err)
	}
}

// TestConflictShowsLiars: likewise, but the sources go back.
func TestConflictShowsLiars(t *testing.T) {
	s := play("G:0123 -> a1 -> a2 | G -> b1")
	here, there := NewVotes(s.blocks), NewVotes(s.blocks)
	mustOffer(t, here, s.several("012 vote a2 in 8", "012 vote a2 in 9 from a2 of 8")...)
	mustOffer(t, there, s.several("123 vote b1 in 1", "123 vote b1 in 2 from b1 of 1")...)
	if ok, err := here.AddWarrant(there.Settlement()[0]); !ok || err != nil {
		t.Fatal(ok, err)
	}
	if c := here.Conflict(); c == nil || c.Stopped || len(here.Evidence()) != 2 || here.Settled() != s.by["G"].Hash {
		t.Fatalf("%+v, evidence %v", c, here.Evidence())
	}
	for _, e := range here.Evidence() {
		if _, err := there.AddEvidence(e); err != nil {
			t.Error(err)
		}
	}
	if ok, err := there.AddWarrant(here.Conflict().Warrants[0]); !ok || err != nil || there.Settled() != here.Settled() || there.Head() != here.Head() {
		t.Errorf("the other side settles %s: %v, %v", s.name(there.Settled()), ok, err)
	}
}

// TestEvidence: each way to lie, and none where there is none.
func TestEvidence(t *testing.T) {
	s := play("G:0123 -> a1 -> a2 | G -> b1")
	for _, c := range []struct {
		a, b string
		seq  uint64 // of b; 0: as it is
		lie  bool
	}{
		{"0 votes a1 in 1", "0 votes b1 in 1", 2, true},
		{"0 votes a1 in 1", "0 votes a1 in 1", 2, true},
		{"0 votes a1 in 1", "0 votes b1 in 2", 1, true},
		{"0 votes a1 in 2", "0 votes b1 in 1", 3, true},
		{"0 votes a1 in 2 from a1 of 1", "0 votes a1 in 3", 0, true},
		{"0 votes a2 in 3 from a2 of 2", "0 votes a2 in 4 from a1 of 2", 0, true},
		{"0 votes a2 in 3 from a1 of 2", "0 votes a2 in 4 from a2 of 2", 0, false},
		{"0 votes a1 in 1", "0 votes b1 in 2", 0, false},
		{"0 votes a1 in 2 from a1 of 1", "0 votes b1 in 5 from b1 of 2", 0, false},
	} {
		a, b := s.signed(c.a), s.vote(c.b)
		if c.seq > 0 {
			b.Seq = c.seq
		}
		sealVote(b)
		e := newEvidence(a, b)
		v := NewVotes(s.blocks)
		ok, err := v.AddEvidence(e)
		if c.lie != (ok && err == nil) || !c.lie && wantReason("", err, ReasonBlameful) != nil {
			t.Errorf("%s, %s: %v, %v", c.a, c.b, ok, err)
		}
		for _, order := range [][]*Vote{{a, b}, {b, a}} {
			v := NewVotes(s.blocks)
			mustOffer(t, v, order...)
			if got := v.Evidence(); (len(got) == 1) != c.lie || c.lie && *got[0] != *e {
				t.Errorf("%s, %s: found %v", c.a, c.b, got)
			}
		}
		if again, err := ParseEvidence(e.Marshal()); err != nil || again.Device() != a.Device {
			t.Error(err)
		}
	}
	// Of two people, of two eras, in the wrong order, or forged, it is none.
	a, b := s.signed("0 votes a1 in 1"), s.signed("1 votes b1 in 1")
	if _, err := NewVotes(s.blocks).AddEvidence(newEvidence(a, b)); wantReason("", err, ReasonBlameful) != nil {
		t.Errorf("of two people: %v", err)
	}
	e := newEvidence(a, s.signed("0 votes b1 in 1"))
	if _, err := NewVotes(s.blocks).AddEvidence(&Evidence{e.B, e.A}); wantReason("", err, ReasonBlameful) != nil {
		t.Errorf("in the wrong order: %v", err)
	}
	if _, err := NewVotes(s.blocks).AddEvidence(newEvidence(a, s.vote("0 votes b1 in 1"))); wantReason("", err, ReasonSignature) != nil {
		t.Errorf("forged: %v", err)
	}
}

// TestSignedAgain: a vote signed twice in other words of the same key is one vote,
// and the same is kept of both orders.
func TestSignedAgain(t *testing.T) {
	s := play("G:0123 -> a1 | G -> b1")
	a := s.signed("0 votes a1 in 1")
	b := *a
	b.Signature[0]++ // as another signature; it is not checked here
	var kept []*Vote
	for _, order := range [][]*Vote{{a, &b}, {&b, a}} {
		v := NewVotes(s.blocks)
		v.off = ruleSignature
		mustOffer(t, v, order...)
		if len(v.All()) != 1 || len(v.Evidence()) != 0 {
			t.Fatalf("%d votes, %d pieces of evidence", len(v.All()), len(v.Evidence()))
		}
		kept = append(kept, v.All()...)
	}
	if *kept[0] != *kept[1] {
		t.Error("order decides which is kept")
	}
	if _, err := NewVotes(s.blocks).AddEvidence(newEvidence(a, a)); wantReason("", err, ReasonBlameful) != nil {
		t.Error(err)
	}
}

// TestLiarFillsLittle: whatever one voter sends, little of it is kept.
func TestLiarFillsLittle(t *testing.T) {
	s := play("G:0123 -> a1 -> a2 | G -> b1")
	v := NewVotes(s.blocks)
	v.off = ruleSignature
	var early *EarlyError
	for round := uint64(1); round <= 200; round++ {
		for seq := range uint64(20) {
			vote := s.vote(fmt.Sprintf("0 votes a1 in %d", round))
			vote.Seq = 1 + seq
			if _, err := v.Add(vote); err != nil && !errors.As(err, &early) {
				t.Fatal(err)
			}
		}
	}
	if n := len(v.All()); n != maxPerRound*(maxAhead+1) {
		t.Errorf("%d votes kept", n)
	}
	if len(v.Evidence()) != 1 {
		t.Errorf("%d pieces of evidence", len(v.Evidence()))
	}
}

// TestVotedIsNotShed: of more variants of a block than are kept, the one that a
// vote names stays, or the vote would name what is not there.
func TestVotedIsNotShed(t *testing.T) {
	for pick := range 6 {
		s := play("G:0")
		for i := range 6 { // by one author, as 2 tips of an author are kept
			s.add(fmt.Sprint("t", i), s.by["G"], "", false)
			for range scenePeople - 1 {
				s.order = append(s.order, "")
			}
		}
		v := NewVotes(s.blocks)
		mustOffer(t, v, s.signed(fmt.Sprintf("0 votes t%d in 1", pick)))
		named := v.Named()
		s.blocks.Keeps = func(hash wire.BlockHash) bool { return named[hash] }
		if shed := s.blocks.Shed(v.Root()); len(shed) == 0 && pick == 0 {
			t.Fatal("nothing is shed")
		}
		if s.blocks.Shed(s.blocks.Genesis()); !s.blocks.Has(s.by[fmt.Sprint("t", pick)].Hash) {
			t.Errorf("t%d is shed though voted for", pick)
		}
	}
}

// TestOldRoundsGo: a group that settles on and on keeps the last rounds.
func TestOldRoundsGo(t *testing.T) {
	s := play("G:012")
	v := NewVotes(s.blocks)
	last := "G"
	for i := range 40 {
		name := fmt.Sprint("b", i)
		s.add(name, s.by[last], "", false)
		last = name
		voters := []*Voter{}
		for p := range 3 {
			voters = append(voters, &Voter{Device: sceneDevice(p)})
			for _, o := range v.All() {
				if o.Device == sceneDevice(p) {
					voters[p].Last = o
				}
			}
		}
		for v.Settled() != s.by[last].Hash {
			for _, d := range voters {
				d.Decide(v, 0)
				if vote := d.Decide(v, MaxDwell).Vote; vote != nil {
					d.Last = sealVote(vote)
					mustOffer(t, v, d.Last)
				}
			}
		}
	}
	if n := len(v.All()); n > 9 || v.Round() < 40 {
		t.Errorf("%d votes kept after round %d", n, v.Round())
	}
	if got, err := v.Settlement().Verify(s.blocks); err != nil || got != s.by[last].Hash {
		t.Errorf("settled %s, %v", s.name(got), err)
	}
}

// TestVoterWithoutDevice: a person whose devices are all gone counts among n and
// cannot vote.
func TestVoterWithoutDevice(t *testing.T) {
	s := play("G:01 -> a1")
	gone := *s.by["G"].State
	gone.records = append([]*record{}, gone.records...)
	m := gone.records[1].Member
	m.Devices = []Device{{ID: sceneDevice(1), Status: StatusRevoked}}
	gone.records[1] = newRecord(m)
	list := gone.Voters()
	if len(list) != 2 || list[0].Device != sceneDevice(0) || list[1].Device != [32]byte{} || list[1].Person != scenePerson(1) {
		t.Errorf("voters %v", list)
	}
	e := &era{voters: list}
	if _, ok := e.voter([32]byte{}); ok {
		t.Error("nobody's device votes")
	}
}

// TestParkedVoter: of a person whose devices are all parked the earliest votes, and of
// one who has an active one that: a Restart that parks all voters would else leave
// nobody who could ever settle that they come back.
func TestParkedVoter(t *testing.T) {
	s := play("G:01 -> a1")
	for _, c := range []struct {
		name     string
		statuses []Status
		want     int // index of the device that votes; below 0: none
	}{
		{"parked", []Status{StatusParked}, 0},
		{"both parked", []Status{StatusParked, StatusParked}, 0},
		{"the later one active", []Status{StatusParked, StatusActive}, 1},
		{"the earlier one revoked", []Status{StatusRevoked, StatusParked, StatusParked}, 1},
		{"revoked", []Status{StatusRevoked, StatusRevoked}, -1},
	} {
		m := s.by["G"].State.records[1].Member
		m.Devices = nil
		var want [32]byte
		at := *s.by["G"].State
		for i, status := range c.statuses {
			d := Device{ID: [32]byte{byte(i + 1)}, Status: status}
			m.Devices = append(m.Devices, d)
			at.devices = at.devices.put(&activity{device: d.ID, person: m.Person}, 0)
			if i == c.want {
				want = d.ID
			}
		}
		at.records = append([]*record{}, at.records...)
		at.records[1] = newRecord(m)
		if list := at.Voters(); list[1].Device != want {
			t.Errorf("%s: %v votes", c.name, list[1].Device)
		}
	}
}
