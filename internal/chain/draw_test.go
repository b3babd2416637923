package chain_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"kith/internal/chain"
	"kith/internal/wire"
)

// A draw is a random set of light blocks above a genesis.
type draw struct {
	t      testing.TB
	people []*person
	root   *chain.Block
	blocks []*chain.Block // root first, parents before children
	lines  []string       // what each is, for the reader
	used   map[string]bool
	verbs  []string // what its blocks do
	phones []int    // which devices sign them
}

func newDraw(t testing.TB, names string) *draw {
	f := plant(t, 0, names)
	d := &draw{t: t, root: f.blocks["G"], used: map[string]bool{}, verbs: drawn, phones: []int{0, 0, 0, 0, 0, 1, 1, 2, 3}}
	for name := range strings.FieldsSeq(strings.NewReplacer("*", "", "/2", "").Replace(names)) {
		d.people = append(d.people, f.person(name))
	}
	d.reset()
	return d
}

func (d *draw) reset() {
	d.blocks, d.lines = []*chain.Block{d.root}, []string{"G"}
	clear(d.used)
}

// fill draws n blocks. twins says how often a device may sign twice on a parent.
func (d *draw) fill(r *rand.Rand, n int, twins float64) {
	for len(d.blocks) <= n {
		d.step(r, twins)
	}
}

var drawn = []string{"rekeys", "rekeys", "retitles", "adds", "admits", "removes", "removes", "removes", "removes", "removes", "promotes", "demotes", "demotes", "revokes", "carries", "carries", "slashes", "tells", "tells", "lets", "enters", "parts"}

func (d *draw) step(r *rand.Rand, twins float64) {
	at := r.IntN(len(d.blocks))
	if r.IntN(3) == 0 {
		at = len(d.blocks) - 1
	}
	parent := d.blocks[at]
	who, device := d.people[r.IntN(len(d.people))], d.phones[r.IntN(len(d.phones))]
	verb, target := d.verbs[r.IntN(len(d.verbs))], d.people[r.IntN(len(d.people))]
	revoked := r.IntN(2)
	seat := fmt.Sprint(at, who.name, device)
	if d.used[seat] && r.Float64() >= twins {
		return
	}
	var hash wire.BlockHash
	for i := 0; i < len(hash); i += 8 {
		binary.BigEndian.PutUint64(hash[i:], r.Uint64())
	}
	var op chain.Op
	var body *chain.Body
	words := ""
	switch verb {
	case "carries":
		op, body = d.carry(parent, r)
	case "parts":
		op, body = d.carryDevice(parent, r)
	case "tells":
		op, body, words = d.telling(parent, "revokes", target, revoked, r)
	case "lets":
		revoked += 2
		op, body, words = d.telling(parent, "lets", target, revoked, r)
	case "enters":
		target, revoked = who, device
		op, body, words = d.telling(parent, "enters", who, device, r)
	default:
		op = lightOp(parent, who, verb, target, revoked)
	}
	if op == nil {
		return
	}
	b := chain.Light(parent, hash, who.member(device), op)
	if b == nil {
		return
	}
	b.Body = body
	d.used[seat] = true
	d.blocks = append(d.blocks, b)
	d.lines = append(d.lines, fmt.Sprintf("%d -> %d: %s/%d %s %s/%d %s, hash %x", at, len(d.lines), who.name, device+1, verb, target.name, revoked+1, words, hash[:2]))
}

// carry returns the Carry of some removal on another branch; nil if there is none.
func (d *draw) carry(parent *chain.Block, r *rand.Rand) (chain.Op, *chain.Body) {
	for _, i := range r.Perm(len(d.blocks)) {
		b := d.blocks[i]
		remove, ok := b.Header.Ops[0].(*chain.Remove)
		if !ok {
			continue
		}
		if m, ok := parent.State.Person(remove.Person); ok && m.Status != chain.StatusRemoved && m.Instance == remove.Instance {
			proof := chain.MarshalProof([]*chain.Header{b.Header})
			return &chain.Carry{Block: b.Hash, Person: m.Person, Instance: m.Instance, Cites: []wire.Digest{chain.Cite(proof)}}, &chain.Body{Attachments: [][]byte{proof}}
		}
	}
	return nil, nil
}

// carryDevice returns the Carry of some revocation on another branch.
func (d *draw) carryDevice(parent *chain.Block, r *rand.Rand) (chain.Op, *chain.Body) {
	for _, i := range r.Perm(len(d.blocks)) {
		b := d.blocks[i]
		lost, ok := b.Header.Ops[0].(*chain.RemoveDevice)
		if !ok || b.Body == nil || !parent.State.Belongs(lost.Device) {
			continue
		}
		m, _ := parent.State.Person(lost.Person)
		proof := chain.MarshalProof([]*chain.Header{b.Header})
		return &chain.Carry{
			Block: b.Hash, Person: m.Person, Instance: m.Instance, Device: lost.Device, Cites: []wire.Digest{chain.Cite(proof), lost.Cites[0]},
		}, &chain.Body{Attachments: [][]byte{proof, b.Body.Attachments[0]}}
	}
	return nil, nil
}

// histories are what people tell of their devices, the second of which the first
// let in.
var histories = []string{
	"1+2 2-1", "1+2 2-1", "1+2 1-2", "1+2 1+3", "1+2 1+3 3-1", "1+2 1+3 3-1 3-2", "1+2 2-1 2+3", "1+2 2-1 2+4", "1+2 2-1 2+4 4+3",
	"1+2 1+4 4-2", "1+2 r+3-1", "1+2 r+4-1-2", "1+2 r+3-1 r+4-3", "1+2 r+3-1 3+4 3-2",
}

// telling is person.telling by some history that says so; nil if none was found.
func (d *draw) telling(parent *chain.Block, verb string, of *person, device int, r *rand.Rand) (chain.Op, *chain.Body, string) {
	for _, i := range r.Perm(len(histories)) {
		s := of.tell(d.t, histories[i]).state
		if _, it, ok := s.Device(of.device(device)); !ok || (it.Status == chain.StatusRevoked) != (verb == "revokes") {
			continue
		}
		op, papers := of.telling(d.t, parent.State, verb, device, histories[i])
		return op, &chain.Body{Attachments: papers}, histories[i]
	}
	return nil, nil, ""
}

// lightOp returns the op of a sentence without what it would have to cite.
func lightOp(parent *chain.Block, who *person, verb string, target *person, device int) chain.Op {
	m, _ := parent.State.Person(target.id)
	switch verb {
	case "rekeys":
		return &chain.Rekey{}
	case "retitles":
		return &chain.SetInfo{Info: wire.Digest(parent.Hash)}
	case "adds":
		return target.lightAdd(chain.RoleMember)
	case "admits":
		return target.lightAdd(chain.RoleAdmin)
	case "removes":
		return &chain.Remove{Person: target.id, Instance: m.Instance}
	case "promotes":
		return &chain.SetRole{Person: target.id, Instance: m.Instance, Role: chain.RoleAdmin}
	case "demotes":
		return &chain.SetRole{Person: target.id, Instance: m.Instance, Role: chain.RoleMember}
	case "slashes":
		return &chain.Slash{Person: target.id, Instance: m.Instance, Device: target.device(device), What: chain.SlashBlocks, Cites: make([]wire.Digest, 2)}
	case "revokes":
		return &chain.RemoveDevice{Person: target.id, Instance: m.Instance, PersonHead: target.head(), Device: target.device(device), Cites: []wire.Digest{chain.Cite(target.proof())}}
	}
	panic(verb)
}

// lightAdd is an Add of both devices, made once: the walks ask for it all the time.
func (p *person) lightAdd(role chain.Role) *chain.Add {
	if p.adds[role] == nil {
		p.adds[role] = p.add(role, 2)
	}
	return p.adds[role]
}

func (d *draw) String() string { return strings.Join(d.lines, "\n") }

// name returns the number of a block in the list.
func (d *draw) name(hash wire.BlockHash) int {
	return slices.IndexFunc(d.blocks, func(b *chain.Block) bool { return b.Hash == hash })
}

// draws says how many random sets to try: KITH_DRAWS, or a few.
func draws(few int) int {
	if n, err := strconv.Atoi(os.Getenv("KITH_DRAWS")); err == nil {
		return n
	}
	return few
}

// strangers are no members at first.
func (d *draw) strangers(names ...string) {
	for _, name := range names {
		d.people = append(d.people, newPerson(d.t, name))
	}
}

const drawnPeople = "ann ben/2* cat/2* dan eve/2"

// drawnDevices is what is drawn where it matters which devices speak.
var drawnDevices = []string{"rekeys", "removes", "removes", "demotes", "tells", "lets", "lets", "enters", "enters"}
