package api_test

import (
	"testing"

	"kith/internal/api"
	"kith/internal/group"
	"kith/internal/node"
	"kith/internal/wire"
)

// TestLeavingNotice: who leaves is told for whom that waits, and for how long.
func TestLeavingNotice(t *testing.T) {
	const late = " If that does not come about, you leave a day after the others heard of it."
	ben, me := node.Person{Name: "Ben"}, node.Person{Name: "Ann", Me: true}
	for _, c := range []struct {
		chat node.Chat
		want string
	}{
		{node.Chat{}, "You leave once another member's device takes note of it, which it does by itself when it is online."},
		{node.Chat{Needed: true}, "You leave once others vote in your place, which an admin's device sees to." + late},
		{node.Chat{Needed: true, Awaited: []node.Person{ben}}, "You leave once others vote in your place. For that Kith waits for Ben." + late},
		{node.Chat{Needed: true, Awaited: []node.Person{ben, me}}, "You leave once others vote in your place. For that Kith waits for Ben and another device of yours." + late},
	} {
		c.chat.State = group.StatusLeaving
		if got := api.NoticeOf(c.chat); got != c.want {
			t.Errorf("%+v: %q, want %q", c.chat, got, c.want)
		}
	}
}

// TestNotices: the one line over a chat of a device that was set aside.
func TestNotices(t *testing.T) {
	for _, c := range []struct {
		chat node.Chat
		want string
	}{
		{node.Chat{Parked: true, NoKeys: true, Missed: 3}, "This device was set aside, because it was not here for long. It comes back by itself, once another member is here."},
		{node.Chat{NoKeys: true}, "This device has no keys for this chat now. It gets new ones by itself, once another member is here. If it does not, ask an admin to remove you and add you again."},
		{node.Chat{NoKeys: true, NewKey: true}, "This Kith has a new key, since a copy of it is, or was, in use. The key comes into this chat by itself, mostly within ten seconds, else once another member is connected; until then nothing can be written here."},
		{node.Chat{Missed: 1, Missing: 2}, "A message was written while this device was set aside. It comes once a member is here who has it."},
		{node.Chat{Missed: 12}, "12 messages were written while this device was set aside. They come once a member is here who has them."},
		{node.Chat{Missing: 2}, "2 earlier messages are coming."},
		{node.Chat{Missing: 999}, "999 earlier messages are coming."},
		{node.Chat{Missing: 1_234_567}, "1,234,567 earlier messages are coming."},
		{node.Chat{Missing: 3, MissingFrom: []node.Person{{Name: "Ben"}}}, "3 earlier messages are coming from Ben."},
		{node.Chat{Missing: 1, MissingFrom: []node.Person{{Name: "Ben"}, {Name: "Cleo"}}}, "An earlier message is coming from Ben and Cleo."},
		{node.Chat{Unasked: 1, UnaskedOf: []node.Person{{Name: "Fay"}}}, "A message of yours was written while Fay was not in the group. Send it to everybody?"},
		{node.Chat{Unasked: 1, UnaskedOf: []node.Person{{Name: "Fay"}}, Readded: true}, "A message of yours was written before you were removed and added again, and was not read by everybody. Send it to everybody?"},
		{node.Chat{Waiting: 1, Members: []node.Member{{Person: node.Person{Name: "Ben"}}}}, "Kept here. Ben gets it when their Kith and yours are on together."},
		{node.Chat{Waiting: 1, Mailbox: true, Members: []node.Member{{Person: node.Person{Name: "Ben"}}}}, "Kept here. Ben gets it by the mailbox: their Kith and yours need not be on together."},
		{node.Chat{Waiting: 1, Mailbox: true, Members: []node.Member{{Person: node.Person{Name: "Ben"}}, {Person: node.Person{Name: "Cleo"}}}}, "Kept here. The others get it by the mailbox: their Kith and yours need not be on together."},
		{node.Chat{Waiting: 1, Mailbox: true, MailboxDue: true, Members: []node.Member{{Person: node.Person{Name: "Ben"}}}}, "Kept here, and not at the mailbox yet: leave this Kith on until it is."},
		{node.Chat{Waiting: 1, Connected: 1, Members: []node.Member{{Person: node.Person{Name: "Ben"}}}}, ""},
		{node.Chat{}, ""},
	} {
		c.chat.State = group.StatusActive
		if got := api.NoticeOf(c.chat); got != c.want {
			t.Errorf("%+v: %q, want %q", c.chat, got, c.want)
		}
	}
}

// TestRevokedNotice: a home that another copy of it revoked is told so, and not that it
// removed itself; what was over before says why.
func TestRevokedNotice(t *testing.T) {
	const revoked = "Another copy of this home revoked this one: nothing is sent or received here any more. You keep what you had."
	one := wire.PersonID{1}
	ben, me := node.Person{ID: one, Name: "Ben"}, node.Person{ID: wire.PersonID{2}, Name: "Ann", Me: true}
	for _, c := range []struct {
		chat node.Chat
		want string
	}{
		{node.Chat{State: group.StatusRemoved, RemovedBy: me}, revoked},
		{node.Chat{State: group.StatusRemoved, RemovedBy: me, Revoked: true}, revoked},
		{node.Chat{State: group.StatusRemoved, Revoked: true}, revoked},
		{node.Chat{State: group.StatusActive, NoKeys: true, Revoked: true}, revoked},
		{node.Chat{State: group.StatusInvited, InvitedBy: ben, Revoked: true}, revoked},
		{node.Chat{State: group.StatusRemoved, RemovedBy: ben, Revoked: true}, "Ben removed you. You keep what you had."},
		{node.Chat{State: group.StatusLeft, Revoked: true}, "You left."},
	} {
		if got := api.NoticeOf(c.chat); got != c.want {
			t.Errorf("%+v: %q, want %q", c.chat, got, c.want)
		}
	}
}
