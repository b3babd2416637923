package store_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kith/internal/group"
	"kith/internal/store"
)

// filled makes a closed database of some hundred pages.
func filled(t *testing.T, cfg store.Config) {
	t.Helper()
	db := open(t, cfg)
	for i := range uint64(10) {
		must(t, db.Commit(g1, nil, many(i*100, 100), nil))
	}
	must(t, db.Close())
}

// many returns n rows from an order on.
func many(from uint64, n int) []group.Row {
	rows := make([]group.Row, n)
	for i := range rows {
		rows[i] = writes(ann, 1+from+uint64(i), 1, fmt.Sprintf("message %d %s", from+uint64(i), strings.Repeat(".", 200)))
	}
	return rows
}

func wantAll(t *testing.T, db *store.DB, want int) {
	t.Helper()
	count := 0
	var after store.Cursor
	for {
		rows, err := db.PageAfter(g1, after, 100)
		must(t, err)
		if len(rows) == 0 {
			break
		}
		for _, r := range rows {
			if !strings.HasPrefix(store.Said(r), fmt.Sprintf("message %d ", count)) {
				t.Fatalf("row %d: %q", count, r.Content)
			}
			count++
		}
		after = rows[len(rows)-1].Place
	}
	if count != want {
		t.Fatalf("%d rows, want %d", count, want)
	}
}

// snapshot copies a folder as it lies on disk, which is what is left of a
// program that was killed.
func snapshot(t *testing.T, path string) string {
	t.Helper()
	to := t.TempDir()
	entries, err := os.ReadDir(filepath.Dir(path))
	must(t, err)
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), "-shm") {
			continue // SQLite makes it anew
		}
		b, err := os.ReadFile(filepath.Join(filepath.Dir(path), e.Name()))
		must(t, err)
		must(t, os.WriteFile(filepath.Join(to, e.Name()), b, 0o600))
	}
	return filepath.Join(to, filepath.Base(path))
}

// prints are the hashes of the files that hold anything.
func prints(t *testing.T, path string) map[string][32]byte {
	t.Helper()
	all := map[string][32]byte{}
	entries, err := os.ReadDir(filepath.Dir(path))
	must(t, err)
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(filepath.Dir(path), e.Name()))
		must(t, err)
		if len(b) > 0 && !strings.HasSuffix(e.Name(), "-shm") {
			all[e.Name()] = sha256.Sum256(b)
		}
	}
	return all
}

// refused checks that Open fails as wanted, in one line, and changes nothing.
func refused(t *testing.T, cfg store.Config, want error) {
	t.Helper()
	was := prints(t, cfg.Path)
	db, err := store.Open(cfg)
	if err == nil {
		db.Close()
	}
	if !errors.Is(err, want) {
		t.Errorf("got %v, want %v", err, want)
	} else if strings.Contains(err.Error(), "\n") || !strings.HasPrefix(err.Error(), "store: ") {
		t.Errorf("not one clear line: %q", err)
	}
	if !maps.Equal(was, prints(t, cfg.Path)) {
		t.Errorf("files were changed by a refused Open (%v)", err)
	}
}

func TestOpenRefusesConfig(t *testing.T) {
	if _, err := store.Open(store.Config{Path: filepath.Join(t.TempDir(), "k")}); !errors.Is(err, store.ErrNoKey) {
		t.Errorf("no key: %v", err)
	}
}

func TestInUse(t *testing.T) {
	cfg := config(t)
	db := open(t, cfg)
	refused(t, cfg, store.ErrInUse)
	link := filepath.Join(t.TempDir(), "link")
	if os.Symlink(filepath.Dir(cfg.Path), link) == nil {
		other := cfg
		other.Path = filepath.Join(link, store.FileName)
		refused(t, other, store.ErrInUse)
	}
	must(t, db.Close())
	open(t, cfg)
}

func TestWrongKey(t *testing.T) {
	cfg := config(t)
	filled(t, cfg)
	wrong := cfg
	wrong.Key = store.NewKey()
	refused(t, wrong, store.ErrWrongKey)
	plain := store.Config{Path: cfg.Path, Plain: true}
	refused(t, plain, store.ErrWrongKey)

	// With a log left by a crash, SQLite alone would delete the log.
	db := open(t, cfg)
	must(t, db.Commit(g1, nil, many(1000, 50), nil))
	cfg.Path = snapshot(t, cfg.Path)
	wrong.Path = cfg.Path
	if fi, err := os.Stat(cfg.Path + "-wal"); err != nil || fi.Size() == 0 {
		t.Fatalf("no log in the snapshot: %v", err)
	}
	refused(t, wrong, store.ErrWrongKey)
	wantAll(t, open(t, cfg), 1050)
}

func TestTruncated(t *testing.T) {
	cfg := config(t)
	filled(t, cfg)
	whole, err := os.ReadFile(cfg.Path)
	must(t, err)
	n := len(whole)
	for _, size := range []int{0, 1, 100, 4095, 4096, 4097, n / 2, n/2 + 100, n - 4096, n - 1} {
		must(t, os.WriteFile(cfg.Path, whole[:size], 0o600))
		refused(t, cfg, store.ErrDamaged)
	}
	must(t, os.Remove(cfg.Path))
	refused(t, cfg, store.ErrDamaged)
	must(t, os.WriteFile(cfg.Path, whole, 0o600))
	wantAll(t, open(t, cfg), 1000)
}

func TestTruncatedWithLog(t *testing.T) {
	cfg := config(t)
	filled(t, cfg)
	db := open(t, cfg)
	must(t, db.Commit(g1, nil, many(1000, 5), nil))
	cfg.Path = snapshot(t, cfg.Path)
	whole, err := os.ReadFile(cfg.Path)
	must(t, err)
	for _, size := range []int{0, 100, 4096, len(whole) / 2, len(whole) / 2 &^ 4095} {
		must(t, os.WriteFile(cfg.Path, whole[:size], 0o600))
		refused(t, cfg, store.ErrDamaged)
	}
	must(t, os.Remove(cfg.Path))
	refused(t, cfg, store.ErrDamaged)
	must(t, os.WriteFile(cfg.Path, whole, 0o600))
	wantAll(t, open(t, cfg), 1005)
}

// TestCrashInCheckpoint: the log holds the pages that the file lacks.
func TestCrashInCheckpoint(t *testing.T) {
	cfg := config(t)
	db := open(t, cfg)
	must(t, db.Commit(g1, nil, many(0, 300), nil))
	early := snapshot(t, cfg.Path)
	must(t, db.Close())
	done, err := os.ReadFile(cfg.Path)
	must(t, err)
	for _, size := range []int{4096, len(done) / 2 &^ 4095, len(done)/2&^4095 + 100} {
		cfg.Path = snapshot(t, early)
		must(t, os.WriteFile(cfg.Path, done[:size], 0o600))
		wantAll(t, open(t, cfg), 300)
	}
	// A torn first page is repaired too.
	cfg.Path = snapshot(t, early)
	must(t, os.WriteFile(cfg.Path, append(make([]byte, 512), done[512:4096]...), 0o600))
	wantAll(t, open(t, cfg), 300)
}

func TestDamagedPage(t *testing.T) {
	cfg := config(t)
	filled(t, cfg)
	whole, err := os.ReadFile(cfg.Path)
	must(t, err)
	for at := 4096; at+4096 <= len(whole); at += 4096 {
		broken := bytes.Clone(whole)
		broken[at+7] ^= 1
		must(t, os.WriteFile(cfg.Path, broken, 0o600))
		err := touchAll(cfg)
		if err != nil && !errors.Is(err, store.ErrDamaged) {
			t.Errorf("byte %d: %v", at, err)
		}
	}
}

// touchAll reads everything.
func touchAll(cfg store.Config) error {
	db, err := store.Open(cfg)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := db.Load(g1, nil, func(group.Record) error { return nil }); err != nil {
		return err
	}
	var after store.Cursor
	for {
		rows, err := db.PageAfter(g1, after, 500)
		if err != nil || len(rows) == 0 {
			return err
		}
		if next := rows[len(rows)-1].Place; next != after {
			after = next
			continue
		}
		return nil
	}
}

func TestNewer(t *testing.T) {
	cfg := config(t)
	filled(t, cfg)
	t.Run("newer program", func(t *testing.T) {
		store.AddMigration(t, "CREATE TABLE later (x)")
		wantAll(t, open(t, cfg), 1000)
	})
	before, err := os.ReadDir(filepath.Dir(cfg.Path))
	must(t, err)
	refused(t, cfg, store.ErrNewer)
	if after, err := os.ReadDir(filepath.Dir(cfg.Path)); err != nil || len(after) != len(before) {
		t.Errorf("%d files are %d after a refused Open, %v", len(before), len(after), err)
	}
	t.Run("newer program again", func(t *testing.T) {
		store.AddMigration(t, "CREATE TABLE later (x)")
		wantAll(t, open(t, cfg), 1000)
	})
}

// TestNewerInLog: the version stands in the log alone, as after a crash of the
// newer program.
func TestNewerInLog(t *testing.T) {
	cfg, whole := config(t), t
	filled(t, cfg)
	t.Run("newer program", func(t *testing.T) {
		store.AddMigration(t, "CREATE TABLE later (x)")
		open(t, cfg)
		cfg.Path = snapshot(whole, cfg.Path)
	})
	refused(t, cfg, store.ErrNewer)
}

func TestMigrationFails(t *testing.T) {
	cfg := config(t)
	filled(t, cfg)
	t.Run("bad step", func(t *testing.T) {
		store.AddMigration(t, "CREATE TABLE later (x); DELETE FROM messages; no such thing")
		if _, err := store.Open(cfg); err == nil {
			t.Error("opened")
		}
	})
	wantAll(t, open(t, cfg), 1000)
}

func TestForeignDatabase(t *testing.T) {
	cfg := store.Config{Path: filepath.Join(t.TempDir(), "x.db"), Plain: true}
	db := open(t, cfg)
	must(t, store.Raw(db, "PRAGMA application_id=7; PRAGMA user_version=1"))
	must(t, db.Close())
	refused(t, cfg, store.ErrDamaged)
}
