//go:build linux

package main

import (
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestAwake: machines whose addresses are replaced under running programs, and a
// program that stands still as on a laptop that sleeps, on real links.
func TestAwake(t *testing.T) {
	l := newLab(t)
	ann, ben := l.machine("Ann", "10.77.0.1"), l.machine("Ben", "10.77.0.2")
	ann.on()
	ben.on()
	ben.befriend(ann.person)
	ann.kith("group", "create", "Trip", "Ben")
	ben.until("Trip", "group", "list")
	ben.kith("group", "accept", "Trip")
	ann.until(`("accepted":true.*){2}`, "group", "show", "Trip", "--json")
	said := func(by, to *machine, text string) time.Duration {
		began := time.Now()
		by.kith("send", "Trip", text)
		to.until(text, "tail", "Trip")
		return time.Since(began)
	}

	// The address of the one who was dialled, then of both.
	ann.address("10.77.0.11")
	l.measured("a message to Ann, whose address was replaced", l.soon(said(ben, ann, "where are you")))
	l.measured("and back", l.soon(said(ann, ben, "somewhere else")))
	ann.address("10.77.0.21")
	ben.address("10.77.0.22")
	l.measured("a message after both addresses were replaced", l.soon(said(ann, ben, "and now")))
	l.measured("and back", l.soon(said(ben, ann, "here too")))

	// Ben's program stands still for longer than Ann, who writes to him, waits.
	ben.signal(syscall.SIGSTOP)
	ann.kith("send", "Trip", "are you asleep")
	l.measured("a sleeper missed by the one who writes to him", ann.until(`Ben +member *$`, "group", "show", "Trip"))
	began := time.Now()
	ben.signal(syscall.SIGCONT)
	ben.until("are you asleep", "tail", "Trip")
	l.measured("what he missed, after he woke", l.soon(time.Since(began)))
	ann.until("Ben +member, here now", "group", "show", "Trip")

	ann.off()
	ben.off()
	for line, m := range map[string]*machine{"the addresses of this machine are others": ann, "awake again": ben} {
		if !strings.Contains(m.err.String(), line) {
			t.Errorf("%s has not noticed: no %q", m.name, line)
		}
	}
}

// soon fails where something that must take seconds took longer.
func (l *lab) soon(took time.Duration) time.Duration {
	l.t.Helper()
	if most := 20 * time.Second; took > most {
		l.t.Errorf("took %v, want less than %v", took, most)
	}
	return took
}

func (m *machine) signal(s syscall.Signal) {
	m.lab.t.Helper()
	if err := m.cmd.Process.Signal(s); err != nil {
		m.lab.t.Fatal(err)
	}
}
