package node_test

import (
	"testing"

	"kith/internal/markup"
	"kith/internal/node"
	"kith/internal/search"
	"kith/internal/wire"
)

// What is found is shown as people read it, and found by what they read alone: not by the
// id in a mention, nor by the words around it.
func TestFindsWhatPeopleRead(t *testing.T) {
	t.Parallel()
	ann := start(t, "Ann", t.TempDir())
	notes := ann.Status().Notes
	ann.say(notes, "we like **cats** and "+markup.Mention("@Ann", map[wire.PersonID]string{ann.id(): "Ann"}))
	for words, want := range map[string]string{"cats": "we like cats and @Ann", "ann": "we like cats and @Ann", "kith": "", "person": "", ann.id().String()[:8]: ""} {
		q, err := search.Parse(words)
		must(t, err)
		f, err := ann.Search(node.Asked{Query: q})
		must(t, err)
		got := ""
		if len(f.Hits) > 0 {
			got = f.Hits[0].Snippet.Text
		}
		if got != want {
			t.Errorf("%s finds %q", words, got)
		}
	}
}
