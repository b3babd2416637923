package sim_test

import (
	"encoding/binary"
	"slices"
	"testing"

	"kith/internal/chain"
	"kith/internal/group"
	"kith/internal/sim"
	"kith/internal/wire"
)

// parks counts the devices that were parked on the head's chain, and in how many
// blocks.
func parks(n *sim.Node, g wire.GroupID) (ops, blocks int) {
	m := machine(n, g)
	for _, hash := range m.Chain() {
		before := ops
		for _, op := range m.Blocks().Header(hash).Ops {
			if op.Kind() == chain.KindPark {
				ops++
			}
		}
		if ops > before {
			blocks++
		}
	}
	return ops, blocks
}

// daily lets people write, a day apart.
func daily(t *testing.T, w *sim.World, g wire.GroupID, days int, nodes ...*sim.Node) {
	t.Helper()
	for i := range days {
		must(t, nodes[i%len(nodes)].Say(g, "another day"))
		w.Run(day)
	}
}

// TestSilentIsParked: Dan and Eve are off for 100 days, in which the others write.
// One block of one admin parks both. They come back by themselves.
func TestSilentIsParked(t *testing.T) {
	w, nodes, g := voting(t, "Ann", "Ben", "Cleo", "Dan", "Eve")
	ann, ben, cleo, dan, eve := nodes[0], nodes[1], nodes[2], nodes[3], nodes[4]
	promote(t, w, g, ann, ben)
	w.Run(minute)
	dan.Stop()
	eve.Stop()
	daily(t, w, g, 85, ann, ben, cleo)
	for _, n := range []*sim.Node{ann, ben} { // it is not forgotten in a restart
		n.Stop()
		n.Start()
	}
	if ops, _ := parks(ann, g); ops != 0 {
		t.Fatalf("%d devices are parked after 85 days", ops)
	}
	daily(t, w, g, 9, ann, ben, cleo)
	if ops, blocks := parks(cleo, g); ops != 2 || blocks != 1 {
		t.Fatalf("after 94 days %d devices are parked in %d blocks", ops, blocks)
	}
	if m := machine(cleo, g); len(m.View().Members) != 5 {
		t.Errorf("the group has %d members", len(m.View().Members))
	}
	must(t, cleo.Say(g, "while you were away"))
	w.Run(day)
	dan.Start()
	eve.Start()
	w.Run(5 * minute)
	must(t, dan.Say(g, "I am back"))
	must(t, eve.Say(g, "I too"))
	w.Run(5 * minute)
	for _, n := range nodes {
		if v := machine(n, g).View(); v.NoKeys || v.Parked {
			t.Errorf("%s: %+v", n.Name, v)
		}
	}
	settlesAll(t, g, 100, nodes...)
	sees(t, g, ann.Texts(g), nodes...)
	if texts := dan.Texts(g); !slices.Contains(texts, "while you were away") {
		t.Errorf("Dan was not given what was written: %q", texts)
	}
	if ops, _ := parks(ann, g); ops != 2 {
		t.Errorf("later %d devices are parked", ops)
	}
}

// TestAckIsHeard: who reads and never writes is not parked, nor who is there and is
// told nothing new.
func TestAckIsHeard(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo", "Dan")
	ann, ben, cleo, dan := nodes[0], nodes[1], nodes[2], nodes[3]
	alone(w, dan, cleo) // what is heard of Dan comes through Cleo, who never writes
	daily(t, w, g, 120, ann, ben)
	if ops, _ := parks(ann, g); ops != 0 {
		t.Errorf("%d devices are parked", ops)
	}
	if v := machine(dan, g).View(); v.Parked || v.NoKeys {
		t.Errorf("Dan: %+v", v)
	}
}

// TestQuietParksNobody: where nobody says anything, nobody is silent.
func TestQuietParksNobody(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	nodes[2].Stop()
	must(t, nodes[0].Say(g, "until next year"))
	w.Run(400 * day)
	if ops, _ := parks(nodes[0], g); ops != 0 {
		t.Errorf("%d devices are parked", ops)
	}
}

// TestAloneParksNobody: Ann writes for half a year where there is no network; she
// heard nobody, so nobody was silent.
func TestAloneParksNobody(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann := nodes[0]
	alone(w, ann)
	daily(t, w, g, 180, ann)
	if ops, _ := parks(ann, g); ops != 0 {
		t.Errorf("%d devices are parked", ops)
	}
	w.HealAll()
	w.Run(10 * minute)
	if ops, _ := parks(ann, g); ops != 0 {
		t.Errorf("healed, %d devices are parked", ops)
	}
	alike(t, g, nodes...)
}

// TestJumpingClockParksNobody: Ann's clock jumps ahead by ten years while others
// are off, and back. She replaces no voter for it, either.
func TestJumpingClockParksNobody(t *testing.T) {
	w, nodes, g := voting(t, "Ann", "Ben", "Cleo", "Dan")
	ann, ben, cleo, dan := nodes[0], nodes[1], nodes[2], nodes[3]
	dan.Stop()
	daily(t, w, g, 3, ben, ann)
	cleo.Stop()
	must(t, ben.Say(g, "Cleo has yet to hear that"))
	w.Run(minute)
	for range 3 {
		ann.Clock += int64(3650 * day)
		must(t, ben.Say(g, "what time is it"))
		w.Run(20 * minute)
		ann.Clock -= int64(3650 * day)
		must(t, ben.Say(g, "and now"))
		w.Run(20 * minute)
	}
	if ops, _ := parks(ann, g); ops != 0 {
		t.Errorf("%d devices are parked", ops)
	}
	if f := final(ann, g); len(f.Voters) != 4 {
		t.Errorf("%d voters", len(f.Voters))
	}
}

// TestInviteeIsParked: who was invited and did not answer for months is set aside;
// when he accepts he comes in nevertheless.
func TestInviteeIsParked(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben")
	ann, ben := nodes[0], nodes[1]
	cleo := w.Add("Cleo")
	cleo.Stop()
	must(t, ann.Do(g, group.Invite{Newcomers: []group.Newcomer{cleo.Newcomer()}}))
	daily(t, w, g, 100, ann, ben)
	if ops, _ := parks(ann, g); ops != 1 {
		t.Fatalf("%d devices are parked", ops)
	}
	cleo.Start()
	w.Run(minute)
	must(t, cleo.Do(g, group.Accept{}))
	w.Run(minute)
	must(t, cleo.Say(g, "here I am"))
	w.Run(minute)
	if v := machine(cleo, g).View(); v.NoKeys || v.Parked {
		t.Errorf("Cleo: %+v", v)
	}
	w.Run(10 * minute)
	settlesAll(t, g, 100, ann, ben, cleo)
}

// TestMemberParksNobody: where no admin is there nobody is parked, and an admin who was
// away herself counts from where she left off.
func TestMemberParksNobody(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo", "Dan")
	ann, ben, cleo, dan := nodes[0], nodes[1], nodes[2], nodes[3]
	ann.Stop() // the only admin
	dan.Stop()
	daily(t, w, g, 120, ben, cleo)
	if ops, _ := parks(ben, g); ops != 0 {
		t.Errorf("who is no admin parks %d devices", ops)
	}
	ann.Start()
	w.Run(30 * minute)
	if ops, _ := parks(ben, g); ops != 0 { // Ann has not counted yet
		t.Errorf("%d devices are parked at once", ops)
	}
}

// TestSilenceOfBefore: a home of the version before says by the clock since when a
// voter owes a word. It counts from now on.
func TestSilenceOfBefore(t *testing.T) {
	w, nodes, g := voting(t, "Ann", "Ben", "Cleo", "Dan")
	left, dan := nodes[:3], nodes[3]
	dan.Stop()
	for _, n := range left {
		n.Stop()
		id := dan.Self.Device.ID()
		n.Groups[g].Records[group.KindSilence] = map[string][]byte{
			string(id[:]): binary.BigEndian.AppendUint64(nil, w.Now-29*day),
		}
		delete(n.Groups[g].Records, group.KindCompany)
	}
	for _, n := range left {
		n.Start()
	}
	daily(t, w, g, 20, left...)
	if f := final(left[0], g); len(f.Voters) != 4 {
		t.Errorf("after 20 days there are %d voters", len(f.Voters))
	}
	daily(t, w, g, 15, left...)
	if f := final(left[0], g); len(f.Voters) != 3 {
		t.Errorf("after 35 days there are %d voters", len(f.Voters))
	}
}
