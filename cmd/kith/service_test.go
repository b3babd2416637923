//go:build !windows

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// nobodyID is a user with no rights.
const nobodyID = 65534

// user runs kith as somebody who is not root, whoever runs the test. What it needs to
// write to is handed to them.
func user(ts *testscript.TestScript, neg bool, args []string) {
	cmd := kith(ts, args...)
	cmd.Env = append(cmd.Env, "XDG_CONFIG_HOME=", "USER=nobody", "RECORD="+ts.MkAbs("record"))
	if os.Geteuid() == 0 {
		// Its file and the way to it are for root alone.
		program := ts.MkAbs("bin/kith")
		if _, err := os.Stat(program); err != nil {
			whole, err := os.ReadFile(cmd.Path)
			ts.Check(err)
			ts.Check(os.WriteFile(program, whole, 0o755))
			ts.Check(os.Chmod(program, 0o755))
		}
		cmd.Path = program
		for _, dir := range []string{filepath.Dir(ts.MkAbs(".")), ts.MkAbs("."), ts.MkAbs("bin")} {
			ts.Check(os.Chmod(dir, 0o711))
		}
		ts.Check(filepath.WalkDir(ts.MkAbs("."), func(path string, _ os.DirEntry, err error) error {
			if err != nil {
				return err
			}
			return os.Lchown(path, nobodyID, nobodyID)
		}))
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobodyID, Gid: nobodyID, NoSetGroups: true}}
	}
	cmd.Stdout, cmd.Stderr = ts.Stdout(), ts.Stderr()
	if err := cmd.Run(); (err != nil) != neg {
		ts.Fatalf("kith %s: %v", strings.Join(args, " "), err)
	}
}

// The unit is one that systemd understands, with words in it that have a meaning there.
func TestServiceUnit(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("the unit is not verified: systemd-analyze is not installed")
	}
	for _, home := range []string{"/home/ann/.kith", `/home/ann/my "100%" \home $HOME`} {
		s := service{program: "/bin/true", home: home, listen: ":4001", wss: ":443", web: "localhost:8080", passphraseFile: "/home/ann/a b"}
		if err := s.check(); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), serviceName)
		if err := os.WriteFile(file, []byte(s.unit()), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(analyze, "--user", "verify", "--man=no", file)
		cmd.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+t.TempDir(), "SYSTEMD_LOG_LEVEL=warning")
		out, err := cmd.CombinedOutput()
		if err != nil || strings.Contains(string(out), serviceName) {
			t.Errorf("systemd-analyze: %v: %s\n%s", err, out, s.unit())
		}
		if got, ok := unitHome(s.unit()); !ok || got != quotedUnit(home) {
			t.Errorf("made for %s", got)
		}
	}
	if err := (service{home: "/home/ann\nExecStart=/bin/sh"}).check(); err == nil {
		t.Error("a home with a line break is taken")
	}
}
