package main

import (
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	v1 "kith/proto/kith/v1"
)

// Names, titles and messages are written by others. Shown as they are, they
// could move the cursor, recolour what was said before, or look like lines of
// their own.

// oneLine makes text that stays on its line.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			return ' '
		case !visible(r):
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

// lines makes text that may have several lines; those after the first are
// indented, so that none can pass for a message of its own.
func lines(s, indent string) string {
	var out []string
	for line := range strings.SplitSeq(strings.ReplaceAll(s, "\r\n", "\n"), "\n") {
		out = append(out, oneLine(line))
	}
	return strings.Join(out, "\n"+indent)
}

// visible is false for control characters, and for those that turn the
// direction of what follows. Joiners stay: names and emoji are written with them.
func visible(r rune) bool {
	switch {
	case r == '\u200c' || r == '\u200d':
		return true
	case unicode.Is(unicode.Cf, r) || unicode.IsControl(r) || r == '\u2028' || r == '\u2029':
		return false
	}
	return true
}

func nameOf(p *v1.Person) string {
	switch {
	case p == nil:
		return "somebody"
	case p.Me:
		return "you"
	case p.Name == "":
		return "somebody"
	}
	if p.Alike != "" {
		return plainName(p.Name) + " (" + p.Alike + ")"
	}
	return plainName(p.Name)
}

// plainName puts a name in quotes that could pass for more than a name, as one that ends in
// the mark before a message, or lists further people.
func plainName(name string) string {
	name = strings.Join(strings.Fields(oneLine(name)), " ")
	if strings.ContainsAny(name, ":：,;>·()") {
		return "“" + name + "”"
	}
	return name
}

// beside begins a line about a message, of what its author did not write: a further
// line of a message begins with four spaces.
const beside = "\n  · "

// quoteBar begins a line that a message quotes. It is not that of what a message answers,
// or whoever quotes could make up what somebody said.
const quoteBar = "│ "

// said is the text of a message as its author marked it, where that changes who says it.
func said(text string, spans []*v1.Span) string {
	var out strings.Builder
	start := true // of a line
	for _, s := range spans {
		for _, line := range strings.SplitAfter(strings.ReplaceAll(s.Text, "\r\n", "\n"), "\n") {
			if s.Quote && start && line != "" {
				out.WriteString(quoteBar)
			}
			out.WriteString(line)
			start = line == "" && start || strings.HasSuffix(line, "\n")
		}
	}
	if len(spans) > 0 {
		text = out.String()
	}
	if strings.HasPrefix(text, ">") {
		return `\` + text // as it is typed to be no quote
	}
	return text
}

// namesOf is "Ann", "Ann and Ben", "Ann, Ben and Cleo".
func namesOf(people []*v1.Person) string {
	var names []string
	for _, p := range people {
		names = append(names, nameOf(p))
	}
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

// short is the beginning of an id, as people type it.
func short(id string) string { return id[:min(len(id), 8)] }

// clock is a time of day, with the day where it is not today's.
func clock(ms uint64) string {
	t, now := time.UnixMilli(int64(ms)), time.Now()
	if t.YearDay() == now.YearDay() && t.Year() == now.Year() {
		return t.Format("15:04")
	}
	return t.Format("2006-01-02 15:04")
}

func titleOf(c *v1.Chat) string {
	if c.Kind == v1.ChatKind_CHAT_KIND_DIRECT {
		for _, m := range c.Members {
			if !m.Person.GetMe() && m.Person.GetAlike() != "" {
				return nameOf(m.Person)
			}
		}
	}
	switch {
	case c.Title != "":
		return oneLine(c.Title)
	case c.Kind == v1.ChatKind_CHAT_KIND_GROUP:
		return "group " + short(c.Id) // this device cannot read its title
	}
	return "somebody"
}

// placeOf names a chat after "in": one of two has the other's name, who is no place.
func placeOf(c *v1.Chat) string {
	if c.Kind == v1.ChatKind_CHAT_KIND_DIRECT {
		return "your chat with " + titleOf(c)
	}
	return titleOf(c)
}

// table prints rows with aligned columns.
func (p *program) table(rows [][]string) {
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	w.Flush()
}

func (p *program) println(text string) { fmt.Fprintln(p.out, text) }

func (p *program) printf(format string, args ...any) { fmt.Fprintf(p.out, format+"\n", args...) }

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// reachSentence is the honest answer to "does it work from where I am?".
func reachSentence(r v1.Reachability) string {
	yours := "yours is not"
	switch r {
	case v1.Reachability_REACHABILITY_LOCAL:
		return "Only this machine reaches you: your node listens on no network."
	case v1.Reachability_REACHABILITY_PUBLIC:
		yours = "yours may be, since it has a public address"
	}
	return "On the same Wi-Fi this always works. Over the Internet one of you must be reachable: " + yours + "."
}

// day is a moment in full.
func day(ms uint64) string { return time.UnixMilli(int64(ms)).Format("2006-01-02 15:04") }

func number(n uint64) string { return strconv.FormatUint(n, 10) }
