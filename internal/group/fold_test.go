package group_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"kith/internal/group"
	"kith/internal/wire"
)

// People of the folds.
var (
	ann  = wire.PersonID{1}
	ben  = wire.PersonID{2}
	cleo = wire.PersonID{3} // an admin
)

// page makes rows as they stand one after the other.
type page struct {
	t    *testing.T
	rows []group.Row
}

func (p *page) put(by wire.PersonID, b group.Body) group.Row {
	p.t.Helper()
	c, err := group.Say(b)
	if err != nil {
		p.t.Fatal(err)
	}
	n := uint64(len(p.rows) + 1)
	_, about := c.About()
	r := group.Row{
		Place: group.Place{Order: n, Device: wire.DeviceID(by), Seq: n}, Person: by, ID: wire.ContentID{byte(n)}, Commit: wire.Digest{byte(n)},
		State: group.RowShown, Content: c.Bytes(), Annotation: about, Time: 1000 + n,
	}
	if by == cleo {
		r.May = group.MayRemove | group.MayArrange
	}
	p.rows = append(p.rows, r)
	return r
}

// tell writes what is shown of a message on one line.
func tell(s group.Shown) string {
	names := map[wire.PersonID]string{ann: "Ann", ben: "Ben", cleo: "Cleo"}
	list := func(people []wire.PersonID) string {
		var out []string
		for _, p := range people {
			out = append(out, names[p])
		}
		return strings.Join(out, " ")
	}
	if s.Deleted != nil {
		return "deleted by " + names[s.Deleted.Person]
	}
	var out []string
	switch b := s.Body.(type) {
	case group.Words:
		out = append(out, b.Text)
	case group.Reply:
		out = append(out, "re: "+b.Text)
	case group.Poll:
		for i, o := range b.Options {
			out = append(out, o+": "+list(s.Tally.Chosen[i]))
		}
		if s.Tally.Closed != nil {
			out = append(out, "closed")
		}
	}
	for _, v := range s.Versions {
		out = append(out, "<"+v.Text+">")
	}
	for _, e := range s.Reactions {
		out = append(out, e.Emoji+" "+list(e.People))
	}
	if s.Pinned != nil {
		out = append(out, "pinned by "+names[s.Pinned.Person])
	}
	return strings.Join(out, "; ")
}

// TestFold: what is shown, and that it is the same in whatever order all comes.
func TestFold(t *testing.T) {
	for _, c := range []struct {
		name string
		make func(p *page) group.Row
		want string
	}{
		{"as it was said", func(p *page) group.Row { return p.put(ann, group.Words{Text: "hi"}) }, "hi"},
		{"edited twice", func(p *page) group.Row {
			m := p.put(ann, group.Words{Text: "a"})
			p.put(ann, group.Edit{Of: m.Target(), Text: "b"})
			p.put(ann, group.Edit{Of: m.Target(), Text: "c"})
			return m
		}, "c; <a>; <b>; <c>"},
		{"a reply edited", func(p *page) group.Row {
			m := p.put(ann, group.Reply{To: p.put(ben, group.Words{Text: "x"}).Target(), Text: "a"})
			p.put(ann, group.Edit{Of: m.Target(), Text: "b"})
			return m
		}, "re: b; <a>; <b>"},
		{"edited by another", func(p *page) group.Row {
			m := p.put(ann, group.Words{Text: "a"})
			p.put(ben, group.Edit{Of: m.Target(), Text: "b"})
			p.put(cleo, group.Edit{Of: m.Target(), Text: "c"})
			return m
		}, "a"},
		{"edited under another's name", func(p *page) group.Row {
			m := p.put(ann, group.Words{Text: "a"})
			of := m.Target()
			of.Person = ben
			p.put(ben, group.Edit{Of: of, Text: "b"})
			return m
		}, "a"},
		{"with a copied id", func(p *page) group.Row {
			m := p.put(ann, group.Words{Text: "a"})
			p.put(ben, group.Words{Text: "b"})
			p.rows[1].ID, p.rows[1].Commit = m.ID, m.Commit
			copied := p.rows[1]
			p.put(ben, group.Edit{Of: copied.Target(), Text: "mine"})
			p.put(ben, group.Delete{Of: copied.Target()})
			return m
		}, "a"},
		{"deleted by its author", func(p *page) group.Row {
			m := p.put(ann, group.Words{Text: "a"})
			p.put(ben, group.Reaction{To: m.Target(), On: true, Emoji: "+"})
			p.put(ann, group.Delete{Of: m.Target()})
			p.put(ann, group.Edit{Of: m.Target(), Text: "again"})
			return m
		}, "deleted by Ann"},
		{"deleted by a member", func(p *page) group.Row {
			m := p.put(ann, group.Words{Text: "a"})
			p.put(ben, group.Delete{Of: m.Target()})
			return m
		}, "a"},
		{"deleted by an admin", func(p *page) group.Row {
			m := p.put(ann, group.Words{Text: "a"})
			p.put(cleo, group.Delete{Of: m.Target()})
			p.put(ann, group.Delete{Of: m.Target()})
			m.State, m.Content = group.RowDeleted, nil
			return m
		}, "deleted by Cleo"},
		{"deleted by who was an admin before it was written", func(p *page) group.Row {
			m := p.put(ann, group.Words{Text: "a"})
			p.put(cleo, group.Delete{Of: m.Target()})
			return m // the machine has not let it go
		}, "a"},
		{"reactions", func(p *page) group.Row {
			m := p.put(ann, group.Words{Text: "a"})
			p.put(ben, group.Reaction{To: m.Target(), On: true, Emoji: "!"})
			p.put(cleo, group.Reaction{To: m.Target(), On: true, Emoji: "+"})
			p.put(ann, group.Reaction{To: m.Target(), On: true, Emoji: "+"})
			p.put(ben, group.Reaction{To: m.Target(), On: true, Emoji: "+"})
			p.put(ben, group.Reaction{To: m.Target(), Emoji: "!"})
			p.put(ben, group.Reaction{To: m.Target(), Emoji: "!"})
			p.put(cleo, group.Reaction{To: m.Target(), Emoji: "+"})
			p.put(cleo, group.Reaction{To: m.Target(), On: true, Emoji: "+"})
			return m
		}, "a; + Ann Ben Cleo"},
		{"pinned by who may", func(p *page) group.Row {
			m := p.put(ann, group.Words{Text: "a"})
			p.put(cleo, group.Pin{Of: m.Target(), On: true})
			p.put(ben, group.Pin{Of: m.Target()})
			return m
		}, "a; pinned by Cleo"},
		{"pinned and let go", func(p *page) group.Row {
			m := p.put(ann, group.Words{Text: "a"})
			p.put(cleo, group.Pin{Of: m.Target(), On: true})
			p.put(cleo, group.Pin{Of: m.Target()})
			return m
		}, "a"},
		{"a poll", func(p *page) group.Row {
			m := p.put(ann, group.Poll{Question: "?", Options: []string{"x", "y"}})
			p.put(ann, group.Vote{In: m.Target(), Choices: []uint8{0}})
			p.put(ben, group.Vote{In: m.Target(), Choices: []uint8{0}})
			p.put(ben, group.Vote{In: m.Target(), Choices: []uint8{1}})
			p.put(cleo, group.Vote{In: m.Target(), Choices: []uint8{0, 1}}) // it takes one
			p.put(ben, group.Close{Of: m.Target()})                         // it is not his
			return m
		}, "x: Ann; y: Ben"},
		{"a poll that is closed", func(p *page) group.Row {
			m := p.put(ann, group.Poll{Question: "?", Several: true, Options: []string{"x", "y"}})
			p.put(ben, group.Vote{In: m.Target(), Choices: []uint8{0, 1}})
			p.put(cleo, group.Vote{In: m.Target(), Choices: []uint8{7}})
			p.put(ann, group.Vote{In: m.Target(), Choices: []uint8{1}})
			p.put(ann, group.Vote{In: m.Target()})
			p.put(ann, group.Close{Of: m.Target()})
			p.put(ann, group.Vote{In: m.Target(), Choices: []uint8{0}})
			return m
		}, "x: Ben; y: Ben; closed"},
		{"a poll is not edited, a text takes no votes", func(p *page) group.Row {
			m := p.put(ann, group.Poll{Question: "?", Options: []string{"x", "y"}})
			p.put(ann, group.Edit{Of: m.Target(), Text: "z"})
			return m
		}, "x: ; y: "},
		{"a delete that waits", func(p *page) group.Row {
			m := p.put(ann, group.Words{Text: "a"})
			p.put(ann, group.Delete{Of: m.Target()})
			p.rows[1].Waiting = true
			return m
		}, "a"},
	} {
		p := &page{t: t}
		line := c.make(p)
		for range 20 {
			rand.Shuffle(len(p.rows), func(i, j int) { p.rows[i], p.rows[j] = p.rows[j], p.rows[i] })
			if got := tell(group.Fold(line, p.rows)); got != c.want {
				t.Errorf("%s: %q, want %q", c.name, got, c.want)
				break
			}
		}
	}
}

// TestFoldOfWhatCannotBeRead: reactions stand at what this device cannot read.
func TestFoldOfWhatCannotBeRead(t *testing.T) {
	p := &page{t: t}
	m := p.put(ann, group.Words{Text: "a"})
	m.State, m.Content = group.RowUnreadable, nil
	p.put(ben, group.Reaction{To: m.Target(), On: true, Emoji: "!"})
	p.put(ann, group.Edit{Of: m.Target(), Text: "b"})
	if got := tell(group.Fold(m, p.rows)); got != "! Ben" {
		t.Errorf("%q", got)
	}
	m.State = group.RowDeleted
	if got := tell(group.Fold(m, p.rows)); got != "deleted by Ann" {
		t.Errorf("%q", got)
	}
}

// TestManyReactions: one member alone does not fill the screen.
func TestManyReactions(t *testing.T) {
	p := &page{t: t}
	m := p.put(ann, group.Words{Text: "a"})
	for i := range 200 {
		p.put(ben, group.Reaction{To: m.Target(), On: true, Emoji: fmt.Sprint(i)})
	}
	s := group.Fold(m, p.rows)
	if len(s.Reactions) != group.MaxReactions || s.Reactions[0].Emoji != "136" { // the newest count
		t.Errorf("%d reactions, the first is %q", len(s.Reactions), s.Reactions[0].Emoji)
	}
}

// FuzzFold: whatever is about a message, in whatever order it comes, the same is shown.
func FuzzFold(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13}, uint64(1))
	f.Fuzz(func(t *testing.T, deeds []byte, seed uint64) {
		p := &page{t: t}
		m := p.put(ann, group.Poll{Question: "?", Several: true, Options: []string{"x", "y"}})
		text := p.put(ben, group.Words{Text: "a"})
		of := []group.Target{m.Target(), text.Target()}
		for _, d := range deeds[:min(len(deeds), 60)] {
			by, to, on := []wire.PersonID{ann, ben, cleo}[d%3], of[d/3%2], d/6%2 == 0
			switch d / 12 % 7 {
			case 0:
				p.put(by, group.Reaction{To: to, On: on, Emoji: "!"})
			case 1:
				p.put(by, group.Edit{Of: to, Text: fmt.Sprint(d)})
			case 2:
				p.put(by, group.Vote{In: to, Choices: []uint8{d / 84 % 2}})
			case 3:
				p.put(by, group.Pin{Of: to, On: on})
			case 4:
				p.put(by, group.Close{Of: to})
			case 5:
				p.put(by, group.Reaction{To: to, On: on, Emoji: "?"})
			case 6:
				p.put(by, group.Delete{Of: to})
			}
		}
		shuffled := slices.Clone(p.rows)
		r := rand.New(rand.NewPCG(seed, 0))
		r.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		slices.SortFunc(p.rows, func(a, b group.Row) int { return group.ComparePlaces(a.Place, b.Place) })
		for _, line := range []group.Row{m, text} {
			if a, b := group.Fold(line, p.rows), group.Fold(line, shuffled); !reflect.DeepEqual(a, b) {
				t.Errorf("%q in order, %q in another", tell(a), tell(b))
			}
		}
	})
}

// TestFoldManyOfOne: of what one person does about a message in one way the newest 64
// count, in whatever order they come, and nothing of anybody else's is lost by it.
func TestFoldManyOfOne(t *testing.T) {
	p := &page{t: t}
	m := p.put(ann, group.Words{Text: "first"})
	p.put(cleo, group.Reaction{To: m.Target(), On: true, Emoji: "c"})
	for i := range 200 {
		p.put(ann, group.Edit{Of: m.Target(), Text: fmt.Sprint(i)})
		p.put(ben, group.Reaction{To: m.Target(), On: true, Emoji: fmt.Sprint(i)})
	}
	p.put(ben, group.Reaction{To: m.Target(), On: false, Emoji: "199"})
	for range 5 {
		rand.Shuffle(len(p.rows), func(i, j int) { p.rows[i], p.rows[j] = p.rows[j], p.rows[i] })
		s := group.Fold(m, p.rows)
		if len(s.Versions) != 1+group.MaxAbout || s.Versions[0].Text != "first" || s.Versions[1].Text != "136" || s.Body != (group.Words{Text: "199"}) {
			t.Errorf("%d versions, shown is %v", len(s.Versions), s.Body)
		}
		if n := len(s.Reactions); n != group.MaxAbout-1 || s.Reactions[0].Emoji != "c" || s.Reactions[1].Emoji != "137" {
			t.Errorf("%d reactions: %v", n, s.Reactions)
		}
	}
}
