package node

import (
	"maps"
	"sync"

	"kith/internal/lookalike"
	"kith/internal/wire"
)

// alike are the people of a chat, present or former, with a name that looks like another's there. It is
// found out once somebody is shown.
type alike struct {
	names map[wire.PersonID]string

	once   sync.Once
	people map[wire.PersonID]bool
}

// alikeAmong is before, if the names are still the same.
func alikeAmong(names map[wire.PersonID]string, before *picture) *alike {
	if before != nil && before.alike != nil && maps.Equal(before.alike.names, names) {
		return before.alike
	}
	return &alike{names: names}
}

func (a *alike) has(p wire.PersonID) bool {
	if a == nil {
		return false
	}
	a.once.Do(func() {
		a.people = make(map[wire.PersonID]bool)
		strokes, small := make(map[string]wire.PersonID), make(map[string]wire.PersonID)
		note := func(as map[string]wire.PersonID, looks string, who wire.PersonID) {
			if other, there := as[looks]; there {
				a.people[who], a.people[other] = true, true
			}
			as[looks] = who
		}
		for who, name := range a.names {
			if looks := lookalike.Of(name); looks.Small != "" {
				note(strokes, looks.Strokes, who)
				note(small, looks.Small, who)
			}
		}
	})
	return a.people[p]
}

// hasNamesake reports whether somebody looks by name like another of the people that this node has a friendship
// with, or had, or may have.
func (n *Node) hasNamesake(p wire.PersonID) bool {
	n.mu.Lock()
	a := n.namesakes
	if a == nil {
		names := make(map[wire.PersonID]string, len(n.friends))
		for who, f := range n.friends {
			names[who] = f.name()
		}
		a = &alike{names: names}
		n.namesakes = a
	}
	n.mu.Unlock()
	return a.has(p)
}
