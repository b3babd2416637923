package store

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"golang.org/x/crypto/argon2"
)

// VaultName is the file that holds a key wrapped by a passphrase.
const VaultName = "vault.json"

// vault is the content of the file: a random database key under AES-256-GCM,
// whose key Argon2id makes of the passphrase. The passphrase can then change
// without a byte of the database; the tag of GCM is the check value.
type vault struct {
	Version   int    `json:"version"`
	KDF       string `json:"kdf"`
	Time      uint32 `json:"time"`
	MemoryKiB uint32 `json:"memory_kib"`
	Threads   uint8  `json:"threads"`
	Salt      []byte `json:"salt"`    // 16 bytes
	Nonce     []byte `json:"nonce"`   // 12 bytes
	Wrapped   []byte `json:"wrapped"` // key and tag, 48 bytes
}

const (
	vaultVersion = 1
	vaultKDF     = "argon2id"
	saltSize     = 16
	nonceSize    = 12
	tagSize      = 16
)

// argonMemory is a variable for tests only: 256 MiB for each would be slow.
var argonMemory uint32 = vaultMemoryKiB

// DerivePassphrase returns the key that passphrase unlocks in dir. The first
// call draws a key and wraps it; later ones return [ErrWrongPassphrase] if the
// passphrase is another.
func DerivePassphrase(dir string, passphrase []byte) (Key, error) {
	if len(passphrase) == 0 {
		return Key{}, ErrNoPassphrase
	}
	if len(passphrase) > maxPassphrase {
		return Key{}, fmt.Errorf("%w: passphrase of %d bytes", ErrRange, len(passphrase))
	}
	path := filepath.Join(dir, VaultName)
	text, err := readPrivate(path, maxVaultBytes)
	if errors.Is(err, fs.ErrNotExist) {
		if databaseBeside(path) {
			return Key{}, fmt.Errorf("%w: %s", ErrKeyMissing, path)
		}
		return makeVault(path, passphrase)
	}
	if err != nil {
		return Key{}, err
	}
	v, err := parseVault(text)
	if err != nil {
		return Key{}, fmt.Errorf("%w: %s", err, path)
	}
	return v.open(passphrase)
}

func makeVault(path string, passphrase []byte) (Key, error) {
	k := NewKey()
	v := vault{
		Version: vaultVersion, KDF: vaultKDF,
		Time: vaultTime, MemoryKiB: argonMemory, Threads: vaultThreads,
		Salt: make([]byte, saltSize), Nonce: make([]byte, nonceSize),
	}
	rand.Read(v.Salt)
	rand.Read(v.Nonce)
	v.Wrapped = v.box(passphrase).Seal(nil, v.Nonce, k.b[:], v.bound())
	err := writePrivate(path, v.text())
	if errors.Is(err, fs.ErrExist) { // another program was first
		return DerivePassphrase(filepath.Dir(path), passphrase)
	}
	if err != nil {
		return Key{}, err
	}
	return k, nil
}

func (v vault) open(passphrase []byte) (Key, error) {
	plain, err := v.box(passphrase).Open(nil, v.Nonce, v.Wrapped, v.bound())
	if err != nil {
		return Key{}, ErrWrongPassphrase
	}
	k := Key{set: true}
	copy(k.b[:], plain)
	clear(plain)
	return k, nil
}

// box is the cipher under the key that the passphrase makes.
func (v vault) box(passphrase []byte) cipher.AEAD {
	kek := argon2.IDKey(passphrase, v.Salt, v.Time, v.MemoryKiB, v.Threads, 32)
	block, err := aes.NewCipher(kek)
	clear(kek)
	if err != nil {
		panic(err) // 32 bytes are a key of AES
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		panic(err) // AES has the block size of GCM
	}
	return gcm
}

// bound is what the tag covers beside the key: parameters changed by a
// stranger do not open.
func (v vault) bound() []byte {
	v.Wrapped, v.Nonce = nil, nil
	return v.text()
}

func (v vault) text() []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // numbers, a string and bytes always marshal
	}
	return append(b, '\n')
}

// parseVault reads a vault file. It accepts only what text writes, byte for
// byte, and only parameters within the bounds of limits.go.
func parseVault(text []byte) (vault, error) {
	var v vault
	if len(text) > maxVaultBytes || json.Unmarshal(text, &v) != nil {
		return vault{}, ErrKeyFile
	}
	if v.Version > vaultVersion {
		return vault{}, ErrNewer
	}
	ok := v.Version == vaultVersion && v.KDF == vaultKDF &&
		v.Time >= 1 && v.Time <= maxVaultTime &&
		v.MemoryKiB >= argonMemory && v.MemoryKiB <= maxVaultMemoryKiB &&
		v.Threads >= 1 && v.Threads <= maxVaultThreads &&
		len(v.Salt) == saltSize && len(v.Nonce) == nonceSize && len(v.Wrapped) == 32+tagSize
	if !ok || !bytes.Equal(v.text(), text) {
		return vault{}, ErrKeyFile
	}
	return v, nil
}
