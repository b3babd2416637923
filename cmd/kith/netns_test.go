//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The story on machines of their own: each is a network namespace with one cable
// to a switch, which stands in a namespace too, so that nothing touches the
// network of the machine that tests.

// A lab is a switch with machines.
type lab struct {
	t    *testing.T
	name string // of this run, in front of all names
}

// A machine runs one person's program.
type machine struct {
	*person
	lab *lab
}

// newLab makes the switch, or skips where no namespace can be made.
func newLab(t *testing.T) *lab {
	t.Helper()
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip("no network namespaces here: iproute2 is not installed")
	}
	l := &lab{t, fmt.Sprintf("kith%d", os.Getpid())}
	if out, err := exec.Command("ip", "netns", "add", l.name+"-switch").CombinedOutput(); err != nil {
		t.Skipf("no network namespaces here (needs root): %s", out)
	}
	t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", l.name+"-switch").Run() })
	if out, err := exec.Command("ip", "-n", l.name+"-switch", "link").CombinedOutput(); err != nil {
		t.Skipf("no network namespaces here (they can be made and not entered): %s", out)
	}
	l.ip("-n", l.name+"-switch", "link", "add", "bridge", "type", "bridge")
	l.ip("-n", l.name+"-switch", "link", "set", "bridge", "up")
	return l
}

func (l *lab) ip(args ...string) {
	l.t.Helper()
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		l.t.Fatalf("ip %s: %v: %s", strings.Join(args, " "), err, out)
	}
}

// machine plugs a machine into the switch and makes its identity.
func (l *lab) machine(name, address string) *machine {
	l.t.Helper()
	space := l.name + "-" + name
	m := &machine{lab: l, person: &person{
		t: l.t, name: name, program: kithHere(l.t), home: filepath.Join(l.t.TempDir(), name),
		run: []string{"--verbose"}, through: []string{"ip", "netns", "exec", space},
	}}
	l.ip("netns", "add", m.space())
	l.t.Cleanup(func() {
		m.off()
		_ = exec.Command("ip", "netns", "del", m.space()).Run()
	})
	l.ip("link", "add", "eth0", "netns", m.space(), "type", "veth", "peer", "name", name, "netns", l.name+"-switch")
	l.ip("-n", l.name+"-switch", "link", "set", name, "master", "bridge", "up")
	l.ip("-n", m.space(), "link", "set", "lo", "up")
	l.ip("-n", m.space(), "link", "set", "eth0", "up")
	m.address(address)
	m.kith("init", "--name", name)
	return m
}

func (m *machine) space() string { return m.lab.name + "-" + m.name }

// address gives the machine this address and no other.
func (m *machine) address(a string) {
	m.lab.t.Helper()
	m.lab.ip("-n", m.space(), "-4", "addr", "flush", "dev", "eth0")
	m.lab.ip("-n", m.space(), "addr", "add", a+"/24", "dev", "eth0")
}

func (m *machine) cut()  { m.lab.ip("-n", m.lab.name+"-switch", "link", "set", m.name, "down") }
func (m *machine) heal() { m.lab.ip("-n", m.lab.name+"-switch", "link", "set", m.name, "up") }

// measured prints how long something took.
func (l *lab) measured(what string, took time.Duration) {
	l.t.Logf("%-60s %5.1f s", what, took.Seconds())
}

func TestNamespaces(t *testing.T) {
	l := newLab(t)
	ann, ben, cleo := l.machine("Ann", "10.77.0.1"), l.machine("Ben", "10.77.0.2"), l.machine("Cleo", "10.77.0.3")
	for _, m := range []*machine{ann, ben, cleo} {
		m.on()
	}
	ben.befriend(ann.person)
	cleo.befriend(ann.person)
	ann.kith("group", "create", "Trip", "Ben", "Cleo")
	for _, m := range []*machine{ben, cleo} {
		m.until("Trip", "group", "list")
		m.kith("group", "accept", "Trip")
	}
	for _, m := range []*machine{ann, ben, cleo} {
		m.until(`("accepted":true.*){3}`, "group", "show", "Trip", "--json")
		m.kith("send", "Trip", "I am "+m.name)
	}
	for _, m := range []*machine{ann, ben, cleo} {
		m.until("I am Ann", "tail", "Trip")
		m.until("I am Ben", "tail", "Trip")
		m.until("I am Cleo", "tail", "Trip")
	}
	ben.until("Cleo +member, here now", "group", "show", "Trip")

	// A cable is cut while something is unacknowledged, and heals.
	ben.cut()
	ann.kith("send", "Trip", "can you hear me")
	l.measured("a cut cable noticed by those who are connected", ann.until(`Ben +member *$`, "group", "show", "Trip"))
	ben.kith("send", "Trip", "it is quiet here")
	l.measured("and by the one who is not", ben.until(`Ann +member *$|Ann +admin *$`, "group", "show", "Trip"))
	ben.heal()
	l.measured("a healed cable used by those who wait", ben.until("can you hear me", "tail", "Trip"))
	l.measured("and the other way", cleo.until("it is quiet here", "tail", "Trip"))

	// Ben is off, Ann and Cleo write, Ann's cable is cut: he gets it from Cleo,
	// who is no friend of his.
	ben.off()
	ann.kith("send", "Trip", "while Ben is away")
	cleo.until("while Ben is away", "tail", "Trip")
	ann.cut()
	ben.on()
	l.measured("what Ben missed, from Cleo", ben.until("while Ben is away", "tail", "Trip"))

	// Both of them move: only the local network can tell where to.
	ben.off()
	cleo.address("10.77.0.33")
	ben.address("10.77.0.22")
	cleo.kith("send", "Trip", "I have moved")
	ben.on()
	l.measured("both at other addresses, found on the local network", ben.until("I have moved", "tail", "Trip"))

	// Ann, killed and started while she is cut off, comes back.
	ann.kith("send", "Trip", "said while cut off")
	ann.crash()
	ann.on()
	ann.heal()
	l.measured("Ann back from kill -9 and a cut cable", ben.until("said while cut off", "tail", "Trip"))
	ann.until("I have moved", "tail", "Trip")

	ann.kith("group", "remove", "Trip", "Cleo")
	cleo.until("removed", "group", "list")
	ann.kith("send", "Trip", "between us")
	ben.until("between us", "tail", "Trip")
	if out, _ := cleo.try("tail", "Trip"); strings.Contains(out, "between us") {
		t.Errorf("Cleo reads what was written after her removal:\n%s", out)
	}
}
