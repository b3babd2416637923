package identity

import (
	"strconv"
	"strings"
)

// parseIP returns the 4 or 16 bytes of an address. It may take texts that are
// not canonical; the caller compares with [formatIP].
func parseIP(text string, size int) ([]byte, bool) {
	if size == 4 {
		return parseFields(text, ".", 10, 1, 4)
	}
	head, tail, shortened := strings.Cut(text, "::")
	if !shortened {
		return parseFields(text, ":", 16, 2, 8)
	}
	a, ok := parseFields(head, ":", 16, 2, -1)
	b, ok2 := parseFields(tail, ":", 16, 2, -1)
	if !ok || !ok2 || len(a)+len(b) > 14 {
		return nil, false
	}
	gap := make([]byte, 16-len(a)-len(b))
	return append(append(a, gap...), b...), true
}

// parseFields reads numbers of width bytes each; n of them, or any number if n
// is negative.
func parseFields(text, separator string, base, width, n int) (b []byte, ok bool) {
	if text == "" {
		return nil, n < 0
	}
	fields := strings.Split(text, separator)
	if n >= 0 && len(fields) != n || len(fields) > 8 {
		return nil, false
	}
	for _, f := range fields {
		v, err := strconv.ParseUint(f, base, 8*width)
		if err != nil {
			return nil, false
		}
		for i := width - 1; i >= 0; i-- {
			b = append(b, byte(v>>(8*i)))
		}
	}
	return b, true
}

// formatIP returns the canonical text of 4 or 16 bytes; of IPv6 the one of RFC
// 5952 section 4: the longest run of two or more zero fields, the first of
// equals, becomes "::".
func formatIP(b []byte) string {
	if len(b) == 4 {
		return joinFields(b, ".", 10, 1)
	}
	start, length := 0, 0
	for i := 0; i < 16; i += 2 {
		end := i
		for end < 16 && b[end] == 0 && b[end+1] == 0 {
			end += 2
		}
		if end-i > length {
			start, length = i, end-i
		}
	}
	if length < 4 {
		return joinFields(b, ":", 16, 2)
	}
	return joinFields(b[:start], ":", 16, 2) + "::" + joinFields(b[start+length:], ":", 16, 2)
}

func joinFields(b []byte, separator string, base, width int) string {
	var fields []string
	for ; len(b) > 0; b = b[width:] {
		v := uint64(b[0])
		if width == 2 {
			v = v<<8 | uint64(b[1])
		}
		fields = append(fields, strconv.FormatUint(v, base))
	}
	return strings.Join(fields, separator)
}

// mapped reports whether an IPv6 address stands for an IPv4 one, which has a
// form of its own.
func mapped(b []byte) bool {
	return len(b) == 16 && string(b[:12]) == "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff"
}
