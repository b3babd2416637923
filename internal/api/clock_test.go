package api_test

import (
	"testing"
	"time"

	"kith/internal/api"
	"kith/internal/node"
)

// TestClockSentence: whose clock is wrong is not said where it is not known.
func TestClockSentence(t *testing.T) {
	people := func(names ...string) (list []node.Person) {
		for _, name := range names {
			list = append(list, node.Person{Name: name})
		}
		return list
	}
	ms := func(d time.Duration) uint64 { return uint64(d.Milliseconds()) }
	const one, many = " If it is the wrong one, set it: your messages, links and invitations go by it.",
		" Set it: your messages, links and invitations go by it."
	for _, c := range []struct {
		of   node.ClockApart
		want string
	}{
		{node.ClockApart{By: ms(119 * time.Minute), Of: people("Ben")}, "This computer's clock is at least 119 minutes behind that of Ben." + one},
		{node.ClockApart{Ahead: true, By: ms(47 * time.Hour), Of: people("Ann", "Ben")}, "This computer's clock is at least 47 hours ahead of those of Ann and Ben, so it is probably wrong." + many},
		{node.ClockApart{By: ms(50 * time.Hour), Of: people("Ann", "Ben", "Cem", "Dan")}, "This computer's clock is at least 2 days behind those of Ann, Ben, Cem and Dan, so it is probably wrong." + many},
		{node.ClockApart{By: ms(365 * 24 * time.Hour), Of: people("Ann", "Ben", "Cem", "Dan", "Eva")}, "This computer's clock is at least 365 days behind those of Ann, Ben, Cem and 2 others, so it is probably wrong." + many},
	} {
		if got := api.ClockSentence(c.of); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}
