package main

import (
	"context"

	"github.com/spf13/cobra"

	v1 "kith/proto/kith/v1"
)

// settingsVerb shows what others see of one, and changes it.
func (p *program) settingsVerb() *cobra.Command {
	c := p.aboutVerb("settings [typing|read on|off]", "Show or choose what others see: that you are writing, and what you have read", 0, 2, func(ctx context.Context, args []string) error {
		change, err := choose(args)
		if err != nil {
			return err
		}
		var s *v1.Settings
		if change != nil {
			s, err = call(ctx, p.client().SetSettings, change)
		} else {
			s, err = call(ctx, p.client().GetSettings, &v1.GetSettingsRequest{})
		}
		if err != nil || p.show(s) {
			return err
		}
		if s.HideTyping {
			p.println("typing     off: nobody is told that you are writing")
		} else {
			p.println("typing     on: members of chats of up to 32 people who are connected see that you are writing on the page")
		}
		p.println("delivered  always: others see when a message has reached your device; the group needs it to know what is still to be brought to whom")
		if s.TellRead {
			p.println("read       on: members of chats of up to 64 people see what you have read, and you see what they have, of those who tell it too")
		} else {
			p.println("read       off: nobody is told what you have read, and you are not told what others have")
		}
		return nil
	})
	c.ValidArgsFunction = func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		return [][]string{{"typing", "read"}, {"on", "off"}, nil}[min(len(args), 2)], cobra.ShellCompDirectiveNoFileComp
	}
	return c
}

// choose is what the words ask to be changed; nil without any.
func choose(words []string) (*v1.SetSettingsRequest, error) {
	name, on, err := switchOf("settings", words, "typing", "read")
	off := !on
	switch {
	case err != nil || name == "":
		return nil, err
	case name == "typing":
		return &v1.SetSettingsRequest{HideTyping: &off}, nil
	}
	return &v1.SetSettingsRequest{TellRead: &on}, nil
}
