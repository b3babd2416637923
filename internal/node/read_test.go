package node_test

import (
	"slices"
	"testing"

	"kith/internal/node"
	"kith/internal/wire"
)

// readTo has somebody read a chat to its end.
func (p *person) readTo(g wire.GroupID) {
	p.t.Helper()
	c, err := p.Chat(g)
	must(p.t, err)
	must(p.t, p.MarkRead(g, c.Newest.Place))
}

// read is who told that it has read an own message.
func (p *person) read(g wire.GroupID, text string) (names []string) {
	p.t.Helper()
	list, _, err := p.Messages(g, nil, 500)
	must(p.t, err)
	i := slices.IndexFunc(list, func(m node.Message) bool { return string(m.Content.Body) == text })
	if i < 0 {
		p.t.Fatalf("%s has no %q", p.name, text)
	}
	d, err := p.Delivery(g, list[i], "", 0)
	must(p.t, err)
	for _, m := range d.Members {
		if m.Read && !m.Has {
			p.t.Errorf("%s: read and not there", m.Person.Name)
		}
		if m.Read {
			names = append(names, m.Person.Name)
		}
	}
	if d.Read != len(names) {
		p.t.Errorf("%d have read it, %v by name", d.Read, names)
	}
	slices.Sort(names)
	return names
}

func (p *person) isRead(g wire.GroupID, text string, by ...string) {
	p.t.Helper()
	p.until(text+" to be read", func() bool { return slices.Equal(p.read(g, text), by) })
	list, _, err := p.Messages(g, nil, 500)
	must(p.t, err)
	for _, m := range list {
		if string(m.Content.Body) == text && m.Read != len(by) {
			p.t.Errorf("%d have read %q, want %v", m.Read, text, by)
		}
	}
}

// TestReadMarks: who tells is told; nobody does before it was chosen; it survives a restart,
// and is over when it is switched off.
func TestReadMarks(t *testing.T) {
	t.Parallel()
	ann, ben, cleo := start(t, "Ann", t.TempDir()), start(t, "Ben", t.TempDir()), start(t, "Cleo", t.TempDir())
	befriend(t, ann, ben)
	befriend(t, ann, cleo)
	g := together(t, "Walk", ann, ben, cleo)
	ann.say(g, "one")
	for _, p := range []*person{ben, cleo} {
		p.sees(g, "one")
		p.readTo(g)
	}
	ann.say(g, "two")
	ben.sees(g, "one", "two")
	if names := ann.read(g, "one"); len(names) > 0 {
		t.Errorf("Ann is told that %v have read it, and nobody chose to tell", names)
	}
	for _, p := range []*person{ann, ben} {
		must(t, p.ChangeSettings(func(s *node.Settings) { s.TellRead = true }))
	}
	ann.isRead(g, "one", "Ben")
	ann.isRead(g, "two")
	ben.readTo(g)
	ann.isRead(g, "two", "Ben")
	ben.say(g, "three")
	cleo.sees(g, "one", "two", "three")
	cleo.readTo(g)
	cleo.say(g, "four")
	ben.sees(g, "one", "two", "three", "four")
	ben.readTo(g)
	ann = ann.restart()
	ann.sees(g, "one", "two", "three", "four")
	ann.isRead(g, "two", "Ben")
	ann.readTo(g)
	ben.isRead(g, "three", "Ann")
	if names := cleo.read(g, "four"); len(names) > 0 {
		t.Errorf("Cleo does not tell, and is told of %v", names)
	}
	must(t, ben.ChangeSettings(func(s *node.Settings) { s.TellRead = false }))
	ann.isRead(g, "two")
	if names := ben.read(g, "three"); len(names) > 0 {
		t.Errorf("Ben does not tell any more, and is told of %v", names)
	}
}

// TestReadWhatComesLate: a message that comes late, and stands above what was read, is
// unread, and its author is not told otherwise.
func TestReadWhatComesLate(t *testing.T) {
	t.Parallel()
	ann, ben := start(t, "Ann", t.TempDir()), start(t, "Ben", t.TempDir())
	befriend(t, ann, ben)
	g := ann.chatWith(ben)
	for _, p := range []*person{ann, ben} {
		must(t, p.ChangeSettings(func(s *node.Settings) { s.TellRead = true }))
	}
	ann.say(g, "before")
	ben.sees(g, "before")
	ben.readTo(g)
	ann.isRead(g, "before", "Ben")
	ben.stop()
	ann.say(g, "on the train")
	ann.stop()
	ben = ben.again()
	ben.say(g, "from the office")
	ben.readTo(g)
	ann = ann.again()
	ann.sees(g, "before", "on the train", "from the office")
	ben.sees(g, "before", "on the train", "from the office")
	if c, err := ben.Chat(g); err != nil || c.Unread != 1 {
		t.Errorf("%d unread, %v", c.Unread, err)
	}
	reached := func() bool {
		list, _, err := ann.Messages(g, nil, 500)
		must(t, err)
		return list[1].Reached == 1
	}
	ann.until("it to have arrived", reached)
	if names := ann.read(g, "on the train"); len(names) > 0 {
		t.Error("what came late was read before it came")
	}
	ann.isRead(g, "before", "Ben")
	ben.readTo(g)
	ann.isRead(g, "on the train", "Ben")
	if c, err := ben.Chat(g); err != nil || c.Unread != 0 {
		t.Errorf("%d unread, %v", c.Unread, err)
	}
}
