package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"connectrpc.com/connect"

	"kith/internal/api"
	"kith/internal/store"
)

// A home whose passphrase the key store of the system keeps has a file that names it
// there; whoever has the file learns that nobody can guess this passphrase.
//
//	offset size field
//	0      17   "kith key store 1 "
//	17     32   name, lower-case hex
//	49     1    newline
const (
	keyStoreFile   = "key-store"
	keyStorePrefix = "kith key store 1 "
	keyStoreSize   = len(keyStorePrefix) + 32 + 1
)

// keyStorePatience bounds a question to the key store, which may ask the person to
// open it.
const keyStorePatience = 2 * time.Minute

// keyStoreName is under which name the key store keeps the passphrase of the home;
// empty: it does not.
func (p *program) keyStoreName() (string, error) {
	text, err := os.ReadFile(filepath.Join(p.home, keyStoreFile))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	name, ours := bytes.CutPrefix(text, []byte(keyStorePrefix))
	if !ours || len(text) != keyStoreSize || text[keyStoreSize-1] != '\n' {
		return "", &plainError{fmt.Sprintf("%s cannot be read: it does not name what the key store keeps. Put it back from your copy of the home, or remove it and give the passphrase.", filepath.Join(p.home, keyStoreFile))}
	}
	return string(name[:32]), nil
}

// kept is the passphrase that the key store keeps of the home; nil: none.
func (p *program) kept(ctx context.Context) (store.Passphrase, error) {
	name, err := p.keyStoreName()
	if err != nil || name == "" {
		return nil, err
	}
	var secret string
	if err = p.atKeyStore(ctx, func() (err error) { secret, err = keptSecret(name); return err }); err != nil {
		return nil, err
	}
	return store.Passphrase(secret), nil
}

// keep draws a passphrase that nobody knows and gives it to the key store, which keeps
// none of this home yet. The home opens by it only once its vault says so; until then,
// and after a crash, what opened it does.
func (p *program) keep(ctx context.Context) (store.Passphrase, error) {
	bytes := make([]byte, 32+16)
	rand.Read(bytes) // never fails: it ends the program instead
	secret, name := base64.RawStdEncoding.EncodeToString(bytes[:32]), hex.EncodeToString(bytes[32:])
	if err := p.atKeyStore(ctx, func() error { return keepSecret(name, secret) }); err != nil {
		return nil, err
	}
	err := os.WriteFile(filepath.Join(p.home, keyStoreFile), []byte(keyStorePrefix+name+"\n"), 0o600)
	return store.Passphrase(secret), err
}

// forgetKept takes the passphrase of the home out of the key store, if it keeps one:
// the home does not open by it.
func (p *program) forgetKept(ctx context.Context) error {
	name, err := p.keyStoreName()
	if err != nil || name == "" {
		return err
	}
	if err := os.Remove(filepath.Join(p.home, keyStoreFile)); err != nil {
		return err
	}
	if err := p.atKeyStore(ctx, func() error { return forgetSecret(name) }); err != nil {
		return &plainError{"The passphrase is another now, but the key store of your desktop has the old one yet, which is of no use: remove it there, under Kith and " + name + "."}
	}
	return nil
}

// atKeyStore asks the key store. Its module cannot be told to give up: where nobody
// answers, what was asked ends with the program.
func (p *program) atKeyStore(ctx context.Context, do func() error) error {
	ctx, cancel := context.WithTimeout(ctx, keyStorePatience)
	defer cancel()
	answer := make(chan error, 1)
	go func() { answer <- do() }()
	var err error
	select {
	case err = <-answer:
	case <-ctx.Done():
		err = errors.New("it does not answer")
	}
	if err != nil {
		return &plainError{"The key store of your desktop did not do it: " + oneLine(err.Error()) + ". Log in to the desktop, open its key store, and try again there."}
	}
	return nil
}

// withNow does what needs the passphrase of now: that of a file, else that of the key
// store, else, or where that one is over, what is typed.
func (p *program) withNow(ctx context.Context, verb string, from secretSource, do func(now store.Passphrase) error) error {
	if from.file == "" {
		now, err := p.kept(ctx)
		if err != nil && !p.canAsk() {
			return err
		}
		if err != nil {
			fmt.Fprintln(p.err, "kith: "+p.explain(ctx, err))
		}
		if now != nil {
			defer now.Wipe()
			if err := do(now); !isWrong(err) {
				return err
			}
		}
	}
	now, err := p.secret(ctx, verb, from)
	if err != nil {
		return err
	}
	defer now.Wipe()
	return do(now)
}

// isWrong reports whether the passphrase was wrong, as the store says it or the node.
func isWrong(err error) bool {
	if errors.Is(err, store.ErrWrongPassphrase) {
		return true
	}
	answer, called := errors.AsType[*connect.Error](err)
	return called && answer.Meta().Get(api.ReasonHeader) == api.Explain(store.ErrWrongPassphrase).Reason
}
