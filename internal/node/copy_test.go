package node_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"kith/internal/group"
	"kith/internal/node"
	"kith/internal/wire"
)

// backup copies the home of somebody who is stopped.
func (p *person) backup() string {
	p.t.Helper()
	other := p.t.TempDir()
	must(p.t, os.CopyFS(other, os.DirFS(p.home)))
	must(p.t, os.Chmod(filepath.Join(other, node.KeyFile), 0o600))
	return other
}

// heals waits until somebody has another device key than old, and keys with it in
// a chat.
func (p *person) heals(old wire.DeviceID, chats ...wire.GroupID) {
	p.t.Helper()
	p.until("a new device key", func() bool { return p.Status().Device != old })
	for _, g := range chats {
		p.until("keys for the chat", func() bool { return p.InAnew(g) })
	}
}

// TestBackupHeals: Ben's home is set back to a backup, the newer one is gone. It
// takes a new key by itself, keeps what it had, is met at the new key by its
// friends, who add it to groups with it, and takes the old one back when he says so.
func TestBackupHeals(t *testing.T) {
	ann, ben, cleo := start(t, "Ann", t.TempDir()), start(t, "Ben", t.TempDir()), start(t, "Cleo", t.TempDir())
	befriend(t, ann, ben)
	befriend(t, ann, cleo)
	d := ann.chatWith(ben)
	trip := together(t, "Trip", ann, ben, cleo)
	notes := ben.Status().Notes
	ben.say(notes, "milk")
	ben.say(d, "zero")
	ann.sees(d, "zero")
	old := ben.Status().Device
	ben.stop()
	home := ben.backup()
	ben = ben.again()
	ben.say(d, "first")
	ann.sees(d, "zero", "first")
	ben.stop()

	back := startWith(t, "Ben", node.Config{Home: home})
	back.heals(old, d, trip, notes)
	if st := back.Status(); !st.Copied {
		t.Error("nothing says that there is another copy")
	}
	back.say(d, "second")
	ann.sees(d, "zero", "first", "second")
	ann.say(d, "third")
	back.sees(d, "zero", "first", "second", "third")
	back.say(trip, "on the way")
	cleo.sees(trip, "on the way")
	back.say(notes, "bread")
	back.sees(notes, "milk", "bread")
	if ann.logged("peer broke a rule") != 0 {
		t.Error("Ann takes it for an offence")
	}

	ann.until("Ben's new key", func() bool { return slices.Contains(ann.MetAt(back.id()), back.Status().Device) })
	next, err := ann.CreateGroup("Next", []wire.PersonID{back.id()})
	must(t, err)
	back.stands(next, group.StatusInvited)
	must(t, back.AcceptGroup(next, false))
	back.say(next, "hello")
	ann.sees(next, "hello")

	back = back.restart()
	if st := back.Status(); !st.Copied || st.Device == old {
		t.Errorf("after a restart: %+v", st)
	}
	back.say(d, "fourth")
	ann.sees(d, "zero", "first", "second", "third", "fourth")

	must(t, back.RevokeCopies())
	if back.Status().Copied {
		t.Error("the other copy is still there, though its key is revoked")
	}
	ann.until("Ben to have one key", func() bool { return ann.Keys(d, back.id()) == 1 && ann.Keys(trip, back.id()) == 1 })
	if err := back.RevokeCopies(); reason(err) != node.ReasonNoCopy {
		t.Errorf("revoked twice: %v", err)
	}
	ben = ben.again()
	ben.stands(trip, group.StatusRemoved)
	ben.until("that its key is revoked", func() bool { return ben.Status().Revoked })
	if got := ben.Status().Device; got != old {
		t.Errorf("the home whose key was revoked took the key %v", got)
	}
	if c, err := ben.Chat(trip); err != nil || !c.Revoked || !c.RemovedBy.Me {
		t.Errorf("%+v, %v", c, err)
	}
	still, err := group.Text("still here")
	must(t, err)
	_, created := ben.CreateGroup("Mine", nil)
	_, linked := ben.NewContactLink()
	_, sent := ben.Send(t.Context(), trip, "", still)
	for what, err := range map[string]error{"revoke": ben.RevokeCopies(), "create": created, "link": linked, "send": sent, "leave": ben.LeaveGroup(trip, wire.PersonID{})} {
		if reason(err) != node.ReasonRevoked {
			t.Errorf("%s by the home that is revoked: %v", what, err)
		}
	}
	ben.say(notes, "for myself")
}

// leftBehind makes a copy of Ben's home, from before he said "first" in his chat with Ann, of the device old.
func leftBehind(t *testing.T) (ann *person, d wire.GroupID, home string, old wire.DeviceID) {
	t.Helper()
	ann, ben := start(t, "Ann", t.TempDir()), start(t, "Ben", t.TempDir())
	befriend(t, ann, ben)
	d = ann.chatWith(ben)
	ben.say(d, "zero")
	ann.sees(d, "zero")
	old = ben.Status().Device
	ben.stop()
	home = ben.backup()
	ben = ben.again()
	ben.say(d, "first")
	ann.sees(d, "zero", "first")
	ben.stop()
	return ann, d, home, old
}

// TestSendAwaitsNewKey: what is sent while a home that has just healed is not in the chat with its new key
// goes out once it is; what cannot wait says why it does not go yet.
func TestSendAwaitsNewKey(t *testing.T) {
	t.Parallel()
	ann, d, home, old := leftBehind(t)
	back := startWith(t, "Ben", node.Config{Home: home})
	back.until("a new device key", func() bool { return back.Status().Device != old })
	if _, err := back.React(d, "last", "👍", true); refusal(err) != group.ReasonNewKey {
		t.Errorf("a reaction: %v", err)
	}
	if c, err := back.Chat(d); err != nil || !c.NewKey {
		t.Errorf("the chat does not say that the new key comes: %+v, %v", c, err)
	}
	back.say(d, "second")
	ann.sees(d, "zero", "first", "second")
	if c, err := back.Chat(d); err != nil || c.NewKey {
		t.Errorf("the chat still says that the new key comes: %+v, %v", c, err)
	}
}

// TestDeliveryOfAnotherKey: of what was written with another key of one's own it is told that others confirm
// it there first.
func TestDeliveryOfAnotherKey(t *testing.T) {
	t.Parallel()
	ann, d, home, old := leftBehind(t)
	back := startWith(t, "Ben", node.Config{Home: home})
	back.heals(old, d)
	back.say(d, "second")
	ann.sees(d, "zero", "first", "second")
	back.sees(d, "zero", "first", "second")
	list, _, err := back.Messages(d, nil, 3)
	must(t, err)
	for i, want := range []bool{true, true, false} {
		if got, err := back.Delivery(d, list[i], "", 0); err != nil || got.Elsewhere != want {
			t.Errorf("%s: %+v, %v", list[i].Content.Body, got, err)
		}
	}
}

// TestBothCopiesHeal: two copies of Ben's home, one after the other, write to the
// same friend; each ends with a key of its own, and both are read.
func TestBothCopiesHeal(t *testing.T) {
	ann, ben := start(t, "Ann", t.TempDir()), start(t, "Ben", t.TempDir())
	befriend(t, ann, ben)
	d := ann.chatWith(ben)
	old := ben.Status().Device
	ben.stop()
	home := ben.backup()
	ben = ben.again()
	ben.say(d, "first")
	ann.sees(d, "first")
	ben.stop()
	copied := startWith(t, "Ben's copy", node.Config{Home: home})
	copied.heals(old, d)
	copied.say(d, "of the copy")
	ann.until("what the copy says", func() bool { return len(ann.all(d)) == 2 })

	ben = ben.again()
	ben.until("a sign of the other", func() bool { return ben.Status().Copied })
	ben.say(d, "of the first")
	ann.sees(d, "first", "of the copy", "of the first")
	for _, p := range []*person{ben, copied} {
		p.until("everything", func() bool { return len(p.all(d)) == 3 })
	}
	if ben.Status().Device == copied.Status().Device {
		t.Error("both have one key")
	}
	copied.say(d, "again")
	ann.sees(d, "first", "of the copy", "of the first", "again")
	if ann.logged("peer broke a rule") != 0 {
		t.Error("Ann takes it for an offence")
	}
}

// TestHealedKnocksAsKnown: who has met the new key, in another group or before its
// block lost, is dialled with the former one as long as a shared group does not have
// the new one: nobody there would answer that.
func TestHealedKnocksAsKnown(t *testing.T) {
	ann, ben := start(t, "Ann", t.TempDir()), start(t, "Ben", t.TempDir())
	befriend(t, ann, ben)
	d := ann.chatWith(ben)
	old, to := ben.Status().Device, ann.Status().Device
	ben.stop()
	home := ben.backup()
	ben = ben.again()
	ben.say(d, "first")
	ann.sees(d, "first")
	ben.stop()
	ann.stop()
	copied := startWith(t, "Ben's copy", node.Config{Home: home})
	must(t, copied.Heal())
	copied.HasMetAnew(to)
	if copied.InAnew(d) {
		t.Fatal("it is in already: the test shows nothing")
	}
	if got := copied.KnocksAs(to); got != old {
		t.Errorf("outside it knocks as %v", got)
	}
	copied.heals(old, d) // by its own old keys
	if got := copied.KnocksAs(to); got != copied.Status().Device {
		t.Errorf("inside it knocks as %v", got)
	}
}
