package api_test

import (
	"fmt"
	"strings"
	"testing"

	v1 "kith/proto/kith/v1"
)

// TestSearch: what was written is found, page after page, and the chat opens around it.
func TestSearch(t *testing.T) {
	h := move(t, "Ann")
	const count = 45
	for i := range count {
		text := fmt.Sprintf("walk %d along the canal", i)
		if i == 20 {
			text = strings.Repeat("Many words before. ", 30) + "The HERON stood still. " + strings.Repeat("And after.\n", 30)
		}
		if _, err := h.socket.Send(t.Context(), &v1.SendRequest{Chat: "Notes to self", Text: text}); err != nil {
			t.Fatal(err)
		}
	}
	found := 0
	before := ""
	for range 10 {
		a, err := h.socket.Search(t.Context(), &v1.SearchRequest{Text: "canal wal", Before: before})
		if err != nil {
			t.Fatal(err)
		}
		if found += len(a.Found); a.Percent != 100 || len(a.Found) > 20 {
			t.Errorf("%d found, %d %%", len(a.Found), a.Percent)
		}
		if before = a.Next; before == "" {
			break
		}
	}
	if found != count-1 {
		t.Errorf("%d of %d found", found, count-1)
	}

	a, err := h.socket.Search(t.Context(), &v1.SearchRequest{Text: "heron"})
	if err != nil || len(a.Found) != 1 || a.Next != "" {
		t.Fatal(a, err)
	}
	f := a.Found[0]
	if len(f.Marks) != 1 || f.ChatTitle != "Notes to self" || !f.CutBefore || !f.CutAfter {
		t.Fatalf("%v", f)
	}
	if got := string([]rune(f.Snippet)[f.Marks[0].Start:f.Marks[0].End]); got != "HERON" {
		t.Errorf("marked: %q", got)
	}

	around, err := h.socket.ListMessages(t.Context(), &v1.ListMessagesRequest{Chat: f.Message.ChatId, Around: f.Message.Cursor, Limit: 11})
	if err != nil || len(around.Messages) != 11 || around.Messages[5].Id != f.Message.Id || !around.More || !around.MoreAfter {
		t.Fatal(around, err)
	}
	after := around.Messages[10].Cursor
	rest, err := h.socket.ListMessages(t.Context(), &v1.ListMessagesRequest{Chat: f.Message.ChatId, After: after})
	if err != nil || len(rest.Messages) != count-26 || rest.MoreAfter || rest.More {
		t.Fatal(len(rest.GetMessages()), err)
	}
	if !strings.HasPrefix(rest.Messages[0].Text, "walk 26 ") {
		t.Errorf("after: %q", rest.Messages[0].Text)
	}
	zeros := strings.Map(func(r rune) rune {
		if r == '.' {
			return r
		}
		return '0'
	}, after)
	start, err := h.socket.ListMessages(t.Context(), &v1.ListMessagesRequest{Chat: f.Message.ChatId, Around: zeros, Limit: 11})
	if err != nil || len(start.Messages) != 11 || start.More || !start.MoreAfter || !strings.HasPrefix(start.Messages[0].Text, "walk 0 ") {
		t.Fatal(start, err)
	}
	end, err := h.socket.ListMessages(t.Context(), &v1.ListMessagesRequest{Chat: f.Message.ChatId, Around: rest.Messages[len(rest.Messages)-1].Cursor, Limit: 10})
	if err != nil || end.MoreAfter || !end.More || len(end.Messages) != 6 {
		t.Fatal(end, err)
	}
}

// TestSearchRefuses: each with its reason.
func TestSearchRefuses(t *testing.T) {
	h := move(t, "Ann")
	for _, c := range []struct {
		r    *v1.SearchRequest
		want string
	}{
		{&v1.SearchRequest{}, "search/no-word"},
		{&v1.SearchRequest{Text: " ... "}, "search/no-word"},
		{&v1.SearchRequest{Text: strings.Repeat("a ", 17)}, "search/too-long"},
		{&v1.SearchRequest{Text: "a", Limit: 201}, "api/found"},
		{&v1.SearchRequest{Text: "a", Before: "x"}, "api/cursor"},
		{&v1.SearchRequest{Text: "a", Before: "0"}, "api/cursor"},
		{&v1.SearchRequest{Text: "a", Chat: "nowhere"}, "node/unknown"},
		{&v1.SearchRequest{Text: "a", Person: "nobody"}, "node/unknown"},
	} {
		_, err := h.socket.Search(t.Context(), c.r)
		wantReason(t, err, c.want)
	}
	for _, r := range []*v1.ListMessagesRequest{{Chat: "Notes to self", After: "x"}, {Chat: "Notes to self", After: "x", Around: "y"}} {
		_, err := h.socket.ListMessages(t.Context(), r)
		wantReason(t, err, "api/cursor")
	}
}
