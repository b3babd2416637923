package lookalike

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// letters are what looks like a letter of Latin: those in a row look like the first, which stands for
// all of them. What has a large form that looks different stands in two rows.
var letters = [...]string{
	"aаɑαΑА", "bвьβΒВ", "cсϲС", "dԁ", "eеεΕЕҽ", "gɡց", "hһнΗНհ", "jј", "kкκΚК", "li1|іӏıɩιΙІӀ", "mмΜМ", "nпηΝո", "oо0οσОΟօՕ", "pрρΡР", "qԛզ",
	"rг", "sѕЅ", "tтτΤТ", "uυսՍᴜ", "vνѵ", "wωԝш", "xхχΧХ", "yуүγΥУҮʏ", "zζΖ", "3зЗ", "-‐‑‒–—−", "'ʼ’‘`´",
}

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

// Skeleton is the same for names that look alike: in whatever letters' case and form they are written,
// with whatever cannot be seen between.
func Skeleton(name string) string {
	var out strings.Builder
	for _, r := range norm.NFKD.String(strings.Join(strings.Fields(name), " ")) {
		if unseen(r) {
			continue
		}
		if like, ok := standsFor[r]; ok {
			out.WriteRune(like)
			continue
		}
		r = unicode.ToLower(r)
		if like, ok := standsFor[r]; ok {
			r = like
		}
		out.WriteRune(r)
	}
	return pairs.Replace(norm.NFKC.String(out.String()))
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
