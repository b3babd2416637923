package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"kith/internal/api"
	"kith/internal/node"
	"kith/internal/store"
)

// addressPatience is how long run waits for an address to print before it says
// that there is none yet.
const addressPatience = 3 * time.Second

// runFlags are what run is told.
type runFlags struct {
	listen, wss, web, passphraseFile string
	open, verbose                    bool
	bootstrap                        []string
}

func (p *program) runVerb() *cobra.Command {
	var f runFlags
	c := &cobra.Command{
		Use:   "run",
		Short: "Run your node, and serve its page on this machine",
		Args:  words(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			if _, err := api.CheckWeb(f.web); err != nil {
				return &usageError{api.Explain(err).String()}
			}
			if err := checkListen("--listen", f.listen); err != nil {
				return err
			}
			if err := checkListen("--wss", f.wss); err != nil {
				return err
			}
			return p.runNode(c.Context(), f)
		},
	}
	c.Flags().StringVar(&f.listen, "listen", "", "HOST:PORT where others reach you (default: every network, a port that is kept)")
	c.Flags().StringVar(&f.wss, "wss", "", "HOST:PORT to listen at for TLS WebSocket too, for people whose network lets nothing else out, for example :443")
	c.Flags().StringVar(&f.web, "web", "", "localhost:PORT of the page (default: a port that is kept)")
	c.Flags().StringVar(&f.passphraseFile, "passphrase-file", "", "file that holds the passphrase; without it, it is asked for, or the home stays locked until kith unlock")
	c.Flags().StringSliceVar(&f.bootstrap, "bootstrap", nil, "HOST:PORT,... of nodes of the DHT to ask first, where the well-known ones are blocked")
	c.Flags().BoolVar(&f.open, "open", false, "open the page in a browser")
	c.Flags().BoolVarP(&f.verbose, "verbose", "v", false, "say on standard error what happens on the network")
	return c
}

// checkListen says what is wrong with --listen or --wss before anything is opened.
func checkListen(flag, text string) error {
	if text == "" {
		return nil
	}
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		return &usageError{fmt.Sprintf("%s %q is not HOST:PORT; write for example :4001 or 127.0.0.1:4001", flag, text)}
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return &usageError{fmt.Sprintf("%s %q: a port is 0 to 65535", flag, text)}
	}
	if _, err := netip.ParseAddr(host); err != nil && host != "" && host != "localhost" {
		return &usageError{fmt.Sprintf("%s %q: the host is an address of this machine, localhost, or left out for every network", flag, text)}
	}
	return nil
}

func (p *program) runNode(ctx context.Context, f runFlags) error {
	log := p.logger(f.verbose)
	if err := tighten(p.home); err != nil {
		return err
	}
	open := func(passphrase store.Passphrase) (*node.Node, error) {
		return node.Open(node.Config{Home: p.home, Passphrase: passphrase, Listen: f.listen, WebSocket: f.wss, Bootstrap: f.bootstrap, Log: log})
	}
	addresses, err := inherited()
	if err != nil {
		return err
	}
	var n *node.Node
	if len(addresses) == 0 {
		if n, err = p.openHome(ctx, f.passphraseFile, open); err != nil {
			return err
		}
	}
	server, err := api.Listen(api.Config{
		Node: n, Open: open, Home: p.home, Web: f.web, Version: programVersion(), Log: log, Anew: canBeginAnew, Inherited: addresses,
	})
	if err != nil {
		if n != nil {
			n.Close()
		}
		return err
	}
	err = together(ctx, server, func(ctx context.Context) error {
		if n != nil {
			waitForAddress(ctx, n)
		}
		if ctx.Err() != nil || len(addresses) > 0 { // it said so when it was started
			return nil
		}
		return p.announce(ctx, n, server, f.open)
	})
	switch {
	case !errors.Is(err, api.ErrLocked):
		return err
	case ctx.Err() != nil: // it was to end as well
		return nil
	}
	return beginAnew(server.Files())
}

// anewEnv is the environment variable by which a program gives its addresses to the one
// that it puts into its place.
const anewEnv = "KITH_ADDRESSES"

// tries is how often run asks for a passphrase.
const tries = 3

// openHome opens the home by what is at hand: the key beside the database, the file
// with the passphrase, or whoever sits at the terminal. Without a node the home
// stays locked: nobody can be asked, or they answered nothing.
func (p *program) openHome(ctx context.Context, file string, open func(store.Passphrase) (*node.Node, error)) (*node.Node, error) {
	if file != "" {
		passphrase, err := secretFile(file)
		if err != nil {
			return nil, err
		}
		defer passphrase.Wipe()
		return open(passphrase)
	}
	locks, err := store.HasVault(p.home)
	if err != nil {
		return nil, err
	}
	if !locks {
		return open(nil)
	}
	if running, err := p.runs(ctx); err != nil || running {
		return nil, errors.Join(err, &api.Error{Reason: api.ReasonRunning})
	}
	secret, err := p.kept(ctx)
	if err != nil { // it may be there later: kith unlock
		fmt.Fprintln(p.err, "kith: "+p.explain(ctx, err))
	}
	if secret != nil {
		n, err := open(secret)
		secret.Wipe()
		if !errors.Is(err, store.ErrWrongPassphrase) {
			return n, err
		}
	}
	if !p.canAsk() {
		return nil, nil
	}
	for range tries {
		passphrase, err := p.ask(ctx, "Passphrase (nothing: start locked): ")
		if err != nil || len(passphrase) == 0 {
			return nil, err
		}
		n, err := open(passphrase)
		passphrase.Wipe()
		if !errors.Is(err, store.ErrWrongPassphrase) {
			return n, err
		}
		fmt.Fprintln(p.err, api.Explain(err).String())
	}
	return nil, store.ErrWrongPassphrase
}

// together runs a server and what else belongs to it, until ctx ends, the server
// is told to stop, or one of them fails.
func together(ctx context.Context, server *api.Server, also ...func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer cancel()
		return server.Run(ctx)
	})
	for _, do := range also {
		g.Go(func() error { return do(ctx) })
	}
	return g.Wait()
}

// waitForAddress returns once the node can be reached by others, or does not
// seem to become so.
func waitForAddress(ctx context.Context, n *node.Node) {
	ctx, cancel := context.WithTimeout(ctx, addressPatience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for len(n.Status().Addresses) == 0 {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (p *program) logger(verbose bool) *slog.Logger {
	level := slog.LevelWarn
	if verbose {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(p.err, &slog.HandlerOptions{Level: level}))
}
