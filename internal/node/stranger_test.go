package node_test

import (
	"bytes"
	"testing"
	"time"

	"kith/internal/group"
	"kith/internal/identity"
	"kith/internal/node"
	"kith/internal/wire"
)

// to returns what was said to a device from the n-th message on.
func (l *listener) to(d wire.DeviceID, from int) (list []said) {
	_, all := l.all()
	for _, m := range all[from:] {
		if m.to == d {
			list = append(list, m)
		}
	}
	return list
}

func device(p *person) wire.DeviceID { return p.Status().Device }

// TestStranger: somebody with Ann's address and person id, but no contact link of
// hers that is good, runs the real node against her and gets no frame.
func TestStranger(t *testing.T) {
	t.Parallel() // it waits
	heard := new(listener)
	ann := startWith(t, "Ann", node.Config{Home: t.TempDir(), Tap: heard.frame, TapMessage: heard.message})
	ann.say(ann.Status().Notes, "mine")
	eve := start(t, "Eve", t.TempDir())
	good, err := ann.NewContactLink()
	must(t, err)
	forged, err := identity.ParseContactLink(good.Text, uint64(time.Now().Unix()))
	must(t, err)
	forged.Secret = [32]byte(wire.Random(32))
	text, err := forged.Text()
	must(t, err)
	_, err = eve.AddFriend(text)
	must(t, err)
	ann.until("Eve is refused", func() bool { return ann.logged("refused") > 0 && eve.logged("contact link not answered") > 0 })
	if frames, messages := heard.all(); len(frames)+len(messages) > 0 {
		t.Errorf("Ann has said %d frames and %d messages", len(frames), len(messages))
	}
	if list, err := ann.Friends(); err != nil || len(list) != 0 {
		t.Errorf("Ann has friends: %v", list)
	}
}

// kindBlocks is the first byte of a group's message that carries blocks
// (docs/spec/sync.md).
const kindBlocks = 3

// TestRemovedRunsOn: Cleo, who is no friend of Ann's, was removed while she was
// off. Her node asks Ann's and hears of the chain up to the block that removed
// her, and nothing later.
func TestRemovedRunsOn(t *testing.T) {
	t.Parallel()
	heard := new(listener)
	ann := startWith(t, "Ann", node.Config{Home: t.TempDir(), Tap: heard.frame, TapMessage: heard.message})
	ben, cleo, dan := start(t, "Ben", t.TempDir()), start(t, "Cleo", t.TempDir()), start(t, "Dan", t.TempDir())
	befriend(t, ben, ann)
	befriend(t, ben, cleo)
	befriend(t, ben, dan)
	g := together(t, "Trip", ben, ann, cleo)
	cleo.until("Ann", func() bool { return cleo.connected(g, ann) })
	gone := device(cleo)
	cleo.stop()
	ann.until("Cleo is off", func() bool { return !ann.connected(g, cleo) })
	frames, messages := heard.all()
	framesBefore, before := len(frames), len(messages)

	must(t, ben.RemoveMember(g, cleo.id()))
	must(t, ben.SetTitle(g, "Voyage without Cleo"))
	must(t, ben.AddMembers(g, []wire.PersonID{dan.id()}))
	dan.stands(g, group.StatusInvited)
	must(t, dan.AcceptGroup(g, false))
	ben.say(g, "she must not read this")
	ann.sees(g, "she must not read this")
	blocks, err := ann.Blocks(g)
	must(t, err)
	ben.stop()
	dan.stop()

	cleo = cleo.again()
	cleo.stands(g, group.StatusRemoved)
	if list := heard.to(gone, before); len(list) == 0 {
		t.Fatal("Cleo has heard of her removal from somebody else")
	}
	cleo = cleo.restart() // and asks nobody any more
	ann.until("Cleo is gone", func() bool { return !ann.connected(g, cleo) })

	secrets := map[string][]byte{"the new title": []byte("Voyage without Cleo"), "the new member": bytes.Clone(ids(dan)), "his device": bytes.Clone(devices(dan))}
	for _, b := range blocks[2:] { // 0 genesis, 1 the removal
		secrets["the header of block "+b.Hash.String()] = b.HeaderBytes[100:]
		secrets["the hash of block "+b.Hash.String()] = bytes.Clone(b.Hash[:])
	}
	for _, m := range heard.to(gone, before) {
		if m.channel != g || len(m.payload) == 0 || m.payload[0] != kindBlocks {
			t.Errorf("Cleo is told more than blocks: %.20x on %.8x", m.payload, m.channel)
		}
		for what, b := range secrets {
			if bytes.Contains(m.payload, b) {
				t.Errorf("Cleo is told %s", what)
			}
		}
	}
	frames, _ = heard.all()
	for _, f := range frames[framesBefore:] {
		if bytes.Contains(f, g[:]) {
			t.Error("the group's id lies readable in a frame")
		}
	}
	cleo.stands(g, group.StatusRemoved)
	if list := cleo.all(g); len(list) != 0 {
		t.Errorf("Cleo reads %q", list)
	}
}

func ids(p *person) []byte     { id := p.id(); return id[:] }
func devices(p *person) []byte { d := device(p); return d[:] }

// TestOneGroupOnly: who is in one group with Ann learns of no other.
func TestOneGroupOnly(t *testing.T) {
	t.Parallel()
	heard := new(listener)
	ann := startWith(t, "Ann", node.Config{Home: t.TempDir(), TapMessage: heard.message})
	ben, cleo := start(t, "Ben Marzipan", t.TempDir()), start(t, "Cleo Gramophone", t.TempDir())
	befriend(t, ann, ben)
	befriend(t, ann, cleo)
	bens := together(t, "Voyage to Tristan", ann, ben)
	cleos := together(t, "Umbrella collectors", ann, cleo)
	for range 2 {
		ann.say(bens, "hello Ben")
		ann.say(cleos, "hello Cleo")
		ben.until("hello", func() bool { return len(ben.all(bens)) > 0 })
		cleo.until("hello", func() bool { return len(cleo.all(cleos)) > 0 })
		must(t, ann.SetTitle(bens, "Voyage to Saint Helena"))
		must(t, ann.SetTitle(cleos, "Lamp collectors"))
		ann = ann.restart()
		ann.until("both again", func() bool { return ann.connected(bens, ben) && ann.connected(cleos, cleo) })
	}
	for _, c := range []struct {
		who, other *person
		secrets    map[string][]byte
	}{
		{ben, cleo, map[string][]byte{"the group's id": cleos[:], "its title": []byte("Umbrella"), "its next title": []byte("Lamp collectors")}},
		{cleo, ben, map[string][]byte{"the group's id": bens[:], "its title": []byte("Tristan"), "its next title": []byte("Helena")}},
	} {
		c.secrets["the other's name"] = []byte(c.other.name)
		c.secrets["the other's id"] = ids(c.other)
		c.secrets["the other's device"] = devices(c.other)
		d := ann.chatWith(c.other)
		c.secrets["the direct chat's id"] = d[:]
		notes := ann.Status().Notes
		c.secrets["the notes' id"] = notes[:]
		list := heard.to(device(c.who), 0)
		if len(list) < 10 {
			t.Errorf("only %d messages to %s were heard", len(list), c.who.name)
		}
		for _, m := range list {
			for what, b := range c.secrets {
				if bytes.Contains(append(m.channel[:], m.payload...), b) {
					t.Errorf("%s is told %s of another group", c.who.name, what)
				}
			}
		}
	}
}

// TestOnlyThroughFriends: Cleo joins without dialling members she does not know,
// not even while she accepts, and gets everything through Ann.
func TestOnlyThroughFriends(t *testing.T) {
	t.Parallel()
	ann, ben, cleo := start(t, "Ann", t.TempDir()), start(t, "Ben", t.TempDir()), start(t, "Cleo", t.TempDir())
	befriend(t, ann, ben)
	befriend(t, ann, cleo)
	g := together(t, "Trip", ann, ben)
	must(t, ann.AddMembers(g, []wire.PersonID{cleo.id()}))
	cleo.stands(g, group.StatusInvited)
	must(t, cleo.AcceptGroup(g, true))
	ben.until("Cleo has accepted", func() bool { return ben.accepted(g) == 3 })
	ben.say(g, "hello Cleo")
	cleo.sees(g, "hello Cleo")
	cleo.say(g, "hello Ben")
	for range 2 {
		ben.sees(g, "hello Cleo", "hello Ben")
		if cleo.connected(g, ben) || ben.connected(g, cleo) {
			t.Error("Cleo and Ben are connected")
		}
		cleo = cleo.restart()
		cleo.until("Ann", func() bool { return cleo.connected(g, ann) })
	}

	must(t, cleo.SetOnlyFriends(g, false))
	cleo.until("Ben", func() bool { return cleo.connected(g, ben) })
	ben.until("a place of Cleo's is known", func() bool { return ben.Places(cleo.id()) > 0 }) // else it could come after it was taken back
	must(t, cleo.SetOnlyFriends(g, true))
	ben.until("no place of Cleo's is known", func() bool { return ben.Places(cleo.id()) == 0 })
	cleo = cleo.restart()
	ben.until("Cleo is gone", func() bool { return !ben.connected(g, cleo) })
	ben.say(g, "are you there, Cleo?")
	cleo.sees(g, "hello Cleo", "hello Ben", "are you there, Cleo?")
	if cleo.connected(g, ben) || ben.connected(g, cleo) {
		t.Error("Cleo and Ben are connected once more")
	}
	if err := cleo.SetOnlyFriends(cleo.chatWith(ann), true); err == nil {
		t.Error("the direct chat with a friend goes through friends alone")
	}
}
