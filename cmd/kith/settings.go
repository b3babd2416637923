package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	v1 "kith/proto/kith/v1"
)

// lockAfter is the word for the minutes after which a home is locked.
const lockAfter = "lock-after"

// settingsVerb shows what others see of one, and changes it.
func (p *program) settingsVerb() *cobra.Command {
	c := p.aboutVerb("settings [typing|read|lock-after on|off|MINUTES]", "Show or choose what others see, and when your home is locked", 0, 2, func(ctx context.Context, args []string) error {
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
		if s.LockAfter > 0 {
			p.printf("lock-after %d: the home is locked when nobody was at the page or typed a command for %d minutes; nothing is received then", s.LockAfter, s.LockAfter)
		} else {
			p.println("lock-after off: the home is locked when you say so: kith lock")
		}
		return nil
	})
	c.ValidArgsFunction = func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		choices := []string{"on", "off"}
		if len(args) == 1 && args[0] == lockAfter {
			choices = []string{"off", "5", "15", "60"}
		}
		return [][]string{{"typing", "read", lockAfter}, choices, nil}[min(len(args), 2)], cobra.ShellCompDirectiveNoFileComp
	}
	return c
}

// choose is what the words ask to be changed; nil without any.
func choose(words []string) (*v1.SetSettingsRequest, error) {
	if len(words) == 2 && words[0] == lockAfter {
		return chooseMinutes(words[1])
	}
	name, on, err := switchOf("settings", words, "typing", "read", lockAfter)
	off := !on
	switch {
	case err != nil || name == "":
		return nil, err
	case name == "typing":
		return &v1.SetSettingsRequest{HideTyping: &off}, nil
	}
	return &v1.SetSettingsRequest{TellRead: &on}, nil
}

// chooseMinutes reads when a home is locked; the node says which can be chosen.
func chooseMinutes(word string) (*v1.SetSettingsRequest, error) {
	minutes := uint64(0)
	if word != "off" {
		var err error
		if minutes, err = strconv.ParseUint(word, 10, 16); err != nil || minutes == 0 {
			return nil, &usageError{fmt.Sprintf("kith settings lock-after takes off, 5, 15 or 60, and %q is none of them", word)}
		}
	}
	m := uint32(minutes)
	return &v1.SetSettingsRequest{LockAfter: &m}, nil
}
