package sim_test

import (
	"slices"
	"strings"
	"testing"

	"kith/internal/chain"
	"kith/internal/dag"
	"kith/internal/group"
	"kith/internal/sim"
	"kith/internal/wire"
)

// asBefore writes an entry by a copy that somebody made of its home, and gives it to nobody.
func asBefore(t *testing.T, w *sim.World, n *sim.Node, g wire.GroupID, before *sim.Replica, b group.Body) group.Packed {
	t.Helper()
	m, err := group.Load(n.Self, func(k group.Kind, each func(group.Record) error) error {
		keys := make([]string, 0, len(before.Records[k]))
		for key := range before.Records[k] {
			keys = append(keys, key)
		}
		slices.Sort(keys)
		for _, key := range keys {
			if err := each(group.Record{Kind: k, Key: []byte(key), Value: before.Records[k][key]}); err != nil {
				return err
			}
		}
		return nil
	})
	must(t, err)
	c, err := group.Say(b)
	must(t, err)
	eff, err := m.Step(group.Input{Now: w.Now, Cause: group.Compose{Client: "x", Content: c}})
	must(t, err)
	var p group.Packed
	for _, r := range eff.Write {
		switch r.Kind {
		case group.KindEntry:
			p.Header = r.Value
		case group.KindCipher:
			p.Ciphertext = r.Value
		}
	}
	return p
}

// demoted is a group in which Ben was an admin, kept a copy of his home, and is none any more.
// Ann said "before" when he was.
func demoted(t *testing.T) (w *sim.World, nodes []*sim.Node, g wire.GroupID, before *sim.Replica) {
	w, nodes, g = trip(t, "Ann", "Ben", "Cleo", "Dan")
	ann, ben := nodes[0], nodes[1]
	promote(t, w, g, ann, ben)
	must(t, ann.Say(g, "before"))
	w.Run(5000)
	before = ben.Groups[g].Copy()
	must(t, ann.Do(g, group.SetRole{Person: ben.Self.Person, Role: chain.RoleMember}))
	w.Run(5000)
	return w, nodes, g, before
}

// TestUnauthorisedFormerAdmin: Ben, who is no admin any more, deletes what was said since, by an
// entry at the block at which he was one. That changes nothing for anybody: not where the message
// was here, nor where it comes later than his Delete, nor after a start. What was said while he was an
// admin he can take away, as he could then.
func TestUnauthorisedFormerAdmin(t *testing.T) {
	for _, c := range []struct {
		of   string
		want []string // Ben is named by his letter
	}{
		{"since", []string{"before", "since, better; <since>; <since, better>"}},
		{"before", []string{"deleted by B", "since, better; <since>; <since, better>"}},
	} {
		w, nodes, g, before := demoted(t)
		ann, ben, cleo, dan := nodes[0], nodes[1], nodes[2], nodes[3]
		dan.Stop()
		must(t, ann.Say(g, "since"))
		w.Run(5000)
		since := line(t, ann, g, "since")
		must(t, ann.SayBody(g, group.Edit{Of: since.Target(), Text: "since, better"}))
		w.Run(5000)
		part(w, dan)
		dan.Start()
		forged := asBefore(t, w, ben, g, before, group.Delete{Of: line(t, ann, g, c.of).Target()})
		for _, n := range []*sim.Node{ann, cleo, dan} {
			w.Deliver(ben, n, g, entries(forged))
		}
		ben.Stop()
		h, err := dag.ParseHeader(forged.Header)
		must(t, err)
		want := slices.Clone(c.want)
		for i := range want {
			want[i] = strings.Replace(want[i], "by B", "by "+by(ben), 1)
		}
		check := func(n *sim.Node) {
			t.Helper()
			if r, there := n.Groups[g].Rows[h.Place()]; !there || r.State != group.RowShown || r.May&group.MayRemove == 0 {
				t.Fatalf("%s: %s has not got the Delete: state %d", c.of, n.Name, r.State)
			}
			pages(t, g, want, n)
			if kinds := keeps(n, g, since); !slices.Contains(kinds, group.KindSalt) || !slices.Contains(kinds, 0) {
				t.Errorf("%s: %s has kinds %v alone of what was said since", c.of, n.Name, kinds)
			}
		}
		check(ann)
		check(cleo)
		w.HealAll()
		w.Run(30_000)
		check(dan)
		for _, n := range []*sim.Node{ann, cleo, dan} {
			n.Stop()
			n.Start()
			w.Run(1000)
			check(n)
			if rules := accusations(n, g); len(rules) > 0 {
				t.Errorf("%s: %s accuses of %q", c.of, n.Name, rules)
			}
		}
	}
}

// TestUnauthorisedFormerSetting: Ben, who is no admin any more, sets how long messages last by
// an entry from before. It overrules nothing that was set since, though it is displayed later; and what an
// admin sets overrules it.
func TestUnauthorisedFormerSetting(t *testing.T) {
	w, nodes, g, before := demoted(t)
	ann, ben, cleo, dan := nodes[0], nodes[1], nodes[2], nodes[3]
	must(t, ann.SayBody(g, group.Expiry{Seconds: 3600}))
	w.Run(5000)
	w.Now += 1000
	forged := asBefore(t, w, ben, g, before, group.Expiry{Seconds: 1})
	part(w, dan)
	for _, n := range []*sim.Node{ann, cleo} {
		w.Deliver(ben, n, g, entries(forged))
	}
	ben.Stop()
	h, err := dag.ParseHeader(forged.Header)
	must(t, err)
	if set := newestRow(ann, g); !dag.Less(set.Place, h.Place()) {
		t.Fatal("it is displayed before what was set since")
	}
	w.HealAll()
	w.Run(10_000)
	for _, n := range []*sim.Node{ann, cleo, dan} {
		if _, there := n.Groups[g].Records[group.KindExpiry][string(group.EntryKey(h.Ref()))]; !there {
			t.Fatalf("%s has not got it", n.Name)
		}
	}
	lifetimes(t, w, g, 3600, ann, cleo, dan)
	must(t, ann.SayBody(g, group.Expiry{}))
	w.Run(5000)
	lifetimes(t, w, g, 0, ann, cleo, dan)
}
