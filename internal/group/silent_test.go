package group_test

import (
	"slices"
	"testing"

	"kith/internal/group"
	"kith/internal/sim"
	"kith/internal/wire"
)

// TestSilentForAWhile: the only member that is there says nothing for some seconds, in the
// middle of what it was asked for, and goes on. The rest comes, though it has nothing new to
// say.
func TestSilentForAWhile(t *testing.T) {
	w, g, ann, ben, cleo := three(t)
	apart(t, w, g, ben, 900, ann, cleo)
	ann.Stop()
	silent := true
	cleo.Withhold(func(_ *sim.Node, kind byte) bool { return silent && kind == kindEntries && len(ben.Texts(g)) > 0 })
	ben.Start()
	w.Run(8_000)
	silent = false
	if got := len(ben.Texts(g)); got == 900 {
		t.Fatal("Ben has all though Cleo was silent")
	}
	w.Run(60_000)
	if got := len(ben.Texts(g)); got != 900 {
		t.Errorf("Ben has %d of 900 a minute after Cleo goes on, %d are missing", got, ben.Groups[g].Machine.View().Missing)
	}
}

// TestAnswersOvertaken: a message of more than 64 KiB comes when it is complete, and short
// ones that were sent after it come before (peer.Session). After a silence of the member that is asked
// the answers are taken for others than they are, so that some bring nothing. The rest comes all the same.
func TestAnswersOvertaken(t *testing.T) {
	for _, silence := range []uint64{4_900, 5_100, 6_700, 8_000} {
		w, g, ann, ben, cleo := three(t)
		apart(t, w, g, ben, 401, ann)
		cleo.Stop()
		type answer struct {
			at      uint64
			payload []byte
		}
		var under []answer
		long := 0
		ann.Withhold(func(to *sim.Node, kind byte) bool { return to == ben && kind == kindEntries })
		ben.Start()
		from := w.Now
		w.After = func(n *sim.Node, _ wire.GroupID, eff group.Effects) {
			for _, s := range eff.Serve {
				if n != ann || s.To != ben.Self.Device.ID() {
					continue
				}
				for _, payload := range ann.Groups[g].Answer(s) {
					at := w.Now + 5
					if len(ben.Texts(g)) > 0 { // the newest are there: Ann is stopped
						at = max(at, from+silence)
					}
					if list, _ := group.EntriesIn(payload); len(list) > 100 {
						at += 100
						long++
					}
					under = append(under, answer{at, payload})
				}
			}
		}
		for range 60_000 {
			w.Run(1)
			for i := 0; i < len(under); i++ {
				if a := under[i]; a.at <= w.Now {
					under = slices.Delete(under, i, i+1)
					i--
					w.Deliver(ann, ben, g, a.payload)
				}
			}
		}
		if got := len(ben.Texts(g)); got != 401 || long == 0 {
			t.Errorf("silent for %d ms: Ben has %d of 401, %d answers were long", silence, got, long)
		}
	}
}
