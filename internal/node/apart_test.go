package node_test

import (
	"testing"

	"kith/internal/group"
	"kith/internal/wire"
)

// TestRemovedWhileOff: Cleo is off, at a port she does not get again, while Ann,
// who has started anew too, removes her; she learns it once they meet.
func TestRemovedWhileOff(t *testing.T) {
	ann, ben, cleo := start(t, "Ann", t.TempDir()), start(t, "Ben", t.TempDir()), start(t, "Cleo", t.TempDir())
	befriend(t, ann, ben)
	befriend(t, ann, cleo)
	befriend(t, ben, cleo)
	g, err := ann.CreateGroup("Trip", []wire.PersonID{ben.id(), cleo.id()})
	must(t, err)
	for _, p := range []*person{ben, cleo} {
		p.until("invited", func() bool { c, err := p.Chat(g); return err == nil && c.State == group.StatusInvited })
		must(t, p.AcceptGroup(g, false))
	}
	ann.until("all in", func() bool { return ann.connected(g, ben) && ann.connected(g, cleo) })
	cleo.stop()
	ann.stop()
	ann = start(t, "Ann", ann.home)
	must(t, ann.RemoveMember(g, cleo.id()))
	cleo = start(t, "Cleo", cleo.home)
	cleo.until("removed", func() bool {
		c, err := cleo.Chat(g)
		return err == nil && c.State == group.StatusRemoved
	})
}
