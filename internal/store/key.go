package store

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
)

// Key encrypts a database. It prints as "redacted" in every form. The zero
// value is no key.
type Key struct {
	b   [32]byte
	set bool
}

// NewKey draws a key at random.
func NewKey() Key {
	k := Key{set: true}
	rand.Read(k.b[:]) // never fails: crypto/rand ends the program instead
	return k
}

// Format implements fmt.Formatter, so that no verb prints the bytes.
func (k Key) Format(s fmt.State, _ rune) { io.WriteString(s, "redacted") }

// LogValue implements slog.LogValuer.
func (k Key) LogValue() slog.Value { return slog.StringValue("redacted") }

// The key file is one line of text, so that a person can copy it to paper:
//
//	offset size field
//	0      11   "kith key 1 "
//	11     64   key, lower-case hex
//	75     1    newline
const (
	keyFilePrefix = "kith key 1 "
	keyFileSize   = len(keyFilePrefix) + 64 + 1
)

// OpenKeyFile reads the key from path. If there is neither such a file nor a
// database beside it, it makes one with a random key, readable by its owner
// only. A file that others may read is refused with [ErrPermissions].
func OpenKeyFile(path string) (Key, error) {
	text, err := readPrivate(path, keyFileSize)
	if errors.Is(err, fs.ErrNotExist) {
		if databaseBeside(path) {
			return Key{}, fmt.Errorf("%w: %s", ErrKeyMissing, path)
		}
		return makeKeyFile(path)
	}
	if err != nil {
		return Key{}, err
	}
	k, ok := parseKey(text)
	if !ok {
		return Key{}, fmt.Errorf("%w: %s", ErrKeyFile, path)
	}
	return k, nil
}

func makeKeyFile(path string) (Key, error) {
	k := NewKey()
	err := writePrivate(path, k.text())
	if errors.Is(err, fs.ErrExist) { // another program was first
		return OpenKeyFile(path)
	}
	if err != nil {
		return Key{}, err
	}
	return k, nil
}

func (k Key) text() []byte {
	return []byte(keyFilePrefix + hex.EncodeToString(k.b[:]) + "\n")
}

func parseKey(text []byte) (Key, bool) {
	if len(text) != keyFileSize || !bytes.HasPrefix(text, []byte(keyFilePrefix)) {
		return Key{}, false
	}
	k := Key{set: true}
	digits := text[len(keyFilePrefix) : keyFileSize-1]
	if _, err := hex.Decode(k.b[:], digits); err != nil {
		return Key{}, false
	}
	if text[keyFileSize-1] != '\n' || !bytes.Equal(bytes.ToLower(digits), digits) {
		return Key{}, false
	}
	return k, true
}

// databaseBeside reports whether the folder of path holds a database, for
// which a new key would be of no use.
func databaseBeside(path string) bool {
	fi, err := os.Stat(filepath.Join(filepath.Dir(path), FileName))
	return err == nil && fi.Size() > 0
}

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
func writePrivate(path string, text []byte) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	f, err := os.CreateTemp(dir, ".new-*") // mode 0600
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	defer os.Remove(f.Name())
	_, err = f.Write(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = place(f.Name(), path)
	}
	if err == nil {
		err = syncDir(dir)
	}
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
