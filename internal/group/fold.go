package group

import (
	"encoding/binary"
	"maps"
	"slices"

	"kith/internal/dag"
	"kith/internal/wire"
)

// What is shown of a message follows from the set of the entries about it alone,
// not from the order in which they came: from the message and its annotations,
// which are contents that name it, taken in the order of display. One that comes
// before its message waits in the store until that comes. One whose author had no
// right to it changes nothing for anybody.

// Powers are what a person may do to a group's messages at a block, beside what
// everybody may. Numbers are stored: append only.
type Powers uint8

// Powers.
const (
	MayRemove  Powers = 1 << 0 // messages of others: admins of a group
	MayArrange Powers = 1 << 1 // pins: admins, and both people of a direct chat
)

// Target returns the message of a row.
func (r Row) Target() Target { return Target{r.Person, r.ID, r.Commit} }

// About returns the message that a content is about, if it is an annotation: no
// line of its own. What own devices tell each other is about none.
func (c Content) About() (Target, bool) {
	b, err := c.Open()
	if err != nil {
		return Target{}, false
	}
	switch b := b.(type) {
	case Reaction:
		return b.To, true
	case Edit:
		return b.Of, true
	case Delete:
		return b.Of, true
	case Vote:
		return b.In, true
	case Pin:
		return b.Of, true
	case Close:
		return b.Of, true
	case Own:
		return Target{}, true
	}
	return Target{}, false
}

// IsAnnotation reports whether a content that is valid is an annotation, without
// reading more of it than its kind.
func IsAnnotation(content []byte) bool {
	if len(content) < 2 {
		return false
	}
	switch ContentKind(binary.BigEndian.Uint16(content)) {
	case ContentReaction, ContentEdit, ContentDelete, ContentVote, ContentPin, ContentClose, ContentOwn:
		return true
	}
	return false
}

// Shown is what people see of a message.
type Shown struct {
	Body      Body          // as last edited; nil: deleted, not readable, or of an unknown kind
	Versions  []TextVersion // of one that was edited: all of them, the first first
	Reactions []Emoji
	Pinned    *Row // the Pin by which it is; nil: it is not
	Deleted   *Row // the Delete by which it is gone; nil: it is there
	Tally     Tally
}

// A TextVersion is a text as it was once.
type TextVersion struct {
	At   Row // of the message or the edit
	Text string
}

// An Emoji is a reaction, and who made it, the first first.
type Emoji struct {
	Emoji  string
	People []wire.PersonID
}

// Tally is how a poll stands.
type Tally struct {
	Chosen [][]wire.PersonID // of each option: by whom, the first first
	Closed *Row              // the Close that ended it; nil: it is open
}

// Fold returns what is shown of a message, given its annotations in any order; those
// of other messages, and those that do not count, change nothing.
func Fold(line Row, annotations []Row) Shown {
	var s Shown
	if line.State == RowShown {
		if c, err := ParseContent(line.Content); err == nil {
			s.Body, _ = c.Open()
		}
	}
	f := folding{Shown: &s, line: line, reactions: make(map[string]map[wire.PersonID]int), votes: make(map[wire.PersonID]cast)}
	for i, n := range newest(notesOf(line.Target(), annotations)) {
		f.take(i, n.row, n.body)
	}
	f.end()
	return s
}

// A note is an annotation, read.
type note struct {
	row  Row
	body Body
}

// notesOf are those of the annotations that are about a message, in the order of display.
func notesOf(target Target, annotations []Row) (list []note) {
	for _, r := range annotations {
		c, err := ParseContent(r.Content)
		if r.State != RowShown || err != nil {
			continue
		}
		if of, ok := c.About(); ok && of == target {
			b, _ := c.Open()
			list = append(list, note{r, b})
		}
	}
	slices.SortFunc(list, func(a, b note) int { return ComparePlaces(a.row.Place, b.row.Place) })
	return list
}

// newest leaves the newest MaxAbout of each person and kind.
func newest(list []note) []note {
	type by struct {
		person wire.PersonID
		kind   ContentKind
	}
	count := make(map[by]int)
	for i := len(list) - 1; i >= 0; i-- {
		b := by{list[i].row.Person, list[i].body.kind()}
		if count[b]++; count[b] > MaxAbout {
			list[i].body = nil
		}
	}
	return slices.DeleteFunc(list, func(n note) bool { return n.body == nil })
}

// ComparePlaces is the order of display.
func ComparePlaces(a, b Place) int {
	switch {
	case dag.Less(a, b):
		return -1
	case dag.Less(b, a):
		return 1
	}
	return 0
}

// folding is a message of which some annotations were taken.
type folding struct {
	*Shown
	line      Row
	reactions map[string]map[wire.PersonID]int // what stands, with its number
	votes     map[wire.PersonID]cast
}

type cast struct {
	number  int
	choices []uint8
}

func (f *folding) take(number int, r Row, b Body) {
	mine := r.Person == f.line.Person
	switch b := b.(type) {
	case Reaction:
		f.react(number, r, b)
	case Edit:
		if mine {
			f.edit(r, b)
		}
	case Delete:
		reached := f.line.State == RowDeleted // by a right to it, see powers.go
		if (mine || reached && r.May&MayRemove != 0) && !r.Waiting && f.Deleted == nil {
			f.Deleted = &r
		}
	case Vote:
		if f.Tally.Closed == nil {
			f.votes[r.Person] = cast{number, b.Choices}
		}
	case Pin:
		if r.May&MayArrange != 0 {
			f.Pinned = nil
			if b.On {
				f.Pinned = &r
			}
		}
	case Close:
		if mine && f.Tally.Closed == nil {
			f.Tally.Closed = &r
		}
	}
}

func (f *folding) react(number int, r Row, b Reaction) {
	people := f.reactions[b.Emoji]
	if people == nil {
		people = make(map[wire.PersonID]int)
		f.reactions[b.Emoji] = people
	}
	if !b.On {
		delete(people, r.Person)
	} else if _, there := people[r.Person]; !there {
		people[r.Person] = number
	}
}

// edit takes another text; what is no text has none.
func (f *folding) edit(r Row, b Edit) {
	switch was := f.Body.(type) {
	case Words:
		f.version(r, was.Text, b.Text)
		f.Body = Words{b.Text}
	case Reply:
		f.version(r, was.Text, b.Text)
		f.Body = Reply{was.To, b.Text}
	}
}

func (f *folding) version(r Row, was, is string) {
	if len(f.Versions) == 0 {
		f.Versions = append(f.Versions, TextVersion{f.line, was})
	}
	f.Versions = append(f.Versions, TextVersion{r, is})
}

// end puts together what stands. Of a deleted message nothing is shown but that it
// was there.
func (f *folding) end() {
	if f.Deleted != nil || f.line.State == RowDeleted {
		*f.Shown = Shown{Deleted: f.Deleted}
		if f.Deleted == nil {
			f.Shown.Deleted = &f.line // by what it was deleted this device does not know
		}
		return
	}
	for emoji, people := range f.reactions {
		if len(people) > 0 {
			f.Reactions = append(f.Reactions, Emoji{emoji, inOrder(people)})
		}
	}
	first := func(e Emoji) int { return f.reactions[e.Emoji][e.People[0]] }
	slices.SortFunc(f.Reactions, func(a, b Emoji) int { return first(a) - first(b) })
	f.Reactions = f.Reactions[:min(len(f.Reactions), MaxReactions)]
	poll, ok := f.Body.(Poll)
	if !ok {
		f.Tally = Tally{}
		return
	}
	f.Tally.Chosen = make([][]wire.PersonID, len(poll.Options))
	numbers := make(map[wire.PersonID]int)
	for p, c := range f.votes {
		numbers[p] = c.number
	}
	for _, p := range inOrder(numbers) {
		f.count(poll, p, f.votes[p].choices)
	}
}

// count counts a vote, unless it chooses what the poll does not offer.
func (f *folding) count(poll Poll, p wire.PersonID, choices []uint8) {
	if len(choices) > 1 && !poll.Several || len(choices) > 0 && int(choices[len(choices)-1]) >= len(poll.Options) {
		return
	}
	for _, c := range choices {
		f.Tally.Chosen[c] = append(f.Tally.Chosen[c], p)
	}
}

func inOrder(numbers map[wire.PersonID]int) []wire.PersonID {
	return slices.SortedFunc(maps.Keys(numbers), func(a, b wire.PersonID) int { return numbers[a] - numbers[b] })
}
