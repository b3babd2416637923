package group_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"kith/internal/chain"
	"kith/internal/group"
	"kith/internal/sim"
	"kith/internal/wire"
)

// A table at which Dan, who knows nothing, asks Ann, who may lie, and Ben.
type asking struct {
	t        *testing.T
	now      uint64
	joining  *group.Joining
	members  map[wire.DeviceID]*sim.Node
	machines map[wire.DeviceID]*group.Machine
	dan      *sim.Node
	secrets  group.Secrets
	tamper   func([]byte) []byte // what Ann says
	liar     wire.DeviceID
	faults   []error
	asked    []wire.DeviceID
}

// take gives Dan a payload and follows what he asks for, to the end.
func (a *asking) take(from wire.DeviceID, payload []byte) *group.Machine {
	a.t.Helper()
	if from == a.liar {
		payload = a.tamper(payload)
	}
	m, eff, err := a.joining.Take(a.now, payload, a.members[from].Self.Member(), a.secrets)
	if err != nil {
		a.faults = append(a.faults, err)
	}
	if m != nil {
		return m
	}
	return a.answer(eff)
}

// answer has those whom Dan asks answer.
func (a *asking) answer(eff group.Effects) *group.Machine {
	a.t.Helper()
	for _, f := range eff.Send {
		a.asked = append(a.asked, f.To)
		for _, back := range a.step(f.To, group.Received{From: a.dan.Self.Member(), Payload: f.Payload}) {
			return a.take(f.To, back)
		}
	}
	return nil
}

// step steps a member and returns what it sends Dan.
func (a *asking) step(who wire.DeviceID, c group.Cause) (out [][]byte) {
	a.t.Helper()
	eff, err := a.machines[who].Step(group.Input{Now: a.now, Cause: c})
	if err != nil {
		a.t.Fatal(err)
	}
	for _, f := range eff.Send {
		if f.To == a.dan.Self.Device.ID() {
			out = append(out, f.Payload)
		}
	}
	return out
}

// newAsking makes a settled group of Ann and Ben that has added Dan.
func newAsking(t *testing.T, room int) (a *asking, ann, ben wire.DeviceID) {
	t.Helper()
	w, annNode, benNode, g := settledGroup(t, 16)
	dan := w.Add("Dan")
	pack, err := dan.Self.NewPackage(group.NewSuite, w.Now)
	if err != nil {
		t.Fatal(err)
	}
	w.Cut(annNode, dan)
	w.Cut(benNode, dan)
	do(t, w, annNode, g, group.Invite{Newcomers: []group.Newcomer{{
		Person: dan.Self.Person, Headers: dan.Self.Headers, Info: dan.Self.Info,
		KnockKey: dan.Self.Device.KnockKey(), KeyPackage: pack.Public,
	}}})
	ann, ben = annNode.Self.Device.ID(), benNode.Self.Device.ID()
	a = &asking{
		t: t, now: w.Now, dan: dan, joining: group.NewJoining(dan.Self, g), liar: ann,
		members: map[wire.DeviceID]*sim.Node{ann: annNode, ben: benNode}, machines: make(map[wire.DeviceID]*group.Machine),
		secrets: func(u group.Use) ([]byte, bool) { return pack.Secrets, u.Ref == pack.Ref },
		tamper:  func(b []byte) []byte { return b },
	}
	for d, n := range a.members {
		a.machines[d] = n.Groups[g].Machine
		a.machines[d].SetPageRoom(room)
	}
	return a, ann, ben
}

// greet returns what a member says to Dan when a session begins.
func (a *asking) greet(who wire.DeviceID) []byte {
	a.t.Helper()
	a.step(who, group.PeerDown{Device: a.dan.Self.Device.ID()})
	said := a.step(who, group.PeerUp{Peer: a.dan.Self.Member()})
	a.now += 1000 // who did not admit Dan waits for his word
	for _, b := range append(said, a.step(who, group.Tick{})...) {
		if group.IsInvitation(b) {
			return b
		}
	}
	a.t.Fatal("no invitation")
	return nil
}

// on changes pieces and passes everything else on.
func on(change func(*group.Piece)) func([]byte) []byte {
	return func(b []byte) []byte { return group.Rewrite(b, change) }
}

func flip(b []byte, at int) []byte {
	b = slices.Clone(b)
	b[at] ^= 1
	return b
}

// TestPagesThatLie: Ann lies to Dan in one thing; he refuses with one error and
// gets all from Ben, who invites him too.
func TestPagesThatLie(t *testing.T) {
	for what, tamper := range map[string]func([]byte) []byte{
		"a header": on(func(p *group.Piece) {
			if len(p.Lights) > 3 {
				p.Lights[3].Header = flip(p.Lights[3].Header, len(p.Lights[3].Header)-1)
			}
		}),
		"an attachment": on(func(p *group.Piece) {
			for i, l := range p.Lights {
				for j, b := range l.Attachments {
					p.Lights[i].Attachments[j] = flip(b, len(b)/2)
				}
			}
		}),
		"an attachment left out": on(func(p *group.Piece) {
			for i := range p.Lights {
				p.Lights[i].Attachments = nil
			}
		}),
		"no certificate": on(func(p *group.Piece) {
			if p.Certificate != nil {
				*p.Certificate = nil
			}
		}),
		"a vote": on(func(p *group.Piece) {
			if p.Certificate != nil {
				*p.Certificate = flip(*p.Certificate, len(*p.Certificate)-1)
			}
		}),
		"a certificate of fewer": on(func(p *group.Piece) {
			if p.Certificate == nil {
				return
			}
			s, err := chain.ParseSettlement(*p.Certificate)
			if err != nil {
				panic(err)
			}
			*p.Certificate = s[:len(s)-1].Marshal()
		}),
		"another base": on(func(p *group.Piece) { p.Base[0] ^= 1 }),
		"the tree": on(func(p *group.Piece) {
			if len(p.Tree) > 0 {
				p.Tree = flip(p.Tree, len(p.Tree)/2)
			}
		}),
		"the body of the base": on(func(p *group.Piece) {
			if len(p.Whole) > 0 {
				p.Whole[0].Body = flip(p.Whole[0].Body, len(p.Whole[0].Body)/2)
			}
		}),
		"the base as a light block": on(func(p *group.Piece) {
			if len(p.Whole) > 0 {
				p.Lights = append(p.Lights, group.Light{Header: p.Whole[0].Header})
			}
		}),
		"no light blocks":  on(func(p *group.Piece) { p.Lights = nil }),
		"no whole blocks":  on(func(p *group.Piece) { p.Whole = nil }),
		"less than all":    on(func(p *group.Piece) { *p.Left = 0 }),
		"never more":       on(func(p *group.Piece) { p.Lights, p.Tree, p.Whole, *p.Left = nil, nil, nil, 7 }),
		"what is no piece": func(b []byte) []byte { return append(slices.Clone(b), 0) },
	} {
		t.Run(what, func(t *testing.T) {
			for _, room := range []int{4 << 10, 4 << 20} {
				a, ann, ben := newAsking(t, room)
				first, second := a.greet(ann), a.greet(ben)
				if room == 4<<20 && what == "less than all" {
					continue // all is in the opening
				}
				a.tamper = tamper
				m := a.take(ann, first)
				if m == nil {
					m = a.take(ben, second)
				}
				if len(a.faults) != 1 {
					t.Fatalf("pages of %d: refused as %v", room, a.faults)
				}
				var r *group.Refusal
				if !errors.As(a.faults[0], &r) || r.Reason != group.ReasonInvite {
					t.Errorf("pages of %d: %v", room, a.faults[0])
				}
				if m == nil {
					t.Fatalf("pages of %d: Ben does not get Dan in", room)
				}
				t.Log(room, a.faults[0])
			}
		})
	}
}

// TestTitleOfWhatComes: what comes is shown under the title that its blocks commit to,
// and under nothing else that who invites says, as the names of members.
func TestTitleOfWhatComes(t *testing.T) {
	for said, want := range map[bool][]string{true: {"", "the last"}, false: {""}} {
		a, ann, _ := newAsking(t, 4<<10)
		var titles []string
		for m, payload := (*group.Machine)(nil), a.greet(ann); m == nil; {
			if !said {
				payload = group.Rewrite(payload, func(p *group.Piece) {
					if p.Infos != nil {
						*p.Infos = (*p.Infos)[1:]
					}
				})
			}
			var eff group.Effects
			var err error
			if m, eff, err = a.joining.Take(a.now, payload, a.members[ann].Self.Member(), a.secrets); err != nil {
				t.Fatal(err)
			}
			if title := a.joining.Title(); !slices.Contains(titles, title) {
				titles = append(titles, title)
			}
			if m == nil {
				payload = a.step(ann, group.Received{From: a.dan.Self.Member(), Payload: eff.Send[0].Payload})[0]
			}
		}
		if slices.Sort(titles); !slices.Equal(titles, want) {
			t.Errorf("the title is said: %v; shown are %q", said, titles)
		}
	}
}

// TestPagesGoOn: the member that is asked falls silent, or is gone; another goes on
// where it stopped.
func TestPagesGoOn(t *testing.T) {
	for what, end := range map[string]func(*asking, wire.DeviceID) group.Effects{
		"silent": func(a *asking, _ wire.DeviceID) group.Effects {
			a.now += 10 * minutes
			return a.joining.Tick(a.now)
		},
		"silent, and the clock was set back": func(a *asking, _ wire.DeviceID) group.Effects {
			a.now -= 60 * minutes
			return a.joining.Tick(a.now)
		},
		"gone": func(a *asking, d wire.DeviceID) group.Effects { return a.joining.Down(a.now, d) },
	} {
		a, ann, ben := newAsking(t, 4<<10)
		_, eff, err := a.joining.Take(a.now, a.greet(ann), a.members[ann].Self.Member(), a.secrets)
		if err != nil {
			t.Fatal(err)
		}
		page := a.step(ann, group.Received{From: a.dan.Self.Member(), Payload: eff.Send[0].Payload})
		if _, eff, err = a.joining.Take(a.now, page[0], a.members[ann].Self.Member(), a.secrets); err != nil || len(eff.Send) != 1 {
			t.Fatalf("%s: %v, %d requests", what, err, len(eff.Send))
		}
		if m, eff, err := a.joining.Take(a.now, a.greet(ben), a.members[ben].Self.Member(), a.secrets); m != nil || err != nil || len(eff.Send) > 0 {
			t.Fatalf("%s: Ben is asked too: %v", what, err)
		}
		have, left := a.joining.Progress()
		if have == 0 || left == 0 {
			t.Errorf("%s: %d blocks are here, %d to come", what, have, left)
		}
		if title := a.joining.Title(); title != "" { // the blocks that are here have one of before
			t.Errorf("%s: the title is %q", what, title)
		}
		eff = end(a, ann)
		if len(eff.Send) != 1 || eff.Send[0].To != ben {
			t.Fatalf("%s: Ben is not asked", what)
		}
		if got, _ := a.joining.Progress(); got != have {
			t.Errorf("%s: %d blocks are here, and were %d", what, got, have)
		}
		m := a.answer(eff)
		if m == nil || len(a.faults) > 0 {
			t.Fatalf("%s: Dan is not in: %v", what, a.faults)
		}
		if slices.Contains(a.asked, ann) {
			t.Errorf("%s: Ann is asked again", what)
		}
		if !bytes.Equal(chain.NewRecord(m.Blocks()).Marshal(), chain.NewRecord(a.machines[ben].Blocks()).Marshal()) {
			t.Errorf("%s: Dan holds another chain", what)
		}
	}
}
