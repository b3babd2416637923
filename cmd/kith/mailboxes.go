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

func (p *program) mailboxQuietVerb() *cobra.Command {
	c := p.aboutVerb("quiet [on|off]", "Come to mailboxes at drawn times alone: hours later, and they learn less", 0, 1, func(ctx context.Context, args []string) error {
		n, err := p.askOrSwitch(ctx, args, func(on *bool) *v1.SetNetworkRequest { return &v1.SetNetworkRequest{QuietMail: on} })
		if err != nil || p.show(n) {
			return err
		}
		if n.QuietMail {
			p.println("on   Your node comes to mailboxes at times drawn beforehand, each time with one piece of one size, be there something to say or not.")
			p.println("     What waits there takes hours. Whoever runs a mailbox cannot tell which drops belong together, if your node is mostly on and the others do the same.")
		} else {
			p.println("off  Your node leaves things at mailboxes at once, and fetches at once: whoever runs one sees when, and by that which drops are yours.")
			p.println("     To hide that, at the price of hours: kith mailbox quiet on")
		}
		return nil
	})
	c.ValidArgsFunction = cobra.FixedCompletions([]cobra.Completion{"on", "off"}, cobra.ShellCompDirectiveNoFileComp)
	return c
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
