package main

import (
	"errors"
	"os"
	"strings"
	"testing"

	v1 "kith/proto/kith/v1"
)

func TestDigits(t *testing.T) {
	in := strings.Repeat("1234567890", 6)
	want := "12345 67890 12345 67890 12345 67890\n12345 67890 12345 67890 12345 67890"
	if got := digits(in); got != want {
		t.Errorf("%q", got)
	}
	if got := digits("12345 67890"); got != "12345 67890" {
		t.Errorf("%q", got)
	}
	if got := digits(""); got != "" {
		t.Errorf("%q", got)
	}
}

func TestFriendCalled(t *testing.T) {
	list := []*v1.Friend{
		{Person: &v1.Person{Id: "abcd11", Name: "Ann"}},
		{Person: &v1.Person{Id: "abcd22", Name: "Ben"}},
		{Person: &v1.Person{Id: "ef0133", Name: "abcd1"}}, // a name like the beginning of Ann's id
	}
	for ref, want := range map[string]string{"ann": "abcd11", "abcd2": "abcd22", "ABCD2": "abcd22"} {
		if f, err := friendCalled(list, ref); err != nil || f.Person.Id != want {
			t.Errorf("%s: %v, %v", ref, f, err)
		}
	}
	for _, ref := range []string{"Zoe", "", "abc", "abcd", "abcd1"} {
		if f, err := friendCalled(list, ref); err == nil {
			t.Errorf("%s: %v", ref, f)
		}
	}
}

func TestCheckListen(t *testing.T) {
	for text, good := range map[string]bool{
		"": true, ":4001": true, "127.0.0.1:0": true, "localhost:1": true, "[::1]:65535": true,
		"foo": false, ":65536": false, ":": false, ":http": false, "example.org:1": false, "127.0.0.1": false,
	} {
		_, wrong := errors.AsType[*usageError](checkListen("--listen", text))
		if wrong == good {
			t.Errorf("%q: %v", text, checkListen("--listen", text))
		}
	}
}

func TestReachSentence(t *testing.T) {
	for r, want := range map[v1.Reachability]string{
		v1.Reachability_REACHABILITY_LOCAL:  "Only this machine reaches you: your node listens on no network.",
		v1.Reachability_REACHABILITY_LAN:    "On the same Wi-Fi this always works. Over the Internet one of you must be reachable: yours is not.",
		v1.Reachability_REACHABILITY_PUBLIC: "On the same Wi-Fi this always works. Over the Internet one of you must be reachable: yours may be, since it has a public address.",
	} {
		if got := reachSentence(r); got != want {
			t.Errorf("%v: %q", r, got)
		}
	}
}

func TestUnwritten(t *testing.T) {
	p := program{out: &output{to: closed{}}}
	if p.unwritten() != nil {
		t.Error("before anything is written")
	}
	p.println("x")
	if p.unwritten() == nil {
		t.Error("the error is lost")
	}
}

type closed struct{}

func (closed) Write([]byte) (int, error) { return 0, errors.New("closed") }

func TestQuoted(t *testing.T) {
	for in, want := range map[string]string{"/home/ann/.kith": "/home/ann/.kith", "/a b": "'/a b'", "/it's": `'/it'\''s'`} {
		if got := quoted(in); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
}

// TestPrintedToFull: output that cannot be written is a failure of that, and not of the disk that
// holds the home.
func TestPrintedToFull(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("there is no /dev/full here: ", err)
	}
	defer full.Close()
	var said strings.Builder
	p := &program{called: "kith", in: strings.NewReader(""), out: &output{to: full}, err: &said}
	const want = "kith: What was to be printed could not be written: no space left on device.\n"
	if status := p.run(t.Context(), []string{"version"}); status != statusFailed || said.String() != want {
		t.Errorf("status %d, %q", status, said.String())
	}
}
