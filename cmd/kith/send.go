package main

import (
	"bufio"
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"

	"kith/internal/api"
	"kith/internal/group"
	v1 "kith/proto/kith/v1"
)

func (p *program) sendVerb() *cobra.Command {
	var each bool
	c := &cobra.Command{
		Use:               "send CHAT TEXT...",
		Short:             "Write to a chat; with - the text comes from standard input, and @Name mentions a member",
		Args:              words(1, many),
		ValidArgsFunction: p.completeChat,
		RunE: func(c *cobra.Command, args []string) error {
			switch {
			case each && len(args) > 1:
				return &usageError{"--lines takes the texts from standard input; usage: kith send CHAT --lines"}
			case each:
				return p.sendLines(c.Context(), args[0])
			case len(args) < 2:
				return &usageError{"something is missing; usage: " + c.UseLine()}
			}
			text := strings.Join(args[1:], " ")
			if text == "-" {
				b, err := io.ReadAll(io.LimitReader(p.in, group.MaxContent+1))
				if err != nil {
					return err
				}
				if len(b) > group.MaxContent { // there may be more of it
					return &group.Refusal{Reason: group.ReasonLong}
				}
				text = strings.TrimRight(string(b), "\r\n")
				if !utf8.ValidString(text) {
					return &api.Error{Reason: api.ReasonText}
				}
			}
			return p.send(c.Context(), args[0], text)
		},
	}
	c.Flags().BoolVar(&each, "lines", false, "each line of standard input is a message; the id of each is printed once it is kept here")
	return c
}

// A lineError says which line of standard input, from 1 on, could not be sent. Those before it are sent.
type lineError struct {
	line int
	err  error
}

func (e *lineError) Error() string { return fmt.Sprintf("Line %d: %v", e.line, e.err) }
func (e *lineError) Unwrap() error { return e.err }

// sendLines sends every line that is not empty until standard input ends, one
// after the other, so that they stand in that order.
func (p *program) sendLines(ctx context.Context, chat string) error {
	lines, failed := make(chan string), make(chan error, 1)
	go func() { // ends with the program: a read cannot be broken off
		defer close(lines)
		defer close(failed)
		in := bufio.NewScanner(p.in)
		in.Buffer(nil, group.MaxContent+2)
		for in.Scan() {
			select {
			case lines <- strings.TrimRight(in.Text(), "\r"):
			case <-ctx.Done():
				return
			}
		}
		err := in.Err()
		if errors.Is(err, bufio.ErrTooLong) {
			err = &group.Refusal{Reason: group.ReasonLong}
		}
		failed <- err
	}()
	for n := 1; ; n++ {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case line, more := <-lines:
			if !more {
				if err := <-failed; err != nil {
					return &lineError{n, err}
				}
				return nil
			}
			switch {
			case strings.TrimSpace(line) == "":
				continue
			case !utf8.ValidString(line):
				return &lineError{n, &api.Error{Reason: api.ReasonText}}
			}
			m, err := p.sendLine(ctx, chat, line)
			if err != nil {
				return &lineError{n, err}
			}
			if !p.show(m) {
				p.println(cmp.Or(m.Id, "held"))
			}
			if err := p.unwritten(); err != nil {
				return err
			}
		}
	}
}

// coverPause is how long a line waits before it is tried again.
const coverPause = 250 * time.Millisecond

// sendLine sends one line. Where no more may wait to be confirmed, and somebody is here who can, it waits
// for them.
func (p *program) sendLine(ctx context.Context, chat, line string) (*v1.Message, error) {
	q := &v1.SendRequest{Chat: chat, Text: line, ClientId: rand.Text()}
	for began := time.Now(); ; {
		m, err := call(ctx, p.client().Send, q)
		if !uncovered(err) || time.Since(began) > patience {
			return m, err
		}
		c, lost := call(ctx, p.client().GetChat, &v1.GetChatRequest{Chat: chat})
		if lost != nil || c.Connected == 0 {
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(coverPause):
		}
	}
}

func uncovered(err error) bool {
	var answer *connect.Error
	return errors.As(err, &answer) && answer.Meta().Get(api.ReasonHeader) == "group/"+string(group.ReasonUncovered)
}

func (p *program) send(ctx context.Context, chat, text string) error {
	// The id makes a call that is repeated on its way one message.
	m, err := call(ctx, p.client().Send, &v1.SendRequest{Chat: chat, Text: text, ClientId: rand.Text()})
	if err != nil || p.show(m) {
		return err
	}
	c, err := call(ctx, p.client().GetChat, &v1.GetChatRequest{Chat: m.ChatId})
	if err != nil {
		return err
	}
	if (c.Connected == 0 || m.State == v1.MessageState_MESSAGE_STATE_HELD) && c.Notice != "" {
		p.println(oneLine(c.Notice))
		return nil
	}
	p.printf("Sent to %s.", titleOf(c))
	return nil
}
