package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"kith/internal/group"
	"kith/internal/mailbox"
	"kith/internal/wire"
)

// Mailboxes at drawn times (docs/spec/mailbox.md, "What a mailbox sees"): where the person
// chose it, a task comes only at the turns of its plan. At each it puts one item of the smallest
// size, be it empty, or reads one drop from its beginning, over a connection of its own. So what
// the mailbox sees does not depend on what is said, and it takes hours.

const (
	// quietLook is how often a task that waits for a turn looks whether it is another by now.
	quietLook = 10 * time.Minute
	// quietLate is after how long a turn is missed.
	quietLate = 5 * time.Minute
	// quietMost bounds the entries in one bundle, so that it is whole after few turns.
	quietMost = 16
	// sealedDays is for how many days items may wait for turns: a reader tries the secrets of so
	// many.
	sealedDays = 7
)

// A quietTurn is a turn in the drops of an epoch.
type quietTurn struct {
	mailbox.Turn
	key  keptKey
	row  string // of mailState.Turns
	part uint64 // of the days since 1970
}

// quietRound waits for the next turn, and takes it.
func (t *mailTask) quietRound(ctx context.Context, keys []keptKey) error {
	now := nowTime()
	turn, ok := t.nextTurn(keys, now)
	if !ok || turn.At.After(now) {
		wait := quietLook
		if ok {
			wait = min(wait, turn.At.Sub(now))
		}
		wake := time.NewTimer(wait)
		defer wake.Stop()
		select {
		case <-wake.C:
		case <-t.news: // perhaps the person chose otherwise
		case <-ctx.Done():
		}
		return nil
	}
	t.state.Turns[turn.row] = turn.part + 1
	if now.Sub(turn.At) > quietLate {
		return t.save()
	}
	if err := t.takeTurn(ctx, turn); err != nil {
		return err
	}
	t.n.noteBox(t.key.box, nil)
	t.prune(keys, mailbox.DayOf(now))
	return t.save()
}

// nextTurn is the earliest that was not taken, in the drops of the newest epoch and of those that
// were it some days ago.
func (t *mailTask) nextTurn(keys []keptKey, now time.Time) (first quietTurn, ok bool) {
	if t.state.Turns == nil {
		t.state.Turns = make(map[string]uint64)
	}
	day, drawn := mailbox.DayOf(now), make(map[string][]mailbox.Turn)
	for _, k := range keys {
		if k.old != 0 && k.old+mailOld < t.n.nowMS() {
			continue
		}
		plan := mailbox.Plan{Root: k.Root(t.key.box)}
		plan.Members, plan.Own = t.place()
		for d := day; d <= day+1; d++ {
			name := fmt.Sprintf("%s %d %d", dropOf(k, d), plan.Members, plan.Own)
			if drawn[name] = t.days[name]; drawn[name] == nil {
				drawn[name] = plan.On(d)
			}
			for _, turn := range drawn[name] {
				row := fmt.Sprintf("%s %s %d", blockName(k.Block), turn.Do, d-turn.Drop)
				part := uint64(turn.At.Unix()) / (24 * 3600 / mailbox.Turns)
				if part >= t.state.Turns[row] && (!ok || turn.At.Before(first.At)) {
					first, ok = quietTurn{turn, k, row, part}, true
				}
			}
		}
	}
	t.days = drawn
	return first, ok
}

// place is how many devices share the turns, and which of them this one is.
func (t *mailTask) place() (members, own int) {
	me := t.n.me().Device.ID()
	list := []wire.DeviceID{me}
	for _, d := range t.o.picture.Load().devices {
		if !d.Former && d.Member.Device != me {
			list = append(list, d.Member.Device)
		}
	}
	slices.SortFunc(list, func(a, b wire.DeviceID) int { return bytes.Compare(a[:], b[:]) })
	return len(list), slices.Index(list, me)
}

func (t *mailTask) takeTurn(ctx context.Context, turn quietTurn) error {
	ctx, cancel := context.WithTimeout(ctx, mailLimit)
	defer cancel()
	if turn.Do == mailbox.TurnRead {
		return t.readWhole(ctx, turn.key, turn.Drop)
	}
	if err := t.fill(turn.key, turn.Drop); err != nil {
		return err
	}
	block, item := blockName(turn.key.Block), wire.Random(mailbox.Sizes[0])
	queue := t.state.Queue[block]
	if len(queue) > 0 {
		item = queue[0]
	}
	c, err := t.dial(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	last, err := c.MakeAndPut(ctx, turn.key.drop(t.key.box, turn.Drop), mailHours, item)
	if err != nil {
		return err
	}
	t.state.Put[dropOf(turn.key, turn.Drop)] = last
	if len(queue) > 0 {
		t.state.Queue[block] = queue[1:]
		if len(queue) == 1 && turn.key.Block == t.state.Head {
			t.state.Seq = max(t.state.Seq, t.state.Full)
		}
		t.countLeft(1)
	}
	return nil
}

// fill has what this device has to say wait for turns, if nothing does.
func (t *mailTask) fill(k keptKey, day uint64) error {
	word, err := t.word()
	if err != nil {
		return err
	}
	if t.state.Queue == nil || t.state.Head != word.Head { // whom the new head removed reads the drops of the old one
		if len(t.state.Queue) > 0 {
			t.leaveAnew()
		}
		t.state.Queue, t.state.Head = make(map[string][][]byte), word.Head
	}
	block := blockName(k.Block)
	if len(t.state.Queue[block]) > 0 {
		return nil
	}
	if list := t.invitations(); len(list) > 0 && k.Block == word.Head {
		items, left, err := t.sealInvitations(list, k.Item(t.key.box, uint32(day)), true)
		if err != nil {
			return err
		}
		t.state.Queue[block] = items
		if t.invited(list, left); len(t.state.Queue[block]) > 0 {
			return nil
		}
	}
	var payloads [][]byte
	switch {
	case k.Block != word.Head:
		var next group.Exported
		if err := t.o.ask(func() error { next = t.o.machine.ExportNext(k.Block); return nil }); err != nil {
			return err
		}
		if next.Blocks <= t.state.Next[block] {
			return nil
		}
		payloads, t.state.Next[block] = next.Payloads, next.Blocks
	case !t.n.someAway(t.o) || word.All == t.state.Word && !t.lackingDue(word):
		return nil
	default:
		t.leaveLacking(word)
		list, x, err := t.export(word.Head, quietMost)
		if errors.Is(err, errLedOn) {
			return nil
		}
		if err != nil {
			return err
		}
		if payloads, t.state.Mark = list, x.Mark; !x.More {
			t.state.Word, t.state.Full = word.All, word.Seq
		}
	}
	if len(payloads) == 0 {
		return nil
	}
	items, err := t.seal(t.key.group, payloads, k.Item(t.key.box, uint32(day)), true)
	t.state.Queue[block] = items
	return err
}

// readWhole reads a drop from its beginning, as each of its readers does.
func (t *mailTask) readWhole(ctx context.Context, k keptKey, day uint64) error {
	c, err := t.dial(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	name := dropOf(k, day)
	known := t.state.Read[name]
	for at := uint64(0); ; {
		page, err := c.Fetch(ctx, k.drop(t.key.box, day), at)
		if errors.Is(err, mailbox.ErrRefused) || err == nil && page.End < known {
			if lost := t.lost(name, page.End); lost || known > 0 {
				t.leaveAnew()
			}
			delete(t.state.Read, name)
			return nil
		}
		if err != nil {
			return err
		}
		if t.lost(name, page.End) {
			t.leaveAnew()
		}
		for _, item := range page.Items {
			if at = item.Position; at > known {
				if err := t.takeIn(k, day, item.Bytes); err != nil {
					return err
				}
			}
		}
		t.reached(k, day, max(known, at))
		if !page.More {
			return nil
		}
	}
}
