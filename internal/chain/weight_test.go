package chain_test

import (
	"fmt"
	"runtime"
	"testing"

	"kith/internal/chain"
	"kith/internal/wire"
)

// TestWeight: what a block keeps besides its bytes is 2 KiB at most (blockCost of
// package group) and its weight, which a block that changes no member has not.
func TestWeight(t *testing.T) {
	const adds, cost, blocks = 200, 2 << 10, 200
	for _, people := range []int{20, 200, 1000} {
		g := newGroup(t, chain.Policy{}, "ann", "ben")
		for at := 2; at < people; at += adds {
			var ops []chain.Op
			var papers [][]byte
			for i := range min(adds, people-at) {
				p := g.person(fmt.Sprint("p", at+i))
				papers, ops = append(papers, p.papers(1)...), append(ops, p.add(chain.RoleMember, 1))
			}
			g.commit("ann", papers, ops...)
		}
		for changes, op := range map[bool]func(i int) chain.Op{
			true: func(i int) chain.Op {
				return &chain.SetRole{Person: g.person("ben").id, Instance: g.instance("ben"), Role: []chain.Role{chain.RoleAdmin, chain.RoleMember}[i%2]}
			},
			false: func(i int) chain.Op { return &chain.SetInfo{Info: wire.Digest{byte(i)}} },
		} {
			before, counted := heap(), 0
			for i := range blocks {
				h := g.commit("ann", nil, op(i))
				weight := g.blocks.Weight(h.Hash())
				if changes != (weight > 0) {
					t.Fatalf("%d people, a member changed: %v; weight %d", people, changes, weight)
				}
				counted += len(h.Bytes()) + cost + weight
			}
			if kept := heap() - before; kept > counted {
				t.Errorf("%d people: %d blocks keep %d bytes, and are counted as %d", people, blocks, kept, counted)
			}
		}
		runtime.KeepAlive(g)
	}
}

// heap is how many bytes are in use.
func heap() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}
