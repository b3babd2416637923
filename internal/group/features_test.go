package group_test

import (
	"slices"
	"testing"

	"kith/internal/chain"
	"kith/internal/group"
	"kith/internal/sim"
)

// TestAsksWhoReads: a device that lost its keys asks nobody by a frame that the
// other's program may take for misbehaviour.
func TestAsksWhoReads(t *testing.T) {
	w := sim.New(1)
	ann, ben, cleo := w.Add("Ann"), w.Add("Ben"), w.Add("Cleo")
	g := ann.Create(group.CreateParams{Title: "Trip", Newcomers: []group.Newcomer{ben.Newcomer(), cleo.Newcomer()}})
	w.Run(1000)
	for _, n := range []*sim.Node{ben, cleo} {
		if err := n.Do(g, group.Accept{}); err != nil {
			t.Fatal(err)
		}
	}
	w.Run(1000)
	ben.Lose(g)
	m := ben.Groups[g].Machine
	m.Mute()
	w.Run(40_000) // until the voters change, and with them the head, where it would hear again
	for _, n := range []*sim.Node{ann, ben, cleo} {
		for _, p := range n.Sent {
			if kind := p.Bytes[0]; kind >= 9 && kind <= 11 { // the others were asked of nobody who cannot read them
				t.Errorf("%s sends a frame of kind %d", n.Name, p.Bytes[0])
			}
		}
	}
	m.Unmute()
	if err := ben.Do(g, group.Rejoin{}); err != nil {
		t.Fatal(err)
	}
	w.Run(10_000)
	if m.View().NoKeys {
		t.Error("Ben does not come back, though everybody reads his question")
	}
}

// What a device announces stands in its leaf: of who made the group, of who was
// added, and after a change of the head; of nobody else.
func TestFeaturesAnnounced(t *testing.T) {
	w := sim.New(1)
	ann, ben, cleo := w.Add("Ann"), w.Add("Ben"), w.Add("Cleo")
	g := ann.Create(group.CreateParams{Title: "Trip", Newcomers: []group.Newcomer{ben.Newcomer()}})
	w.Run(1000)
	m := ann.Groups[g].Machine
	check := func(n *sim.Node, want bool) {
		t.Helper()
		id := n.Self.Device.ID()
		if got := m.Reads(id, group.FeatureRepair); got != want {
			t.Errorf("%s announces the feature: %v, want %v", n.Name, got, want)
		}
		if m.Reads(id, group.FeatureSparing+1) {
			t.Errorf("%s announces a feature that does not exist", n.Name)
		}
	}
	check(ann, true)
	check(ben, true)
	check(cleo, false)
	if err := ann.Do(g, group.Invite{Newcomers: []group.Newcomer{cleo.Newcomer()}}); err != nil {
		t.Fatal(err)
	}
	check(cleo, true)
	if err := ann.Do(g, group.Remove{Person: ben.Self.Person}); err != nil {
		t.Fatal(err)
	}
	check(ben, false)
	check(ann, true)
}

// TestAnnouncesByItself: devices whose leaves were made by a program that announces
// nothing say by a Rekey each what they read now, once they meet somebody; from
// then on one that lost its keys comes back, in a direct chat too.
func TestAnnouncesByItself(t *testing.T) {
	for _, direct := range []bool{true, false} {
		w := sim.New(1)
		nodes := []*sim.Node{w.Add("Ann")}
		p := group.CreateParams{Direct: direct}
		for i := range 9 {
			n := w.Add(string(rune('B' + i)))
			nodes, p.Newcomers = append(nodes, n), append(p.Newcomers, n.OldNewcomer(group.NewSuite))
			if direct {
				break
			}
			p.Title = "Trip"
		}
		ann, ben := nodes[0], nodes[1]
		g := ann.Create(p)
		w.Run(1000)
		for _, n := range nodes[2:] {
			if err := n.Do(g, group.Accept{}); err != nil {
				t.Fatal(err)
			}
		}
		w.Run(1000)
		for _, n := range nodes {
			if n != ben {
				n.Stop()
			}
		}
		if err := ben.Do(g, group.Accept{}); err != nil {
			t.Fatal(err)
		}
		w.Run(120_000)
		m := ben.Groups[g].Machine
		if m.Reads(ben.Self.Device.ID(), group.FeatureRepair) {
			t.Error("Ben makes a block though nobody is there")
		}
		for _, n := range nodes {
			n.Start()
		}
		w.Run(120_000)
		for _, n := range nodes {
			if !m.Reads(n.Self.Device.ID(), group.FeatureRepair) {
				t.Errorf("direct %v: %s does not announce what it reads", direct, n.Name)
			}
		}
		if extra := m.Blocks().Len() - len(nodes); extra > 4 {
			t.Errorf("direct %v: %d blocks more than one for each of %d devices", direct, extra, len(nodes)-1)
		}
		ben.Lose(g)
		w.Run(20_000)
		if ben.Groups[g].Machine.View().NoKeys {
			t.Errorf("direct %v: Ben does not come back", direct)
		}
	}
}

// TestShutsNobodyOut: a device without keys does not come back by itself where a
// member's program would not follow, even by a question of its own; its person may
// have it do so.
func TestShutsNobodyOut(t *testing.T) {
	w := sim.New(1)
	ann, ben, cleo := w.Add("Ann"), w.Add("Ben"), w.Add("Cleo")
	g := ann.Create(group.CreateParams{Title: "Trip", Newcomers: []group.Newcomer{ben.Newcomer(), cleo.OldNewcomer(group.NewSuite)}})
	w.Run(1000)
	cleo.Stop() // or it would announce by itself
	if err := ben.Do(g, group.Accept{}); err != nil {
		t.Fatal(err)
	}
	w.Run(1000)
	ben.Lose(g)
	w.Run(60_000)
	m := ben.Groups[g].Machine
	v := m.View()
	if !v.NoKeys || v.Willing || len(v.Outdated) != 1 || v.Outdated[0] != cleo.Self.Person {
		t.Fatalf("no keys %v, willing %v, %d would be shut out", v.NoKeys, v.Willing, len(v.Outdated))
	}
	if err := ben.Do(g, group.Rejoin{}); err != nil {
		t.Fatal(err)
	}
	if !m.View().Willing {
		t.Error("the view does not say that the person has decided")
	}
	w.Run(10_000)
	if v := m.View(); v.NoKeys || v.Willing || len(v.Outdated) != 0 {
		t.Errorf("after the person's word: no keys %v, willing %v", v.NoKeys, v.Willing)
	}
}

// TestNewestFeature: by the newest feature the number of databases goes up; none is forgotten.
func TestNewestFeature(t *testing.T) {
	list := group.Features()
	if i := slices.Index(list, chain.FeatureNothing); i < 0 || slices.Max(slices.Delete(list, i, i+1)) != group.NewestFeature {
		t.Errorf("leaves announce %d, and %d is called the newest", group.Features(), group.NewestFeature)
	}
}
