package rendezvous

import (
	"errors"
	"fmt"
)

// Bencoding (BEP 3), as much as nodes of the DHT say. What comes from the network is
// read where it lies: nothing is allocated for it.

var errBencode = errors.New("rendezvous: not bencoded")

// item returns the first value of b, as it stands, and what is behind it.
func item(b []byte, depth int) (value, rest []byte, err error) {
	if len(b) == 0 || depth == 0 {
		return nil, nil, errBencode
	}
	switch c := b[0]; {
	case c == 'i':
		n := 1
		for n < len(b) && n < 22 && (b[n] == '-' || b[n] >= '0' && b[n] <= '9') {
			n++
		}
		if n == len(b) || b[n] != 'e' {
			return nil, nil, errBencode
		}
		return b[:n+1], b[n+1:], nil
	case c >= '0' && c <= '9':
		n, head, ok := number(b, ':')
		if !ok || n > int64(len(b)-head) {
			return nil, nil, errBencode
		}
		return b[:head+int(n)], b[head+int(n):], nil
	case c == 'l' || c == 'd':
		rest = b[1:]
		for len(rest) > 0 && rest[0] != 'e' {
			if c == 'd' {
				if rest[0] < '0' || rest[0] > '9' {
					return nil, nil, errBencode
				}
				if _, rest, err = item(rest, depth-1); err != nil {
					return nil, nil, err
				}
			}
			if _, rest, err = item(rest, depth-1); err != nil {
				return nil, nil, err
			}
		}
		if len(rest) == 0 {
			return nil, nil, errBencode
		}
		return b[:len(b)-len(rest)+1], rest[1:], nil
	}
	return nil, nil, errBencode
}

// number reads decimal digits up to end, and returns how many bytes that were.
func number(b []byte, end byte) (n int64, size int, ok bool) {
	for i, c := range b {
		switch {
		case c == end:
			return n, i + 1, i > 0
		case c < '0' || c > '9' || i == 18 || i > 0 && n == 0:
			return 0, 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return 0, 0, false
}

// each calls take for every entry of the dictionary d.
func each(d []byte, take func(key string, value []byte)) error {
	if len(d) < 2 || d[0] != 'd' {
		return errBencode
	}
	for rest := d[1:]; ; {
		if len(rest) == 0 {
			return errBencode
		}
		if rest[0] == 'e' {
			return nil
		}
		key, after, err := item(rest, 1)
		if err != nil {
			return err
		}
		name, ok := text(key)
		if !ok {
			return errBencode
		}
		value, next, err := item(after, maxDepth)
		if err != nil {
			return err
		}
		take(string(name), value)
		rest = next
	}
}

// text is the content of a byte string.
func text(value []byte) ([]byte, bool) {
	n, head, ok := number(value, ':')
	if !ok || int(n) != len(value)-head {
		return nil, false
	}
	return value[head:], true
}

// integer is the value of an integer that is not negative.
func integer(value []byte) (int64, bool) {
	if len(value) < 3 || value[0] != 'i' {
		return 0, false
	}
	n, size, ok := number(value[1:], 'e')
	return n, ok && size == len(value)-1
}

// addText appends a byte string.
func addText(b []byte, s []byte) []byte { return append(fmt.Appendf(b, "%d:", len(s)), s...) }
