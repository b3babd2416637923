package node

import (
	"bytes"
	"context"
	"errors"
	"slices"

	"kith/internal/bundle"
	"kith/internal/group"
	"kith/internal/mailbox"
	"kith/internal/wire"
)

// What a device leaves in drops: what it has said, sealed, in items.

// leave leaves what this device has said since it did so last, and in the drops of older epochs
// the blocks that lead on from them.
func (t *mailTask) leave(ctx context.Context, keys []keptKey, word group.Word) error {
	day := mailbox.DayOf(nowTime())
	t.leaveInvitations(ctx, keys[0], day)
	away := t.n.someAway(t.o)
	if away {
		t.leaveLacking(word)
	}
	for _, k := range keys {
		if k.Block == word.Head {
			continue
		}
		var next group.Exported
		if err := t.o.ask(func() error { next = t.o.machine.ExportNext(k.Block); return nil }); err != nil {
			return err
		}
		if next.Blocks <= t.state.Next[blockName(k.Block)] {
			continue
		}
		if err := t.put(ctx, k, day, next.Payloads); err != nil {
			return err
		}
		t.state.Next[blockName(k.Block)] = next.Blocks
	}
	t.state.Told = word.Head
	if !away {
		return t.save()
	}
	for more := true; more; {
		payloads, x, err := t.export(keys[0].Block, mailMost)
		if errors.Is(err, errLedOn) {
			return t.save() // the rest goes to the drop of the new head
		}
		if err != nil {
			return err
		}
		if err := t.put(ctx, keys[0], day, payloads); err != nil {
			return err
		}
		t.state.Mark, more = x.Mark, x.More
		if err := t.save(); err != nil { // a line may be slow
			return err
		}
	}
	t.state.Word, t.unsaid, t.since = word.All, word, nowTime()
	t.state.Seq = word.Seq
	return t.save()
}

// leaveLacking has all that the others' Acks say to be lacking left once more, if it is time.
func (t *mailTask) leaveLacking(word group.Word) {
	now := t.n.nowMS()
	switch {
	case !word.Lacks:
		t.state.Anew, t.state.Times = 0, 0
	case t.state.Anew == 0 || t.state.Anew > now: // or the clock was ahead
		t.state.Anew, t.state.Times = now, 0
	case t.state.Mark == nil: // all of it is left now
		t.state.Anew = now
	case t.lackingDue(word):
		t.state.Mark, t.state.Anew, t.state.Times = nil, now, t.state.Times+1
		clear(t.state.Next)
		t.state.Word = wire.Digest{} // until all of it is left
	}
}

// lackingDue reports whether that is due: a day after it was left, then 3 days, then 9 each time; or
// whether the clock was ahead when it was.
func (t *mailTask) lackingDue(word group.Word) bool {
	days := uint64(1)
	for range t.state.Times {
		days = min(3*days, mailAnewMost)
	}
	now := t.n.nowMS()
	return word.Lacks && t.state.Anew != 0 && (t.state.Anew+days*mailAnew <= now || t.state.Anew > now)
}

// errLedOn says that the group has another head than the drop that was to be written to.
var errLedOn = errors.New("node: the group has gone on")

// export is what this device has to say at a head: its own entries, for each member leaves its own,
// and all that is not entries. Whom a later block removes reads the drops of this one, so that
// nothing goes there once there is one.
func (t *mailTask) export(head wire.BlockHash, most int) (payloads [][]byte, x group.Exported, err error) {
	away := t.away()
	err = t.o.ask(func() error {
		if t.o.machine.Word().Head != head {
			return errLedOn
		}
		x = t.o.machine.Export(group.ExportTo{Since: t.state.Mark}, most)
		own := ownEntries(x.Serve, t.n.ownKey)
		list := []group.Serve{own}
		if slices.Contains(own.Bare, true) { // somebody new may not read them: those who were here may
			for _, d := range away {
				each := t.o.machine.Export(group.ExportTo{Device: d, Since: t.state.Mark}, most)
				list = append(list, ownEntries(each.Serve, t.n.ownKey))
			}
		}
		payloads = slices.Clone(x.Payloads)
		for _, s := range list {
			entries, err := t.o.answer(s)
			if err != nil {
				return err
			}
			payloads = append(payloads, entries...)
		}
		payloads = append(payloads, x.Last...)
		return nil
	})
	return payloads, x, err
}

// away are the first devices of members that have no session with this node.
func (t *mailTask) away() (list []wire.DeviceID) {
	p, me := t.o.picture.Load(), t.n.me()
	t.n.mu.Lock()
	defer t.n.mu.Unlock()
	for _, d := range p.devices {
		if !d.Former && d.Member.Person != me.Person && t.n.sessions[d.Member.Device] == nil && len(list) < mailAway {
			list = append(list, d.Member.Device)
		}
	}
	return list
}

// mailAway bounds the devices for which entries that a newcomer may not read are left once more.
const mailAway = 8

// ownEntries leaves the entries of own devices of what is to be served.
func ownEntries(s group.Serve, own func(wire.DeviceID) bool) group.Serve {
	all := s
	s.Refs, s.Bare = nil, nil
	for i, ref := range all.Refs {
		if own(ref.Device) {
			s.Refs = append(s.Refs, ref)
			if len(all.Bare) > 0 {
				s.Bare = append(s.Bare, all.Bare[i])
			}
		}
	}
	return s
}

// put seals payloads and puts them into a drop.
func (t *mailTask) put(ctx context.Context, k keptKey, day uint64, payloads [][]byte) error {
	if len(payloads) == 0 {
		return nil
	}
	items, err := t.seal(t.key.group, payloads, k.Item(t.key.box, uint32(day)), false)
	if err != nil {
		return err
	}
	return t.putItems(ctx, k, day, items)
}

func (t *mailTask) putItems(ctx context.Context, k keptKey, day uint64, items [][]byte) error {
	opening, opened := context.WithTimeout(ctx, mailLimit)
	defer opened()
	c, err := t.dial(opening)
	if err != nil {
		return err
	}
	defer c.Close()
	drop := k.drop(t.key.box, day)
	for _, batch := range batches(items) {
		last, err := putBatch(ctx, c, drop, batch)
		if err != nil {
			return err
		}
		t.state.Put[dropOf(k, day)] = last
	}
	t.countLeft(len(items))
	return nil
}

// putBatch puts what one frame takes, which a slow line has done within mailLimit.
func putBatch(ctx context.Context, c *mailbox.Client, drop mailbox.Keys, batch [][]byte) (last uint64, err error) {
	ctx, cancel := context.WithTimeout(ctx, mailLimit)
	defer cancel()
	return c.MakeAndPut(ctx, drop, mailHours, batch...)
}

// countLeft counts what was left at the mailbox.
func (t *mailTask) countLeft(items int) {
	t.n.mu.Lock()
	defer t.n.mu.Unlock()
	v := t.n.boxes[t.key.box]
	v.Left += items
	t.n.boxes[t.key.box] = v
}

// seal makes items of payloads of a group, under the secret of a drop; small: all of the smallest
// size.
func (t *mailTask) seal(g wire.GroupID, payloads [][]byte, secret [32]byte, small bool) ([][]byte, error) {
	self := t.n.me()
	var sealed bytes.Buffer
	w, err := bundle.NewSecretWriter(&sealed, self.Device, bundle.Header{From: wire.Member{Person: self.Person, Device: self.Device.ID()}, Time: t.n.nowMS()}, secret)
	if err != nil {
		return nil, err
	}
	if err := w.Group(g); err != nil {
		return nil, err
	}
	for _, b := range payloads {
		if err := w.Payload(b); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	if small {
		return bundle.SplitSmall(sealed.Bytes(), secret)
	}
	return bundle.Split(sealed.Bytes(), secret, 0)
}

// batches divides items into what one frame takes.
func batches(items [][]byte) (list [][][]byte) {
	size := 0
	for _, item := range items {
		if n := len(list); n == 0 || len(list[n-1]) == mailbox.MaxItems || size+len(item) > mailbox.MaxBody {
			list, size = append(list, nil), 0
		}
		list[len(list)-1] = append(list[len(list)-1], item)
		size += len(item)
	}
	return list
}
