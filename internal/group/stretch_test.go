package group_test

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"testing"

	"kith/internal/dag"
	"kith/internal/group"
	"kith/internal/sim"
	"kith/internal/wire"
)

// TestNewestScreenFirst: of many that are missing the newest come first, are shown as
// waiting, and the rest comes from both members, each entry once.
func TestNewestScreenFirst(t *testing.T) {
	w, g, ann, ben, cleo := three(t)
	apart(t, w, g, ben, 1500, ann, cleo)
	total := len(ann.Texts(g))
	last := ann.Groups[g].Shown()[total-50].Place
	screen, waiting := 0, 0
	var told []int
	w.After = func(n *sim.Node, _ wire.GroupID, eff group.Effects) {
		for _, e := range eff.Notify {
			if e, ok := e.(group.MissingChanged); ok && n == ben {
				told = append(told, e.Count)
			}
		}
		if n == ben && screen == 0 && len(eff.Rows) > 0 {
			for _, row := range eff.Rows {
				if !dag.Less(row.Place, last) {
					screen++
				}
				if row.Waiting {
					waiting++
				}
			}
		}
	}
	ben.Start()
	w.Run(20_000)
	if screen != 50 || waiting != 50 {
		t.Errorf("the first rows are %d of the newest 50, %d wait", screen, waiting)
	}
	if len(told) < 4 || len(told) > 60 || told[0] != 1450 || told[len(told)-1] != 0 || !slices.IsSortedFunc(told, func(a, b int) int { return b - a }) {
		t.Errorf("that so many are missing is told: %v", told)
	}
	refs, by := answers(t, ben, ann, cleo)
	if len(refs) != 1500 || by[ann] < 256 || by[cleo] < 256 {
		t.Errorf("%d entries of 1500 are sent, %d by Ann, %d by Cleo", len(refs), by[ann], by[cleo])
	}
	if got := len(ben.Texts(g)); got != total {
		t.Errorf("Ben has %d of %d", got, total)
	}
	for _, row := range ben.Groups[g].Shown() {
		if row.Waiting {
			t.Fatal("a row waits still")
		}
	}
}

// TestJunkInStretches: a member that answers each request with one old entry, or with
// what says that there is more for ever, holds nobody up.
func TestJunkInStretches(t *testing.T) {
	w, g, ann, ben, cleo := three(t)
	apart(t, w, g, ben, 600, ann, cleo)
	var old []byte // an answer of Ann's to somebody else, cut
	cleo.Withhold(func(_ *sim.Node, kind byte) bool { return kind == kindEntries })
	w.After = func(n *sim.Node, _ wire.GroupID, eff group.Effects) {
		if n != cleo {
			return
		}
		for _, s := range eff.Serve {
			if s.To == ben.Self.Device.ID() {
				s.Refs, s.Bare = s.Refs[:min(1, len(s.Refs))], s.Bare[:min(1, len(s.Bare))]
				junk := cleo.Groups[g].Answer(s)[0]
				junk[len(junk)-1] = 3 // cut
				old = junk
				w.Deliver(cleo, ben, g, bytes.Clone(junk))
			}
		}
	}
	ben.Start()
	w.Run(60_000)
	if old == nil {
		t.Fatal("Cleo was asked nothing")
	}
	if got := len(ben.Texts(g)); got != 600 {
		t.Errorf("Ben has %d of 600", got)
	}
}

// TestStretchFromFar: whoever asks for anything is given at most one stretch, and what
// names no block that is here, nothing.
func TestStretchFromFar(t *testing.T) {
	w, g, ann, ben, cleo := three(t)
	apart(t, w, g, ben, 300, ann, cleo)
	m := cleo.Groups[g].Machine
	all := dag.Range{To: ^uint64(0)}
	w.Deliver(cleo, ann, g, m.StretchPayload(nil, all))
	w.Deliver(cleo, ann, g, m.StretchPayload([]uint64{1 << 60, 1 << 60, 1 << 60}, all))
	w.Deliver(cleo, ann, g, m.StretchPayload(make([]uint64, 0), dag.Range{From: dag.Spot{Lamport: 1 << 60}, To: 1}))
	w.Deliver(cleo, ann, g, m.StretchPayload([]uint64{1, 1, 1, 1, 1, 1, 1, 1, 1}, all))
	w.Deliver(cleo, ann, g, group.AskPayload(nil, []dag.Ref{{Seq: 3}}))
	var sizes []int
	for _, p := range ann.Sent {
		if refs, answer := group.EntriesIn(p.Bytes); answer > 0 && p.To == cleo {
			sizes = append(sizes, len(refs))
		}
	}
	if fmt.Sprint(sizes) != "[256 0 0 0 50]" {
		t.Errorf("the answers have %v entries", sizes)
	}
}

// TestOpenChatFirst: while its person looks at another chat, a group gets its newest
// screen as soon as ever, and the rest one stretch at a time.
func TestOpenChatFirst(t *testing.T) {
	w, g, ann, ben, cleo := three(t)
	apart(t, w, g, ben, 900, ann, cleo)
	ben.Start()
	if err := ben.Do(g, group.Attend{Elsewhere: true}); err != nil {
		t.Fatal(err)
	}
	most := 0
	began, screen, all := w.Now, uint64(0), uint64(0)
	w.After = func(n *sim.Node, _ wire.GroupID, _ group.Effects) {
		if n != ben {
			return
		}
		most = max(most, ben.Groups[g].Machine.AskedNow())
		switch len(ben.Texts(g)) {
		case 50:
			screen = w.Now - began
		case 900:
			all = cmp.Or(all, w.Now-began)
		}
	}
	w.Run(10_000)
	if most != 1 || screen > 400 || all < 300 || len(ben.Texts(g)) != 900 {
		t.Errorf("%d requests at once, the screen after %d ms, all after %d", most, screen, all)
	}
}
