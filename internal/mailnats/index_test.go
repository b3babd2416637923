package mailnats

import (
	"testing"

	"kith/internal/mailbox"
)

// TestIndexReplace: where the stream is another one than before, what the leader has counts, however
// low its numbers are; what only comes late does not, be it the leader's answer.
func TestIndexReplace(t *testing.T) {
	x := index{drops: make(map[mailbox.Name]*known)}
	name := mailbox.Name{1}
	full := record{expires: 9, end: 5, bytes: 5 * 4096}
	x.learn(name, full, 100)
	empty := record{expires: 9}
	x.learn(name, empty, 3)
	if _, seq, _ := x.find(name); seq != 100 {
		t.Errorf("a message that came late was taken: %d", seq)
	}
	x.replace(name, empty, 3, 100)
	if r, seq, ok := x.find(name); !ok || seq != 3 || r.end != 0 {
		t.Errorf("known are end %d and sequence %d, want those of the leader", r.end, seq)
	}
	if u := x.used(); u != (mailbox.Usage{Drops: 1}) {
		t.Errorf("counted are %+v", u)
	}
	x.learn(name, full, 4) // while the leader is asked, of whom nothing newer than 3 is known
	x.replace(name, empty, 3, 3)
	x.forget(name, 3)
	if r, seq, ok := x.find(name); !ok || seq != 4 || r.end != 5 {
		t.Errorf("what was learned meanwhile is forgotten: known are end %d and sequence %d", r.end, seq)
	}
}

// TestIndexPlaces: a position is looked for from the nearest put before it that is known.
func TestIndexPlaces(t *testing.T) {
	x := index{drops: make(map[mailbox.Name]*known)}
	name := mailbox.Name{1}
	for i, seq := range []uint64{10, 20, 30, 40} { // two items each: 1 to 8
		end := uint64(2 * (i + 1))
		x.learn(name, record{expires: 9, end: end, bytes: end * 4096, sizes: []uint8{1, 1}}, seq)
	}
	for position, want := range map[uint64]uint64{1: 10, 2: 10, 3: 20, 6: 30, 8: 40, 9: 40} {
		if got := x.before(name, position); got != want {
			t.Errorf("position %d is looked for from %d, want %d", position, got, want)
		}
	}
	x.learn(name, record{expires: 9, end: 8, floor: 5, bytes: 3 * 4096}, 50)
	if got := x.before(name, 6); got != 30 {
		t.Errorf("after a delete up to 5, 6 is looked for from %d, want 30", got)
	}
	if got := x.before(mailbox.Name{2}, 1); got != 1 {
		t.Errorf("a drop that is not known is looked for from %d", got)
	}
}
