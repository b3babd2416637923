//go:build unix

package main

import (
	"bytes"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestTailFarBehind: tail -f prints all that was written while its node was
// started again, each once, however much that is.
func TestTailFarBehind(t *testing.T) {
	ann := &person{t: t, name: "Ann", program: kithHere(t), home: filepath.Join(t.TempDir(), "ann"), run: []string{"--listen", "127.0.0.1:0"}}
	t.Cleanup(ann.off)
	ann.kith("init", "--name", "Ann")
	ann.on()
	ann.kith("send", "Notes to self", "first")
	tail := exec.Command(ann.program, "--home", ann.home, "tail", "Notes to self", "-f")
	out, w := newPrinted()
	tail.Stdout = w
	if err := tail.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = tail.Process.Kill()
		_ = tail.Wait()
	})
	out.await(t, "first")

	const count = 1100
	var lines strings.Builder
	for i := range count {
		fmt.Fprintf(&lines, "line %d.\n", i)
	}
	if err := tail.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	ann.off()
	ann.on()
	send := exec.Command(ann.program, "--home", ann.home, "send", "Notes to self", "--lines")
	send.Stdin = strings.NewReader(lines.String())
	if b, err := send.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, b)
	}
	if err := tail.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	ann.kith("send", "Notes to self", "last")
	all := out.await(t, "last")
	for i := range count {
		if n := strings.Count(all, fmt.Sprintf(": line %d.\n", i)); n != 1 {
			t.Fatalf("line %d is there %d times", i, n)
		}
	}
}

// printed is what a program has printed so far.
type printed struct {
	more chan []byte
	all  bytes.Buffer
}

// newPrinted returns it, and where the program writes.
func newPrinted() (*printed, printer) {
	p := &printed{more: make(chan []byte, 1<<16)}
	return p, printer(p.more)
}

type printer chan []byte

func (p printer) Write(b []byte) (int, error) {
	p <- bytes.Clone(b)
	return len(b), nil
}

// await reads until there is a line that ends so.
func (p *printed) await(t *testing.T, end string) string {
	t.Helper()
	late := time.After(personDeadline)
	for !strings.Contains(p.all.String(), end+"\n") {
		select {
		case b := <-p.more:
			p.all.Write(b)
		case <-late:
			t.Fatalf("waited in vain for %q; the last was:\n%s", end, p.all.String()[max(0, p.all.Len()-300):])
		}
	}
	return p.all.String()
}
