package sim

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"kith/internal/dag"
	"kith/internal/group"
	"kith/internal/wire"
)

// SayBody says what is not a plain text.
func (n *Node) SayBody(g wire.GroupID, b group.Body) error {
	c, err := group.Say(b)
	if err != nil {
		return err
	}
	return n.Do(g, group.Compose{Client: said, Content: c})
}

// Annotations returns all rows of a node that are about something.
func (r *Replica) Annotations() (rows []group.Row) {
	for _, row := range r.Rows {
		if row.Annotation && row.State == group.RowShown {
			rows = append(rows, row)
		}
	}
	return rows
}

// Lines returns the rows that a person sees, in the order of display.
func (r *Replica) Lines() (rows []group.Row) {
	for _, row := range r.Rows {
		if !row.Annotation && row.State != group.RowWithdrawn {
			rows = append(rows, row)
		}
	}
	slices.SortFunc(rows, func(a, b group.Row) int { return group.ComparePlaces(a.Place, b.Place) })
	return rows
}

// Page returns what a person sees of each line, in the order of display.
func (r *Replica) Page() (list []string) {
	return r.pageWithout(func(group.Row) bool { return false })
}

func (r *Replica) pageWithout(leave func(group.Row) bool) (list []string) {
	about := slices.DeleteFunc(r.Annotations(), leave)
	for _, row := range slices.DeleteFunc(r.Lines(), leave) {
		if r.over(row) {
			continue
		}
		list = append(list, drawShown(row, group.Fold(row, about)))
	}
	return list
}

// drawShown writes what is shown of a line.
func drawShown(row group.Row, s group.Shown) string {
	var out []string
	add := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	switch b := s.Body.(type) {
	case group.Words:
		add("%s", b.Text)
	case group.Reply:
		add("%s, to %.8s", b.Text, b.To.ID.String())
	case group.Poll:
		add("%s", b.Question)
		for i, o := range b.Options {
			add("%s: %s", o, drawPeople(s.Tally.Chosen[i]))
		}
		if s.Tally.Closed != nil {
			add("closed")
		}
	default:
		add("state %d", row.State)
	}
	if s.Deleted != nil {
		return fmt.Sprintf("deleted by %.4s", s.Deleted.Person.String())
	}
	for _, v := range s.Versions {
		add("<%s>", v.Text)
	}
	for _, e := range s.Reactions {
		add("%s %s", e.Emoji, drawPeople(e.People))
	}
	if s.Pinned != nil {
		add("pinned by %.4s", s.Pinned.Person.String())
	}
	return strings.Join(out, "; ")
}

func drawPeople(list []wire.PersonID) string {
	var out []string
	for _, p := range list {
		out = append(out, p.String()[:4])
	}
	return strings.Join(out, " ")
}

// naive is drawShown of what the rules of docs/spec/content.md say, read one at a time. counts
// says which Deletes do, by blocks.
func naive(row group.Row, all []group.Row, counts func(del, line group.Row) bool) string {
	type note struct {
		group.Row
		body group.Body
	}
	var notes []note
	for _, a := range all {
		c, err := group.ParseContent(a.Content)
		if err != nil {
			continue
		}
		b, _ := c.Open()
		if of, ok := c.About(); ok && of == (group.Target{Person: row.Person, ID: row.ID, Commit: row.Commit}) {
			notes = append(notes, note{a, b})
		}
	}
	slices.SortFunc(notes, func(a, b note) int {
		if dag.Less(a.Place, b.Place) {
			return -1
		}
		return 1
	})
	s := group.Shown{}
	if c, err := group.ParseContent(row.Content); err == nil && row.State == group.RowShown {
		s.Body, _ = c.Open()
	}
	for i := range notes {
		n := &notes[i]
		d, ok := n.body.(group.Delete)
		if ok && !n.Waiting && (n.Person == d.Of.Person || counts(n.Row, row)) {
			return drawShown(row, group.Shown{Deleted: &n.Row})
		}
	}
	if row.State == group.RowDeleted {
		return drawShown(row, group.Shown{Deleted: &row})
	}
	text := func() (string, bool) {
		switch b := s.Body.(type) {
		case group.Words:
			return b.Text, true
		case group.Reply:
			return b.Text, true
		}
		return "", false
	}
	for _, n := range notes {
		e, ok := n.body.(group.Edit)
		was, words := text()
		if !ok || !words || n.Person != row.Person {
			continue
		}
		if len(s.Versions) == 0 {
			s.Versions = []group.TextVersion{{Text: was}}
		}
		s.Versions = append(s.Versions, group.TextVersion{Text: e.Text})
		if b, ok := s.Body.(group.Reply); ok {
			s.Body = group.Reply{To: b.To, Text: e.Text}
		} else {
			s.Body = group.Words{Text: e.Text}
		}
	}
	// Of each person and emoji, the stretch without a break in which it last stood.
	type who struct {
		p     wire.PersonID
		emoji string
	}
	since := make(map[who]int)
	for i, n := range notes {
		if r, ok := n.body.(group.Reaction); ok {
			w := who{n.Person, r.Emoji}
			if _, there := since[w]; r.On && !there {
				since[w] = i
			} else if !r.On {
				delete(since, w)
			}
		}
	}
	order := slices.SortedFunc(maps.Keys(since), func(a, b who) int { return since[a] - since[b] })
	for _, w := range order {
		i := slices.IndexFunc(s.Reactions, func(e group.Emoji) bool { return e.Emoji == w.emoji })
		if i < 0 {
			s.Reactions = append(s.Reactions, group.Emoji{Emoji: w.emoji})
			i = len(s.Reactions) - 1
		}
		s.Reactions[i].People = append(s.Reactions[i].People, w.p)
	}
	for i := range notes {
		if p, ok := notes[i].body.(group.Pin); ok && notes[i].May&group.MayArrange != 0 {
			if s.Pinned = nil; p.On {
				s.Pinned = &notes[i].Row
			}
		}
	}
	if poll, ok := s.Body.(group.Poll); ok {
		end := slices.IndexFunc(notes, func(n note) bool {
			_, closes := n.body.(group.Close)
			return closes && n.Person == row.Person
		})
		counted := notes
		if end >= 0 {
			counted, s.Tally.Closed = notes[:end], &notes[end].Row
		}
		s.Tally.Chosen = make([][]wire.PersonID, len(poll.Options))
		for i, n := range counted {
			v, votes := n.body.(group.Vote)
			again := slices.ContainsFunc(counted[i+1:], func(o note) bool {
				_, is := o.body.(group.Vote)
				return is && o.Person == n.Person
			})
			if !votes || again || !poll.Several && len(v.Choices) > 1 {
				continue
			}
			if slices.ContainsFunc(v.Choices, func(c uint8) bool { return int(c) >= len(poll.Options) }) {
				continue
			}
			for _, c := range v.Choices {
				s.Tally.Chosen[c] = append(s.Tally.Chosen[c], n.Person)
			}
		}
	}
	return drawShown(row, s)
}

// annotate lets a node do something about a message that it sees.
func (r *run) annotate(n *Node, choice uint64) {
	rep := n.Groups[r.g]
	lines := slices.DeleteFunc(rep.Lines(), func(row group.Row) bool { return row.State != group.RowShown })
	if len(lines) == 0 {
		return
	}
	line := lines[len(lines)-1-int(choice%uint64(min(len(lines), 8)))]
	of, pick := line.Target(), choice>>8
	shown := group.Fold(line, rep.Annotations())
	if shown.Deleted != nil {
		return
	}
	r.count++
	var b group.Body
	switch pick % 12 {
	case 0, 1, 2:
		b = group.Reaction{To: of, On: pick>>8%4 > 0, Emoji: []string{"+", "!"}[pick>>16%2]}
	case 3:
		b = group.Reply{To: of, Text: fmt.Sprintf("%s answers %d", n.Name, r.count)}
	case 4, 5:
		b = group.Edit{Of: of, Text: fmt.Sprintf("%s edits %d", n.Name, r.count)}
	case 6, 7:
		b = deleteOf(line, shown)
	case 8:
		if b = (group.Pin{Of: of, On: pick>>8%2 == 0}); pick>>16%8 == 0 {
			b = group.Expiry{Seconds: []uint32{0, 5, 60}[pick>>24%3]}
		}
	case 9:
		b = group.Poll{Several: pick>>8%2 == 0, Question: fmt.Sprintf("%s asks %d", n.Name, r.count), Options: []string{"x", "y", "z"}}
	case 10:
		b = group.Vote{In: of, Choices: []uint8{uint8(pick >> 8 % 4)}}
	case 11:
		b = group.Close{Of: of}
	}
	if n.SayBody(r.g, b) == nil {
		if d, ok := b.(group.Delete); ok {
			r.check.deletes(d)
		}
	}
}

// deleteOf is the Delete of a line by who sees it so.
func deleteOf(line group.Row, shown group.Shown) group.Delete {
	d := group.Delete{Of: line.Target()}
	for _, v := range shown.Versions[min(1, len(shown.Versions)):] {
		d.Versions = append(d.Versions, group.Version{ID: v.At.ID, Commit: v.At.Commit})
	}
	slices.SortFunc(d.Versions, func(a, b group.Version) int { return strings.Compare(string(a.ID[:]), string(b.ID[:])) })
	return d
}

// deletes takes note of what somebody deleted.
func (c *checker) deletes(d group.Delete) {
	c.removed[d.Of] = true
	for _, v := range d.Versions {
		c.removed[v.Of(d.Of.Person)] = true
	}
}

// isRemoved reports whether a row may be gone: somebody deleted it, or what it edits.
func (c *checker) isRemoved(row group.Row) bool {
	if content, err := group.ParseContent(row.Content); err == nil && content.Kind == group.ContentEdit {
		if of, ok := content.About(); ok && c.removed[of] {
			return true
		}
	}
	return c.removed[row.Target()] || c.disappears(row)
}

// folded checks, at rest, that what is shown at a node is what the rules say, read
// naively, that nothing is kept of what is deleted, and that nobody waits for it.
func (r *run) folded(n *Node) {
	rep := n.Groups[r.g]
	about := rep.Annotations()
	headers := rep.headersOf()
	counts := func(del, line group.Row) bool { return rep.mayDelete(headers, del, line.Target()) }
	for _, row := range rep.Lines() {
		if a, b := drawShown(row, group.Fold(row, about)), naive(row, about, counts); a != b {
			fail("at rest %s sees %q, and by the rules %q", n.Name, a, b)
		}
	}
	gone := make(map[group.Target]bool)
	for _, row := range about {
		c, err := group.ParseContent(row.Content)
		if err != nil || c.Kind != group.ContentDelete || row.Waiting {
			continue
		}
		b, _ := c.Open()
		d := b.(group.Delete)
		list := []group.Target{d.Of}
		for _, v := range d.Versions {
			list = append(list, v.Of(d.Of.Person))
		}
		for _, t := range list {
			gone[t] = gone[t] || row.Person == d.Of.Person || rep.mayDelete(headers, row, t)
		}
	}
	for key, b := range rep.Records[group.KindEntry] {
		h, err := dag.ParseHeader(b)
		if err != nil {
			fail("%s: %v", n.Name, err)
		}
		author, _, _ := rep.Machine.Blocks().State(h.Block).Device(h.Device)
		if over := group.Ends(r.g, h.ContentID, h.Order); (over == 0 || over > n.now()) && !gone[group.Target{Person: author.Person, ID: h.ContentID, Commit: h.ContentCommit}] {
			continue
		}
		for _, k := range []group.Kind{group.KindCipher, group.KindShelved, group.KindHollow, group.KindMissed} {
			if v, there := rep.Records[k][key]; there && (len(v) > 0 || k == group.KindHollow || k == group.KindMissed) {
				fail("at rest %s has a record of kind %d of what is deleted", n.Name, k)
			}
		}
		if row, there := rep.Rows[h.Place()]; there && (row.State != group.RowDeleted || len(row.Content) > 0) {
			fail("at rest %s has a row of state %d of what is deleted", n.Name, row.State)
		}
	}
	for t, is := range gone {
		if !is {
			continue
		}
		for _, b := range rep.Records[group.KindUnsent] {
			if t.Person == n.Self.Person && string(b[32:48]) == string(t.ID[:]) {
				fail("at rest %s would seal again what is deleted", n.Name)
			}
		}
	}
}

// pagesAlike checks that all who came in at one block, read everything since, are not on
// their way out and were told no lies, see one page, but for what was written after its
// author's removal, and on a branch that lost, where one of them was out: of that its author
// is asked who may have it, and who was out sees it where its copy stands.
func (r *run) pagesAlike() {
	if len(r.crew.persons) > 0 || r.lost() {
		return
	}
	var alike []*Node
	for _, n := range r.Nodes {
		m := r.there(n)
		if m == nil || m.Status() != group.StatusActive || m.View().NoKeys || r.shutOut(m, n) || slices.ContainsFunc(n.Groups[r.g].Lines(), func(row group.Row) bool { return row.State == group.RowUnreadable }) {
			continue
		}
		alike = append(alike, n)
	}
	without := r.writtenWithout(alike)
	leave := func(m *group.Machine, row group.Row) bool { return without[row.Target()] || r.late(m, row) }
	gone := r.deletedBy(leave)
	type page struct {
		n    *Node
		list []string
	}
	for _, n := range alike {
		if a, b := alike[0].Groups[r.g].Machine.View().Lifetime, r.machine(n).View().Lifetime; a != b {
			fail("at rest what %s writes lasts %d s, and what %s writes %d", alike[0].Name, a, n.Name, b)
		}
	}
	by := make(map[wire.BlockHash]page)
	for _, n := range alike {
		m := r.machine(n)
		at, list := arrival(m, n), n.Groups[r.g].pageWithout(func(row group.Row) bool { return leave(m, row) || gone[row.Target()] })
		if one, ok := by[at]; ok && !slices.Equal(one.list, list) {
			fail("at rest %s sees\n%s\nand %s\n%s", one.n.Name, strings.Join(one.list, "\n"), n.Name, strings.Join(list, "\n"))
		}
		by[at] = page{n, list}
	}
}

// writtenWithout returns the messages that somebody of a list holds as they were written while
// one of them was out.
func (r *run) writtenWithout(list []*Node) map[group.Target]bool {
	messages := make(map[group.Target]bool)
	for _, holder := range list {
		for _, row := range holder.Groups[r.g].Rows {
			if slices.ContainsFunc(list, func(n *Node) bool { return r.wasOut(n, row) }) {
				messages[row.Target()] = true
			}
		}
	}
	return messages
}

// wasOut reports whether a row was written without n, which had come in before.
func (r *run) wasOut(n *Node, row group.Row) bool {
	blocks := r.machine(n).Blocks()
	s := blocks.State(row.Block)
	return s != nil && !s.Active(n.Self.Device.ID()) && blocks.IsAncestor(arrival(r.machine(n), n), row.Block)
}

// deletedBy returns what was deleted by Deletes that are left out of a comparison.
func (r *run) deletedBy(leave func(*group.Machine, group.Row) bool) map[group.Target]bool {
	list := make(map[group.Target]bool)
	for _, n := range r.Nodes {
		m := r.there(n)
		if m == nil {
			continue
		}
		for _, row := range n.Groups[r.g].Annotations() {
			c, err := group.ParseContent(row.Content)
			if of, ok := c.About(); err == nil && ok && c.Kind == group.ContentDelete && leave(m, row) {
				list[of] = true
			}
		}
	}
	return list
}
