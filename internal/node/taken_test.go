package node_test

import (
	"slices"
	"testing"
	"time"

	"kith/internal/node"
	"kith/internal/wire"
)

// first is the chat at the top of the list.
func (p *person) first() wire.GroupID {
	p.t.Helper()
	list, err := p.Chats()
	must(p.t, err)
	return list[0].ID
}

// TestNewsAtTheTop: what comes stands at the top of the list of chats, whatever the clock of its author
// says, and stays there across a restart; a clock that is ahead keeps nothing there.
func TestNewsAtTheTop(t *testing.T) {
	t.Parallel()
	var clock watch
	ann := start(t, "Ann", t.TempDir())
	ben := startWith(t, "Ben", node.Config{Home: t.TempDir(), Clock: clock.Now})
	befriend(t, ann, ben)
	d, notes := ann.chatWith(ben), ann.Status().Notes
	ann.say(notes, "a note")
	if ann.first() != notes {
		t.Error("a note is not at the top")
	}
	ann = ann.restart() // what has an order from before that was not under way while she was away
	clock.set(-400 * 24 * time.Hour)
	ben.say(d, "from long ago")
	ann.sees(d, "from long ago")
	if ann.first() != d {
		t.Error("what somebody says whose clock is behind is not at the top")
	}
	ann = ann.restart()
	if ann.first() != d {
		t.Error("nor after a restart")
	}
	clock.set(800 * 24 * time.Hour)
	ben.say(d, "from the future")
	ann.sees(d, "from long ago", "from the future")
	if ann.first() != d {
		t.Error("what somebody says whose clock is ahead is not at the top")
	}
	ann.say(notes, "another note")
	if ann.first() != notes {
		t.Error("a clock that is ahead keeps a chat at the top")
	}
}

// TestRenewedKeysAreNoNews: what devices do by themselves moves no chat in the list; what people do moves it.
func TestRenewedKeysAreNoNews(t *testing.T) {
	t.Parallel()
	ann := start(t, "Ann", t.TempDir())
	g, err := ann.CreateGroup("Trip", nil)
	must(t, err)
	ann.say(g, "hello")
	notes := ann.Status().Notes
	ann.say(notes, "a note")
	must(t, ann.RenewKeys(g))
	if ann.first() != notes {
		t.Error("renewed keys bring a chat to the top")
	}
	must(t, ann.SetTitle(g, "Journey"))
	if ann.first() != g {
		t.Error("a new title does not")
	}
}

// TestCameWhileAway: what was written while this device was off stands in the list as it was written,
// in whatever order it comes.
func TestCameWhileAway(t *testing.T) {
	t.Parallel()
	ann, ben, cleo := start(t, "Ann", t.TempDir()), start(t, "Ben", t.TempDir()), start(t, "Cleo", t.TempDir())
	befriend(t, ann, ben)
	befriend(t, ann, cleo)
	bens, cleos := ann.chatWith(ben), ann.chatWith(cleo)
	ann.say(bens, "bye")
	ann.say(cleos, "bye")
	ben.sees(bens, "bye")
	cleo.sees(cleos, "bye")
	ann.stop()
	ben.say(bens, "first")
	for ms := time.Now().UnixMilli(); time.Now().UnixMilli() == ms; { // orders are in ms: of one ms neither is first
	}
	cleo.say(cleos, "second")
	ben.stop()
	ann = ann.again()
	ann.sees(cleos, "bye", "second")
	ben.again()
	ann.sees(bens, "bye", "first")
	if ann.first() != cleos {
		t.Error("what came last is at the top, and was written first")
	}
}

// TestReachInTheList: how far one's newest message has come is known in the list of chats, and after a
// restart.
func TestReachInTheList(t *testing.T) {
	t.Parallel()
	ann, ben := start(t, "Ann", t.TempDir()), start(t, "Ben", t.TempDir())
	befriend(t, ann, ben)
	d := ann.chatWith(ben)
	ann.say(d, "hello")
	reached := func() bool {
		c, err := ann.Chat(d)
		return err == nil && c.Newest.Reached == 1 && c.Newest.ReachOf == 1
	}
	ann.until("it has reached Ben", reached)
	ben.stop()
	ann = ann.restart()
	if !reached() {
		t.Error("after a restart nobody has it")
	}
}

// TestDeliveryByName: who has a message is told in the order of names, also where a limit leaves out some.
func TestDeliveryByName(t *testing.T) {
	t.Parallel()
	ann := start(t, "Ann", t.TempDir())
	var others []*person
	for _, name := range []string{"dan", "Cleo", "Eve", "Ben"} {
		p := start(t, name, t.TempDir())
		befriend(t, ann, p)
		others = append(others, p)
	}
	g := together(t, "Trip", ann, others...)
	ann.say(g, "hello")
	m, err := ann.Message(g, "last")
	must(t, err)
	for limit, want := range map[int][]string{0: {"Ben", "Cleo", "dan", "Eve"}, 2: {"Ben", "Cleo"}} {
		d, err := ann.Delivery(g, m, "", limit)
		must(t, err)
		var names []string
		for _, to := range d.Members {
			names = append(names, to.Person.Name)
		}
		if !slices.Equal(names, want) {
			t.Errorf("with the limit %d: %q", limit, names)
		}
	}
}

// TestNamesAlike: of two people whose names look the same both are marked wherever the chat shows them,
// and nobody else is; who is called as the reader is, too.
func TestNamesAlike(t *testing.T) {
	t.Parallel()
	ann, ben, other, cleo := start(t, "Ann", t.TempDir()), start(t, "Ben", t.TempDir()), start(t, "Вen", t.TempDir()), start(t, "Cleo", t.TempDir())
	for _, p := range []*person{ben, other, cleo} {
		befriend(t, ann, p)
	}
	g := together(t, "Trip", ann, ben, other, cleo)
	marked := func(p *person) (list []string) {
		c, err := p.Chat(g)
		must(t, err)
		for _, m := range c.Members {
			if m.Person.Alike {
				list = append(list, m.Person.Name)
			}
		}
		slices.Sort(list)
		return list
	}
	for p, want := range map[*person][]string{ann: {"Ben", "Вen"}, cleo: {"Ben", "Вen"}, ben: {"Вen"}} {
		p.until("names", func() bool { return slices.Equal(marked(p), want) })
	}
	other.say(g, "it is me, Ben")
	ann.sees(g, "it is me, Ben")
	list, _, err := ann.Messages(g, nil, 1)
	must(t, err)
	if !list[0].Author.Alike {
		t.Error("the author of a message is not marked")
	}
	for p, want := range map[*person]bool{ben: true, other: true, cleo: false} { // beside the other's chat in the list
		if f, err := ann.Friend(p.id()); err != nil || f.Person.Alike != want {
			t.Errorf("%s is marked among the friends: %v, %v", p.name, f.Person.Alike, err)
		}
		c, err := ann.Chat(ann.chatWith(p))
		must(t, err)
		for _, m := range c.Members {
			if m.Person.Alike != (want && !m.Person.Me) {
				t.Errorf("in the chat with %s %s is marked: %v", p.name, m.Person.Name, m.Person.Alike)
			}
		}
	}
}
