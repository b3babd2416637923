package main

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"kith/internal/api"
	v1 "kith/proto/kith/v1"
)

func TestOneLine(t *testing.T) {
	for in, want := range map[string]string{
		"Ann":                    "Ann",
		"a\nb\tc\rd":             "a b c d",
		"\x1b[31mred":            "\ufffd[31mred",
		"\u202egnp.exe":          "\ufffdgnp.exe", // turns the direction
		"a\u200bb":               "a\ufffdb",      // cannot be seen
		"\x00\x7f\u0085":         "\ufffd\ufffd\ufffd",
		"\u2028x":                "\ufffdx",
		"👩\u200d🚀 می\u200cخواهم": "👩\u200d🚀 می\u200cخواهم", // joiners belong to these
		"\xff":                   "\ufffd",
	} {
		if got := oneLine(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	if got := lines("one\r\ntwo\n\x1bthree", "  "); got != "one\n  two\n  \ufffdthree" {
		t.Errorf("%q", got)
	}
}

func TestNames(t *testing.T) {
	people := []*v1.Person{{Name: "Ann"}, {Me: true, Name: "Ben"}, {}}
	for n, want := range []string{"", "Ann", "Ann and you", "Ann, you and somebody"} {
		if got := namesOf(people[:n]); got != want {
			t.Errorf("%d: %q", n, got)
		}
	}
}

// Names and texts that would pass for what Kith says, or for what others did.
func TestNothingPassesForMore(t *testing.T) {
	for name, want := range map[string]string{
		"Ann Lee":       "Ann Lee",
		"Ann: I resign": "“Ann: I resign”",
		"Ann, Ben":      "“Ann, Ben”",
		"Ann  👍 Ben":    "Ann 👍 Ben",
		"Ben (admin)":   "“Ben (admin)”",
	} {
		if got := nameOf(&v1.Person{Name: name}); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
	ben := &v1.Person{Name: "Ben"}
	for _, c := range []struct {
		m    *v1.Message
		want string
	}{
		{&v1.Message{Text: "Friday?\n👍 Ann and Cleo\n(closed)"}, "Ben: Friday?\n    👍 Ann and Cleo\n    (closed)\n"},
		{&v1.Message{Text: "Friday?", Reactions: []*v1.Reaction{{Emoji: "👍", Persons: []*v1.Person{{Name: "Ann"}}}}}, "Ben: Friday?\n  · 👍 Ann\n"},
		{
			&v1.Message{Text: "Friday?", Poll: &v1.Poll{Options: []*v1.PollOption{{Text: "No  3: Ann"}, {Text: "Yes", Persons: []*v1.Person{{Name: "Ann"}}}}}},
			"Ben: Friday?\n  · 1. No 3: Ann\n  · 2. Yes  1: Ann\n",
		},
		{&v1.Message{Text: "Ann: I resign\nso", Spans: []*v1.Span{{Text: "Ann: ", Quote: true}, {Text: "I resign\n", Quote: true, Bold: true}, {Text: "so"}}}, "Ben: │ Ann: I resign\n    so\n"},
		{&v1.Message{Text: "> Ann: I resign"}, "Ben: \\> Ann: I resign\n"},
		{&v1.Message{Text: "Messages from here on stay.", Lifetime: &v1.Lifetime{}}, "Ben:\n  · Messages from here on stay.\n"},
		{&v1.Message{Text: "(Messages from here on stay.)"}, "Ben: (Messages from here on stay.)\n"},
	} {
		var out bytes.Buffer
		c.m.Author, c.m.State = ben, v1.MessageState_MESSAGE_STATE_SHOWN
		(&program{out: &out}).printMessage(c.m, v1.ChatState_CHAT_STATE_ACTIVE)
		if _, got, _ := strings.Cut(out.String(), "Ben"); "Ben"+got != c.want {
			t.Errorf("%q, want %q", "Ben"+got, c.want)
		}
	}
	was := &v1.Message{Author: ben, Text: "12:00 Ann: I resign", State: v1.MessageState_MESSAGE_STATE_SHOWN, Poll: &v1.Poll{Options: []*v1.PollOption{{Text: "a"}}}}
	is := &v1.Message{Author: ben, Text: was.Text, State: was.State, Poll: &v1.Poll{Closed: true, Options: was.Poll.Options}}
	if got := changes(was, is); len(got) != 1 || !strings.HasPrefix(got[0], "(poll ") {
		t.Errorf("a vote prints %q", got)
	}
}

// TestLifetimeWords: what is said of a chat of two names it as one, and not its other person as a place.
func TestLifetimeWords(t *testing.T) {
	direct := &v1.Chat{Title: "Ben", Kind: v1.ChatKind_CHAT_KIND_DIRECT}
	group := &v1.Chat{Title: "Walk", Kind: v1.ChatKind_CHAT_KIND_GROUP}
	notes := &v1.Chat{Title: "Notes to self", Kind: v1.ChatKind_CHAT_KIND_NOTES}
	const photo = "Whoever reads it can still photograph or keep it.\n"
	for _, c := range []struct {
		chat    *v1.Chat
		seconds uint32
		chosen  bool
		want    string
	}{
		{direct, 0, false, "Messages in your chat with Ben stay.\n"},
		{direct, 0, true, "Messages in your chat with Ben stay from now on. What was written while they were to disappear still does.\n"},
		{direct, 86400, true, "What is written in your chat with Ben from now on disappears after a day, from both your devices if both run an honest Kith of this version or newer.\n" + photo},
		{direct, 86400, false, "What is written in your chat with Ben disappears after a day, from both your devices if both run an honest Kith of this version or newer.\n" + photo},
		{group, 0, false, "Messages in Walk stay.\n"},
		{group, 3600, true, "What is written in Walk from now on disappears after an hour, from the devices of everybody whose Kith is honest and new enough.\n" + photo},
		{group, 3600, false, "What is written in Walk disappears after an hour, from the devices of everybody whose Kith is honest and new enough.\n" + photo},
		{notes, 3600, true, "What is written in Notes to self from now on disappears after an hour.\n"},
	} {
		var out bytes.Buffer
		c.chat.Lifetime = c.seconds
		(&program{out: &out}).sayLifetime(c.chat, c.chosen)
		if got := out.String(); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

// TestLateness: what may be known late is said to be.
func TestLateness(t *testing.T) {
	for _, c := range []struct {
		d    *v1.Delivery
		want string
	}{
		{&v1.Delivery{ReachOf: 64}, ""},
		{&v1.Delivery{ReachOf: 65}, "In a big group"},
		{&v1.Delivery{ReachOf: 2, Elsewhere: true}, "Another copy of your Kith wrote this"},
		{&v1.Delivery{ReachOf: 65, Elsewhere: true}, "Another copy of your Kith wrote this"},
	} {
		if got := lateness(c.d); !strings.HasPrefix(got, c.want) || (got == "") != (c.want == "") {
			t.Errorf("%+v: %q", c.d, got)
		}
	}
}

// TestMentionsInList: the list of chats says how much of what is new mentions one.
func TestMentionsInList(t *testing.T) {
	c := &v1.Chat{Kind: v1.ChatKind_CHAT_KIND_GROUP, State: v1.ChatState_CHAT_STATE_ACTIVE, Unread: 3}
	for _, want := range []string{"group, 0 members; 3 new messages", "group, 0 members; 3 new messages, 1 mentions you", "group, 0 members; 3 new messages, 2 mention you"} {
		if got := chatText(c); got != want {
			t.Errorf("%q, want %q", got, want)
		}
		c.Mentions = append(c.Mentions, "a cursor")
	}
}

func TestTitles(t *testing.T) {
	id := strings.Repeat("0123abcd", 8)
	for want, c := range map[string]*v1.Chat{
		"Choir":          {Id: id, Title: "Choir", Kind: v1.ChatKind_CHAT_KIND_GROUP},
		"group 0123abcd": {Id: id, Kind: v1.ChatKind_CHAT_KIND_GROUP}, // its title cannot be read here
		"somebody":       {Id: id, Kind: v1.ChatKind_CHAT_KIND_DIRECT},
	} {
		if got := titleOf(c); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestShellWord(t *testing.T) {
	const id = "0123456789abcdef"
	for name, want := range map[string]string{"Ann": "Ann", "": "01234567", "Ann B": "01234567", "$(id)": "01234567", "a;b": "01234567", "-n": "01234567", "Zoë": "Zoë"} {
		if got := shellWord(&v1.Person{Id: id, Name: name}); got != want {
			t.Errorf("%q: %q", name, got)
		}
	}
	if got := shellWord(&v1.Person{Id: id, Name: "Ann", Alike: "0123"}); got != "01234567" {
		t.Errorf("one of two who are called Ann: %q", got)
	}
}

func TestEnumWords(t *testing.T) {
	var p program
	var b strings.Builder
	p.out, p.json = &b, true
	p.show(&v1.Friend{Person: &v1.Person{Id: "1", Name: "“A\n”"}, State: v1.FriendState_FRIEND_STATE_ASKED, Since: 1 << 52})
	p.show(&v1.Node{Addresses: []string{"a", "b"}, Reachability: 99})
	p.show(&v1.Event{Seq: 1, Change: &v1.Event_Reset_{Reset_: true}})
	want := `{"person":{"id":"1","name":"“A\n”","me":false,"friend":false,"connected":false,"aside":null,"alike":""},"state":"asked","chat_id":"","since":4503599627370496,"fingerprint":"","waiting_for":""}
{"ready":false,"me":null,"device_id":"","version":"","home":"","chats":0,"friends":0,"connected":0,"addresses":["a","b"],"reachability":"","notes_chat_id":"","started_at":0,"web_address":"","copied":false,"damaged_chats":[],"revoked":false,"coming":[],"disk_full":false,"notice":"","clock":null,"linking":null}
{"seq":1,"run":"","reset":true}
`
	if b.String() != want {
		t.Errorf("got  %s\nwant %s", b.String(), want)
	}
}

// TestTerminalQR reads what is drawn the way a camera would, each half of a
// line a row of dots.
func TestTerminalQR(t *testing.T) {
	text := "kith:" + strings.Repeat("AYkRGs1uqryQ", 15)
	rows := strings.Split(strings.TrimRight(terminalQR(text), "\n"), "\n")
	const size = 4
	width := len([]rune(rows[0]))
	picture := image.NewGray(image.Rect(0, 0, width*size, 2*len(rows)*size))
	for y, row := range rows {
		for x, r := range []rune(row) {
			top, bottom := r == '█' || r == '▀', r == '█' || r == '▄'
			fill(picture, x, 2*y, size, top)
			fill(picture, x, 2*y+1, size, bottom)
		}
	}
	bits, err := gozxing.NewBinaryBitmapFromImage(picture)
	if err != nil {
		t.Fatal(err)
	}
	read, err := qrcode.NewQRCodeReader().Decode(bits, nil)
	if err != nil || read.GetText() != text {
		t.Errorf("read %v, %v", read, err)
	}
}

func fill(picture *image.Gray, x, y, size int, white bool) {
	shade := color.Gray{}
	if white {
		shade.Y = 255
	}
	for dx := range size {
		for dy := range size {
			picture.SetGray(x*size+dx, y*size+dy, shade)
		}
	}
}

// TestKilledInAStream: a node that is killed while it says something is gone; it
// did not fail.
func TestKilledInAStream(t *testing.T) {
	err := connect.NewError(connect.CodeInternal, fmt.Errorf("protocol error: incomplete envelope: %w", io.ErrUnexpectedEOF))
	p := &program{called: "kith"}
	want := api.Explain(&api.Error{Reason: api.ReasonGone}).String()
	if got := p.explain(t.Context(), err); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	// So is one that is killed while a call is written to it; a call that its own
	// caller ended was given up.
	err = connect.NewError(connect.CodeCanceled, context.Canceled)
	if got := p.explain(t.Context(), err); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if got, want := p.explain(ended, err), api.Explain(context.Canceled).String(); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestHowToStart: the line that starts a node starts the one that was asked for.
func TestHowToStart(t *testing.T) {
	var out bytes.Buffer
	p := &program{called: "kith", out: &out, err: &out}
	home := filepath.Join(t.TempDir(), "Ann's home")
	if status := p.run(t.Context(), []string{"whoami", "--home", home}); status != statusFailed {
		t.Errorf("status %d", status)
	}
	if want := "Start it with: kith run --home " + quoted(home) + "\n"; !strings.HasSuffix(out.String(), want) {
		t.Errorf("%q, want %q at the end", out.String(), want)
	}
}

// TestApart: a line says of a message that it was written during a split.
func TestApart(t *testing.T) {
	var out bytes.Buffer
	p := &program{out: &out}
	m := &v1.Message{Author: &v1.Person{Name: "Cem"}, Text: "here", State: v1.MessageState_MESSAGE_STATE_SHOWN, WhileSplit: true}
	p.printMessage(m, v1.ChatState_CHAT_STATE_ACTIVE)
	if got := out.String(); !strings.HasSuffix(got, " Cem: here (written while apart from the others)\n") {
		t.Errorf("%q", got)
	}
}

// TestWrongClock: a line says of a message that its time is not when it was sent.
func TestWrongClock(t *testing.T) {
	var out bytes.Buffer
	m := &v1.Message{Author: &v1.Person{Name: "Cem"}, Text: "here", State: v1.MessageState_MESSAGE_STATE_SHOWN, ClockOff: true}
	(&program{out: &out}).printMessage(m, v1.ChatState_CHAT_STATE_ACTIVE)
	if got := out.String(); !strings.HasSuffix(got, " Cem: here (written well before it was sent, or on a computer whose clock is wrong)\n") {
		t.Errorf("%q", got)
	}
}

// Whoever is only invited has not heard who accepted.
func TestMemberOfAnInvitation(t *testing.T) {
	ben := &v1.Member{Person: &v1.Person{Name: "Ben"}}
	me := &v1.Member{Person: &v1.Person{Name: "Ann", Me: true}}
	for _, c := range []struct {
		who  *v1.Member
		in   v1.ChatState
		want string
	}{
		{ben, v1.ChatState_CHAT_STATE_ACTIVE, "member, invited, has not accepted yet"},
		{ben, v1.ChatState_CHAT_STATE_INVITED, "member"},
		{me, v1.ChatState_CHAT_STATE_INVITED, "member, invited, has not accepted yet"},
		{ben, v1.ChatState_CHAT_STATE_LEFT, "member"},
	} {
		if got := memberText(c.who, c.in); got != c.want {
			t.Errorf("%s in %s: %q", nameOf(c.who.Person), c.in, got)
		}
	}
}
