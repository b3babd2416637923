package group_test

import (
	"bytes"
	"encoding/hex"
	"reflect"
	"strings"
	"testing"

	"kith/internal/group"
	"kith/internal/wire"
)

// Hand-spelt parts of bodies.
var (
	someone = group.Target{Person: wire.PersonID(fill(32, 0xa1)), ID: wire.ContentID(fill(16, 0xb2)), Commit: wire.Digest(fill(32, 0xc3))}
	spelt   = strings.Repeat("a1", 32) + strings.Repeat("b2", 16) + strings.Repeat("c3", 32)
)

func fill(n int, with byte) []byte { return bytes.Repeat([]byte{with}, n) }

func version(with byte) group.Version {
	return group.Version{ID: wire.ContentID(fill(16, with)), Commit: wire.Digest(fill(32, with+1))}
}

// TestBodyBytes compares the bytes of each kind with the table of docs/spec/content.md.
func TestBodyBytes(t *testing.T) {
	for _, c := range []struct {
		body group.Body
		want string
	}{
		{group.Words{Text: "hi"}, "0001" + "02" + "6869"},
		{group.Reply{To: someone, Text: "yes"}, "0002" + "4054" + spelt + "03796573"},
		{group.Reaction{To: someone, On: true, Emoji: "👍"}, "0003" + "4056" + spelt + "01" + "04f09f918d"},
		{group.Reaction{To: someone, Emoji: "+1"}, "0003" + "4054" + spelt + "00" + "022b31"},
		{group.Edit{Of: someone, Text: "no"}, "0004" + "4053" + spelt + "026e6f"},
		{group.Delete{Of: someone}, "0005" + "4051" + spelt + "00"},
		{
			group.Delete{Of: someone, Versions: []group.Version{version(1), version(3)}},
			"0005" + "40b2" + spelt + "4060" + strings.Repeat("01", 16) + strings.Repeat("02", 32) + strings.Repeat("03", 16) + strings.Repeat("04", 32),
		},
		{group.Poll{Several: true, Question: "Go?", Options: []string{"a", "bc"}}, "0008" + "0b" + "01" + "03476f3f" + "05" + "0161" + "026263"},
		{group.Vote{In: someone}, "0009" + "4051" + spelt + "00"},
		{group.Vote{In: someone, Choices: []uint8{0, 7, 19}}, "0009" + "4054" + spelt + "03000713"},
		{group.Pin{Of: someone, On: true}, "000a" + "4051" + spelt + "01"},
		{group.Expiry{Seconds: 86400}, "000b" + "04" + "00015180"},
		{group.Expiry{}, "000b" + "04" + "00000000"},
		{group.Close{Of: someone}, "0011" + "4050" + spelt},
	} {
		content, err := group.Say(c.body)
		if err != nil {
			t.Errorf("%+v: %v", c.body, err)
			continue
		}
		if got := hex.EncodeToString(content.Bytes()); got != c.want {
			t.Errorf("%+v is\n%s, want\n%s", c.body, got, c.want)
		}
		parsed, err := group.ParseContent(content.Bytes())
		if err != nil {
			t.Errorf("%+v: %v", c.body, err)
			continue
		}
		if b, err := parsed.Open(); err != nil || !reflect.DeepEqual(b, c.body) {
			t.Errorf("%+v comes back as %+v, %v", c.body, b, err)
		}
	}
}

// TestBodiesRefused: each breaks one rule.
func TestBodiesRefused(t *testing.T) {
	long := strings.Repeat("x", group.MaxContent)
	options := strings.Split(strings.Repeat("o,", group.MaxOptions)+"o", ",")
	for i := range options {
		options[i] = strings.Repeat("o", i+1)
	}
	for name, b := range map[string]group.Body{
		"blank text":           group.Words{Text: " \n"},
		"no UTF-8":             group.Words{Text: "\xff"},
		"long text":            group.Words{Text: long},
		"blank reply":          group.Reply{To: someone, Text: ""},
		"blank edit":           group.Edit{Of: someone, Text: "\t"},
		"no emoji":             group.Reaction{To: someone, On: true},
		"emoji with a space":   group.Reaction{To: someone, On: true, Emoji: "a b"},
		"emoji with a control": group.Reaction{To: someone, On: true, Emoji: "a\x07"},
		"emoji that turns":     group.Reaction{To: someone, On: true, Emoji: "a\u202e"},
		"long emoji":           group.Reaction{To: someone, On: true, Emoji: strings.Repeat("x", 65)},
		"versions that fall":   group.Delete{Of: someone, Versions: []group.Version{version(3), version(1)}},
		"a version twice":      group.Delete{Of: someone, Versions: []group.Version{version(3), version(3)}},
		"too many versions":    group.Delete{Of: someone, Versions: make([]group.Version, group.MaxVersions+1)},
		"one option":           group.Poll{Question: "?", Options: []string{"a"}},
		"options alike":        group.Poll{Question: "?", Options: []string{"a", "a"}},
		"too many options":     group.Poll{Question: "?", Options: options},
		"a blank option":       group.Poll{Question: "?", Options: []string{"a", " "}},
		"a long option":        group.Poll{Question: "?", Options: []string{"a", strings.Repeat("b", 201)}},
		"a long question":      group.Poll{Question: strings.Repeat("b", 1001), Options: []string{"a", "b"}},
		"choices that fall":    group.Vote{In: someone, Choices: []uint8{1, 0}},
		"a choice twice":       group.Vote{In: someone, Choices: []uint8{1, 1}},
		"a choice beyond":      group.Vote{In: someone, Choices: []uint8{group.MaxOptions}},
	} {
		if c, err := group.Say(b); err == nil {
			t.Errorf("%s: makes %x", name, c.Bytes())
		}
	}
	for name, text := range map[string]string{
		"a byte too many":        "0011" + "4051" + spelt + "00",
		"a target cut short":     "0011" + "404f" + spelt[2:],
		"a bool of two":          "000a" + "4051" + spelt + "02",
		"no poll but its number": "0008" + "00",
		"versions of half":       "0005" + "4052" + spelt + "0101",
		"vote of 21 bytes":       "0009" + "4066" + spelt + "15" + "000102030405060708090a0b0c0d0e0f1011121314",
	} {
		b, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		if c, err := group.ParseContent(b); err == nil {
			t.Errorf("%s: is taken as %+v", name, c)
		}
	}
	if c, err := group.ParseContent([]byte{0, 99, 1, 0xff}); err != nil || c.Kind != 99 {
		t.Errorf("an unknown kind: %v, %v", c, err)
	}
}

// TestEmoji: what people have on their keyboards can be said.
func TestEmoji(t *testing.T) {
	for _, s := range []string{"👍", "❤️", "1️⃣", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "👩🏽‍❤️‍💋‍👨🏿", "👨🏻‍👩🏻‍👧🏻‍👦🏻", "🇩🇪", "+1"} {
		if _, err := group.Say(group.Reaction{To: someone, On: true, Emoji: s}); err != nil {
			t.Errorf("%q of %d bytes: %v", s, len(s), err)
		}
	}
}
