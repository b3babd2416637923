package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"kith/internal/api"
	"kith/internal/node"
	"kith/internal/store"
	v1 "kith/proto/kith/v1"
	"kith/proto/kith/v1/kithv1connect"
)

// demoPatience bounds each step of the demonstration; on one machine the
// slowest takes a second.
const demoPatience = time.Minute

var demoNames = []string{"Ann", "Ben", "Cleo"}

func (p *program) demoVerb() *cobra.Command {
	return &cobra.Command{
		Use:   "demo",
		Short: "Run three people on this machine in one group, to try and to develop",
		Args:  words(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			if c.Flags().Changed("home") && livesIn(p.home) {
				return &usageError{"demo makes three homes in the folder that --home names, and this one is somebody's own: " + p.home}
			}
			folder := p.home
			if !c.Flags().Changed("home") {
				var err error
				if folder, err = os.MkdirTemp("", "kith-demo-"); err != nil {
					return err
				}
				defer os.RemoveAll(folder)
			}
			return p.demo(c.Context(), folder, c.Flags().Changed("home"))
		},
	}
}

// livesIn reports whether a folder is a home itself.
func livesIn(folder string) bool {
	for _, name := range []string{store.FileName, store.VaultName, node.KeyFile} {
		if _, err := os.Stat(filepath.Join(folder, name)); err == nil {
			return true
		}
	}
	return false
}

// actor is one of the three.
type actor struct {
	name   string
	home   string
	node   *node.Node
	server *api.Server
	client kithv1connect.KithServiceClient
	id     string
}

func (p *program) demo(ctx context.Context, folder string, kept bool) error {
	var cast []*actor
	defer func() {
		for _, a := range cast {
			a.node.Close()
		}
	}()
	for _, name := range demoNames {
		a, err := p.openActor(folder, name)
		if err != nil {
			for _, opened := range cast {
				opened.server.Close()
			}
			return err
		}
		cast = append(cast, a)
	}
	g, ctx := errgroup.WithContext(ctx)
	for _, a := range cast {
		g.Go(func() error {
			return together(ctx, a.server, a.node.Run)
		})
	}
	g.Go(func() error {
		if err := play(ctx, cast); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		p.announceDemo(cast, folder, kept)
		return nil
	})
	return g.Wait()
}

// openActor opens one home. Its port is kept beside it, so that the three find
// each other again when a kept demonstration is run once more.
func (p *program) openActor(folder, name string) (*actor, error) {
	home := filepath.Join(folder, "demo-"+strings.ToLower(name))
	if err := os.MkdirAll(home, 0o700); err != nil {
		return nil, err
	}
	port, err := demoPort(filepath.Join(home, "demo-port"))
	if err != nil {
		return nil, err
	}
	log := p.logger(false)
	n, err := node.Open(node.Config{Home: home, Listen: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), Log: log})
	if err != nil {
		return nil, err
	}
	server, err := api.Listen(api.Config{Node: n, Home: home, Version: programVersion(), Log: log})
	if err != nil {
		n.Close()
		return nil, err
	}
	return &actor{name: name, home: home, node: n, server: server, client: api.NewClient(home)}, nil
}

func demoPort(file string) (int, error) {
	if b, err := os.ReadFile(file); err == nil {
		if port, err := strconv.Atoi(strings.TrimSpace(string(b))); err == nil {
			return port, nil
		}
	}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	return port, os.WriteFile(file, []byte(strconv.Itoa(port)), 0o600)
}

func (p *program) announceDemo(cast []*actor, folder string, kept bool) {
	var rows [][]string
	for _, a := range cast {
		login := a.server.NewLogin()
		p.showValue(struct {
			Name string `json:"name"`
			ID   string `json:"id"`
			Home string `json:"home"`
			URL  string `json:"url"`
		}{a.name, a.id, a.home, login})
		rows = append(rows, []string{a.name, login})
	}
	if p.json {
		return
	}
	p.table(rows)
	p.println("")
	p.println("Three people, one group. Each login is good once, for a minute; for a new one:")
	p.printf("  %s open --home %s", p.called, quoted(cast[0].home))
	if kept {
		p.printf("Ctrl-C ends it; %s stays.", folder)
	} else {
		p.println("Ctrl-C ends it, and nothing of it stays.")
	}
}

// await asks until the answer is yes.
func await(ctx context.Context, what string, yes func(context.Context) (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, demoPatience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		ok, err := yes(ctx)
		if err != nil && ctx.Err() == nil {
			return err
		}
		if ok {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("waited in vain for %s: %w", what, ctx.Err())
		}
	}
}

func (a *actor) setup(ctx context.Context) error {
	n, err := call(ctx, a.client.GetNode, &v1.GetNodeRequest{})
	if err == nil && !n.Ready {
		n, err = call(ctx, a.client.Setup, &v1.SetupRequest{Name: a.name})
	}
	if err == nil {
		a.id = n.Me.GetId()
	}
	return err
}
