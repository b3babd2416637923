package main

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"lukechampine.com/adiantum"

	"kith/internal/node"
	"kith/internal/store"
)

// versionOffset is where the first page of a database has its user_version (SQLite
// file format, section 1.3), which is how many migrations it has seen.
const versionOffset = 60

// versionOf reads the version of a closed home's database, and writes another
// where that is not 0. Nothing else of the page changes.
func versionOf(t *testing.T, home string, other uint32) uint32 {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(home, node.KeyFile))
	if err != nil {
		t.Fatal(err)
	}
	words := strings.Fields(string(text))
	key, err := hex.DecodeString(words[len(words)-1])
	if err != nil {
		t.Fatal(err)
	}
	db, err := os.OpenFile(filepath.Join(home, store.FileName), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	page := make([]byte, 4096)
	if _, err := db.ReadAt(page, 0); err != nil {
		t.Fatal(err)
	}
	cipher, place := adiantum.New(key), make([]byte, 8) // the first page
	cipher.Decrypt(page, place)
	if !bytes.HasPrefix(page, []byte("SQLite format 3\x00")) {
		t.Fatal("not the first page of a database")
	}
	was := binary.BigEndian.Uint32(page[versionOffset:])
	if other != 0 {
		binary.BigEndian.PutUint32(page[versionOffset:], other)
		cipher.Encrypt(page, place)
		if _, err := db.WriteAt(page, 0); err != nil {
			t.Fatal(err)
		}
	}
	return was
}

// allFiles returns what every file of a folder holds that holds anything, without
// the index of the log, which is made anew at each start: the first versions
// left those beside a home that they refused.
func allFiles(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := make(map[string]string)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if len(b) > 0 && !strings.HasSuffix(path, "-shm") {
			all[path] = string(b)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// refusesHome checks that a program refuses to run on a home that a newer one
// wrote: in one line, which says what to do, and without touching a file.
func refusesHome(t *testing.T, program, home string) {
	t.Helper()
	was := allFiles(t, home)
	for _, args := range [][]string{{"run", "--listen", "127.0.0.1:0"}, {"init", "--name", "Ann"}} {
		cmd := exec.Command(program, append([]string{"--home", home}, args...)...)
		var out, trouble bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &trouble
		err := cmd.Run()
		if err == nil || cmd.ProcessState.ExitCode() != statusFailed || out.Len() > 0 || strings.Count(trouble.String(), "\n") != 1 {
			t.Errorf("kith %s: %v, %q and on standard output %q", args[0], err, trouble.String(), out.String())
		}
		if args[0] == "run" && trouble.String() != "kith: A newer version of Kith wrote this home. Update the program.\n" {
			t.Errorf("kith run: %q", trouble.String())
		}
		is := allFiles(t, home)
		if !maps.Equal(was, is) {
			t.Errorf("kith %s touched the home: of %v are left %v", args[0], slices.Sorted(maps.Keys(was)), slices.Sorted(maps.Keys(is)))
		}
	}
}

// TestNewerHome: a home that a newer version wrote is refused, and is the same
// afterwards, to the byte; that version goes on with it.
func TestNewerHome(t *testing.T) {
	dir := t.TempDir()
	if err := copyHomes("4", dir, nil); err != nil {
		t.Fatal(err)
	}
	home := filepath.Join(dir, "ann")
	version := versionOf(t, home, 0)
	if version == 0 {
		t.Fatal("the database has no version")
	}
	versionOf(t, home, version+1)
	refusesHome(t, kithHere(t), home)
	versionOf(t, home, version)
	ann := &person{t: t, name: "Ann", program: kithHere(t), home: home, run: []string{"--listen", "127.0.0.1:0"}}
	t.Cleanup(ann.off)
	ann.on()
	ann.until("Only two seats", "tail", "Boat")
}
