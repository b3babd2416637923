package main

import (
	"context"
	"crypto/rand"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"kith/internal/api"
	"kith/internal/group"
	v1 "kith/proto/kith/v1"
)

func (p *program) sendVerb() *cobra.Command {
	return &cobra.Command{
		Use:               "send CHAT TEXT...",
		Short:             "Write to a chat; with - the text comes from standard input, and @Name mentions a member",
		Args:              words(2, many),
		ValidArgsFunction: p.completeChat,
		RunE: func(c *cobra.Command, args []string) error {
			text := strings.Join(args[1:], " ")
			if text == "-" {
				b, err := io.ReadAll(io.LimitReader(p.in, group.MaxContent+1))
				if err != nil {
					return err
				}
				text = strings.TrimRight(string(b), "\r\n")
				if len(b) <= group.MaxContent && !utf8.ValidString(text) {
					return &api.Error{Reason: api.ReasonText}
				}
			}
			return p.send(c.Context(), args[0], text)
		},
	}
}

func (p *program) send(ctx context.Context, chat, text string) error {
	// The id makes a call that is repeated on its way one message.
	m, err := call(ctx, p.client().Send, &v1.SendRequest{Chat: chat, Text: text, ClientId: rand.Text()})
	if err != nil || p.show(m) {
		return err
	}
	c, err := call(ctx, p.client().GetChat, &v1.GetChatRequest{Chat: m.ChatId})
	if err != nil {
		return err
	}
	if (c.Connected == 0 || m.State == v1.MessageState_MESSAGE_STATE_HELD) && c.Notice != "" {
		p.println(oneLine(c.Notice))
		return nil
	}
	p.printf("Sent to %s.", titleOf(c))
	return nil
}
