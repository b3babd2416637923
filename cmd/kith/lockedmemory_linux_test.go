package main

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// inMemory counts what of wanted is in the memory of a process.
func inMemory(t *testing.T, pid int, wanted map[string][]byte) map[string]int {
	t.Helper()
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		t.Fatal(err)
	}
	memory, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	if errors.Is(err, fs.ErrPermission) {
		t.Skip("only root may look into the memory of a program that is not dumpable")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer memory.Close()
	found := make(map[string]int)
	read := 0
	for line := range strings.Lines(string(maps)) {
		if strings.Contains(line, "[v") { // the kernel's own
			continue
		}
		var from, to int64
		var may string
		if _, err := fmt.Sscanf(line, "%x-%x %s", &from, &to, &may); err != nil {
			t.Fatal(err)
		}
		if may[0] != 'r' {
			continue
		}
		b, err := io.ReadAll(io.NewSectionReader(memory, from, to-from))
		if err != nil {
			continue // what was mapped a moment ago, or is a file that ends before
		}
		read += len(b)
		for name, what := range wanted {
			found[name] += bytes.Count(b, what)
		}
	}
	if read < 1<<20 {
		t.Fatalf("read %d bytes of the memory", read)
	}
	return found
}

// TestLockedMemory: what is locked is not in the program's memory either.
func TestLockedMemory(t *testing.T) {
	t.Parallel()
	// Drawn, since the program is the test binary, which has what stands here.
	key, said, phrase := rand.Text()+rand.Text(), rand.Text(), rand.Text()
	raw := []byte(key)[:32]
	home := t.TempDir()
	file := filepath.Join(t.TempDir(), "passphrase")
	if err := errors.Join(
		os.WriteFile(filepath.Join(home, "kith.key"), []byte("kith key 1 "+hex.EncodeToString(raw)+"\n"), 0o600),
		os.WriteFile(file, []byte(phrase), 0o600),
	); err != nil {
		t.Fatal(err)
	}
	verb := func(words ...string) {
		t.Helper()
		if out, err := exec.Command(kithHere(t), append([]string{"--home", home}, words...)...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v: %s", words, err, out)
		}
	}
	verb("init", "--name", "Ann")
	verb("passphrase", "set", "--new-passphrase-file", file)
	ann := &person{t: t, name: "ann", program: kithHere(t), home: home, run: []string{"--listen", "127.0.0.1:0", "--passphrase-file", file}}
	ann.on()
	defer ann.off()
	verb("send", "Notes to self", said)
	verb("tail", "Notes to self")
	wanted := map[string][]byte{"the key": raw, "the message": []byte(said)}
	if found := inMemory(t, ann.cmd.Process.Pid, wanted); found["the key"] == 0 || found["the message"] == 0 {
		t.Errorf("open: %v; the test looks in the wrong place", found)
	}
	verb("lock")
	verb("lock") // answered by the program that is locked
	wanted["the key in hex"], wanted["the passphrase"] = []byte(hex.EncodeToString(raw)), []byte(phrase)
	for name, times := range inMemory(t, ann.cmd.Process.Pid, wanted) {
		if times > 0 {
			t.Errorf("locked, %s is in the memory %d times", name, times)
		}
	}
	verb("unlock", "--passphrase-file", file)
	verb("whoami")
}
