package main

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// personDeadline bounds every wait for a program; how long those took that are
// measured is printed.
const personDeadline = 150 * time.Second

// A person runs one program on one home.
type person struct {
	t       *testing.T
	name    string
	program string
	home    string
	run     []string // what run is told
	through []string // the command that starts run, in front of the program
	cmd     *exec.Cmd
	err     bytes.Buffer // of all its runs
}

// kithHere is the program of this working copy, which the test binary is, too.
func kithHere(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("kith")
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// on starts the program.
func (p *person) on() {
	p.t.Helper()
	p.start()
	p.until("id", "whoami")
}

func (p *person) start() {
	p.t.Helper()
	args := append(append(append([]string{}, p.through...), p.program, "--home", p.home, "run"), p.run...)
	p.cmd = exec.Command(args[0], args[1:]...)
	p.cmd.Stderr = &p.err
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
}

// off ends the program as Ctrl-C does.
func (p *person) off() {
	if p.cmd == nil {
		return
	}
	_ = p.cmd.Process.Signal(os.Interrupt)
	late := time.AfterFunc(personDeadline, func() { _ = p.cmd.Process.Kill() })
	defer late.Stop()
	if err := p.cmd.Wait(); err != nil {
		p.t.Errorf("%s: %v", p.name, err)
	}
	if p.t.Failed() {
		p.t.Logf("%s:\n%s", p.name, p.err.String())
	}
	p.cmd = nil
}

// crash ends it as kill -9 does.
func (p *person) crash() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
	p.cmd = nil
}

// kith runs a verb of the program beside the running node, which it reaches by
// its socket in the home.
func (p *person) kith(args ...string) string {
	p.t.Helper()
	out, err := p.try(args...)
	if err != nil {
		p.t.Fatalf("%s: kith %s: %v: %s", p.name, strings.Join(args, " "), err, out)
	}
	return out
}

func (p *person) try(args ...string) (string, error) {
	out, err := exec.Command(p.program, append([]string{"--home", p.home}, args...)...).CombinedOutput()
	return string(out), err
}

// until asks until the answer matches, and returns how long that took.
func (p *person) until(pattern string, args ...string) time.Duration {
	p.t.Helper()
	re := regexp.MustCompile("(?ms)" + pattern)
	began := time.Now()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for range tick.C {
		out, _ := p.try(args...)
		if re.MatchString(out) {
			break
		}
		if time.Since(began) > personDeadline {
			p.t.Fatalf("%s: waited in vain for %q in kith %s; the last was:\n%s", p.name, pattern, strings.Join(args, " "), out)
		}
	}
	return time.Since(began)
}

// befriend lets p open a's link, and a accept.
func (p *person) befriend(a *person) {
	p.t.Helper()
	link := regexp.MustCompile(`kith:[\w-]+`).FindString(a.kith("link", "--json"))
	p.kith("friend", "add", link)
	a.until(p.name, "friend", "requests")
	a.kith("friend", "accept", p.name)
	p.until(a.name+" +friend, here now", "friend", "list")
}

// placesFrom is the port below the next place; scripts run side by side, so none is
// given twice: whoever finds its place taken ends.
var placesFrom atomic.Int64

func init() { placesFrom.Store(20_000 + rand.Int64N(6_000)) }

// freePlace is an address of loopback that nobody listens on, by TCP or UDP, and that
// no dialler is given: those get ports from 32768 on.
func freePlace() (string, error) {
	for {
		port := placesFrom.Add(1)
		if port > 32_000 {
			return "", errors.New("all ports from 20000 to 32000 are used up")
		}
		place := "127.0.0.1:" + strconv.FormatInt(port, 10)
		stream, err := net.Listen("tcp4", place)
		if errors.Is(err, syscall.EADDRINUSE) {
			continue
		}
		if err != nil {
			return "", err
		}
		packets, err := net.ListenPacket("udp4", place)
		if err = errors.Join(err, stream.Close()); errors.Is(err, syscall.EADDRINUSE) {
			continue
		}
		if err != nil {
			return "", err
		}
		return place, packets.Close()
	}
}
