package mailnats

import (
	"cmp"
	"slices"
	"sync"

	"kith/internal/mailbox"
)

// An index is what is known of the drops of the stream: of each its newest record, about 250
// bytes, and where in the stream the puts are that were seen, 16 bytes each. It follows the stream
// (see follow), a moment behind, and knows at once what this engine itself has written.
type index struct {
	mu      sync.Mutex // guards all below
	drops   map[mailbox.Name]*known
	usage   mailbox.Usage
	coming  mailbox.Usage      // room that is kept for changes on their way
	expired uint32             // hour: drops that expire then or before are not taken in any more
	tell    func(mailbox.Name) // told of each put, holding no lock; may be nil
}

// known is a drop.
type known struct {
	record        // without sizes
	seq    uint64 // of its newest message
	places []place
}

// A place says with which sequence number the message is in the stream whose first item has a
// position. They are sorted; not all need be known.
type place struct {
	first uint32
	seq   uint64
}

func (x *index) find(name mailbox.Name) (record, uint64, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	k := x.drops[name]
	if k == nil {
		return record{}, 0, false
	}
	return k.record, k.seq, true
}

// learn takes in a message of a drop, unless a newer one is known.
func (x *index) learn(name mailbox.Name, r record, seq uint64) {
	x.mu.Lock()
	news := x.take(name, r, seq)
	tell := x.tell
	x.mu.Unlock()
	if news && tell != nil {
		tell(name)
	}
}

// replace is learn of what the servers' leader has, even if it is older than what was known here
// when it was asked, before: then the stream is another one than it was. What was learned since
// is newer than the answer.
func (x *index) replace(name mailbox.Name, r record, seq, before uint64) {
	if seq < before {
		x.forget(name, before)
	}
	x.learn(name, r, seq)
}

// take is learn, and reports whether the drop has more items.
func (x *index) take(name mailbox.Name, r record, seq uint64) bool {
	if r.expires <= x.expired {
		return false
	}
	k := x.drops[name]
	if k == nil {
		k = &known{}
		x.drops[name] = k
		x.usage.Drops++
	}
	if len(r.sizes) > 0 {
		k.note(place{uint32(r.first()), seq})
	}
	if seq <= k.seq {
		return false
	}
	more := r.end > k.end
	x.usage.Items += r.items() - k.items()
	x.usage.Bytes += int64(r.bytes) - int64(k.bytes)
	r.sizes = nil
	k.record, k.seq = r, seq
	if i, _ := slices.BinarySearchFunc(k.places, r.floor+1, comparePlace); i > 1 { // those below are deleted
		k.places = slices.Delete(k.places, 0, i-1)
	}
	return more
}

func comparePlace(p place, position uint64) int { return cmp.Compare(uint64(p.first), position) }

func (k *known) note(p place) {
	if i, found := slices.BinarySearchFunc(k.places, uint64(p.first), comparePlace); !found {
		k.places = slices.Insert(k.places, i, p)
	}
}

// notePlace notes where a put is that was read.
func (x *index) notePlace(name mailbox.Name, r record, seq uint64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if k := x.drops[name]; k != nil && len(r.sizes) > 0 && r.first() > k.floor {
		k.note(place{uint32(r.first()), seq})
	}
}

// before returns a sequence number from which on the message is found that has a position.
func (x *index) before(name mailbox.Name, position uint64) uint64 {
	x.mu.Lock()
	defer x.mu.Unlock()
	k := x.drops[name]
	if k == nil {
		return 1
	}
	i, found := slices.BinarySearchFunc(k.places, position, comparePlace)
	switch {
	case found:
		return k.places[i].seq
	case i == 0:
		return 1
	}
	return k.places[i-1].seq
}

// forget drops what is not in the stream any more: a drop whose newest message is known to be seq.
func (x *index) forget(name mailbox.Name, seq uint64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if k := x.drops[name]; k != nil && k.seq == seq {
		x.usage.Drops--
		x.usage.Items -= k.items()
		x.usage.Bytes -= int64(k.bytes)
		delete(x.drops, name)
	}
}

// isOver reports whether drops of an hour are taken in no more.
func (x *index) isOver(hour uint32) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return hour <= x.expired
}

// over returns the drops that expire at hour or before, with the sequence numbers of their newest
// messages. From now on they are not taken in.
func (x *index) over(hour uint32) map[mailbox.Name]uint64 {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.expired = max(x.expired, hour)
	list := make(map[mailbox.Name]uint64)
	for name, k := range x.drops {
		if k.expires <= hour {
			list[name] = k.seq
		}
	}
	return list
}

// keepRoom keeps room for a change until release is called, and reports whether there is any. For
// the moment between learn and release a change counts twice.
func (x *index) keepRoom(drops, bytes int64, b mailbox.Bounds) (release func(), ok bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if drops > 0 && x.usage.Drops+x.coming.Drops+drops > b.Drops || bytes > 0 && x.usage.Bytes+x.coming.Bytes+bytes > b.Bytes {
		return func() {}, false
	}
	x.coming.Drops += drops
	x.coming.Bytes += bytes
	return func() {
		x.mu.Lock()
		defer x.mu.Unlock()
		x.coming.Drops -= drops
		x.coming.Bytes -= bytes
	}, true
}

func (x *index) used() mailbox.Usage {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.usage
}
