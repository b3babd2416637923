package main

import (
	"errors"
	"io"
	"os"
)

// output is standard output that remembers when it could not be written, so
// that a script learns of it by the exit status.
type output struct {
	to  io.Writer
	err error // the first
}

func (o *output) Write(b []byte) (int, error) {
	n, err := o.to.Write(b)
	if err != nil && o.err == nil {
		o.err = err
	}
	return n, err
}

// unwritten is why what was printed is not whole, or nil.
func (p *program) unwritten() error {
	o, ok := p.out.(*output)
	if !ok || o.err == nil {
		return nil
	}
	cause := o.err
	for next := errors.Unwrap(cause); next != nil; next = errors.Unwrap(cause) {
		cause = next
	}
	return &plainError{"What was to be printed could not be written: " + cause.Error() + "."}
}

// atTerminal reports whether a person reads what is printed.
func (p *program) atTerminal() bool {
	o, ok := p.out.(*output)
	if !ok {
		return false
	}
	file, ok := o.to.(*os.File)
	return ok && isTerminal(file)
}
