package search

import (
	"strings"
	"unicode/utf8"
)

// A Snippet is the part of a text around what was looked for.
type Snippet struct {
	Text   string
	Marks  []Mark // of Text, in characters (code points)
	Before bool   // the text begins earlier
	After  bool   // and ends later
}

// Snippet cuts a text to about n characters around its first mark.
func (q Query) Snippet(text string, n int) Snippet {
	marks, _ := q.Marks(text)
	from, to := 0, len(text)
	if utf8.RuneCountInString(text) > n {
		if len(marks) > 0 {
			from = wordStart(text, back(text, marks[0].Start, lead))
		}
		to = from + ahead(text[from:], n)
	}
	s := Snippet{Text: text[from:to], Before: strings.TrimSpace(text[:from]) != "", After: strings.TrimSpace(text[to:]) != ""}
	at, runes := from, 0
	count := func(to int) int {
		runes += utf8.RuneCountInString(text[at:to])
		at = to
		return runes
	}
	for _, m := range marks {
		if m.Start >= to || len(s.Marks) == maxMarks {
			break
		}
		if m.End > from {
			s.Marks = append(s.Marks, Mark{count(max(m.Start, from)), count(min(m.End, to))})
		}
	}
	return s
}

// back is the place n characters before another.
func back(text string, at, n int) int {
	for ; n > 0 && at > 0; n-- {
		_, size := utf8.DecodeLastRuneInString(text[:at])
		at -= size
	}
	return at
}

// ahead is the length of the first n characters.
func ahead(text string, n int) int {
	at := 0
	for ; n > 0 && at < len(text); n-- {
		_, size := utf8.DecodeRuneInString(text[at:])
		at += size
	}
	return at
}

// wordStart moves a place that is within a word to the next one, where that is near.
func wordStart(text string, at int) int {
	if at == 0 {
		return 0
	}
	if i := strings.IndexAny(text[at:min(len(text), at+lead/2)], " \n\t"); i >= 0 {
		return at + i + 1
	}
	return at
}
