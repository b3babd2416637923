package store

import (
	"errors"
	"os"
)

// Full reports whether an error is a refusal of the system for want of space, also one
// that did not come from here.
func Full(err error) bool { return errors.Is(err, ErrFull) || err != nil && fullDisk(err) }

// Room reports whether the disk takes more again: [ErrFull] if it does not. It writes a file
// beside the database, which is gone afterwards: no other question is answered alike by disks,
// quotas and limits.
func (db *DB) Room() error {
	if db.path == "" {
		return nil
	}
	path := db.path + "-room"
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return translate(err)
	}
	_, err = f.Write(make([]byte, roomBytes))
	return translate(errors.Join(err, f.Close(), os.Remove(path)))
}
