package node_test

import (
	"testing"

	"kith/internal/group"
	"kith/internal/node"
	"kith/internal/wire"
)

// linkDevice makes a new home a device of ann's.
func linkDevice(t *testing.T, ann *person, name string) *person {
	t.Helper()
	phone := startBlank(t, name, node.Config{Home: t.TempDir()})
	l, err := ann.NewDeviceLink()
	must(t, err)
	must(t, phone.JoinPerson(l.Link, name))
	phone.until("the digits", func() bool { return phone.Linking().Phase == node.LinkComparing })
	ann.until("the new device", func() bool { return ann.Linking().Phase == node.LinkComparing })
	digits := phone.Linking().Digits
	if at := ann.Linking(); at.Digits != digits || at.Name != name || len(digits) != 6 {
		t.Fatalf("the devices show %q and %q, for %q", at.Digits, digits, at.Name)
	}
	must(t, ann.ConfirmDevice(digits))
	for _, p := range []*person{ann, phone} {
		p.until("linked", func() bool { return p.Linking().Phase == node.LinkDone })
	}
	if phone.id() != ann.id() {
		t.Fatal("it is somebody else's")
	}
	return phone
}

// TestLinkDevice: a new device has the friends, the chats and what was said before; what
// either sends both show, as do the others; what is read, begun and chosen at one is so at the
// other.
func TestLinkDevice(t *testing.T) {
	t.Parallel()
	ann, ben := start(t, "Ann", t.TempDir()), start(t, "Ben", t.TempDir())
	befriend(t, ann, ben)
	direct := ann.chatWith(ben)
	trip := together(t, "Trip", ann, ben)
	ann.say(trip, "before")
	ben.say(trip, "also before")
	ann.sees(trip, "before", "also before")
	ann.say(direct, "hello")
	ben.sees(direct, "hello")

	phone := linkDevice(t, ann, "Phone")
	for _, g := range []wire.GroupID{direct, trip, ann.Status().Notes} {
		phone.until("the chat", func() bool { c, err := phone.Chat(g); return err == nil && c.State == group.StatusActive })
	}
	phone.sees(trip, "before", "also before")
	phone.sees(direct, "hello")
	if f, err := phone.Friend(ben.id()); err != nil || f.State != node.FriendFriend || f.Chat != direct || f.Person.Name != "Ben" {
		t.Fatalf("the phone knows Ben as %+v, %v", f, err)
	}

	phone.say(trip, "from the phone")
	ben.sees(trip, "before", "also before", "from the phone")
	ann.sees(trip, "before", "also before", "from the phone")
	if list, _, err := ann.Messages(trip, nil, 10); err != nil || !list[2].Author.Me {
		t.Fatalf("Ann's own words are taken for another's: %+v, %v", list[2].Author, err)
	}
	ben.say(direct, "for both")
	phone.sees(direct, "hello", "for both")
	ann.sees(direct, "hello", "for both")

	must(t, ann.SetDraft(trip, node.Draft{Text: "half a thou"}, 0))
	phone.until("the draft", func() bool { c, _ := phone.Chat(trip); return c.Draft.Text == "half a thou" })
	must(t, phone.SetDraft(trip, node.Draft{Text: "half a thought"}, 0))
	ann.until("the draft of the phone", func() bool { c, _ := ann.Chat(trip); return c.Draft.Text == "half a thought" })
	ben.say(trip, "news")
	ann.until("unread", func() bool { c, _ := ann.Chat(trip); return c.Unread > 0 })
	phone.sees(trip, "before", "also before", "from the phone", "news")
	phone.readTo(trip)
	ann.until("read", func() bool { c, _ := ann.Chat(trip); return c.Unread == 0 })

	must(t, phone.NameDevice(phone.Status().Device, "Pocket"))
	ann.until("the name", func() bool {
		list, err := ann.OwnDevices()
		return err == nil && len(list) == 2 && list[1].Name == "Pocket" && list[0].This && !list[1].Copy && list[1].Connected
	})
	if ann.Status().Copied || phone.Status().Copied {
		t.Error("a linked device is taken for a copy")
	}
}
