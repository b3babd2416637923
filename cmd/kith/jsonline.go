package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// show prints m as one JSON object if --json was given, and reports whether.
func (p *program) show(m proto.Message) bool {
	if p.json {
		fmt.Fprintf(p.out, "%s\n", appendMessage(nil, m.ProtoReflect()))
	}
	return p.json
}

// showValue is show for what has no message in the interface.
func (p *program) showValue(v any) bool {
	if p.json {
		b, err := json.Marshal(v)
		if err != nil {
			panic(err) // our own structs of strings and numbers
		}
		fmt.Fprintf(p.out, "%s\n", b)
	}
	return p.json
}

// appendMessage writes m with the names of proto/kith/v1, every field present,
// so that a script need not ask whether one is there. Against protojson: 64-bit
// numbers are numbers (none is over 2^53), kinds and states are short words, and
// the spaces are always the same.
func appendMessage(b []byte, m protoreflect.Message) []byte {
	b = append(b, '{')
	fields := m.Descriptor().Fields()
	first := true
	for i := range fields.Len() {
		f := fields.Get(i)
		if f.ContainingOneof() != nil && !m.Has(f) {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = appendText(b, string(f.Name()))
		b = append(b, ':')
		switch {
		case f.IsList():
			b = appendList(b, f, m.Get(f).List())
		case f.Message() != nil && !m.Has(f):
			b = append(b, "null"...)
		default:
			b = appendValue(b, f, m.Get(f))
		}
	}
	return append(b, '}')
}

func appendList(b []byte, f protoreflect.FieldDescriptor, list protoreflect.List) []byte {
	b = append(b, '[')
	for i := range list.Len() {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendValue(b, f, list.Get(i))
	}
	return append(b, ']')
}

func appendValue(b []byte, f protoreflect.FieldDescriptor, v protoreflect.Value) []byte {
	switch f.Kind() {
	case protoreflect.MessageKind:
		return appendMessage(b, v.Message())
	case protoreflect.EnumKind:
		return appendText(b, enumWord(f.Enum(), v.Enum()))
	case protoreflect.StringKind:
		return appendText(b, v.String())
	}
	return fmt.Append(b, v.Interface()) // bool and whole numbers
}

// enumWord is FRIEND_STATE_ASKED as "asked"; the unspecified one is empty.
func enumWord(e protoreflect.EnumDescriptor, n protoreflect.EnumNumber) string {
	value := e.Values().ByNumber(n)
	if value == nil || n == 0 {
		return ""
	}
	prefix := strings.TrimSuffix(string(e.Values().ByNumber(0).Name()), "UNSPECIFIED")
	return strings.ToLower(strings.TrimPrefix(string(value.Name()), prefix))
}

func appendText(b []byte, s string) []byte {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err) // strings always have a form
	}
	return append(b, text...)
}
