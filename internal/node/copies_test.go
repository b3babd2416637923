package node_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"kith/internal/group"
	"kith/internal/node"
	"kith/internal/wire"
)

// TestCopiesAtOnce: Ann's home was copied, and both copies run, are stopped and started
// in whatever order while all write. Both end in the group, each with a key of its own,
// or one says that the other has revoked it; all read the same, and nobody is punished.
func TestCopiesAtOnce(t *testing.T) {
	for seed := range uint64(10) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			copiesAtOnce(t, seed)
		})
	}
}

func copiesAtOnce(t *testing.T, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 0))
	ann, ben, cleo := start(t, "Ann", t.TempDir()), start(t, "Ben", t.TempDir()), start(t, "Cleo", t.TempDir())
	befriend(t, ann, ben)
	befriend(t, ann, cleo)
	befriend(t, ben, cleo)
	var g wire.GroupID
	if seed%2 == 0 {
		g = together(t, "Trip", ann, ben, cleo)
	} else {
		g = together(t, "Trip", ben, ann, cleo)
	}
	d, who := ann.chatWith(ben), ann.id()
	ann.say(g, "before")
	for _, p := range []*person{ann, ben, cleo} {
		p.sees(g, "before")
	}
	ann.stop()
	copied := *ann
	copied.name, copied.home = "Copy", ann.backup()
	copied.cfg = node.Config{Home: copied.home}

	all := []*person{ann, &copied, ben, cleo}
	defer func() {
		for _, p := range all {
			if t.Failed() {
				t.Logf("%s: group %s", p.name, p.Stand(g))
				t.Logf("%s: chat %s", p.name, p.Stand(d))
			}
		}
	}()
	runs := []bool{false, false, true, true}
	said := map[wire.GroupID][]string{g: {"before"}}
	say := func(i int, g wire.GroupID) {
		text := fmt.Sprintf("%d by %s", len(said[g]), all[i].name)
		c, err := group.Text(text)
		must(t, err)
		if _, err := all[i].Send(t.Context(), g, "", c); err != nil {
			t.Logf("%s cannot say %q: %v", all[i].name, text, err)
			return
		}
		t.Logf("-- %s says %q", all[i].name, text)
		said[g] = append(said[g], text)
	}
	startAt := func(i int) {
		t.Logf("-- %s starts", all[i].name)
		all[i] = all[i].again()
		runs[i] = true
	}
	first := int(seed/2) % 2
	startAt(first)
	for range 14 {
		i := r.IntN(4)
		switch do := r.IntN(8); {
		case !runs[i]:
			startAt(i)
		case do == 0:
			t.Logf("-- %s stops", all[i].name)
			all[i].stop()
			runs[i] = false
		case do == 1:
			who := all[i]
			if o := r.IntN(4); runs[o] && o != i && o+i != 1 {
				t.Logf("-- %s and %s meet", who.name, all[o].name)
				who.until("somebody", func() bool { return who.Status().Connected > 0 })
			}
		case do == 2 && i < 3:
			say(i, d)
		default:
			say(i, g)
		}
	}
	for i := range all {
		if !runs[i] {
			startAt(i)
		}
	}
	for _, p := range all[:2] {
		for _, g := range []wire.GroupID{g, d} {
			p.until("in, with a key", func() bool { return p.InAnew(g) })
		}
	}
	for _, p := range all {
		p.until("that both are in", func() bool {
			return p.Keys(g, who) >= 2 && (p == all[3] || p.Keys(d, who) >= 2)
		})
	}
	together := map[wire.GroupID]int{g: len(said[g]), d: len(said[d])}
	for i := range all {
		say(i, g)
		if i < 3 {
			say(i, d)
		}
	}
	lacking := func() (list []string) {
		for i, p := range all {
			for _, c := range []wire.GroupID{g, d} {
				if i == 3 && c == d {
					continue
				}
				texts := p.all(c)
				for k, s := range said[c] {
					if owed(s, p.name, k >= together[c]) && !slices.Contains(texts, s) {
						list = append(list, fmt.Sprintf("%s %.4s: %s", p.name, c, s))
					}
				}
			}
		}
		return list
	}
	defer func() {
		if t.Failed() {
			t.Logf("lacks: %q", lacking())
		}
	}()
	ben.until("all that was said", func() bool { return len(lacking()) == 0 })
	if all[0].Status().Device == all[1].Status().Device {
		t.Error("both have one key")
	}
	for _, p := range all {
		if p.logged("peer broke a rule") != 0 {
			t.Errorf("%s takes something for an offence", p.name)
		}
	}
}

// TestMergedTellsTrue: where the history of the other copy counts, the chain no longer
// names the key packages of this one. Friends who were told of those took it for a lie.
func TestMergedTellsTrue(t *testing.T) {
	t.Parallel()
	for range 40 { // which of the two counts is chance
		ann := start(t, "Ann", t.TempDir())
		before := ann.Chain()
		must(t, ann.Heal())
		counts, err := ann.LearnFork(before)
		must(t, err)
		if !counts {
			ann.stop()
			continue
		}
		if named, _ := ann.TellsTrue(); !named {
			t.Error("friends are told of packages that the chain does not name")
		}
		ann.RenewAt(now())
		if named, n := ann.TellsTrue(); !named || n != len(group.Suites()) {
			t.Errorf("of %d packages that are told not all are named", n)
		}
		return
	}
	t.Fatal("the other history never counts")
}

// owed reports whether somebody is sure to read a text. What others wrote while a copy
// was outside that one may not have (docs/spec/copies.md, "Limits").
func owed(text, reader string, bothIn bool) bool {
	_, author, _ := strings.Cut(text, " by ")
	isCopy := func(name string) bool { return name == "Ann" || name == "Copy" }
	return bothIn || author == reader || !isCopy(reader)
}
