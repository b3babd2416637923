package node

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"kith/internal/bundle"
	"kith/internal/group"
	"kith/internal/mailbox"
	"kith/internal/store"
	"kith/internal/wire"
)

// What lies in the drops of a group: which there are, and how they are read and written.

// A gathering is items that are not whole bundles yet.
type gathering struct{ bundle.Gatherer }

// A keptKey is the secret of the drops of an epoch.
type keptKey struct {
	group.DropKey
	old uint64 // ms, since when it is not the newest; 0: it is
}

// drop is the drop of a day in a mailbox. All members read it, and nobody deletes from it: it goes
// when its time is over.
func (k keptKey) drop(box boxID, day uint64) mailbox.Keys {
	return mailbox.Derive(mailbox.Day(k.Root(box), day), true)
}

func blockName(b wire.BlockHash) string { return hex.EncodeToString(b[:8]) }

// dropOf names a drop in the state of a task.
func dropOf(k keptKey, day uint64) string { return fmt.Sprintf("%s %d", blockName(k.Block), day) }

// keys returns the keys of the epochs whose drops are looked at, the newest first, and what this
// device has said so far. New ones are kept before they are used: the machine forgets them.
func (t *mailTask) keys() (list []keptKey, word group.Word, err error) {
	var now []group.DropKey
	err = t.o.ask(func() error {
		now, word = t.o.machine.DropKeys(), t.o.machine.Word()
		if len(now) > 0 { // the head's last
			if i := slices.IndexFunc(now, func(k group.DropKey) bool { return k.Block == word.Head }); i >= 0 {
				k := now[i]
				now = append(slices.Delete(now, i, i+1), k)
			}
		}
		return nil
	})
	if err != nil || len(now) == 0 {
		return nil, word, err
	}
	err = t.n.db.Update(func(tx *store.Tx) error {
		list, err = t.keepKeys(tx, now)
		return err
	})
	return list, word, storeErrorOr(err)
}

// keepKeys writes new keys, and drops those of which the time is over.
func (t *mailTask) keepKeys(tx *store.Tx, now []group.DropKey) (list []keptKey, err error) {
	ms, newest := t.n.nowMS(), now[len(now)-1].Block
	kept := make(map[wire.BlockHash]dropRecord)
	pairs, err := tx.List(bucketDrop, t.key.group[:])
	if err != nil {
		return nil, err
	}
	for _, p := range pairs {
		var r dropRecord
		if ok, err := getJSON(tx, bucketDrop, p.Key, &r); err != nil || !ok || len(p.Key) != 64 || len(r.Secret) != 32 {
			return nil, err
		}
		block := wire.BlockHash(p.Key[32:])
		if r.Old != 0 && r.Old+group.KeepDrops < ms {
			if err := tx.Delete(bucketDrop, p.Key); err != nil {
				return nil, err
			}
			continue
		}
		kept[block] = r
	}
	for _, k := range now {
		if _, ok := kept[k.Block]; !ok {
			secret := k.Secret()
			kept[k.Block] = dropRecord{Height: k.Height, Secret: secret[:]}
			if err := putJSON(tx, bucketDrop, dropID(t.key.group, k.Block), kept[k.Block]); err != nil {
				return nil, err
			}
		}
	}
	for block, r := range kept {
		switch {
		case block == newest && r.Old != 0:
			r.Old = 0
		case block != newest && r.Old == 0:
			r.Old = ms
		default:
			list = append(list, keptKey{group.NewDropKey(block, r.Height, [32]byte(r.Secret)), r.Old})
			continue
		}
		if err := putJSON(tx, bucketDrop, dropID(t.key.group, block), r); err != nil {
			return nil, err
		}
		list = append(list, keptKey{group.NewDropKey(block, r.Height, [32]byte(r.Secret)), r.Old})
	}
	slices.SortFunc(list, func(a, b keptKey) int {
		switch {
		case a.Block == newest:
			return -1
		case b.Block == newest:
			return 1
		}
		return int(b.Height) - int(a.Height)
	})
	return list, nil
}

// read takes what others have left. What comes may lead to a newer epoch, whose drops are read in
// the next round, from where this one began.
func (t *mailTask) read(ctx context.Context, keys []keptKey) error {
	now := nowTime().UTC()
	today, whole := mailbox.DayOf(now), true
	for _, k := range keys {
		done, before := t.state.Days[blockName(k.Block)]
		if !before {
			done, whole = t.state.Up, false
		}
		if done == today && k.old != 0 && k.old+mailOld < t.n.nowMS() {
			continue
		}
		from, to := max(done, today-mailHours/24), today
		if now.Hour() == 0 && from > 0 {
			from-- // another's clock may be behind
		}
		if now.Hour() == 23 {
			to++ // or ahead
		}
		for day := from; day <= to; day++ {
			if err := t.readDrop(ctx, k, day); err != nil {
				return err
			}
		}
		t.state.Days[blockName(k.Block)] = today
	}
	if whole {
		t.state.Up = today
	}
	t.prune(keys, today)
	return t.save()
}

// prune forgets what is kept of drops that are not there any more, and of epochs whose drops are
// not looked at any more.
func (t *mailTask) prune(keys []keptKey, today uint64) {
	known := make(map[string]bool)
	for _, k := range keys {
		known[blockName(k.Block)] = true
	}
	for _, of := range []map[string]uint64{t.state.Read, t.state.Put} {
		maps.DeleteFunc(of, func(name string, _ uint64) bool {
			block, text, _ := strings.Cut(name, " ")
			day, err := strconv.ParseUint(text, 10, 64)
			return err != nil || !known[block] || day+mailHours/24+1 < today
		})
	}
	maps.DeleteFunc(t.state.Days, func(block string, _ uint64) bool { return !known[block] })
	maps.DeleteFunc(t.state.Next, func(block string, _ int) bool { return !known[block] })
	maps.DeleteFunc(t.state.Queue, func(block string, _ [][]byte) bool { return !known[block] })
	maps.DeleteFunc(t.state.Turns, func(row string, _ uint64) bool {
		block, _, _ := strings.Cut(row, " ")
		return !known[block]
	})
	maps.DeleteFunc(t.held, func(name string, _ uint64) bool { _, ok := t.state.Read[name]; return !ok })
}

// readDrop reads one drop over a connection of its own, so that the mailbox cannot tell that the
// drops of two days are of one group.
func (t *mailTask) readDrop(ctx context.Context, k keptKey, day uint64) error {
	ctx, cancel := context.WithTimeout(ctx, mailLimit)
	defer cancel()
	c, err := t.dial(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	name, drop := dropOf(k, day), k.drop(t.key.box, day)
	cursor := mailbox.Cursor{After: t.state.Read[name]}
	for {
		page, err := c.Fetch(ctx, drop, cursor.After)
		if errors.Is(err, mailbox.ErrRefused) {
			if _, was := t.state.Read[name]; was || t.lost(name, 0) { // the mailbox has lost it: leave it again
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
		taken := cursor.Take(page, true)
		if taken.Back { // the mailbox came back without what it had: leave it again
			t.leaveAnew()
		}
		for _, item := range taken.New {
			if err := t.takeIn(k, day, item.Bytes); err != nil {
				return err
			}
		}
		t.reached(k, day, cursor.After)
		if !page.More {
			return nil
		}
	}
}

// lost reports whether a drop that ends there lacks what this device had put when it started: it may
// have gone off before it read that itself.
func (t *mailTask) lost(name string, end uint64) bool {
	least := t.before[name]
	delete(t.before, name)
	if end < least {
		delete(t.state.Put, name)
	}
	return end < least
}

// takeIn is take of an item in the drop of a day. It may have waited for its turn for some days.
func (t *mailTask) takeIn(k keptKey, day uint64, item []byte) error {
	for d := day; d+sealedDays > day && d > 0; d-- {
		if taken, err := t.take(item, k.Item(t.key.box, uint32(d))); taken || err != nil {
			return err
		}
	}
	return nil
}

// reached notes that a drop was read up to a position. Items of a bundle that is not whole yet
// are read again after a restart.
func (t *mailTask) reached(k keptKey, day, position uint64) {
	name, lacks := dropOf(k, day), false
	for d := day; d+sealedDays > day && d > 0; d-- {
		lacks = lacks || t.parts.Lacks(k.Item(t.key.box, uint32(d)))
	}
	if !lacks {
		delete(t.held, name)
	} else if _, ok := t.held[name]; !ok {
		t.held[name] = t.state.Read[name]
	}
	t.state.Read[name] = position
}

// leaveAnew has this device leave once more what others are not known to have, and what leads on from
// older epochs.
func (t *mailTask) leaveAnew() {
	t.state.Word, t.state.Mark, t.state.Seq, t.state.Full, t.state.Invited = wire.Digest{}, nil, 0, 0, nil
	t.state.Next, t.state.Told = make(map[string]int), wire.BlockHash{}
	t.state.Anew, t.state.Times = 0, 0
}

// take opens an item, and takes the bundle that is whole by it. What does not open, or is refused,
// is junk of a member or of the mailbox; taken reports whether it opened. An error says that it could not be kept: it has to come
// again.
func (t *mailTask) take(item []byte, secret [32]byte) (taken bool, err error) {
	whole, err := t.parts.Add(item, secret)
	if err != nil || whole == nil {
		return err == nil, nil
	}
	others := false // groups' payloads
	r, err := bundle.NewSecretReader(bytes.NewReader(whole), secret, t.o.picture.Load().keyOfMember)
	if err == nil {
		t.n.setTold(t.key.box, r.Header().From.Device)
	}
	for err == nil && !t.n.ownKey(r.Header().From.Device) {
		var g wire.GroupID
		var payload []byte
		if g, payload, err = r.Next(); err != nil {
			continue
		}
		take := t.n.receiveAway
		if g != t.key.group {
			take, others = t.takeInvited, true
		}
		if err := take(r.Header().From, g, bytes.Clone(payload)); err != nil && !errors.Is(err, bundle.ErrFormat) {
			return true, err
		}
	}
	if others && t.n.sessionWith(r.Header().From.Device) == nil {
		t.n.inviterGone(r.Header().From.Device) // pages that are not in it do not come
	}
	if err != nil && !errors.Is(err, io.EOF) {
		t.n.log.Debug("a bundle from a mailbox is refused", "group", shortGroup(t.key.group), "err", err)
	}
	return true, nil
}

// keyOfMember is the key of a member's device; nil of others.
func (p *picture) keyOfMember(who wire.Member) ed25519.PublicKey {
	if slices.ContainsFunc(p.devices, func(d group.DeviceView) bool { return d.Member == who }) {
		return p.keyOf(who.Device)
	}
	return nil
}
