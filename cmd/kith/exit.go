package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"strings"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"

	"kith/internal/api"
)

// Exit statuses.
const (
	statusDone   = 0
	statusFailed = 1
	statusUsage  = 2
)

// A usageError is a wrong use of the command line.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

// exit prints why a run failed, in one line, and returns its status.
func (p *program) exit(c *cobra.Command, err error) int {
	usage, isUsage := errors.AsType[*usageError](err)
	switch {
	case err == nil:
		return statusDone
	case isUsage:
		fmt.Fprintln(p.err, "kith: "+oneLine(usage.text))
		return statusUsage
	case !p.started:
		// What cobra says of unknown verbs, flags and missing arguments.
		fmt.Fprintln(p.err, "kith: "+oneLine(err.Error())+"; usage: "+c.UseLine())
		return statusUsage
	}
	fmt.Fprintln(p.err, "kith: "+oneLine(p.explain(err)))
	return statusFailed
}

// explain says what a failure was, why, and what to do.
func (p *program) explain(err error) string {
	answer, called := errors.AsType[*connect.Error](err)
	if !called {
		return api.Explain(err).String()
	}
	if answer.Meta().Get(api.ReasonHeader) != "" {
		return answer.Message()
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		if errors.Is(op, fs.ErrPermission) {
			return api.Explain(&fs.PathError{Op: op.Op, Path: p.home, Err: fs.ErrPermission}).String()
		}
		return api.Explain(&api.Error{Reason: api.ReasonNoRun, Subject: p.home}).String()
	}
	if own, ok := errors.AsType[*api.Error](err); ok {
		return api.Explain(own).String()
	}
	switch answer.Code() {
	case connect.CodeUnavailable:
		return api.Explain(&api.Error{Reason: api.ReasonGone}).String()
	case connect.CodeCanceled:
		return api.Explain(context.Canceled).String()
	case connect.CodeDeadlineExceeded:
		return api.Explain(context.DeadlineExceeded).String()
	}
	return api.Explain(err).String()
}

// parent is a verb that only holds others: alone, or with a word that is none
// of them, it is used wrongly.
func parent(use, short string, verbs ...*cobra.Command) *cobra.Command {
	var names []string
	for _, v := range verbs {
		names = append(names, v.Name())
	}
	list := strings.Join(names, ", ")
	c := &cobra.Command{
		Use:   use,
		Short: short,
		Args:  cobra.ArbitraryArgs,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return &usageError{fmt.Sprintf("kith %s needs one of: %s", use, list)}
			}
			return &usageError{fmt.Sprintf("kith %s knows no %q, but: %s", use, args[0], list)}
		},
	}
	c.AddCommand(verbs...)
	return c
}
