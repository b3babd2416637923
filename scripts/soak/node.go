package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// patience bounds every wait for something to be shown.
const patience = 2 * time.Minute

// A node is one person's program on a machine of its own.
type node struct {
	name, home, space string
	program           string
	lab               *lab
	log               *os.File

	cable sync.Mutex // held by who cuts it, until it is healed
	power sync.Mutex // held by who kills it, until it runs again; guards cmd
	cmd   *exec.Cmd
	ended chan struct{} // closed when cmd is gone

	writes atomic.Bool // it is a member that may write
	mute   sync.Mutex  // held while a message is on its way into the program
	lost   atomic.Bool // it ended by itself
}

// start runs the program until it answers; power is held.
func (n *node) start(ctx context.Context) error {
	n.cmd = exec.Command("ip", "netns", "exec", n.space, n.program, "--home", n.home, "run")
	n.cmd.Stderr = n.log
	if err := n.cmd.Start(); err != nil {
		return err
	}
	cmd, ended := n.cmd, make(chan struct{})
	n.ended = ended
	go func() { // ends with the process, for which kill and stop wait
		_ = cmd.Wait()
		close(ended)
	}()
	return n.until(ctx, `"id"`, "whoami", "--json")
}

// kill is kill -9; power is held.
func (n *node) kill() {
	if n.gone() {
		n.lost.Store(true)
	}
	_ = n.cmd.Process.Kill()
	<-n.ended
}

// stop is Ctrl-C; power is held.
func (n *node) stop() {
	if n.cmd == nil {
		return
	}
	if n.gone() {
		n.lost.Store(true)
		return
	}
	_ = n.cmd.Process.Signal(os.Interrupt)
	select {
	case <-n.ended:
	case <-time.After(patience):
		n.kill()
	}
}

func (n *node) gone() bool {
	select {
	case <-n.ended:
		return true
	default:
		return false
	}
}

// kith runs a verb beside the node.
func (n *node) kith(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, n.program, append([]string{"--home", n.home}, args...)...)
	var trouble strings.Builder
	cmd.Stderr = &trouble
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("%s: kith %s: %w: %s", n.name, strings.Join(args, " "), err, strings.TrimSpace(trouble.String()))
	}
	return string(out), err
}

// until asks until the answer matches.
func (n *node) until(ctx context.Context, pattern string, args ...string) error {
	re := regexp.MustCompile("(?s)" + pattern)
	var out string
	var err error
	ok := poll(ctx, 100*time.Millisecond, func() bool {
		out, err = n.kith(ctx, args...)
		return re.MatchString(out)
	})
	if !ok {
		return fmt.Errorf("%s: waited in vain for %q in kith %s; the last was: %.300s %w", n.name, pattern, strings.Join(args, " "), out, err)
	}
	return nil
}

// manage runs a verb until it is taken.
func (n *node) manage(ctx context.Context, args ...string) error {
	var err error
	if !poll(ctx, time.Second, func() bool {
		_, err = n.kith(ctx, args...)
		return err == nil
	}) {
		return err
	}
	return nil
}

// poll asks again and again, more and more seldom, for patience, and reports whether the answer came to be yes.
func poll(ctx context.Context, pause time.Duration, ask func() bool) bool {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		if ask() {
			return true
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return false
		}
		pause = min(2*time.Second, pause+pause/4)
	}
}

// memory is what the program holds of it, in MB.
func (n *node) memory() (mb int) {
	b, err := os.ReadFile(filepath.Join("/proc", fmt.Sprint(n.cmd.Process.Pid), "status"))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		if _, err := fmt.Sscanf(line, "VmRSS: %d kB", &mb); err == nil {
			return mb / 1024
		}
	}
	return 0
}
