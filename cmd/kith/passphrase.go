package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"kith/internal/store"
	v1 "kith/proto/kith/v1"
)

func (p *program) passphraseVerb() *cobra.Command {
	return parent("passphrase", "Choose what opens the home, and what wipes it",
		p.passphraseSetVerb(), p.passphraseChangeVerb(), p.passphraseKeyringVerb(), p.passphraseRemoveVerb(), p.passphraseDuressVerb())
}

// secretFlags name the files that a verb reads passphrases from.
type secretFlags struct{ now, next string }

func (f *secretFlags) addNow(c *cobra.Command) {
	c.Flags().StringVar(&f.now, "passphrase-file", "", "file that holds the passphrase; without it, it is asked for")
}

func (f *secretFlags) addNext(c *cobra.Command, what string) {
	c.Flags().StringVar(&f.next, "new-passphrase-file", "", "file that holds "+what+"; without it, it is asked for twice")
}

func (f *secretFlags) ofNow() secretSource {
	return secretSource{file: f.now, flag: "--passphrase-file", question: "Passphrase: "}
}

func (f *secretFlags) ofNext(question string) secretSource {
	return secretSource{file: f.next, flag: "--new-passphrase-file", question: question, twice: true}
}

// set gives the home its first passphrase.
func (p *program) set(ctx context.Context, next store.Passphrase) (*v1.LockState, error) {
	return p.changeLock(ctx, func(ctx context.Context) (*v1.LockState, error) {
		return call(ctx, p.client().SetPassphrase, &v1.SetPassphraseRequest{NewPassphrase: next})
	}, func(home string) error { return store.SetPassphrase(home, next) })
}

// change gives it another.
func (p *program) change(ctx context.Context, now, next store.Passphrase) (*v1.LockState, error) {
	return p.changeLock(ctx, func(ctx context.Context) (*v1.LockState, error) {
		return call(ctx, p.client().ChangePassphrase, &v1.ChangePassphraseRequest{Passphrase: now, NewPassphrase: next})
	}, func(home string) error { return store.ChangePassphrase(home, now, next) })
}

func (p *program) passphraseSetVerb() *cobra.Command {
	var f secretFlags
	c := &cobra.Command{
		Use:   "set",
		Short: "Give a home a passphrase that has none",
		Args:  words(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			next, err := p.secret(c.Context(), "passphrase set", f.ofNext("New passphrase: "))
			if err != nil {
				return err
			}
			defer next.Wipe()
			l, err := p.set(c.Context(), next)
			if err != nil || p.show(l) {
				return err
			}
			p.println("From now on the home opens by this passphrase alone. There is no way around a forgotten one.")
			p.println("The key that lay beside the database is overwritten; a copy of the folder that you made before has it yet.")
			return nil
		},
	}
	f.addNext(c, "the passphrase")
	return c
}

func (p *program) passphraseChangeVerb() *cobra.Command {
	var f secretFlags
	c := &cobra.Command{
		Use:   "change",
		Short: "Choose another passphrase",
		Args:  words(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			return p.withNow(c.Context(), "passphrase change", f.ofNow(), func(now store.Passphrase) error {
				next, err := p.secret(c.Context(), "passphrase change", f.ofNext("New passphrase: "))
				if err != nil {
					return err
				}
				defer next.Wipe()
				l, err := p.change(c.Context(), now, next)
				if err == nil {
					err = p.forgetKept(c.Context())
				}
				if err != nil || p.show(l) {
					return err
				}
				p.println("The passphrase is changed. A copy of the folder that was made before opens by the old one.")
				return nil
			})
		},
	}
	f.addNow(c)
	f.addNext(c, "the new passphrase")
	return c
}

func (p *program) passphraseKeyringVerb() *cobra.Command {
	var f secretFlags
	c := &cobra.Command{
		Use:   "keyring",
		Short: "Let the key store of your desktop keep a passphrase that nobody types",
		Args:  words(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			ctx := c.Context()
			if err := p.inhabited(); err != nil {
				return err
			}
			if name, err := p.keyStoreName(); err != nil {
				return err
			} else if name != "" {
				return &plainError{"The key store keeps the passphrase of this home already. For another one choose a passphrase first: " + p.again("passphrase change")}
			}
			has, err := store.HasVault(p.home)
			if err != nil {
				return err
			}
			var l *v1.LockState
			turn := func(now store.Passphrase) error {
				next, err := p.keep(ctx)
				if err != nil {
					return err
				}
				defer next.Wipe()
				if has {
					l, err = p.change(ctx, now, next)
				} else {
					l, err = p.set(ctx, next)
				}
				if err != nil {
					err = errors.Join(err, p.forgetKept(ctx))
				}
				return err
			}
			if has {
				err = p.withNow(ctx, "passphrase keyring", f.ofNow(), turn)
			} else {
				err = turn(nil)
			}
			if err != nil || p.show(l) {
				return err
			}
			p.println("From now on the home opens by the key store of your desktop: while that is open, nothing is asked.")
			p.println("There is no way around it either: if it is lost, so is this home. To choose a passphrase instead: " + p.again("passphrase change"))
			return nil
		},
	}
	c.Long = c.Short + `.

The key store (Secret Service: GNOME Keyring, KWallet) is opened as a rule when you log in. Whoever
has the folder alone cannot guess this passphrase; whoever is logged in as you needs none. kith unlock
takes it from there, the page cannot. On Linux alone, so far.`
	f.addNow(c)
	return c
}

func (p *program) passphraseRemoveVerb() *cobra.Command {
	var f secretFlags
	c := &cobra.Command{
		Use:   "remove",
		Short: "Let the home open without a passphrase again",
		Args:  words(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			return p.withNow(c.Context(), "passphrase remove", f.ofNow(), func(now store.Passphrase) error {
				l, err := p.changeLock(c.Context(), func(ctx context.Context) (*v1.LockState, error) {
					return call(ctx, p.client().RemovePassphrase, &v1.RemovePassphraseRequest{Passphrase: now})
				}, func(home string) error { return store.RemovePassphrase(home, now) })
				if err == nil {
					err = p.forgetKept(c.Context())
				}
				if err != nil || p.show(l) {
					return err
				}
				p.println("The home opens without a passphrase: the key lies beside the database, for whoever has this folder.")
				return nil
			})
		},
	}
	f.addNow(c)
	return c
}

func (p *program) passphraseDuressVerb() *cobra.Command {
	var f secretFlags
	var remove bool
	c := &cobra.Command{
		Use:   "duress",
		Short: "Choose a second passphrase, which wipes the home",
		Args:  words(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			if remove && f.next != "" {
				return &usageError{"--remove leaves no duress passphrase, and --new-passphrase-file names one; leave one of them out"}
			}
			return p.withNow(c.Context(), "passphrase duress", f.ofNow(), func(now store.Passphrase) error {
				return p.setDuress(c.Context(), now, remove, f)
			})
		},
	}
	c.Long = c.Short + `.

Whoever types it, here or on the page, is told that the passphrase is wrong; so is everybody after
that. Your messages and keys are gone then, from this folder alone. Nobody can see from the folder
whether there is one, and Kith does not say either.`
	f.addNow(c)
	f.addNext(c, "the duress passphrase")
	c.Flags().BoolVar(&remove, "remove", false, "have none, whether or not there was one")
	return c
}

func (p *program) setDuress(ctx context.Context, now store.Passphrase, remove bool, f secretFlags) error {
	var duress store.Passphrase
	if !remove {
		var err error
		if duress, err = p.secret(ctx, "passphrase duress", f.ofNext("Duress passphrase: ")); err != nil {
			return err
		}
		defer duress.Wipe()
		if len(duress) == 0 {
			return store.ErrNoPassphrase
		}
	}
	l, err := p.changeLock(ctx, func(ctx context.Context) (*v1.LockState, error) {
		return call(ctx, p.client().SetDuress, &v1.SetDuressRequest{Passphrase: now, Duress: duress})
	}, func(home string) error {
		if remove {
			return store.RemoveDuress(home, now)
		}
		return store.SetDuress(home, now, duress)
	})
	if err != nil || p.show(l) {
		return err
	}
	if remove {
		p.println("No passphrase wipes this home.")
		return nil
	}
	p.println("This passphrase wipes the home wherever its passphrase is asked for, at once, and says that it is wrong.")
	p.println("It cannot wipe what was copied before: a copy of this folder, or of the disk, opens by your passphrase as ever.")
	return nil
}
