package node_test

import (
	"testing"

	"kith/internal/group"
	"kith/internal/node"
	"kith/internal/wire"
)

// TestLeave: a Leave is committed by another member, also when it comes late.
func TestLeave(t *testing.T) {
	t.Parallel()
	ann, ben, cleo := start(t, "Ann", t.TempDir()), start(t, "Ben", t.TempDir()), start(t, "Cleo", t.TempDir())
	befriend(t, ann, ben)
	befriend(t, ann, cleo)
	g := together(t, "Trip", ann, ben, cleo)
	must(t, cleo.LeaveGroup(g, wire.PersonID{}))
	cleo.stands(g, group.StatusLeft)
	for _, p := range []*person{ann, ben} {
		p.until("two members", func() bool { c, err := p.Chat(g); return err == nil && len(c.Members) == 2 })
	}
	if err := ann.LeaveGroup(g, wire.PersonID{}); refusal(err) != group.ReasonSuccessor {
		t.Errorf("the last admin leaves without a successor: %v", err)
	}
	ben.stop()
	must(t, ann.LeaveGroup(g, ben.id()))
	ann = ann.restart() // nobody was there: it is said again
	ann.stands(g, group.StatusLeaving)
	ben = ben.again()
	ann.stands(g, group.StatusLeft)
	ben.until("is admin", func() bool { c, err := ben.Chat(g); return err == nil && c.Admin && len(c.Members) == 1 })

	must(t, cleo.DeleteChat(g))
	if _, err := cleo.Chat(g); reason(err) != node.ReasonUnknown {
		t.Errorf("a deleted chat: %v", err)
	}
	cleo = cleo.restart()
	if _, err := cleo.Chat(g); reason(err) != node.ReasonUnknown {
		t.Errorf("a deleted chat after a restart: %v", err)
	}
	if err := ben.DeleteChat(g); err != nil {
		t.Errorf("a chat one is alone in: %v", err)
	}
	if err := cleo.DeleteChat(cleo.Status().Notes); reason(err) != node.ReasonStillIn {
		t.Errorf("the notes: %v", err)
	}
}

// TestRemovedThenAdded: what was said before stays, what was said between is
// not read, and a restart changes neither.
func TestRemovedThenAdded(t *testing.T) {
	t.Parallel()
	ann, ben, cleo := start(t, "Ann", t.TempDir()), start(t, "Ben", t.TempDir()), start(t, "Cleo", t.TempDir())
	befriend(t, ann, ben)
	befriend(t, ann, cleo)
	g := together(t, "Trip", ann, ben, cleo)
	cleo.say(g, "before")
	for _, p := range []*person{ann, ben} {
		p.sees(g, "before")
	}
	must(t, ann.RemoveMember(g, cleo.id()))
	cleo.stands(g, group.StatusRemoved)
	ann.say(g, "between")
	ben.sees(g, "before", "between")
	must(t, ann.AddMembers(g, []wire.PersonID{cleo.id()}))
	cleo.stands(g, group.StatusInvited)
	must(t, cleo.AcceptGroup(g, false))
	ben.until("Cleo is back", func() bool { return ben.accepted(g) == 3 })
	ben.say(g, "after")
	cleo.sees(g, "before", "after")
	cleo.say(g, "thanks")
	for range 2 {
		cleo.sees(g, "before", "after", "thanks")
		ann.sees(g, "before", "between", "after", "thanks")
		ben.sees(g, "before", "between", "after", "thanks")
		cleo, ann = cleo.restart(), ann.restart()
	}
	cleo.say(g, "still here")
	ann.sees(g, "before", "between", "after", "thanks", "still here")
}

// TestDeclinedThenInvited: a declined invitation leads to nothing; another one
// is an invitation again.
func TestDeclinedThenInvited(t *testing.T) {
	t.Parallel()
	ann, ben := start(t, "Ann", t.TempDir()), start(t, "Ben", t.TempDir())
	befriend(t, ann, ben)
	g, err := ann.CreateGroup("Trip", []wire.PersonID{ben.id()})
	must(t, err)
	ben.stands(g, group.StatusInvited)
	must(t, ben.DeclineGroup(g))
	ann.until("Ben has declined", func() bool { c, err := ann.Chat(g); return err == nil && len(c.Members) == 1 })
	ben.stands(g, group.StatusDeclined)
	must(t, ann.AddMembers(g, []wire.PersonID{ben.id()}))
	ben.stands(g, group.StatusInvited)
	must(t, ben.AcceptGroup(g, false))
	ann.say(g, "welcome")
	ben.sees(g, "welcome")

	must(t, ann.RemoveMember(g, ben.id()))
	ben.stands(g, group.StatusRemoved)
	must(t, ben.DeleteChat(g))
	must(t, ann.AddMembers(g, []wire.PersonID{ben.id()}))
	ben.stands(g, group.StatusInvited)
}

// TestInvitationByABlocked: somebody who is blocked adds us, and a common member
// brings it.
func TestInvitationByABlocked(t *testing.T) {
	t.Parallel()
	ann, ben, cleo := start(t, "Ann", t.TempDir()), start(t, "Ben", t.TempDir()), start(t, "Cleo", t.TempDir())
	befriend(t, ann, ben)
	befriend(t, ann, cleo)
	befriend(t, ben, cleo)
	g := together(t, "Trip", ann, ben)
	_, err := cleo.BlockFriend(ann.id())
	must(t, err)
	must(t, ann.AddMembers(g, []wire.PersonID{cleo.id()}))
	ben.until("Cleo is added", func() bool { c, err := ben.Chat(g); return err == nil && len(c.Members) == 3 })
	d := ben.chatWith(cleo)
	ben.say(d, "did you see it?") // comes after the invitation
	cleo.sees(d, "did you see it?")
	if _, err := cleo.Chat(g); reason(err) != node.ReasonUnknown {
		t.Errorf("the invitation of somebody blocked: %v", err)
	}
	_, err = cleo.AcceptFriend(ann.id()) // takes the block back
	must(t, err)
	cleo.stands(g, group.StatusInvited)
}
