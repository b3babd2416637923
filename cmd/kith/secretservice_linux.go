package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/zalando/go-keyring"
)

// secretService is under which name the key store lists what is ours.
const secretService = "Kith"

// errNoBus means that nobody is logged in to a desktop here.
var errNoBus = errors.New("there is no session bus here")

// onBus looks for the session bus first: without one the module would start one of
// its own, in which there is no key store.
func onBus(do func() error) error {
	if os.Getenv("DBUS_SESSION_BUS_ADDRESS") != "" {
		return do()
	}
	if _, err := os.Stat(filepath.Join("/run/user", fmt.Sprint(os.Getuid()), "bus")); err != nil {
		return errNoBus
	}
	return do()
}

func keepSecret(name, secret string) error {
	return onBus(func() error { return keyring.Set(secretService, name, secret) })
}

func keptSecret(name string) (secret string, err error) {
	err = onBus(func() error { secret, err = keyring.Get(secretService, name); return err })
	return secret, err
}

// forgetSecret is done also if there is none of that name.
func forgetSecret(name string) error {
	err := onBus(func() error { return keyring.Delete(secretService, name) })
	if errors.Is(err, keyring.ErrNotFound) {
		return nil
	}
	return err
}
