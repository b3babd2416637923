package store

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"runtime/debug"
	"sync"
	"testing"

	"golang.org/x/crypto/argon2"
)

// vault is the content of the file: parameters of Argon2id, and two slots that
// look the same. One holds the random database key under the key that Argon2id
// makes of the passphrase; the other is wrapped for the duress passphrase, or
// under a random key that no passphrase makes. The key of either slot is tried
// on both, so one derivation tells all; the tag of GCM is the check value.
//
// docs/spec/store.md has the table; docs/adr/0050-vault.md says why.
type vault struct {
	Version   int      `json:"version"`
	KDF       string   `json:"kdf"`
	Time      uint32   `json:"time"`
	MemoryKiB uint32   `json:"memory_kib"`
	Threads   uint8    `json:"threads"`
	Salt      []byte   `json:"salt"`              // 16 bytes
	Nonce     []byte   `json:"nonce,omitempty"`   // version 1: 12 bytes
	Wrapped   []byte   `json:"wrapped,omitempty"` // version 1: key and tag, 48 bytes
	Slots     [][]byte `json:"slots,omitempty"`   // version 2: two
}

// vaultV1 is the form of version 1, whose bound text has nulls.
type vaultV1 struct {
	Version   int    `json:"version"`
	KDF       string `json:"kdf"`
	Time      uint32 `json:"time"`
	MemoryKiB uint32 `json:"memory_kib"`
	Threads   uint8  `json:"threads"`
	Salt      []byte `json:"salt"`
	Nonce     []byte `json:"nonce"`
	Wrapped   []byte `json:"wrapped"`
}

const (
	vaultVersion = 2
	vaultKDF     = "argon2id"
	saltSize     = 16
	nonceSize    = 12
	tagSize      = 16
	kekSize      = 32
)

// A slot is sealed:
//
//	offset size field
//	0      12   nonce
//	12     65   plain, encrypted
//	77     16   tag
const slotSize = nonceSize + plainSize + tagSize

// plain is what a slot holds:
//
//	offset size field
//	0      1    kind: 1 opens, 2 wipes
//	1      32   kind 1: key of the database; kind 2: noise
//	33     32   kind 1: key of the other slot; kind 2: noise
type plain [plainSize]byte

const plainSize = 1 + 32 + kekSize

// Kinds of slots. Zero is what no slot holds.
const (
	slotNone  byte = 0
	slotOpens byte = 1
	slotWipes byte = 2
)

func (p *plain) set(kind byte, key, other []byte) {
	p[0] = kind
	copy(p.key(), key)
	copy(p.other(), other)
}

func (p *plain) key() []byte   { return p[1:33] }
func (p *plain) other() []byte { return p[33:] }

// argonMemory is a variable for tests only: 256 MiB for each would be slow.
var argonMemory uint32 = vaultMemoryKiB

// UseSmallVaults makes Argon2id cheap, in test binaries alone, before any vault is made.
func UseSmallVaults() {
	if !testing.Testing() {
		panic("store: a cheap vault is for tests only")
	}
	argonMemory = 64
}

// deriving is held by the one derivation that runs: two need twice the memory.
var deriving sync.Mutex

// derive makes the key that passphrase stands for. Its memory goes back to the
// system before it returns, which also clears it.
func (v vault) derive(passphrase Passphrase) ([]byte, error) {
	if len(passphrase) == 0 {
		return nil, ErrNoPassphrase
	}
	if len(passphrase) > maxPassphrase {
		return nil, fmt.Errorf("%w: passphrase of %d bytes", ErrRange, len(passphrase))
	}
	deriving.Lock()
	defer deriving.Unlock()
	kek := argon2.IDKey(passphrase, v.Salt, v.Time, v.MemoryKiB, v.Threads, kekSize)
	debug.FreeOSMemory()
	return kek, nil
}

// open tries kek on every slot, always on all, and fills p from the one that it
// opens.
func (v vault) open(kek []byte, p *plain) (kind byte) {
	box := boxOf(kek)
	if v.Version == 1 {
		key, err := box.Open(nil, v.Nonce, v.Wrapped, v.bound())
		defer clear(key)
		if err != nil {
			return slotNone
		}
		p.set(slotOpens, key, random(kekSize))
		return slotOpens
	}
	bound := v.bound()
	for _, s := range v.Slots {
		var found plain
		_, err := box.Open(found[:0], s[:nonceSize], s[nonceSize:], bound)
		if err == nil {
			*p, kind = found, found[0]
		}
		clear(found[:])
	}
	return kind
}

// slot seals p under kek.
func (v vault) slot(kek []byte, p *plain) []byte {
	nonce := random(nonceSize)
	return boxOf(kek).Seal(nonce, nonce, p[:], v.bound())
}

// boxOf is the cipher under a key.
func boxOf(kek []byte) cipher.AEAD {
	block, err := aes.NewCipher(kek)
	if err != nil {
		panic(err) // 32 bytes are a key of AES
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		panic(err) // AES has the block size of GCM
	}
	return gcm
}

// bound is what the tags cover beside the slots: parameters changed by a
// stranger do not open.
func (v vault) bound() []byte {
	v.Wrapped, v.Nonce, v.Slots = nil, nil, nil
	return v.text()
}

func (v vault) text() []byte {
	var form any = v
	if v.Version == 1 {
		form = vaultV1{v.Version, v.KDF, v.Time, v.MemoryKiB, v.Threads, v.Salt, v.Nonce, v.Wrapped}
	}
	b, err := json.Marshal(form)
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
	ok := v.KDF == vaultKDF && v.Time >= 1 && v.Time <= maxVaultTime &&
		v.MemoryKiB >= argonMemory && v.MemoryKiB <= maxVaultMemoryKiB &&
		v.Threads >= 1 && v.Threads <= maxVaultThreads && len(v.Salt) == saltSize
	switch v.Version {
	case 1:
		ok = ok && len(v.Nonce) == nonceSize && len(v.Wrapped) == 32+tagSize && v.Slots == nil
	case 2:
		ok = ok && v.Nonce == nil && v.Wrapped == nil &&
			len(v.Slots) == 2 && len(v.Slots[0]) == slotSize && len(v.Slots[1]) == slotSize
	default:
		ok = false
	}
	if !ok || !bytes.Equal(v.text(), text) {
		return vault{}, ErrKeyFile
	}
	return v, nil
}

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // never fails: crypto/rand ends the program instead
	return b
}
