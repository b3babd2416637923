package chain_test

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"testing"

	"kith/internal/chain"
	"kith/internal/wire"
)

// A tree of blocks drawn as text. Every part between bars is a path:
//
//	G -> A -> B | G -> C
//
// What a block does is written beside it, its author first:
//
//	ann rekeys            ann retitles
//	ann adds dan          ann admits dan     (as an admin)
//	ann removes ben       ann removes ben, adds ben
//	ann promotes ben      ann demotes ben
//	ann/2 rekeys          (her second device)
//	ann/2 revokes ann     (her first device)
//	dan revokes ann/2     (by her history)
//	dan revokes ann: 1+2 2-1    (by one in which her first device let the
//	                             second in, which revoked it)
//	ann lets in ann/3: 1+2 1+3  (her third device, by such a history; r is the
//	                             recovery key)
//	ann/3 enters: 1+2 1+3       (by itself)
//	ben slashes ann       (her first device, by whatever it signed twice)
//	dan carries B         (the removal that block B did, of a person or a device)
//	ann elects ben cat    (the voters from here on)
//	ann restarts          (the keys)
//
// Of bodies there is no more than what fork choice looks at.
type tree struct {
	t      testing.TB
	salt   int // changes every hash
	people map[string]*person
	blocks map[string]*chain.Block
	order  []string
	group  wire.GroupID
}

// plant makes the genesis G: names as in newGroup, with /2 for two devices.
func plant(t testing.TB, salt int, names string) *tree {
	t.Helper()
	f := &tree{t: t, salt: salt, people: map[string]*person{}, blocks: map[string]*chain.Block{}}
	var list []chain.Op
	var creator *person
	for i, name := range strings.Fields(names) {
		role, devices := chain.RoleMember, 1
		if s, ok := strings.CutSuffix(name, "*"); ok {
			name, role = s, chain.RoleAdmin
		}
		if s, ok := strings.CutSuffix(name, "/2"); ok {
			name, devices = s, 2
		}
		p := f.person(name)
		if i == 0 {
			creator = p
			list = append(list, p.genesis(chain.Policy{}))
			continue
		}
		list = append(list, p.add(role, devices))
	}
	f.block("G", nil, wire.BlockHash{}, creator.member(0), creator, 0, list)
	f.group = wire.GroupID(f.blocks["G"].Hash)
	return f
}

func (f *tree) person(name string) *person {
	if f.people[name] == nil {
		f.people[name] = newPerson(f.t, name)
	}
	return f.people[name]
}

func (f *tree) block(name string, parent *chain.State, hash wire.BlockHash, author wire.Member, p *person, device int, list []chain.Op) {
	f.t.Helper()
	p.seq[device]++
	h, s, err := chain.Draft(parent, chain.DraftParams{Suite: chain.SuiteAES, Parent: hash, Group: f.group, Author: author, AuthorSeq: p.seq[device], Ops: list})
	if err != nil {
		f.t.Fatalf("block %s: %v", name, err)
	}
	seed := sha256.Sum256(fmt.Appendf(nil, "%d %s", f.salt, name))
	copy(h.Signature[:], seed[:]) // any value: only the hash depends on it
	f.blocks[name] = &chain.Block{Hash: h.Hash(), Header: h, State: s}
	f.order = append(f.order, name)
}

// grow adds the blocks of a picture; does says what each does.
func (f *tree) grow(picture string, does map[string]string) {
	f.t.Helper()
	for path := range strings.SplitSeq(picture, "|") {
		var parent *chain.Block
		for name := range strings.SplitSeq(path, "->") {
			name = strings.TrimSpace(name)
			if f.blocks[name] == nil {
				f.act(name, parent, does[name])
			}
			parent = f.blocks[name]
		}
	}
}

// act makes the block name on parent, from its sentence.
func (f *tree) act(name string, parent *chain.Block, sentence string) {
	f.t.Helper()
	who, what, ok := strings.Cut(sentence, " ")
	if !ok || parent == nil {
		f.t.Fatalf("block %s does not say what it does: %q", name, sentence)
	}
	p, device := f.device(who)
	what, history, _ := strings.Cut(what, ": ")
	var list []chain.Op
	var papers [][]byte
	for clause := range strings.SplitSeq(what, ", ") {
		verb, target, _ := strings.Cut(clause, " ")
		switch verb {
		case "enters":
			target = who
		case "lets":
			target = strings.TrimPrefix(target, "in ")
		}
		if history == "" {
			list = append(list, f.op(parent, verb, target))
			continue
		}
		of, i := f.device(target)
		op, paper := of.telling(f.t, parent.State, verb, i, history)
		list, papers = append(list, op), append(papers, paper...)
	}
	f.block(name, parent.State, parent.Hash, p.member(device), p, device, list)
	if lost, ok := strings.CutPrefix(what, "carries "); ok {
		papers = [][]byte{f.losing(lost)}
		if _, ok := f.blocks[lost].Header.Ops[0].(*chain.RemoveDevice); ok {
			papers = append(papers, f.blocks[lost].Body.Attachments[0])
		}
	}
	if papers != nil {
		f.blocks[name].Body = &chain.Body{Attachments: papers}
	}
}

// device returns the device that a picture names.
func (f *tree) device(name string) (*person, int) {
	name, number, _ := strings.Cut(name, "/")
	if number == "" {
		return f.person(name), 0
	}
	return f.person(name), int(number[0] - '1')
}

func (f *tree) op(parent *chain.Block, verb, target string) chain.Op {
	switch verb {
	case "carries":
		return f.carry(parent, target)
	case "rekeys":
		return &chain.Rekey{}
	case "restarts":
		return anew(chain.SuiteAES)
	case "elects":
		return &chain.SetPolicy{Electorate: f.ids(strings.Fields(target)...)}
	case "retitles":
		return &chain.SetInfo{Info: sha256.Sum256(fmt.Append(nil, parent.Hash))}
	}
	p, device := f.device(target)
	m, _ := parent.State.Person(p.id)
	switch verb {
	case "revokes":
		return &chain.RemoveDevice{Person: p.id, Instance: m.Instance, PersonHead: p.head(), Device: p.device(device), Cites: []wire.Digest{chain.Cite(p.proof())}}
	case "slashes":
		return &chain.Slash{Person: p.id, Instance: m.Instance, Device: p.device(device), What: chain.SlashBlocks, Cites: make([]wire.Digest, 2)}
	case "adds":
		return p.add(chain.RoleMember, 1)
	case "admits":
		return p.add(chain.RoleAdmin, 1)
	case "removes":
		return &chain.Remove{Person: p.id, Instance: m.Instance}
	case "promotes":
		return &chain.SetRole{Person: p.id, Instance: m.Instance, Role: chain.RoleAdmin}
	case "demotes":
		return &chain.SetRole{Person: p.id, Instance: m.Instance, Role: chain.RoleMember}
	}
	f.t.Fatalf("no such verb: %s", verb)
	return nil
}

// carry returns the Carry of what the block named did.
func (f *tree) carry(parent *chain.Block, name string) *chain.Carry {
	op := &chain.Carry{Block: f.blocks[name].Hash, Cites: []wire.Digest{chain.Cite(f.losing(name))}}
	switch lost := f.blocks[name].Header.Ops[0].(type) {
	case *chain.Remove:
		op.Person = lost.Person
	case *chain.RemoveDevice:
		op.Person, op.Device, op.Cites = lost.Person, lost.Device, append(op.Cites, lost.Cites[0])
	}
	m, _ := parent.State.Person(op.Person)
	op.Instance = m.Instance
	return op
}

// ids returns the ids of people, as an electorate lists them.
func (f *tree) ids(names ...string) (list []wire.PersonID) {
	for _, name := range names {
		list = append(list, f.person(name).id)
	}
	slices.SortFunc(list, func(a, b wire.PersonID) int { return slices.Compare(a[:], b[:]) })
	return list
}

// losing returns what a Carry of a block cites, as far as fork choice reads it.
func (f *tree) losing(name string) []byte {
	return chain.MarshalProof([]*chain.Header{f.blocks[name].Header})
}

// all returns the blocks in the order they were made.
func (f *tree) all() (list []*chain.Block) {
	for _, name := range f.order {
		list = append(list, f.blocks[name])
	}
	return list
}

// name returns what a hash is called in the picture.
func (f *tree) name(hash wire.BlockHash) string {
	for name, b := range f.blocks {
		if b.Hash == hash {
			return name
		}
	}
	return "unknown"
}

// head returns the name of the head.
func (f *tree) head() string {
	return f.name(chain.Head(f.blocks["G"].Hash, f.all()))
}
