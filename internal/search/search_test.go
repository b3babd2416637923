package search_test

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"kith/internal/search"
)

func folded(text string) string {
	var all []string
	for w := range search.Words(text) {
		all = append(all, w.Folded)
	}
	return strings.Join(all, "|")
}

func TestWords(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", ""},
		{"  ...  ", ""},
		{"Hello, World", "hello|world"},
		{"don't e-mail me@home.org", "don|t|e|mail|me|home|org"},
		{"iPhone15 v2.0", "iphone15|v2|0"},
		{"Café CAFE\u0301 Ängstrom", "cafe|cafe|angstrom"},
		{"Straße STRASSE", "strasse|strasse"},
		{"Łódź Øre Ærlig", "lodz|ore|aerlig"},
		{"Ёлка Йод", "елка|иод"},
		{"ΟΔΟΣ οδός", "οδοσ|οδοσ"},
		{"\uff21\uff22\uff23 \ufb01n", "abc|fin"},
		{"東京タワー", "東|京|タ|ワ|ー"},
		{"がか", "が|か"},
		{"한국어 공부", "한국어|공부"},
		{"สวัสดี", "ส|ว|ั|ส|ด|ี"},
		{"good 👍 job", "good|👍|job"},
		{"שָׁלוֹם", "שלום"},
		{"كَتَبَ", "كتب"},
		{"½ ⑴ ²", "12|1|2"},
		{"\ufffd\xff a", "a"},
		{"नमस्ते", "नमस्ते"},
		{strings.Repeat("a", 100), strings.Repeat("a", 40)},
		{strings.Repeat("Ж", 100), strings.Repeat("ж", 40)},
	} {
		if got := folded(c.text); got != c.want {
			t.Errorf("%q: %q, want %q", c.text, got, c.want)
		}
	}
}

func TestMarks(t *testing.T) {
	for _, c := range []struct{ query, text, marked string }{
		{"lazy", "the lazy dog", "the [lazy] dog"},
		{"LAZY dog", "the dog, lazy Dog", "the [dog], [lazy] [Dog]"},
		{"do", "the lazy dog", "the lazy [dog]"},
		{"do ", "the lazy dog", ""},
		{"la dog", "the lazy dog", ""}, // the last word alone may be only begun
		{"dog la", "the lazy dog", "the [lazy] [dog]"},
		{`"lazy dog"`, "lazy dog, dog lazy", "[lazy dog], dog lazy"},
		{`"lazy do"`, "lazy dog", ""},
		{`"lazy do`, "lazy dog", "[lazy dog]"},
		{"“lazy dog” th", "The lazy dog", "[The] [lazy dog]"},
		{"e-mail", "an e mail, an e-mail, an email", "an [e mail], an [e-mail], an email"},
		{"cafe", "Un café!", "Un [café]!"},
		{"京タ", "東京タワー", "東[京タ]ワー"},
		{"👍", "👍🏽 ok", "[👍]🏽 ok"},
		{"cat", "dog", ""},
		{"cat dog", "dog", ""},
	} {
		q, err := search.Parse(c.query)
		if err != nil {
			t.Fatalf("%q: %v", c.query, err)
		}
		marks, all := q.Marks(c.text)
		if all != (c.marked != "") {
			t.Errorf("%q in %q: all %v", c.query, c.text, all)
		}
		if !all {
			continue
		}
		got, at := "", 0
		for _, m := range marks {
			got += c.text[at:m.Start] + "[" + c.text[m.Start:m.End] + "]"
			at = m.End
		}
		if got += c.text[at:]; got != c.marked {
			t.Errorf("%q: %q, want %q", c.query, got, c.marked)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, c := range []struct {
		text string
		want error
	}{
		{"", nil},
		{"  ", nil},
		{"!!! ...", search.ErrNoWord},
		{`""`, search.ErrNoWord},
		{strings.Repeat("a ", search.MaxWords), nil},
		{strings.Repeat("a ", search.MaxWords+1), search.ErrTooLong},
		{strings.Repeat("a", search.MaxQuery), nil},
		{strings.Repeat("a", search.MaxQuery+1), search.ErrTooLong},
		{strings.Repeat("東", search.MaxWords+1), search.ErrTooLong},
		{`a AND b* OR "c NEAR(d) ^e {f}:g`, nil},
	} {
		if _, err := search.Parse(c.text); !errors.Is(err, c.want) {
			t.Errorf("%.20q: %v, want %v", c.text, err, c.want)
		}
	}
}

func TestSnippet(t *testing.T) {
	long := strings.Repeat("früher stand hier anderes. ", 20)
	q, err := search.Parse("Nadel")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		text          string
		before, after bool
	}{
		{"Die Nadel.", false, false},
		{long + "Die NADEL.", true, false},
		{long + "Die Nadel, " + long, true, true},
		{"Nadel " + long, false, true},
		{long, false, true}, // found otherwise: by its author
	} {
		s := q.Snippet(c.text, 120)
		if s.Before != c.before || s.After != c.after || utf8.RuneCountInString(s.Text) > 120 || !strings.Contains(c.text, s.Text) {
			t.Errorf("%.20q: %+v", c.text, s)
		}
		runes := []rune(s.Text)
		for _, m := range s.Marks {
			if got := string(runes[m.Start:m.End]); !strings.EqualFold(got, "Nadel") {
				t.Errorf("%.20q marks %q", c.text, got)
			}
		}
		if want := strings.Contains(strings.ToLower(c.text), "nadel"); want != (len(s.Marks) == 1) {
			t.Errorf("%.20q: marks %v", c.text, s.Marks)
		}
	}
}

// FuzzQuery: any text is a query or refused, its words are plain, and a text finds itself as
// a phrase.
func FuzzQuery(f *testing.F) {
	for _, s := range []string{"", "a b", `"a b" c`, `x" y`, "東京 “タワー”", "e\u0301 \u1e9e \u0130 \u00a7g1", "NEAR(a b, 2) OR -c:d^*", "\xff\xfe", "½ ㎏ ⑴ ｶﾞ"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for w := range search.Words(text) {
			if w.Folded == "" || strings.ContainsAny(w.Folded, " \t\n\"*^:(){}+-\u00a7") || !utf8.ValidString(w.Folded) {
				t.Fatalf("%q has the word %q", text, w.Folded)
			}
			if w.Start >= w.End || w.End > len(text) {
				t.Fatalf("%q: %+v", text, w)
			}
			if again := folded(w.Folded); again != "" && strings.ReplaceAll(again, "|", "") != w.Folded && utf8.RuneCountInString(w.Folded) < 40 {
				t.Fatalf("%q folds to %q and that to %q", text[w.Start:w.End], w.Folded, again)
			}
		}
		q, err := search.Parse(text)
		if err != nil {
			if !errors.Is(err, search.ErrTooLong) && !errors.Is(err, search.ErrNoWord) {
				t.Fatal(err)
			}
			return
		}
		if _, all := q.Marks(text); !all {
			t.Fatalf("%q does not find itself: %+v", text, q)
		}
		s := q.Snippet(text, 10)
		n := utf8.RuneCountInString(s.Text)
		for _, m := range s.Marks {
			if m.Start >= m.End || m.End > n {
				t.Fatalf("%q: %+v", text, s)
			}
		}
		phrase, err := search.Parse(`"` + text + `"`)
		if err == nil && !strings.ContainsAny(text, "\"\u201c\u201d\u201e\u00ab\u00bb") {
			if _, all := phrase.Marks(text); !all {
				t.Fatalf("%q does not find itself as a phrase", text)
			}
		}
	})
}

func BenchmarkMarks(b *testing.B) {
	text := strings.Repeat("the quick brown fox jumps over the lazy dog, ", 3)
	q, err := search.Parse("lazy fo")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if marks, _ := q.Marks(text); len(marks) == 0 {
			b.Fatal(marks)
		}
	}
}
