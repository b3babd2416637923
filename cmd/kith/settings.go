package main

import (
	"context"

	"github.com/spf13/cobra"

	v1 "kith/proto/kith/v1"
)

// settingsVerb shows what others see of one, and changes it.
func (p *program) settingsVerb() *cobra.Command {
	c := p.aboutVerb("settings [typing on|off]", "Show or choose what others see: that you are writing", 0, 2, func(ctx context.Context, args []string) error {
		s, err := call(ctx, p.client().GetSettings, &v1.GetSettingsRequest{})
		if err != nil {
			return err
		}
		switch {
		case len(args) == 0:
		case len(args) == 2 && args[0] == "typing" && (args[1] == "on" || args[1] == "off"):
			s.HideTyping = args[1] == "off"
			if s, err = call(ctx, p.client().SetSettings, s); err != nil {
				return err
			}
		default:
			return &usageError{"usage: kith settings typing on, or off"}
		}
		if p.show(s) {
			return nil
		}
		if s.HideTyping {
			p.println("typing     off: nobody is told that you are writing")
		} else {
			p.println("typing     on: members of chats of up to 32 people who are connected see that you are writing on the page")
		}
		p.println("delivered  always: others see when a message has reached your device; the group needs it to know what is still to be brought to whom")
		p.println("read       never: nobody is told what you have read")
		return nil
	})
	c.ValidArgsFunction = cobra.FixedCompletions([]string{"typing"}, cobra.ShellCompDirectiveNoFileComp)
	return c
}
