package node_test

import (
	"slices"
	"testing"

	"kith/internal/node"
	"kith/internal/search"
)

// TestSearchFollowsEdits: what the author and another member find follows an edit, a
// second one, and the end of the message.
func TestSearchFollowsEdits(t *testing.T) {
	t.Parallel()
	ann, ben := start(t, "Ann", t.TempDir()), start(t, "Ben", t.TempDir())
	befriend(t, ann, ben)
	g := ann.chatWith(ben)
	finds := func(p *person, word string) (list []string) {
		q, err := search.Parse(word)
		must(t, err)
		f, err := p.Search(node.Asked{Query: q})
		must(t, err)
		for _, h := range f.Hits {
			list = append(list, h.Snippet.Text)
		}
		return list
	}
	found := func(word, text string) {
		t.Helper()
		for _, p := range []*person{ann, ben} {
			p.until(word+" to be found", func() bool { list := finds(p, word); return len(list) == 1 && list[0] == text })
		}
	}
	lost := func(word string) {
		t.Helper()
		for _, p := range []*person{ann, ben} {
			if list := finds(p, word); len(list) > 0 {
				t.Errorf("%s: %s finds %q", p.name, word, list)
			}
		}
	}
	ann.say(g, "See you at the harbour")
	found("harbour", "See you at the harbour")
	list, _, err := ann.Messages(g, nil, 1)
	must(t, err)
	ref := list[0].ID.String()
	_, err = ann.Edit(g, ref, "See you at the lighthouse")
	must(t, err)
	found("lighthouse", "See you at the lighthouse")
	lost("harbour")
	ben = ben.restart()
	_, err = ann.Edit(g, ref, "See you at the windmill")
	must(t, err)
	found("windmill", "See you at the windmill")
	lost("lighthouse")
	_, err = ann.Delete(g, ref)
	must(t, err)
	ben.until("it to be gone", func() bool { return len(finds(ben, "windmill")) == 0 })
	for _, word := range []string{"windmill", "lighthouse", "harbour"} {
		lost(word)
	}
}

// TestSearchWithoutWords: whoever asks for no words is shown what people wrote, not the
// line that says how long messages last, which has no words.
func TestSearchWithoutWords(t *testing.T) {
	t.Parallel()
	ann := start(t, "Ann", t.TempDir())
	g := ann.Status().Notes
	ann.say(g, "before")
	err := ann.SetLifetime(t.Context(), g, 3600)
	must(t, err)
	ann.say(g, "after")
	me := ann.id()
	f, err := ann.Search(node.Asked{Person: &me})
	must(t, err)
	var list []string
	for _, h := range f.Hits {
		list = append(list, h.Snippet.Text)
	}
	if want := []string{"after", "before"}; !slices.Equal(list, want) {
		t.Errorf("%q, want %q", list, want)
	}
}
