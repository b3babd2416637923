package api

import (
	"slices"
	"strings"

	"kith/internal/node"
)

// shownName is the name of a person as others are shown it. Its bearer chose it, and
// pages and terminals call whoever reads "you": a name that says so, or looks so, stands
// in quotes, or somebody could write, vote and remove in the reader's name.
func shownName(p node.Person) string {
	if !p.Me && readsYou(p.Name) {
		return "“" + p.Name + "”"
	}
	return p.Name
}

// you is the letters that can stand for those of "you".
var you = [3]string{"yYуУүҮγΥʏｙＹ", "oOоОοΟ0օՕｏＯ", "uUυսՍᴜｕＵ"}

func readsYou(name string) bool {
	letters := []rune(strings.TrimSpace(name))
	return len(letters) == len(you) && !slices.ContainsFunc([]int{0, 1, 2}, func(i int) bool { return !strings.ContainsRune(you[i], letters[i]) })
}
