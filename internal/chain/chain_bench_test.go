package chain_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"kith/internal/chain"
	"kith/internal/wire"
)

// contest is a genesis with two branches of n blocks each, one of each admin.
func contest(b *testing.B, n int) (wire.BlockHash, []*chain.Block) {
	f := plant(b, 0, "ann ben*")
	root := f.blocks["G"]
	all := []*chain.Block{root}
	for _, who := range []string{"ann", "ben"} {
		p, at := f.people[who], root
		for i := range n {
			name := fmt.Sprintf("%s %d", who, i)
			f.block(name, at.State, at.Hash, p.member(0), p, 0, []chain.Op{&chain.SetInfo{Info: wire.Digest{byte(i), byte(i >> 8), 1}}})
			at = f.blocks[name]
			all = append(all, at)
		}
	}
	return root.Hash, all
}

// BenchmarkFork is fork choice between two branches that part at genesis.
func BenchmarkFork(b *testing.B) {
	for _, n := range []int{1, 10, 100, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			root, all := contest(b, n)
			b.ReportAllocs()
			for b.Loop() {
				if chain.Head(root, all) == root {
					b.Fatal("no head")
				}
			}
		})
	}
}

// rivals is a genesis with n blocks above it that fork everywhere: each stands on
// one of the last few. Every tenth removes somebody.
func rivals(b *testing.B, n int, wide bool) []*chain.Block {
	d := newDraw(b, "ann ben* cat* dan* eve* fay gil")
	r := rand.New(rand.NewPCG(1, 20))
	for len(d.blocks) <= n {
		at := 0
		if !wide {
			at = max(0, len(d.blocks)-1-r.IntN(3))
		}
		verb := []string{"rekeys", "retitles", "promotes", "demotes", "removes"}[min(r.IntN(40), 4*r.IntN(10)/9+1)%5]
		who, target := d.people[r.IntN(5)], d.people[r.IntN(7)]
		if x := chain.Light(d.blocks[at], number(uint64(len(d.blocks))), who.member(0), lightOp(d.blocks[at], who, verb, target, 0)); x != nil {
			d.blocks = append(d.blocks, x)
		}
	}
	return d.blocks
}

// BenchmarkRivals is fork choice over blocks that compete everywhere: from
// nothing, and with one more block in a set that is held.
func BenchmarkRivals(b *testing.B) {
	for _, shape := range []string{"one parent", "everywhere"} {
		blocks := rivals(b, 1000, shape == "one parent")
		root, held := blocks[0].Hash, chain.NewBlocks()
		for _, x := range blocks {
			held.Insert(x)
		}
		b.Run(shape, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if chain.Head(root, blocks) != held.Head() {
					b.Fatal("two heads")
				}
			}
		})
		b.Run(shape+", one more", func(b *testing.B) {
			b.ReportAllocs()
			serial := uint64(1 << 32)
			for b.Loop() {
				serial++
				held.Insert(blocks[len(blocks)-1].Rehash(blocks[len(blocks)-1].Header.Parent, number(serial)))
				held.Head()
			}
		})
	}
}

// BenchmarkCheck is everything that is checked of a block but its commit, in a
// group of so many members.
func BenchmarkCheck(b *testing.B) {
	for _, members := range []int{2, 10, 100} {
		b.Run(fmt.Sprint(members), func(b *testing.B) {
			names := []string{"ann"}
			for i := 1; i < members; i++ {
				names = append(names, fmt.Sprintf("member%d", i))
			}
			g := newGroup(b, chain.Policy{}, names...)
			h, body := draftRekey(b, g)
			b.ReportAllocs()
			b.ResetTimer()
			for b.Loop() {
				if _, err := g.blocks.Check(h, body); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkHeaders is everything that is checked of 10,000 headers of a group
// of 20: every tenth adds or removes somebody.
func BenchmarkHeaders(b *testing.B) {
	headers := history(b, 20, 10_000)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := chain.CheckHeaders(headers); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(headers)), "ns/header")
}

// history returns the headers of a group of so many members.
func history(t testing.TB, members, n int) []*chain.Header {
	names := []string{"ann"}
	for i := 1; i < members; i++ {
		names = append(names, fmt.Sprintf("member%d*", i))
	}
	g := newGroup(t, chain.Policy{}, names...)
	headers := []*chain.Header{g.blocks.Header(g.blocks.Genesis())}
	s, dan := g.state(), g.person("dan")
	for i := range n - 1 {
		p := g.person(fmt.Sprintf("member%d", 1+i%(members-1)))
		var op chain.Op = &chain.SetInfo{Info: wire.Digest{byte(i), byte(i >> 8), 1}}
		m, _ := s.Person(dan.id)
		switch {
		case i%20 == 0:
			op = dan.add(chain.RoleMember, 1)
		case i%20 == 10:
			op = &chain.Remove{Person: dan.id, Instance: m.Instance}
		case i%3 == 0:
			op = &chain.Rekey{}
		}
		d := g.params(p, op)
		d.Parent = headers[i].Hash()
		h, after, err := chain.Draft(s, d)
		if err != nil {
			t.Fatal(err)
		}
		seal(h, bodyOf(false), p.keys[0])
		headers, s = append(headers, h), after
	}
	return headers
}

func draftRekey(b *testing.B, g *group) (*chain.Header, *chain.Body) {
	ann, head := g.people["ann"], g.blocks.Head()
	s := g.blocks.State(head)
	h, _, err := chain.Draft(s, chain.DraftParams{
		Suite: chain.SuiteAES, Parent: head, Group: wire.GroupID(g.blocks.Genesis()),
		Author: ann.member(0), AuthorSeq: s.LastSeq(ann.device(0)) + 1, Ops: []chain.Op{&chain.Rekey{}}, CreatedAt: 2,
	})
	if err != nil {
		b.Fatal(err)
	}
	body := bodyOf(false)
	seal(h, body, ann.keys[0])
	return h, body
}

// BenchmarkSizes reports the bytes of headers by what they do.
func BenchmarkSizes(b *testing.B) {
	g := newGroup(b, chain.Policy{}, "ann", "ben*")
	ben, _ := g.state().Person(g.person("ben").id)
	for _, c := range []struct {
		name string
		op   chain.Op
	}{
		{"Rekey", &chain.Rekey{}},
		{"SetInfo", &chain.SetInfo{Info: wire.Digest{1}}},
		{"Add", g.person("dan").add(chain.RoleMember, 1)},
		{"Remove", &chain.Remove{Person: ben.Person, Instance: ben.Instance, Cuts: []chain.Cut{{Device: ben.Devices[0].ID}}}},
	} {
		b.Run(c.name, func(b *testing.B) {
			size := 0
			for b.Loop() {
				h, _, err := chain.Draft(g.state(), g.params(g.person("ann"), c.op))
				if err != nil {
					b.Fatal(err)
				}
				size = len(h.Bytes())
			}
			b.ReportMetric(float64(size), "bytes")
		})
	}
}

// BenchmarkForksEverywhere is what a new block costs where somebody has signed two
// beside every one of a chain of 500.
func BenchmarkForksEverywhere(b *testing.B) {
	const n = 500
	f := plant(b, 0, "ann ben* cat")
	picture, does := "G", map[string]string{}
	for i := range n {
		name := fmt.Sprint("A", i)
		picture, does[name] = picture+" -> "+name, "ann retitles"
	}
	for i := 1; i < n; i++ {
		for j := range 2 {
			name := fmt.Sprintf("E%d.%d", i, j)
			picture, does[name] = fmt.Sprintf("%s | A%d -> %s", picture, i-1, name), "ben retitles"
		}
	}
	f.grow(picture, does)
	held := chain.NewBlocks()
	for _, x := range f.all() {
		held.Insert(x)
	}
	head := held.Head()
	variant := f.blocks["E9.0"]
	for i := 0; b.Loop(); i++ {
		held.Insert(variant.Rehash(variant.Header.Parent, number(uint64(i)<<8|255)))
		held.Shed(head)
		if held.Head() != head || len(held.PendingAt(head)) > 0 {
			b.Fatal("the head changes")
		}
	}
}
