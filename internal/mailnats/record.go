package mailnats

import (
	"errors"

	"kith/internal/mailbox"
	"kith/internal/wire"
)

// A record is what a message of the stream says of its drop, after the change that the message
// is. It stands in the header "Kith", in base64 (RFC 4648, section 4), so that servers can hand it
// out without the items, which are the message's body, one after the other:
//
//	offset size field
//	0      1    version, 1
//	1      16   id: drawn, tells this change from another
//	17     32   write hash of the drop
//	49     32   read hash
//	81     1    keep: 0 or 1
//	82     4    hour at which the drop expires, since 1970
//	86     8    end: the last position given out
//	94     8    floor: what has a position up to this is deleted
//	102    8    bytes of the items after the floor
//	110    1    n, 0 to 16: how many items the body has; the last of them has the position end
//	111    n    of each: 1 is 4 KiB, 2 is 16 KiB, 3 is 64 KiB
type record struct {
	id      [16]byte
	drop    mailbox.Drop
	expires uint32
	end     uint64
	floor   uint64
	bytes   uint64
	sizes   []uint8
}

const recordVersion = 1

// errRecord refuses bytes that are no record: of a newer program, or somebody else's.
var errRecord = errors.New("mailnats: a message of the stream is none of a mailbox")

func (r record) marshal() []byte {
	var w wire.Writer
	w.U8(recordVersion)
	w.Raw(r.id[:])
	w.Raw(r.drop.Write[:])
	w.Raw(r.drop.Read[:])
	w.Bool(r.drop.Keep)
	w.U32(r.expires)
	w.U64(r.end)
	w.U64(r.floor)
	w.U64(r.bytes)
	w.U8(uint8(len(r.sizes)))
	w.Raw(r.sizes)
	return w.Bytes()
}

func parseRecord(b []byte) (r record, err error) {
	in := wire.NewReader(b)
	if in.U8() != recordVersion {
		return record{}, errRecord
	}
	in.Fixed(r.id[:])
	in.Fixed(r.drop.Write[:])
	in.Fixed(r.drop.Read[:])
	r.drop.Keep = in.Bool()
	r.expires, r.end, r.floor, r.bytes = in.U32(), in.U64(), in.U64(), in.U64()
	r.sizes = append([]uint8(nil), in.Raw(min(int(in.U8()), mailbox.MaxItems+1))...)
	if in.Done() != nil || len(r.sizes) > mailbox.MaxItems || r.floor > r.end || uint64(len(r.sizes)) > r.end-r.floor {
		return record{}, errRecord
	}
	for _, size := range r.sizes {
		if size < 1 || int(size) > len(mailbox.Sizes) {
			return record{}, errRecord
		}
	}
	least, most := uint64(mailbox.Sizes[0]), uint64(mailbox.Sizes[len(mailbox.Sizes)-1])
	if n := r.end - r.floor; r.bytes%least != 0 || r.bytes/least < n || (r.bytes+most-least)/most > n || r.bytes > 1<<62 {
		return record{}, errRecord
	}
	return r, nil
}

// items is how many items lie in the drop.
func (r record) items() int64 { return int64(r.end - r.floor) }

// first is the position of the body's first item, or the one after the end where it has none.
func (r record) first() uint64 { return r.end - uint64(len(r.sizes)) + 1 }

// cut divides a body into its items.
func (r record) cut(body []byte) (items []mailbox.Item, err error) {
	for i, size := range r.sizes {
		n := mailbox.Sizes[size-1]
		if len(body) < n {
			return nil, errRecord
		}
		items = append(items, mailbox.Item{Position: r.first() + uint64(i), Bytes: body[:n:n]})
		body = body[n:]
	}
	if len(body) > 0 {
		return nil, errRecord
	}
	return items, nil
}

func (r record) held() mailbox.Held {
	return mailbox.Held{Drop: r.drop, Expires: r.expires, End: r.end}
}

// sizeClass is the number of an item's size on the wire.
func sizeClass(item []byte) uint8 {
	for i, size := range mailbox.Sizes {
		if len(item) == size {
			return uint8(i + 1)
		}
	}
	return 0
}
