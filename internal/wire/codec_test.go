package wire_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"kith/internal/wire"
)

func TestWriterBytes(t *testing.T) {
	var w wire.Writer
	w.U8(0xab)
	w.U16(0x0102)
	w.U32(0x03040506)
	w.U64(0x0708090a0b0c0d0e)
	w.Bool(true)
	w.Bool(false)
	w.Raw([]byte("raw"))
	w.Vec([]byte("vec"))
	w.Vec(nil)
	w.Group(func(w *wire.Writer) {
		w.U16(1)
		w.U16(2)
	})
	want := "\xab" +
		"\x01\x02" +
		"\x03\x04\x05\x06" +
		"\x07\x08\x09\x0a\x0b\x0c\x0d\x0e" +
		"\x01\x00" +
		"raw" +
		"\x03vec" +
		"\x00" +
		"\x04\x00\x01\x00\x02"
	if got := w.Bytes(); string(got) != want {
		t.Errorf("got  %x\nwant %x", got, want)
	}
	if w.Len() != len(want) {
		t.Errorf("Len is %d, want %d", w.Len(), len(want))
	}
}

func TestReaderReadsBack(t *testing.T) {
	r := wire.NewReader([]byte("\xab\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x01\x00\xf1\xf2raw\x03vec\x04\x00\x01\x00\x02"))
	if got := r.U8(); got != 0xab {
		t.Errorf("U8 %#x", got)
	}
	if got := r.U16(); got != 0x0102 {
		t.Errorf("U16 %#x", got)
	}
	if got := r.U32(); got != 0x03040506 {
		t.Errorf("U32 %#x", got)
	}
	if got := r.U64(); got != 0x0708090a0b0c0d0e {
		t.Errorf("U64 %#x", got)
	}
	if !r.Bool() || r.Bool() {
		t.Error("Bool: want true, then false")
	}
	var fixed [2]byte
	if r.Fixed(fixed[:]); fixed != [2]byte{0xf1, 0xf2} {
		t.Errorf("Fixed %x", fixed)
	}
	if got := string(r.Raw(3)); got != "raw" {
		t.Errorf("Raw %q", got)
	}
	if got := string(r.Vec(3)); got != "vec" {
		t.Errorf("Vec %q", got)
	}
	var elements []uint16
	r.Each(4, 2, func(r *wire.Reader) { elements = append(elements, r.U16()) })
	if len(elements) != 2 || elements[0] != 1 || elements[1] != 2 {
		t.Errorf("Each %v", elements)
	}
	if err := r.Done(); err != nil {
		t.Error(err)
	}
}

// TestVarint spells the boundaries of RFC 9420 section 2.1.2 and refuses what
// has a shorter form.
func TestVarint(t *testing.T) {
	for _, c := range []struct {
		bytes string
		want  int
		err   error
	}{
		{"\x00", 0, nil},
		{"\x3f", 63, nil},
		{"\x40\x40", 64, nil},
		{"\x7b\xbd", 15293, nil}, // the example of the RFC
		{"\x7f\xff", 16383, nil},
		{"\x80\x00\x40\x00", 16384, nil},
		{"\x9d\x7f\x3e\x7d", 494878333, nil}, // the example of the RFC
		{"\xbf\xff\xff\xff", wire.MaxVector, nil},
		{"\x40\x00", 0, wire.ErrLength},
		{"\x40\x3f", 0, wire.ErrLength},
		{"\x80\x00\x00\x00", 0, wire.ErrLength},
		{"\x80\x00\x3f\xff", 0, wire.ErrLength},
		{"\xc0", 0, wire.ErrLength},
		{"\xff\xff\xff\xff\xff\xff\xff\xff", 0, wire.ErrLength},
		{"", 0, wire.ErrShort},
		{"\x40", 0, wire.ErrShort},
		{"\x80\x00\x40", 0, wire.ErrShort},
	} {
		r := wire.NewReader([]byte(c.bytes))
		got := r.Varint()
		if err := r.Done(); !errors.Is(err, c.err) {
			t.Errorf("%x: %v, want %v", c.bytes, err, c.err)
			continue
		}
		if c.err != nil {
			continue
		}
		if got != c.want {
			t.Errorf("%x: %d, want %d", c.bytes, got, c.want)
		}
		var w wire.Writer
		if w.Varint(c.want); string(w.Bytes()) != c.bytes {
			t.Errorf("%d writes %x, want %x", c.want, w.Bytes(), c.bytes)
		}
	}
}

func TestReaderRefuses(t *testing.T) {
	long := strings.Repeat("x", 70)
	for _, c := range []struct {
		name, bytes string
		read        func(*wire.Reader)
		want        error
	}{
		{"u16 short", "\x01", func(r *wire.Reader) { r.U16() }, wire.ErrShort},
		{"u32 short", "\x01\x02\x03", func(r *wire.Reader) { r.U32() }, wire.ErrShort},
		{"u64 short", "\x01\x02\x03\x04\x05\x06\x07", func(r *wire.Reader) { r.U64() }, wire.ErrShort},
		{"raw short", "ab", func(r *wire.Reader) { r.Raw(3) }, wire.ErrShort},
		{"raw negative", "ab", func(r *wire.Reader) { r.Raw(-1) }, wire.ErrShort},
		{"skip too far", "ab", func(r *wire.Reader) { r.Skip(3) }, wire.ErrShort},
		{"bool of two", "\x02", func(r *wire.Reader) { r.Bool() }, wire.ErrCanonical},
		{"left over", "ab", func(r *wire.Reader) { r.U8() }, wire.ErrTrailing},
		{"vector cut", "\x03ab", func(r *wire.Reader) { r.Vec(3) }, wire.ErrShort},
		{"vector over its limit", "\x40\x46" + long, func(r *wire.Reader) { r.Vec(69) }, wire.ErrTooLong},
		{"limit before what is left", "\xbf\xff\xff\xff", func(r *wire.Reader) { r.Vec(1 << 20) }, wire.ErrTooLong},
		{"a gigabyte announced in four bytes", "\xbf\xff\xff\xff", func(r *wire.Reader) { r.Vec(wire.MaxVector) }, wire.ErrShort},
		{"element cut", "\x03\x00\x01\x00", func(r *wire.Reader) { r.Each(9, 9, func(r *wire.Reader) { r.U16() }) }, wire.ErrShort},
		{"too many elements", "\x03abc", func(r *wire.Reader) { r.Each(9, 2, func(r *wire.Reader) { r.U8() }) }, wire.ErrTooLong},
		{"elements that read nothing", "\x01a", func(r *wire.Reader) { r.Each(9, 5, func(*wire.Reader) {}) }, wire.ErrTooLong},
		{"vector in a vector over its parent", "\x02\x05a", func(r *wire.Reader) { r.Each(9, 9, func(r *wire.Reader) { r.Vec(9) }) }, wire.ErrShort},
	} {
		r := wire.NewReader([]byte(c.bytes))
		c.read(r)
		if err := r.Done(); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

// TestFirstRefusalSticks reads on after a refusal: every call gives a zero
// value, and the first reason stays.
func TestFirstRefusalSticks(t *testing.T) {
	r := wire.NewReader([]byte("\x02\x01\x01\x01\x01\x01\x01\x01\x01"))
	r.Bool()
	if r.U8() != 0 || r.U16() != 0 || r.U32() != 0 || r.U64() != 0 || r.Bool() || r.Varint() != 0 ||
		r.Vec(9) != nil || r.Raw(1) != nil || len(r.Rest()) != 0 || !r.Empty() || r.Len() != 0 {
		t.Error("a Reader gave a value after it refused")
	}
	ran := false
	r.Each(9, 9, func(*wire.Reader) { ran = true })
	if ran {
		t.Error("Each read elements after a refusal")
	}
	r.Fail(wire.ErrShort)
	if err := r.Done(); !errors.Is(err, wire.ErrCanonical) {
		t.Errorf("%v, want the first refusal", err)
	}
}

// TestRawIsCapped: appending to a result must not write into what follows it.
func TestRawIsCapped(t *testing.T) {
	input := []byte("\x02abcd")
	r := wire.NewReader(input)
	_ = append(r.Vec(2), 'X')
	if string(input) != "\x02abcd" {
		t.Errorf("the input became %q", input)
	}
}

func TestWriterRefusesOverlongVector(t *testing.T) {
	for _, n := range []int{-1, wire.MaxVector + 1} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("Varint(%d) did not panic", n)
				}
			}()
			var w wire.Writer
			w.Varint(n)
		}()
	}
}

func TestOpaque(t *testing.T) {
	if got := wire.Opaque([]byte("ab")); string(got) != "\x02ab" {
		t.Errorf("%x", got)
	}
}

// FuzzVarint: what parses is written back with the same bytes.
func FuzzVarint(f *testing.F) {
	for _, s := range []string{"\x00", "\x3f", "\x40\x40", "\x40\x3f", "\x80\x00\x40\x00", "\x80\x00\x3f\xff", "\xbf\xff\xff\xff", "\xc0", ""} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r := wire.NewReader(b)
		n := r.Varint()
		if r.Err() != nil {
			return
		}
		var w wire.Writer
		if w.Varint(n); !bytes.Equal(w.Bytes(), b[:len(b)-r.Len()]) {
			t.Errorf("%x reads as %d, which writes %x", b, n, w.Bytes())
		}
	})
}

// FuzzReader drives a Reader by a script: whatever it reads without refusal is
// written back with the same bytes, and it never panics nor reads too far.
func FuzzReader(f *testing.F) {
	f.Add([]byte("\x00\x01\x02\x03\x04\x05\x06\x07"), []byte("\x01\x02\x03\x01\x02\x03\x04\x01\x02\x03\x04\x05\x06\x07\x08\x01\x02ab\x02cd\x02\x01e"))
	f.Add([]byte("\x05"), []byte("\xbf\xff\xff\xff"))
	f.Add([]byte("\x07"), []byte("\x04\x01a\x01b"))
	f.Fuzz(func(t *testing.T, script, b []byte) {
		r := wire.NewReader(b)
		var w wire.Writer
		for _, step := range script {
			if step%8 == 7 {
				readEach(r, &w)
			} else {
				readOne(r, &w, step)
			}
			if r.Err() != nil {
				return
			}
			if used := len(b) - r.Len(); !bytes.Equal(w.Bytes(), b[:used]) {
				t.Fatalf("after %x: read %x, written back %x", script, b[:used], w.Bytes())
			}
		}
	})
}

func readOne(r *wire.Reader, w *wire.Writer, step byte) {
	switch step % 8 {
	case 0:
		w.U8(r.U8())
	case 1:
		w.U16(r.U16())
	case 2:
		w.U32(r.U32())
	case 3:
		w.U64(r.U64())
	case 4:
		w.Bool(r.Bool())
	case 5:
		w.Vec(r.Vec(int(step)))
	case 6:
		w.Raw(r.Raw(int(step / 8)))
	}
}

func readEach(r *wire.Reader, w *wire.Writer) {
	var elements [][]byte
	r.Each(64, 16, func(r *wire.Reader) { elements = append(elements, r.Vec(64)) })
	if r.Err() != nil {
		return
	}
	w.Group(func(w *wire.Writer) {
		for _, e := range elements {
			w.Vec(e)
		}
	})
}
