package node_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"kith/internal/node"
)

// TestRememberedEvents: events that can be caught up on take bounded memory.
func TestRememberedEvents(t *testing.T) {
	for _, c := range []struct{ messages, size, events int }{
		{10, 64 << 10, 10},
		{3000, 64 << 10, 64},
		{20_000, 10, 4096},
	} {
		events, bytes := node.Remembered(c.messages, c.size)
		if events < min(c.messages, c.events) || bytes != events*c.size || bytes > 8<<20 || events > 8192 {
			t.Errorf("of %d messages of %d bytes %d are kept", c.messages, c.size, events)
		}
	}
}

// TestSubscribe: a client that was away gets all it missed, in order; one from
// another run, or away too long, is told to load everything anew.
func TestSubscribe(t *testing.T) {
	ann := start(t, "Ann", t.TempDir())
	notes := ann.Status().Notes
	enough := errors.New("enough")
	take := func(run string, seq uint64, count int) (list []node.Event) {
		err := ann.Subscribe(t.Context(), run, seq, func(e node.Event) error {
			if list = append(list, e); len(list) == count {
				return enough
			}
			return nil
		})
		if !errors.Is(err, enough) {
			t.Fatalf("subscription ended with %v after %d", err, len(list))
		}
		return list
	}
	first := take("another run", 1, 1)
	if _, ok := first[0].Change.(node.Reset); !ok {
		t.Fatalf("another run begins with %T", first[0].Change)
	}
	ann.say(notes, "one")
	ann.say(notes, "two")
	var texts []string
	seq := first[0].Seq
	for _, e := range take(ann.EventRun(), seq, 4) {
		if e.Seq != seq+1 {
			t.Errorf("event %d follows %d", e.Seq, seq)
		}
		seq = e.Seq
		if m, ok := e.Change.(node.MessageChanged); ok {
			texts = append(texts, string(m.Message.Content.Body))
		}
	}
	if len(texts) != 2 || texts[0] != "one" || texts[1] != "two" {
		t.Errorf("missed messages: %q", texts)
	}
	if list := take(ann.EventRun(), seq+1000, 1); list[0].Change != (node.Reset{}) {
		t.Errorf("a number from the future begins with %T", list[0].Change)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := ann.Subscribe(ctx, "", 0, func(node.Event) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled subscription: %v", err)
	}
}

// TestManyUnseen: of many messages that come while nobody watches no event is made;
// who was away loads everything anew. Who watches is told each.
func TestManyUnseen(t *testing.T) {
	t.Parallel()
	ann, ben := start(t, "Ann", t.TempDir()), start(t, "Ben", t.TempDir())
	befriend(t, ann, ben)
	g := ann.chatWith(ben)
	const many = 200
	missed := func(round int) (last string) {
		ben.stop()
		ann.until("Ben is off", func() bool { return !ann.connected(g, ben) })
		for i := range many {
			last = fmt.Sprint("round ", round, " message ", i)
			ann.say(g, last)
		}
		ann.stop()
		ben = ben.again()
		return last
	}
	enough := errors.New("enough")

	last := missed(0)
	ann = ann.again()
	ben.until("all", func() bool { return slices.Contains(ben.texts(g), last) })
	var first node.Happening
	err := ben.Subscribe(t.Context(), ben.EventRun(), 1, func(e node.Event) error {
		first = e.Change
		return enough
	})
	if !errors.Is(err, enough) || first != (node.Reset{}) {
		t.Errorf("who was away is told %T first, %v", first, err)
	}

	last = missed(1)
	began, done := make(chan bool, 1), make(chan error, 1)
	told := make(map[string]bool)
	go func() {
		done <- ben.Subscribe(t.Context(), "", 0, func(e node.Event) error {
			switch c := e.Change.(type) {
			case node.Reset:
				return errors.New("it is told to load everything anew")
			case node.MessageChanged:
				if c.Message.Chat != g {
					select {
					case began <- true:
					default:
					}
					return nil
				}
				if told[string(c.Message.Content.Body)] = true; len(told) == many {
					return enough
				}
			}
			return nil
		})
	}()
	ben.until("he watches", func() bool {
		ben.say(ben.Status().Notes, "mine")
		select {
		case <-began:
			return true
		default:
			return false
		}
	})
	ann.again()
	if err := <-done; !errors.Is(err, enough) || !told[last] {
		t.Errorf("who watches is told of %d messages, %v", len(told), err)
	}
}
