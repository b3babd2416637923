package group_test

import (
	"fmt"
	"slices"
	"testing"

	"kith/internal/chain"
	"kith/internal/group"
	"kith/internal/identity"
	"kith/internal/mls"
	"kith/internal/wire"
)

const start uint64 = 1_700_000_000_000

// A human is a person with the records of the own chain.
type human struct {
	group.Self
	records []group.Record
}

func newHuman(t testing.TB, name string, recovery chain.RecoveryKeys) *human {
	t.Helper()
	self, eff, err := group.NewPerson(group.NewPersonParams{Device: identity.NewDevice(), Name: name, Recovery: recovery}, start)
	if err != nil {
		t.Fatal(err)
	}
	return &human{self, eff.Write}
}

func newRecovery(t testing.TB) chain.RecoveryKeys {
	t.Helper()
	r, err := identity.ParsePhrase(identity.NewPhrase())
	if err != nil {
		t.Fatal(err)
	}
	return chain.RecoveryKeys{Key: [32]byte(r.RecoveryKey()), Sealing: [chain.KnockKeySize]byte(r.SealingKey())}
}

// load makes the machine of the own chain; the newest record of a key counts.
func (h *human) load(t testing.TB) *group.Machine {
	t.Helper()
	m, err := group.LoadPerson(h.Self, func(k group.Kind, each func(group.Record) error) error {
		var list []group.Record
		for _, r := range h.records {
			if r.Kind != k {
				continue
			}
			list = slices.DeleteFunc(list, func(o group.Record) bool { return string(o.Key) == string(r.Key) })
			if r.Value != nil {
				list = append(list, r)
			}
		}
		slices.SortFunc(list, func(a, b group.Record) int { return slices.Compare(a.Key, b.Key) })
		for _, r := range list {
			if err := each(r); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// publish makes a block that names packages.
func (h *human) publish(t testing.TB, now uint64, packages ...group.Package) *group.Machine {
	t.Helper()
	m := h.load(t)
	eff, err := m.Step(group.Input{Now: now, Cause: group.Publish{Packages: packages}})
	if err != nil {
		t.Fatal(err)
	}
	h.records = append(h.records, eff.Write...)
	h.Headers = m.Headers()
	return m
}

func (h *human) offer(t testing.TB, suite mls.Suite, lastResort bool) group.Package {
	t.Helper()
	makes := h.NewPackage
	if lastResort {
		makes = h.NewLastResort
	}
	p, err := makes(suite, start)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (h *human) newcomer(p group.Package) group.Newcomer {
	return group.Newcomer{Person: h.Person, Headers: h.Headers, Info: h.Info, KnockKey: h.Device.KnockKey(), KeyPackage: p.Public}
}

// TestPublish: a block of the own chain names packages of both suites, and the
// next ones others.
func TestPublish(t *testing.T) {
	ann := newHuman(t, "Ann", newRecovery(t))
	for i := range uint64(3) {
		var list []group.Package
		for _, suite := range group.Suites() {
			list = append(list, ann.offer(t, suite, true))
		}
		m := ann.publish(t, start+i, list...)
		for _, m := range []*group.Machine{m, ann.load(t)} {
			for _, p := range list {
				if ref, at, ok := m.Published(p.Suite); !ok || ref != p.Ref || at != start+i {
					t.Errorf("block %d: the chain names %x since %d, %v", i+1, ref, at, ok)
				}
			}
		}
		state, id, err := group.PersonState(ann.Headers)
		if err != nil || id != ann.Person || len(ann.Headers) != int(i)+2 {
			t.Fatalf("the headers of %d blocks: %v", len(ann.Headers), err)
		}
		if ref, _, ok := state.LastResort(ann.Device.ID(), uint16(group.NewSuite)); !ok || ref != wire.Digest(list[0].Ref) {
			t.Errorf("others read %x in the chain", ref)
		}
	}
	if _, _, ok := ann.load(t).Published(mls.SuiteX25519ChaChaSHA256Ed25519); ok {
		t.Error("a package of a suite that was never named is there")
	}
	// A group is no person, and a group names no packages.
	m, _, err := group.Create(ann.Self, group.CreateParams{Title: "Trip"}, start)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Step(group.Input{Now: start, Cause: group.Publish{Packages: []group.Package{ann.offer(t, group.NewSuite, true)}}}); err == nil {
		t.Error("a group names a key package")
	}
}

// TestFalsePackage: another device of the person refuses a block that names what
// is no last-resort package of its author.
func TestFalsePackage(t *testing.T) {
	ann, ben := newHuman(t, "Ann", newRecovery(t)), newHuman(t, "Ben", newRecovery(t))
	good := ann.offer(t, group.NewSuite, true)
	other := good
	other.Ref[0]++
	suite := good
	suite.Suite = group.Suites()[1]
	for what, p := range map[string]group.Package{
		"": good, "another ref": other, "another suite": suite,
		"one for one group": ann.offer(t, group.NewSuite, false), "of somebody else": ben.offer(t, group.NewSuite, true),
		"no package": {Suite: group.NewSuite, Ref: good.Ref, Public: []byte{1}},
	} {
		copied := *ann
		made := copied.publish(t, start, p)
		blocks := made.Blocks()
		err := ann.load(t).Take(blocks.Header(blocks.Head()).Bytes(), blocks.Body(blocks.Head()).Bytes())
		if (err == nil) != (what == "") {
			t.Errorf("%q: %v", what, err)
		}
	}
}

// TestProofForOlderSuite: in a group of the suite before, whose members may be
// programs that know no Package blocks, a proof ends before them.
func TestProofForOlderSuite(t *testing.T) {
	ann, ben := newHuman(t, "Ann", newRecovery(t)), newHuman(t, "Ben", newRecovery(t))
	for range 2 {
		ben.publish(t, start, ben.offer(t, group.NewSuite, true))
	}
	for i, want := range []int{3, 1} {
		suite := group.Suites()[i]
		m, _, err := group.Create(ann.Self, group.CreateParams{
			Title: "Trip", Suite: suite, Newcomers: []group.Newcomer{ben.newcomer(ben.offer(t, suite, false))},
		}, start)
		if err != nil {
			t.Fatal(err)
		}
		blocks := m.Blocks()
		headers, err := chain.ParseProof(blocks.Body(blocks.Head()).Attachments[2]) // after those of genesis
		if err != nil || len(headers) != want {
			t.Errorf("suite %#x: the proof has %d headers, want %d: %v", suite, len(headers), want, err)
		}
	}
}

// TestFullGenesis: a group of 256 with post-quantum keys is made in one block; its
// header, body, welcome and invitation stay within their bounds, and somebody
// joins by it.
func TestFullGenesis(t *testing.T) {
	recovery := newRecovery(t)
	ann := newHuman(t, "Ann", recovery)
	var list []group.Newcomer
	var last *human
	var used group.Package
	for i := range chain.MaxOps - 1 {
		last = newHuman(t, fmt.Sprint("Member ", i), recovery)
		used = last.offer(t, group.NewSuite, false)
		list = append(list, last.newcomer(used))
	}
	m, _, err := group.Create(ann.Self, group.CreateParams{Title: "Trip", Newcomers: list}, start)
	if err != nil {
		t.Fatal(err)
	}
	eff, err := m.Step(group.Input{Now: start, Cause: group.PeerUp{Peer: last.Member()}})
	if err != nil || len(eff.Send) == 0 || !group.IsInvitation(eff.Send[0].Payload) {
		t.Fatalf("no invitation: %v", err)
	}
	blocks := m.Blocks()
	t.Logf("header %d bytes, body %d, invitation %d", len(blocks.Header(blocks.Head()).Bytes()), len(blocks.Body(blocks.Head()).Bytes()), len(eff.Send[0].Payload))
	if size := len(eff.Send[0].Payload); size > 16<<20 {
		t.Errorf("the invitation has %d bytes", size)
	}
	joined, eff, err := group.Join(last.Self, eff.Send[0].Payload, ann.Member(), func(u group.Use) ([]byte, bool) { return used.Secrets, u.Ref == used.Ref }, start)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(joined.View().Members); n != chain.MaxOps || len(eff.Used) != 1 {
		t.Errorf("%d members, %d packages used", n, len(eff.Used))
	}
}

// TestDeviceLeavesPerson: in a person's chain a Leave takes out the one device that
// asked for it, and no other.
func TestDeviceLeavesPerson(t *testing.T) {
	ann := newHuman(t, "Ann", newRecovery(t))
	m := ann.load(t)
	phone := group.Self{Device: identity.NewDevice()} // the person field is zero here
	p, err := phone.NewPackage(group.NewSuite, start)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Step(group.Input{Now: start, Cause: group.AddDevice{KnockKey: phone.Device.KnockKey(), KeyPackage: p.Public}}); err != nil {
		t.Fatal(err)
	}
	id := phone.Device.ID()
	asked := chain.SignLeave(phone.Device.Sign, m.Group(), phone.Member(), wire.Instance{}, wire.PersonID{}).Marshal()
	op := &chain.Leave{Cuts: []chain.Cut{{Device: id, Seq: 1}}, Cites: []wire.Digest{chain.Cite(asked)}}
	if err := m.Commit(start, op, asked); err != nil {
		t.Fatal(err)
	}
	if s, _, err := group.PersonState(m.Headers()); err != nil || s.Active(id) || !s.Active(ann.Device.ID()) {
		t.Errorf("the phone is active: %v, the device that stays: %v, %v", s.Active(id), s.Active(ann.Device.ID()), err)
	}
	if err := m.CheckInvariants(); err != nil {
		t.Error(err)
	}
}
