package node

import (
	"bytes"
	"context"
	"encoding/hex"
	"slices"

	"kith/internal/group"
	"kith/internal/markup"
	"kith/internal/store"
	"kith/internal/wire"
)

// What people do about messages. Each call that changes nothing writes nothing.

// Answer writes a reply, see SendDraft.
func (n *Node) Answer(ctx context.Context, g wire.GroupID, client, to, text string, begun uint64) (Message, error) {
	row, err := n.line(g, to)
	if err != nil {
		return Message{}, err
	}
	if _, err := n.alive(g, *row); err != nil {
		return Message{}, err
	}
	c, err := group.Say(group.Reply{To: row.Target(), Text: n.Mention(g, text)})
	if err != nil {
		return Message{}, err
	}
	return n.SendDraft(ctx, g, client, c, begun)
}

// Mention returns a text with "@Name" made a mention of the member who is called so.
func (n *Node) Mention(g wire.GroupID, text string) string {
	o := n.owner(g)
	if o == nil {
		return text
	}
	names := make(map[wire.PersonID]string)
	for _, m := range o.picture.Load().view.Members {
		names[m.Person] = n.memberOf(o, m.Person).Name
	}
	return markup.Mention(text, names)
}

// React makes a reaction of one's own, or takes it back.
func (n *Node) React(g wire.GroupID, ref, emoji string, on bool) (Message, error) {
	return n.annotate(g, ref, func(r group.Row, s group.Shown) (group.Body, error) {
		mine := slices.ContainsFunc(s.Reactions, func(e group.Emoji) bool {
			return e.Emoji == emoji && slices.Contains(e.People, n.self.Person)
		})
		if mine == on {
			return nil, nil
		}
		return group.Reaction{To: r.Target(), On: on, Emoji: emoji}, nil
	})
}

// Edit gives an own text another.
func (n *Node) Edit(g wire.GroupID, ref, text string) (Message, error) {
	text = n.Mention(g, text)
	return n.annotate(g, ref, func(r group.Row, s group.Shown) (group.Body, error) {
		var now string
		switch b := s.Body.(type) {
		case group.Words:
			now = b.Text
		case group.Reply:
			now = b.Text
		default:
			return nil, fail(ReasonNoText, "")
		}
		if now == text {
			return nil, nil
		}
		return group.Edit{Of: r.Target(), Text: text}, nil
	})
}

// Delete deletes a message of one's own, or as an admin any.
func (n *Node) Delete(g wire.GroupID, ref string) (Message, error) {
	o, err := n.in(g)
	if err != nil {
		return Message{}, err
	}
	if row, err := n.line(g, ref); err == nil && row.State == group.RowDeleted {
		return n.message(o, *row)
	}
	return n.annotate(g, ref, func(r group.Row, s group.Shown) (group.Body, error) {
		d := group.Delete{Of: r.Target()}
		for _, v := range s.Versions[min(1, len(s.Versions)):] {
			d.Versions = append(d.Versions, group.Version{ID: v.At.ID, Commit: v.At.Commit})
		}
		if surplus := len(d.Versions) - group.MaxVersions; surplus > 0 {
			d.Versions = d.Versions[surplus:]
		}
		slices.SortFunc(d.Versions, func(a, b group.Version) int {
			return bytes.Compare(slices.Concat(a.ID[:], a.Commit[:]), slices.Concat(b.ID[:], b.Commit[:]))
		})
		return d, nil
	})
}

// Pin pins a message, or lets it go.
func (n *Node) Pin(g wire.GroupID, ref string, on bool) (Message, error) {
	return n.annotate(g, ref, func(r group.Row, s group.Shown) (group.Body, error) {
		if (s.Pinned != nil) == on {
			return nil, nil
		}
		return group.Pin{Of: r.Target(), On: on}, nil
	})
}

// Vote chooses in a poll, in place of what was chosen before.
func (n *Node) Vote(g wire.GroupID, ref string, choices []uint8) (Message, error) {
	choices = slices.Compact(slices.Sorted(slices.Values(choices)))
	return n.annotate(g, ref, func(r group.Row, s group.Shown) (group.Body, error) {
		poll, ok := s.Body.(group.Poll)
		switch {
		case !ok:
			return nil, fail(ReasonNoPoll, "")
		case s.Tally.Closed != nil:
			return nil, fail(ReasonClosed, "")
		case len(choices) > 1 && !poll.Several || len(choices) > 0 && int(slices.Max(choices)) >= len(poll.Options):
			return nil, fail(ReasonChoice, "")
		}
		var now []uint8
		for i, people := range s.Tally.Chosen {
			if slices.Contains(people, n.self.Person) {
				now = append(now, uint8(i))
			}
		}
		if bytes.Equal(now, choices) {
			return nil, nil
		}
		return group.Vote{In: r.Target(), Choices: choices}, nil
	})
}

// ClosePoll ends an own poll.
func (n *Node) ClosePoll(g wire.GroupID, ref string) (Message, error) {
	return n.annotate(g, ref, func(r group.Row, s group.Shown) (group.Body, error) {
		if _, ok := s.Body.(group.Poll); !ok {
			return nil, fail(ReasonNoPoll, "")
		}
		if s.Tally.Closed != nil {
			return nil, nil
		}
		return group.Close{Of: r.Target()}, nil
	})
}

// annotate writes what what makes of a message as it stands, unless that is nil, and
// returns how it stands then.
func (n *Node) annotate(g wire.GroupID, ref string, what func(group.Row, group.Shown) (group.Body, error)) (Message, error) {
	o, err := n.in(g)
	if err != nil {
		return Message{}, err
	}
	var m Message
	return m, o.ask(func() error {
		row, err := n.line(g, ref)
		if err != nil {
			return err
		}
		shown, err := n.alive(g, *row)
		if err != nil {
			return err
		}
		body, err := what(*row, shown)
		if err != nil {
			return err
		}
		if body != nil {
			content, err := group.Say(body)
			if err != nil {
				return err
			}
			if err := o.step(group.Compose{Client: hex.EncodeToString(wire.Random(16)), Content: content}); err != nil {
				return err
			}
		}
		if row, err = n.db.RowAt(g, row.Place); err != nil || row == nil {
			return storeError(err)
		}
		m, err = n.message(o, *row)
		o.reached([]*Message{&m})
		return err
	})
}

// A TextVersion is a text as it was once.
type TextVersion struct {
	Spans []markup.Span
	Time  uint64 // ms, the author's clock
}

// Versions returns an edited message as it was, oldest first; what was never edited is
// its only version.
func (n *Node) Versions(g wire.GroupID, ref string) ([]TextVersion, error) {
	o, err := n.in(g)
	if err != nil {
		return nil, err
	}
	row, err := n.line(g, ref)
	if err != nil {
		return nil, err
	}
	shown, err := n.alive(g, *row)
	if err != nil {
		return nil, err
	}
	versions := shown.Versions
	if len(versions) == 0 {
		switch b := shown.Body.(type) {
		case group.Words:
			versions = []group.TextVersion{{At: *row, Text: b.Text}}
		case group.Reply:
			versions = []group.TextVersion{{At: *row, Text: b.Text}}
		default:
			return nil, fail(ReasonNoText, "")
		}
	}
	var list []TextVersion
	for _, v := range versions {
		spans, _ := n.spans(o, v.Text)
		list = append(list, TextVersion{spans, v.At.Time})
	}
	return list, nil
}

// maxPins is how many of the newest Pins are looked at.
const maxPins = 1000

// Pins returns the messages that are pinned, the one pinned last first.
func (n *Node) Pins(g wire.GroupID) ([]Message, error) {
	o, err := n.in(g)
	if err != nil {
		return nil, err
	}
	rows, err := n.db.Pins(g, maxPins)
	if err != nil {
		return nil, storeError(err)
	}
	var order []group.Target
	for _, r := range rows {
		c, err := group.ParseContent(r.Content)
		if of, ok := c.About(); err == nil && ok && !slices.Contains(order, of) {
			order = append(order, of)
		}
	}
	_, lines, err := n.db.Around(g, nil, order)
	if err != nil {
		return nil, storeError(err)
	}
	slices.SortFunc(lines, func(a, b group.Row) int {
		return slices.Index(order, a.Target()) - slices.Index(order, b.Target())
	})
	list, err := n.messages(o, lines)
	return slices.DeleteFunc(list, func(m Message) bool { return m.Said.PinnedBy.ID == (wire.PersonID{}) }), err
}

// sortRows looks again at what an older program stored and did not know.
func (o *owner) sortRows() {
	for {
		rows, err := o.n.db.Unsorted(o.id)
		if err != nil || len(rows) == 0 {
			return
		}
		sorted := also{write: func(tx *store.Tx) error { return tx.Sorted(o.id, rows) }}
		if o.stepAlso(group.Sort{Rows: rows}, sorted) != nil {
			return
		}
	}
}

// publishRow publishes a message as it stands now: a row may be a copy of one that
// stands elsewhere, or be about one.
func (o *owner) publishRow(row group.Row) {
	if row.Annotation {
		if c, err := group.ParseContent(row.Content); err == nil && c.Kind != group.ContentDelete { // see publishDeleted
			if of, ok := c.About(); ok {
				o.publishTarget(of)
			}
		}
		return
	}
	if row.State == group.RowShown && o.publishTarget(row.Target()) {
		return
	}
	o.publishLine(row)
}

// publishDeleted publishes what is deleted now.
func (o *owner) publishDeleted(list []group.Deletion) {
	for _, d := range list {
		if !d.Annotation {
			o.publishTarget(d.Target)
		}
	}
}

// publishTarget publishes a line as it stands, if it is here.
func (o *owner) publishTarget(of group.Target) bool {
	_, lines, err := o.n.db.Around(o.id, nil, []group.Target{of})
	if err != nil || len(lines) == 0 {
		return false
	}
	o.publishLine(lines[0])
	return true
}

func (o *owner) publishLine(row group.Row) {
	msg, err := o.n.message(o, row)
	if err != nil {
		o.n.log.Error("cannot read", "group", shortGroup(o.id), "err", err)
		return
	}
	o.reached([]*Message{&msg})
	o.n.hub.publish(MessageChanged{msg})
}
