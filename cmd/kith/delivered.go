package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	v1 "kith/proto/kith/v1"
)

// listedMost is up to how many names are printed where none is looked for: more are
// nothing to read through.
const listedMost = 64

// lateness says why more may have come than is said, or nothing.
func lateness(d *v1.Delivery) string {
	switch {
	case d.Elsewhere:
		return "Another copy of your Kith wrote this, or this one with its key of before. Others confirm it there first: here it can be known minutes late, in a big group hours late."
	case d.ReachOf > listedMost:
		return "In a big group devices confirm many messages at a time: it can be known minutes late. It is never said of too many."
	}
	return ""
}

func (p *program) deliveredVerb() *cobra.Command {
	var all bool
	c := p.aboutVerb("delivered CHAT MESSAGE [NAME]", "Print whose devices have confirmed a message of yours, and who says to have read it; in a big group who of a name, or with --all everybody", 2, many,
		func(ctx context.Context, args []string) error {
			r := &v1.GetDeliveryRequest{Chat: args[0], Message: args[1], Find: strings.Join(args[2:], " "), Limit: listedMost}
			if all || p.json {
				r.Limit = 0
			}
			d, err := call(ctx, p.client().GetDelivery, r)
			if err != nil || p.show(d) {
				return err
			}
			head := fmt.Sprintf("Reached %d of %d", d.Reached, d.ReachOf)
			if d.Marks {
				head += fmt.Sprintf(", read by %d", d.Read)
			}
			p.println(head)
			if late := lateness(d); late != "" {
				p.println(late)
			}
			if d.Mailbox != "" {
				p.println(d.Mailbox)
			}
			if len(d.Members) == 0 && r.Find != "" {
				p.printf("Nobody else there has a name with “%s” in it.", oneLine(r.Find))
			}
			if d.More && r.Find == "" {
				p.println("Write a name behind it to find somebody, or --all.")
				return nil
			}
			for _, m := range d.Members {
				state := "not yet"
				switch {
				case m.Read:
					state = "read it"
				case m.Delivered:
					state = "has it"
				}
				p.printf("  %-7s  %s", state, nameOf(m.Person))
			}
			return nil
		})
	c.Flags().BoolVar(&all, "all", false, "everybody, however many there are")
	return c
}
