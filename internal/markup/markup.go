package markup

import (
	"strings"

	"kith/internal/wire"
)

// A Span is a piece of a text that is shown alike.
type Span struct {
	Text   string
	Bold   bool
	Italic bool
	Struck bool
	Code   bool
	Block  bool          // of code, on lines of its own
	Quote  bool          // of quoted lines
	Link   string        // http or https; always Text
	Person wire.PersonID // who is mentioned; zero: nobody
}

// Parse reads a text. The spans together are what people read.
func Parse(text string) []Span {
	var p parser
	lines := strings.Split(text, "\n")
	fences := 0
	for _, l := range lines {
		if isFence(l) {
			fences++
		}
	}
	for i := 0; i < len(lines); i++ {
		if isFence(lines[i]) && fences > 1 {
			end := i + 1
			for !isFence(lines[end]) {
				end++
			}
			fences -= 2
			p.line(i)
			p.add(Span{Text: strings.Join(lines[i+1:end], "\n"), Code: true, Block: true})
			i = end
			continue
		}
		p.line(i)
		if rest, quoted := strings.CutPrefix(lines[i], "> "); quoted {
			p.inline(rest, Span{Quote: true})
		} else {
			p.inline(lines[i], Span{})
		}
	}
	return p.spans
}

// Text returns what people read of spans.
func Text(spans []Span) string {
	var b strings.Builder
	for _, s := range spans {
		b.WriteString(s.Text)
	}
	return b.String()
}

// isFence reports whether a line opens or ends a block of code.
func isFence(line string) bool { return strings.TrimRight(line, " \t\r") == "```" }

type parser struct{ spans []Span }

// line ends the line before the i-th; what stands between two is read with the first.
func (p *parser) line(i int) {
	if i == 0 {
		return
	}
	if n := len(p.spans); n > 0 && p.spans[n-1].Quote && p.spans[n-1].Link == "" && p.spans[n-1].Person == (wire.PersonID{}) {
		p.spans[n-1].Text += "\n"
		return
	}
	p.add(Span{Text: "\n"})
}

// add appends a span, to the last one if that is shown alike.
func (p *parser) add(s Span) {
	if s.Text == "" {
		return
	}
	if n := len(p.spans); n > 0 && s.Link == "" && s.Person == (wire.PersonID{}) {
		last := p.spans[n-1]
		text := last.Text
		last.Text = s.Text
		if last == s && !s.Block {
			p.spans[n-1].Text = text + s.Text
			return
		}
	}
	p.spans = append(p.spans, s)
}
