package chain_test

import (
	"math/rand/v2"
	"testing"

	"kith/internal/chain"
	"kith/internal/wire"
)

// rootOf computes the root of a state as docs/spec/chain.md says, from what the
// state shows of itself.
func rootOf(s *chain.State) wire.Digest {
	p, info := s.Policy(), s.Info()
	var w wire.Writer
	w.U8(0)
	if p.HistoryDays == 0 && p.MaxEntries == 0 && p.MaxBytes == 0 {
		w.Raw([]byte{1, b2i(p.MembersInvite), byte(p.History), b2i(p.Direct)})
	} else {
		w.Raw([]byte{2, b2i(p.MembersInvite), byte(p.History), b2i(p.Direct)})
		w.U16(p.HistoryDays)
		w.U32(p.MaxEntries)
		w.U64(p.MaxBytes)
	}
	w.Raw(info[:])
	w.Varint(2 * len(s.Features()))
	for _, f := range s.Features() {
		w.U16(f)
	}
	w.Varint(32 * len(s.Electorate()))
	for _, id := range s.Electorate() {
		w.Raw(id[:])
	}
	leaves := [][]byte{w.Bytes()}
	for _, m := range s.Everyone() {
		var w wire.Writer
		w.U8(1)
		w.Raw(m.Person[:])
		w.Raw(m.Instance[:])
		w.U8(byte(m.Role))
		w.U32(m.Rank)
		w.U32(m.Join)
		w.Raw(m.PersonHead[:])
		w.U8(byte(m.Status))
		w.Varint(65 * len(m.Devices))
		for _, d := range m.Devices {
			w.Raw(d.Key[:])
			w.Raw(d.KnockHash[:])
			w.U8(byte(d.Status))
		}
		leaves = append(leaves, w.Bytes())
	}
	return wire.Digest(treeHash(leaves))
}

func treeHash(leaves [][]byte) [32]byte {
	if len(leaves) == 1 {
		return wire.Hash("state leaf", leaves[0])
	}
	k := 1
	for 2*k < len(leaves) {
		k *= 2
	}
	l, r := treeHash(leaves[:k]), treeHash(leaves[k:])
	return wire.Hash("state node", l[:], r[:])
}

func b2i(b bool) byte {
	if b {
		return 1
	}
	return 0
}

// After a tree has grown, every state still shows what its root says: the
// children changed nothing of what they share with it.
func TestStateRoot(t *testing.T) {
	for seed := range uint64(500) {
		f := wild(t, rand.New(rand.NewPCG(seed, 7)), 20, 0)
		for _, b := range f.all() {
			s := b.State
			if got := rootOf(s); got != b.Header.StateRoot || got != s.Root() {
				t.Fatalf("seed %d: root %s, computed %s", seed, s.Root(), got)
			}
			admins := 0
			for _, m := range s.Everyone() {
				member := m.Status == chain.StatusActive
				for _, d := range m.Devices {
					back, same, ok := s.Device(d.ID)
					if !ok || back.Person != m.Person || same != d || s.Active(d.ID) != member {
						t.Fatalf("seed %d: device of %s", seed, m.Person)
					}
				}
				if s.IsAdmin(m.Person) != (member && m.Role == chain.RoleAdmin) || (m.Rank == chain.NoRank) == s.IsAdmin(m.Person) {
					t.Fatalf("seed %d: role of %s", seed, m.Person)
				}
				if s.IsAdmin(m.Person) {
					admins++
				}
			}
			if admins == 0 || admins != len(s.Admins()) || len(s.Electorate()) == 0 {
				t.Fatalf("seed %d: %d admins, %d voters", seed, admins, len(s.Electorate()))
			}
		}
	}
}

// A header chain gives the state again, and nothing else does.
func TestReplayFromHeaders(t *testing.T) {
	g := newGroup(t, chain.Policy{History: chain.HistoryAll}, "ann", "ben*", "cat")
	g.commit("ben", nil, &chain.Remove{Person: g.person("cat").id, Instance: g.instance("cat")})
	g.commit("ann", g.person("cat").papers(1), g.person("cat").add(chain.RoleMember, 1))
	again := chain.NewBlocks()
	for _, hash := range g.blocks.Chain() {
		h, err := chain.ParseHeader(g.blocks.Header(hash).Bytes())
		if err != nil {
			t.Fatal(err)
		}
		body, err := chain.ParseBody(g.blocks.Body(hash).Bytes())
		if err != nil {
			t.Fatal(err)
		}
		s, err := again.Check(h, body)
		if err != nil {
			t.Fatal(err)
		}
		if err := again.Add(h, body, s); err != nil {
			t.Fatal(err)
		}
		if s.Root() != g.blocks.State(hash).Root() {
			t.Error("another state")
		}
	}
	if again.Head() != g.blocks.Head() {
		t.Error("another head")
	}
}
