package chain_test

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"kith/internal/chain"
	"kith/internal/wire"
)

// TestCarryingEnds: whatever removals lie on losing branches, members who carry
// over what is pending, of removals that exclude each other the senior's, come to an
// end of it after a few blocks, and none of those blocks is refused: else a group
// could be held mute by who signed them.
func TestCarryingEnds(t *testing.T) {
	d := newDraw(t, drawnPeople)
	stats := map[string]int{}
	for seed := range draws(5_000) {
		r := rand.New(rand.NewPCG(uint64(seed), 7))
		d.reset()
		d.fill(r, 3+r.IntN(10), 0.02)
		blocks := slices.Clone(d.blocks)
		for turn := 0; ; turn++ {
			pending := chain.Pending(d.root.Hash, blocks)
			head := chain.Head(d.root.Hash, blocks)
			if len(pending) == 0 {
				stats[fmt.Sprint("turns ", turn)]++
				break
			}
			if turn == 8 {
				t.Errorf("seed %d: carried over %d times\n%v", seed, turn, d)
				stats["endless"]++
				break
			}
			at := blocks[slices.IndexFunc(blocks, func(b *chain.Block) bool { return b.Hash == head })]
			next, who := carriedBy(d, at, blocks, pending, r)
			if who == 0 {
				stats["nobody may"]++
				break
			}
			if next == nil {
				t.Errorf("seed %d: nobody can carry over %v\n%v", seed, pending, d)
				stats["refused"]++
				break
			}
			blocks = append(blocks, next)
		}
	}
	t.Log(stats)
}

// carriedBy is the block by which a member carries over what is pending.
func carriedBy(d *draw, at *chain.Block, blocks []*chain.Block, pending []chain.PendingRemoval, r *rand.Rand) (*chain.Block, int) {
	rank := func(id wire.PersonID) uint32 { m, _ := at.State.Person(id); return m.Rank }
	pending = slices.Clone(pending)
	slices.SortStableFunc(pending, func(a, b chain.PendingRemoval) int { return cmp.Compare(rank(a.Author), rank(b.Author)) })
	var list []chain.PendingRemoval
	for _, p := range pending {
		if !slices.ContainsFunc(list, func(o chain.PendingRemoval) bool { return o.Person == p.Person || o.Person == p.Author }) {
			list = append(list, p)
		}
	}
	var ops []chain.Op
	body := &chain.Body{}
	for _, p := range list {
		b := blocks[slices.IndexFunc(blocks, func(b *chain.Block) bool { return b.Hash == p.Block })]
		proof := chain.MarshalProof([]*chain.Header{b.Header})
		ops = append(ops, &chain.Carry{Block: p.Block, Person: p.Person, Instance: p.Instance, Cites: []wire.Digest{chain.Cite(proof)}})
		body.Attachments = append(body.Attachments, proof)
	}
	may := 0
	for _, i := range r.Perm(len(d.people)) {
		who := d.people[i]
		if slices.ContainsFunc(list, func(p chain.PendingRemoval) bool { return p.Person == who.id }) {
			continue
		}
		for device := range 2 {
			if !at.State.Active(who.device(device)) {
				continue
			}
			may++
			var hash wire.BlockHash
			for i := 0; i < len(hash); i += 8 {
				binary.BigEndian.PutUint64(hash[i:], r.Uint64())
			}
			if b := chain.Light(at, hash, who.member(device), ops...); b != nil {
				b.Body = body
				return b, may
			}
		}
	}
	return nil, may
}
