package mailnats

import (
	"bytes"
	"encoding/hex"
	"reflect"
	"strings"
	"testing"

	"kith/internal/mailbox"
)

// recordText is a record by hand: a drop that is kept, two items of 4 and 16 KiB, of which 7 came
// before and 6 are deleted.
var recordText = strings.Join([]string{
	"01",                               // version
	"000102030405060708090a0b0c0d0e0f", // id
	strings.Repeat("aa", 32),           // write hash
	strings.Repeat("bb", 32),           // read hash
	"01",                               // keep
	"0007a120",                         // expires: hour 500,000
	"0000000000000009",                 // end
	"0000000000000006",                 // floor
	"0000000000006000",                 // bytes of the items 7, 8, 9: 4 KiB, 4 KiB, 16 KiB
	"02", "01", "02",                   // two items: the 8th and the 9th
}, "")

func aRecord() record {
	return record{
		id:      [16]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
		drop:    mailbox.Drop{Write: [32]byte(bytes.Repeat([]byte{0xaa}, 32)), Read: [32]byte(bytes.Repeat([]byte{0xbb}, 32)), Keep: true},
		expires: 500_000, end: 9, floor: 6, bytes: 24 << 10, sizes: []uint8{1, 2},
	}
}

func TestRecordBytes(t *testing.T) {
	b, err := hex.DecodeString(recordText)
	if err != nil {
		t.Fatal(err)
	}
	if got := aRecord().marshal(); !bytes.Equal(got, b) {
		t.Errorf("written as %x, want %x", got, b)
	}
	r, err := parseRecord(b)
	if err != nil || !reflect.DeepEqual(r, aRecord()) {
		t.Errorf("read as %+v, %v", r, err)
	}
	items, err := r.cut(make([]byte, 20<<10))
	if err != nil || len(items) != 2 || items[0].Position != 8 || len(items[0].Bytes) != 4<<10 || items[1].Position != 9 {
		t.Errorf("cut into %d items, %v", len(items), err)
	}
	for _, size := range []int{0, 20<<10 - 1, 20<<10 + 1} {
		if _, err := r.cut(make([]byte, size)); err == nil {
			t.Errorf("a body of %d bytes was cut", size)
		}
	}
}

// TestRecordRefused: what no mailbox writes is refused.
func TestRecordRefused(t *testing.T) {
	for name, change := range map[string]func(*record){
		"deleted what was not given out": func(r *record) { r.floor = 10 },
		"items below the floor":          func(r *record) { r.floor = 8 },
		"more bytes than items have":     func(r *record) { r.bytes = 3*64<<10 + 64<<10 },
		"bytes of no items":              func(r *record) { r.bytes++ },
		"fewer bytes than items have":    func(r *record) { r.bytes = 2 * 4 << 10 },
		"no such size":                   func(r *record) { r.sizes = []uint8{4} },
		"size 0":                         func(r *record) { r.sizes = []uint8{0} },
		"17 items":                       func(r *record) { r.end, r.bytes, r.sizes = 99, 93*4<<10, bytes.Repeat([]byte{1}, 17) },
	} {
		r := aRecord()
		change(&r)
		if _, err := parseRecord(r.marshal()); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	good := aRecord().marshal()
	for n := range good {
		if _, err := parseRecord(good[:n]); err == nil {
			t.Errorf("%d of %d bytes were taken", n, len(good))
		}
	}
	if _, err := parseRecord(append(good, 0)); err == nil {
		t.Error("a byte more was taken")
	}
}

// FuzzRecord: what is taken is written as it was read.
func FuzzRecord(f *testing.F) {
	f.Add(aRecord().marshal())
	f.Add(record{drop: mailbox.Drop{}, expires: 1}.marshal())
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := parseRecord(b)
		if err != nil {
			return
		}
		if got := r.marshal(); !bytes.Equal(got, b) {
			t.Errorf("%x was read and written as %x", b, got)
		}
		if r.first() == 0 || r.first() > r.end+1 || r.first() <= r.floor {
			t.Errorf("%+v begins at %d", r, r.first())
		}
	})
}
