package main

import (
	"context"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	v1 "kith/proto/kith/v1"
)

// groupPolicy shows what newcomers are given of the time before they came, and sets it.
func (p *program) groupPolicy() *cobra.Command {
	var history string
	c := p.groupVerbOf("policy GROUP", "Say what newcomers can read of the time before they came; --history sets it", nil)
	c.RunE = func(c *cobra.Command, args []string) error {
		if !c.Flags().Changed("history") {
			return p.showPolicy(c.Context(), args[0])
		}
		h, ok := parseHistory(history)
		if !ok {
			return &usageError{"--history is none, all, or a number of days such as 30d; usage: " + c.UseLine()}
		}
		chat, err := call(c.Context(), p.client().SetHistory, &v1.SetHistoryRequest{Group: args[0], History: h})
		if err != nil || p.show(chat) {
			return err
		}
		p.println(chat.History.GetSentence())
		p.println("That holds for whoever is added from now on.")
		return nil
	}
	c.Flags().StringVar(&history, "history", "", "what newcomers can read of before: `none|all|30d`; of a group's admins only")
	return c
}

func (p *program) showPolicy(ctx context.Context, group string) error {
	chat, err := call(ctx, p.client().GetChat, &v1.GetChatRequest{Chat: group})
	if err != nil || p.show(chat) {
		return err
	}
	if chat.History == nil {
		p.println("Nobody is added to this chat.")
		return nil
	}
	p.println(chat.History.Sentence)
	return nil
}

// parseHistory reads none, all, or a number of days.
func parseHistory(text string) (*v1.History, bool) {
	switch text {
	case "none":
		return &v1.History{Kind: v1.HistoryKind_HISTORY_KIND_NONE}, true
	case "all":
		return &v1.History{Kind: v1.HistoryKind_HISTORY_KIND_ALL}, true
	}
	days, err := strconv.ParseUint(strings.TrimSuffix(text, "d"), 10, 16)
	if err != nil || days == 0 || !strings.HasSuffix(text, "d") {
		return nil, false
	}
	return &v1.History{Kind: v1.HistoryKind_HISTORY_KIND_SINCE, Days: uint32(days)}, true
}
