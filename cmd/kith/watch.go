package main

import (
	"github.com/spf13/cobra"

	v1 "kith/proto/kith/v1"
)

// groupWatch prints what happens to groups, beside what their members say, as it
// happens.
func (p *program) groupWatch() *cobra.Command {
	return &cobra.Command{
		Use:               "watch [GROUP]",
		Short:             "Print what happens to a group or to all, until Ctrl-C: what is settled, splits that healed, who signed two things",
		Args:              words(0, 1),
		ValidArgsFunction: p.completeChat,
		RunE: func(c *cobra.Command, args []string) error {
			w := &watcher{program: p, titles: make(map[string]string), told: make(map[string]bool)}
			ctx, client := c.Context(), p.client()
			events, err := client.Subscribe(ctx, &v1.SubscribeRequest{}) // first, so that nothing falls between
			if err != nil {
				return err
			}
			defer events.Close()
			if len(args) > 0 {
				chat, err := call(ctx, client.GetChat, &v1.GetChatRequest{Chat: args[0]})
				if err != nil {
					return err
				}
				w.only = chat.Id
			}
			list, err := call(ctx, client.ListChats, &v1.ListChatsRequest{})
			if err != nil {
				return err
			}
			for _, chat := range list.Chats {
				w.titles[chat.Id] = titleOf(chat)
			}
			for events.Receive() {
				if w.event(events.Msg()); w.unwritten() != nil {
					return w.unwritten()
				}
			}
			if ctx.Err() != nil {
				return nil // Ctrl-C is how it ends
			}
			return events.Err()
		},
	}
}

// watcher prints incidents. A split is told anew as what it undid is done again:
// people read of it once.
type watcher struct {
	*program
	only   string            // id of a chat; empty: all
	titles map[string]string // of chats, by id
	told   map[string]bool   // splits
}

func (w *watcher) event(e *v1.Event) {
	if chat := e.GetChat(); chat != nil {
		w.titles[chat.Id] = titleOf(chat)
	}
	in := e.GetIncident()
	if in == nil || w.only != "" && in.ChatId != w.only || w.show(in) {
		return
	}
	key := in.ChatId + in.About
	if in.Kind == v1.IncidentKind_INCIDENT_KIND_SPLIT {
		if w.told[key] {
			return
		}
		w.told[key] = true
	}
	line := oneLine(in.Sentence)
	if w.only == "" {
		line = w.titles[in.ChatId] + ": " + line
	}
	w.println(line)
}
