package main

import (
	"github.com/spf13/cobra"

	v1 "kith/proto/kith/v1"
)

func (p *program) openVerb() *cobra.Command {
	return &cobra.Command{
		Use:   "open",
		Short: "Print a new one-time login for the page",
		Args:  words(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			l, err := call(c.Context(), p.client().NewLogin, &v1.NewLoginRequest{})
			if err != nil {
				return err
			}
			if p.show(l) {
				return nil
			}
			p.println(l.Url)
			p.println("Open it in a browser: it is good once, for a minute.")
			if !hasBrowser() {
				p.println("No browser here? On a machine that has one, run this, then open it there: " + l.Ssh)
			}
			return nil
		},
	}
}
