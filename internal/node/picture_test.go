package node_test

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"kith/internal/chain"
	"kith/internal/node"
	"kith/internal/wire"
)

// A sketch is a tree of blocks drawn as text, as in package chain's tests:
//
//	G -> A -> B | G -> C
//
// Every block's sentence begins with its author, or author/2 for a second
// device; a time in minutes may stand in front: "5 ann removes ben". The people
// of the genesis are ann (its maker), ben and cat as admins, dan and eve.
type sketch struct {
	t      testing.TB
	blocks *chain.Blocks
	names  map[wire.BlockHash]string
	hashes map[string]wire.BlockHash
	seq    map[wire.DeviceID]uint64
	salt   int
}

func newSketch(t testing.TB, salt int) *sketch {
	s := &sketch{t: t, blocks: chain.NewBlocks(), names: map[wire.BlockHash]string{}, hashes: map[string]wire.BlockHash{}, seq: map[wire.DeviceID]uint64{}, salt: salt}
	ops := []chain.Op{&chain.Genesis{
		Nonce: [32]byte{1}, Creator: who("ann"), PersonHead: wire.BlockHash(who("ann")), Device: entry("ann", 0),
		Info: titleOf("first"), Cites: make([]wire.Digest, 2),
	}}
	for _, name := range []string{"ben", "cat", "dan", "eve"} {
		role := chain.RoleMember
		if name < "d" {
			role = chain.RoleAdmin
		}
		ops = append(ops, adds(name, role))
	}
	s.add("G", nil, wire.BlockHash{}, wire.Member{Person: who("ann"), Device: entry("ann", 0).ID()}, 0, ops)
	return s
}

func who(name string) wire.PersonID { return sha256.Sum256([]byte(name)) }

func titleOf(text string) wire.Digest { return sha256.Sum256([]byte("title " + text)) }

func entry(name string, i int) chain.DeviceEntry {
	return chain.DeviceEntry{Key: sha256.Sum256(fmt.Appendf(nil, "%s %d", name, i))}
}

func adds(name string, role chain.Role) *chain.Add {
	return &chain.Add{
		Person: who(name), PersonHead: wire.BlockHash(who(name)), Role: role,
		Devices: []chain.DeviceEntry{entry(name, 0), entry(name, 1)}, Cites: make([]wire.Digest, 3),
	}
}

// add makes a block; nobody looks at its signature, which here is a salt.
func (s *sketch) add(name string, parent *chain.State, hash wire.BlockHash, author wire.Member, minute int, ops []chain.Op) {
	s.t.Helper()
	s.seq[author.Device]++
	h, state, err := chain.Draft(parent, chain.DraftParams{
		Suite: chain.SuiteAES, Parent: hash, Group: wire.GroupID(s.blocks.Genesis()), Author: author,
		AuthorSeq: s.seq[author.Device], Ops: ops, CreatedAt: uint64(minute) * 60_000,
	})
	if err != nil {
		s.t.Fatalf("block %s: %v", name, err)
	}
	seed := sha256.Sum256(fmt.Appendf(nil, "%d %s", s.salt, name))
	copy(h.Signature[:], seed[:])
	if err := s.blocks.Add(h, nil, state); err != nil {
		s.t.Fatal(err)
	}
	s.names[h.Hash()], s.hashes[name] = name, h.Hash()
}

// grow adds the blocks of a picture; does says what each does.
func (s *sketch) grow(picture string, does map[string]string) {
	s.t.Helper()
	for path := range strings.SplitSeq(picture, "|") {
		var parent wire.BlockHash
		for name := range strings.SplitSeq(path, "->") {
			name = strings.TrimSpace(name)
			if _, held := s.hashes[name]; !held {
				s.act(name, parent, does[name])
			}
			parent = s.hashes[name]
		}
	}
}

func (s *sketch) act(name string, parent wire.BlockHash, sentence string) {
	s.t.Helper()
	minute := 0
	if n, err := fmt.Sscan(sentence, &minute); n == 1 && err == nil {
		_, sentence, _ = strings.Cut(sentence, " ")
	}
	author, what, _ := strings.Cut(sentence, " ")
	author, second := strings.CutSuffix(author, "/2")
	device := entry(author, 0)
	if second {
		device = entry(author, 1)
	}
	var ops []chain.Op
	for clause := range strings.SplitSeq(what, ", ") {
		verb, target, _ := strings.Cut(clause, " ")
		ops = append(ops, s.op(s.blocks.State(parent), verb, target))
	}
	s.add(name, s.blocks.State(parent), parent, wire.Member{Person: who(author), Device: device.ID()}, minute, ops)
}

func (s *sketch) op(at *chain.State, verb, target string) chain.Op {
	m, _ := at.Person(who(target))
	switch verb {
	case "rekeys":
		return &chain.Rekey{}
	case "titles":
		return &chain.SetInfo{Info: titleOf(target)}
	case "adds":
		return adds(target, chain.RoleMember)
	case "removes":
		return &chain.Remove{Person: m.Person, Instance: m.Instance}
	case "promotes":
		return &chain.SetRole{Person: m.Person, Instance: m.Instance, Role: chain.RoleAdmin}
	case "demotes":
		return &chain.SetRole{Person: m.Person, Instance: m.Instance, Role: chain.RoleMember}
	}
	s.t.Fatalf("no such verb: %s", verb)
	return nil
}

func (s *sketch) draw() map[wire.BlockHash]*node.Drawn {
	return node.Draw(s.blocks, func(wire.Digest) string { return "" }, nil)
}

// text is the picture: a line for each height with a column for each lane,
// then what is to be said of each block, in the order of the lanes.
func (s *sketch) text() string {
	drawn := s.draw()
	var lines []string
	var said []string
	for _, hash := range s.blocks.All() {
		d, height := drawn[hash], int(s.blocks.Header(hash).Height)
		for len(lines) <= height {
			lines = append(lines, "")
		}
		columns := strings.Fields(lines[height])
		for len(columns) <= d.Lane {
			columns = append(columns, ".")
		}
		columns[d.Lane] = s.names[hash]
		lines[height] = strings.Join(columns, " ")
		if say := s.say(d); say != "" {
			said = append(said, s.names[hash]+say)
		}
	}
	slices.Sort(said)
	return strings.Join(append(lines, said...), "\n")
}

func (s *sketch) say(d *node.Drawn) (text string) {
	text += map[node.Fate]string{node.FateUndone: " undone", node.FateAgain: " again"}[d.Fate]
	for i, again := range d.Again {
		if again != (wire.BlockHash{}) {
			text += fmt.Sprintf(" (%d in %s)", i, s.names[again])
		}
	}
	if l := d.Loss; l != nil {
		text += ", " + map[chain.Why]string{chain.WhyStruck: "struck", chain.WhyWeight: "outweighed", chain.WhySenior: "junior", chain.WhyDevice: "later device", chain.WhyTwice: "signed twice"}[l.Why]
		if l.By != (wire.BlockHash{}) {
			text += " by " + s.names[l.By]
		}
		if l.Mutual != (wire.BlockHash{}) {
			text += " answered by " + s.names[l.Mutual]
		}
		text += fmt.Sprintf(", %s over %s after %s", s.names[l.Won], s.names[l.Lost], s.names[l.Fork])
	}
	for _, twin := range d.Twins {
		text += ", twin " + s.names[twin]
	}
	if p := d.Split; p != nil {
		text += fmt.Sprintf(" split %d to %d, %d undone, %d again", p.From/60_000, p.To/60_000, p.Undone, p.Again)
	}
	return text
}

var pictures = []struct {
	name, picture string
	does          map[string]string
	want          string
}{
	{
		"one line", "G -> A -> B",
		map[string]string{"A": "ann rekeys", "B": "ben titles x"},
		"G\nA\nB",
	},
	{
		"two admins remove each other", "G -> A -> C | G -> B",
		map[string]string{"A": "2 ann removes ben", "B": "5 ben removes ann", "C": "9 ann rekeys"},
		"G\nA B\nC\nB undone, struck by A answered by B, A over B after G\nG split 2 to 5, 1 undone, 0 again",
	},
	{
		"what the removed one did goes with it", "G -> A | G -> B -> C",
		map[string]string{"A": "1 ann removes ben", "B": "1 ben adds fox", "C": "3 dan rekeys"},
		"G\nA B\n. C\nB undone, struck by A, A over B after G\nC undone, struck by A, A over B after G\nG split 1 to 3, 1 undone, 0 again",
	},
	{
		"the removal stands deeper", "G -> A -> R | G -> X -> Y",
		map[string]string{"A": "cat rekeys", "R": "ann removes ben", "X": "cat rekeys", "Y": "ben removes ann"},
		"G\nA X\nR Y\nA, twin X\nG split 0 to 0, 1 undone, 0 again\n" +
			"X undone, outweighed by R, A over X after G, twin A\nY undone, outweighed by R, A over X after G",
	},
	{
		"admin work before renewed keys", "G -> A | G -> B",
		map[string]string{"A": "ann rekeys", "B": "ben adds fox"},
		"G\nB A\nA undone, outweighed by B, B over A after G\nG split 0 to 0, 0 undone, 0 again",
	},
	{
		"what lost is done again", "G -> A -> C -> D | G -> B",
		map[string]string{"A": "10 ann removes dan", "B": "12 ben adds gus, removes eve", "C": "20 ben adds gus", "D": "21 ben removes eve"},
		"G\nA B\nC\nD\nB again (0 in C) (1 in D), junior, A over B after G\nG split 10 to 12, 2 undone, 2 again",
	},
	{
		"seniority", "G -> A -> C | G -> B",
		map[string]string{"A": "10 ann adds fox", "B": "12 ben adds gus, adds hal", "C": "20 ben adds gus"},
		"G\nA B\nC\nB undone (0 in C), junior, A over B after G\nG split 10 to 12, 2 undone, 1 again",
	},
	{
		"the later device", "G -> A | G -> B",
		map[string]string{"A": "ben/2 titles x", "B": "ben titles y"},
		"G\nB A\nA undone, later device, B over A after G\nG split 0 to 0, 1 undone, 0 again",
	},
	{
		"three ways, a branch of a branch, and a lane used again",
		"G -> A -> D -> E -> F | G -> B -> H | B -> I | G -> C | E -> J",
		map[string]string{
			"A": "1 ann adds fox", "B": "2 ben titles x", "C": "2 cat titles y", "D": "3 ann rekeys", "E": "7 ann rekeys",
			"F": "8 ann rekeys", "H": "4 ben rekeys", "I": "5 dan rekeys", "J": "9 dan rekeys",
		},
		"G\nA B . C\nD I H\nE\nF J\n" +
			"B undone, junior, A over B after G\nC undone, junior, A over C after G\nE split 8 to 9, 0 undone, 0 again\n" +
			"G split 1 to 5, 2 undone, 0 again\nH undone, junior, A over B after G\nI undone, junior, A over B after G\nJ undone, junior, F over J after E",
	},
}

func TestPictures(t *testing.T) {
	for _, c := range pictures {
		s := newSketch(t, 0)
		s.grow(c.picture, c.does)
		if got := s.text(); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, got, c.want)
		}
	}
}

// wildSketch grows a tree at random.
func wildSketch(t testing.TB, r *rand.Rand, n, salt int) *sketch {
	s := newSketch(t, salt)
	names := []string{"ann", "ben", "cat", "dan", "eve"}
	for tries := 0; s.blocks.Len() < n && tries < 20*n; tries++ {
		all := s.blocks.All()
		parent := all[r.IntN(len(all))]
		at := s.blocks.State(parent)
		author, target := names[r.IntN(len(names))], names[r.IntN(len(names))]
		verb := []string{"rekeys", "titles", "adds", "removes", "removes", "demotes", "promotes"}[r.IntN(7)]
		if !allowed(at, author, verb, target) {
			continue
		}
		if verb == "titles" {
			target = strconv.Itoa(tries)
		}
		if r.IntN(5) == 0 {
			author += "/2"
			if author == "ann/2" {
				continue // the maker of the group has one device
			}
		}
		s.act(fmt.Sprintf("b%d", tries), parent, fmt.Sprintf("%d %s %s %s", tries, author, verb, target))
	}
	return s
}

func allowed(at *chain.State, author, verb, target string) bool {
	me, in := at.Person(who(author))
	m, known := at.Person(who(target))
	member := known && m.Status == chain.StatusActive
	admin := at.IsAdmin(who(author))
	last := len(at.Admins()) == 1 && at.IsAdmin(who(target))
	switch {
	case !in || me.Status != chain.StatusActive:
		return false
	case verb == "rekeys":
		return true
	case !admin:
		return false
	case verb == "titles":
		return true
	case verb == "adds":
		return !member && target != "ann"
	case verb == "removes":
		return member && author != target && !last
	case verb == "demotes":
		return member && m.Role == chain.RoleAdmin && !last
	}
	return member && m.Role == chain.RoleMember
}

// TestEveryLossHasItsReason grows trees at random: the steps that the picture
// goes through choose what the fork choice chose, no two blocks lie on each
// other, and no branch crosses a lane that is in use.
func TestEveryLossHasItsReason(t *testing.T) {
	why := map[chain.Why]int{}
	for seed := range uint64(400) {
		s := wildSketch(t, rand.New(rand.NewPCG(seed, 3)), 14, int(seed))
		drawn := s.draw()
		type spot struct {
			height uint64
			lane   int
		}
		spots := map[spot]string{}
		on := s.blocks.Chain()
		for _, hash := range s.blocks.All() {
			d, h, name := drawn[hash], s.blocks.Header(hash), s.names[hash]
			if other := spots[spot{h.Height, d.Lane}]; other != "" {
				t.Fatalf("seed %d: %s lies on %s", seed, name, other)
			}
			spots[spot{h.Height, d.Lane}] = name
			stands := slices.Contains(on, hash)
			if stands != (d.Loss == nil) || stands != (d.Lane == 0) || stands != (d.Fate == node.FateStands) {
				t.Fatalf("seed %d: %s on the chain %v: %+v", seed, name, stands, d)
			}
			if parent := drawn[h.Parent]; parent != nil && parent.Lane > d.Lane {
				t.Errorf("seed %d: %s parts to the left", seed, name)
			}
			if d.Loss != nil {
				why[d.Loss.Why]++
				if struck := d.Loss.Why == chain.WhyStruck || d.Loss.Why == chain.WhyWeight; struck != (d.Loss.By != wire.BlockHash{}) {
					t.Errorf("seed %d: %s lost by %+v", seed, name, d.Loss)
				}
				if d.Loss.Why == chain.WhySettled {
					t.Errorf("seed %d: %s lost, but the fork choice chose it", seed, name)
				}
			}
		}
	}
	for w := chain.WhyStruck; w <= chain.WhyTwice; w++ {
		if why[w] == 0 && w != chain.WhyRevoked {
			t.Errorf("nothing lost for reason %d: %v", w, why)
		}
	}
}

// TestManyTwins: a device that signs many blocks in one place is named by a few of
// them; the picture does not grow with the square of what it signs.
func TestManyTwins(t *testing.T) {
	s := newSketch(t, 0)
	root := s.hashes["G"]
	for i := range 100 {
		s.seq[entry("dan", 0).ID()] = 0 // each the first that it signs
		s.add(fmt.Sprint("T", i), s.blocks.State(root), root, wire.Member{Person: who("dan"), Device: entry("dan", 0).ID()}, i, []chain.Op{&chain.Rekey{}})
	}
	drawn := s.draw()
	for name, hash := range s.hashes {
		if n := len(drawn[hash].Twins); name != "G" && (n < 1 || n > 8) {
			t.Errorf("block %s has %d twins", name, n)
		}
	}
}
