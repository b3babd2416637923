package sim_test

import (
	"testing"

	"kith/internal/chain"
	"kith/internal/dag"
	"kith/internal/group"
	"kith/internal/sim"
	"kith/internal/wire"
)

const kindSettings = 39

// lifetimes compares how long messages last that nodes write, also after a start.
func lifetimes(t *testing.T, w *sim.World, g wire.GroupID, want uint32, nodes ...*sim.Node) {
	t.Helper()
	for _, n := range nodes {
		for range 2 {
			if got := n.Groups[g].Machine.View().Lifetime; got != want {
				t.Errorf("%s writes what lasts %d s, want %d", n.Name, got, want)
			}
			n.Stop()
			n.Start()
		}
	}
	w.Run(5000)
	for _, n := range nodes {
		if rules := accusations(n, g); len(rules) > 0 {
			t.Errorf("%s accuses of %q", n.Name, rules)
		}
	}
}

// TestNewcomerKnowsLifetime: whatever newcomers are given of the time before, they know how long
// messages last, also from a member who came in like them; and so does who was out while it was set.
func TestNewcomerKnowsLifetime(t *testing.T) {
	for _, h := range []group.SetHistory{{}, {History: chain.HistorySince, Days: 1}, {History: chain.HistoryAll}} {
		w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
		ann, ben, cleo := nodes[0], nodes[1], nodes[2]
		if h.History != chain.HistoryNone {
			gives(t, w, g, ann, h)
		}
		must(t, ann.Do(g, group.Remove{Person: cleo.Self.Person}))
		w.Run(5000)
		must(t, ann.SayBody(g, group.Expiry{Seconds: 3600}))
		w.Run(5000)
		must(t, ann.SayBody(g, group.Expiry{Seconds: 60}))
		for range 3 { // days, for all who count them
			w.Run(24 * 3_600_000)
		}
		dan, eve := w.Add("Dan"), w.Add("Eve")
		enter(t, w, g, ann, dan)
		w.Run(5000)
		lifetimes(t, w, g, 60, dan)
		must(t, dan.Say(g, "not for ever"))
		if row := line(t, dan, g, "not for ever"); group.Lifetime(g, row.ID) != 60 {
			t.Errorf("what Dan says lasts %d s", group.Lifetime(g, row.ID))
		}
		promote(t, w, g, ann, dan)
		w.Run(5000)
		ann.Stop()
		ben.Stop()
		enter(t, w, g, dan, eve)
		w.Run(5000)
		lifetimes(t, w, g, 60, eve)
		ann.Start()
		ben.Start()
		w.Run(5000)
		must(t, ann.Do(g, group.Invite{Newcomers: []group.Newcomer{cleo.Newcomer()}}))
		w.Run(2000)
		must(t, cleo.Do(g, group.Accept{}))
		w.Run(5000)
		lifetimes(t, w, g, 60, cleo)
		must(t, dan.SayBody(g, group.Expiry{}))
		w.Run(5000)
		lifetimes(t, w, g, 0, ann, ben, cleo, dan, eve)
	}
}

// TestSettingComesLate: Ben, an admin, set it before Dan came, and comes back when Dan is in.
func TestSettingComesLate(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben, dan := nodes[0], nodes[1], w.Add("Dan")
	promote(t, w, g, ann, ben)
	w.Run(5000)
	part(w, ben)
	must(t, ben.SayBody(g, group.Expiry{Seconds: 60}))
	w.Run(2000)
	enter(t, w, g, ann, dan)
	w.Run(5000)
	lifetimes(t, w, g, 0, dan)
	w.HealAll()
	w.Run(30_000)
	lifetimes(t, w, g, 60, ann, ben, nodes[2], dan)
}

// TestFalseSetting: Cleo, who has every key of a member, gives a newcomer settings of her own
// making, and old ones. None is in force for it, and she is named for those that nobody honest has.
func TestFalseSetting(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, cleo, dan := nodes[0], nodes[2], w.Add("Dan")
	must(t, ann.SayBody(g, group.Expiry{Seconds: 5}))
	w.Run(5000)
	old := ann.Groups[g]
	var key string
	for k := range old.Records[group.KindExpiry] {
		key = k
	}
	header, salt := old.Records[group.KindEntry][key], old.Records[group.KindSalt][key]
	say := func(seconds uint32) []byte {
		c, err := group.Say(group.Expiry{Seconds: seconds})
		must(t, err)
		return c.Bytes()
	}
	forged := forge(t, w, cleo, g, group.Expiry{Seconds: 7})
	must(t, ann.SayBody(g, group.Expiry{Seconds: 60}))
	w.Run(5000)
	enter(t, w, g, ann, dan)
	w.Run(5000)
	lifetimes(t, w, g, 60, dan)
	h, err := dag.ParseHeader(header)
	must(t, err)
	h.Sign(cleo.Self.Device.Sign)
	made := append(make([]byte, 31), 0)
	made[0] = 1
	for _, c := range []struct {
		name  string
		blame bool
		p     group.Packed
	}{
		{"an old one", false, group.Packed{Header: header, Ciphertext: append(append([]byte{}, salt...), say(5)...)}},
		{"another time", true, group.Packed{Header: header, Ciphertext: append(append([]byte{}, salt...), say(6)...)}},
		{"no time", true, group.Packed{Header: header, Ciphertext: salt}},
		{"another's signature", true, group.Packed{Header: h.Bytes(), Ciphertext: append(append([]byte{}, salt...), say(5)...)}},
		{"of who is no admin", true, group.Packed{Header: forged.Header, Ciphertext: append(made, say(7)...)}},
	} {
		dan.Groups[g].Events = nil
		forgetSetting(dan, g, key)
		var b wire.Writer
		b.U8(kindSettings)
		b.U8(1)
		b.Group(func(b *wire.Writer) { b.Vec(c.p.Header); b.Vec(c.p.Ciphertext) })
		w.Deliver(cleo, dan, g, b.Bytes())
		w.Run(1000)
		if got := dan.Groups[g].Machine.View().Lifetime; got != 60 {
			t.Errorf("%s: what Dan writes lasts %d s", c.name, got)
		}
		if blamed := len(accusations(dan, g)) > 0; blamed != c.blame {
			t.Errorf("%s: %q", c.name, accusations(dan, g))
		}
	}
}

// forgetSetting makes a node one that was not given a setting.
func forgetSetting(n *sim.Node, g wire.GroupID, key string) {
	n.Stop()
	for _, k := range []group.Kind{group.KindExpiry, group.KindSetting, group.KindSalt} {
		delete(n.Groups[g].Records[k], key)
	}
	n.Start()
}
