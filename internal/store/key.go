package store

import (
	"bytes"
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
)

// KeyName is the file that holds a key in plain, in a home without passphrase.
const KeyName = "kith.key"

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

// wipe zeroes the key; copies of it stay.
func (k *Key) wipe() { clear(k.b[:]) }

// same compares without telling by its time where two keys differ.
func (k Key) same(o Key) bool { return subtle.ConstantTimeCompare(k.b[:], o.b[:]) == 1 }

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
