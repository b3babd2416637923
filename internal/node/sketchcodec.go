package node

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"reflect"
)

// The bytes of a sketch follow from its type, which only the program knows that wrote it: a
// start reads a thousand of them, and JSON takes ten times as long.
//
//	size      type
//	1         bool: 0 or 1
//	1 to 8    numbers, big-endian; int and uint as 8
//	4, bytes  string and []byte: length, then they
//	4, ...    slices: how many, then they
//	n         arrays: the elements
//	1, ...    pointers: 0, or 1 and what they point to
//	...       structs: the fields in their order

var errSketch = errors.New("node: not a sketch")

// shapeOf is a hash of a type with all that it is made of.
func shapeOf(t reflect.Type) [32]byte {
	h := sha256.New()
	var walk func(reflect.Type)
	walk = func(t reflect.Type) {
		fmt.Fprint(h, t, t.Kind(), "(")
		switch t.Kind() {
		case reflect.Struct:
			for f := range t.Fields() {
				fmt.Fprint(h, f.Name, " ")
				walk(f.Type)
			}
		case reflect.Pointer, reflect.Slice, reflect.Array:
			walk(t.Elem())
		}
		fmt.Fprint(h, ")")
	}
	walk(t)
	return [32]byte(h.Sum(nil))
}

// appendValue appends the bytes of v. It panics at a type that is not in the table.
func appendValue(b []byte, v reflect.Value) []byte {
	switch v.Kind() {
	case reflect.Bool:
		if v.Bool() {
			return append(b, 1)
		}
		return append(b, 0)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return appendNumber(b, v.Uint(), v.Type().Size())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return appendNumber(b, uint64(v.Int()), v.Type().Size())
	case reflect.String:
		return append(binary.BigEndian.AppendUint32(b, uint32(v.Len())), v.String()...)
	case reflect.Slice:
		b = binary.BigEndian.AppendUint32(b, uint32(v.Len()))
		return appendElements(b, v)
	case reflect.Array:
		return appendElements(b, v)
	case reflect.Pointer:
		if v.IsNil() {
			return append(b, 0)
		}
		return appendValue(append(b, 1), v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			b = appendValue(b, v.Field(i))
		}
		return b
	}
	panic(fmt.Sprintf("node: no sketch holds a %v", v.Type()))
}

func appendNumber(b []byte, n uint64, size uintptr) []byte {
	var all [8]byte
	binary.BigEndian.PutUint64(all[:], n)
	return append(b, all[8-size:]...)
}

func appendElements(b []byte, v reflect.Value) []byte {
	if v.Type().Elem().Kind() == reflect.Uint8 {
		for i := range v.Len() { // of an array that nothing points to there is no slice
			b = append(b, byte(v.Index(i).Uint()))
		}
		return b
	}
	for i := range v.Len() {
		b = appendValue(b, v.Index(i))
	}
	return b
}

// readValue sets v, which is zero, to the value at the beginning of b, and returns what follows.
func readValue(b []byte, v reflect.Value) ([]byte, error) {
	switch v.Kind() {
	case reflect.Bool:
		n, b, err := readNumber(b, 1)
		if n > 1 {
			return nil, errSketch
		}
		v.SetBool(n == 1)
		return b, err
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		n, b, err := readNumber(b, v.Type().Size())
		v.SetUint(n)
		return b, err
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		size := v.Type().Size()
		n, b, err := readNumber(b, size)
		v.SetInt(int64(n<<(64-8*size)) >> (64 - 8*size))
		return b, err
	case reflect.String:
		n, b, err := readLength(b)
		if err == nil {
			v.SetString(string(b[:n]))
		}
		return b[n:], err
	case reflect.Slice:
		n, b, err := readLength(b) // each element has a byte at least
		if err != nil || n == 0 {
			return b, err
		}
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		return readElements(b, v)
	case reflect.Array:
		return readElements(b, v)
	case reflect.Pointer:
		n, b, err := readNumber(b, 1)
		if n == 0 || n > 1 {
			return b, errors.Join(err, is(n > 1))
		}
		v.Set(reflect.New(v.Type().Elem()))
		return readValue(b, v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			var err error
			if b, err = readValue(b, v.Field(i)); err != nil {
				return nil, err
			}
		}
		return b, nil
	}
	panic(fmt.Sprintf("node: no sketch holds a %v", v.Type()))
}

func is(wrong bool) error {
	if wrong {
		return errSketch
	}
	return nil
}

func readNumber(b []byte, size uintptr) (n uint64, rest []byte, err error) {
	if uintptr(len(b)) < size {
		return 0, nil, errSketch
	}
	for _, c := range b[:size] {
		n = n<<8 | uint64(c)
	}
	return n, b[size:], nil
}

// readLength reads a length that what follows can have.
func readLength(b []byte) (int, []byte, error) {
	n, rest, err := readNumber(b, 4)
	if err != nil || n > uint64(len(rest)) {
		return 0, nil, errSketch
	}
	return int(n), rest, nil
}

func readElements(b []byte, v reflect.Value) ([]byte, error) {
	if v.Type().Elem().Kind() == reflect.Uint8 {
		n := v.Len()
		if n > len(b) {
			return nil, errSketch
		}
		reflect.Copy(v, reflect.ValueOf(b[:n]))
		return b[n:], nil
	}
	for i := range v.Len() {
		var err error
		if b, err = readValue(b, v.Index(i)); err != nil {
			return nil, err
		}
	}
	return b, nil
}
