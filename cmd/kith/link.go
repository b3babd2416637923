package main

import (
	"bytes"
	"strings"

	"github.com/mdp/qrterminal/v3"
	"github.com/spf13/cobra"

	v1 "kith/proto/kith/v1"
)

func (p *program) linkVerb() *cobra.Command {
	return &cobra.Command{
		Use:   "link",
		Short: "Make a contact link, by which one person can ask to be your friend",
		Args:  words(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			l, err := call(c.Context(), p.client().NewContactLink, &v1.NewContactLinkRequest{})
			if err != nil {
				return err
			}
			n, err := call(c.Context(), p.client().GetNode, &v1.GetNodeRequest{})
			if err != nil {
				return err
			}
			if p.show(l) {
				return nil
			}
			p.println(l.Link)
			p.println("")
			p.println(p.coloured(terminalQR(l.Link)))
			p.println("For ONE friend, good until " + clock(l.ExpiresAt) + ". They run: kith friend add LINK")
			p.println("Then you see them in kith friend requests. The first time, both programs must be running at once.")
			p.println(reachSentence(n.Reachability))
			return nil
		},
	}
}

// terminalQR draws text for a camera, two rows of dots to a line.
func terminalQR(text string) string {
	var b bytes.Buffer
	qrterminal.GenerateWithConfig(text, qrterminal.Config{
		Level: qrterminal.L, Writer: &b, QuietZone: 2, HalfBlocks: true,
		BlackChar: qrterminal.BLACK_BLACK, WhiteChar: qrterminal.WHITE_WHITE,
		BlackWhiteChar: qrterminal.BLACK_WHITE, WhiteBlackChar: qrterminal.WHITE_BLACK,
	})
	return b.String()
}

// coloured makes what is drawn white white on every terminal: cameras of some
// telephones do not read a code whose colours are the other way round.
func (p *program) coloured(code string) string {
	if !p.atTerminal() {
		return code
	}
	const whiteOnBlack, plain = "\x1b[97;40m", "\x1b[0m"
	lines := strings.Split(strings.TrimSuffix(code, "\n"), "\n")
	return whiteOnBlack + strings.Join(lines, plain+"\n"+whiteOnBlack) + plain + "\n"
}
