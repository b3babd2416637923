package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"

	"kith/internal/api"
	"kith/internal/store"
	v1 "kith/proto/kith/v1"
)

func (p *program) lockVerb() *cobra.Command {
	c := &cobra.Command{
		Use:   "lock",
		Short: "Close the database and forget its key; the node goes on, and opens it again by your passphrase",
		Args:  words(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			l, err := call(c.Context(), p.client().Lock, &v1.LockRequest{})
			if err != nil || p.show(l) {
				return err
			}
			p.println("Locked. Nothing is received until you open it, on its page or with: " + p.again("unlock"))
			return nil
		},
	}
	c.Long = c.Short + `.

While it is locked nothing is received or sent, and nobody sees you: others keep what they have for you.
All logins of the page end. To have it locked when you are away: kith settings lock-after 15`
	return c
}

func (p *program) unlockVerb() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:   "unlock",
		Short: "Open the home of a node that is locked",
		Args:  words(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			state, err := call(c.Context(), p.client().GetLock, &v1.GetLockRequest{})
			if err != nil {
				return err
			}
			if !state.Locked {
				return &api.Error{Reason: api.ReasonUnlocked}
			}
			return p.withNow(c.Context(), "unlock", secretSource{file: file, flag: "--passphrase-file", question: "Passphrase: "}, func(now store.Passphrase) error {
				l, err := call(c.Context(), p.client().Unlock, &v1.UnlockRequest{Passphrase: now})
				if err != nil || p.show(l.GetLock()) {
					return err
				}
				p.println("Unlocked.")
				return nil
			})
		},
	}
	c.Flags().StringVar(&file, "passphrase-file", "", "file that holds the passphrase; without it, it is asked for")
	return c
}

// runs reports whether a node runs on the home, locked or not.
func (p *program) runs(ctx context.Context) (bool, error) {
	_, err := call(ctx, p.client().GetLock, &v1.GetLockRequest{})
	answer, called := errors.AsType[*connect.Error](err)
	switch {
	case err == nil:
		return true, nil
	case called && answer.Code() == connect.CodeUnimplemented:
		return true, nil // an older program
	case called && answer.Code() == connect.CodeUnavailable && answer.Meta().Get(api.ReasonHeader) == "":
		return false, nil // nobody answers
	}
	return false, err
}

// changeLock does something to the passphrase of the home: by the node that runs on
// it, else itself.
func (p *program) changeLock(ctx context.Context, asked func(context.Context) (*v1.LockState, error), done func(home string) error) (*v1.LockState, error) {
	running, err := p.runs(ctx)
	if err != nil {
		return nil, err
	}
	if running {
		return asked(ctx)
	}
	if err := p.inhabited(); err != nil {
		return nil, err
	}
	hold, err := store.Hold(p.home)
	if err != nil {
		return nil, err
	}
	defer hold.Close()
	if err := done(p.home); err != nil {
		return nil, err
	}
	locks, err := store.HasVault(p.home)
	return &v1.LockState{Passphrase: locks}, err
}

// inhabited refuses a home that holds neither database nor vault.
func (p *program) inhabited() error {
	for _, name := range []string{store.FileName, store.VaultName} {
		if _, err := os.Stat(filepath.Join(p.home, name)); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return store.ErrNoHome
}
