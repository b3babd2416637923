package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"kith/internal/api"
)

// Files that a person names: whole or not at all, and there to stay once that is told.

// writeNew makes a file that must not be there yet, for its owner alone.
func writeNew(path string, b []byte) error {
	dir := filepath.Dir(path)
	if at, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) || err == nil && !at.IsDir() {
		return &api.Error{Reason: api.ReasonFolder, Subject: dir}
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if err := writeAll(f, b); err != nil {
		_ = os.Remove(path) // half a file is none
		return err
	}
	return syncFolder(dir)
}

// replace puts b in the place of a file.
func replace(path string, b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".kept-*") // mode 0600
	if err != nil {
		return err
	}
	if err = writeAll(f, b); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// writeAll writes all of a file to the disk, and closes it.
func writeAll(f *os.File, b []byte) error {
	_, err := f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// syncFolder makes the names in a folder durable. Windows has no such call, NTFS
// journals its names.
func syncFolder(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
