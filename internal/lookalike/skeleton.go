package lookalike

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// letters are what looks like a letter of Latin: those in a row look like the first, which stands for
// all of them. A row has the large forms that look like the small one, and those of other alphabets that
// are large where Latin has another small one.
var letters = [...]string{
	"aаɑα", "bвьβ", "cсϲ", "dԁ", "eеεҽ", "gɡց", "hһнհ", "iіιı", "jј", "kкκ", "lӏ", "mм", "nпηո", "oо0οσօ", "pрρ", "qԛզ",
	"rг", "sѕ", "tтτ", "uυսᴜ", "vνѵ", "wωԝш", "xхχ", "yуүγʏ", "zζ", "3з", "-‐‑‒–—−", "'ʼ’‘`´",
	"AАΑ", "BВΒ", "CС", "EЕΕ", "HНΗ", "IІΙӀ", "JЈ", "KКΚ", "MМΜ", "NΝ", "OОΟՕ", "PРΡ", "SЅ", "TТΤ", "UՍ", "XХΧ", "YУΥҮ", "ZΖ",
}

// upright are strokes, which nobody tells apart. Their case tells that of the rest of a name.
const upright = "lI1|"

// pairs of letters that look like one.
var pairs = strings.NewReplacer("rn", "m", "vv", "w")

var standsFor = func() map[rune]rune {
	m := make(map[rune]rune)
	for _, row := range letters {
		first := []rune(row)[0]
		for _, r := range row {
			m[r] = first
		}
	}
	return m
}()

// A Skeleton is how a name looks. Two names look alike if they have either part in common: with strokes
// for one as "Ian" and "lan", or in small letters as "IAN" and "ian".
type Skeleton struct{ Strokes, Small string }

// Of makes the skeleton of a name: whatever alphabet and form its letters are of, without what cannot be
// seen. Of nothing that can be seen both parts are empty.
func Of(name string) (s Skeleton) {
	var strokes, small strings.Builder
	for _, r := range norm.NFKD.String(strings.Join(strings.Fields(name), " ")) {
		if unseen(r) {
			continue
		}
		if like, ok := standsFor[r]; ok {
			r = like
		}
		if strings.ContainsRune(upright, r) {
			strokes.WriteByte('l')
		} else {
			strokes.WriteRune(r)
		}
		r = unicode.ToLower(r)
		if like, ok := standsFor[r]; ok {
			r = like
		}
		small.WriteRune(r)
	}
	return Skeleton{pairs.Replace(norm.NFKC.String(strokes.String())), pairs.Replace(norm.NFKC.String(small.String()))}
}

// Like reports whether two names look alike.
func (s Skeleton) Like(o Skeleton) bool {
	return s.Small != "" && (s.Strokes == o.Strokes || s.Small == o.Small)
}

// unseen is true for what takes no room: joiners, marks of direction, what chooses between forms of a
// character, and the fillers of Hangul.
func unseen(r rune) bool {
	switch r {
	case '\u034f', '\u115f', '\u1160', '\u3164', '\uffa0':
		return true
	}
	return unicode.In(r, unicode.Cf, unicode.Variation_Selector) || unicode.IsControl(r)
}
