package store_test

import (
	"errors"
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"

	"kith/internal/group"
	"kith/internal/store"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/util/vfsutil"
	"github.com/ncruces/go-sqlite3/vfs"
)

// disk is a file system that can be full and can lose its power. It passes
// everything on to the real one and remembers what has not been synced.
type disk struct {
	vfs.VFS
	mu    sync.Mutex // guards all below
	space int        // writes until the disk is full; negative: endless
	files map[string]*platter
}

// platter is what surely is on the disk of one file, and what may be.
type platter struct {
	synced  []byte
	pending []change
}

// change is a write, or, without data, a truncation.
type change struct {
	at   int64
	data []byte
}

func newDisk() *disk {
	return &disk{VFS: vfs.Find(""), space: -1, files: map[string]*platter{}}
}

func (d *disk) Open(name string, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	return nil, flags, sqlite3.CANTOPEN // SQLite calls OpenFilename
}

func (d *disk) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	f, flags, err := vfsutil.WrapOpenFilename(d.VFS, name, flags)
	if err != nil {
		return f, flags, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	path := name.String()
	if d.files[path] == nil {
		b, err := os.ReadFile(path)
		if err != nil {
			return nil, flags, err
		}
		d.files[path] = &platter{synced: b}
	}
	return &diskFile{File: f, disk: d, path: path}, flags, nil
}

func (d *disk) Delete(name string, sync bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.files, name)
	return d.VFS.Delete(name, sync)
}

type diskFile struct {
	vfs.File
	disk *disk
	path string
}

func (f *diskFile) SharedMemory() vfs.SharedMemory { return vfsutil.WrapSharedMemory(f.File) }

func (f *diskFile) note(c change) {
	p := f.disk.files[f.path]
	p.pending = append(p.pending, c)
}

func (f *diskFile) WriteAt(b []byte, at int64) (int, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if f.disk.space == 0 {
		return 0, syscall.ENOSPC
	}
	f.disk.space--
	f.note(change{at, slices.Clone(b)})
	return f.File.WriteAt(b, at)
}

func (f *diskFile) Truncate(size int64) error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	f.note(change{at: size})
	return f.File.Truncate(size)
}

func (f *diskFile) Sync(flags vfs.SyncFlag) error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	p := f.disk.files[f.path]
	for _, c := range p.pending {
		p.synced = c.apply(p.synced)
	}
	p.pending = nil
	return nil // the tests end before the real disk matters
}

func (c change) apply(b []byte) []byte {
	if c.data == nil {
		if int64(len(b)) > c.at {
			return b[:c.at]
		}
		return append(b, make([]byte, c.at-int64(len(b)))...)
	}
	if end := c.at + int64(len(c.data)); end > int64(len(b)) {
		b = append(b, make([]byte, end-int64(len(b)))...)
	}
	copy(b[c.at:], c.data)
	return b
}

// cutPower writes into a new folder what a power cut may leave: everything
// that was synced, and any sectors of the rest.
func (d *disk) cutPower(t *testing.T, rng *rand.Rand, lock string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	dir := t.TempDir()
	keep := rng.Float64()
	for path, p := range d.files {
		left := slices.Clone(p.synced)
		for _, c := range p.pending {
			if c.data == nil {
				if rng.Float64() < keep {
					left = c.apply(left)
				}
				continue
			}
			for i := 0; i < len(c.data); i += 512 {
				if rng.Float64() < keep {
					left = change{c.at + int64(i), c.data[i:min(i+512, len(c.data))]}.apply(left)
				}
			}
		}
		must(t, os.WriteFile(filepath.Join(dir, filepath.Base(path)), left, 0o600))
	}
	b, err := os.ReadFile(lock)
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, filepath.Base(lock)), b, 0o600))
	return filepath.Join(dir, store.FileName)
}

func (d *disk) setSpace(writes int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.space = writes
}

// TestPowerCut cuts the power between any two commits and while the next one
// is half on the disk.
func TestPowerCut(t *testing.T) {
	t.Cleanup(store.UseSmallIndex())
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 0))
	t.Logf("seed %d", seed)
	d := newDisk()
	cfg := config(t)
	db := open(t, store.On(t, cfg, d))
	for i := range uint64(120) {
		must(t, db.CommitMany(numbered(i)))
		if rng.IntN(3) > 0 {
			continue
		}
		// Stop the next commit at a write, as if the power went then.
		d.setSpace(rng.IntN(12))
		err := db.CommitMany(numbered(i + 1))
		after := cfg
		after.Path = d.cutPower(t, rng, cfg.Path+".lock")
		d.setSpace(-1)
		left := open(t, after)
		n := wantNumbered(t, left)
		must(t, left.Close())
		if n != i+1 && n != i+2 || err == nil && n != i+2 {
			t.Fatalf("seed %d: %d commits are left; %d were acknowledged, the next returned %v", seed, n, i+1, err)
		}
	}
}

// TestFullDisk fills the disk at every write that a commit makes.
func TestFullDisk(t *testing.T) {
	t.Cleanup(store.UseSmallIndex())
	d := newDisk()
	cfg := config(t)
	db := open(t, store.On(t, cfg, d))
	next := uint64(0)
	for ; next < 20; next++ {
		must(t, db.CommitMany(numbered(next)))
	}
	fulls := 0
	for space := 0; ; space++ {
		d.setSpace(space)
		err := db.CommitMany(numbered(next))
		d.setSpace(-1)
		if err == nil {
			next++
			break
		}
		fulls++
		if !errors.Is(err, store.ErrFull) {
			t.Fatalf("space for %d writes: %v", space, err)
		}
		if n := wantNumbered(t, db); n != next {
			t.Fatalf("space for %d writes: %d commits, want %d", space, n, next)
		}
		must(t, db.CommitMany(numbered(next)))
		next++
	}
	if fulls < 3 {
		t.Errorf("the disk was full %d times only", fulls)
	}
	must(t, db.Close())
	if n := wantNumbered(t, open(t, cfg)); n != next {
		t.Errorf("%d commits after all, want %d", n, next)
	}
}

func TestMaxPages(t *testing.T) {
	cfg := config(t)
	cfg.MaxPages = 60
	db := open(t, cfg)
	next := uint64(0)
	var err error
	for ; err == nil; next++ {
		err = db.CommitMany(numbered(next))
	}
	if !errors.Is(err, store.ErrFull) {
		t.Fatal(err)
	}
	next--
	for range 3 {
		if err := db.CommitMany(numbered(next)); !errors.Is(err, store.ErrFull) {
			t.Fatal(err)
		}
	}
	if n := wantNumbered(t, db); n != next {
		t.Fatalf("%d commits, want %d", n, next)
	}
	must(t, db.Close())
	if fi, err := os.Stat(cfg.Path); err != nil || fi.Size() > 60*4096 {
		t.Errorf("%d bytes, %v", fi.Size(), err)
	}
	cfg.MaxPages = 0
	db = open(t, cfg)
	must(t, db.CommitMany(numbered(next)))
	wantNumbered(t, db)

	// What is deleted makes space.
	must(t, db.DeleteGroup(g1))
	must(t, db.DeleteGroup(g2))
	must(t, db.Close())
	cfg.MaxPages = 60
	must(t, open(t, cfg).Commit(g1, []group.Record{{Kind: group.KindSelf, Value: make([]byte, 90<<10)}}, nil, nil))
}

// small is for a run by hand on a disk that really is full:
//
//	mount -t tmpfs -o size=3m none /mnt && go test ./internal/store -run=SmallDisk -small=/mnt
var small = flag.String("small", "", "folder on a file system of a few MB")

func TestSmallDisk(t *testing.T) {
	if *small == "" {
		t.Skip("no small file system given with -small")
	}
	cfg := store.Config{Path: filepath.Join(*small, "full", store.FileName), Key: store.NewKey()}
	t.Cleanup(func() { os.RemoveAll(filepath.Dir(cfg.Path)) })
	ballast := filepath.Join(filepath.Dir(cfg.Path), "ballast")
	must(t, os.Mkdir(filepath.Dir(cfg.Path), 0o700))
	must(t, os.WriteFile(ballast, make([]byte, 1<<20), 0o600))
	db := open(t, cfg)
	fill := func(next uint64) uint64 {
		for ; ; next++ {
			err := db.CommitMany(numbered(next))
			if errors.Is(err, store.ErrFull) {
				return next
			}
			must(t, err)
		}
	}
	next := fill(0)
	if n := wantNumbered(t, db); n != next {
		t.Fatalf("%d commits, want %d", n, next)
	}
	must(t, os.Remove(ballast))
	more := fill(next)
	if n := wantNumbered(t, db); n != more || more == next {
		t.Fatalf("%d commits, want %d, more than %d", n, more, next)
	}
	must(t, db.Close())
	db = open(t, cfg)
	if n := wantNumbered(t, db); n != more {
		t.Fatalf("%d commits after all, want %d", n, more)
	}
	t.Logf("full after %d and %d commits", next, more)
}
