package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	v1 "kith/proto/kith/v1"
)

// networkVerb shows how others are reached, and switches ways of reaching them.
func (p *program) networkVerb() *cobra.Command {
	c := p.aboutVerb("network [rendezvous|router on|off]", "Show how each person is reached, what waits and why, and what is in the way", 0, 2, func(ctx context.Context, args []string) error {
		change, err := switched(args)
		if err != nil {
			return err
		}
		var n *v1.Network
		if change != nil {
			n, err = call(ctx, p.client().SetNetwork, change)
		} else {
			n, err = call(ctx, p.client().GetNetwork, &v1.GetNetworkRequest{})
		}
		if err != nil || p.show(n) {
			return err
		}
		p.printNetwork(n)
		return nil
	})
	c.Long = c.Short + `.

rendezvous on: friends whose address changed are looked for at the public DHT of BitTorrent, and you
are found there. Its nodes see that something of one size is kept, and the address of who asks; not
who it is for or by. off: who has moved is found through common friends, or by a new link.

router on: the router is asked to let others in (UPnP, NAT-PMP, PCP). off: others come in only where
you have opened the way, or by hole punching or a friend's relay.`
	c.ValidArgsFunction = func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		return [][]string{{"rendezvous", "router"}, {"on", "off"}, nil}[min(len(args), 2)], cobra.ShellCompDirectiveNoFileComp
	}
	return c
}

// switched is what the words ask to be changed; nil without any.
func switched(words []string) (*v1.SetNetworkRequest, error) {
	name, on, err := switchOf("network", words, "rendezvous", "router")
	switch {
	case err != nil || name == "":
		return nil, err
	case name == "rendezvous":
		return &v1.SetNetworkRequest{Rendezvous: &on}, nil
	}
	return &v1.SetNetworkRequest{PortMapping: &on}, nil
}

// switchOf reads which of a verb's settings the words put on or off; an empty name without words.
func switchOf(verb string, words []string, names ...string) (name string, on bool, err error) {
	if len(words) == 0 {
		return "", false, nil
	}
	if !slices.Contains(names, words[0]) {
		return "", false, &usageError{fmt.Sprintf("kith %s knows no %q, but: %s", verb, words[0], strings.Join(names, ", "))}
	}
	if len(words) < 2 {
		return "", false, &usageError{fmt.Sprintf("kith %s %s on, or off", verb, words[0])}
	}
	on, err = onOff(words[1])
	return words[0], on, err
}

// onOff reads a word that switches something.
func onOff(word string) (on bool, err error) {
	if word != "on" && word != "off" {
		return false, &usageError{fmt.Sprintf("%q is neither on nor off", word)}
	}
	return word == "on", nil
}

// askOrSwitch asks how the network is or, where args say "on" or "off", switches what change names.
func (p *program) askOrSwitch(ctx context.Context, args []string, change func(on *bool) *v1.SetNetworkRequest) (*v1.Network, error) {
	if len(args) == 0 {
		return call(ctx, p.client().GetNetwork, &v1.GetNetworkRequest{})
	}
	on, err := onOff(args[0])
	if err != nil {
		return nil, err
	}
	return call(ctx, p.client().SetNetwork, change(&on))
}

// relayVerb says whether this node carries for friends.
func (p *program) relayVerb() *cobra.Command {
	c := p.aboutVerb("relay [on|off]", "Carry what friends say to each other, where nobody can reach one of them", 0, 1, func(ctx context.Context, args []string) error {
		n, err := p.askOrSwitch(ctx, args, func(on *bool) *v1.SetNetworkRequest { return &v1.SetNetworkRequest{Relay: on} })
		if err != nil || p.show(n.GetRelaying()) {
			return err
		}
		p.println(oneLine(n.Relaying.GetSentence()))
		return nil
	})
	c.Long = c.Short + `.

This node then sees who of its friends talks to which address, when and how much, and nothing of
what they say. There are bounds to how much it carries a day. Without on or off: how it is.`
	c.ValidArgsFunction = func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		return [][]string{{"on", "off"}, nil}[min(len(args), 1)], cobra.ShellCompDirectiveNoFileComp
	}
	return c
}

func (p *program) printNetwork(n *v1.Network) {
	p.println(oneLine(n.Sentence))
	if len(n.Addresses) > 0 {
		p.println("Others are told these addresses: " + strings.Join(n.Addresses, ", "))
	}
	for _, text := range []string{n.Router.GetSentence(), n.Rendezvous.GetSentence(), n.Relaying.GetSentence()} {
		if text != "" {
			p.println(oneLine(text))
		}
	}
	for _, r := range n.Relays {
		p.println(oneLine(r.Sentence))
	}
	for _, m := range n.Mailboxes {
		p.println(oneLine(m.Sentence))
	}
	if len(n.Paths) == 0 {
		p.println("There is nobody to be reached yet. Send somebody your link (" + p.again("link") + ").")
		return
	}
	p.println("")
	for _, path := range n.Paths {
		text := oneLine(path.Sentence)
		switch {
		case path.AtMailbox:
			text += " " + count(int(path.Waiting), "message of yours lies", "messages of yours lie") + " at the mailbox."
		case path.Waiting > 0:
			text += " " + count(int(path.Waiting), "message of yours waits", "messages of yours wait") + "."
		}
		p.println(text)
	}
}
