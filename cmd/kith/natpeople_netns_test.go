//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"kith/internal/natlab"
)

// natEnv, if set, has every pair of routers meet and every story of homes played, not a share.
const natEnv = "KITH_NAT"

// long skips what make test has no time for.
func long(t *testing.T) {
	t.Helper()
	if os.Getenv(natEnv) == "" {
		t.Skipf("it waits long: %s=all plays it", natEnv)
	}
}

// took prints how long something took; person.until bounds it.
func took(t *testing.T, what string, d time.Duration) {
	t.Helper()
	t.Logf("%-60s %5.1f s", what, d.Seconds())
}

// at makes a person of a machine; what is run is told to the program.
func at(t *testing.T, name string, h *natlab.Host, run ...string) *person {
	t.Helper()
	p := &person{
		t: t, name: name, program: kithHere(t), home: filepath.Join(t.TempDir(), name),
		run: append([]string{"--verbose"}, run...), through: h.Through(),
	}
	t.Cleanup(p.off)
	p.kith("init", "--name", name)
	p.on()
	return p
}

// introduce lets two people who may not reach each other meet in a group of
// somebody whom both reach.
func introduce(title string, by *person, people ...*person) {
	by.t.Helper()
	args := []string{"group", "create", title}
	for _, p := range people {
		p.befriend(by)
		args = append(args, p.name)
	}
	by.kith(args...)
	for _, p := range people {
		p.until(title, "group", "list")
		p.kith("group", "accept", title)
	}
	for _, p := range append(people, by) {
		p.until(fmt.Sprintf(`("accepted":true.*){%d}`, len(people)+1), "group", "show", title, "--json")
	}
}

// tells lets one send a text in a chat and the others see it; a chat of two has
// the name of the other one.
func (p *person) tells(chat, text string, others ...*person) time.Duration {
	p.t.Helper()
	began := time.Now()
	p.kith("send", chat, text)
	for _, o := range others {
		theirs := chat
		if chat == o.name {
			theirs = p.name
		}
		o.until(text, "tail", theirs)
	}
	return time.Since(began)
}

// identity is what whoami tells.
func (p *person) identity() (id identityLine) {
	p.t.Helper()
	if err := json.Unmarshal([]byte(p.kith("whoami", "--json")), &id); err != nil {
		p.t.Fatal(err)
	}
	return id
}

// waits asks each 100 ms until something is so, for most at most, and says how long that took.
func waits(most time.Duration, so func() bool) (time.Duration, bool) {
	began := time.Now()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for ; time.Since(began) < most; <-tick.C {
		if so() {
			return time.Since(began), true
		}
	}
	return time.Since(began), false
}

// kindTo is by which kind of link one is connected with another person; empty: not.
func (p *person) kindTo(other *person) string {
	p.t.Helper()
	var n struct {
		Paths []struct {
			Person struct{ Name string }
			Kind   string
		}
	}
	if err := json.Unmarshal([]byte(p.kith("network", "--json")), &n); err != nil {
		p.t.Fatal(err)
	}
	for _, path := range n.Paths {
		if path.Person.Name == other.name {
			return path.Kind
		}
	}
	return ""
}

// settles waits until a link to somebody is of a kind.
func (p *person) settles(other *person, kind string) time.Duration {
	p.t.Helper()
	d, ok := waits(natDeadline, func() bool { return p.kindTo(other) == kind })
	if !ok {
		p.t.Fatalf("the link of %s with %s is %q, want %q\n%s\n----\n%s", p.name, other.name, p.kindTo(other), kind, p.kith("network"), other.kith("network"))
	}
	return d
}

// shows waits until kith network says something.
func (p *person) shows(text string) time.Duration {
	p.t.Helper()
	d, ok := waits(natDeadline, func() bool { return strings.Contains(p.kith("network"), text) })
	if !ok {
		p.t.Fatalf("kith network of %s does not say %q:\n%s", p.name, text, p.kith("network"))
	}
	return d
}

// link is a contact link of somebody's.
func (p *person) link() string {
	p.t.Helper()
	return regexp.MustCompile(`kith:[\w-]+`).FindString(p.kith("link", "--json"))
}
