package node

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"kith/internal/group"
	"kith/internal/mailbox"
)

// How a task waits at a mailbox until there is something to do.

// A promise is what a mailbox said to have in a drop when it ended a wait.
type promise struct {
	drop string
	end  uint64
}

// errNoNews is of a mailbox that ends a wait for nothing: else it would be asked without end.
var errNoNews = errors.New("node: the mailbox tells of news that it does not have")

// check is an error if a drop was read since, and had not so much.
func (p promise) check(read map[string]uint64) error {
	if p.end > read[p.drop] {
		return errNoNews
	}
	return nil
}

// wait returns once the newest drop has something new, the group has another head than word's, the
// day is over, or what this device has said is due.
func (t *mailTask) wait(ctx context.Context, key keptKey, due time.Duration, word group.Word) error {
	now := nowTime().UTC()
	most := min(mailWait, now.Truncate(24*time.Hour).Add(24*time.Hour).Sub(now)) + rand.N(time.Second)
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	opening, opened := context.WithTimeout(ctx, mailLimit)
	defer opened()
	c, err := t.dial(opening)
	if err != nil {
		return unlessOver(ctx, err)
	}
	defer c.Close()
	day := mailbox.DayOf(nowTime())
	k, name := key.drop(t.key.box, day), dropOf(key, day)
	if _, err := c.Make(opening, k, mailHours); err != nil {
		return unlessOver(ctx, err)
	}
	heard, after := make(chan error, 1), t.state.Read[name]
	var end uint64
	go func() { // waited for below, so that it does not need the node to run
		at, err := c.Wait(ctx, k, after, most+time.Second)
		end = at
		heard <- err
	}()
	late := time.NewTimer(due)
	defer late.Stop()
	for over := false; !over; {
		select {
		case err = <-heard:
			if t.told = (promise{}); err == nil && end > after {
				t.told = promise{name, end}
			}
			return unlessOver(ctx, err)
		case <-t.news: // most of it need not be left now, nor be read for
			now, err := t.word()
			if over = err != nil || now.Head != word.Head; !over {
				late.Reset(t.due(now))
			}
		case <-late.C:
			over = true
		case <-ctx.Done():
			over = true
		}
	}
	cancel()
	<-heard
	return nil
}

// unlessOver is err, or nil if it is only that the time is over.
func unlessOver(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}
