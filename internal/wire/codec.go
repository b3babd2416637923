package wire

import (
	"encoding/binary"
	"errors"
)

// Reasons a [Reader] refuses its input.
var (
	ErrShort     = errors.New("wire: input ends early")
	ErrTrailing  = errors.New("wire: bytes left over")
	ErrLength    = errors.New("wire: length prefix is not in its shortest form")
	ErrTooLong   = errors.New("wire: value is over its size limit")
	ErrCanonical = errors.New("wire: not the canonical encoding")
)

// MaxVector is the largest length a variable-length prefix can say, in bytes
// (RFC 9420 section 2.1.2: 30 bits).
const MaxVector = 1<<30 - 1

// A Reader decodes one value from a byte string. The first refusal sticks:
// every later call returns a zero value, so a decoder reads straight through
// and asks [Reader.Done] once. Byte strings it returns alias the input.
type Reader struct {
	rest []byte
	err  error
}

// NewReader returns a Reader over b, which the caller must not change while
// results of the Reader are in use.
func NewReader(b []byte) *Reader { return &Reader{rest: b} }

// Err returns the first refusal, or nil.
func (r *Reader) Err() error { return r.err }

// Len returns how many bytes are left.
func (r *Reader) Len() int { return len(r.rest) }

// Empty reports whether nothing is left, or something was refused; it ends the
// loop over the elements of a vector.
func (r *Reader) Empty() bool { return len(r.rest) == 0 || r.err != nil }

// Fail makes err the Reader's refusal unless it has one already.
func (r *Reader) Fail(err error) {
	if r.err == nil {
		r.err = err
	}
	r.rest = nil
}

// Done returns the first refusal, or ErrTrailing if bytes are left over.
func (r *Reader) Done() error {
	if r.err == nil && len(r.rest) > 0 {
		r.err = ErrTrailing
	}
	return r.err
}

// Raw returns the next n bytes as they stand.
func (r *Reader) Raw(n int) []byte {
	if n < 0 || n > len(r.rest) {
		r.Fail(ErrShort)
		return nil
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b
}

// Rest returns everything left, for a decoder of another package that reports
// how much it used; see [Reader.Skip].
func (r *Reader) Rest() []byte { return r.rest }

// Skip passes over n bytes that another decoder read from [Reader.Rest].
func (r *Reader) Skip(n int) { r.Raw(n) }

// Fixed fills dst.
func (r *Reader) Fixed(dst []byte) { copy(dst, r.Raw(len(dst))) }

// U8 returns the next byte.
func (r *Reader) U8() uint8 {
	b := r.Raw(1)
	if b == nil {
		return 0
	}
	return b[0]
}

// U16 returns the next two bytes, big-endian.
func (r *Reader) U16() uint16 {
	b := r.Raw(2)
	if b == nil {
		return 0
	}
	return binary.BigEndian.Uint16(b)
}

// U32 returns the next four bytes, big-endian.
func (r *Reader) U32() uint32 {
	b := r.Raw(4)
	if b == nil {
		return 0
	}
	return binary.BigEndian.Uint32(b)
}

// U64 returns the next eight bytes, big-endian.
func (r *Reader) U64() uint64 {
	b := r.Raw(8)
	if b == nil {
		return 0
	}
	return binary.BigEndian.Uint64(b)
}

// Bool returns a byte that must be 0 or 1.
func (r *Reader) Bool() bool {
	switch r.U8() {
	case 0:
		return false
	case 1:
		return true
	}
	r.Fail(ErrCanonical)
	return false
}

// Varint returns a length prefix of RFC 9420 section 2.1.2: two bits say
// whether it has 1, 2 or 4 bytes; a longer form than needed is refused.
func (r *Reader) Varint() int {
	first := r.U8()
	switch first >> 6 {
	case 0:
		return int(first)
	case 1:
		v := int(first&0x3f)<<8 | int(r.U8())
		if v < 1<<6 {
			r.Fail(ErrLength)
		}
		return v
	case 2:
		b := r.Raw(3)
		if b == nil {
			return 0
		}
		v := int(first&0x3f)<<24 | int(b[0])<<16 | int(b[1])<<8 | int(b[2])
		if v < 1<<14 {
			r.Fail(ErrLength)
		}
		return v
	}
	r.Fail(ErrLength)
	return 0
}

// Vec returns the content of an opaque<V> of at most limit bytes.
func (r *Reader) Vec(limit int) []byte {
	n := r.Varint()
	if r.err == nil && n > limit {
		r.Fail(ErrTooLong)
	}
	if r.err != nil {
		return nil
	}
	return r.Raw(n)
}

// Sub returns a Reader over the content of an opaque<V> of at most limit
// bytes. The caller ends it with Done and hands a refusal to r.Fail; [Reader.Each]
// does both.
func (r *Reader) Sub(limit int) *Reader {
	rest := r.Vec(limit) // before r.err is read: it may set it
	return &Reader{rest: rest, err: r.err}
}

// Each calls read for the elements of a vector of at most limit bytes and at
// most most elements, until it is used up.
func (r *Reader) Each(limit, most int, read func(*Reader)) {
	s := r.Sub(limit)
	for n := 0; !s.Empty(); n++ {
		if n == most {
			s.Fail(ErrTooLong)
			break
		}
		read(s)
	}
	if err := s.Done(); err != nil {
		r.Fail(err)
	}
}

// A Writer appends encoded values. Its zero value is ready; it cannot fail, a
// vector over MaxVector is a bug of the caller and panics.
type Writer struct{ b []byte }

// Bytes returns what was written; the Writer must not be used afterwards.
func (w *Writer) Bytes() []byte { return w.b }

// Len returns how many bytes were written.
func (w *Writer) Len() int { return len(w.b) }

// Raw appends b as it stands.
func (w *Writer) Raw(b []byte) { w.b = append(w.b, b...) }

// U8 appends one byte.
func (w *Writer) U8(v uint8) { w.b = append(w.b, v) }

// U16 appends two bytes, big-endian.
func (w *Writer) U16(v uint16) { w.b = binary.BigEndian.AppendUint16(w.b, v) }

// U32 appends four bytes, big-endian.
func (w *Writer) U32(v uint32) { w.b = binary.BigEndian.AppendUint32(w.b, v) }

// U64 appends eight bytes, big-endian.
func (w *Writer) U64(v uint64) { w.b = binary.BigEndian.AppendUint64(w.b, v) }

// Bool appends 1 for true, 0 for false.
func (w *Writer) Bool(v bool) {
	if v {
		w.U8(1)
	} else {
		w.U8(0)
	}
}

// Varint appends a length prefix in its shortest form.
func (w *Writer) Varint(n int) {
	switch {
	case n < 0 || n > MaxVector:
		panic("wire: vector too long")
	case n < 1<<6:
		w.U8(uint8(n))
	case n < 1<<14:
		w.U16(uint16(n) | 0x4000)
	default:
		w.U32(uint32(n) | 0x80000000)
	}
}

// Vec appends b as opaque<V>.
func (w *Writer) Vec(b []byte) {
	w.Varint(len(b))
	w.Raw(b)
}

// Group appends what write writes, as one vector with its length in front.
func (w *Writer) Group(write func(*Writer)) {
	var inner Writer
	write(&inner)
	w.Vec(inner.b)
}

// Opaque returns b as opaque<V>, for the arguments of [Hash].
func Opaque(b []byte) []byte {
	var w Writer
	w.Vec(b)
	return w.b
}
