package chain_test

import (
	"fmt"
	"testing"

	"kith/internal/chain"
	"kith/internal/wire"
)

// line is n blocks of ann's one on another, and beside the first one of ben's.
func line(b testing.TB, n int) *chain.Blocks {
	f := plant(b, 0, "ann ben*")
	held := chain.NewBlocks()
	held.Insert(f.blocks["G"])
	add := func(who, name string, at *chain.Block, i int) *chain.Block {
		p := f.people[who]
		f.block(name, at.State, at.Hash, p.member(0), p, 0, []chain.Op{&chain.SetInfo{Info: wire.Digest{byte(i), byte(i >> 8), 1}}})
		held.Insert(f.blocks[name])
		return f.blocks[name]
	}
	add("ben", "B", f.blocks["G"], 0)
	at := f.blocks["G"]
	for i := range n {
		at = add("ann", fmt.Sprint("A", i), at, i)
	}
	return held
}

// BenchmarkShed is what a new head costs in a long chain in which a fork was once.
func BenchmarkShed(b *testing.B) {
	for _, n := range []int{100, 1000, 5000} {
		held := line(b, n)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				if held.Shed(held.Genesis()) != nil {
					b.Fatal("something is dropped")
				}
			}
		})
	}
}
