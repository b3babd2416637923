package node_test

import (
	"testing"

	"kith/internal/group"
	"kith/internal/wire"
)

// TestAddedAgainWhileOff: Cleo is removed and added again while her program is
// off, so that it learns of both at once. She is asked again.
func TestAddedAgainWhileOff(t *testing.T) {
	t.Parallel()
	ann, ben, cleo := start(t, "Ann", t.TempDir()), start(t, "Ben", t.TempDir()), start(t, "Cleo", t.TempDir())
	befriend(t, ann, ben)
	befriend(t, ann, cleo)
	g := together(t, "Trip", ann, ben, cleo)
	cleo.say(g, "before")
	for _, p := range []*person{ann, ben} {
		p.sees(g, "before")
	}
	cleo.stop()
	must(t, ann.RemoveMember(g, cleo.id()))
	ann.say(g, "between")
	must(t, ann.AddMembers(g, []wire.PersonID{cleo.id()}))
	ann.say(g, "after")
	cleo = cleo.again()
	cleo.stands(g, group.StatusInvited) // it was active, and joins would find it so
	cleo.joins(g)
	cleo.sees(g, "before", "after")
	cleo = cleo.restart()
	cleo.say(g, "thanks")
	for _, p := range []*person{ann, ben} {
		p.sees(g, "before", "between", "after", "thanks")
	}
}

// joins waits until the chat has keys, and accepts if it is asked.
func (p *person) joins(g wire.GroupID) {
	p.t.Helper()
	p.until("keys for the chat", func() bool {
		c, err := p.Chat(g)
		if err == nil && c.State == group.StatusInvited {
			err = p.AcceptGroup(g, false)
		}
		return err == nil && c.State == group.StatusActive && !c.NoKeys
	})
}

// TestAddedByTwo: two admins add Dan without knowing of each other; he comes in
// by one branch and goes on with whichever wins.
func TestAddedByTwo(t *testing.T) {
	t.Parallel()
	ann, ben, dan := start(t, "Ann", t.TempDir()), start(t, "Ben", t.TempDir()), start(t, "Dan", t.TempDir())
	befriend(t, ann, ben)
	befriend(t, ann, dan)
	befriend(t, ben, dan)
	g := together(t, "Trip", ann, ben)
	must(t, ann.SetRole(g, ben.id(), true))
	ben.until("is admin", func() bool { c, err := ben.Chat(g); return err == nil && c.Admin })
	for _, way := range [][2]**person{{&ann, &ben}, {&ben, &ann}} { // whichever branch wins
		first, second := way[0], way[1]
		(*second).stop()
		dan.stop()
		must(t, (*first).AddMembers(g, []wire.PersonID{dan.id()}))
		(*first).stop()
		*second = (*second).again()
		must(t, (*second).AddMembers(g, []wire.PersonID{dan.id()}))
		dan = dan.again()
		dan.joins(g)
		*first = (*first).again()
		for i, p := range []*person{ann, ben, dan} {
			p.until("all three are in", func() bool { return p.accepted(g) == 3 })
			p.joins(g)
			p.say(g, string(rune('a'+i)))
		}
		for _, p := range []*person{ann, ben, dan} {
			p.until("what all said", func() bool {
				said := p.texts(g)
				return len(said) >= 3 && len(said)%3 == 0
			})
		}
		must(t, ann.RemoveMember(g, dan.id()))
		dan.stands(g, group.StatusRemoved)
		ben.until("Dan is out", func() bool { return ben.accepted(g) == 2 })
	}
}
