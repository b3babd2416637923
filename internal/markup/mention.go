package markup

import (
	"strings"

	"kith/internal/wire"
)

// MentionEnd is what a mention of somebody ends with, in every text that has one; others may, too.
func MentionEnd(p wire.PersonID) string { return mentionTurns + p.String() + ")" }

// Mention returns a text with "@Name" made a mention where exactly one of the people is called so;
// the longest name counts. What stands in code, and mentions that are there, stay.
func Mention(text string, people map[wire.PersonID]string) string {
	if !strings.Contains(text, "@") {
		return text
	}
	owners := make(map[string][]wire.PersonID)
	for p, name := range people {
		if name != "" {
			owners[strings.ToLower(name)] = append(owners[strings.ToLower(name)], p)
		}
	}
	lines := strings.Split(text, "\n")
	code := false
	for i, line := range lines {
		if isFence(line) {
			code = !code
		} else if !code {
			lines[i] = mentionLine(line, owners)
		}
	}
	return strings.Join(lines, "\n")
}

// Typed returns a text with "@Name" in place of each mention, as one types it.
func Typed(text string) string {
	if !strings.Contains(text, mentionTurns) {
		return text
	}
	lines := strings.Split(text, "\n")
	code := false
	for i, line := range lines {
		if isFence(line) {
			code = !code
		} else if !code {
			lines[i] = typedLine(line)
		}
	}
	return strings.Join(lines, "\n")
}

func typedLine(line string) string {
	var b strings.Builder
	for i := 0; i < len(line); {
		end := i + 1
		if line[i] == '`' {
			past, _ := code(line, i, Span{})
			end = max(end, past)
		} else if past, found := mention(line, i, Span{}); found != nil {
			b.WriteString(found[0].Text)
			i = past
			continue
		}
		b.WriteString(line[i:end])
		i = end
	}
	return b.String()
}

func mentionLine(line string, owners map[string][]wire.PersonID) string {
	var b strings.Builder
	for i := 0; i < len(line); {
		switch {
		case line[i] == '`':
			end, _ := code(line, i, Span{})
			end = max(end, i+1)
			b.WriteString(line[i:end])
			i = end
		case line[i] == '[':
			end, _ := mention(line, i, Span{})
			end = max(end, i+1)
			b.WriteString(line[i:end])
			i = end
		case line[i] == '@' && !wordBefore(line[:i]):
			name, who := called(line[i+1:], owners)
			if name == "" {
				b.WriteByte('@')
				i++
				continue
			}
			b.WriteString(mentionOpens + name + MentionEnd(who))
			i += 1 + len(name)
		default:
			b.WriteByte(line[i])
			i++
		}
	}
	return b.String()
}

// called returns the longest name that a text begins with and that one person has.
func called(s string, owners map[string][]wire.PersonID) (name string, who wire.PersonID) {
	for n, list := range owners {
		if len(n) <= len(name) || len(s) < len(n) || !strings.EqualFold(s[:len(n)], n) || wordAt(s[len(n):]) {
			continue
		}
		name, who = s[:len(n)], list[0]
		if len(list) > 1 {
			who = wire.PersonID{}
		}
	}
	if who == (wire.PersonID{}) {
		return "", who
	}
	return name, who
}
