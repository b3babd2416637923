package main

import (
	"github.com/spf13/cobra"

	"kith/internal/node"
	v1 "kith/proto/kith/v1"
)

func (p *program) whoamiVerb() *cobra.Command {
	return &cobra.Command{
		Use:   "whoami",
		Short: "Say who you are here",
		Args:  words(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			n, err := call(c.Context(), p.client().GetNode, &v1.GetNodeRequest{})
			if err != nil {
				return err
			}
			if !n.Ready {
				return noIdentity()
			}
			if p.json {
				p.showValue(identityLine{n.Home, n.Me.GetName(), n.Me.GetId(), n.DeviceId})
				return nil
			}
			p.table([][]string{
				{"name", oneLine(n.Me.GetName())},
				{"id", n.Me.GetId()},
				{"device", n.DeviceId},
				{"home", n.Home},
			})
			return nil
		},
	}
}

// noIdentity is what verbs say that need somebody to be here.
func noIdentity() error { return &node.Error{Reason: node.ReasonNoIdentity} }
