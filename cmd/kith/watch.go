package main

import (
	"context"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"

	"kith/internal/api"
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
			w := &watcher{program: p, titles: make(map[string]string), told: make(map[string]string), splits: make(map[string]*v1.Incident)}
			ctx, client := c.Context(), p.client()
			events, err := client.Subscribe(ctx, &v1.SubscribeRequest{}) // first, so that nothing falls between
			if err != nil {
				return err
			}
			if err := w.begin(ctx, args); err != nil {
				events.Close()
				return err
			}
			if err := w.follow(events); err != nil || ctx.Err() != nil { // Ctrl-C is how it ends
				return err
			}
			return halted(events.Err())
		},
	}
}

// splitLull is how long nothing more of a split comes before its line is printed:
// its blocks arrive one after the other, and what it undid is done again.
const splitLull = 3 * time.Second

// watcher prints incidents, of a split the last word of a while. When more of it
// comes later, what is only done again is no news.
type watcher struct {
	*program
	only   string                  // id of a chat; empty: all
	titles map[string]string       // of chats, by id
	told   map[string]string       // what was printed of splits
	splits map[string]*v1.Incident // to be printed
}

// begin finds out what chats are called, and which one is asked for.
func (w *watcher) begin(ctx context.Context, args []string) error {
	client := w.client()
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
	return nil
}

// follow prints what comes until the stream ends; its end is not an error.
func (w *watcher) follow(events *connect.ServerStreamForClient[v1.Event]) error {
	coming, over := make(chan *v1.Event), make(chan struct{})
	go func() {
		defer close(coming)
		for events.Receive() {
			select {
			case coming <- events.Msg():
			case <-over:
			}
		}
	}()
	defer func() {
		close(over)
		events.Close()
		for range coming { // until it is over
		}
	}()
	lull := time.NewTimer(time.Hour)
	defer lull.Stop()
	for {
		select {
		case e, ok := <-coming:
			if !ok {
				w.tellSplits()
				return w.unwritten()
			}
			if w.event(e) {
				lull.Reset(splitLull)
			}
		case <-lull.C:
			w.tellSplits()
		}
		if err := w.unwritten(); err != nil {
			return err
		}
	}
}

// event prints what an event says, and reports whether that is to wait for more.
func (w *watcher) event(e *v1.Event) (later bool) {
	if chat := e.GetChat(); chat != nil {
		w.titles[chat.Id] = titleOf(chat)
	}
	in := e.GetIncident()
	if in == nil || w.only != "" && in.ChatId != w.only || w.show(in) {
		return false
	}
	if in.Kind == v1.IncidentKind_INCIDENT_KIND_SPLIT {
		w.splits[in.ChatId+in.About] = in
		return true
	}
	w.tell(in)
	return false
}

func (w *watcher) tellSplits() {
	for _, key := range slices.Sorted(maps.Keys(w.splits)) {
		in := w.splits[key]
		if undone, _, _ := strings.Cut(strings.TrimSuffix(in.Sentence, "."), ","); w.told[key] != undone {
			w.told[key] = undone
			w.tell(in)
		}
	}
	clear(w.splits)
}

func (w *watcher) tell(in *v1.Incident) {
	line := oneLine(in.Sentence)
	if w.only == "" {
		line = w.titles[in.ChatId] + ": " + line
	}
	w.println(line)
}

// halted says why a stream that nobody ended is over: nothing was under way but to look.
func halted(err error) error {
	if err == nil || connect.CodeOf(err) == connect.CodeUnavailable || errors.Is(err, io.ErrUnexpectedEOF) {
		return &api.Error{Reason: api.ReasonOver}
	}
	return err
}
