package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/term"

	"kith/internal/store"
)

// maxPassphraseFile bounds what is read of a file with a passphrase, in bytes; one
// that is longer is refused by the store.
const maxPassphraseFile = 1<<20 + 1

// A secretSource says where a passphrase comes from: a file that a flag names, or the
// person at the terminal.
type secretSource struct {
	file     string // empty: asked for
	flag     string
	question string
	twice    bool // asked for twice, since nobody sees what they type
}

// secret reads a passphrase, which its caller wipes.
func (p *program) secret(ctx context.Context, verb string, from secretSource) (store.Passphrase, error) {
	if from.file != "" {
		return secretFile(from.file)
	}
	if !p.canAsk() {
		return nil, &usageError{fmt.Sprintf("kith %s asks for a passphrase, and there is no terminal to ask at; name a file that holds it with %s FILE", verb, from.flag)}
	}
	secret, err := p.ask(ctx, from.question)
	if err != nil || !from.twice {
		return secret, err
	}
	again, err := p.ask(ctx, "Once more: ")
	defer again.Wipe()
	if err == nil && !bytes.Equal(secret, again) {
		err = &plainError{"The two are not the same, and nothing was changed. Try again."}
	}
	if err != nil {
		secret.Wipe()
		return nil, err
	}
	return secret, nil
}

// secretFile reads a passphrase, without the line end that editors add.
func secretFile(path string) (store.Passphrase, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxPassphraseFile))
	if err != nil {
		return nil, err
	}
	return bytes.TrimRight(b, "\r\n"), nil
}

// canAsk reports whether a person can be asked.
func (p *program) canAsk() bool {
	file, ok := p.in.(*os.File)
	return ok && !p.json && term.IsTerminal(int(file.Fd()))
}

// ask asks at the terminal, which does not show what is typed. It returns when ctx
// ends, too: reading goes on then, until the program ends.
func (p *program) ask(ctx context.Context, question string) (store.Passphrase, error) {
	fd := int(p.in.(*os.File).Fd())
	shown, err := term.GetState(fd)
	if err != nil {
		return nil, err
	}
	type answer struct {
		typed []byte
		err   error
	}
	typed := make(chan answer, 1)
	fmt.Fprint(p.err, question)
	go func() {
		b, err := term.ReadPassword(fd)
		typed <- answer{b, err}
	}()
	defer fmt.Fprintln(p.err)
	select {
	case a := <-typed:
		if errors.Is(a.err, io.EOF) {
			return store.Passphrase{}, nil
		}
		return a.typed, a.err
	case <-ctx.Done():
		return nil, errors.Join(ctx.Err(), term.Restore(fd, shown))
	}
}
