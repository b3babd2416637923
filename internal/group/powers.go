package group

import (
	"bytes"
	"slices"

	"kith/internal/chain"
	"kith/internal/wire"
)

// What an admin does to the messages of others is judged at two blocks, which are in signed
// headers and the same for everybody, in whatever order things come: at that of its own
// entry, and, where the message was written at a later one, at that too. An entry
// names its block itself, and one from before its author lost the role would else
// reach all that is said as long as others keep the keys of that block
// (docs/spec/content.md, "What is shown of a message").

// powers returns what a person may do to the messages of others at a block.
func powers(at *chain.State, person wire.PersonID) Powers {
	switch {
	case at == nil:
		return 0
	case at.DirectChat():
		return MayArrange
	case at.IsAdmin(person):
		return MayRemove | MayArrange
	}
	return 0
}

// mayAnnotate refuses what would change nothing for anybody.
func (m *Machine) mayAnnotate(c Content) error {
	of, about := c.About()
	if !about {
		return nil
	}
	mine, may := of.Person == m.self.Person, powers(m.state(), m.self.Person)
	switch c.Kind {
	case ContentEdit, ContentClose:
		if !mine {
			return refuse(ReasonAuthor, nil)
		}
	case ContentDelete:
		if !mine && may&MayRemove == 0 {
			return refuse(ReasonRole, nil)
		}
	case ContentPin:
		if may&MayArrange == 0 {
			return refuse(ReasonRole, nil)
		}
	}
	return nil
}

// extends reports whether a power takes away what was written at a block.
func (m *Machine) extends(by power, written wire.BlockHash) bool {
	return !m.blocks.IsAncestor(by.block, written) || powers(m.stateAt(written), by.person)&MayRemove != 0
}

// beyond returns the blocks that a power does not reach.
func (m *Machine) beyond(by power) (list []wire.BlockHash) {
	todo := m.blocks.Children(by.block)
	for len(todo) > 0 {
		next := todo[len(todo)-1]
		todo = append(todo[:len(todo)-1], m.blocks.Children(next)...)
		if !m.extends(by, next) {
			list = append(list, next)
		}
	}
	slices.SortFunc(list, func(a, b wire.BlockHash) int { return bytes.Compare(a[:], b[:]) })
	return list
}

// goneAs returns as what a message is gone of which an entry of a block is a copy.
func (m *Machine) goneAs(t Target, written wire.BlockHash) erased {
	return m.gone.as(t) | m.gone.asBy(t, func(by power) bool { return m.extends(by, written) })
}
