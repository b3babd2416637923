package sim_test

import (
	"testing"

	"kith/internal/group"
)

// TestHeaderAlone: a member that hands on a header without its ciphertext keeps
// nobody from reading the message.
func TestHeaderAlone(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	w.Cut(ann, cleo)
	w.Cut(ben, cleo)
	must(t, ann.Say(g, "whole"))
	w.Run(3000)
	_, p := pushed(t, last(t, ann, ben, kindEntries))
	p.Ciphertext = nil
	w.Heal(ben, cleo)
	w.Deliver(ben, cleo, g, entries(p))
	w.Run(3000)
	sees(t, g, []string{"whole"}, cleo)
}

// TestKeysAfterEntries: Dan is added on two branches and comes in by the one that
// loses; what is written under the other reaches him before his keys to it do.
func TestKeysAfterEntries(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	dan := w.Add("Dan")
	promote(t, w, g, ann, ben)
	part(w, ann)
	must(t, ann.Do(g, group.Invite{Newcomers: []group.Newcomer{dan.Newcomer()}}))
	must(t, ben.Do(g, group.Invite{Newcomers: []group.Newcomer{dan.Newcomer()}}))
	w.Run(3000)
	must(t, dan.Do(g, group.Accept{}))
	w.Run(3000)
	must(t, ann.Say(g, "under Ann's block"))
	refs := ann.Groups[g].Machine.Frontier().Refs()
	said := ann.Groups[g].Answer(group.Serve{Refs: refs})
	chain := ann.Groups[g].Machine.Blocks()
	w.Deliver(ben, dan, g, blocks([2][]byte{chain.Header(chain.Head()).Bytes(), chain.Body(chain.Head()).Bytes()}))
	w.Deliver(ben, dan, g, said[0])
	if v := dan.Groups[g].Machine.View(); !v.NoKeys {
		t.Fatal("Dan has the keys already")
	}
	sees(t, g, nil, dan)
	dan.Stop() // what waits is stored
	dan.Start()
	w.Heal(ann, dan)
	w.Run(3000)
	sees(t, g, []string{"under Ann's block"}, dan)
	w.HealAll()
	w.Run(10_000)
	alike(t, g, ann, ben, cleo, dan)
}
