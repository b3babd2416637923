package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/spf13/cobra"

	v1 "kith/proto/kith/v1"
)

// Verbs about messages. MESSAGE is what kith tail --ids shows, or last.

func (p *program) replyVerb() *cobra.Command {
	return p.aboutVerb("reply CHAT MESSAGE TEXT...", "Answer a message", 3, many, func(ctx context.Context, args []string) error {
		m, err := call(ctx, p.client().Send, &v1.SendRequest{
			Chat: args[0], ReplyTo: args[1], Text: strings.Join(args[2:], " "), ClientId: rand.Text(),
		})
		if err != nil || p.show(m) {
			return err
		}
		p.printf("Answered %s: %s", nameOf(m.ReplyTo.GetAuthor()), excerpt(m.ReplyTo.GetText()))
		return nil
	})
}

func (p *program) reactVerb() *cobra.Command {
	var off bool
	c := p.aboutVerb("react CHAT MESSAGE EMOJI", "React to a message, or take that back with --off", 3, 3, func(ctx context.Context, args []string) error {
		m, err := call(ctx, p.client().React, &v1.ReactRequest{Chat: args[0], Message: args[1], Emoji: args[2], Off: off})
		if err != nil || p.show(m) {
			return err
		}
		p.println(reactions(m))
		return nil
	})
	c.Flags().BoolVar(&off, "off", false, "take a reaction back")
	return c
}

func (p *program) editVerb() *cobra.Command {
	return p.aboutVerb("edit CHAT MESSAGE TEXT...", "Give a message of yours another text; others can look what it was", 3, many,
		func(ctx context.Context, args []string) error {
			m, err := call(ctx, p.client().EditMessage, &v1.EditMessageRequest{Chat: args[0], Message: args[1], Text: strings.Join(args[2:], " ")})
			if err != nil || p.show(m) {
				return err
			}
			p.println("Edited. What it was: kith versions")
			return nil
		})
}

func (p *program) versionsVerb() *cobra.Command {
	return p.aboutVerb("versions CHAT MESSAGE", "Print what an edited message was", 2, 2, func(ctx context.Context, args []string) error {
		list, err := call(ctx, p.client().ListVersions, &v1.ListVersionsRequest{Chat: args[0], Message: args[1]})
		if err != nil {
			return err
		}
		for _, v := range list.Versions {
			if !p.show(v) {
				p.println(clock(v.Time) + " " + lines(v.Text, "    "))
			}
		}
		return nil
	})
}

func (p *program) deleteVerb() *cobra.Command {
	return p.aboutVerb("delete CHAT MESSAGE", "Delete a message of yours, or as an admin any, for everybody and for good", 2, 2,
		func(ctx context.Context, args []string) error {
			m, err := call(ctx, p.client().DeleteMessage, &v1.DeleteMessageRequest{Chat: args[0], Message: args[1]})
			if err != nil || p.show(m) {
				return err
			}
			p.println("Deleted here, and on the others' devices as they hear of it. Who kept a copy has it.")
			return nil
		})
}

func (p *program) pinVerb() *cobra.Command {
	return p.aboutVerb("pin CHAT [MESSAGE]", "Pin a message; without one, print those that are pinned", 1, 2, func(ctx context.Context, args []string) error {
		if len(args) == 1 {
			return p.pins(ctx, args[0])
		}
		return p.setPin(ctx, args, false)
	})
}

func (p *program) unpinVerb() *cobra.Command {
	return p.aboutVerb("unpin CHAT MESSAGE", "Let a pinned message go", 2, 2, func(ctx context.Context, args []string) error {
		return p.setPin(ctx, args, true)
	})
}

func (p *program) setPin(ctx context.Context, args []string, off bool) error {
	m, err := call(ctx, p.client().PinMessage, &v1.PinMessageRequest{Chat: args[0], Message: args[1], Off: off})
	if err != nil || p.show(m) {
		return err
	}
	if off {
		p.println("It is not pinned any more.")
	} else {
		p.printf("Pinned: %s", excerpt(m.Text))
	}
	return nil
}

func (p *program) pins(ctx context.Context, chat string) error {
	list, err := call(ctx, p.client().ListPins, &v1.ListPinsRequest{Chat: chat})
	if err != nil {
		return err
	}
	if len(list.Messages) == 0 && !p.json {
		p.println("Nothing is pinned.")
	}
	for _, m := range list.Messages {
		p.printMessage(m, v1.ChatState_CHAT_STATE_ACTIVE)
	}
	return nil
}

func (p *program) pollVerb() *cobra.Command {
	var several bool
	c := p.aboutVerb("poll CHAT QUESTION OPTION OPTION...", "Ask a question that is answered by a choice", 4, many,
		func(ctx context.Context, args []string) error {
			m, err := call(ctx, p.client().CreatePoll, &v1.CreatePollRequest{
				Chat: args[0], Question: args[1], Options: args[2:], Several: several, ClientId: rand.Text(),
			})
			if err != nil || p.show(m) {
				return err
			}
			p.printf("Asked. To choose: kith vote %s %s NUMBER", quoted(args[0]), short(m.Id))
			return nil
		})
	c.Flags().BoolVar(&several, "several", false, "more than one may be chosen")
	return c
}

func (p *program) voteVerb() *cobra.Command {
	var none bool
	c := p.aboutVerb("vote CHAT MESSAGE NUMBER...", "Choose in a poll, in place of what you chose before; --none takes it back", 2, many, nil)
	c.RunE = func(c *cobra.Command, args []string) error {
		if none == (len(args) > 2) {
			return &usageError{"say which numbers, or --none; usage: " + c.UseLine()}
		}
		var choices []uint32
		for _, a := range args[2:] {
			n, err := strconv.ParseUint(a, 10, 8)
			if err != nil || n == 0 {
				return &usageError{fmt.Sprintf("%q is no number of an option: kith tail shows them", a)}
			}
			choices = append(choices, uint32(n-1))
		}
		m, err := call(c.Context(), p.client().Vote, &v1.VoteRequest{Chat: args[0], Message: args[1], Choices: choices})
		if err != nil || p.show(m) {
			return err
		}
		p.printMessage(m, v1.ChatState_CHAT_STATE_ACTIVE)
		return nil
	}
	c.Flags().BoolVar(&none, "none", false, "take your choice back")
	return c
}

func (p *program) closeVerb() *cobra.Command {
	return p.aboutVerb("close CHAT MESSAGE", "End a poll of yours: nobody chooses any more", 2, 2, func(ctx context.Context, args []string) error {
		m, err := call(ctx, p.client().ClosePoll, &v1.ClosePollRequest{Chat: args[0], Message: args[1]})
		if err != nil || p.show(m) {
			return err
		}
		p.printMessage(m, v1.ChatState_CHAT_STATE_ACTIVE)
		return nil
	})
}

func (p *program) aboutVerb(use, short string, least, most int, do func(context.Context, []string) error) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Args: words(least, most), ValidArgsFunction: p.completeChat,
		RunE: func(c *cobra.Command, args []string) error { return do(c.Context(), args) },
	}
}

// excerpt is the beginning of a text, on one line.
func excerpt(s string) string {
	const most = 60
	runes := []rune(oneLine(s))
	if len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return string(runes)
}

// reactions is all that stand at a message, on one line.
func reactions(m *v1.Message) string {
	if len(m.Reactions) == 0 {
		return "(no reactions)"
	}
	var out []string
	for _, e := range m.Reactions {
		out = append(out, emojiOf(e.Emoji)+" "+namesOf(e.Persons))
	}
	return strings.Join(out, "  ")
}

// emojiOf is a reaction as it is printed. Others may send words of up to 64 bytes, and letters with
// towers of marks on them.
func emojiOf(emoji string) string {
	const most = 12
	var out strings.Builder
	n, marks := 0, 0
	for _, r := range oneLine(emoji) {
		if unicode.Is(unicode.Mn, r) && r != '\ufe0f' && r != '\u20e3' {
			if marks++; marks > 2 {
				continue
			}
		} else {
			marks = 0
		}
		if n++; n > most {
			return out.String() + "…"
		}
		out.WriteRune(r)
	}
	return out.String()
}

// drawPoll is the options of a poll, each on a line, with who chose it.
func drawPoll(poll *v1.Poll) string {
	var out strings.Builder
	for i, o := range poll.Options {
		fmt.Fprintf(&out, beside+"%d. %s", i+1, strings.Join(strings.Fields(oneLine(o.Text)), " "))
		if len(o.Persons) > 0 {
			fmt.Fprintf(&out, "  %d: %s", len(o.Persons), namesOf(o.Persons))
		}
	}
	switch {
	case poll.Closed:
		out.WriteString(beside + "(closed)")
	case poll.Several:
		out.WriteString(beside + "(more than one may be chosen)")
	}
	return out.String()
}

// changes is what is new about a message since it was printed, in lines of their own.
func changes(was, is *v1.Message) (list []string) {
	text := excerpt(is.Text)
	if was.State != is.State || was.Edits != is.Edits {
		list = append(list, fmt.Sprintf("%s %s: %s", clock(is.Time), nameOf(is.Author), lines(textOf(is), "    "))+mark(is))
	}
	if is.State != v1.MessageState_MESSAGE_STATE_SHOWN {
		return list
	}
	for _, e := range is.Reactions {
		for _, who := range e.Persons {
			if !reacted(was, e.Emoji, who.Id) {
				list = append(list, fmt.Sprintf("(%s: %s to %q)", nameOf(who), emojiOf(e.Emoji), text))
			}
		}
	}
	if was.PinnedBy == nil && is.PinnedBy != nil {
		list = append(list, fmt.Sprintf("(%s pinned %q)", nameOf(is.PinnedBy), text))
	}
	if was.Poll != nil && is.Poll != nil && drawPoll(was.Poll) != drawPoll(is.Poll) {
		list = append(list, fmt.Sprintf("(poll %q)", text)+drawPoll(is.Poll))
	}
	return list
}

func reacted(m *v1.Message, emoji, person string) bool {
	return slices.ContainsFunc(m.Reactions, func(e *v1.Reaction) bool {
		return e.Emoji == emoji && slices.ContainsFunc(e.Persons, func(p *v1.Person) bool { return p.Id == person })
	})
}

// mark says of a message that it is not as it was.
func mark(m *v1.Message) string {
	if m.Edits > 0 {
		return " (edited)"
	}
	return ""
}
