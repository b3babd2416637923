package store

import (
	"errors"
	"fmt"

	"github.com/ncruces/go-sqlite3"
)

// Facts a caller branches on.
var (
	ErrInUse           = errors.New("store: another program has this folder open")
	ErrWrongKey        = errors.New("store: the key does not fit this database")
	ErrDamaged         = errors.New("store: the database is damaged")
	ErrNewer           = errors.New("store: written by a newer version of Kith; update the program")
	ErrFull            = errors.New("store: the disk is full")
	ErrClosed          = errors.New("store: closed")
	ErrReadOnly        = errors.New("store: write in a read-only transaction")
	ErrNoKey           = errors.New("store: no key given")
	ErrPlain           = errors.New("store: an unencrypted database is for tests only")
	ErrRange           = errors.New("store: a number or a length is out of range")
	ErrPermissions     = errors.New("store: others may read this file")
	ErrKeyMissing      = errors.New("store: the key file of this database is gone")
	ErrKeyFile         = errors.New("store: the key file is not readable as one")
	ErrWrongPassphrase = errors.New("store: wrong passphrase")
	ErrNoPassphrase    = errors.New("store: empty passphrase")
	ErrSamePassphrase  = errors.New("store: one passphrase would open and wipe")
	ErrVault           = errors.New("store: there is a passphrase already")
	ErrNoVault         = errors.New("store: there is no passphrase")
	ErrNoHome          = errors.New("store: there is no database")
	ErrWiped           = fmt.Errorf("%w", ErrWrongPassphrase) // says the same; only who holds the database open asks which
)

// translate gives an error of the engine the meaning callers branch on.
func translate(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sqlite3.FULL), errors.Is(err, sqlite3.IOERR_SHMSIZE), fullDisk(err):
		// SHMSIZE: the index of the log could not grow
		return fmt.Errorf("%w (%w)", ErrFull, err)
	case errors.Is(err, sqlite3.CORRUPT), errors.Is(err, sqlite3.NOTADB):
		return fmt.Errorf("%w (%w)", ErrDamaged, err)
	default:
		return fmt.Errorf("store: %w", err)
	}
}
