package main

import (
	"context"

	"github.com/spf13/cobra"

	v1 "kith/proto/kith/v1"
)

// readVerb notes that a chat was read. To print its messages is no reading: a program
// may do that.
func (p *program) readVerb() *cobra.Command {
	return p.aboutVerb("read CHAT [MESSAGE]", "Mark a chat as read, to its end or to a message; others are told if you chose that (kith settings)", 1, 2,
		func(ctx context.Context, args []string) error {
			c, err := call(ctx, p.client().GetChat, &v1.GetChatRequest{Chat: args[0]})
			if err != nil {
				return err
			}
			to := c.Newest.GetCursor()
			if len(args) == 2 {
				to = args[1]
			}
			if to != "" {
				if _, err := call(ctx, p.client().MarkRead, &v1.MarkReadRequest{Chat: c.Id, Cursor: to}); err != nil {
					return err
				}
				if c, err = call(ctx, p.client().GetChat, &v1.GetChatRequest{Chat: c.Id}); err != nil {
					return err
				}
			}
			if p.show(c) {
				return nil
			}
			if c.Unread > 0 {
				p.printf("%s: %s unread.", titleOf(c), count(int(c.Unread), "message", "messages"))
				return nil
			}
			p.printf("Everything in %s is read.", placeOf(c))
			return nil
		})
}
