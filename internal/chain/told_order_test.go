package chain_test

import (
	"slices"
	"testing"

	"kith/internal/chain"
	"kith/internal/wire"
)

// I1: ben and cat let the same device in, each as its own, on two branches.
// What it says for one of them is not the other's, in whatever order it comes.
//
//	G -> M -> B -> R | M -> C -> S | G -> N    R: as ben it removes eve, S: as cat it retitles
//	                                           N: zoe demotes cat
func TestDeviceOfTwoPeople(t *testing.T) {
	f := plant(t, 0, "zoe ben* cat* dan eve")
	f.grow("G -> M | G -> N", map[string]string{"M": "dan rekeys", "N": "zoe demotes cat"})
	ben, cat := f.person("ben"), f.person("cat")
	cat.keys, cat.knock = slices.Clone(cat.keys), slices.Clone(cat.knock)
	cat.keys[2], cat.knock[2] = ben.keys[2], ben.knock[2]
	on := func(parent, name string, who *person, device int, op chain.Op) {
		f.block(name, f.blocks[parent].State, f.blocks[parent].Hash, who.member(device), who, device, []chain.Op{op})
	}
	for name, who := range map[string]*person{"B": ben, "C": cat} {
		m, _ := f.blocks["M"].State.Person(who.id)
		on("M", name, who, 0, &chain.AddDevice{
			Person: who.id, Instance: m.Instance, PersonHead: who.head(), Device: who.entry(2), Cites: make([]wire.Digest, 2),
		})
	}
	eve, _ := f.blocks["B"].State.Person(f.person("eve").id)
	on("B", "R", ben, 2, &chain.Remove{Person: eve.Person, Instance: eve.Instance})
	on("C", "S", cat, 2, &chain.SetInfo{Info: wire.Digest{1}})
	for _, names := range []string{"GMNBRCS", "GMNCSBR", "GNMBCRS", "GNMCBSR"} {
		var list []*chain.Block
		held := chain.NewBlocks()
		for _, name := range names {
			list = append(list, f.blocks[string(name)])
			held.Insert(f.blocks[string(name)])
		}
		if head, said := f.name(chain.Head(f.blocks["G"].Hash, list)), f.name(held.Head()); head != "R" || said != "R" {
			t.Errorf("%s: head %s, and one by one %s; want R", names, head, said)
		}
	}
}
