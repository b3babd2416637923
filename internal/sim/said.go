package sim

import (
	"fmt"
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
