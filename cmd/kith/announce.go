package main

import (
	"context"
	"strings"

	"kith/internal/api"
	"kith/internal/node"
	v1 "kith/proto/kith/v1"
)

// runLine is what run prints with --json once the node runs.
type runLine struct {
	Home      string   `json:"home"`
	Ready     bool     `json:"ready"`
	Name      string   `json:"name"`
	ID        string   `json:"id"`
	Addresses []string `json:"addresses"`
	Page      string   `json:"page"`
	URL       string   `json:"url"`
	SSH       string   `json:"ssh"`
	Locked    bool     `json:"locked"`
}

// announce says who runs where, and how to get to the page; n is nil where the home
// is locked.
func (p *program) announce(ctx context.Context, n *node.Node, server *api.Server, open bool) error {
	login := server.NewLogin()
	var st node.Status
	if n != nil {
		st = n.Status()
	}
	line := runLine{
		Home: p.home, Ready: st.Ready, Addresses: append([]string{}, st.Addresses...),
		Page: server.Address(), URL: login, SSH: server.SSH(), Locked: n == nil,
	}
	if st.Ready {
		line.Name, line.ID = st.Me.Name, st.Me.ID.String()
	}
	switch {
	case p.showValue(line):
	case n == nil:
		p.println("Locked: " + p.home + " opens by its passphrase, and until then nothing is received.")
		p.println("Type it on the page, or in a terminal: " + p.again("unlock"))
		p.printPage(server, login)
	default:
		p.printRunning(st, server)
		p.printPage(server, login)
	}
	if open && hasBrowser() {
		return p.openPage(ctx, server.NewLogin())
	}
	return nil
}

func (p *program) printRunning(st node.Status, server *api.Server) {
	if st.Ready {
		p.printf("%s, at home in %s", oneLine(st.Me.Name), p.home)
	} else {
		p.printf("Nobody lives in %s yet: the page asks your name.", p.home)
	}
	switch addresses := strings.Join(st.Addresses, ", "); {
	case addresses == "":
		p.println("No network address yet: nobody can reach you.")
	case st.Reachability == node.ReachableLocal:
		p.println("Listening at " + addresses)
	default:
		p.println("Others reach you at " + addresses)
	}
	p.println(reachSentence(v1.Reachability(st.Reachability)))
	if server.Moved() {
		p.println("The page's port of last time is taken by another program, so it has another one.")
	}
}

func (p *program) printPage(server *api.Server, login string) {
	p.println("")
	p.println("Your page: " + login)
	p.println("This login is good once, for a minute. For a new one: " + p.again("open"))
	if !hasBrowser() {
		p.println("No browser here? On a machine that has one, run this, then open the page there: " + server.SSH())
	}
	p.println("")
	p.println("Kith stops when this window closes.")
}
