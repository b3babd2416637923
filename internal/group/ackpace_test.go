package group_test

import (
	"testing"

	"kith/internal/dag"
	"kith/internal/group"
)

// ackSizes are the bytes of an Ack that lists so many devices, and of one that names a head.
func ackSizes(devices int) (lists, names int) {
	list := dag.Ack{Version: dag.Version, Delivered: make([]dag.Delivered, devices)}
	heads := dag.Ack{Version: dag.AckByHeads, Heads: make([]dag.Ref, 1)}
	return len(list.Marshal()), len(heads.Marshal())
}

// TestPaceOfAcks plays the rule by which Acks follow each other, and prints what a member
// gets of them for each byte of an entry.
func TestPaceOfAcks(t *testing.T) {
	const entry = 1000 // bytes: a short text
	for _, n := range []int{10, 32, 100, 1000} {
		lists, names := ackSizes(n)
		for _, c := range []struct {
			what    string
			every   uint64 // ms
			entries int
		}{{"one a second", 1000, 6_000}, {"one each ten minutes", 600_000, 2_000}, {"one alone", 1, 1}} {
			before := group.PlayAcks(n, n, c.every, entry, c.entries) // all as in a small group
			after := group.PlayAcks(n, group.FewAckers, c.every, entry, c.entries)
			size := names
			if n > group.FewAckers {
				size = group.AckTravels
			}
			share := func(p group.PlayedAcks, size int) float64 {
				return float64(p.Acks*size) / float64(c.entries*entry)
			}
			t.Logf("%4d devices, messages %-20s before %9.2f bytes of Acks per byte, after %7.3f; all said after %3d min, at most %d in a second",
				n, c.what+":", share(before, lists), share(after, size), after.Late/60_000, after.MostInSecond)
			if n <= group.FewAckers {
				if after.Late > 2000 {
					t.Errorf("%d devices: the last comes after %d ms", n, after.Late)
				}
				continue
			}
			if c.every == 1000 && share(after, size) > 0.1 {
				t.Errorf("%d devices: Acks are %.3f of the entries", n, share(after, size))
			}
			if hourly := float64(after.Acks*size) / (float64(after.Length) / 3_600_000); c.every > 1000 && hourly > 400_000 {
				t.Errorf("%d devices: %.0f bytes an hour", n, hourly)
			}
			if after.MostInSecond > 1+n/10 || after.Least < 60_000 {
				t.Errorf("%d devices: %d Acks in one second, %d ms between two of one device", n, after.MostInSecond, after.Least)
			}
		}
	}
}

// TestPaceForOlderNewcomer: in a large group what heads said is not said again by all at
// once when somebody comes who reads lists alone.
func TestPaceForOlderNewcomer(t *testing.T) {
	w, g, ann, ben, _ := three(t)
	do(t, w, ann, g, says(t, "before Eve"))
	w.Run(5000)
	for _, n := range w.Nodes {
		machineOf(n, g).SetFewAckers(2)
	}
	eve := w.Add("Eve")
	eve.Self.Omits = group.FeatureAckHeads
	do(t, w, ann, g, group.Invite{Newcomers: []group.Newcomer{eve.Newcomer()}})
	w.Run(20_000)
	if a := ackOf(t, ben, ben, g); a.Version != dag.AckByHeads {
		t.Error("Ben signs at once")
	}
	w.Run(60_000)
	if a := ackOf(t, ben, ben, g); a.Version != dag.Version {
		t.Errorf("a minute later Ben's is of version %d", a.Version)
	}
}

// TestPaceOverRestarts: in a large group who is never there for as long as an Ack waits signs
// one all the same.
func TestPaceOverRestarts(t *testing.T) {
	w, g, ann, ben, _ := three(t)
	large := func() {
		for _, n := range w.Nodes {
			machineOf(n, g).SetFewAckers(1)
		}
	}
	w.Run(2 * minutes)
	large()
	do(t, w, ann, g, says(t, "hello"))
	for on := 0; ; on++ {
		w.Run(20_000)
		if covers := machineOf(ben, g).AckedUpTo(ben.Self.Device.ID(), ann.Self.Device.ID()); covers == 1 {
			if on == 0 {
				t.Error("Ben signs at once")
			}
			break
		}
		if on == 10 {
			t.Fatal("Ben was there ten times for 20 s, and has signed no Ack")
		}
		ben.Stop()
		w.Run(20_000)
		ben.Start()
		large()
	}
}
