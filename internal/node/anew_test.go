package node_test

import (
	"errors"
	"testing"

	"kith/internal/group"
)

// TestRestartKeys: Ann starts the keys of a group anew. Ben, who is there, and
// Cleo, who is no friend of his and comes back later, have the new ones by the
// last-resort packages that everybody told everybody.
func TestRestartKeys(t *testing.T) {
	t.Parallel()
	ann, ben, cleo := start(t, "Ann", t.TempDir()), start(t, "Ben", t.TempDir()), start(t, "Cleo", t.TempDir())
	befriend(t, ann, ben)
	befriend(t, ann, cleo)
	g := together(t, "Trip", ann, ben, cleo)
	ann.until("everybody's key packages", func() bool { return ann.Described(g) == 3 })
	ann.say(g, "old keys")
	ben.sees(g, "old keys")
	cleo.sees(g, "old keys")
	cleo.stop()
	var no *group.Refusal
	if err := ben.RestartKeys(g, false); !errors.As(err, &no) || no.Reason != group.ReasonRole {
		t.Errorf("Ben, no admin: %v", err)
	}
	must(t, ann.RestartKeys(g, false))
	ann.say(g, "new keys")
	ben.sees(g, "old keys", "new keys")
	cleo = cleo.again()
	cleo.sees(g, "old keys", "new keys")
	if c, err := cleo.Chat(g); err != nil || c.NoKeys {
		t.Errorf("Cleo: %+v, %v", c, err)
	}
	ann = ann.restart()
	cleo.say(g, "thanks")
	ann.sees(g, "old keys", "new keys", "thanks")
	must(t, ben.RenewKeys(g))
	ben.say(g, "renewed")
	ann.sees(g, "old keys", "new keys", "thanks", "renewed")
}
