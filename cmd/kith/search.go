package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kith/internal/group"
	v1 "kith/proto/kith/v1"
)

// maxFound bounds -n of search: one answer of a node.
const maxFound = 200

func (p *program) searchVerb() *cobra.Command {
	var n int
	var in, from, since, until string
	var kinds []string
	c := &cobra.Command{
		Use:   "search [WORD...]",
		Short: "Find messages by what they say, and chats and people by their names",
		Long: "Find messages that have all the words, newest first; the last word may be only the\n" +
			"beginning of one. A phrase stands in double quotes, which the shell needs quoted\n" +
			"again: kith search '\"lazy dog\"'. Without words: all messages that --chat, --from,\n" +
			"--kind, --since and --until leave.",
		Args: words(0, many),
		RunE: func(c *cobra.Command, args []string) error {
			if n < 1 || n > maxFound {
				return &usageError{fmt.Sprintf("-n is 1 to %d", maxFound)}
			}
			r := &v1.SearchRequest{Text: strings.Join(args, " "), Chat: in, Person: from, Limit: uint32(n)}
			var err error
			if r.Kinds, err = kindsOf(kinds); err != nil {
				return err
			}
			if r.Since, err = dayOf("--since", since, 0); err != nil {
				return err
			}
			if r.Until, err = dayOf("--until", until, 1); err != nil {
				return err
			}
			if r.Until != 0 && r.Until <= r.Since {
				return &usageError{"--until is a day before --since, so nothing lies between them"}
			}
			return p.search(c.Context(), r)
		},
	}
	c.Flags().StringVar(&in, "chat", "", "only in this chat")
	c.Flags().StringVar(&from, "from", "", "only what this person wrote")
	c.Flags().StringSliceVar(&kinds, "kind", nil, "only text, reply or poll; several with commas")
	c.Flags().StringVar(&since, "since", "", "only from this day on, as 2026-01-31")
	c.Flags().StringVar(&until, "until", "", "only up to this day, with it")
	c.Flags().IntVarP(&n, "number", "n", 20, "how many messages at most")
	complete := func(names func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective)) cobra.CompletionFunc {
		return func(c *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
			return names(c, nil, begun)
		}
	}
	_ = c.RegisterFlagCompletionFunc("chat", complete(p.completeChat)) // fails for a flag that is not there
	_ = c.RegisterFlagCompletionFunc("from", complete(p.completePerson))
	return c
}

// kindsOf reads the kinds of messages that can be looked for.
func kindsOf(names []string) (kinds []uint32, err error) {
	known := map[string]group.ContentKind{"text": group.ContentText, "reply": group.ContentReply, "poll": group.ContentPoll}
	for _, name := range names {
		kind, ok := known[name]
		if !ok {
			return nil, &usageError{"--kind is text, reply or poll, or several of them with commas"}
		}
		kinds = append(kinds, uint32(kind))
	}
	return kinds, nil
}

// dayOf is the moment at which a day of this machine's calendar begins, some days
// later; 0 for no day.
func dayOf(flag, text string, later int) (uint64, error) {
	if text == "" {
		return 0, nil
	}
	day, err := time.ParseInLocation(time.DateOnly, text, time.Local)
	if err != nil || day.UnixMilli() <= 0 {
		return 0, &usageError{flag + " is a day like 2026-01-31"}
	}
	return uint64(day.AddDate(0, 0, later).UnixMilli()), nil
}

// search prints what is found as it is found: a node answers in parts what takes it
// long.
func (p *program) search(ctx context.Context, r *v1.SearchRequest) error {
	left, said := int(r.Limit), false
	for {
		answer, err := call(ctx, p.client().Search, r)
		if err != nil {
			return err
		}
		if r.Before == "" && answer.Percent < 100 {
			fmt.Fprintf(p.err, "kith: Still indexing, %d %% so far; what is not indexed yet is not found.\n", answer.Percent)
		}
		said = p.showNames(answer) || said
		for _, f := range answer.Found {
			p.showFound(f)
			said, left = true, left-1
		}
		if answer.Next == "" || left == 0 {
			if !said && !p.json {
				p.println("Nothing found.")
			}
			if answer.Next != "" && !p.json {
				fmt.Fprintln(p.err, "kith: There are older ones: see them with a higher -n, or --until.")
			}
			return nil
		}
		r.Before, r.Limit = answer.Next, uint32(left)
	}
}

// showNames prints the chats and people that an answer names, and reports whether
// there are any.
func (p *program) showNames(answer *v1.SearchResponse) bool {
	if p.json {
		return false // kith group list and kith friend list have them
	}
	for _, c := range answer.Chats {
		p.println("chat " + titleOf(c))
	}
	for _, who := range answer.People {
		p.println("person " + nameOf(who))
	}
	return len(answer.Chats)+len(answer.People) > 0
}

func (p *program) showFound(f *v1.Found) {
	if p.show(f) {
		return
	}
	text := f.Snippet
	if f.CutBefore {
		text = "... " + text
	}
	if f.CutAfter {
		text += " ..."
	}
	where := oneLine(f.ChatTitle)
	if where == "" {
		where = "group " + short(f.Message.ChatId)
	}
	p.printf("%s %s, %s: %s", clock(f.Message.Time), where, nameOf(f.Message.Author), oneLine(text))
}
