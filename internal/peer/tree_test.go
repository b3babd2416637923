package peer_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"kith/internal/peer"
)

// TestTreePure: the tree is simulated, so its files know no clock, no goroutine and no
// I/O, though the package does.
func TestTreePure(t *testing.T) {
	files, err := filepath.Glob("tree*.go")
	if err != nil {
		t.Fatal(err)
	}
	allowed := []string{`"bytes"`, `"math"`, `"math/rand/v2"`, `"slices"`, `"kith/internal/wire"`}
	looked := 0
	for _, name := range files {
		if matched, _ := filepath.Match("*_test.go", name); matched {
			continue
		}
		looked++
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range file.Imports {
			if !slices.Contains(allowed, spec.Path.Value) {
				t.Errorf("%s imports %s", name, spec.Path.Value)
			}
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt, *ast.ChanType, *ast.SelectStmt:
				t.Errorf("%s starts a goroutine, or waits for one", name)
			case *ast.SelectorExpr: // the functions of math/rand/v2 draw from a source of their own
				if x, ok := n.X.(*ast.Ident); ok && x.Name == "rand" && !slices.Contains([]string{"Rand", "New", "NewChaCha8"}, n.Sel.Name) {
					t.Errorf("%s uses rand.%s", name, n.Sel.Name)
				}
			}
			return true
		})
	}
	if looked < 4 {
		t.Errorf("looked at %d files", looked)
	}
}

// G is pushed by 1: it goes on to 2 and 3 once it is known to be genuine. A second copy
// by 2 prunes that edge, and the next payload is announced to 2.
func TestTreePushesAndPrunes(t *testing.T) {
	h := newTreeHand(t, 3)
	h.neighbours(1, 2, 3)
	h.hear(1, gossip(0x10)...)
	h.sends(2)
	h.checked(0x10, peer.VerdictHeld)
	h.sends(1)
	h.sends(2, 3)
	h.sends(3, 3)
	h.hear(2, gossip(0x10)...)
	h.sends(2, 6)
	h.step(peer.Publish{ID: id32(0x11), Size: 1})
	h.sends(1, 3)
	h.sends(2)
	h.sends(3, 3)
	h.pass(200)
	h.sends(2, 4)
	h.hear(3, 6) // prunes
	h.step(peer.Publish{ID: id32(0x12), Size: 1})
	h.sends(3)
	h.hear(3, ids(5, 1, 0x12)...) // and wants it, and all that comes
	h.sends(3, 3)
	h.step(peer.Publish{ID: id32(0x13), Size: 1})
	h.sends(3, 3)
}

// Announced by 2 and 3, and not pushed: 2 is asked, then 3; what comes so late is
// announced at once to 1, to whom it would be pushed.
func TestTreeAsksForWhatIsLacking(t *testing.T) {
	h := newTreeHand(t, 3)
	h.neighbours(1, 2, 3)
	for _, d := range []byte{2, 3} { // edges 2 and 3 become lazy
		h.hear(1, gossip(0x10+d)...)
		h.checked(0x10+d, peer.VerdictHeld)
		h.hear(d, gossip(0x10+d)...)
	}
	h.pass(500)
	h.take(2)
	h.take(3)
	h.hear(2, ids(4, 0, 0x20)...)
	h.hear(3, ids(4, 0, 0x20)...)
	h.pass(100)
	h.sends(2)
	h.pass(400)
	h.sends(2, 5)
	h.sends(3)
	h.pass(600)
	h.sends(3, 5)
	h.take(1)
	h.hear(3, gossip(0x20)...)
	if !slices.Contains(h.got, id32(0x20)) {
		t.Error("not delivered")
	}
	h.checked(0x20, peer.VerdictHeld)
	h.sends(1, 4)
	h.hear(1, gossip(0x20)...) // 1 pushes it after all: no reason to prune
	h.sends(1)
	h.hear(2, gossip(0x20)...) // the answer of 2 was under way
	h.sends(2)
}

// A payload that is not what it is called ends the edge by which it came, and is taken
// from another; one that cannot be judged yet is not passed on.
func TestTreeVerdicts(t *testing.T) {
	h := newTreeHand(t, 3)
	h.neighbours(1, 2, 3)
	h.hear(1, gossip(0x10)...)
	h.checked(0x10, peer.VerdictFalse)
	if _, near := h.tree.Neighbours()[id32(1)]; near {
		t.Error("who lied is a neighbour")
	}
	h.sends(1, 1)
	h.hear(1, 1, 2)
	h.sends(1, 1)
	if _, near := h.tree.Neighbours()[id32(1)]; near {
		t.Error("who lied is a neighbour again")
	}
	h.hear(2, gossip(0x10)...)
	h.checked(0x10, peer.VerdictHeld)
	h.sends(3, 3)
	h.hear(2, gossip(0x11)...)
	h.checked(0x11, peer.VerdictLater)
	h.hear(3, ids(4, 0, 0x11)...)
	h.pass(5000)
	h.sends(3)
	if want := []peer.PayloadID{id32(0x10), id32(0x10), id32(0x11)}; !slices.Equal(h.got, want) {
		t.Errorf("delivered %x", h.got)
	}
}

// Who is no member is not heard, not asked and not connected to, whoever names it.
func TestTreeMembersAlone(t *testing.T) {
	h := newTreeHand(t, 3)
	h.step(peer.PeerUp{Device: id32(0x50)})
	for _, frame := range [][]byte{{1, 2}, gossip(0x10), ids(4, 0, 0x11), ids(5, 1, 0x10), ids(2, 0, 0x51)} {
		h.hear(0x50, frame...)
	}
	h.sends(0x50)
	h.neighbours(1)
	h.hear(1, ids(2, 0, 0x50, 0x51, 0x52)...)
	h.pass(200_000)
	for _, d := range h.want {
		if d[0] > 3 {
			t.Errorf("wants a session with %x", d[0])
		}
	}
	if len(h.got) > 0 {
		t.Errorf("delivered %x", h.got)
	}
	h.neighbours(2)
	h.step(peer.Members{Devices: handMembers(1)})
	if near := h.tree.Neighbours(); len(near) != 1 {
		t.Errorf("after a removal the neighbours are %v", near)
	}
	h.step(peer.Members{})
	if h.hear(1, gossip(0x12)...); len(h.tree.Neighbours()) > 0 || len(h.got) > 0 || h.wake != 0 {
		t.Errorf("a tree that is not in use has neighbours %v, delivers %x, wakes at %d", h.tree.Neighbours(), h.got, h.wake)
	}
}

// 1 announces what it never gives: the others are asked in its place, and before long it
// is no neighbour.
func TestTreeBrokenPromises(t *testing.T) {
	h := newTreeHand(t, 4)
	h.neighbours(1, 2, 3)
	asked := 0
	for i := byte(0x10); i < 0x30; i++ {
		h.hear(1, ids(4, 0, i)...)
		h.hear(2, ids(4, 0, i)...)
		for range 40 {
			h.pass(100)
			for _, kind := range h.take(1) {
				if kind == 5 {
					asked++
				}
			}
			if slices.Contains(h.take(2), 5) {
				h.hear(2, gossip(i)...)
				h.checked(i, peer.VerdictHeld)
			}
		}
	}
	if _, near := h.tree.Neighbours()[id32(1)]; near || asked > 10 {
		t.Errorf("asked %d times, a neighbour still: %v", asked, near)
	}
	if len(h.got) != 0x20 {
		t.Errorf("%d of 32 came", len(h.got))
	}
}

// Whatever one member sends, what is held stays bounded, and what is sent for it.
func TestTreeFlood(t *testing.T) {
	h := newTreeHand(t, 60)
	h.neighbours(1, 2, 3)
	random := rand.New(rand.NewPCG(1, 0))
	names := func(kind, flag byte) []byte {
		var list [][32]byte
		for range 1 + random.IntN(7) {
			id := id32(byte(random.Uint32()))
			id[1] = byte(random.Uint32()) // and devices that nobody has
			if random.IntN(2) == 0 {
				id = id32(id[0])
			}
			list = append(list, id)
		}
		slices.SortFunc(list, func(a, b [32]byte) int { return slices.Compare(a[:], b[:]) })
		list = slices.Compact(list)
		b := []byte{kind, flag, byte(0x40 | 32*len(list)>>8), byte(32 * len(list))}
		if len(list) == 1 {
			b = []byte{kind, flag, 32}
		}
		for _, id := range list {
			b = append(b, id[:]...)
		}
		return b
	}
	answers := 0
	for range 50_000 {
		switch random.IntN(8) {
		case 0:
			h.hear(1, 1, byte(1+random.IntN(4)))
		case 1:
			h.hear(1, names(2, byte(random.IntN(2)))...)
		case 2:
			h.hear(1, gossip(byte(random.Uint32()))...)
		case 3, 4:
			h.hear(1, names(4, byte(random.IntN(2)))...)
		case 5, 6:
			h.hear(1, names(5, byte(random.IntN(2)))...)
		case 7:
			h.hear(1, 6)
		}
		for len(h.got) > 0 {
			h.step(peer.Checked{ID: h.got[0], Verdict: peer.Verdict(1 + random.IntN(2))})
			h.got = h.got[1:]
		}
		answers += len(h.take(1))
		if random.IntN(100) == 0 {
			h.pass(uint64(random.IntN(300)))
		}
		for what, n := range h.tree.Held() {
			if n[0] > n[1] {
				t.Fatalf("%d %s, the bound is %d", n[0], what, n[1])
			}
		}
	}
	if answers > 5000 {
		t.Errorf("%d frames for the one who floods", answers)
	}
	if near := h.tree.Neighbours(); len(near) < 2 {
		t.Errorf("who floods pushed the others out: %v", near)
	}
}

// Other members ask for all places, urgently: those that this device chose stay.
func TestTreeOwnNeighboursStay(t *testing.T) {
	h := newTreeHand(t, 60)
	h.pass(10)
	for _, d := range h.want {
		h.step(peer.PeerUp{Device: d})
		h.hear(d[0], 1, 3)
	}
	own := h.tree.Neighbours()
	if len(own) != 3 {
		t.Fatalf("chose %d neighbours", len(own))
	}
	for round := range 50 {
		for d := byte(1); d <= 60; d++ {
			if _, chosen := own[id32(d)]; chosen {
				continue
			}
			if round == 0 {
				h.step(peer.PeerUp{Device: id32(d)})
			}
			h.hear(d, 1, 2)
		}
		h.pass(1500)
	}
	near := h.tree.Neighbours()
	for d := range own {
		if _, stays := near[d]; !stays {
			t.Errorf("%x was pushed out", d[0])
		}
	}
	if len(near) != 9 {
		t.Errorf("%d neighbours", len(near))
	}
}

// A clock that is set back by a year: what is due is not put off by a year.
func TestTreeClockSetBack(t *testing.T) {
	h := newTreeHand(t, 3)
	h.now += 365 * 24 * 3600 * 1000
	h.neighbours(1, 2)
	h.hear(1, gossip(0x10)...)
	h.checked(0x10, peer.VerdictHeld)
	h.hear(2, gossip(0x10)...)
	h.take(2)
	h.hear(1, ids(4, 0, 0x11)...)
	h.step(peer.Publish{ID: id32(0x12), Size: 1})
	h.now -= 365 * 24 * 3600 * 1000
	h.step(peer.Tick{})
	h.pass(3000)
	if !slices.Contains(h.take(1), 5) || !slices.Contains(h.take(2), 4) {
		t.Error("nothing was asked for, or announced")
	}
}
