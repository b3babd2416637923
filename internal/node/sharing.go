package node

import (
	"bytes"
	"context"
	"encoding/binary"
	"slices"
	"time"

	"kith/internal/group"
	"kith/internal/store"
	"kith/internal/wire"
)

// How own devices agree: what the person changes at one is noted in the transaction that
// changes it, and told the others as a content of the chat of their notes. What is said there
// is stored with the entry that says it, and taken over from there, so that neither is lost
// by a crash.
//
//	a change ── share: one transaction ──> untold ── tellShared ──> entry in the notes
//	entry in the notes ── noteTidings: one transaction ──> tidings ── takeTidings ──> taken over

const (
	// shareAfter is how long a change waits for others that are told with it.
	shareAfter = 200 * time.Millisecond
	// shareLazy is the same for what is read or begun to be written, which changes often.
	shareLazy = 5 * time.Second
	// shareAgain is when what could not be told is tried again.
	shareAgain = 30 * time.Second
)

// sharedKey is the key of a stamp.
//
//	size field
//	1    kind
//	32   key
func sharedKey(k sharedKind, key []byte) []byte { return append([]byte{uint8(k)}, key...) }

// A sharedStamp is when something was changed, and whether the others were told.
//
//	size field
//	8    stamp, ms
//	1    1: they were told; 0: not yet
type sharedStamp struct {
	at   uint64
	told bool
}

func (s sharedStamp) bytes() []byte {
	var w wire.Writer
	w.U64(s.at)
	w.Bool(s.told)
	return w.Bytes()
}

func parseStamp(b []byte) (s sharedStamp, err error) {
	r := wire.NewReader(b)
	s.at, s.told = r.U64(), r.Bool()
	return s, r.Done()
}

func getStamp(tx *store.Tx, k sharedKind, key []byte) (s sharedStamp, err error) {
	b, ok, err := tx.Get(bucketShared, sharedKey(k, key))
	if err != nil || !ok {
		return s, err
	}
	return parseStamp(b)
}

func putStamp(tx *store.Tx, k sharedKind, key []byte, s sharedStamp) error {
	return tx.Put(bucketShared, sharedKey(k, key), s.bytes())
}

// share notes that something was changed, which the other own devices are to be told.
func (n *Node) share(tx *store.Tx, k sharedKind, key []byte) error {
	if !n.hasOthers() {
		return nil // a new device is told all when it is linked
	}
	was, err := getStamp(tx, k, key)
	if err != nil {
		return err
	}
	return putStamp(tx, k, key, sharedStamp{at: max(n.nowMS(), was.at+1)})
}

// shareLater is share in a transaction of its own.
func (n *Node) shareLater(k sharedKind, key wire.GroupID) error {
	if !n.hasOthers() {
		return nil
	}
	if err := n.db.Update(func(tx *store.Tx) error { return n.share(tx, k, key[:]) }); err != nil {
		return storeError(err)
	}
	n.shareSoon()
	return nil
}

// hasOthers reports whether this person has linked another device.
func (n *Node) hasOthers() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.own != nil && len(n.own.Devices) > 0
}

// shareSoon has looked whether there is something to be told, or to be taken over.
func (n *Node) shareSoon() {
	select {
	case n.shares <- struct{}{}:
	default:
	}
}

// sharing tells and takes over until ctx ends.
func (n *Node) sharing(ctx context.Context) {
	t := time.NewTimer(0)
	defer t.Stop()
	for {
		select {
		case <-n.shares:
			t.Reset(shareAfter)
			continue
		case <-t.C:
		case <-ctx.Done():
			return
		}
		if !n.Ready() {
			continue
		}
		n.takeTidings()
		if wait := n.tellShared(); wait > 0 {
			t.Reset(wait)
		}
	}
}

// unshared are the changes that the others were not told of yet.
func (n *Node) unshared() (list []sharedRecord, err error) {
	err = n.db.View(func(tx *store.Tx) error {
		all, err := tx.List(bucketShared, nil)
		if err != nil {
			return err
		}
		for _, item := range all {
			s, err := parseStamp(item.Value)
			if err != nil || len(item.Key) != 33 {
				return store.ErrDamaged
			}
			if !s.told {
				list = append(list, sharedRecord{kind: sharedKind(item.Key[0]), key: [32]byte(item.Key[1:]), stamp: s.at})
			}
		}
		return nil
	})
	return list, err
}

// tellShared tells what is due, and returns after what time to try again; 0: there is no
// need.
func (n *Node) tellShared() time.Duration {
	list, err := n.unshared()
	if err != nil {
		n.log.Error("cannot read", "err", err)
		return shareAgain
	}
	newest := uint64(0)
	lazy := !slices.ContainsFunc(list, func(s sharedRecord) bool {
		newest = max(newest, s.stamp)
		return s.kind != sharedRead && s.kind != sharedDraft
	})
	if len(list) == 0 {
		return 0
	}
	if age := time.Duration(n.nowMS()-min(newest, n.nowMS())) * time.Millisecond; lazy && age < shareLazy {
		return shareLazy - age
	}
	o := n.owner(n.notesID())
	if o == nil || !n.hasOthers() {
		return shareAgain
	}
	for len(list) > 0 {
		var w wire.Writer
		count := 0
		for _, s := range list {
			if s.value, err = n.sharedValue(s.kind, s.key); err != nil {
				n.log.Error("cannot read", "err", err)
				return shareAgain
			}
			if count > 0 && w.Len()+len(s.value)+64 > maxSharedValue {
				break
			}
			s.write(&w)
			count++
		}
		if err := n.tellNotes(o, w.Bytes(), list[:count]); err != nil {
			n.log.Info("other devices are not told yet", "err", err)
			return shareAgain
		}
		list = list[count:]
	}
	return 0
}

// tellNotes writes records into the notes, and notes in the same transaction that they
// were told, but for those that were changed again meanwhile.
func (n *Node) tellNotes(o *owner, records []byte, list []sharedRecord) error {
	c, err := group.Say(group.Own{Records: records})
	if err != nil {
		return err
	}
	told := func(tx *store.Tx) error {
		for _, s := range list {
			now, err := getStamp(tx, s.kind, s.key[:])
			if err != nil {
				return err
			}
			if now.at == s.stamp {
				if err := putStamp(tx, s.kind, s.key[:], sharedStamp{at: s.stamp, told: true}); err != nil {
					return err
				}
			}
		}
		return nil
	}
	return o.ask(func() error { return o.stepAlso(group.Compose{Content: c}, also{write: told}) })
}

func (n *Node) notesID() wire.GroupID {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.notes
}

// noteTidings keeps, with the entries that say it, what other own devices tell in the notes.
func (o *owner) noteTidings(tx *store.Tx, rows []group.Row) error {
	self := o.n.me()
	if o.id != o.n.notesID() {
		return nil
	}
	for _, r := range rows {
		if r.State != group.RowShown || r.Person != self.Person || o.n.ownKey(r.Place.Device) || !isOwnContent(r.Content) {
			continue
		}
		c, err := group.ParseContent(r.Content)
		if err != nil {
			return err // it was checked before it was shown
		}
		if err := tx.Put(bucketTidings, group.EntryKey(r.Place.Ref()), c.Body); err != nil {
			return err
		}
	}
	return nil
}

// isOwnContent reports whether a content is what own devices tell each other.
func isOwnContent(content []byte) bool {
	return len(content) > 2 && group.ContentKind(binary.BigEndian.Uint16(content)) == group.ContentOwn
}

// takeTidings takes over what other own devices have said. What is about a chat that is not
// here yet waits for it.
func (n *Node) takeTidings() {
	var list []store.Pair
	err := n.db.View(func(tx *store.Tx) (err error) {
		list, err = tx.List(bucketTidings, nil)
		return err
	})
	if err != nil {
		n.log.Error("cannot read", "err", err)
		return
	}
	for _, item := range list {
		records, err := readShared(item.Value, maxSharedTold)
		if err != nil {
			n.log.Info("another device said what cannot be read", "err", err)
		}
		var later []sharedRecord
		for _, s := range records {
			if !n.takeOver(s) {
				later = append(later, s)
			}
		}
		if err := n.db.Update(func(tx *store.Tx) error { return putLater(tx, item, later) }); err != nil {
			n.log.Error("cannot write", "err", err)
			return
		}
	}
}

// putLater keeps of tidings what waits.
func putLater(tx *store.Tx, item store.Pair, later []sharedRecord) error {
	if len(later) == 0 {
		return tx.Delete(bucketTidings, item.Key)
	}
	var w wire.Writer
	for _, s := range later {
		s.write(&w)
	}
	if bytes.Equal(w.Bytes(), item.Value) {
		return nil
	}
	return tx.Put(bucketTidings, item.Key, w.Bytes())
}
