package search

import (
	"iter"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// A Word is a piece of a text as it is compared.
type Word struct {
	Folded     string
	Start, End int // in the text, in bytes
}

// Words returns the words of a text, in order. What is written without spaces
// between words (Chinese, Japanese, Thai, ...) and symbols like emoji are a word
// for each character: a phrase of them finds any part.
func Words(text string) iter.Seq[Word] {
	return func(yield func(Word) bool) {
		start := -1
		end := func(at int) bool {
			from := start
			start = -1
			return from < 0 || emit(text, from, at, yield)
		}
		for i, r := range text {
			switch {
			case joins(r) || start >= 0 && unicode.Is(unicode.M, r) && !alone(r):
				if start < 0 {
					start = i
				}
			case alone(r):
				if !end(i) || !emit(text, i, i+utf8.RuneLen(r), yield) {
					return
				}
			default:
				if !end(i) {
					return
				}
			}
		}
		end(len(text))
	}
}

func emit(text string, from, to int, yield func(Word) bool) bool {
	folded := fold(text[from:to])
	return folded == "" || yield(Word{folded, from, to})
}

// joins is true for characters that make a word with their neighbours.
func joins(r rune) bool {
	if r < utf8.RuneSelf {
		return 'a' <= r && r <= 'z' || '0' <= r && r <= '9' || 'A' <= r && r <= 'Z'
	}
	return (unicode.IsLetter(r) || unicode.IsNumber(r)) && !alone(r)
}

// alone is true for characters that are a word each.
func alone(r rune) bool {
	if r < utf8.RuneSelf || r == utf8.RuneError {
		return false
	}
	if unicode.Is(unicode.So, r) {
		return true
	}
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar) &&
		unicode.In(r, unicode.L, unicode.M)
}

// fold writes a word as it is compared: small letters, without accents, in the
// plain form of each character. It is empty if nothing of the word is left.
func fold(word string) string {
	if plain := strings.IndexFunc(word, func(r rune) bool { return r >= utf8.RuneSelf }) < 0; plain {
		return strings.ToLower(word[:min(len(word), maxWord)])
	}
	var b strings.Builder
	for _, r := range norm.NFKD.String(word) {
		r = unicode.ToLower(r)
		switch full := spelt[r]; {
		case full != "":
			b.WriteString(full)
		case accent(r):
		case unicode.In(r, unicode.L, unicode.N, unicode.M, unicode.So):
			b.WriteRune(r)
		}
	}
	folded := norm.NFC.String(b.String())
	if first, _ := utf8.DecodeRuneInString(word); !alone(first) {
		folded = strings.TrimLeftFunc(folded, func(r rune) bool { return unicode.Is(unicode.M, r) }) // of no letter
	}
	n := 0
	for i := range folded {
		if n++; n > maxWord {
			return folded[:i]
		}
	}
	return folded
}

// accent is true for marks that many people leave out when they type: the accents
// of Latin, Greek and Cyrillic, and the vowel points of Hebrew and Arabic.
func accent(r rune) bool {
	return '\u0300' <= r && r <= '\u036f' || '\u0591' <= r && r <= '\u05c7' || '\u064b' <= r && r <= '\u0652' || r == '\u0670'
}

// spelt are letters that people write in another way, and that Unicode does not
// take apart.
var spelt = map[rune]string{
	'ß': "ss", 'æ': "ae", 'œ': "oe", 'ø': "o", 'đ': "d", 'ð': "d", 'ł': "l", 'ħ': "h", 'ı': "i", 'þ': "th", 'ς': "σ",
}
