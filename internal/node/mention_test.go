package node_test

import (
	"slices"
	"strings"
	"testing"

	"kith/internal/group"
	"kith/internal/node"
	"kith/internal/wire"
)

// What mentions somebody and was not read is told with the chat, also where an edit brought the mention,
// and until it is read, deleted or edited away.
func TestUnreadMentions(t *testing.T) {
	t.Parallel()
	ann, ben := start(t, "Ann", t.TempDir()), start(t, "Ben", t.TempDir())
	befriend(t, ann, ben)
	g := together(t, "Trip", ann, ben)
	says := func(p *person, text string) node.Message {
		t.Helper()
		c, err := group.Text(p.Mention(g, text))
		must(t, err)
		m, err := p.Send(t.Context(), g, "", c)
		must(t, err)
		return m
	}
	mentions := func(want ...wire.ContentID) {
		t.Helper()
		ids := make(map[group.Place]wire.ContentID)
		ben.until("the mentions", func() bool {
			c, err := ben.Chat(g)
			must(t, err)
			list, _, err := ben.Messages(g, nil, 500)
			must(t, err)
			for _, m := range list {
				ids[m.Place] = m.ID
			}
			var got []wire.ContentID
			for _, at := range c.Mentions {
				got = append(got, ids[at])
			}
			return slices.Equal(got, want)
		})
	}
	mentions()
	first := says(ann, "good morning @Ben")
	says(ann, "and everybody; `@Ben` is how it is typed, and @Ann is me")
	says(ben, "I am @Ben")
	third := says(ann, "hello")
	mentions(first.ID)
	_, err := ann.Edit(g, third.ID.String(), "hello @ben")
	must(t, err)
	mentions(first.ID, third.ID)

	list, _, err := ben.Messages(g, nil, 10)
	must(t, err)
	at := slices.IndexFunc(list, func(m node.Message) bool { return m.ID == first.ID })
	must(t, ben.MarkRead(g, list[at].Place))
	mentions(third.ID)
	fourth := says(ann, "also @Ben")
	mentions(third.ID, fourth.ID)
	_, err = ann.Edit(g, third.ID.String(), "hello all")
	must(t, err)
	mentions(fourth.ID)
	_, err = ann.Delete(g, fourth.ID.String())
	must(t, err)
	mentions()
	says(ann, strings.Repeat("@Ben ", 3))
	ben.until("a mention", func() bool { c, err := ben.Chat(g); return err == nil && len(c.Mentions) == 1 })
	list, _, err = ben.Messages(g, nil, 1)
	must(t, err)
	must(t, ben.MarkRead(g, list[0].Place))
	mentions()
	if c, err := ann.Chat(g); err != nil || len(c.Mentions) != 0 {
		t.Errorf("Ann, whom only she herself mentions: %v, %v", c.Mentions, err)
	}
}
