//go:build linux

package main

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"kith/internal/natlab"
)

// TestTwoHomes follows the lines of the README for two households word for word, but for the link and
// the mailbox's address: two homes behind routers of their own meet by a contact link that names no
// place where the other could be reached.
func TestTwoHomes(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, part, _ := strings.Cut(string(readme), "## Two households")
	_, part, _ = strings.Cut(part, "```sh\n")
	part, _, _ = strings.Cut(part, "```")
	n := natlab.New(t)
	d := newDHT(t, n, dhtNodes, 0)
	usual := natlab.RouterConfig{KeepPorts: true}
	ann, ben := at(t, "Ann", n.Router("ra", usual).Home("ann"), d.seeds()...), at(t, "Ben", n.Router("rb", usual).Home("ben"), d.seeds()...)
	box := serveMailbox(t, n.Host("box"))
	began, link, lines := time.Now(), "", 0
	for line := range strings.Lines(part) {
		words, who, ok := strings.Cut(line, "#")
		if !ok {
			t.Fatalf("nobody is told to run %q", line)
		}
		args := strings.Fields(strings.NewReplacer("kith:...", link, "kithbox:...", box).Replace(words))
		p := ann
		if strings.HasPrefix(strings.TrimSpace(who), "Ben") {
			p = ben
		}
		if args[1] == "friend" && args[2] == "accept" {
			ann.until("Ben", "friend", "requests")
			took(t, "from the link to the request", time.Since(began))
		}
		out := p.kith(args[1:]...)
		if found := regexp.MustCompile(`kith:[\w-]+`).FindString(out); found != "" && link == "" {
			link = found
		}
		lines++
	}
	if lines != 5 {
		t.Errorf("the README has %d lines for two households", lines)
	}
	ann.settles(ben, "quic")
	ann.tells("Ben", "Are you there?", ben)
}
