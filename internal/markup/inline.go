package markup

import (
	"encoding/hex"
	"strings"
	"unicode"
	"unicode/utf8"

	"kith/internal/wire"
)

// marks are the characters that may begin something, and that a backslash takes the
// meaning of.
const marks = "\\`*_~[h"

// inline reads a part of one line. What a mark opens ends at the next mark of its
// kind, so that nothing is looked for twice.
func (p *parser) inline(s string, style Span) {
	plain := 0 // from where on what was read says nothing special
	emit := func(to int) {
		out := style
		out.Text = s[plain:to]
		p.add(out)
	}
	for i := 0; i < len(s); {
		if !strings.ContainsRune(marks, rune(s[i])) {
			i++
			continue
		}
		if s[i] == '\\' && i+1 < len(s) && strings.IndexByte("\\`*_~[>", s[i+1]) >= 0 {
			emit(i)
			plain, i = i+1, i+2
			continue
		}
		next, spans := special(s, i, style)
		if next == 0 {
			i += run(s, i)
			continue
		}
		emit(i)
		for _, sp := range spans {
			if sp.inner {
				p.inline(sp.Text, sp.Span)
			} else {
				p.add(sp.Span)
			}
		}
		plain, i = next, next
	}
	emit(len(s))
}

// run is how many marks of one kind stand at i: what is nothing stays so whole.
func run(s string, i int) int {
	n := 1
	for s[i] != 'h' && s[i] != '\\' && s[i] != '[' && i+n < len(s) && s[i+n] == s[i] {
		n++
	}
	return n
}

// A piece is a span, of which the text may still be read.
type piece struct {
	Span
	inner bool
}

// special reads what begins at i, and returns where it ends; 0 if nothing does.
func special(s string, i int, style Span) (int, []piece) {
	switch s[i] {
	case '`':
		return code(s, i, style)
	case '[':
		return mention(s, i, style)
	case 'h':
		return link(s, i, style)
	case '*':
		if strings.HasPrefix(s[i:], "**") {
			return styled(s, i, "**", style.Bold, func(sp *Span) { sp.Bold = true }, style)
		}
		return styled(s, i, "*", style.Italic, func(sp *Span) { sp.Italic = true }, style)
	case '_':
		return styled(s, i, "_", style.Italic, func(sp *Span) { sp.Italic = true }, style)
	case '~':
		return styled(s, i, "~~", style.Struck, func(sp *Span) { sp.Struck = true }, style)
	}
	return 0, nil
}

// styled reads what stands between two marks, which must touch it.
func styled(s string, i int, mark string, is bool, set func(*Span), style Span) (int, []piece) {
	from := i + len(mark)
	if is || !strings.HasPrefix(s[i:], mark) {
		return 0, nil
	}
	n := closing(s[from:], mark)
	if n <= 0 || spaceAt(s[from:]) || spaceBefore(s[from:from+n]) {
		return 0, nil
	}
	end := from + n + len(mark)
	if mark == "_" && (wordBefore(s[:i]) || wordAt(s[end:])) { // names_like_this
		return 0, nil
	}
	out := piece{style, true}
	set(&out.Span)
	out.Text = s[from : from+n]
	return end, []piece{out}
}

// closing finds the next mark: of one star, the next that is not two.
func closing(s, mark string) int {
	if mark != "*" {
		return strings.Index(s, mark)
	}
	for i := 0; i < len(s); i++ {
		if s[i] != '*' {
			continue
		}
		if i+1 < len(s) && s[i+1] == '*' {
			i++
			continue
		}
		return i
	}
	return -1
}

func code(s string, i int, style Span) (int, []piece) {
	n := strings.IndexByte(s[i+1:], '`')
	if n <= 0 {
		return 0, nil
	}
	style.Code, style.Text = true, s[i+1:i+1+n]
	return i + n + 2, []piece{{style, false}}
}

// Of a mention: [@Name](kith:person/ID).
const (
	mentionOpens = "[@"
	mentionTurns = "](kith:person/"
	maxMention   = 4*64 + len(mentionTurns) // bytes of the longest name, and what follows it
)

func mention(s string, i int, style Span) (int, []piece) {
	rest, ok := strings.CutPrefix(s[i:], mentionOpens)
	if !ok {
		return 0, nil
	}
	name, _, ok := strings.Cut(rest[:min(len(rest), maxMention)], mentionTurns)
	if !ok || name == "" {
		return 0, nil
	}
	at := i + len(mentionOpens) + len(name) + len(mentionTurns)
	const digits = 2 * len(wire.PersonID{})
	if len(s) < at+digits+1 || s[at+digits] != ')' || strings.ToLower(s[at:at+digits]) != s[at:at+digits] {
		return 0, nil
	}
	id, err := hex.DecodeString(s[at : at+digits])
	if err != nil {
		return 0, nil
	}
	style.Text, style.Person = "@"+name, wire.PersonID(id)
	return at + digits + 1, []piece{{style, false}}
}

// link reads an address, up to a space or what seldom belongs to one.
func link(s string, i int, style Span) (int, []piece) {
	scheme := "https://"
	if !strings.HasPrefix(s[i:], scheme) {
		scheme = "http://"
	}
	if !strings.HasPrefix(s[i:], scheme) || wordBefore(s[:i]) {
		return 0, nil
	}
	end := i + len(scheme)
	for end < len(s) {
		r, n := utf8.DecodeRuneInString(s[end:])
		if unicode.IsSpace(r) || !unicode.IsGraphic(r) || strings.ContainsRune("<>\"`", r) {
			break
		}
		end += n
	}
	address := s[i:end]
	const after = ".,;:!?'*_~" // which end a sentence more often than an address
	address = strings.TrimRight(address, after)
	for surplus := strings.Count(address, ")") - strings.Count(address, "("); surplus > 0 && strings.HasSuffix(address, ")"); surplus-- {
		address = strings.TrimRight(address[:len(address)-1], after)
	}
	if len(address) == len(scheme) {
		return 0, nil
	}
	if style.Text = address; !misleads(address[len(scheme):]) {
		style.Link = address
	}
	return i + len(address), []piece{{style, false}}
}

// misleads reports whether what follows a scheme reads like another host: one has a
// user before it, or a backslash, which browsers take for a slash.
func misleads(rest string) bool {
	host := rest
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		host = rest[:end]
	}
	return strings.ContainsAny(host, "@\\")
}

func spaceAt(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return unicode.IsSpace(r)
}

func spaceBefore(s string) bool {
	r, _ := utf8.DecodeLastRuneInString(s)
	return unicode.IsSpace(r)
}

func wordAt(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return unicode.IsLetter(r) || unicode.IsDigit(r)
}

func wordBefore(s string) bool {
	r, _ := utf8.DecodeLastRuneInString(s)
	return unicode.IsLetter(r) || unicode.IsDigit(r)
}
