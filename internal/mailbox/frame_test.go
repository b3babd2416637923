package mailbox

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"
)

func fill(from byte) (b [32]byte) {
	for i := range b {
		b[i] = from + byte(i)
	}
	return b
}

// spelt are frames and their bytes, written by hand from docs/spec/mailbox.md; "S"
// stands for an item of 4 KiB of the byte 7.
func spelt() map[string]frame {
	const (
		low  = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
		high = "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"
	)
	access := fill(0)
	seven := bytes.Repeat([]byte{7}, 4096)
	return map[string]frame{
		"01 00000001 01 00":                                {kind: kindHello, tag: 1},
		"01 00000001 01 01 " + low:                         {kind: kindHello, tag: 1, access: &access},
		"02 00000102 01 02d0 " + low + high:                {kind: kindMake, tag: 258, hours: 720, drop: Drop{Write: fill(0), Read: fill(0x80), Keep: true}},
		"03 00000003 " + low + high + "01 S":               {kind: kindPut, tag: 3, name: fill(0), cap: fill(0x80), items: []Item{{Bytes: seven}}},
		"04 00000004 " + low + high + "0000000000000009":   {kind: kindFetch, tag: 4, name: fill(0), cap: fill(0x80), at: 9},
		"05 00000005 " + low + high + "000000000000000910": {}, // too short
		"05 00000005 " + low + high + "0000000000000009 0e10": {
			kind: kindWait, tag: 5, name: fill(0), cap: fill(0x80), at: 9, wait: 3600,
		},
		"06 00000006 " + low + high + "ffffffffffffffff": {kind: kindDelete, tag: 6, name: fill(0), cap: fill(0x80), at: 1<<64 - 1},
		"07 00000007":                                           {kind: kindAskRoom, tag: 7},
		"41 00000008 00000102":                                  {kind: kindMade, tag: 8, expiry: 258},
		"42 00000009 0000000000000003":                          {kind: kindStored, tag: 9, at: 3},
		"43 0000000a 000000000000000300":                        {kind: kindPage, tag: 10, at: 3},
		"43 0000000a 0000000000000003 01 0000000000000002 01 S": {kind: kindPage, tag: 10, at: 3, more: true, items: []Item{{2, seven}}},
		"44 0000000b 0000000000000003":                          {kind: kindNews, tag: 11, at: 3},
		"45 0000000c":                                           {kind: kindDone, tag: 12},
		"46 0000000d 00001000 0000000002000000 02d0 10":         {kind: kindRoom, tag: 13, room: Room{4096, 32 << 20, 720, 16}},
		"7f 0000000e 01 00000000":                               {kind: kindRefusal, tag: 14, why: 1},
		"7f 0000000e 05 00000258":                               {kind: kindRefusal, tag: 14, why: 5, retry: 600},

		"":                                   {},
		"00 00000001":                        {},
		"01 00000001 02 00":                  {}, // another version
		"01 00000001 01 02":                  {}, // no bool
		"02 00000102 00 0000 " + low + high:  {}, // no hours
		"02 00000102 00 2251 " + low + high:  {}, // 8,785 hours
		"03 00000003 " + low + high:          {}, // no item
		"03 00000003 " + low + high + "04":   {}, // no such size
		"03 00000003 " + low + high + "0107": {}, // cut short
		"05 00000005 " + low + high + "0000000000000009 0000": {},
		"05 00000005 " + low + high + "0000000000000009 0e11": {},
		"07 00000007 00": {},
		"43 0000000a 0000000000000003 01 0000000000000004 01 S":                       {}, // after the end
		"43 0000000a 0000000000000003 01 0000000000000000 01 S":                       {}, // no position
		"43 0000000a 0000000000000003 01 0000000000000002 01 S 0000000000000002 01 S": {}, // twice
		"43 0000000a 0000000000000003 01 0000000000000002 01 S 0000000000000001 01 S": {}, // falls
		"46 0000000d 00001000 0000000002000000 02d0 11":                               {},
		"7f 0000000e 00 00000000":                                                     {},
		"7f 0000000e 06 00000000":                                                     {},
		"80 00000001":                                                                 {},
	}
}

func unspell(t testing.TB, text string) []byte {
	text = strings.ReplaceAll(strings.ReplaceAll(text, "S", strings.Repeat("07", 4096)), " ", "")
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestFrameBytes(t *testing.T) {
	for text, want := range spelt() {
		b := unspell(t, text)
		got, err := parseFrame(b)
		if want.kind == 0 {
			if err == nil {
				t.Errorf("%.60s is no frame, and was read as %d", text, got.kind)
			}
			continue
		}
		if err != nil || !bytes.Equal(got.bytes(), b) || !bytes.Equal(want.bytes(), b) {
			t.Errorf("%.60s: %v", text, err)
		}
	}
}

// TestFrameFull: the fullest frames fit into a frame of a link, one item more is
// refused.
func TestFrameFull(t *testing.T) {
	full := frame{kind: kindPage, at: 99}
	for i := range MaxItems {
		full.items = append(full.items, Item{uint64(i + 1), make([]byte, Sizes[0])})
	}
	if b := full.bytes(); len(b) > 65<<10 {
		t.Errorf("a page of %d bytes", len(b))
	}
	over := full
	over.items = append(over.items[:MaxItems:MaxItems], Item{50, make([]byte, Sizes[0])})
	if _, err := parseFrame(over.bytes()); err == nil {
		t.Error("17 items were read")
	}
	over = frame{kind: kindPut, items: []Item{{Bytes: make([]byte, Sizes[2])}, {Bytes: make([]byte, Sizes[0])}}}
	if _, err := parseFrame(over.bytes()); err == nil {
		t.Error("68 KiB were read")
	}
}

func FuzzFrame(f *testing.F) {
	for text := range spelt() {
		f.Add(unspell(f, text))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if got, err := parseFrame(b); err == nil && !bytes.Equal(got.bytes(), b) {
			t.Fatalf("%x came back as other bytes", b)
		}
	})
}

// TestDeriveBytes: the keys of a drop, as docs/spec/mailbox.md has them.
func TestDeriveBytes(t *testing.T) {
	k := Derive(Day(fill(0), 20000), true)
	if !k.Drop.Keep || k.Drop.Write != k.Write.hash() || k.Drop.Name() != k.Name {
		t.Error("the parts do not belong together")
	}
	other := Derive(Day(fill(0), 20001), true)
	pair := Derive(Day(fill(0), 20000), false)
	if k.Name == other.Name || k.Write == other.Write || k.Name == pair.Name || k.Write == k.Read {
		t.Error("two drops have something in common")
	}
	if got := hex.EncodeToString(k.Name[:]); got != derivedName {
		t.Errorf("name %s", got)
	}
	if s := fmt.Sprintf("%v %x %#v", k.Write, k.Write, k); strings.Contains(s, hex.EncodeToString(k.Write[:4])) {
		t.Error("a capability is printed")
	}
}

// derivedName is the name of the drop of day 20,000 under the root 00 01 ... 1f, kept for all.
const derivedName = "fe676824da6cb8b9f4efa4fc579aa927c590de3c517cf6d4d7e73b2f3c2a1656"

// TestAllowances: what a source may do comes back with time, is its own, and those over
// the number that is remembered share one.
func TestAllowances(t *testing.T) {
	var a allowances
	now := time.Unix(1e9, 0)
	if !a.take("x", allowItem, itemsPerMinute, now) || a.take("x", allowItem, 1, now) {
		t.Error("more at once than is allowed")
	}
	if !a.take("y", allowItem, 1, now) || !a.take("x", allowMake, 1, now) {
		t.Error("another's, or another allowance, was taken")
	}
	if now = now.Add(30 * time.Second); !a.take("x", allowItem, itemsPerMinute/2, now) || a.take("x", allowItem, 1, now) {
		t.Error("half of it is back after half of the time")
	}
	if !a.take("", allowItem, 1e9, now) {
		t.Error("nobody's source has bounds")
	}
	for i := range maxSources {
		a.take(fmt.Sprint(i), allowMake, 1, now)
	}
	if len(a.of) != maxSources+1 {
		t.Errorf("%d sources", len(a.of))
	}
	a.forget(now.Add(2 * sourceLife))
	if len(a.of) != 0 {
		t.Errorf("%d are still remembered", len(a.of))
	}
}
