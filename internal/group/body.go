package group

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"kith/internal/wire"
)

// A Body is what a content of one kind says (docs/spec/content.md).
type Body interface {
	kind() ContentKind
	write(*wire.Writer)
	check() error
}

// A Target names one message: what its author said, with the random id and the
// commitment under which it was said. Nobody else's message has the same three.
//
//	size field
//	32   person
//	16   content id
//	32   content commit
type Target struct {
	Person wire.PersonID
	ID     wire.ContentID
	Commit wire.Digest
}

type (
	// Words is a text. 1: the body is UTF-8, at least one character that is no
	// space.
	Words struct{ Text string }

	// Reply is a text that answers a message.
	//
	//	size field
	//	80   target
	//	V    text, as of 1
	Reply struct {
		To   Target
		Text string
	}

	// Reaction is an emoji at a message, or takes it back.
	//
	//	size field
	//	80   target
	//	1    1: is there, 0: is taken back
	//	V    emoji: UTF-8, 1 to 64 bytes that can be seen, no space
	Reaction struct {
		To    Target
		On    bool
		Emoji string
	}

	// Edit gives a text or a reply of its author's another text.
	//
	//	size field
	//	80   target
	//	V    text, as of 1
	Edit struct {
		Of   Target
		Text string
	}

	// Delete takes a message away, with the versions of it that its author had seen.
	//
	//	size field
	//	80   target
	//	V    versions, each: content id 16, content commit 32, of an edit by the
	//	     target's person; ascending, at most 256
	Delete struct {
		Of       Target
		Versions []Version
	}

	// Poll asks a question that is answered by a choice.
	//
	//	size field
	//	1    1: several may be chosen, 0: one
	//	V    question, as of 1, at most 1,000 bytes
	//	V    options, 2 to 20, each V: as of 1, at most 200 bytes, no two the same
	Poll struct {
		Several  bool
		Question string
		Options  []string
	}

	// Vote is what its author chooses in a poll, in place of what it chose before.
	//
	//	size field
	//	80   target
	//	V    options by number from 0, one byte each, ascending; empty: none
	Vote struct {
		In      Target
		Choices []uint8
	}

	// Pin keeps a message in view, or lets it go.
	//
	//	size field
	//	80   target
	//	1    1: is pinned, 0: is not
	Pin struct {
		Of Target
		On bool
	}

	// Expiry sets how long what is written from then on lasts.
	//
	//	size field
	//	4    seconds, at most 366 days; 0: for ever
	Expiry struct{ Seconds uint32 }

	// Close ends a poll: what is chosen after it does not count.
	//
	//	size field
	//	80   target
	Close struct{ Of Target }

	// Own is what devices of one person tell each other in the chat of their notes
	// (docs/spec/own.md); in any other chat it says nothing.
	//
	//	size field
	//	n    records, at least one byte
	Own struct{ Records []byte }
)

// A Version is an edit, named within a [Delete].
type Version struct {
	ID     wire.ContentID
	Commit wire.Digest
}

// Of returns the target that a version of p's message is.
func (v Version) Of(p wire.PersonID) Target { return Target{p, v.ID, v.Commit} }

// Say makes a content, or says why there can be none.
func Say(b Body) (Content, error) {
	if err := b.check(); errors.Is(err, errLong) {
		return Content{}, refuse(ReasonLong, err)
	} else if err != nil {
		return Content{}, refuse(ReasonContent, err)
	}
	var w wire.Writer
	b.write(&w)
	c := Content{Kind: b.kind(), Body: w.Bytes()}
	if len(c.Bytes()) > MaxContent {
		return Content{}, refuse(ReasonLong, errLong)
	}
	return c, nil
}

var (
	errUTF8    = errors.New("not valid UTF-8")
	errBlank   = errors.New("empty")
	errLong    = errors.New("too long")
	errEmoji   = errors.New("no emoji")
	errOptions = errors.New("not 2 to 20 options that differ")
	errOrder   = errors.New("not ascending")
	errEmpty   = errors.New("it says nothing")
)

// Open returns what the content says; nil if its kind is unknown.
func (c Content) Open() (Body, error) {
	read, known := readers[c.Kind]
	if !known {
		return nil, nil
	}
	r := wire.NewReader(c.Body)
	b := read(r)
	if err := r.Done(); err != nil {
		return nil, err
	}
	return b, b.check()
}

var readers = map[ContentKind]func(*wire.Reader) Body{
	ContentText:     func(r *wire.Reader) Body { return Words{string(r.Raw(r.Len()))} },
	ContentReply:    func(r *wire.Reader) Body { return Reply{readTarget(r), readText(r)} },
	ContentReaction: func(r *wire.Reader) Body { return Reaction{readTarget(r), r.Bool(), readText(r)} },
	ContentEdit:     func(r *wire.Reader) Body { return Edit{readTarget(r), readText(r)} },
	ContentDelete:   readDelete,
	ContentPoll:     readPoll,
	ContentVote:     func(r *wire.Reader) Body { return Vote{readTarget(r), append([]uint8(nil), r.Vec(MaxOptions)...)} },
	ContentPin:      func(r *wire.Reader) Body { return Pin{readTarget(r), r.Bool()} },
	ContentExpiry:   func(r *wire.Reader) Body { return Expiry{r.U32()} },
	ContentClose:    func(r *wire.Reader) Body { return Close{readTarget(r)} },
	ContentOwn:      func(r *wire.Reader) Body { return Own{bytes.Clone(r.Raw(r.Len()))} },
}

func readTarget(r *wire.Reader) (t Target) {
	r.Fixed(t.Person[:])
	r.Fixed(t.ID[:])
	r.Fixed(t.Commit[:])
	return t
}

func readText(r *wire.Reader) string { return string(r.Vec(MaxContent)) }

func readDelete(r *wire.Reader) Body {
	d := Delete{Of: readTarget(r)}
	r.Each(wire.MaxVector, MaxVersions, func(r *wire.Reader) {
		var v Version
		r.Fixed(v.ID[:])
		r.Fixed(v.Commit[:])
		d.Versions = append(d.Versions, v)
	})
	return d
}

func readPoll(r *wire.Reader) Body {
	p := Poll{Several: r.Bool(), Question: readText(r)}
	r.Each(MaxContent, MaxOptions, func(r *wire.Reader) { p.Options = append(p.Options, readText(r)) })
	return p
}

// Bytes encodes the target.
func (t Target) Bytes() []byte {
	var w wire.Writer
	t.write(&w)
	return w.Bytes()
}

func (t Target) write(w *wire.Writer) {
	w.Raw(t.Person[:])
	w.Raw(t.ID[:])
	w.Raw(t.Commit[:])
}

func (b Words) write(w *wire.Writer) { w.Raw([]byte(b.Text)) }

func (b Reply) write(w *wire.Writer) {
	b.To.write(w)
	w.Vec([]byte(b.Text))
}

func (b Reaction) write(w *wire.Writer) {
	b.To.write(w)
	w.Bool(b.On)
	w.Vec([]byte(b.Emoji))
}

func (b Edit) write(w *wire.Writer) {
	b.Of.write(w)
	w.Vec([]byte(b.Text))
}

func (b Delete) write(w *wire.Writer) {
	b.Of.write(w)
	w.Group(func(w *wire.Writer) {
		for _, v := range b.Versions {
			w.Raw(v.ID[:])
			w.Raw(v.Commit[:])
		}
	})
}

func (b Poll) write(w *wire.Writer) {
	w.Bool(b.Several)
	w.Vec([]byte(b.Question))
	w.Group(func(w *wire.Writer) {
		for _, o := range b.Options {
			w.Vec([]byte(o))
		}
	})
}

func (b Vote) write(w *wire.Writer) {
	b.In.write(w)
	w.Vec(b.Choices)
}

func (b Pin) write(w *wire.Writer) {
	b.Of.write(w)
	w.Bool(b.On)
}

func (b Own) write(w *wire.Writer)    { w.Raw(b.Records) }
func (b Expiry) write(w *wire.Writer) { w.U32(b.Seconds) }

func (b Close) write(w *wire.Writer) { b.Of.write(w) }

func (b Words) check() error { return checkText(b.Text, MaxContent) }
func (b Reply) check() error { return checkText(b.Text, MaxContent) }
func (b Edit) check() error  { return checkText(b.Text, MaxContent) }
func (b Pin) check() error   { return nil }
func (b Close) check() error { return nil }

func (b Own) check() error {
	if len(b.Records) == 0 {
		return errEmpty
	}
	return nil
}

func (b Expiry) check() error {
	if b.Seconds > MaxLifetime {
		return errLong
	}
	return nil
}

// checkText refuses what nobody could read: a text of most bytes at most.
func checkText(s string, most int) error {
	switch {
	case len(s) > most:
		return errLong
	case !utf8.ValidString(s):
		return errUTF8
	case strings.TrimSpace(s) == "":
		return errBlank
	}
	return nil
}

// check lets the joiners and tags pass that emoji are put together with.
func (b Reaction) check() error {
	if err := checkText(b.Emoji, maxEmoji); err != nil {
		return err
	}
	for _, r := range b.Emoji {
		if !unicode.IsGraphic(r) && r != '\u200d' && (r < '\U000e0020' || r > '\U000e007f') || unicode.IsSpace(r) {
			return errEmoji
		}
	}
	return nil
}

func (b Delete) check() error {
	if len(b.Versions) > MaxVersions {
		return errLong
	}
	return ascending(b.Versions, func(a, b Version) int {
		return bytes.Compare(append(a.ID[:], a.Commit[:]...), append(b.ID[:], b.Commit[:]...))
	})
}

func (b Poll) check() error {
	if err := checkText(b.Question, maxQuestion); err != nil {
		return err
	}
	if len(b.Options) < 2 || len(b.Options) > MaxOptions {
		return errOptions
	}
	seen := make(map[string]bool)
	for _, o := range b.Options {
		if err := checkText(o, maxOption); err != nil {
			return err
		}
		if seen[o] {
			return errOptions
		}
		seen[o] = true
	}
	return nil
}

func (b Vote) check() error {
	if len(b.Choices) > MaxOptions || len(b.Choices) > 0 && slices.Max(b.Choices) >= MaxOptions {
		return errOptions
	}
	return ascending(b.Choices, func(a, b uint8) int { return int(a) - int(b) })
}

// ascending refuses a list in which an element does not come after the one before.
func ascending[T any](list []T, compare func(T, T) int) error {
	for i := 1; i < len(list); i++ {
		if compare(list[i-1], list[i]) >= 0 {
			return errOrder
		}
	}
	return nil
}

func (Words) kind() ContentKind    { return ContentText }
func (Reply) kind() ContentKind    { return ContentReply }
func (Reaction) kind() ContentKind { return ContentReaction }
func (Edit) kind() ContentKind     { return ContentEdit }
func (Delete) kind() ContentKind   { return ContentDelete }
func (Poll) kind() ContentKind     { return ContentPoll }
func (Vote) kind() ContentKind     { return ContentVote }
func (Pin) kind() ContentKind      { return ContentPin }
func (Expiry) kind() ContentKind   { return ContentExpiry }
func (Close) kind() ContentKind    { return ContentClose }
func (Own) kind() ContentKind      { return ContentOwn }
