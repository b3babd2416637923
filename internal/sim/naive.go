package sim

import (
	"maps"
	"slices"

	"kith/internal/dag"
	"kith/internal/group"
	"kith/internal/wire"
)

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
