package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"strings"
	"syscall"

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
	if err == nil {
		err = p.unwritten()
	}
	switch {
	case err == nil:
		return statusDone
	case isUsage:
		fmt.Fprintln(p.err, "kith: "+oneLine(usage.text))
		return statusUsage
	case !p.started:
		fmt.Fprintln(p.err, "kith: "+oneLine(err.Error())+"; usage: "+c.UseLine())
		return statusUsage
	}
	fmt.Fprintln(p.err, "kith: "+oneLine(p.explain(c.Context(), err)))
	return statusFailed
}

// explain says what a failure was, why, and what to do. The context is that of the
// run that failed.
func (p *program) explain(ctx context.Context, err error) string {
	if at, ok := errors.AsType[*lineError](err); ok {
		return fmt.Sprintf("Line %d: %s", at.line, p.explain(ctx, at.err))
	}
	if plain, ok := errors.AsType[*plainError](err); ok {
		return plain.text
	}
	answer, called := errors.AsType[*connect.Error](err)
	if !called {
		return api.Explain(err).String()
	}
	switch answer.Meta().Get(api.ReasonHeader) {
	case "":
	case "api/" + string(api.ReasonLocked):
		return strings.Replace(answer.Message(), "kith unlock", p.again("unlock"), 1)
	default:
		return answer.Message()
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		if errors.Is(op, syscall.ENOTDIR) {
			return api.Explain(&fs.PathError{Op: op.Op, Path: p.home, Err: syscall.ENOTDIR}).String()
		}
		if errors.Is(op, fs.ErrPermission) {
			return api.Explain(&fs.PathError{Op: op.Op, Path: p.home, Err: fs.ErrPermission}).String()
		}
		return p.off(api.ReasonNoRun)
	}
	if own, ok := errors.AsType[*api.Error](err); ok {
		return api.Explain(own).String()
	}
	if errors.Is(answer, io.ErrUnexpectedEOF) { // it was killed in the midst of a stream
		return p.off(api.ReasonGone)
	}
	switch answer.Code() {
	case connect.CodeUnavailable:
		return p.off(api.ReasonGone)
	case connect.CodeCanceled:
		if ctx.Err() == nil { // nobody gave it up: the connection broke while the call was written
			return p.off(api.ReasonGone)
		}
		return api.Explain(context.Canceled).String()
	case connect.CodeDeadlineExceeded:
		return api.Explain(context.DeadlineExceeded).String()
	}
	return api.Explain(err).String()
}

// off says that no node runs on the home, or does no more, and how that one is
// started: kith run alone would start the home of whoever has not named this one.
func (p *program) off(why api.Reason) string {
	x := api.Explain(&api.Error{Reason: why, Subject: p.home})
	x.Hint = strings.Replace(x.Hint, "kith run", p.again("run"), 1)
	return x.String()
}
