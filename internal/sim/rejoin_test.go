package sim_test

import (
	"bytes"
	"maps"
	"slices"
	"testing"

	"kith/internal/group"
	"kith/internal/sim"
	"kith/internal/wire"
)

// What happens to devices without keys, and to several devices of one person.

// machine returns n's machine of g.
func machine(n *sim.Node, g wire.GroupID) *group.Machine { return n.Groups[g].Machine }

// count returns how many events of a kind n saw.
func count[E group.Event](n *sim.Node, g wire.GroupID) (c int) {
	for _, e := range n.Groups[g].Events {
		if _, ok := e.(E); ok {
			c++
		}
	}
	return c
}

// TestParkedComesBack: Ben's device is set aside while it is off. It keeps what it
// had, is a member all the while, and comes back by itself.
func TestParkedComesBack(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	must(t, ann.Say(g, "one"))
	w.Run(5000)
	ben.Stop()
	must(t, ann.Do(g, group.Park{Device: ben.Self.Device.ID()}))
	must(t, cleo.Say(g, "too early")) // may be written before Cleo knows
	w.Run(5000)
	must(t, cleo.Say(g, "two"))
	w.Run(5000)
	if v := machine(ann, g).View(); len(v.Members) != 3 {
		t.Errorf("with Ben parked the group has %d members", len(v.Members))
	}
	ben.Start()
	w.Run(1000)
	if v := machine(ben, g).View(); v.Status != group.StatusActive || !v.NoKeys || !v.Parked {
		t.Errorf("Ben, who knows that he is parked: %+v", v)
	}
	w.Run(20_000)
	if v := machine(ben, g).View(); v.Status != group.StatusActive || v.NoKeys || v.Parked {
		t.Errorf("Ben, who had time to come back: %+v", v)
	}
	must(t, ben.Say(g, "three"))
	w.Run(1000)
	must(t, ann.Say(g, "four"))
	w.Run(5000)
	sees(t, g, []string{"one", "too early", "two", "three", "four"}, nodes...)
	for _, n := range nodes {
		if got := count[group.Rejoined](n, g); got != 1 {
			t.Errorf("%s is told %d times that Ben came back", n.Name, got)
		}
	}
}

// TestLostKeysComeBack: Ben's device lost its keys while it has a leaf.
func TestLostKeysComeBack(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	must(t, ann.Say(g, "one"))
	w.Run(5000)
	ben.Lose(g)
	if err := ben.Say(g, "mute"); err == nil {
		t.Error("Ben writes without keys")
	}
	must(t, cleo.Say(g, "two"))
	w.Run(20_000)
	must(t, ben.Say(g, "three"))
	w.Run(5000)
	sees(t, g, []string{"one", "two", "three"}, ann, cleo, ben) // who is handed what was said without keys
	if leaves := len(machine(ben, g).View().Members); leaves != 3 {
		t.Errorf("%d members", leaves)
	}
	if count[group.Replaced](ben, g)+count[group.Misbehaved](ben, g)+count[group.CannotFollow](ann, g) > 0 {
		t.Error("somebody is accused")
	}
}

// TestManyComeBack: three lost their keys at once, and come back one after the
// other.
func TestManyComeBack(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo", "Dan")
	ann := nodes[0]
	for _, n := range nodes[1:] {
		n.Lose(g)
	}
	w.Run(60_000)
	for _, n := range nodes {
		if machine(n, g).View().NoKeys {
			t.Errorf("%s has no keys", n.Name)
		}
		must(t, n.Say(g, n.Name))
		w.Run(5000)
	}
	alike(t, g, nodes...)
	if got := machine(ann, g).Blocks().Len(); got < 4 || got > 8 {
		t.Errorf("three came back with %d blocks", got)
	}
}

// TestNobodyHasKeys: whom nobody can help asks everybody once; then one of them
// starts the keys anew, and after that all are silent.
func TestNobodyHasKeys(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	for _, n := range nodes {
		n.Stop()
	}
	for _, n := range nodes {
		n.Lose(g)
	}
	w.Run(300_000)
	goesOn(t, w, g, nodes...)
	w.Run(3 * 3_600_000) // until all know of all that they have it: Ack digests go ever more rarely
	sent := 0
	for _, n := range nodes {
		sent += len(n.Sent)
	}
	w.Run(3_600_000)
	for _, n := range nodes {
		sent -= len(n.Sent)
	}
	if sent != 0 {
		t.Errorf("%d frames in an hour", -sent)
	}
}

// TestTooManyUnparks: rule V7 lets a person come back four times that nobody called
// for; then it waits for another's block, and goes on after that.
func TestTooManyUnparks(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben")
	ann, ben := nodes[0], nodes[1]
	w.Run(10 * minute) // both vote, and Ann has nothing more to sign
	for i := range 5 {
		if machine(ben, g).View().NoKeys {
			t.Fatalf("Ben has not come back the %d. time", i)
		}
		ben.Lose(g)
		w.Run(30_000)
	}
	ben.Lose(g)
	w.Run(30_000)
	if !machine(ben, g).View().NoKeys {
		t.Fatal("Ben came back a sixth time")
	}
	must(t, ann.Do(g, group.SetTitle{Title: "another"}))
	w.Run(30_000)
	must(t, ben.Say(g, "back"))
	w.Run(5000)
	sees(t, g, []string{"back"}, ann, ben)
}

// TestParkedAgainAndAgain: Ben, a junior admin, parks Ann as often as he can. She
// comes back each time, and removes him.
func TestParkedAgainAndAgain(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	promote(t, w, g, ann, ben)
	for range 12 {
		must(t, ben.Do(g, group.Park{Device: ann.Self.Device.ID()}))
		w.Run(20_000)
	}
	must(t, ann.Do(g, group.Remove{Person: ben.Self.Person}))
	w.Run(5000)
	goesOn(t, w, g, ann, cleo)
}

// alone cuts everybody but one from n.
func alone(w *sim.World, n *sim.Node, with ...*sim.Node) {
	for _, o := range w.Nodes {
		if o != n && !slices.Contains(with, o) {
			w.Cut(n, o)
		}
	}
}

// A told is a GroupInfo taken apart (RFC 9420 section 12.4.3).
type told struct {
	version, suite, epochLow, epochHigh uint64
	group, tree, transcript, extensions []byte
	more, tag                           []byte
	signer                              uint64
}

// TestScenario33ForgedGroupInfo: what a member says that is not what the block
// says is refused, and another member is asked.
func TestScenario33ForgedGroupInfo(t *testing.T) {
	flip := func(b []byte) { b[len(b)/2] ^= 1 }
	for what, lie := range map[string]func(*told){
		"another tree":         func(i *told) { flip(i.tree) },
		"another transcript":   func(i *told) { flip(i.transcript) },
		"another tag":          func(i *told) { flip(i.tag) },
		"another external_pub": func(i *told) { i.more = otherKey(i.more) },
		"another epoch":        func(i *told) { i.epochLow++ },
		"another group":        func(i *told) { flip(i.group) },
		"no external_pub":      func(i *told) { i.more = nil },
		"group extensions":     func(i *told) { i.extensions = []byte{0xf0, 0x77, 0} },
		"another signer":       func(i *told) { i.signer = 0 },
	} {
		t.Run(what, func(t *testing.T) {
			w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
			ann, ben, cleo := nodes[0], nodes[1], nodes[2]
			alone(w, ben, cleo)
			ben.Lose(g)
			w.Delay = func() uint64 { return 1000 } // so that the lie is first
			lied := false
			w.After = func(n *sim.Node, _ wire.GroupID, eff group.Effects) {
				for _, f := range eff.Send {
					if f.Payload[0] == kindKeys && n == cleo && f.To == ben.Self.Device.ID() && !lied {
						lied = true
						w.Deliver(cleo, ben, g, forged(t, f.Payload, cleo, lie))
					}
				}
			}
			for i := 0; i < 200 && !lied; i++ {
				w.Run(100)
			}
			if rules := accusations(ben, g); !lied || !slices.Equal(rules, []string{"group-info"}) {
				t.Fatalf("told %v, Ben accuses of %q", lied, rules)
			}
			w.Cut(ben, cleo) // before the true one comes
			w.After = nil
			w.Run(20_000)
			if !machine(ben, g).View().NoKeys {
				t.Fatal("Ben came back by a lie")
			}
			w.Heal(ann, ben)
			w.Run(20_000)
			must(t, ben.Say(g, "back"))
			w.HealAll()
			w.Run(5000)
			sees(t, g, []string{"back"}, ann, ben, cleo)
		})
	}
}

// otherKey returns the extensions with another external_pub.
func otherKey(extensions []byte) []byte {
	var w wire.Writer
	for r := wire.NewReader(extensions); r.Len() > 0; {
		kind, data := r.U16(), bytes.Clone(r.Vec(1<<16))
		if kind == 4 { // external_pub: V key
			data[len(data)/2] ^= 1
		}
		w.U16(kind)
		w.Vec(data)
	}
	return w.Bytes()
}

// forged takes the GroupInfo of a payload apart, lets lie change it, and signs it
// again with from's key.
func forged(t *testing.T, payload []byte, from *sim.Node, lie func(*told)) []byte {
	t.Helper()
	r := wire.NewReader(payload)
	r.U8()
	var block wire.BlockHash
	r.Fixed(block[:])
	info := wire.NewReader(r.Vec(1 << 20))
	must(t, r.Done())
	i := told{version: uint64(info.U16()), suite: uint64(info.U16())}
	i.group = bytes.Clone(info.Vec(64))
	i.epochHigh, i.epochLow = uint64(info.U32()), uint64(info.U32())
	i.tree, i.transcript, i.extensions = bytes.Clone(info.Vec(64)), bytes.Clone(info.Vec(64)), bytes.Clone(info.Vec(1<<10))
	i.more, i.tag = bytes.Clone(info.Vec(1<<16)), bytes.Clone(info.Vec(64))
	i.signer = uint64(info.U32())
	info.Vec(64)
	must(t, info.Done())
	lie(&i)
	var w wire.Writer
	w.U16(uint16(i.version))
	w.U16(uint16(i.suite))
	w.Vec(i.group)
	w.U32(uint32(i.epochHigh))
	w.U32(uint32(i.epochLow))
	w.Vec(i.tree)
	w.Vec(i.transcript)
	w.Vec(i.extensions)
	w.Vec(i.more)
	w.Vec(i.tag)
	w.U32(uint32(i.signer))
	var label wire.Writer
	label.Vec([]byte("MLS 1.0 GroupInfoTBS"))
	label.Vec(w.Bytes())
	w.Vec(from.Self.Device.SignRaw(label.Bytes()))
	var out wire.Writer
	out.U8(kindKeys)
	out.Raw(block[:])
	out.Vec(w.Bytes())
	return out.Bytes()
}

// TestReplaced: Ben's home is put back to what it was before he came back. It is
// told that its key was used elsewhere, writes nothing, and does nothing by itself
// until its person says so.
func TestReplaced(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben := nodes[0], nodes[1]
	backup := make(map[group.Kind]map[string][]byte)
	for kind, table := range ben.Groups[g].Records {
		backup[kind] = maps.Clone(table)
	}
	ben.Lose(g)
	w.Run(20_000)
	must(t, ann.Say(g, "one"))
	w.Run(5000)
	if count[group.Replaced](ben, g) > 0 {
		t.Error("Ben takes himself for another")
	}
	ben.Stop()
	ben.Groups[g].Records = backup
	ben.Start()
	w.Run(60_000)
	if got := count[group.Replaced](ben, g); got != 1 {
		t.Errorf("Ben is told %d times", got)
	}
	ben.Stop()
	ben.Start()
	w.Run(60_000)
	if v := machine(ben, g).View(); !v.NoKeys || !v.Replaced {
		t.Errorf("Ben, whose place a copy took: %+v", v)
	}
	if err := ben.Say(g, "mute"); reason(err) != group.ReasonReplaced {
		t.Errorf("Ben writes with keys that are not there: %v", err)
	}
	must(t, ben.Do(g, group.Rejoin{}))
	w.Run(5000)
	if v := machine(ben, g).View(); v.NoKeys || v.Replaced {
		t.Errorf("Ben, who wants to go on here: %+v", v)
	}
	must(t, ben.Say(g, "two"))
	w.Run(5000)
	sees(t, g, []string{"one", "two"}, ann, nodes[2])
}

// TestCameBackBefore: Ben, who once came back, is removed and deletes the group.
// When he is added again, the blocks that he signed before are no copy's.
func TestCameBackBefore(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben := nodes[0], nodes[1]
	ben.Lose(g)
	w.Run(20_000)
	must(t, ann.Do(g, group.Remove{Person: ben.Self.Person}))
	w.Run(5000)
	delete(ben.Groups, g)
	must(t, ann.Do(g, group.Invite{Newcomers: []group.Newcomer{ben.Newcomer()}}))
	w.Run(5000)
	must(t, ben.Do(g, group.Accept{}))
	if v := machine(ben, g).View(); count[group.Replaced](ben, g) > 0 || v.Replaced || v.NoKeys {
		t.Errorf("Ben takes himself for another: %+v", v)
	}
	ben.Lose(g)
	w.Run(20_000)
	must(t, ben.Say(g, "back"))
}

// TestAddedAfterReplaced: what a copy did in an earlier membership is over with it.
func TestAddedAfterReplaced(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben := nodes[0], nodes[1]
	backup := make(map[group.Kind]map[string][]byte)
	for kind, table := range ben.Groups[g].Records {
		backup[kind] = maps.Clone(table)
	}
	ben.Lose(g)
	w.Run(20_000)
	ben.Stop()
	ben.Groups[g].Records = backup
	ben.Start()
	w.Run(10_000)
	if v := machine(ben, g).View(); !v.Replaced {
		t.Fatalf("Ben, whose place a copy took: %+v", v)
	}
	must(t, ann.Do(g, group.Remove{Person: ben.Self.Person}))
	w.Run(5000)
	must(t, ann.Do(g, group.Invite{Newcomers: []group.Newcomer{ben.Newcomer()}}))
	w.Run(5000)
	must(t, ben.Do(g, group.Accept{}))
	if v := machine(ben, g).View(); v.Replaced || v.NoKeys {
		t.Errorf("Ben, who was added again: %+v", v)
	}
}

// TestKeysAreGivenAgain: who asks anew for the keys of a head gets them, as the answer may have come to a
// session that is over; but not without end.
func TestKeysAreGivenAgain(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben")
	ann, ben := nodes[0], nodes[1]
	ben.Lose(g)
	ask := wire.Writer{}
	head := machine(ann, g).Head()
	ask.U8(9) // ask keys, docs/spec/sync.md
	ask.Raw(head[:])
	given := 0
	for range 10 {
		eff, err := machine(ann, g).Step(group.Input{Now: w.Now, Cause: group.Received{From: ben.Self.Member(), Payload: ask.Bytes()}})
		must(t, err)
		for _, f := range eff.Send {
			if f.Payload[0] == kindKeys {
				given++
			}
		}
	}
	if given < 2 || given == 10 {
		t.Errorf("Ben asks ten times, and is given keys %d times", given)
	}
}
