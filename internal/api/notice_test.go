package api_test

import (
	"testing"

	"kith/internal/api"
	"kith/internal/group"
	"kith/internal/node"
)

// TestNotices: the one line over a chat of a device that was set aside.
func TestNotices(t *testing.T) {
	for _, c := range []struct {
		chat node.Chat
		want string
	}{
		{node.Chat{Parked: true, NoKeys: true, Missed: 3}, "This device was set aside, because it was not here for long. It comes back by itself, once another member is here."},
		{node.Chat{Missed: 1, Missing: 2}, "A message was written while this device was set aside. It comes once a member is here who has it."},
		{node.Chat{Missed: 12}, "12 messages were written while this device was set aside. They come once a member is here who has them."},
		{node.Chat{Missing: 2}, "2 earlier messages are coming."},
		{node.Chat{}, ""},
	} {
		c.chat.State = group.StatusActive
		if got := api.NoticeOf(c.chat); got != c.want {
			t.Errorf("%+v: %q, want %q", c.chat, got, c.want)
		}
	}
}
