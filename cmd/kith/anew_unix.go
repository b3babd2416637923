//go:build !windows

package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// canBeginAnew: a program can be put into the place of this one.
const canBeginAnew = true

// beginAnew puts a new run of this program into the place of this one, with the same
// process id: nothing of this one's memory stays. It is given open addresses and
// begins locked. It returns only if that cannot be done.
func beginAnew(files []*os.File) error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	if runtime.GOOS == "linux" {
		program = "/proc/self/exe" // also where the file was replaced meanwhile
	}
	var numbers []string
	for _, f := range files {
		if _, err := unix.FcntlInt(f.Fd(), unix.F_SETFD, 0); err != nil { // stays open
			return err
		}
		numbers = append(numbers, strconv.Itoa(int(f.Fd())))
	}
	env := append(os.Environ(), anewEnv+"="+strings.Join(numbers, ","))
	return unix.Exec(program, os.Args, env)
}

// inherited are the addresses that this program was given by the one before it; none:
// it is the first.
func inherited() (files []*os.File, err error) {
	text := os.Getenv(anewEnv)
	if text == "" {
		return nil, nil
	}
	if err := os.Unsetenv(anewEnv); err != nil {
		return nil, err
	}
	for number := range strings.SplitSeq(text, ",") {
		fd, err := strconv.Atoi(number)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", anewEnv, err)
		}
		unix.CloseOnExec(fd)
		files = append(files, os.NewFile(uintptr(fd), "address "+number))
	}
	return files, nil
}
