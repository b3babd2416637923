package store

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
)

// VaultName is the file that holds a key wrapped by a passphrase.
const VaultName = "vault.json"

// Passphrase is what a person types. It prints as "redacted" in every form.
type Passphrase []byte

// Format implements fmt.Formatter, so that no verb prints the bytes.
func (p Passphrase) Format(s fmt.State, _ rune) { io.WriteString(s, "redacted") }

// LogValue implements slog.LogValuer.
func (p Passphrase) LogValue() slog.Value { return slog.StringValue("redacted") }

// Wipe zeroes it.
func (p Passphrase) Wipe() { clear(p) }

// HasVault reports whether the key of a home lies behind a passphrase.
func HasVault(dir string) (bool, error) {
	_, err := os.Lstat(filepath.Join(dir, VaultName))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("store: %w", err)
	}
	return true, nil
}

// OpenVault returns the key that passphrase unlocks in dir. Where there is
// neither vault nor key it makes a vault around a new key. A passphrase that
// opens nothing is refused with [ErrWrongPassphrase]. The duress passphrase
// wipes the home, and the answer is an [ErrWiped].
//
// It also ends what a crash may have left half done: a vault of version 1 is
// taken over, and a key file beside a vault that holds the same key removed.
func OpenVault(dir string, passphrase Passphrase) (Key, error) {
	there, err := HasVault(dir)
	if err != nil {
		return Key{}, err
	}
	if !there {
		if databaseBeside(filepath.Join(dir, VaultName)) {
			return Key{}, fmt.Errorf("%w: %s", ErrKeyMissing, filepath.Join(dir, VaultName))
		}
		return makeVault(dir, passphrase)
	}
	o, err := open(dir, passphrase)
	if err != nil {
		return Key{}, err
	}
	defer o.wipe()
	if o.v.Version < vaultVersion {
		if err := o.write(dir); err != nil {
			return Key{}, err
		}
	}
	k := o.key()
	return k, errors.Join(dropKeyFile(dir, k), sweep(dir))
}

// SetPassphrase puts a vault in the place of the key file of dir.
func SetPassphrase(dir string, passphrase Passphrase) error {
	if there, err := HasVault(dir); err != nil {
		return err
	} else if there {
		return ErrVault
	}
	if !databaseBeside(filepath.Join(dir, KeyName)) {
		return fmt.Errorf("%w: %s", ErrNoHome, dir)
	}
	k, err := OpenKeyFile(filepath.Join(dir, KeyName))
	if err != nil {
		return err
	}
	defer k.wipe()
	o, err := newVault(passphrase, k)
	if err != nil {
		return err
	}
	defer o.wipe()
	text, err := o.seal()
	if err != nil {
		return err
	}
	if err := writePrivate(filepath.Join(dir, VaultName), text); err != nil {
		return err
	}
	return errors.Join(dropKeyFile(dir, k), sweep(dir))
}

// ChangePassphrase makes next the passphrase of dir. The duress passphrase, if
// there is one, stays what it is.
func ChangePassphrase(dir string, passphrase, next Passphrase) error {
	return rewrite(dir, passphrase, func(o *opened) error {
		kek, err := o.v.derive(next)
		if err != nil {
			return err
		}
		clear(o.kek)
		o.kek = kek
		return nil
	})
}

// SetDuress makes duress the passphrase that wipes dir, in place of any before.
func SetDuress(dir string, passphrase, duress Passphrase) error {
	return rewrite(dir, passphrase, func(o *opened) error {
		kek, err := o.v.derive(duress)
		if err != nil {
			return err
		}
		o.setOther(kek)
		clear(kek)
		return nil
	})
}

// RemoveDuress leaves dir without a passphrase that wipes it, whether or not
// there was one.
func RemoveDuress(dir string, passphrase Passphrase) error {
	return rewrite(dir, passphrase, func(o *opened) error {
		o.setOther(random(kekSize))
		return nil
	})
}

// RemovePassphrase puts a key file in the place of the vault of dir.
func RemovePassphrase(dir string, passphrase Passphrase) error {
	o, err := open(dir, passphrase)
	if err != nil {
		return err
	}
	defer o.wipe()
	k := o.key()
	defer k.wipe()
	path := filepath.Join(dir, KeyName)
	text := k.text()
	defer clear(text)
	if err := writePrivate(path, text); errors.Is(err, fs.ErrExist) {
		if err := sameKeyFile(path, k); err != nil {
			return err
		}
	} else if err != nil {
		return err
	}
	return destroy(filepath.Join(dir, VaultName))
}

// Hold takes a home as an open database does, so that no program opens it until
// it is closed.
func Hold(dir string) (io.Closer, error) {
	path, err := followed(filepath.Join(dir, FileName))
	if err != nil {
		return nil, err
	}
	return lockFile(path + ".lock")
}

// rewrite opens the vault of dir, has change alter it, and writes it anew.
func rewrite(dir string, passphrase Passphrase, change func(*opened) error) error {
	o, err := open(dir, passphrase)
	if err != nil {
		return err
	}
	defer o.wipe()
	if err := change(o); err != nil {
		return err
	}
	return o.write(dir)
}

// opened is a vault whose passphrase was given.
type opened struct {
	v     vault
	kek   []byte // what the passphrase makes, by v's parameters
	plain plain  // of the slot that opens
}

func newVault(passphrase Passphrase, k Key) (*opened, error) {
	o := &opened{v: vault{
		Version: vaultVersion, KDF: vaultKDF,
		Time: vaultTime, MemoryKiB: argonMemory, Threads: vaultThreads, Salt: random(saltSize),
	}}
	var err error
	if o.kek, err = o.v.derive(passphrase); err != nil {
		return nil, err
	}
	o.plain.set(slotOpens, k.b[:], random(kekSize))
	return o, nil
}

func makeVault(dir string, passphrase Passphrase) (Key, error) {
	k := NewKey()
	o, err := newVault(passphrase, k)
	if err != nil {
		return Key{}, err
	}
	defer o.wipe()
	text, err := o.seal()
	if err != nil {
		return Key{}, err
	}
	err = writePrivate(filepath.Join(dir, VaultName), text)
	if errors.Is(err, fs.ErrExist) { // another program was first
		return OpenVault(dir, passphrase)
	}
	if err != nil {
		return Key{}, err
	}
	return k, nil
}

// open reads the vault of dir and tries passphrase on it.
func open(dir string, passphrase Passphrase) (*opened, error) {
	path := filepath.Join(dir, VaultName)
	text, err := readPrivate(path, maxVaultBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s", ErrNoVault, dir)
	}
	if err != nil {
		return nil, err
	}
	v, err := parseVault(text)
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, path)
	}
	o := &opened{v: v}
	if o.kek, err = v.derive(passphrase); err != nil {
		return nil, err
	}
	kind := v.open(o.kek, &o.plain)
	switch kind {
	case slotOpens:
		return o, nil
	case slotWipes:
		o.wipe()
		return nil, wiped(dir, v)
	default:
		o.wipe()
		return nil, ErrWrongPassphrase
	}
}

func (o *opened) key() Key {
	k := Key{set: true}
	copy(k.b[:], o.plain.key())
	return k
}

// setOther replaces the key of the slot that wipes.
func (o *opened) setOther(kek []byte) { copy(o.plain.other(), kek) }

// seal makes the text of a vault whose slots are both new, in an order that is
// drawn. The salt stays: the duress passphrase is not known here, and a vault
// without one must look the same.
func (o *opened) seal() ([]byte, error) {
	if subtle.ConstantTimeCompare(o.kek, o.plain.other()) == 1 {
		return nil, ErrSamePassphrase
	}
	v := o.v
	v.Version, v.Nonce, v.Wrapped = vaultVersion, nil, nil
	var wipes plain
	wipes.set(slotWipes, random(kekSize), random(kekSize))
	first := int(random(1)[0] & 1)
	var slots [2][]byte
	slots[first] = v.slot(o.kek, &o.plain)
	slots[1-first] = v.slot(o.plain.other(), &wipes)
	v.Slots = slots[:]
	return v.text(), nil
}

// write replaces the vault of dir.
func (o *opened) write(dir string) error {
	text, err := o.seal()
	if err != nil {
		return err
	}
	return replacePrivate(filepath.Join(dir, VaultName), text)
}

func (o *opened) wipe() {
	clear(o.kek)
	clear(o.plain[:])
}

// dropKeyFile destroys the key file of dir if its key is k.
func dropKeyFile(dir string, k Key) error {
	path := filepath.Join(dir, KeyName)
	switch err := sameKeyFile(path, k); {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, ErrWrongKey), errors.Is(err, ErrKeyFile):
		return nil // nobody's, or not this database's: not ours to destroy
	case err != nil:
		return err
	}
	return destroy(path)
}

// sameKeyFile returns nil if the key file at path holds k.
func sameKeyFile(path string, k Key) error {
	text, err := readPrivate(path, keyFileSize)
	if err != nil {
		return err
	}
	defer clear(text)
	is, ok := parseKey(text)
	defer is.wipe()
	if !ok {
		return fmt.Errorf("%w: %s", ErrKeyFile, path)
	}
	if !is.same(k) {
		return fmt.Errorf("%w: %s", ErrWrongKey, path)
	}
	return nil
}
