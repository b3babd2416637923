package search

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Why a text is no query.
var (
	ErrTooLong = errors.New("search: too many words")
	ErrNoWord  = errors.New("search: no word to look for")
)

// A Query is what somebody looks for: every part of it must be said. The zero
// value looks for nothing and is said by every text.
type Query struct {
	Parts []Part
}

// A Part is a word, or a phrase: words that follow each other.
type Part struct {
	Words []string // folded, at least one
	Begun bool     // words that begin with the last of them will do
}

// quotes open and close a phrase: those of keyboards, and what phones make of them.
const quotes = "\"\u201c\u201d\u201e\u00ab\u00bb"

// Parse reads what somebody typed: words, and phrases in double quotes. The last
// word may be only begun, unless a space or a closing quote ends it. Nothing but
// space is the query for nothing.
func Parse(text string) (Query, error) {
	if len(text) > MaxQuery {
		return Query{}, ErrTooLong
	}
	var q Query
	words := 0
	add := func(piece string, begun bool) {
		part := Part{Begun: begun}
		for w := range Words(piece) {
			part.Words = append(part.Words, w.Folded)
		}
		if words += len(part.Words); len(part.Words) > 0 {
			q.Parts = append(q.Parts, part)
		}
	}
	for rest := text; rest != ""; {
		open := strings.IndexAny(rest, quotes)
		if open < 0 {
			open = len(rest)
		}
		pieces := strings.Fields(rest[:open])
		for i, piece := range pieces {
			last := i == len(pieces)-1 && open == len(rest) && strings.TrimRightFunc(rest, unicode.IsSpace) == rest
			add(piece, last)
		}
		if open == len(rest) {
			break
		}
		_, size := utf8.DecodeRuneInString(rest[open:])
		inside, after, closed := untilQuote(rest[open+size:])
		add(inside, !closed)
		rest = after
	}
	switch {
	case words > MaxWords:
		return Query{}, ErrTooLong
	case words == 0 && strings.TrimSpace(text) != "":
		return Query{}, ErrNoWord
	}
	return q, nil
}

// untilQuote cuts text around its first quote.
func untilQuote(text string) (inside, after string, closed bool) {
	i := strings.IndexAny(text, quotes)
	if i < 0 {
		return text, "", false
	}
	_, size := utf8.DecodeRuneInString(text[i:])
	return text[:i], text[i+size:], true
}

// Empty reports whether the query looks for nothing.
func (q Query) Empty() bool { return len(q.Parts) == 0 }

// A Mark is a piece of a text, in bytes.
type Mark struct{ Start, End int }

// Marks returns where a text says the parts of the query, in order and apart from
// each other, and whether it says all of them.
func (q Query) Marks(text string) (marks []Mark, all bool) {
	if q.Empty() {
		return nil, true
	}
	words := slices.Collect(Words(text))
	all = true
	for _, p := range q.Parts {
		said := false
		for i := range words {
			if p.at(words[i:]) {
				said = true
				marks = append(marks, Mark{words[i].Start, words[i+len(p.Words)-1].End})
			}
		}
		all = all && said
	}
	slices.SortFunc(marks, func(a, b Mark) int { return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.End, b.End)) })
	return joined(marks), all
}

// at reports whether words begin with the part.
func (p Part) at(words []Word) bool {
	if len(words) < len(p.Words) {
		return false
	}
	for i, w := range p.Words {
		same := words[i].Folded == w
		if i == len(p.Words)-1 && p.Begun {
			same = strings.HasPrefix(words[i].Folded, w)
		}
		if !same {
			return false
		}
	}
	return true
}

// joined makes one mark of those that touch or overlap.
func joined(marks []Mark) []Mark {
	out := marks[:0]
	for _, m := range marks {
		if n := len(out); n > 0 && m.Start <= out[n-1].End {
			out[n-1].End = max(out[n-1].End, m.End)
			continue
		}
		out = append(out, m)
	}
	return out
}
