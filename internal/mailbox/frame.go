package mailbox

import (
	"fmt"

	"kith/internal/wire"
)

// A frame of a link holds one request of the client or one answer of the mailbox:
//
//	offset size field
//	0      1    kind
//	1      4    tag: the client's choice; the answer repeats it
//	5      n    body, by kind
//
//	kind        body
//	1  hello    u8 version, 1; bool access; if so: access secret[32]
//	2  make     bool keep; u16 hours, 1 to 8784; write hash[32]; read hash[32]
//	3  put      name[32]; write capability[32]; 1 to 16 items
//	4  fetch    name[32]; read capability[32]; u64 after
//	5  wait     name[32]; read capability[32]; u64 after; u16 seconds, 1 to 3600
//	6  delete   name[32]; read capability[32]; u64 up to
//	7  room     -
//	65 made     u32 hour at which the drop expires, since 1970
//	66 stored   u64 position of the last item
//	67 page     u64 end; bool more; 0 to 16 times: u64 position, item
//	68 news     u64 end
//	69 done     -
//	70 room     u32 items and u64 bytes of a drop; u16 hours; u8 sixteenths of the room that are free
//	127 refusal u8 why: 1 no such drop, 2 to 5 a Limit; u32 seconds until another try is worth it
//
//	item: u8 size: 1 is 4 KiB, 2 is 16 KiB, 3 is 64 KiB; that many bytes
//
// The items of a frame are at most 64 KiB together. Positions rise, from above
// "after" to at most end; end is the last position given out in the drop.
type kind uint8

const (
	kindHello   kind = 1
	kindMake    kind = 2
	kindPut     kind = 3
	kindFetch   kind = 4
	kindWait    kind = 5
	kindDelete  kind = 6
	kindAskRoom kind = 7
	kindMade    kind = 65
	kindStored  kind = 66
	kindPage    kind = 67
	kindNews    kind = 68
	kindDone    kind = 69
	kindRoom    kind = 70
	kindRefusal kind = 127
)

const (
	helloVersion = 1
	whyRefused   = 1
)

// Sizes of items, by their number on the wire less 1.
var Sizes = [...]int{4 << 10, 16 << 10, 64 << 10}

// sizeOf is the number of a size on the wire, or 0.
func sizeOf(item []byte) uint8 {
	for i, n := range Sizes {
		if n == len(item) {
			return uint8(i + 1)
		}
	}
	return 0
}

// Item is one item with its position in its drop.
type Item struct {
	Position uint64
	Bytes    []byte
}

// frame is one request or answer. A kind uses the fields that its row names.
type frame struct {
	kind   kind
	tag    uint32
	access *[32]byte
	drop   Drop
	hours  uint16
	name   Name
	cap    Capability
	items  []Item // of a put without positions
	at     uint64 // after, up to, end, or the position of the last item
	wait   uint16
	more   bool
	expiry uint32
	room   Room
	why    uint8
	retry  uint32
}

// Room is what a mailbox offers.
type Room struct {
	DropItems uint32
	DropBytes uint64
	Hours     uint16
	Free      uint8 // sixteenths, rounded down
}

func (f frame) bytes() []byte {
	var w wire.Writer
	w.U8(uint8(f.kind))
	w.U32(f.tag)
	switch f.kind {
	case kindHello:
		w.U8(helloVersion)
		w.Bool(f.access != nil)
		if f.access != nil {
			w.Raw(f.access[:])
		}
	case kindMake:
		w.Bool(f.drop.Keep)
		w.U16(f.hours)
		w.Raw(f.drop.Write[:])
		w.Raw(f.drop.Read[:])
	case kindPut, kindFetch, kindWait, kindDelete:
		w.Raw(f.name[:])
		w.Raw(f.cap[:])
		f.writeAbout(&w)
	case kindMade:
		w.U32(f.expiry)
	case kindStored, kindNews:
		w.U64(f.at)
	case kindPage:
		w.U64(f.at)
		w.Bool(f.more)
		for _, i := range f.items {
			w.U64(i.Position)
			writeItem(&w, i.Bytes)
		}
	case kindRoom:
		w.U32(f.room.DropItems)
		w.U64(f.room.DropBytes)
		w.U16(f.room.Hours)
		w.U8(f.room.Free)
	case kindRefusal:
		w.U8(f.why)
		w.U32(f.retry)
	}
	return w.Bytes()
}

// writeAbout appends what follows name and capability.
func (f frame) writeAbout(w *wire.Writer) {
	switch f.kind {
	case kindPut:
		for _, i := range f.items {
			writeItem(w, i.Bytes)
		}
	case kindWait:
		w.U64(f.at)
		w.U16(f.wait)
	default:
		w.U64(f.at)
	}
}

func writeItem(w *wire.Writer, item []byte) {
	w.U8(sizeOf(item))
	w.Raw(item)
}

// parseFrame reads one frame. Items alias b.
func parseFrame(b []byte) (frame, error) {
	r := wire.NewReader(b)
	f := frame{kind: kind(r.U8()), tag: r.U32()}
	switch f.kind {
	case kindHello:
		f.readHello(r)
	case kindMake:
		f.drop.Keep = r.Bool()
		f.hours = r.U16()
		r.Fixed(f.drop.Write[:])
		r.Fixed(f.drop.Read[:])
		if f.hours == 0 || f.hours > MaxHours {
			r.Fail(wire.ErrCanonical)
		}
	case kindPut, kindFetch, kindWait, kindDelete:
		r.Fixed(f.name[:])
		r.Fixed(f.cap[:])
		f.readAbout(r)
	case kindMade:
		f.expiry = r.U32()
	case kindStored, kindNews:
		f.at = r.U64()
	case kindPage:
		f.readPage(r)
	case kindRoom:
		f.room = Room{DropItems: r.U32(), DropBytes: r.U64(), Hours: r.U16(), Free: r.U8()}
		if f.room.Free > 16 {
			r.Fail(wire.ErrCanonical)
		}
	case kindRefusal:
		f.why = r.U8()
		f.retry = r.U32()
		if f.why < whyRefused || f.why > uint8(LimitDisk) {
			r.Fail(wire.ErrCanonical)
		}
	case kindAskRoom, kindDone:
	default:
		r.Fail(wire.ErrCanonical)
	}
	if err := r.Done(); err != nil {
		return frame{}, fmt.Errorf("%w: %w", ErrFrame, err)
	}
	return f, nil
}

func (f *frame) readHello(r *wire.Reader) {
	if r.U8() != helloVersion {
		r.Fail(wire.ErrCanonical)
	}
	if r.Bool() {
		f.access = new([32]byte)
		r.Fixed(f.access[:])
	}
}

func (f *frame) readAbout(r *wire.Reader) {
	switch f.kind {
	case kindPut:
		for total := 0; !r.Empty() || total == 0 && r.Err() == nil; {
			f.items = append(f.items, Item{Bytes: readItem(r)})
			total += len(f.items[len(f.items)-1].Bytes)
			if len(f.items) > MaxItems || total > MaxBody {
				r.Fail(wire.ErrTooLong)
			}
		}
	case kindWait:
		f.at = r.U64()
		f.wait = r.U16()
		if f.wait == 0 || f.wait > uint16(MaxWait.Seconds()) {
			r.Fail(wire.ErrCanonical)
		}
	default:
		f.at = r.U64()
	}
}

func (f *frame) readPage(r *wire.Reader) {
	f.at = r.U64()
	f.more = r.Bool()
	last, total := uint64(0), 0
	for !r.Empty() {
		i := Item{Position: r.U64(), Bytes: readItem(r)}
		total += len(i.Bytes)
		if i.Position <= last || i.Position > f.at {
			r.Fail(wire.ErrCanonical)
		}
		f.items = append(f.items, i)
		last = i.Position
		if len(f.items) > MaxItems || total > MaxBody {
			r.Fail(wire.ErrTooLong)
		}
	}
}

func readItem(r *wire.Reader) []byte {
	n := r.U8()
	if n == 0 || int(n) > len(Sizes) {
		r.Fail(wire.ErrCanonical)
		return nil
	}
	return r.Raw(Sizes[n-1])
}
