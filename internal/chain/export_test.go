package chain

import (
	"reflect"

	"kith/internal/wire"
)

// Light returns a block that keeps the rules V2 to V5, but has any hash and
// neither signature, body nor state root; nil if it breaks one.
func Light(parent *Block, hash wire.BlockHash, author wire.Member, ops ...Op) *Block {
	h := &Header{Height: parent.State.height + 1, Parent: parent.Hash, Author: author, AuthorSeq: parent.State.height + 1, Class: computedClass(ops), Ops: ops}
	s := *parent.State
	c := &change{State: &s, parent: parent.State, h: h}
	for _, step := range []func() error{c.author, c.authority, c.apply} {
		if step() != nil {
			return nil
		}
	}
	if c.height = h.Height; len(c.Admins()) == 0 {
		return nil
	}
	return &Block{Hash: hash, Header: h, State: &s}
}

// Rehash returns a copy of a block under other hashes.
func (b *Block) Rehash(parent, hash wire.BlockHash) *Block {
	h := *b.Header
	h.Parent = parent
	return &Block{Hash: hash, Header: &h, State: b.State}
}

// Insert adds a block made by Light.
func (b *Blocks) Insert(x *Block) { b.insert(&node{Block: *x}) }

// Rules returns the names of the switches of the fork choice.
func Rules() (names []string) {
	for f := range reflect.TypeFor[rules]().Fields() {
		names = append(names, f.Name)
	}
	return names
}

// HeadWith returns Head with one switch set.
func HeadWith(name string) func(wire.BlockHash, []*Block) wire.BlockHash {
	field, ok := reflect.TypeFor[rules]().FieldByName(name)
	if !ok {
		panic(name)
	}
	var r rules
	*(*bool)(reflect.ValueOf(&r).Elem().FieldByIndex(field.Index).Addr().UnsafePointer()) = true
	return r.head
}
