package node

import (
	"cmp"
	"context"
	"slices"
	"time"

	"kith/internal/group"
	"kith/internal/markup"
	"kith/internal/search"
	"kith/internal/store"
	"kith/internal/wire"
)

// Search over everything that is shown.

// Pace of the index in the background: after each step as long a pause as it
// took, and no less than indexPause.
const (
	indexPause = 10 * time.Millisecond
	indexIdle  = time.Hour // until the next look whether there is something to do
)

const (
	// maxNames bounds the chats and people that an answer names.
	maxNames = 20
	// snippetLength is in characters: two to three lines of a list.
	snippetLength = 160
	// maxFound bounds the messages of one answer.
	maxFound = store.MaxFound
)

// Asked is what somebody looks for. What is not set is not asked.
type Asked struct {
	Query  search.Query
	Chat   *wire.GroupID
	Person *wire.PersonID // who wrote it
	Kinds  []group.ContentKind
	Since  uint64 // ms
	Until  uint64 // ms, the first moment that does not count
	Before uint64 // Findings.Next of the answer before
	Limit  int
}

// Findings is an answer.
type Findings struct {
	Hits    []Hit    // newest first
	Chats   []Chat   // whose title says it; with the first answer of a search everywhere
	People  []Person // whose name says it; as Chats
	Next    uint64   // there may be older ones; 0: there are none
	Upto    uint64   // ms, down to which everything was looked at
	Percent int      // of what is stored, that can be found by now
}

// A Hit is a message that was found. Whom it has reached is not looked up.
type Hit struct {
	Message Message
	Snippet search.Snippet
}

// Search finds messages, and, where it is asked for words everywhere, chats and
// people by their names.
func (n *Node) Search(a Asked) (Findings, error) {
	if a.Limit <= 0 {
		a.Limit = 20
	}
	got, err := n.db.Search(store.Asked{
		Query: a.Query, Group: a.Chat, Person: a.Person, Kinds: a.Kinds, Since: a.Since, Until: a.Until,
		Before: a.Before, Limit: min(a.Limit, maxFound),
	})
	if err != nil {
		return Findings{}, storeError(err)
	}
	f := Findings{Next: got.Next, Upto: got.Upto, Percent: got.Percent}
	for _, r := range got.Found {
		if o := n.owner(r.Group); o != nil {
			m, err := n.message(o, r.Row)
			if err != nil {
				return Findings{}, err
			}
			if m.Said.Over || m.Said.Lifetime != nil { // the line of a lifetime has no words
				continue
			}
			text := shownText(m, r.Text)
			if _, all := a.Query.Marks(text); all {
				f.Hits = append(f.Hits, Hit{m, a.Query.Snippet(text, snippetLength)})
			}
		}
	}
	if a.Before == 0 && !a.Query.Empty() && a.Chat == nil && a.Person == nil && a.Since == 0 && a.Until == 0 && len(a.Kinds) == 0 {
		err = n.findNames(a.Query, &f)
	}
	return f, err
}

// shownText is what people read of a text that was found. The index has it as it was
// written, with the marks of its author and the ids of who is mentioned.
func shownText(m Message, text string) string {
	if k := m.Content.Kind; k != group.ContentText && k != group.ContentReply {
		return text
	}
	return markup.Text(markup.Parse(text))
}

// findNames looks through the titles of chats and the names of people. Each word
// may be only begun: names are short.
func (n *Node) findNames(q search.Query, f *Findings) error {
	begun := search.Query{Parts: slices.Clone(q.Parts)}
	for i := range begun.Parts {
		begun.Parts[i].Begun = true
	}
	people := make(map[wire.PersonID]Person)
	said := func(name string) bool {
		_, all := begun.Marks(name)
		return all && name != ""
	}
	add := func(p Person) {
		if said(p.Name) {
			people[p.ID] = p
		}
	}
	for _, o := range n.allOwners() {
		if said(n.title(o)) {
			c, err := n.chat(o)
			if err != nil {
				return err
			}
			f.Chats = append(f.Chats, c)
		}
		for id := range o.picture.Load().names {
			add(n.memberOf(o, id))
		}
	}
	n.mu.Lock()
	friends := make([]wire.PersonID, 0, len(n.friends))
	for id := range n.friends {
		friends = append(friends, id)
	}
	n.mu.Unlock()
	for _, id := range friends {
		add(n.person(id))
	}
	for _, p := range people {
		if !p.Me {
			f.People = append(f.People, p)
		}
	}
	slices.SortFunc(f.Chats, func(a, b Chat) int {
		return cmp.Or(cmp.Compare(b.ChangedAt, a.ChangedAt), slices.Compare(a.ID[:], b.ID[:]))
	})
	slices.SortFunc(f.People, compareNames)
	f.Chats, f.People = f.Chats[:min(len(f.Chats), maxNames)], f.People[:min(len(f.People), maxNames)]
	return nil
}

// Title is the title of a chat; of a direct chat the other's name.
func (n *Node) Title(g wire.GroupID) string {
	o := n.owner(g)
	if o == nil {
		return ""
	}
	return n.title(o)
}

func (n *Node) title(o *owner) string {
	v := o.picture.Load().view
	if v.Direct {
		return n.otherName(o, v)
	}
	return v.Title
}

// indexing makes what was stored without an index findable, in the background.
func (n *Node) indexing(ctx context.Context) {
	for {
		began := time.Now()
		more, err := n.db.IndexSome(n.nowMS())
		wait := time.Duration(indexIdle)
		if more {
			wait = max(indexPause, time.Since(began))
		}
		if err != nil {
			n.log.Warn("index", "err", err)
			wait = time.Minute
		}
		pause := time.NewTimer(wait)
		select {
		case <-pause.C:
		case <-n.unindexed:
		case <-ctx.Done():
			pause.Stop()
			return
		}
		pause.Stop()
	}
}

// indexSoon says that there may be something to index, after a large chat was deleted.
func (n *Node) indexSoon() {
	select {
	case n.unindexed <- struct{}{}:
	default:
	}
}

// MessagesAfter returns a page of a chat after a place, oldest first, and whether
// there are newer ones.
func (n *Node) MessagesAfter(g wire.GroupID, after group.Place, limit int) (list []Message, more bool, err error) {
	o, err := n.in(g)
	if err != nil {
		return nil, false, err
	}
	rows, err := n.db.PageAfter(g, after, limit+1)
	if err != nil {
		return nil, false, storeError(err)
	}
	if more = len(rows) > limit; more {
		rows = rows[:limit]
	}
	list, err = n.shown(o, rows)
	return list, more, err
}

// MessagesAround returns the messages on both sides of a place, oldest first, and whether
// there are older and newer ones. The message at the place is among them if it is
// still there.
func (n *Node) MessagesAround(g wire.GroupID, at group.Place, limit int) (list []Message, older, newer bool, err error) {
	o, err := n.in(g)
	if err != nil {
		return nil, false, false, err
	}
	before, err := n.db.Page(g, &at, limit/2+1)
	if err != nil {
		return nil, false, false, storeError(err)
	}
	if older = len(before) > limit/2; older {
		before = before[1:]
	}
	row, err := n.db.RowAt(g, at)
	if err != nil {
		return nil, false, false, storeError(err)
	}
	if row != nil {
		before = append(before, *row)
	}
	rest := limit - len(before)
	after, err := n.db.PageAfter(g, at, rest+1)
	if err != nil {
		return nil, false, false, storeError(err)
	}
	if newer = len(after) > rest; newer {
		after = after[:rest]
	}
	list, err = n.shown(o, append(before, after...))
	return list, older, newer, err
}

// shown makes what people see of rows.
func (n *Node) shown(o *owner, rows []group.Row) ([]Message, error) {
	list, err := n.messages(o, rows)
	if err != nil {
		return nil, err
	}
	var own []*Message
	for i := range list {
		if list[i].Author.Me {
			own = append(own, &list[i])
		}
	}
	if len(own) == 0 { // for the rest no machine is needed
		return list, nil
	}
	return list, o.ask(func() error {
		o.reached(own)
		return nil
	})
}
