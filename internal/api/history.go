package api

import (
	"context"
	"fmt"

	"kith/internal/chain"
	"kith/internal/node"
	"kith/internal/wire"
	v1 "kith/proto/kith/v1"
)

// What newcomers are given of the time before they came, and what came of it here.

func (s *service) SetHistory(_ context.Context, r *v1.SetHistoryRequest) (*v1.Chat, error) {
	return s.inChat(r.Group, "group", func(g wire.GroupID) error {
		days := r.History.GetDays()
		kind, ok := map[v1.HistoryKind]chain.History{
			v1.HistoryKind_HISTORY_KIND_NONE:  chain.HistoryNone,
			v1.HistoryKind_HISTORY_KIND_ALL:   chain.HistoryAll,
			v1.HistoryKind_HISTORY_KIND_SINCE: chain.HistorySince,
		}[r.History.GetKind()]
		if !ok || days > maxDays {
			return &Error{Reason: ReasonDays}
		}
		return s.node.SetHistory(g, kind, uint16(days))
	})
}

func historyOf(p chain.Policy) *v1.History {
	kind := v1.HistoryKind_HISTORY_KIND_NONE
	switch p.History {
	case chain.HistoryAll:
		kind = v1.HistoryKind_HISTORY_KIND_ALL
	case chain.HistorySince:
		kind = v1.HistoryKind_HISTORY_KIND_SINCE
	}
	return &v1.History{Kind: kind, Days: uint32(p.HistoryDays), Sentence: "Newcomers can read " + historyText(p) + "."}
}

// historyText ends a sentence about what newcomers can read.
func historyText(p chain.Policy) string {
	switch {
	case p.History == chain.HistoryAll:
		return "everything from before they came"
	case p.History == chain.HistorySince && p.HistoryDays == 1:
		return "the last day before they came"
	case p.History == chain.HistorySince:
		return fmt.Sprintf("the last %d days before they came", p.HistoryDays)
	}
	return "nothing from before they came"
}

func letsRead(who string) string {
	if who == "You" {
		return " let newcomers read "
	}
	return " lets newcomers read "
}

// historyChanged reports whether a change of the policy is one of this: nothing else of it
// is changed yet.
func historyChanged(c node.Change) bool {
	op, ok := c.Op.(*chain.SetPolicy)
	return ok && op.Policy != nil
}

func earlierOf(c node.Chat) *v1.Earlier {
	e := c.Earlier
	if !e.Newcomer {
		return nil
	}
	out := &v1.Earlier{
		Given: historyOf(chain.Policy{History: e.History, HistoryDays: e.Days}),
		Have:  uint32(e.Have), Lacking: uint32(e.Lacking), Oldest: e.Oldest, Whole: e.Reached, Proved: e.Proved,
		Sentence: earlierSentence(c),
	}
	if e.History == chain.HistoryAll {
		out.Of = uint32(e.Of)
	}
	return out
}

// earlierSentence says how far back this chat reaches, and why no further.
func earlierSentence(c node.Chat) string {
	e := c.Earlier
	switch {
	case !e.Reached && c.Connected == 0:
		return "What was said before you came is fetched once a member is here who has it." + fetched(c)
	case !e.Reached:
		return "What was said before you came is being fetched." + fetched(c)
	case e.History == chain.HistoryNone && e.Have == 0:
		return "You came here. The group gave newcomers nothing from before."
	case e.Lacking == 1:
		return reaches(c) + " but for 1 message, which no member has given yet."
	case e.Lacking > 1:
		return fmt.Sprintf("%s but for %s messages, which no member has given yet.", reaches(c), figure(e.Lacking))
	case e.Proved:
		return reaches(c) + ". Enough members confirm that nothing is missing."
	}
	return reaches(c) + "."
}

func fetched(c node.Chat) string {
	e := c.Earlier
	switch {
	case e.Have == 0:
		return ""
	case e.History == chain.HistoryAll:
		return fmt.Sprintf(" %s of %s here.", figure(e.Have), figure(e.Of))
	}
	return fmt.Sprintf(" %s here.", figure(e.Have))
}

func reaches(c node.Chat) string {
	switch e := c.Earlier; {
	case e.History == chain.HistorySince && e.Days == 1:
		return "The last day before you came is here"
	case e.History == chain.HistorySince:
		return fmt.Sprintf("The last %d days before you came are here", e.Days)
	case e.History == chain.HistoryNone:
		return "Everything since you were added is here"
	case e.Of == 0:
		return "Nothing was said before you came"
	}
	return "Everything from before you came is here"
}
