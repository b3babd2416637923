package main

import (
	"github.com/spf13/cobra"

	v1 "kith/proto/kith/v1"
)

func (p *program) revokeVerb() *cobra.Command {
	return &cobra.Command{
		Use:   "revoke",
		Short: "Revoke the keys of all other copies of this home, as status names them",
		Args:  words(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			n, err := call(c.Context(), p.client().RevokeCopies, &v1.RevokeCopiesRequest{})
			if err != nil || p.show(n) {
				return err
			}
			p.println("Revoked. Whoever has another copy of this home is taken out of your groups, and keeps what it had.")
			return nil
		},
	}
}
