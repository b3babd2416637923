package api

import (
	"kith/internal/lookalike"
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

func readsYou(name string) bool { return lookalike.Of(name).Small == "you" }
