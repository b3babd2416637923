package markup_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"kith/internal/markup"
	"kith/internal/wire"
)

var (
	ann = wire.PersonID{1}
	ben = wire.PersonID{2}
)

// draw writes spans so that a test can be read.
func draw(list []markup.Span) string {
	var out strings.Builder
	for _, s := range list {
		var marks []string
		for _, m := range []struct {
			is   bool
			name string
		}{
			{s.Bold, "bold"},
			{s.Italic, "italic"},
			{s.Struck, "struck"},
			{s.Code && !s.Block, "code"},
			{s.Block, "block"},
			{s.Quote, "quote"},
			{s.Link != "", "link"},
			{s.Person == ann, "ann"},
			{s.Person == ben, "ben"},
		} {
			if m.is {
				marks = append(marks, m.name)
			}
		}
		text := strings.ReplaceAll(s.Text, "\n", "/")
		if len(marks) > 0 {
			text = fmt.Sprintf("{%s: %s}", strings.Join(marks, " "), text)
		}
		out.WriteString(text)
	}
	return out.String()
}

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"":                                   "",
		"plain":                              "plain",
		"a **b** c":                          "a {bold: b} c",
		"*a* _b_ ~~c~~ `d`":                  "{italic: a} {italic: b} {struck: c} {code: d}",
		"**a *b* c**":                        "{bold: a }{bold italic: b}{bold:  c}",
		"*a **b** c*":                        "{italic: a }{bold italic: b}{italic:  c}",
		"**a**b":                             "{bold: a}b",
		"2 * 3 * 4":                          "2 * 3 * 4",
		"a * b*":                             "a * b*",
		"snake_case_name":                    "snake_case_name",
		"_a_b":                               "_a_b",
		"** a**":                             "** a**",
		"****":                               "****",
		"*a":                                 "*a",
		"a\n*b\nc*":                          "a/*b/c*",
		"`a *b* c`":                          "{code: a *b* c}",
		"``":                                 "``",
		"`":                                  "`",
		"\\*a\\* \\x \\":                     "*a* \\x \\",
		"> a *b*\nc":                         "{quote: a }{italic quote: b/}c",
		"> a\n> b":                           "{quote: a/b}",
		">a":                                 ">a",
		"```\na *b*\nc\n```":                 "{block: a *b*/c}",
		"x\n```\na\n```\ny":                  "x/{block: a}/y",
		"```\na":                             "```/a",
		"```\n```":                           "",
		"see https://a.example/b?c=d.":       "see {link: https://a.example/b?c=d}.",
		"(http://a.example/(x))":             "({link: http://a.example/(x)})",
		"http://a.example)))))":              "{link: http://a.example})))))",
		"https://":                           "https://",
		"https://bank.example@a.example/x":   "https://bank.example@a.example/x",
		"https://a.example\\@bank.example":   "https://a.example\\@bank.example",
		"https://a.example/@x?to=b@c":        "{link: https://a.example/@x?to=b@c}",
		"xhttps://a.example":                 "xhttps://a.example",
		"javascript://a":                     "javascript://a",
		"[bank](https://evil.example)":       "[bank]({link: https://evil.example})",
		"**https://a.example**":              "{bold link: https://a.example}",
		"hi [@Ann](kith:person/01" + zeros:   "hi {ann: @Ann}",
		"[@Ann](kith:person/02" + zeros:      "{ben: @Ann}",
		"[@A b](kith:person/01" + zeros:      "{ann: @A b}",
		"[@](kith:person/01" + zeros:         "[@](kith:person/01" + zeros,
		"[Ann](kith:person/01" + zeros:       "[Ann](kith:person/01" + zeros,
		"[@Ann](kith:person/0g" + zeros:      "[@Ann](kith:person/0g" + zeros,
		"[@Ann](kith:person/0A" + zeros:      "[@Ann](kith:person/0A" + zeros,
		"[@Ann](kith:person/01":              "[@Ann](kith:person/01",
		"`[@Ann](kith:person/01" + zeros[:9]: "`[@Ann](kith:person/01" + zeros[:9],
	} {
		if got := draw(markup.Parse(text)); got != want {
			t.Errorf("%q\nis   %q\nwant %q", text, got, want)
		}
	}
}

var zeros = strings.Repeat("0", 62) + ")"

func TestMention(t *testing.T) {
	people := map[wire.PersonID]string{ann: "Ann", ben: "Ann Marie", {3}: "Twin", {4}: "twin", {5}: "Ünal"}
	for text, want := range map[string]string{
		"@Ann hi":                       "{ann: @Ann} hi",
		"@ann, @ANN MARIE!":             "{ann: @ann}, {ben: @ANN MARIE}!",
		"@Anna":                         "@Anna",
		"me@Ann":                        "me@Ann",
		"@Twin":                         "@Twin", // which one?
		"`@Ann`":                        "{code: @Ann}",
		"```\n@Ann\n```":                "{block: @Ann}",
		"[@Ann](kith:person/02" + zeros: "{ben: @Ann}",
		"@":                             "@",
		"@@Ann":                         "@{ann: @Ann}",
		"**@Ann**":                      "{bold ann: @Ann}",
		"@Nobody":                       "@Nobody",
	} {
		if got := draw(markup.Parse(markup.Mention(text, people))); got != want {
			t.Errorf("%q\nis   %q\nwant %q", text, got, want)
		}
	}
}

// TestTyped: what a mention was made of is typed again as it was.
func TestTyped(t *testing.T) {
	people := map[wire.PersonID]string{ann: "Ann", ben: "Ann Marie"}
	for _, text := range []string{"@Ann hi", "**@Ann Marie**, @Ann", "`@Ann` @Ann", "```\n@Ann\n```\n@Ann", "nobody", "[@", "` @Ann"} {
		if made := markup.Mention(text, people); markup.Typed(made) != text {
			t.Errorf("%q became %q, typed %q", text, made, markup.Typed(made))
		}
	}
	inCode := "`[@Ann](kith:person/02" + zeros + "` x"
	if got := markup.Typed(inCode); got != inCode {
		t.Errorf("%q typed %q", inCode, got)
	}
}

// TestLinear: nothing that fits into a message takes long to read.
func TestLinear(t *testing.T) {
	const size = 64 << 10
	for _, part := range []string{"*a ", "*a", "**a", "_a ", "~~a", "`", "[@", "[@Ann](kith:person/", "http://)", "http://a@", ")", "(", "**", "***a**", "\\", "> ", "```\n", "@Ann", "h", "*a** "} {
		text := strings.Repeat(part, size/len(part))
		for _, text := range []string{text, "http://" + text} {
			began := time.Now()
			markup.Parse(markup.Mention(text, map[wire.PersonID]string{ann: "Ann"}))
			if took := time.Since(began); took > 2*time.Second {
				t.Errorf("%q, repeated, takes %v", part, took)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"a **b *c* d** `e`", "> x\n```\ny\n```", "[@Ann](kith:person/01" + zeros, "http://a.example/(b).", "\\*"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !utf8.ValidString(s) {
			return
		}
		spans := markup.Parse(s)
		text := markup.Text(spans)
		if !utf8.ValidString(text) || len(text) > len(s) {
			t.Errorf("%q is read as %q", s, text)
		}
		for _, sp := range spans {
			if sp.Text == "" || sp.Link != "" && sp.Link != sp.Text || sp.Block && !sp.Code {
				t.Errorf("%q has the span %+v", s, sp)
			}
		}
		if said := markup.Mention(s, map[wire.PersonID]string{ann: "Ann"}); !strings.Contains(s, "@") && said != s {
			t.Errorf("%q is said as %q", s, said)
		}
	})
}
