package main

import (
	"context"

	"github.com/spf13/cobra"

	v1 "kith/proto/kith/v1"
)

func (p *program) mailboxAddVerb() *cobra.Command {
	return p.boxesVerb("add ADDRESS", "Have messages wait at a mailbox for whoever is off", 1, func(ctx context.Context, args []string) (*v1.Network, error) {
		return call(ctx, p.client().AddMailbox, &v1.AddMailboxRequest{Address: args[0]})
	})
}

func (p *program) mailboxListVerb() *cobra.Command {
	return p.boxesVerb("list", "List your mailboxes, and those that your chats use", 0, func(ctx context.Context, _ []string) (*v1.Network, error) {
		return call(ctx, p.client().GetNetwork, &v1.GetNetworkRequest{})
	})
}

func (p *program) mailboxRemoveVerb() *cobra.Command {
	return p.boxesVerb("remove MAILBOX", "Use a mailbox no more; MAILBOX is the beginning of its id", 1, func(ctx context.Context, args []string) (*v1.Network, error) {
		return call(ctx, p.client().RemoveMailbox, &v1.RemoveMailboxRequest{Id: args[0]})
	})
}

// boxesVerb does something about mailboxes, and lists those that there are then.
func (p *program) boxesVerb(use, about string, args int, do func(context.Context, []string) (*v1.Network, error)) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: about, Args: words(args, args), ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(c *cobra.Command, args []string) error {
			n, err := do(c.Context(), args)
			if err != nil {
				return err
			}
			for _, m := range n.Mailboxes {
				if !p.show(m) {
					p.println(short(m.Id) + "  " + oneLine(m.Sentence))
				}
			}
			if len(n.Mailboxes) == 0 && !p.json {
				p.println("No mailbox. Whoever runs one (kith mailbox serve) gives you its address: kith mailbox add ADDRESS")
			}
			return nil
		},
	}
}
