package main

import (
	"errors"

	"golang.org/x/sys/unix"
)

// noCore keeps the system from writing this program's memory, which holds keys and
// messages, into a file when it crashes. The limit does not bind a program that is
// handed what crashes; what is not dumpable is not handed over either, and other
// programs of this user cannot look into it.
func noCore() error {
	return errors.Join(
		unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}),
		unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0),
	)
}
