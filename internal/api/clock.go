package api

import (
	"fmt"
	"time"

	"kith/internal/node"
)

// maxClocks is up to how many are named whose clocks are not as this machine's.
const maxClocks = 3

// clockSentence says that this machine's clock is not as that of others, and what to do.
func clockSentence(c node.ClockApart) string {
	way := "behind"
	if c.Ahead {
		way = "ahead of"
	}
	by := span(c.By)
	if len(c.Of) == 1 {
		return fmt.Sprintf("This computer's clock is at least %s %s that of %s. If it is the wrong one, set it: your messages, links and invitations go by it.",
			by, way, nameOf(c.Of[0]))
	}
	var names []string
	for i, p := range c.Of {
		if left := len(c.Of) - i; i == maxClocks && left > 1 {
			names = append(names, fmt.Sprintf("%d others", left))
			break
		}
		names = append(names, nameOf(p))
	}
	return fmt.Sprintf("This computer's clock is at least %s %s those of %s, so it is probably wrong. Set it: your messages, links and invitations go by it.",
		by, way, joined(names, " and "))
}

// span is a time of ms in whole days, hours or minutes: never more than it is.
func span(ms uint64) string {
	hours := ms / uint64(time.Hour.Milliseconds())
	switch {
	case hours >= 48:
		return figure(int(hours/24)) + " days"
	case hours >= 2:
		return figure(int(hours)) + " hours"
	}
	return figure(int(ms/uint64(time.Minute.Milliseconds()))) + " minutes"
}
