package main

import (
	"strings"

	"github.com/spf13/cobra"

	v1 "kith/proto/kith/v1"
)

func (p *program) statusVerb() *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Say how your node is",
		Args:  words(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			n, err := call(c.Context(), p.client().GetNode, &v1.GetNodeRequest{})
			if err != nil {
				return err
			}
			if !p.show(n) {
				p.printStatus(n)
			}
			return nil
		},
	}
}

func (p *program) printStatus(n *v1.Node) {
	who := "nobody yet; give yourself a name in the page, or with kith init"
	if n.Ready {
		who = oneLine(n.Me.GetName())
	}
	reached := "others reach you at"
	if n.Reachability == v1.Reachability_REACHABILITY_LOCAL {
		reached = "listening at"
	}
	p.table([][]string{
		{"name", who},
		{"running since", clock(n.StartedAt)},
		{"version", n.Version},
		{"home", n.Home},
		{"page", n.WebAddress + " (for a login: " + p.again("open") + ")"},
		{reached, addressesOf(n)},
		{"here now", count(int(n.Connected), "person", "people")},
		{"friends", number(uint64(n.Friends))},
		{"chats", number(uint64(n.Chats))},
	})
	p.println(reachSentence(n.Reachability))
	if n.Notice != "" {
		p.println(oneLine(n.Notice))
	}
	if n.Revoked {
		p.println("This device was revoked, at another device of yours or by another copy of this home: nothing is sent or received here any more.")
	} else if n.Copied {
		p.println("A copy of this Kith is running, or was. This one takes a key of its own by itself, and both can go on. To shut the other copies out: " + p.again("revoke"))
	}
	if l := n.Linking; l != nil && n.Ready && l.Phase == v1.LinkPhase_LINK_PHASE_COMPARING {
		p.printf("A new device, %s, waits to be linked: it must show %s. Confirm it: %s DIGITS", oneLine(l.Name), inPairs(l.Digits), p.again("device confirm"))
	}
	if n.Clock != nil {
		p.println(oneLine(n.Clock.Sentence))
	}
	for _, c := range n.Coming {
		p.println(comingText(c))
	}
	for _, id := range n.DamagedChats {
		p.printf("The chat %s is stored and cannot be opened. Keep a copy of the home folder, and report this.", short(id))
	}
}

// comingText says how much of an invitation is here: nobody can answer it before.
func comingText(c *v1.Coming) string {
	text := "An invitation"
	if c.Title != "" {
		text += " to " + oneLine(c.Title)
	}
	if c.By != nil {
		text += " comes from " + nameOf(c.By)
	} else {
		text += " comes"
	}
	return text + ": " + number(uint64(c.Percent)) + " % is here."
}

func addressesOf(n *v1.Node) string {
	if len(n.Addresses) == 0 {
		return "no network address yet"
	}
	return strings.Join(n.Addresses, ", ")
}
