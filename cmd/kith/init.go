package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"kith/internal/api"
	"kith/internal/node"
	"kith/internal/store"
	v1 "kith/proto/kith/v1"
)

func (p *program) initVerb() *cobra.Command {
	var name, passphraseFile string
	c := &cobra.Command{
		Use:   "init",
		Short: "Make your identity in the home",
		Args:  words(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			return p.makeIdentity(c.Context(), name, passphraseFile)
		},
	}
	c.Flags().StringVar(&name, "name", "", "what your friends call you; asked for if it is not given")
	c.Flags().StringVar(&passphraseFile, "passphrase-file", "", "file that holds a passphrase, which locks the database; without it, the key lies beside it")
	return c
}

// identityLine is what init prints with --json.
type identityLine struct {
	Home     string `json:"home"`
	Name     string `json:"name"`
	ID       string `json:"id"`
	DeviceID string `json:"device_id"`
}

func (p *program) makeIdentity(ctx context.Context, name, passphraseFile string) error {
	if name == "" {
		var err error
		if name, err = p.askName(); err != nil {
			return err
		}
	}
	made, running, err := p.setup(ctx, name, passphraseFile)
	if err != nil {
		return err
	}
	if p.showValue(made) {
		return nil
	}
	p.printf("%s lives in %s now.", oneLine(made.Name), p.home)
	p.println("There is no recovery yet: whoever loses this folder loses who they are. Keep a copy of it while Kith is not running.")
	if running {
		p.println("It runs already. For its page: " + p.again("open"))
	} else {
		p.println("Next: " + p.again("run"))
	}
	return nil
}

// setup asks the node that runs on the home, if one does, else opens the home.
func (p *program) setup(ctx context.Context, name, passphraseFile string) (made identityLine, running bool, err error) {
	if running, err := p.runs(ctx); err != nil {
		return identityLine{}, false, err
	} else if running {
		n, err := call(ctx, p.client().Setup, &v1.SetupRequest{Name: name})
		if err != nil {
			return identityLine{}, false, err
		}
		return identityLine{n.Home, n.Me.GetName(), n.Me.GetId(), n.DeviceId}, true, nil
	}
	if err := tighten(p.home); err != nil {
		return identityLine{}, false, err
	}
	var passphrase store.Passphrase
	if passphraseFile != "" {
		if passphrase, err = secretFile(passphraseFile); err != nil {
			return identityLine{}, false, err
		}
		defer passphrase.Wipe()
	}
	n, err := node.Open(node.Config{Home: p.home, Passphrase: passphrase})
	if err != nil {
		return identityLine{}, false, err
	}
	defer n.Close()
	if err := n.Setup(name); err != nil {
		return identityLine{}, false, err
	}
	st := n.Status()
	return identityLine{st.Home, st.Me.Name, st.Me.ID.String(), st.Device.String()}, false, nil
}

// tighten takes the home from others before anything secret is made in it.
func tighten(home string) error {
	st, err := os.Stat(home)
	if err != nil || !st.IsDir() || st.Mode().Perm()&0o077 == 0 {
		return nil // node.Open makes it, or says what is wrong
	}
	return os.Chmod(home, 0o700)
}

// askName asks at a terminal; a script must say the name.
func (p *program) askName() (string, error) {
	file, ok := p.in.(*os.File)
	if !ok || p.json || !isTerminal(file) {
		return "", &usageError{"init needs a name: kith init --name NAME"}
	}
	fmt.Fprint(p.out, "What should your friends call you? ")
	line, err := bufio.NewReader(file).ReadString('\n')
	if name := strings.TrimSpace(line); name != "" {
		return name, nil
	}
	if err != nil {
		return "", &usageError{"init needs a name: kith init --name NAME"}
	}
	return "", &api.Error{Reason: api.ReasonEmpty, Subject: "name"}
}

// isTerminal reports whether a person sits at the other end.
func isTerminal(f *os.File) bool {
	st, err := f.Stat()
	return err == nil && st.Mode()&os.ModeCharDevice != 0 && f.Name() != os.DevNull
}
