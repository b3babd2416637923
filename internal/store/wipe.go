package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Wipe makes the key of dir unreadable for ever, and removes its database. The
// vault stays, in the form of one whose passphrase is not known. What cannot be
// removed, as on Windows while it is open, is removed by a later call; what of
// it the disk keeps, or somebody has copied before, stays.
func Wipe(dir string) error {
	path := filepath.Join(dir, VaultName)
	var err error
	if text, read := readPrivate(path, maxVaultBytes); read == nil {
		if v, parsed := parseVault(text); parsed == nil {
			err = v.spoil(path)
		}
	}
	err = errors.Join(err, destroy(filepath.Join(dir, KeyName)), sweep(dir))
	database, followErr := followed(filepath.Join(dir, FileName))
	if followErr != nil {
		return errors.Join(err, followErr)
	}
	for _, beside := range []string{"", "-wal", "-shm", "-journal", "-room", ".lock"} {
		if gone := os.Remove(database + beside); !errors.Is(gone, os.ErrNotExist) {
			err = errors.Join(err, gone)
		}
		stepped()
	}
	return errors.Join(err, syncDir(filepath.Dir(database)))
}

// wiped wipes dir and says what a wrong passphrase says. What could not be
// removed is no longer readable, and telling of it would tell all.
func wiped(dir string, v vault) error {
	_ = v.spoil(filepath.Join(dir, VaultName)) // before all else
	_ = Wipe(dir)
	return ErrWiped
}

// spoil overwrites the slots of a vault file where they lie: a file that replaced
// it would leave them on the disk.
func (v vault) spoil(path string) error {
	if v.Version < vaultVersion {
		return destroy(path)
	}
	v.Slots = [][]byte{random(slotSize), random(slotSize)}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(v.text(), 0) // of the length of the one before
	err = errors.Join(err, f.Sync(), f.Close())
	stepped()
	return err
}

// sweep destroys files that a crash has left unfinished: each may hold a key.
func sweep(dir string) error {
	files, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	for _, f := range files {
		if strings.HasPrefix(f.Name(), unfinished) {
			err = errors.Join(err, destroy(filepath.Join(dir, f.Name())))
		}
	}
	return err
}
