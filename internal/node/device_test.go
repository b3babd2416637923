package node_test

import (
	"slices"
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

// TestThreeDevices: each of three devices gets what the others do, also when they are not on
// together, and a friend is met at all of them.
func TestThreeDevices(t *testing.T) {
	t.Parallel()
	ann, ben := start(t, "Ann", t.TempDir()), start(t, "Ben", t.TempDir())
	befriend(t, ann, ben)
	trip := together(t, "Trip", ann, ben)
	phone := linkDevice(t, ann, "Phone")
	phone.stands(trip, group.StatusActive)
	tablet := linkDevice(t, phone, "Tablet") // any device links another
	tablet.stands(trip, group.StatusActive)
	for _, p := range []*person{ann, phone, tablet} {
		p.until("three devices", func() bool {
			list, err := p.OwnDevices()
			return err == nil && len(list) == 3 && list[2].Name == "Tablet" && !slices.ContainsFunc(list, func(d node.OwnDevice) bool { return d.Copy || d.Revoked })
		})
	}
	ben.until("all devices of Ann", func() bool { return len(ben.MetAt(ann.id())) == 3 })

	phone.stop()
	later, err := ben.CreateGroup("Later", []wire.PersonID{ann.id()})
	must(t, err)
	ann.stands(later, group.StatusInvited)
	must(t, ann.AcceptGroup(later, false))
	tablet.stands(later, group.StatusActive) // an invitation is answered once
	ben.say(later, "where is the phone?")
	tablet.sees(later, "where is the phone?")
	must(t, tablet.SetDraft(later, node.Draft{Text: "on its"}, 0))
	ann.until("the draft", func() bool { c, _ := ann.Chat(later); return c.Draft.Text == "on its" })
	ann.stop()
	phone = phone.again()
	phone.stands(later, group.StatusActive)
	phone.sees(later, "where is the phone?")
	phone.until("the draft", func() bool { c, _ := phone.Chat(later); return c.Draft.Text == "on its" })
	phone.say(later, "here")
	tablet.sees(later, "where is the phone?", "here")

	own, err := phone.CreateGroup("Only mine", nil)
	must(t, err)
	tablet.stands(own, group.StatusActive)
	phone.stop()
	ann = ann.again()
	ann.stands(own, group.StatusActive)
	ann.sees(later, "where is the phone?", "here")
}

// TestRevokedDevice: a device is shut out of every group by one act, be it on or not, by whoever
// is there.
func TestRevokedDevice(t *testing.T) {
	t.Parallel()
	ann, ben := start(t, "Ann", t.TempDir()), start(t, "Ben", t.TempDir())
	befriend(t, ann, ben)
	trip := together(t, "Trip", ann, ben)
	phone := linkDevice(t, ann, "Phone")
	phone.stands(trip, group.StatusActive)
	ben.until("Ann's phone", func() bool { return ben.Keys(trip, ann.id()) == 2 })
	lost := phone.Status().Device

	if err := ann.RevokeDevice(ann.Status().Device); reason(err) != node.ReasonThisDevice {
		t.Errorf("the device that one is at: %v", err)
	}
	if err := ann.RevokeDevice(wire.DeviceID{1}); reason(err) != node.ReasonNoDevice {
		t.Errorf("nobody's device: %v", err)
	}
	must(t, ann.RevokeDevice(lost))
	if err := ann.RevokeDevice(lost); reason(err) != node.ReasonRevokedThat {
		t.Errorf("twice: %v", err)
	}
	ben.until("it is out", func() bool { return ben.Keys(trip, ann.id()) == 1 })
	phone.until("it knows", func() bool { return phone.Status().Revoked })
	ann.say(trip, "without it")
	ben.sees(trip, "without it")
	if texts := phone.texts(trip); slices.Contains(texts, "without it") {
		t.Errorf("the revoked device reads %q", texts)
	}
	if c, err := group.Text("in her name"); err == nil {
		if _, err := phone.Send(t.Context(), trip, "", c); reason(err) != node.ReasonRevoked {
			t.Errorf("the revoked device writes: %v", err)
		}
	}
	ben.until("it is met no more", func() bool { return !slices.Contains(ben.MetAt(ann.id()), lost) })
}

// TestDeviceNotConfirmed: nothing is linked before the person has confirmed, and a link is good
// for one device.
func TestDeviceNotConfirmed(t *testing.T) {
	t.Parallel()
	ann := start(t, "Ann", t.TempDir())
	phone, mallory := startBlank(t, "Phone", node.Config{Home: t.TempDir()}), startBlank(t, "Mallory", node.Config{Home: t.TempDir()})
	l, err := ann.NewDeviceLink()
	must(t, err)
	must(t, phone.JoinPerson(l.Link, "Phone"))
	ann.until("the phone", func() bool { return ann.Linking().Phase == node.LinkComparing })
	if err := phone.JoinPerson(l.Link, "Phone"); reason(err) != node.ReasonJoining {
		t.Errorf("joining twice: %v", err)
	}
	must(t, mallory.JoinPerson(l.Link, "Mallory"))
	mallory.until("it is used", func() bool { return mallory.Linking().Why == string(node.ReasonLinkUsed) })
	if err := ann.ConfirmDevice("000000"); reason(err) != node.ReasonDigits && ann.Linking().Digits != "000000" {
		t.Errorf("other digits: %v", err)
	}
	ann.CancelDeviceLink()
	phone.until("refused", func() bool { return phone.Linking().Why == string(node.ReasonNotConfirmed) })
	if list, err := ann.OwnDevices(); err != nil || len(list) != 1 || phone.Ready() {
		t.Errorf("%d devices, %v", len(list), err)
	}
	if err := ann.ConfirmDevice(phone.Linking().Digits); reason(err) != node.ReasonNoJoiner {
		t.Errorf("confirmed after it was given up: %v", err)
	}

	// The link is dead; another one links the same home.
	must(t, phone.JoinPerson(l.Link, "Phone"))
	phone.until("the link is dead", func() bool { return phone.Linking().Why == string(node.ReasonLinkUsed) })
	l, err = ann.NewDeviceLink()
	must(t, err)
	must(t, phone.JoinPerson(l.Link, "Phone"))
	ann.until("the phone again", func() bool { return ann.Linking().Phase == node.LinkComparing })
	must(t, ann.ConfirmDevice(ann.Linking().Digits))
	phone.until("linked", phone.Ready)
	if err := phone.JoinPerson(l.Link, "Phone"); reason(err) != node.ReasonIdentity {
		t.Errorf("a home with an identity: %v", err)
	}
}

// TestRevokedAlone: where nobody else is, the device that revoked another tells it, at once or
// when it comes back.
func TestRevokedAlone(t *testing.T) {
	t.Parallel()
	ann := start(t, "Ann", t.TempDir())
	phone, tablet := linkDevice(t, ann, "Phone"), linkDevice(t, ann, "Tablet")
	notes := ann.Status().Notes
	for _, p := range []*person{phone, tablet} {
		p.stands(notes, group.StatusActive)
	}
	ann.until("all are in", func() bool { return ann.Keys(notes, ann.id()) == 3 })
	tablet.stop()
	must(t, ann.RevokeDevice(phone.Status().Device))
	phone.until("it knows", func() bool { return phone.Status().Revoked })
	must(t, ann.RevokeDevice(tablet.Status().Device))
	tablet = tablet.again()
	tablet.until("it knows", func() bool { return tablet.Status().Revoked })
	ann.until("alone again", func() bool { return ann.Keys(notes, ann.id()) == 1 })
	ann.say(notes, "mine")
	if phone.texts(notes) != nil || tablet.texts(notes) != nil {
		t.Error("a revoked device reads on")
	}
}
