package chain_test

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"kith/internal/chain"
	"kith/internal/wire"
)

// A family is every set of up to so many blocks in the chain of one person with
// three devices and a phrase, seen as an explorer sees those of a group.
type family struct {
	devices [4]wire.DeviceID // the last is the recovery key
	acts    []act            // by a device; target 3 is nobody
	most    int
	broken  func(check string, f *family)

	blocks []*chain.Block // 0 to 2 let the devices in
	up     []int
	did    []int
	serial uint64
	sets   int
	stop   bool
}

const (
	rekeys  = "rekeys"
	revokes = "revokes"
	speaks  = "speaks" // the recovery key; it may revoke somebody with it
)

func newFamily(t testing.TB, most int) *family {
	k, third := newKin(t, "rae"), newPerson(t, "third")
	f := &family{most: most, devices: [4]wire.DeviceID{k.device(0), k.device(1), third.device(0), k.device(phrase)}}
	k.two()
	k.grow(k.blocks.Head(), 0, [][]byte{third.knock[0]}, third.addOwn(0))
	for height := range uint64(3) {
		hash := k.blocks.Ancestor(k.blocks.Head(), height)
		f.blocks = append(f.blocks, &chain.Block{Hash: hash, Header: k.blocks.Header(hash), State: k.blocks.State(hash)})
		f.up, f.did = append(f.up, int(height)-1), append(f.did, -1)
	}
	for i := range 3 {
		f.acts = append(f.acts, act{who: i, verb: rekeys, target: 3})
		for j := range 3 {
			if j != i {
				f.acts = append(f.acts, act{who: i, verb: revokes, target: j})
			}
		}
	}
	for j := range 4 {
		f.acts = append(f.acts, act{who: 3, verb: speaks, target: j})
	}
	return f
}

func (f *family) ops(a act) (ops []chain.Op) {
	if a.target < 3 {
		ops = append(ops, drop(f.devices[a.target]))
	}
	switch a.verb {
	case rekeys:
		ops = append(ops, &chain.Rekey{})
	case speaks:
		ops = append(ops, anew(chain.SuiteAES))
	}
	return ops
}

func (f *family) walk() {
	last := len(f.blocks) - 1
	for at := max(2, f.up[last]); at <= last && !f.stop; at++ {
		first := 0
		if at == f.up[last] {
			first = max(0, f.did[last])
		}
		for i := first; i < len(f.acts) && !f.stop; i++ {
			a := f.acts[i]
			if f.twin(at, a.who) {
				continue
			}
			f.serial++
			b := chain.Light(f.blocks[at], number(f.serial), wire.Member{Device: f.devices[a.who]}, f.ops(a)...)
			if b == nil {
				continue
			}
			b.Header.AuthorSeq = f.seq(at, a.who)
			f.push(b, at, i)
		}
	}
}

// seq counts the blocks of a device on the way to block at, and one more.
func (f *family) seq(at, who int) (n uint64) {
	for n = 1; at >= 0; at = f.up[at] {
		if f.blocks[at].Header.Author.Device == f.devices[who] {
			n++
		}
	}
	return n
}

func (f *family) twin(at, who int) bool {
	for j, up := range f.up {
		if up == at && j > 2 && f.acts[f.did[j]].who == who {
			return true
		}
	}
	return false
}

func (f *family) push(b *chain.Block, at, i int) {
	f.blocks, f.up, f.did = append(f.blocks, b), append(f.up, at), append(f.did, i)
	f.sets++
	f.check()
	if len(f.blocks) < f.most+3 && !f.stop {
		f.walk()
	}
	n := len(f.blocks) - 1
	f.blocks, f.up, f.did = f.blocks[:n], f.up[:n], f.did[:n]
}

func (f *family) check() {
	held := f.hold(f.blocks)
	head := slices.IndexFunc(f.blocks, func(b *chain.Block) bool { return b.Hash == held.Head() })
	for name, holds := range map[string]bool{
		"the head stands on the recovery key's newest block": f.under(f.newest(), head),
		"suspended are those who revoked each other":         slices.Equal(held.Suspended(), f.suspended()),
		"the order of blocks decides nothing":                f.anyOrder(held),
		"a revocation that nobody answers holds at once":     f.unanswered(head),
	} {
		if !holds && !f.stop {
			f.stop = true
			f.broken(name, f)
		}
	}
}

func (f *family) hold(list []*chain.Block) *chain.Blocks {
	held := chain.NewBlocks()
	for _, b := range list {
		held.Insert(b)
	}
	return held
}

// newest is the block that settles, from the words alone: of the recovery key,
// with the highest author_seq, then height, then the lower hash.
func (f *family) newest() int {
	best := -1
	for i, b := range f.blocks {
		if b.Header.Author.Device != f.devices[3] {
			continue
		}
		if best < 0 {
			best = i
			continue
		}
		a, c := b.Header, f.blocks[best].Header
		switch {
		case a.AuthorSeq != c.AuthorSeq:
			if a.AuthorSeq > c.AuthorSeq {
				best = i
			}
		case a.Height != c.Height:
			if a.Height > c.Height {
				best = i
			}
		default: // the walk numbers blocks; this rule hashes the header
			if one, other := a.Hash(), c.Hash(); bytes.Compare(one[:], other[:]) < 0 {
				best = i
			}
		}
	}
	return max(0, best)
}

func (f *family) under(at, i int) bool {
	for i > at {
		i = f.up[i]
	}
	return i == at
}

// said lists who revoked whom above the settled block.
func (f *family) said() (said [4][4]bool) {
	settled := f.newest()
	for i := 3; i < len(f.blocks); i++ {
		if a := f.acts[f.did[i]]; a.target < 3 && i != settled && f.under(settled, i) {
			said[a.who][a.target] = true
		}
	}
	return said
}

func (f *family) suspended() (list []wire.DeviceID) {
	said := f.said()
	for i := range 3 {
		for j := range 3 {
			if said[i][j] && said[j][i] && !slices.Contains(list, f.devices[i]) {
				list = append(list, f.devices[i])
			}
		}
	}
	slices.SortFunc(list, func(a, b wire.DeviceID) int { return bytes.Compare(a[:], b[:]) })
	return list
}

// anyOrder takes the blocks in deep first, which children first.
func (f *family) anyOrder(held *chain.Blocks) bool {
	var list []*chain.Block
	var deep func(at int)
	deep = func(at int) {
		list = append(list, f.blocks[at])
		for i := len(f.blocks) - 1; i > at; i-- {
			if f.up[i] == at {
				deep(i)
			}
		}
	}
	deep(0)
	other := f.hold(list)
	return other.Head() == held.Head() && slices.Equal(other.Suspended(), held.Suspended())
}

// unanswered: who was revoked above the settled block by a device that nobody
// revokes, and revoked nobody, is out at the head; but for where the revocation
// lost to another one, which stands at the head: then it is signed again.
func (f *family) unanswered(head int) bool {
	said, settled := f.said(), f.newest()
	for i := head; i > settled; i = f.up[i] {
		if i > 2 && f.acts[f.did[i]].verb == revokes {
			return true
		}
	}
	for j := range 3 {
		by, answers := false, false
		for i := range 3 {
			answers = answers || said[j][i]
			by = by || said[i][j] && !said[0][i] && !said[1][i] && !said[2][i]
		}
		if by && !answers && f.blocks[head].State.Active(f.devices[j]) {
			return false
		}
	}
	return true
}

func (f *family) String() string {
	var s strings.Builder
	for i := 3; i < len(f.blocks); i++ {
		a := f.acts[f.did[i]]
		fmt.Fprintf(&s, "%d -> %d: %d %s %d\n", f.up[i], i, a.who, a.verb, a.target)
	}
	return s.String()
}

// TestExplorePerson walks through every small chain of a person.
func TestExplorePerson(t *testing.T) {
	most := 4
	if os.Getenv("KITH_EXPLORE") == "big" {
		most = 5
	}
	f := newFamily(t, most)
	f.broken = func(check string, f *family) { t.Errorf("%s:\n%s", check, f) }
	f.walk()
	t.Logf("%d sets of up to %d blocks", f.sets, most)
	if f.sets < 1000 {
		t.Error("there must be more")
	}
}
