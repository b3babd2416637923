package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// A lab is a switch with cables to machines, each a network namespace, so that
// nothing touches the network of the machine that it runs on.
type lab struct {
	name  string // of this run, in front of all names
	space []string
}

func newLab() (*lab, error) {
	l := &lab{name: fmt.Sprintf("soak%d", os.Getpid())}
	if err := l.add("switch"); err != nil {
		return nil, err
	}
	return l, all(
		ip("-n", l.of("switch"), "link", "add", "bridge", "type", "bridge"),
		ip("-n", l.of("switch"), "link", "set", "bridge", "up"),
	)
}

func (l *lab) of(name string) string { return l.name + "-" + name }

func (l *lab) add(name string) error {
	l.space = append(l.space, l.of(name))
	return ip("netns", "add", l.of(name))
}

// plug makes a machine and gives it an address.
func (l *lab) plug(name, address string) error {
	if err := l.add(name); err != nil {
		return err
	}
	return all(
		ip("link", "add", "eth0", "netns", l.of(name), "type", "veth", "peer", "name", name, "netns", l.of("switch")),
		ip("-n", l.of("switch"), "link", "set", name, "master", "bridge", "up"),
		ip("-n", l.of(name), "link", "set", "lo", "up"),
		ip("-n", l.of(name), "link", "set", "eth0", "up"),
		ip("-n", l.of(name), "addr", "add", address+"/16", "dev", "eth0"),
	)
}

func (l *lab) cut(name string) error  { return ip("-n", l.of("switch"), "link", "set", name, "down") }
func (l *lab) heal(name string) error { return ip("-n", l.of("switch"), "link", "set", name, "up") }

func (l *lab) close() {
	for _, s := range l.space {
		_ = ip("netns", "del", s)
	}
}

func ip(args ...string) error {
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("ip %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return nil
}

// all is the first of some errors.
func all(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
