package main

import (
	"strings"
	"testing"
	"time"

	v1 "kith/proto/kith/v1"
)

// block makes one for the drawing; a name of one letter stands for its hash.
func block(name, parent string, height uint64, lane uint32, sentence string) *v1.Block {
	b := &v1.Block{
		Hash: name, Parent: parent, Height: height, Lane: lane, OnChain: lane == 0, SignatureValid: true, CreatedAt: minute(height),
		Fate: v1.BlockFate_BLOCK_FATE_STANDS, Changes: []*v1.Change{{Sentence: sentence}},
	}
	if lane > 0 {
		b.Fate, b.Why = v1.BlockFate_BLOCK_FATE_UNDONE, "Others did more."
	}
	return b
}

func minute(n uint64) uint64 {
	return uint64(time.Date(2026, 3, 4, 14, int(n), 0, 0, time.Local).UnixMilli())
}

func drawn(t *testing.T, want string, blocks ...*v1.Block) {
	t.Helper()
	got := drawChain(blocks)
	for _, line := range got {
		if columns(line) > drawWidth {
			t.Errorf("%d columns: %s", columns(line), line)
		}
	}
	if text := strings.Join(got, "\n"); text != strings.Trim(want, "\n") {
		t.Errorf("drew\n%s\nwant%s", text, want)
	}
}

func TestDrawOneLine(t *testing.T) {
	g, a, b := block("g", "", 0, 0, "Ann made the group."), block("a", "g", 1, 0, "Ann added Ben."), block("b", "a", 2, 0, "Ann added Dan.")
	g.Settled = true
	a.VotedBy, a.WaitsFor = []*v1.Person{{Me: true}}, []*v1.Person{{Name: "Ben"}, {Name: "Cleo"}}
	b.WaitsFor, b.Stuck = append(a.VotedBy, a.WaitsFor...), []*v1.Person{{Name: "Ben"}}
	drawn(t, `
●  0  2026-03-04 14:00  Ann made the group. [g]
◐  1  2026-03-04 14:01  Ann added Ben. [a]
│     You voted for it, not yet Ben and Cleo.
◐  2  2026-03-04 14:02  Ann added Dan. [b]
      Could not be followed by Ben.

● settled   ◐ on the chain, can still be undone`, g, a, b)
	a.WaitsFor, b.Stuck = nil, nil
	drawn(t, `
●  0  2026-03-04 14:00  Ann made the group. [g]
◐  1  2026-03-04 14:01  Ann added Ben. [a]
      All have voted for it; it waits for one more round.

● settled   ◐ on the chain, can still be undone`, g, a)
	a.Settled, a.SettledBy, a.SettleRound, a.VotedBy = true, []*v1.Person{{Me: true}}, 2, nil
	drawn(t, `
●  0  2026-03-04 14:00  Ann made the group. [g]
●  1  2026-03-04 14:01  Ann added Ben. [a]
      Settled up to here by you in round 2: it can no longer be undone.`, g, a)
}

func TestDrawFork(t *testing.T) {
	g, a, b, c := block("g", "", 0, 0, "Ann made the group."), block("a", "g", 1, 0, "Ann removed Ben."),
		block("b", "g", 1, 1, "Ben removed Ann."), block("c", "a", 2, 0, "Ann\x1b[2J named the group “x”.")
	g.Split = &v1.Split{From: minute(2), To: minute(20), Undone: 2, Again: 1}
	b.Why = "Ann removed Ben and Ben removed Ann at the same time. Ann has been in charge longer, so Ben stays removed."
	g.Settled, a.Settled = true, true
	c.Settled, c.SettleRound, c.SettledBy = true, 4, []*v1.Person{{Name: "Ann"}, {Me: true}}
	drawn(t, `
●    0  2026-03-04 14:00  Ann made the group. [g]
├─╮     The group was split from 2026-03-04 14:02 to 14:20 and is whole again; 2 changes were
│ │     undone, 1 was done again.
● │  1  2026-03-04 14:01  Ann removed Ben. [a]
│ ○  1  2026-03-04 14:01  Ben removed Ann. [b]
│       Undone. Ann removed Ben and Ben removed Ann at the same time. Ann has been in charge longer,
│       so Ben stays removed.
●    2  2026-03-04 14:02  Ann�[2J named the group “x”. [c]
        Settled up to here by Ann and you in round 4: it can no longer be undone.

● settled   ○ undone`, g, a, b, c)
}

func TestDrawManyLanes(t *testing.T) {
	again := block("e", "c", 3, 3, "Cleo added Dan.")
	again.Fate, again.Changes[0].Again, again.Changes[0].AgainHeight = v1.BlockFate_BLOCK_FATE_AGAIN, "f", 12
	part := block("d", "b", 3, 2, "Cleo added Dan.")
	part.Changes = append(part.Changes, &v1.Change{Sentence: "Cleo added Eve.", Again: "f", AgainHeight: 12})
	twin := block("t", "c", 3, 1, "Cleo added Eve.")
	twin.SignatureValid, twin.Contradicts, twin.Contradiction = false, []string{"e"}, "One device signed both."
	again.Contradicts, again.Contradiction = []string{"t"}, "One device signed both."
	drawn(t, `
◐         0  2026-03-04 14:00  G [g]
├─┬─╮
◐ │ │     1  2026-03-04 14:01  A [a]
│ ○ │     1  2026-03-04 14:01  C [x]
│ │ │        Undone. Others did more.
│ │ ○     1  2026-03-04 14:01  B [y]
│ │ │        Undone. Others did more.
◐ │ │     2  2026-03-04 14:02  A [z]
│ ○ │     2  2026-03-04 14:02  C [c]
│ │ │        Undone. Others did more.
│ │ ○     2  2026-03-04 14:02  B [b]
│ │ │        Undone. Others did more.
│ ├─┼─╮
│ ○ │ │   3  2026-03-04 14:03  Cleo added Eve. [t]
│   │ │      SIGNATURE NOT VALID
│   │ │      Undone. Others did more.
│   │ │      One device signed both.
│   ○ │   3  2026-03-04 14:03  Cleo added Dan. Cleo added Eve. [d]
│     │      Undone, and in part done again in block 12. Others did more.
│     ○   3  2026-03-04 14:03  Cleo added Dan. [e]
│            Undone, and done again in block 12. Others did more.
◐        12  2026-03-04 14:12  F [f]

◐ on the chain, can still be undone   ○ undone`,
		block("g", "", 0, 0, "G"), block("a", "g", 1, 0, "A"), block("x", "g", 1, 1, "C"), block("y", "g", 1, 2, "B"),
		block("z", "a", 2, 0, "A"), block("c", "x", 2, 1, "C"), block("b", "y", 2, 2, "B"), part, again, twin, block("f", "z", 12, 0, "F"))
}

func TestWrap(t *testing.T) {
	for _, c := range []struct {
		text string
		wide int
		want []string
	}{
		{"", 9, []string{""}},
		{"one two three", 7, []string{"one two", "three"}},
		{"one twothreefour", 7, []string{"one", "twothre", "efour"}},
		{"合唱 合唱団", 6, []string{"合唱", "合唱団"}},
		{"e\u0301e\u0301e\u0301 x", 5, []string{"e\u0301e\u0301e\u0301 x"}},
	} {
		if got := wrap(c.text, c.wide); strings.Join(got, "|") != strings.Join(c.want, "|") {
			t.Errorf("%q in %d: %q, want %q", c.text, c.wide, got, c.want)
		}
	}
}

func TestSplitText(t *testing.T) {
	for _, c := range []struct {
		split *v1.Split
		want  string
	}{
		{nil, ""},
		{&v1.Split{From: minute(3), To: minute(3), Undone: 1}, "The group was split at 2026-03-04 14:03 and is whole again; 1 change was undone."},
		{&v1.Split{From: minute(3), To: minute(3) + 86_400_000}, "The group was split from 2026-03-04 14:03 to 2026-03-05 14:03 and is whole again; no change was undone."},
		{&v1.Split{From: minute(3), To: minute(9), Undone: 3, Again: 2}, "The group was split from 2026-03-04 14:03 to 14:09 and is whole again; 3 changes were undone, 2 were done again."},
	} {
		if got := splitText(c.split); got != c.want {
			t.Errorf("%v: %s", c.split, got)
		}
	}
}

// TestDrawRenames: renames in a row by one person are one line, and only those.
func TestDrawRenames(t *testing.T) {
	renames := func(name, parent string, height uint64, by string) *v1.Block {
		b := block(name, parent, height, 0, by+" named the group "+name+".")
		b.Author, b.Changes[0].Kind = &v1.Person{Id: by, Name: by}, v1.ChangeKind_CHANGE_KIND_TITLE
		return b
	}
	g := block("g", "", 0, 0, "Ann made the group.")
	list := []*v1.Block{g, renames("a", "g", 1, "Ann"), renames("b", "a", 2, "Ann"), renames("c", "b", 3, "Ann"), renames("d", "c", 4, "Ben")}
	for _, b := range list {
		b.Settled = true
	}
	list[4].Settled, list[4].VotedBy, list[4].WaitsFor = false, []*v1.Person{{Me: true}}, []*v1.Person{{Name: "Ben"}}
	list = append(list, renames("e", "d", 5, "Ben"), block("x", "d", 5, 1, "Ann added Dan."))
	drawn(t, `
●    0  2026-03-04 14:00  Ann made the group. [g]
●    3  2026-03-04 14:03  Ann named the group c. The last of 3 renames in a row, blocks 1 to 3. [c]
│       Settled up to here: it can no longer be undone.
◐    4  2026-03-04 14:04  Ben named the group d. [d]
│       You voted for it, not yet Ben.
├─╮
◐ │  5  2026-03-04 14:05  Ben named the group e. [e]
  ○  5  2026-03-04 14:05  Ann added Dan. [x]
        Undone. Others did more.

● settled   ◐ on the chain, can still be undone   ○ undone`, list...)
}
