package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// typist is a program at a terminal of its own, and who types there.
type typist struct {
	t        *testing.T
	cmd      *exec.Cmd
	keys     *os.File // what is typed, and what the terminal shows of it
	terminal *os.File
	shown    syncBuffer // by the terminal
	said     syncBuffer // by the program
}

// syncBuffer is a buffer that a program is writing into.
type syncBuffer struct {
	mu sync.Mutex // guards b
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// atTerminal starts kith at a terminal.
func atTerminal(t *testing.T, args ...string) *typist {
	t.Helper()
	keys, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { keys.Close() })
	number, err := unix.IoctlGetInt(int(keys.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(keys.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	terminal, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { terminal.Close() })
	k := &typist{t: t, keys: keys, terminal: terminal, cmd: exec.Command(kithHere(t), args...)}
	k.cmd.Stdin, k.cmd.Stdout, k.cmd.Stderr = terminal, &k.said, &k.said
	if err := k.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = k.cmd.Process.Kill() })
	go func() { // ends when the terminal is closed
		b := make([]byte, 1024)
		for {
			n, err := keys.Read(b)
			if err != nil {
				return
			}
			k.shown.Write(b[:n])
		}
	}()
	return k
}

// echoes reports whether the terminal shows what is typed.
func (k *typist) echoes() bool {
	k.t.Helper()
	mode, err := unix.IoctlGetTermios(int(k.terminal.Fd()), unix.TCGETS)
	if err != nil {
		k.t.Fatal(err)
	}
	return mode.Lflag&unix.ECHO != 0
}

// until waits.
func (k *typist) until(what string, so func() bool) {
	k.t.Helper()
	late := time.NewTimer(time.Minute)
	defer late.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !so() {
		select {
		case <-tick.C:
		case <-late.C:
			k.t.Fatalf("waited in vain for %s; it said:\n%s", what, k.said.String())
		}
	}
}

// types answers a question that was asked so many times, once the terminal hides it.
func (k *typist) types(question string, times int, answer string) {
	k.t.Helper()
	k.until(question, func() bool { return strings.Count(k.said.String(), question) == times && !k.echoes() })
	if _, err := k.keys.WriteString(answer + "\n"); err != nil {
		k.t.Fatal(err)
	}
}

// ends waits for the end; the terminal is as it was, and has shown no passphrase.
func (k *typist) ends(well bool) {
	k.t.Helper()
	if err := k.cmd.Wait(); (err == nil) != well {
		k.t.Errorf("%v; it said:\n%s", err, k.said.String())
	}
	if !k.echoes() {
		k.t.Error("the terminal hides what is typed, still")
	}
	if seen := k.shown.String() + k.said.String(); strings.Contains(seen, "correct horse") || strings.Contains(seen, "battery") {
		k.t.Errorf("a passphrase is shown: %q", seen)
	}
}

// TestAskedAtTheTerminal: nobody sees what is typed.
func TestAskedAtTheTerminal(t *testing.T) {
	t.Parallel()
	home := filepath.Join(t.TempDir(), "ann")
	if out, err := exec.Command(kithHere(t), "--home", home, "init", "--name", "Ann").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	k := atTerminal(t, "--home", home, "passphrase", "set")
	k.types("New passphrase: ", 1, "correct horse")
	k.types("Once more: ", 1, "battery staple")
	k.ends(false)
	if !strings.Contains(k.said.String(), "kith: The two are not the same, and nothing was changed. Try again.") {
		t.Errorf("two that differ: %s", k.said.String())
	}
	k = atTerminal(t, "--home", home, "passphrase", "set")
	k.types("New passphrase: ", 1, "correct horse")
	k.types("Once more: ", 1, "correct horse")
	k.ends(true)

	k = atTerminal(t, "--home", home, "run", "--listen", "127.0.0.1:0")
	k.types("Passphrase (nothing: start locked): ", 1, "battery staple")
	k.types("Passphrase (nothing: start locked): ", 2, "correct horse")
	k.until("the page", func() bool { return strings.Contains(k.said.String(), "Your page: ") })
	if !strings.Contains(k.said.String(), "Ann, at home in") || !strings.Contains(k.said.String(), "The passphrase is wrong.") {
		t.Errorf("it said:\n%s", k.said.String())
	}
	k.interrupt()
	k.ends(true)

	k = atTerminal(t, "--home", home, "run", "--listen", "127.0.0.1:0")
	k.types("Passphrase (nothing: start locked): ", 1, "")
	k.until("the page", func() bool { return strings.Contains(k.said.String(), "Locked: ") })
	k.interrupt()
	k.ends(true)

	k = atTerminal(t, "--home", home, "run")
	k.until("the question", func() bool { return strings.Contains(k.said.String(), "Passphrase") && !k.echoes() })
	k.interrupt()
	k.ends(false)
}

func (k *typist) interrupt() {
	k.t.Helper()
	if err := k.cmd.Process.Signal(os.Interrupt); err != nil {
		k.t.Fatal(err)
	}
}
