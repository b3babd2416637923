package chain_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"testing"

	"kith/internal/chain"
	"kith/internal/wire"
)

// A spaceVector says which blocks may be dropped for space. None has a body.
type spaceVector struct {
	What    string      `json:"what"`
	Blocks  []forkBlock `json:"blocks"`  // parents first
	Root    string      `json:"root"`    // the settled one
	Surplus []string    `json:"surplus"` // names, sorted
}

func surplusNames(root wire.BlockHash, blocks []*chain.Block, name func(wire.BlockHash) string) (list []string) {
	for _, hash := range chain.Surplus(root, blocks) {
		list = append(list, name(hash))
	}
	slices.Sort(list)
	return list
}

// makeSpaceVectors: of each content one, of each device two, of all new devices
// of a person 32 at one height; the lowest hashes, and what something stands on.
func makeSpaceVectors(t *testing.T) (list []spaceVector) {
	keep := func(what, root string, f *tree, more []*chain.Block, want int) {
		names := map[wire.BlockHash]string{}
		v := spaceVector{What: what, Root: root}
		add := func(name string, b *chain.Block) {
			names[b.Hash] = name
			v.Blocks = append(v.Blocks, forkBlock{Name: name, Header: hex.EncodeToString(b.Header.Bytes()), Hash: b.Hash.String()})
		}
		for _, name := range f.order {
			add(name, f.blocks[name])
		}
		for i, b := range more {
			add(fmt.Sprint("N", i), b)
		}
		v.Surplus = surplusNames(f.blocks[root].Hash, append(f.all(), more...), func(h wire.BlockHash) string { return names[h] })
		if len(v.Surplus) != want {
			t.Errorf("%s: %d are surplus, want %d", what, len(v.Surplus), want)
		}
		list = append(list, v)
	}
	does := map[string]string{"A": "ann retitles"}
	picture := "G -> A"
	for i := range 6 {
		name := fmt.Sprint("V", i)
		picture, does[name] = picture+" | G -> "+name, "ben rekeys"
	}
	f := plant(t, 0, "ann ben* cat")
	f.grow(picture, does)
	keep("two blocks of one device at one height", "G", f, nil, 4)
	surplus := surplusNames(f.blocks["G"].Hash, f.all(), f.name)
	f.grow("G -> "+surplus[0]+" -> C", map[string]string{"C": "cat rekeys"})
	keep("and what something is built on", "G", f, nil, 3)
	keep("and the root", surplus[1], f, nil, 2)

	f = plant(t, 0, "ann ben*")
	f.grow("G -> A | G -> B | G -> C", map[string]string{"A": "ben rekeys", "B": "ben retitles", "C": "ben adds dan"})
	var more []*chain.Block
	for n := range byte(4) {
		for _, name := range []string{"A", "B", "C"} {
			more = append(more, f.signedAgain(name, n))
		}
	}
	keep("of one content one", "G", f, more, 13)

	f = plant(t, 0, "zoe ann/2 ben")
	f.grow("G -> A | G -> B | G -> C", map[string]string{"A": "ann rekeys", "B": "ann/2 rekeys", "C": "ben rekeys"})
	more = nil
	for i := range byte(40) {
		p := f.person("ann")
		more = append(more, f.entering(p, sha256.Sum256([]byte{i})))
	}
	keep("of a person's new devices 32 at one height", "G", f, more, 40-chain.MaxNewSiblings)
	return list
}

// entering is newDevice with a hash of its own bytes.
func (f *tree) entering(p *person, key [32]byte) *chain.Block {
	at := f.blocks["G"]
	m, _ := at.State.Person(p.id)
	entry := chain.DeviceEntry{Key: key}
	h, s, err := chain.Draft(at.State, chain.DraftParams{
		Suite: chain.SuiteAES, Parent: at.Hash, Group: f.group, Author: wire.Member{Person: p.id, Device: entry.ID()}, AuthorSeq: 1,
		Ops: []chain.Op{&chain.AddDevice{Person: p.id, Instance: m.Instance, PersonHead: p.head(), Device: entry, Cites: make([]wire.Digest, 2)}},
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return &chain.Block{Hash: h.Hash(), Header: h, State: s}
}

// checkSpace reads a vector as another implementation would.
func checkSpace(t *testing.T, v spaceVector) {
	t.Helper()
	states, names, hashes := map[wire.BlockHash]*chain.State{}, map[wire.BlockHash]string{}, map[string]wire.BlockHash{}
	var blocks []*chain.Block
	for _, x := range v.Blocks {
		b := readForkBlock(t, x, states)
		states[b.Hash], names[b.Hash], hashes[x.Name] = b.State, x.Name, b.Hash
		blocks = append(blocks, b)
	}
	if got := surplusNames(hashes[v.Root], blocks, func(h wire.BlockHash) string { return names[h] }); !slices.Equal(got, v.Surplus) {
		t.Errorf("%s: surplus %v, want %v", v.What, got, v.Surplus)
	}
}
