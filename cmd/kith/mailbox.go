package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"kith/internal/mailbox"
	"kith/internal/mailnats"
)

// mailboxFlags are what mailbox serve is told.
type mailboxFlags struct {
	listen, metrics string
	engine          string
	reach           []string
	maxBytes        int64
	keep            int
	verbose         bool
}

// A plainError is a failure in the words that people read.
type plainError struct{ text string }

func (e *plainError) Error() string { return e.text }

func (p *program) mailboxVerb() *cobra.Command {
	var dir string
	served := []*cobra.Command{p.mailboxServeVerb(&dir), p.mailboxStatusVerb(&dir), p.mailboxAddressVerb(&dir)}
	for _, c := range served {
		c.Flags().StringVar(&dir, "dir", "", "folder of the mailbox (default: mailbox in the home folder)")
	}
	return parent("mailbox", "Use a mailbox, or run one: messages wait there for whoever is off",
		append(served, p.mailboxAddVerb(), p.mailboxListVerb(), p.mailboxRemoveVerb(), p.mailboxQuietVerb())...)
}

// mailboxDir is the folder of the mailbox.
func (p *program) mailboxDir(dir string) (string, error) {
	if dir == "" {
		dir = filepath.Join(p.home, "mailbox")
	}
	return filepath.Abs(dir)
}

func (p *program) mailboxServeVerb(dir *string) *cobra.Command {
	var f mailboxFlags
	c := &cobra.Command{
		Use:   "serve",
		Short: "Run a mailbox on this machine",
		Args:  words(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			return p.serveMailbox(c.Context(), *dir, f)
		},
	}
	c.Flags().StringVar(&f.listen, "listen", ":4040", "HOST:PORT where it is reached, by UDP and TCP")
	c.Flags().StringArrayVar(&f.reach, "reach", nil, "HOST:PORT to put into the address, where a router or a container is before it; may be repeated")
	c.Flags().Int64Var(&f.maxBytes, "max-bytes", mailbox.DefaultBytes, "bytes of items that it holds at most")
	c.Flags().IntVar(&f.keep, "keep", mailbox.DefaultKeep, "days that it keeps items at most")
	c.Flags().StringVar(&f.engine, "engine", "", "tls://HOST:PORT,... of NATS servers that keep the items (default: a file of the folder)")
	c.Flags().StringVar(&f.metrics, "metrics", "", "HOST:PORT on loopback of metrics for Prometheus (default: none)")
	c.Flags().BoolVarP(&f.verbose, "verbose", "v", false, "say on standard error what happens on the network")
	return c
}

func (p *program) serveMailbox(ctx context.Context, dir string, f mailboxFlags) error {
	if err := checkListen("--listen", f.listen); err != nil {
		return err
	}
	if f.maxBytes < 1<<20 {
		return &usageError{"--max-bytes is less than a megabyte; leave it out for 10 GiB"}
	}
	if f.keep < 1 || f.keep > mailbox.MaxHours/24 {
		return &usageError{fmt.Sprintf("--keep is 1 to %d days", mailbox.MaxHours/24)}
	}
	hosts, err := reachHosts(f.reach)
	if err != nil {
		return err
	}
	if dir, err = p.mailboxDir(dir); err != nil {
		return err
	}
	if livesIn(dir) {
		return &plainError{dir + " is the home of somebody's Kith. Name another folder with --dir."}
	}
	bounds := mailbox.Bounds{Bytes: f.maxBytes}
	open, err := p.mailboxEngine(dir, f, bounds)
	if err != nil {
		return err
	}
	return mailboxTrouble(dir, mailbox.ServeFolder(ctx, mailbox.FolderConfig{
		Dir: dir, Open: open, Listen: f.listen, Reach: hosts, Metrics: f.metrics,
		Bounds: bounds, Hours: uint16(f.keep * 24), Log: p.logger(f.verbose),
		Ready: func(box string, s mailbox.Status) {
			p.println(box)
			p.println("")
			p.println(p.coloured(terminalQR(box)))
			p.println("The mailbox runs at " + s.Address + ". Give its users the line above: whoever has it may leave items here.")
			p.println("Ctrl-C ends it.")
		},
	}))
}

// mailboxEngine opens the servers of --engine; nil: a file of the folder keeps the items.
func (p *program) mailboxEngine(dir string, f mailboxFlags, bounds mailbox.Bounds) (func(context.Context) (mailbox.Engine, error), error) {
	if f.engine == "" {
		return nil, nil
	}
	if _, err := mailnats.ServersOf(f.engine); err != nil {
		return nil, &usageError{fmt.Sprintf("--engine %q names no servers: write tls://HOST:PORT, or nats://HOST:PORT on this machine, with commas between them, and no user or password", f.engine)}
	}
	return func(ctx context.Context) (mailbox.Engine, error) {
		key, err := mailnats.PublicKey(dir)
		if err != nil {
			return nil, err
		}
		p.println("The servers know this mailbox by the key " + key)
		return mailnats.Open(ctx, mailnats.Config{Servers: f.engine, Dir: dir, Bounds: bounds, Log: p.logger(f.verbose)})
	}, nil
}

// reachHosts are the hosts of --reach, for QUIC and TCP each.
func reachHosts(texts []string) (hosts []string, err error) {
	for _, text := range texts {
		at, err := netip.ParseAddrPort(text)
		if err != nil || at.Port() == 0 {
			return nil, &usageError{fmt.Sprintf("--reach %q is not ADDRESS:PORT; write for example 192.0.2.1:4040 or [2001:db8::1]:4040", text)}
		}
		family := "ip4"
		if at.Addr().Is6() {
			family = "ip6"
		}
		base, port := "/"+family+"/"+at.Addr().String(), strconv.Itoa(int(at.Port()))
		hosts = append(hosts, base+"/udp/"+port+"/quic-v1", base+"/tcp/"+port)
	}
	if len(hosts) > 4 {
		return nil, &usageError{"--reach is given at most twice: an address has room for four hosts, QUIC and TCP at each"}
	}
	return hosts, nil
}

func (p *program) mailboxStatusVerb(dir *string) *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Say how the mailbox that runs here is",
		Args:  words(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			at, err := p.mailboxDir(*dir)
			if err != nil {
				return err
			}
			s, err := mailbox.AskStatus(c.Context(), at)
			if err != nil {
				return mailboxTrouble(at, err)
			}
			if p.json {
				return json.NewEncoder(p.out).Encode(s)
			}
			p.table([][]string{
				{"address", s.Address},
				{"running since", s.Started.Local().Format("2006-01-02 15:04")},
				{"holds", number(uint64(s.Usage.Items)) + " items, " + megabytes(s.Usage.Bytes) + " of " + megabytes(s.MaxBytes) + ", in " + count(int(s.Usage.Drops), "drop", "drops")},
				{"kept by", keptBy(s)},
				{"keeps items for", count(s.KeepDays, "day", "days")},
				{"here now", count(int(s.Open), "connection", "connections") + ", " + number(uint64(s.Waiting)) + " waiting for news"},
				{"since the start", number(uint64(s.Stored)) + " items stored, " + number(uint64(s.Fetched)) + " handed out"},
				{"asked in vain", count(int(s.Missing), "time", "times") + " for a drop that nobody has made, as whoever looks for news does"},
				{"refused", number(uint64(max(0, s.Refused-s.Missing))) + " wrong keys, " + number(uint64(s.Limited)) + " too many, " + number(uint64(s.Full)) + " without room"},
			})
			if s.Failed > 0 {
				p.println("The disk did not take " + count(int(s.Failed), "write", "writes") + ": is it full?")
			}
			return nil
		},
	}
}

// megabytes prints bytes for people, from 1 GB on in these.
func megabytes(n int64) string {
	if n >= 1e9 {
		return fmt.Sprintf("%.1f GB", float64(n)/1e9)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}

func (p *program) mailboxAddressVerb(dir *string) *cobra.Command {
	fresh := false
	c := &cobra.Command{
		Use:   "address",
		Short: "Print the address that users of the mailbox need",
		Args:  words(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			at, err := p.mailboxDir(*dir)
			if err != nil {
				return err
			}
			text, err := mailbox.AskAddress(c.Context(), at, fresh)
			if err != nil {
				return mailboxTrouble(at, err)
			}
			if p.json {
				return json.NewEncoder(p.out).Encode(map[string]string{"address": text})
			}
			p.println(text)
			p.println("")
			p.println(p.coloured(terminalQR(text)))
			if fresh {
				p.println("Addresses given out before make no drops here any more. What is stored stays.")
			}
			return nil
		},
	}
	c.Flags().BoolVar(&fresh, "new-access", false, "change the secret in it first, so that whoever has an older address makes no drops any more")
	return c
}

// mailboxTrouble puts what can go wrong into words.
func mailboxTrouble(dir string, err error) error {
	if err == nil {
		return nil
	}
	for _, t := range []struct {
		is   error
		text string
	}{
		{mailbox.ErrInUse, "A mailbox runs on " + dir + " already. Ask it how it is with kith mailbox status."},
		{mailbox.ErrNotRunning, "No mailbox runs on " + dir + ". Start one with kith mailbox serve, or name its folder with --dir. How those are that you use: kith mailbox list."},
		{mailbox.ErrNewer, "The mailbox in " + dir + " was written by a newer version of Kith. Update this one."},
		{mailbox.ErrDisk, "The disk that holds " + dir + " is full. Make space there and start it again; nothing stored before is lost."},
		{mailbox.ErrFolderPath, "The path of " + dir + " is too long. Choose a shorter one with --dir."},
		{mailnats.ErrOpen, "These servers ask for no key: whoever reaches them could empty the mailbox. Put the key above into their configuration, as in deploy/mailbox/nats.conf."},
		{mailnats.ErrUnknown, "The servers do not know this mailbox. Put the key above into the authorization of their configuration, and have them read it again."},
		{mailnats.ErrCluster, "The servers of --engine do not answer, or not as they should: " + lastCause(err) + ". Two of three must run, and reach each other."},
		{fs.ErrPermission, "This user has no right to use " + dir + ". Name a folder of your own with --dir, or ask as the user that runs the mailbox."},
		{syscall.ENOTDIR, dir + " is a file, or lies under one. Name a folder with --dir."},
	} {
		if errors.Is(err, t.is) {
			return &plainError{t.text}
		}
	}
	if errors.Is(err, mailbox.ErrMetrics) {
		return &usageError{"--metrics is an address of this machine alone, for example 127.0.0.1:9000"}
	}
	return err
}

// lastCause is the innermost of what an error says.
func lastCause(err error) string {
	text := err.Error()
	if i := strings.LastIndex(text, "("); i >= 0 {
		text = strings.Trim(text[i:], "()")
	}
	return text
}

// keptBy says what keeps the items.
func keptBy(s mailbox.Status) string {
	switch {
	case !s.Shared:
		return "a file of its folder"
	case len(s.Servers) == 0:
		return "servers that do not answer"
	}
	var list []string
	for _, server := range s.Servers {
		how := "in step"
		switch {
		case server.Leads:
			how = "leads"
		case !server.Here:
			how = "away"
		case server.Behind > 0:
			how = count(int(server.Behind), "change", "changes") + " behind"
		}
		list = append(list, server.Name+" "+how)
	}
	return strings.Join(list, ", ")
}
