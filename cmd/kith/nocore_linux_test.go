package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// aborted ends a program by SIGABRT, once it says ready, in a folder of its own and
// with no limit to core files but what the system sets, and reports whether its
// memory was dumped.
func aborted(t *testing.T, ready string, look func(pid int), words ...string) bool {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.Command("sh", append([]string{"-c", `ulimit -c $(ulimit -Hc); exec "$@"`, "sh"}, words...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOTRACEBACK=crash") // Go's runtime ends as the signal means, and does not only print
	var said syncBuffer
	cmd.Stdout = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	late := time.NewTimer(personDeadline)
	defer late.Stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !strings.Contains(said.String(), ready) {
		select {
		case <-tick.C:
		case <-late.C:
			t.Fatalf("%v does not say %q: %s", words, ready, said.String())
		}
	}
	look(cmd.Process.Pid)
	if err := cmd.Process.Signal(syscall.SIGABRT); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // says that it was aborted
	ended := cmd.ProcessState.Sys().(syscall.WaitStatus)
	if !ended.Signaled() || ended.Signal() != syscall.SIGABRT {
		t.Fatalf("%v ended with %v", words, cmd.ProcessState)
	}
	files, err := filepath.Glob(filepath.Join(dir, "core*"))
	if err != nil {
		t.Fatal(err)
	}
	return ended.CoreDump() || len(files) > 0
}

// TestNoCoreFile: a crash leaves no keys on the disk.
func TestNoCoreFile(t *testing.T) {
	t.Parallel()
	home := filepath.Join(t.TempDir(), "ann")
	if out, err := exec.Command(kithHere(t), "--home", home, "init", "--name", "Ann").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	limit := regexp.MustCompile(`(?m)^Max core file size +0 +0 +bytes`)
	dumped := aborted(t, "Your page: ", func(pid int) {
		text, err := os.ReadFile(filepath.Join("/proc", number(uint64(pid)), "limits"))
		if err != nil || !limit.Match(text) {
			t.Errorf("the limit of core files: %v\n%s", err, text)
		}
	}, kithHere(t), "--home", home, "run", "--listen", "127.0.0.1:0")
	if dumped {
		t.Error("its memory was dumped")
	}
	if !aborted(t, "here", func(int) {}, "sh", "-c", "echo here; exec sleep 600") {
		t.Skip("this machine dumps no program's memory, so only the limit was looked at")
	}
}
