package store

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// readPrivate reads a file of at most limit bytes that only its owner may
// read; a longer one is returned cut at limit+1.
func readPrivate(path string, limit int) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	if !fi.Mode().IsRegular() {
		return nil, fmt.Errorf("%w: %s is no plain file", ErrKeyFile, path)
	}
	if openToOthers(fi.Mode()) {
		return nil, fmt.Errorf("%w: %s has mode %04o; set it to 0600", ErrPermissions, path, fi.Mode().Perm())
	}
	text, err := io.ReadAll(io.LimitReader(f, int64(limit)+1))
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	return text, nil
}

// writePrivate makes a file that appears whole or not at all, and never in
// place of another.
func writePrivate(path string, text []byte) error { return writeBy(path, text, place) }

// replacePrivate puts a file in the place of another of that name. A crash leaves
// the one or the other, whole; then the bytes of the old one are overwritten.
func replacePrivate(path string, text []byte) error {
	old := openReplaced(path)
	if old != nil {
		defer old.Close()
	}
	if err := writeBy(path, text, os.Rename); err != nil || old == nil {
		return err
	}
	return overwrite(old)
}

// writeBy writes a file beside path, and has named give it that name.
func writeBy(path string, text []byte, named func(from, to string) error) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	f, err := os.CreateTemp(dir, unfinished+"*") // mode 0600
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	defer os.Remove(f.Name())
	_, err = f.Write(text)
	stepped()
	err = errors.Join(err, f.Sync(), f.Close())
	stepped()
	if err == nil {
		err = named(f.Name(), path)
	}
	stepped()
	if err == nil {
		err = syncDir(dir)
	}
	stepped()
	if err != nil {
		return fmt.Errorf("store: write %s: %w", path, err)
	}
	return nil
}

// place gives a finished file its name. A hard link never replaces a file;
// where the file system has none, the check before the rename must do.
func place(from, to string) error {
	err := os.Link(from, to)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	if _, err := os.Lstat(to); err == nil {
		return fs.ErrExist
	}
	return os.Rename(from, to)
}

// stepped is called after each step that a crash may leave a home at; for tests.
var stepped = func() {}

// unfinished begins the name of a file that is being written; a crash may leave one.
const unfinished = ".new-"

// overwrite puts noise over all bytes of a file. What the disk underneath, or a
// file system that never writes in place, still has of them stays.
func overwrite(f *os.File) error {
	fi, err := f.Stat()
	if err == nil {
		noise := make([]byte, fi.Size())
		rand.Read(noise)
		_, err = f.WriteAt(noise, 0)
	}
	err = errors.Join(err, f.Sync())
	stepped()
	if err != nil {
		return fmt.Errorf("store: overwrite %s: %w", f.Name(), err)
	}
	return nil
}

// destroy overwrites a small file and removes it. It loses its name first, so that
// a crash leaves none whose bytes are noise. One that is not there is no error.
func destroy(path string) error {
	dir, name := filepath.Split(path)
	if !strings.HasPrefix(name, unfinished) {
		gone := dir + unfinished + name
		err := os.Rename(path, gone)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		stepped()
		if err = errors.Join(err, syncDir(filepath.Dir(path))); err != nil {
			return fmt.Errorf("store: remove %s: %w", path, err)
		}
		path = gone
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = errors.Join(overwrite(f), f.Close())
	}
	if err = errors.Join(err, os.Remove(path), syncDir(filepath.Dir(path))); err != nil {
		return fmt.Errorf("store: remove %s: %w", path, err)
	}
	return nil
}
