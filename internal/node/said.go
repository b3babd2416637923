package node

import (
	"strings"

	"kith/internal/group"
	"kith/internal/markup"
	"kith/internal/wire"
)

// maxQuote bounds what is given of a message that is answered, in characters: two
// lines of a page.
const maxQuote = 200

// Said is what people see of a message: what was said, as it was edited, and what
// others did about it.
type Said struct {
	Spans      []markup.Span // with the names of who is mentioned
	MentionsMe bool
	Quote      *Quote // what it answers; nil: nothing
	Reactions  []Reaction
	Edits      int
	EditedAt   uint64 // ms, by the author's clock
	DeletedBy  Person // with a zero ID: it is not deleted
	ByAdmin    bool   // and that was not its author
	PinnedBy   Person // with a zero ID: it is not pinned
	Poll       *Poll
	Known      bool // what kind of message it is
	May        Permitted
	EndsAt     uint64  // ms, by its order, when it disappears; 0: never
	Over       bool    // it has disappeared
	Lifetime   *uint32 // of a line that sets how long messages last: seconds, 0 for ever
	Source     string  // of what may be edited: as one would type it again
}

// A Quote is a message that is answered, as it is now.
type Quote struct {
	ID     wire.ContentID
	Place  group.Place // zero: it is not here
	Author Person
	State  group.RowState // 0: it is not here
	Over   bool           // it has disappeared
	Text   string
}

// A Reaction is an emoji, and who made it.
type Reaction struct {
	Emoji  string
	People []Person
	Mine   bool
}

// A Poll is one as it stands.
type Poll struct {
	Question string
	Options  []Option
	Several  bool
	Closed   bool
	Voters   int
}

// An Option is one, and who chose it.
type Option struct {
	Text   string
	People []Person
	Mine   bool
}

// Permitted is what the person of this node may do to a message.
type Permitted struct{ Reply, Edit, Delete, Pin, Vote, Close bool }

// surroundings are what is about messages, and what they answer.
type surroundings struct {
	about map[group.Target][]group.Row
	lines map[group.Target]group.Row
}

// around finds what is about rows, and about what they answer.
func (n *Node) around(g wire.GroupID, rows []group.Row) (surroundings, error) {
	var targets, answered []group.Target
	seen := make(map[group.Target]bool)
	add := func(list *[]group.Target, t group.Target) {
		if !seen[t] {
			seen[t] = true
			targets = append(targets, t)
		}
		if list != nil {
			*list = append(*list, t)
		}
	}
	for _, r := range rows {
		add(nil, r.Target())
		if of, ok := answers(r); ok {
			add(&answered, of)
		}
	}
	s := surroundings{about: make(map[group.Target][]group.Row), lines: make(map[group.Target]group.Row)}
	annotations, lines, err := n.db.Around(g, targets, answered)
	for _, r := range annotations {
		if c, err := group.ParseContent(r.Content); err == nil {
			if of, ok := c.About(); ok {
				s.about[of] = append(s.about[of], r)
			}
		}
	}
	for _, r := range lines {
		s.lines[r.Target()] = r
	}
	return s, err
}

// answers returns what a row answers.
func answers(r group.Row) (group.Target, bool) {
	c, err := group.ParseContent(r.Content)
	if err != nil || c.Kind != group.ContentReply {
		return group.Target{}, false
	}
	b, err := c.Open()
	reply, ok := b.(group.Reply)
	return reply.To, ok && err == nil
}

// tell fills in what people see of a row.
func (n *Node) tell(o *owner, m *Message, r group.Row, around surroundings) {
	shown := group.Fold(r, around.about[r.Target()])
	s := &m.Said
	s.May = o.permitted(m, shown)
	at, over := n.endOf(o.id, r, shown)
	if s.EndsAt = at; over {
		s.tellOver(m)
		return
	}
	if shown.Deleted != nil {
		m.State, m.Content = group.RowDeleted, group.Content{}
		s.DeletedBy = n.memberOf(o, shown.Deleted.Person)
		s.ByAdmin = shown.Deleted.Person != r.Person
		return
	}
	for _, e := range shown.Reactions {
		people, mine := n.people(o, e.People)
		s.Reactions = append(s.Reactions, Reaction{e.Emoji, people, mine})
	}
	if shown.Pinned != nil {
		s.PinnedBy = n.memberOf(o, shown.Pinned.Person)
	}
	if v := shown.Versions; len(v) > 1 {
		s.Edits, s.EditedAt = len(v)-1, v[len(v)-1].At.Time
	}
	if s.May.Edit {
		s.Source = n.source(o.id, shown.Body)
	}
	s.Known = true
	switch b := shown.Body.(type) {
	case group.Words:
		s.Spans, s.MentionsMe = n.spans(o, b.Text)
	case group.Reply:
		s.Spans, s.MentionsMe = n.spans(o, b.Text)
		s.Quote = n.quote(o, b.To, around)
	case group.Poll:
		s.Spans = []markup.Span{{Text: b.Question}}
		s.Poll = n.poll(o, b, shown.Tally)
	case group.Expiry:
		s.Lifetime = &b.Seconds
	default:
		s.Known = false
	}
}

// source is a text as one would type it again: with "@Name" for a mention, if that makes
// the same mention of it.
func (n *Node) source(g wire.GroupID, b group.Body) string {
	text := ""
	switch b := b.(type) {
	case group.Words:
		text = b.Text
	case group.Reply:
		text = b.Text
	}
	if typed := markup.Typed(text); n.Mention(g, typed) == text {
		return typed
	}
	return text
}

// spans reads a text, with the names by which this device knows who is mentioned.
func (n *Node) spans(o *owner, text string) (list []markup.Span, me bool) {
	list = markup.Parse(text)
	names := o.picture.Load().names
	for i := range list {
		s := &list[i]
		if s.Person == (wire.PersonID{}) {
			continue
		}
		if _, member := names[s.Person]; !member {
			s.Person = wire.PersonID{}
			continue
		}
		who := n.memberOf(o, s.Person)
		me = me || who.Me
		if who.Name != "" {
			s.Text = "@" + who.Name
		}
	}
	return list, me
}

func (n *Node) quote(o *owner, of group.Target, around surroundings) *Quote {
	q := &Quote{ID: of.ID, Author: n.memberOf(o, of.Person)}
	r, here := around.lines[of]
	if !here {
		return q
	}
	q.Place, q.State = r.Place, r.State
	shown := group.Fold(r, around.about[of])
	if _, over := n.endOf(o.id, r, shown); over {
		q.State, q.Over = group.RowDeleted, true
		return q
	}
	var spans []markup.Span
	switch b := shown.Body.(type) {
	case group.Words:
		spans, _ = n.spans(o, b.Text)
	case group.Reply:
		spans, _ = n.spans(o, b.Text)
	case group.Poll:
		spans = []markup.Span{{Text: b.Question}}
	}
	if shown.Deleted != nil {
		q.State = group.RowDeleted
	}
	q.Text = beginning(markup.Text(spans), maxQuote)
	return q
}

// beginning cuts a text to so many characters.
func beginning(s string, most int) string {
	n := 0
	for i := range s {
		if n++; n > most {
			return strings.TrimSpace(s[:i]) + "…"
		}
	}
	return s
}

func (n *Node) poll(o *owner, b group.Poll, t group.Tally) *Poll {
	p := &Poll{Question: b.Question, Several: b.Several, Closed: t.Closed != nil}
	voters := make(map[wire.PersonID]bool)
	for i, text := range b.Options {
		option := Option{Text: text}
		option.People, option.Mine = n.people(o, t.Chosen[i])
		p.Options = append(p.Options, option)
		for _, who := range t.Chosen[i] {
			voters[who] = true
		}
	}
	p.Voters = len(voters)
	return p
}

func (n *Node) people(o *owner, ids []wire.PersonID) (list []Person, me bool) {
	for _, id := range ids {
		p := n.memberOf(o, id)
		list, me = append(list, p), me || p.Me
	}
	return list, me
}

// permitted is what one may do to a message in a chat as it stands.
func (o *owner) permitted(m *Message, shown group.Shown) Permitted {
	v := o.picture.Load().view
	if v.Status != group.StatusActive || shown.Deleted != nil || m.Held {
		return Permitted{}
	}
	if _, sets := shown.Body.(group.Expiry); sets {
		return Permitted{}
	}
	_, words := shown.Body.(group.Words)
	_, reply := shown.Body.(group.Reply)
	_, poll := shown.Body.(group.Poll)
	open := poll && shown.Tally.Closed == nil
	return Permitted{
		Reply:  true,
		Edit:   m.Author.Me && (words || reply),
		Delete: m.Author.Me || v.Admin && !v.Direct,
		Pin:    v.Admin || v.Direct,
		Vote:   open,
		Close:  open && m.Author.Me,
	}
}
