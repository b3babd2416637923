package chain_test

import (
	"encoding/hex"
	"testing"

	"kith/internal/chain"
	"kith/internal/wire"
)

// laterVectors plays what the first vectors leave out: a person's chain with
// packages, a second device and the recovery key, and a group in which every op
// on a device occurs, a branch loses and is carried, and the keys start anew.
func laterVectors(t *testing.T, v *vectors) {
	k := newKin(t, "rae")
	own := func(what string, hash wire.BlockHash) {
		v.Recovered = append(v.Recovered, blockVector(what, k.blocks.Header(hash), k.blocks.Body(hash), k.blocks.State(hash)))
	}
	own("genesis of rae", k.blocks.Head())
	own("rae's second device comes in", k.two())
	pkg := []byte("package")
	own("a last-resort package", k.grow(k.blocks.Head(), 0, [][]byte{pkg}, &chain.Package{Suite: chain.SuiteXWing, KeyPackageRef: wire.Digest{1}, Cites: []wire.Digest{chain.Cite(pkg)}}))
	at := k.blocks.Head()
	own("the first device revokes the second", k.grow(at, 0, nil, drop(k.device(1))))
	own("the second device revokes the first", k.grow(at, 1, nil, drop(k.device(0))))
	for _, d := range k.blocks.Suspended() {
		v.Suspended = append(v.Suspended, hex.EncodeToString(d[:]))
	}
	own("the recovery key revokes the second", k.grow(at, phrase, nil, drop(k.device(1)), anew(chain.SuiteXWing)))
	v.RecoveredHead = k.blocks.Head().String()

	g := newGroup(t, chain.Policy{}, "ann", "ben*", "cat", "dan", "eve")
	devices(t, g, func(what string, h *chain.Header) {
		v.Devices = append(v.Devices, blockVector(what, h, g.blocks.Body(h.Hash()), g.blocks.State(h.Hash())))
	})
	v.DevicesHead = g.blocks.Head().String()
}

func devices(t *testing.T, g *group, keep func(string, *chain.Header)) {
	ann, ben, cat, dan := g.person("ann"), g.person("ben"), g.person("cat"), g.person("dan")
	keep("ann makes a group with ben, an admin, cat, dan and eve", g.blocks.Header(g.blocks.Genesis()))
	ben.second(t)
	in, papers := g.addDevice(ben, 1, false)
	keep("cat lets ben's second device in", g.commit("cat", papers, in))
	keep("ann parks it", g.commit("ann", nil, parking(g, "ben", 1)))
	keep("it comes back", g.commitAs(ben, 1, nil, unparking(g, "ben", 1)))
	cat.second(t)
	in, papers = g.addDevice(cat, 1, true)
	keep("cat's second device adds itself", g.commitAs(cat, 1, papers, in))
	policy := chain.Policy{History: chain.HistorySince, HistoryDays: 30, MaxEntries: 500}
	keep("ann sets policy, voters and a feature", g.commit("ann", nil, &chain.SetPolicy{Policy: &policy, Electorate: g.voters("ann", "ben"), Features: []uint16{chain.FeatureNothing}}))

	s, fork := g.state(), g.blocks.Head()
	lost, body := g.draft(s, fork, ben, nil, remove("cat")(g))
	won, other := g.draft(s, fork, ann, nil, remove("dan")(g))
	g.take(lost, body)
	keep("ben removes cat: loses", lost)
	g.take(won, other)
	keep("ann removes dan: wins", won)
	branch := chain.MarshalProof([]*chain.Header{lost})
	keep("eve carries the removal of cat", g.commit("eve", [][]byte{branch}, &chain.Carry{
		Block: lost.Hash(), Person: cat.id, Instance: g.instance("cat"), Cites: []wire.Digest{chain.Cite(branch)},
	}))

	ben.extend(t, drop(ben.device(1)))
	out, papers := g.removeDevice(ben, 1)
	keep("eve takes out ben's second device", g.commit("eve", papers, out))
	keep("ann lets dan in again", g.commit("ann", dan.papers(1), dan.add(chain.RoleMember, 1)))
	poisoned := g.blocks.Head()
	h, body, err := g.restarting("dan", anew(chain.SuiteAES), together(g.nack(ben, 0, poisoned), g.nack(g.person("eve"), 0, poisoned), g.nack(dan, 0, poisoned)))
	if err != nil {
		t.Fatal(err)
	}
	g.take(h, body)
	keep("dan starts the keys again, as three of four could not follow", h)
	id := wire.GroupID(g.blocks.Genesis())
	slash, papers := g.twice(chain.SlashEntries, entry(ben, id, 7, "one"), entry(ben, id, 7, "another"))
	keep("dan revokes ben's first device, which signed two entries", g.commit("dan", papers, slash))
	h, body, err = g.restarting("ann", anew(chain.SuiteXWing, dan.device(0)), nil)
	if err != nil {
		t.Fatal(err)
	}
	g.take(h, body)
	keep("ann changes the suite and parks dan", h)
}
