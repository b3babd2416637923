//go:build !linux

package main

import "errors"

// The key stores of other systems are not used yet.
var errNoKeyStore = errors.New("this works on Linux alone, so far")

func keepSecret(_, _ string) error      { return errNoKeyStore }
func keptSecret(string) (string, error) { return "", errNoKeyStore }
func forgetSecret(string) error         { return errNoKeyStore }
