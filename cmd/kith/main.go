package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"kith/internal/api"
	"kith/proto/kith/v1/kithv1connect"
)

// patience bounds one call of a running node.
const patience = 30 * time.Second

func main() {
	if err := noCore(); err != nil { // an old kernel, or a stricter sandbox
		fmt.Fprintln(os.Stderr, "kith: A crash may write keys into a core file here: "+err.Error()+". Go on, or run it with: ulimit -c 0")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	p := &program{called: calledAs(), in: os.Stdin, out: &output{to: os.Stdout}, err: os.Stderr}
	status := p.run(ctx, os.Args[1:])
	stop()
	os.Exit(status)
}

// program is one run of the command line.
type program struct {
	called    string // how this program is started from here: kith, or its path
	home      string
	elsewhere bool // --home was given
	json      bool
	ids       bool // messages are printed with theirs
	started   bool // arguments were understood
	in        io.Reader
	out       io.Writer
	err       io.Writer
}

func (p *program) run(ctx context.Context, args []string) int {
	root := p.root()
	root.SetArgs(args)
	root.SetIn(p.in)
	root.SetOut(p.out)
	root.SetErr(p.err)
	return p.exit(root.ExecuteContextC(ctx))
}

func (p *program) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "kith",
		Short: "Private group chat that runs on its members' own machines",
		Long: "Kith is a private group chat that runs on its members' own machines, with no server and no account.\n" +
			"Most verbs talk to the node that runs on the home. Without one work init, run, demo, service, passphrase, chain verify, and of mailbox serve, address and status.",
		SilenceUsage:  true,
		SilenceErrors: true,
		PersistentPreRunE: func(c *cobra.Command, _ []string) error {
			if c.Flags().Changed("home") && p.home == "" { // a script whose variable is empty means another home than yours
				return &usageError{"--home names no folder; leave it out for the home that is yours"}
			}
			return p.start()
		},
	}
	root.PersistentFlags().StringVar(&p.home, "home", "", "folder of everything that is yours (default: KITH_HOME, or ~/.kith)")
	root.PersistentFlags().BoolVar(&p.json, "json", false, "one JSON object a line")
	root.Args, root.RunE = cobra.ArbitraryArgs, unknownVerb
	root.SetFlagErrorFunc(flagTrouble)
	root.AddCommand(
		p.initVerb(), p.runVerb(), p.demoVerb(), p.whoamiVerb(), p.statusVerb(), p.deviceVerb(), p.revokeVerb(), p.openVerb(), p.lockVerb(), p.unlockVerb(), p.passphraseVerb(), p.linkVerb(),
		p.friendVerb(), p.groupVerb(), p.chainVerb(), p.sendVerb(), p.tailVerb(), p.searchVerb(), p.versionVerb(),
		p.replyVerb(), p.reactVerb(), p.editVerb(), p.versionsVerb(), p.deliveredVerb(), p.readVerb(), p.deleteVerb(), p.pinVerb(), p.unpinVerb(),
		p.pollVerb(), p.voteVerb(), p.closeVerb(), p.expireVerb(), p.settingsVerb(),
		p.networkVerb(), p.relayVerb(), p.mailboxVerb(), p.bundleVerb(), p.serviceVerb(),
	)
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		if c.Name() == "completion" {
			holdOnly(c)
		}
	}
	plainUse(root)
	return root
}

// start settles what all verbs need, once the arguments are understood.
func (p *program) start() error {
	p.started = true
	p.elsewhere = p.home != ""
	if p.home == "" {
		p.home = os.Getenv("KITH_HOME")
	}
	if p.home == "" {
		user, err := os.UserHomeDir()
		if err != nil {
			return &usageError{"there is no home folder here; say where yours is with --home DIR"}
		}
		p.home = filepath.Join(user, ".kith")
	}
	var err error
	p.home, err = filepath.Abs(p.home)
	return err
}

// client makes the calls of the node that runs on the home.
func (p *program) client() kithv1connect.KithServiceClient { return api.NewClient(p.home) }

// call makes one call, within patience.
func call[Q, A any](ctx context.Context, do func(context.Context, Q) (A, error), q Q) (A, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return do(ctx, q)
}
