package node_test

import (
	"slices"
	"testing"

	"kith/internal/group"
	"kith/internal/node"
	"kith/internal/wire"
)

// TestStory is the story of the first release, with real links and stores.
func TestStory(t *testing.T) {
	t.Parallel()
	ann, ben, cleo := start(t, "Ann", t.TempDir()), start(t, "Ben", t.TempDir()), start(t, "Cleo", t.TempDir())
	befriend(t, ann, ben)
	befriend(t, cleo, ann)
	g, err := ann.CreateGroup("Trip", []wire.PersonID{ben.id(), cleo.id()})
	must(t, err)
	for _, p := range []*person{ben, cleo} {
		p.until("invited", func() bool {
			c, err := p.Chat(g)
			return err == nil && c.State == group.StatusInvited && c.Title == "Trip" && c.InvitedBy.Name == "Ann"
		})
		must(t, p.AcceptGroup(g, false))
	}
	ann.until("everybody accepted", func() bool {
		c, err := ann.Chat(g)
		return err == nil && len(c.Members) == 3 && !slices.ContainsFunc(c.Members, func(m node.Member) bool { return !m.Accepted })
	})
	ann.say(g, "one")
	ben.sees(g, "one")
	ben.say(g, "two")
	cleo.sees(g, "one", "two")
	cleo.say(g, "three")
	for _, p := range []*person{ann, ben, cleo} {
		p.sees(g, "one", "two", "three")
	}
	ann.until("two ticks", func() bool {
		m, _, err := ann.Messages(g, nil, 10)
		return err == nil && m[0].Reached == 2 && m[0].ReachOf == 2
	})
	cleo.until("Ben reaches Cleo", func() bool { return cleo.connected(g, ben) })

	ben.stop()
	ann.say(g, "four")
	cleo.sees(g, "one", "two", "three", "four")
	cleo.say(g, "five")
	ann.sees(g, "one", "two", "three", "four", "five")
	ann.stop()
	ben = start(t, "Ben", ben.home)
	ben.sees(g, "one", "two", "three", "four", "five")
	ann = start(t, "Ann", ann.home)
	ann.until("Cleo", func() bool { return ann.connected(g, cleo) && ann.connected(g, ben) })

	must(t, ann.RemoveMember(g, cleo.id()))
	cleo.until("removed", func() bool {
		c, err := cleo.Chat(g)
		return err == nil && c.State == group.StatusRemoved && c.RemovedBy.Name == "Ann"
	})
	ann.say(g, "six")
	ben.sees(g, "one", "two", "three", "four", "five", "six")
	cleo.sees(g, "one", "two", "three", "four", "five")

	dan := start(t, "Dan", t.TempDir())
	befriend(t, ann, dan)
	must(t, ann.AddMembers(g, []wire.PersonID{dan.id()}))
	dan.until("invited", func() bool { c, err := dan.Chat(g); return err == nil && c.State == group.StatusInvited })
	must(t, dan.AcceptGroup(g, false))
	ben.say(g, "seven")
	dan.sees(g, "seven")
	dan.say(g, "eight")
	ben.sees(g, "one", "two", "three", "four", "five", "six", "seven", "eight")

	blocks, err := dan.Blocks(g)
	must(t, err)
	if len(blocks) != 3 || blocks[1].Changes[0].Subject.Name != "Cleo" || blocks[1].Author.Name != "Ann" || !blocks[1].SignatureValid {
		t.Errorf("blocks: %+v", blocks)
	}
	if err := ben.RemoveMember(g, dan.id()); refusal(err) != group.ReasonRole {
		t.Errorf("Ben removes Dan: %v", err)
	}
}
