//go:build linux

package main

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"
)

// kindTo is by which kind of link one is connected with the other; empty: not.
func kindTo(m *machine, other string) string {
	m.t.Helper()
	var n struct {
		Paths []struct {
			Person struct{ Name string }
			Kind   string
		}
	}
	if err := json.Unmarshal([]byte(m.kith("network", "--json")), &n); err != nil {
		m.t.Fatal(err)
	}
	for _, p := range n.Paths {
		if p.Person.Name == other {
			return p.Kind
		}
	}
	return ""
}

// settles waits until a link to somebody is of a kind, and for how long at most that is waited.
func (m *machine) settles(other, kind string, most time.Duration) bool {
	m.t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(most); ; {
		if kindTo(m, other) == kind {
			return true
		}
		select {
		case <-tick.C:
		case <-late:
			return false
		}
	}
}

// shows waits until kith network says something, and for how long at most that is waited.
func (m *machine) shows(text string, most time.Duration) bool {
	m.t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(most); ; {
		if strings.Contains(m.kith("network"), text) {
			return true
		}
		select {
		case <-tick.C:
		case <-late:
			return false
		}
	}
}

// A meeting is of two homes, with what becomes of them: "quic" is a direct link, "relay" one that
// a friend of both carries.
type meeting struct {
	ann, ben nat
	want     string
}

// meetings are all pairs. Two of which one shows each another port meet directly only if the other
// lets in whoever it was sent by from anywhere.
var meetings = []meeting{
	{natPort, natPort, "quic"},
	{natSymmetric, natSymmetric, "relay"},
	{natSymmetric, natPort, "relay"},
	{natSymmetric, natAddress, "quic"},
	{natFull, natSymmetric, "quic"},
	{natFull, natFull, "quic"},
	{natFull, natAddress, "quic"},
	{natFull, natPort, "quic"},
	{natAddress, natAddress, "quic"},
	{natAddress, natPort, "quic"},
}

// TestHomesOfAllKinds: two homes meet with a friend of both who carries, and get a direct link where
// their routers let them. KITH_PAIRS=all plays all pairs.
func TestHomesOfAllKinds(t *testing.T) {
	list := meetings
	if os.Getenv("KITH_PAIRS") != "all" {
		list = list[:3]
	}
	for _, m := range list {
		t.Run(strings.ReplaceAll(string(m.ann)+" and "+string(m.ben), " ", "_"), func(t *testing.T) {
			n := newInternet(t, 0)
			ann, ben, cleo := n.home("Ann", m.ann), n.home("Ben", m.ben), n.home("Cleo", natEverything)
			for _, p := range []*machine{ann, ben, cleo} {
				p.on()
			}
			cleo.kith("relay", "on")
			ann.befriend(cleo.person)
			ben.befriend(cleo.person)
			for _, p := range []*machine{ann, ben} {
				if !p.shows("The relay of Cleo lets others reach you", 20*time.Second) {
					t.Fatalf("%s is not reached through the relay\n%s\n%s\n----\n%s", p.name, p.kith("network"), p.err.String(), cleo.kith("network"))
				}
			}
			began := time.Now()
			ben.befriend(ann.person)
			n.measured("connected", time.Since(began))
			if !ann.settles("Ben", m.want, 40*time.Second) {
				t.Errorf("the link is %q, want %q\n%s\n----\n%s", kindTo(ann, "Ben"), m.want, ann.kith("network"), ben.err.String())
			}
			n.measured("of the kind that stays", time.Since(began))
			ann.kith("send", "Ben", "Are you there?")
			ben.until("Are you there", "tail", "Ann")
		})
	}
}

// TestTwoHomes follows the lines of the README for two households word for word, but for the link and
// the mailbox's address: two homes behind routers of their own meet by a contact link that names no
// place where the other could be reached.
func TestTwoHomes(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, part, _ := strings.Cut(string(readme), "## Two households")
	_, part, _ = strings.Cut(part, "```sh\n")
	part, _, _ = strings.Cut(part, "```")
	n := newInternet(t, 24)
	ann, ben := n.home("Ann", natPort), n.home("Ben", natPort)
	for _, m := range []*machine{ann, ben} {
		m.on()
	}
	box := n.mailbox()
	began, link, lines := time.Now(), "", 0
	for line := range strings.Lines(part) {
		words, who, ok := strings.Cut(line, "#")
		if !ok {
			t.Fatalf("nobody is told to run %q", line)
		}
		args := strings.Fields(strings.NewReplacer("kith:...", link, "kithbox:...", box).Replace(words))
		m := ann
		if strings.HasPrefix(strings.TrimSpace(who), "Ben") {
			m = ben
		}
		if args[1] == "friend" && args[2] == "accept" {
			ann.until("Ben", "friend", "requests")
			n.measured("from the link to the request", time.Since(began))
		}
		out := m.kith(args[1:]...)
		if found := regexp.MustCompile(`kith:[\w-]+`).FindString(out); found != "" && link == "" {
			link = found
		}
		lines++
	}
	if lines != 5 {
		t.Errorf("the README has %d lines for two households", lines)
	}
	if !ann.settles("Ben", "quic", 20*time.Second) {
		t.Errorf("the link is %q", kindTo(ann, "Ben"))
	}
	ann.kith("send", "Ben", "Are you there?")
	ben.until("Are you there", "tail", "Ann")
}

// mailbox runs a mailbox that all reach, and returns its address.
func (n *internet) mailbox() string {
	n.t.Helper()
	space := n.name + "-box"
	n.plug(space, "box", "11.99.7.7")
	cmd := exec.Command("ip", "netns", "exec", space, kithHere(n.t), "mailbox", "serve", "--dir", n.t.TempDir())
	out, err := cmd.StdoutPipe()
	if err != nil {
		n.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "kithbox:") {
		n.t.Fatalf("the mailbox says %q, %v", line, err)
	}
	return strings.TrimSpace(line)
}
