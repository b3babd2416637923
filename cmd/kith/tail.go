package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"

	v1 "kith/proto/kith/v1"
	"kith/proto/kith/v1/kithv1connect"
)

// Of tail -f: how long to wait before asking a node that does not answer again.
const (
	firstPause = 100 * time.Millisecond
	maxPause   = 2 * time.Second
)

const (
	// maxTail bounds -n, and how far back tail -f looks after a node was away. They
	// are all in memory at once, about 2 KB each.
	maxTail = 1_000_000
	// tailPage is how many messages the node is asked for at once, the most it gives.
	tailPage = 500
)

func (p *program) tailVerb() *cobra.Command {
	var n int
	var follow, ids bool
	c := &cobra.Command{
		Use:               "tail CHAT",
		Short:             "Print the newest messages of a chat",
		Args:              words(1, 1),
		ValidArgsFunction: p.completeChat,
		RunE: func(c *cobra.Command, args []string) error {
			if n < 0 || n > maxTail {
				return &usageError{fmt.Sprintf("-n is 0 to %d", maxTail)}
			}
			p.ids = ids
			if !follow {
				return p.tail(c.Context(), args[0], n)
			}
			return p.follow(c.Context(), args[0], n)
		},
	}
	c.Flags().IntVarP(&n, "number", "n", 10, "how many messages")
	c.Flags().BoolVarP(&follow, "follow", "f", false, "go on with those that come, until Ctrl-C")
	c.Flags().BoolVar(&ids, "ids", false, "before each the beginning of its id, by which reply, react, edit and others name it")
	return c
}

func (p *program) tail(ctx context.Context, ref string, n int) error {
	client := p.client()
	chat, err := call(ctx, client.GetChat, &v1.GetChatRequest{Chat: ref})
	if err != nil {
		return err
	}
	list, err := newest(ctx, client, chat.Id, n, nil)
	for _, m := range list {
		p.printMessage(m, chat.State)
	}
	return err
}

// newest returns the n newest messages, oldest first; fewer where enough says of
// a page that what is before it is not needed.
func newest(ctx context.Context, client kithv1connect.KithServiceClient, ref string, n int, enough func([]*v1.Message) bool) ([]*v1.Message, error) {
	if n == 0 {
		_, err := call(ctx, client.GetChat, &v1.GetChatRequest{Chat: ref})
		return nil, err
	}
	var pages [][]*v1.Message
	for before := ""; n > 0; {
		list, err := call(ctx, client.ListMessages, &v1.ListMessagesRequest{Chat: ref, Before: before, Limit: uint32(min(n, tailPage))})
		if err != nil {
			return nil, err
		}
		pages = append(pages, list.Messages)
		if !list.More || len(list.Messages) == 0 || enough != nil && enough(list.Messages) {
			break
		}
		before, n = list.Messages[0].Cursor, n-len(list.Messages)
	}
	slices.Reverse(pages)
	return slices.Concat(pages...), nil
}

func (p *program) printMessage(m *v1.Message, in v1.ChatState) {
	if p.show(m) || m.State == v1.MessageState_MESSAGE_STATE_OVER {
		return
	}
	head := fmt.Sprintf("%s %s: ", clock(m.Time), nameOf(m.Author))
	if p.ids {
		head = fmt.Sprintf("%-8s ", short(m.Id)) + head
	}
	if q := m.ReplyTo; q != nil {
		head += "> " + quoteOf(q) + "\n    "
	}
	text := head + lines(textOf(m), "    ") + mark(m)
	if m.Lifetime != nil && m.State == v1.MessageState_MESSAGE_STATE_SHOWN {
		text = strings.TrimSuffix(head, " ") + beside + oneLine(m.Text)
	}
	if m.Poll != nil && m.State == v1.MessageState_MESSAGE_STATE_SHOWN {
		text += drawPoll(m.Poll)
	}
	if m.PinnedBy != nil {
		text += " (pinned)"
	}
	if m.WhileSplit {
		text += " (written while apart from the others)"
	}
	if m.ClockOff {
		text += " (written well before it was sent, or on a computer whose clock is wrong)"
	}
	if m.WrittenTwice {
		text += fmt.Sprintf(" (the device %.8s wrote two messages in this place)", m.AuthorDevice)
	}
	if in == v1.ChatState_CHAT_STATE_REMOVED && m.Author.GetMe() && m.Reached == 0 {
		text += " (nobody got this)"
	}
	if len(m.Reactions) > 0 {
		text += beside + reactions(m)
	}
	p.println(text)
}

// quoteOf is what a message answers, on one line.
func quoteOf(q *v1.Quote) string {
	switch q.State {
	case v1.MessageState_MESSAGE_STATE_SHOWN:
		return nameOf(q.Author) + ": " + excerpt(q.Text)
	case v1.MessageState_MESSAGE_STATE_DELETED:
		return nameOf(q.Author) + ": (deleted)"
	case v1.MessageState_MESSAGE_STATE_OVER:
		return nameOf(q.Author) + ": (disappeared)"
	}
	return nameOf(q.Author) + ": (not here)"
}

func textOf(m *v1.Message) string {
	switch m.State {
	case v1.MessageState_MESSAGE_STATE_DELETED:
		if m.DeletedByAdmin {
			return "(removed by " + nameOf(m.DeletedBy) + ", admin)"
		}
		return "(deleted)"
	case v1.MessageState_MESSAGE_STATE_DAMAGED:
		return "(this message arrived damaged)"
	case v1.MessageState_MESSAGE_STATE_UNREADABLE:
		return "(this message cannot be read on this device)"
	case v1.MessageState_MESSAGE_STATE_NEWER:
		return "(this message needs a newer version of Kith)"
	case v1.MessageState_MESSAGE_STATE_OVER:
		return "(disappeared)"
	}
	if m.Lifetime != nil {
		return "(" + m.Text + ")"
	}
	return said(m.Text, m.Spans)
}

// follower prints each message of a chat once, across streams that end.
type follower struct {
	*program
	client kithv1connect.KithServiceClient
	chat   string
	state  v1.ChatState
	after  uint64 // place in the stream
	run    string
	shown  map[string]*v1.Message // by cursor, as it was printed; nil: it was not
	told   bool                   // that the node does not answer
}

func (p *program) follow(ctx context.Context, ref string, n int) error {
	client := p.client()
	chat, err := call(ctx, client.GetChat, &v1.GetChatRequest{Chat: ref})
	if err != nil {
		return err
	}
	f := &follower{program: p, client: client, chat: chat.Id, state: chat.State, shown: make(map[string]*v1.Message)}
	pause := firstPause
	for {
		heard, err := f.stream(ctx, n)
		if lost := f.unwritten(); lost != nil {
			return lost
		}
		if ctx.Err() != nil {
			return nil // Ctrl-C is how tail -f ends
		}
		if c, ok := errors.AsType[*connect.Error](err); ok && c.Code() == connect.CodeNotFound {
			return err
		}
		if heard {
			pause = firstPause
		}
		if !f.told {
			fmt.Fprintln(p.err, "kith: Kith does not answer. Waiting until it runs again; Ctrl-C ends this.")
			f.told = true
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil
		}
		pause = min(2*pause, maxPause)
	}
}

// stream prints until the stream ends; heard tells that it began at all. The
// stream is opened before the list is read, so that nothing falls between.
func (f *follower) stream(ctx context.Context, n int) (heard bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	events, err := f.client.Subscribe(ctx, &v1.SubscribeRequest{After: f.after, Run: f.run})
	if err != nil {
		return false, err
	}
	defer events.Close()
	for events.Receive() {
		if err := f.event(ctx, events.Msg(), n, !heard); err != nil {
			return heard, err
		}
		heard, f.told = true, false
	}
	return heard, events.Err()
}

// event takes one event; where events are missing it reads the newest messages.
func (f *follower) event(ctx context.Context, e *v1.Event, n int, first bool) error {
	began := f.run == ""
	_, reset := e.Change.(*v1.Event_Reset_)
	if reset || first && e.Run != f.run {
		list, err := f.missed(ctx, n, began)
		if err != nil {
			return err
		}
		for i, m := range list {
			if began && i < len(list)-n {
				f.shown[m.Cursor] = nil // older than what was asked for
				continue
			}
			f.print(m)
		}
	}
	if c, ok := e.Change.(*v1.Event_Chat); ok && c.Chat.Id == f.chat {
		f.state = c.Chat.State
	}
	if c, ok := e.Change.(*v1.Event_Message); ok && c.Message.ChatId == f.chat {
		f.print(c.Message)
	}
	if e.Change != nil || began || e.Run != f.run {
		f.after, f.run = e.Seq, e.Run
	}
	return f.unwritten()
}

// missed reads back to what was asked for at first, and then to what was printed.
func (f *follower) missed(ctx context.Context, n int, began bool) ([]*v1.Message, error) {
	if began {
		return newest(ctx, f.client, f.chat, max(n, tailPage), nil)
	}
	return newest(ctx, f.client, f.chat, maxTail, func(page []*v1.Message) bool {
		return !slices.ContainsFunc(page, func(m *v1.Message) bool {
			_, seen := f.shown[m.Cursor]
			return !seen
		})
	})
}

func (f *follower) print(m *v1.Message) {
	was, seen := f.shown[m.Cursor]
	f.shown[m.Cursor] = m
	switch {
	case !seen:
		f.printMessage(m, f.state)
	case was == nil: // what happens to what was not asked for is not told either
		f.shown[m.Cursor] = nil
	case m.State != v1.MessageState_MESSAGE_STATE_UNSPECIFIED:
		list := changes(was, m)
		if len(list) > 0 && f.show(m) {
			return
		}
		for _, line := range list {
			f.println(line)
		}
	}
}
