package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// at is a number of minutes after some time.
func at(minutes float64) time.Time {
	return time.Unix(1_800_000_000, 0).Add(time.Duration(minutes * float64(time.Minute)))
}

// folder writes what a run keeps: five messages of a and b, a minute apart, and
// the numbers of those that each node shows. c is a guest who was there for the
// first two, and from the fifth on.
func folder(t *testing.T, shows map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	var list []sent
	for i := range 5 {
		list = append(list, sent{ID: fmt.Sprintf("id%d", i+1), By: string("ab"[i%2]), Text: fmt.Sprintf("text %d", i+1), At: at(float64(i + 1))})
	}
	stays := []stay{{Node: "c", From: at(0), Until: at(2.5), Last: []string{"id2"}, Out: at(2.7), Asked: at(4.5), Knew: []string{"b"}}, {Node: "c", From: at(4.7)}}
	if err := all(writeLines(filepath.Join(dir, "sent.jsonl"), list), writeLines(filepath.Join(dir, "stays.jsonl"), stays)); err != nil {
		t.Fatal(err)
	}
	for name, numbers := range shows {
		var b strings.Builder
		for _, n := range strings.Fields(numbers) {
			state, text, split := "shown", "text "+n[:1], false
			switch n[1:] {
			case "!":
				state = "damaged"
			case "~":
				split = true
			case "?":
				text = "another text"
			}
			fmt.Fprintf(&b, `{"id":"id%s","text":"%s","state":"%s","while_split":%v,"author":{"name":"%c"}}`+"\n", n[:1], text, state, split, "ba"[int(n[0])%2])
		}
		if err := os.WriteFile(filepath.Join(dir, name+".tail"), []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		what, a, b, c string
		want          string // part of a fault; empty: all is well
	}{
		{"all is well", "1 2 3 4 5", "1 2 3 4 5", "1 2 5", ""},
		{"order is what all show", "2 1 3 5 4", "2 1 3 5 4", "2 1 5", ""},
		{"of what nobody printed nothing is asked", "1 2 3 4 5 9", "1 2 3 4 5 9", "1 2 5", ""},
		{"one lacks the last", "1 2 3 4 5", "1 2 3 4", "1 2 5", `b lacks "text 5"`},
		{"all lack one", "1 3 4 5", "1 3 4 5", "1 5", `a lacks "text 2"`},
		{"one shows one twice", "1 2 3 4 5", "1 2 3 3 4 5", "1 2 5", `b shows "text 3" twice`},
		{"another order", "1 2 3 4 5", "1 3 2 4 5", "1 2 5", `b shows "text 2" in another place`},
		{"another order for the guest", "1 2 3 4 5", "1 2 3 4 5", "2 1 5", `c shows "text 1" in another place`},
		{"the guest lacks one of its first time", "1 2 3 4 5", "1 2 3 4 5", "1 5", `c lacks "text 2"`},
		{"the guest lacks one of its second time", "1 2 3 4 5", "1 2 3 4 5", "1 2", `c lacks "text 5"`},
		{"the guest reads what was written without it", "1 2 3 4 5", "1 2 3 4 5", "1 2 4 5", `c shows "text 4"`},
		{"or by who did not know yet that it was out", "1 2 3 4 5", "1 2 3 4 5", "1 2 3 5", ""},
		{"a guest shows what was written while the group was split in the place of the copy", "1 2 3 4~ 5", "1 2 3 4~ 5", "1 2 5 4", ""},
		{"others do not", "1 2 3 4~ 5", "1 2 3 5 4~", "1 2 5", `b shows "text 4" in another place`},
		{"more than the first has", "1 2 3 4 5", "1 2 3 4 5 9", "1 2 5", `b shows "text 9", which the first node does not`},
		{"damaged", "1 2 3 4 5", "1 2 3 4! 5", "1 2 5", "b shows id4 of b as damaged"},
		{"another text", "1 2 3 4 5", "1 2? 3 4 5", "1 2 5", `b shows "another text" of b, who wrote "text 2"`},
	} {
		faults, err := check(folder(t, map[string]string{"a": c.a, "b": c.b, "c": c.c}))
		if err != nil {
			t.Errorf("%s: %v", c.what, err)
		}
		if c.want == "" && len(faults) > 0 || c.want != "" && !slices.ContainsFunc(faults, func(f string) bool { return strings.HasPrefix(f, c.want) }) {
			t.Errorf("%s: %q, want %q", c.what, faults, c.want)
		}
	}
}

// TestOwedOfGuests: another guest may have been cut off when this one came in; after a minute
// that is no excuse.
func TestOwedOfGuests(t *testing.T) {
	stays := []stay{{Node: "c", From: at(10)}}
	for minutes, want := range map[float64]bool{10.1: false, 10.9: false, 11.1: true} {
		if must, _ := owed("c", sent{By: "d", Guest: true, At: at(minutes)}, stays); must != want {
			t.Errorf("after %.1f minutes it must have it: %v", minutes-10, must)
		}
	}
	if must, _ := owed("c", sent{By: "a", At: at(10.1)}, stays); !must {
		t.Error("what one writes who stays it need not have")
	}
}

// TestOwedUncertain: of a stay whose beginning not all have seen nothing is owed, and the one before it
// ends where it ended.
func TestOwedUncertain(t *testing.T) {
	stays := []stay{{Node: "c", From: at(0), Until: at(5), Out: at(5.1), Asked: at(6)}, {Node: "c", Until: at(12)}}
	for minutes, want := range map[float64]bool{3: true, 5.5: false, 8: false, 10.5: false} {
		if must, _ := owed("c", sent{By: "a", At: at(minutes)}, stays); must != want {
			t.Errorf("what was written after %.1f minutes it must have: %v", minutes, must)
		}
	}
}
