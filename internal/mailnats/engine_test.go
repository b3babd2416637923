package mailnats_test

import (
	"testing"

	"kith/internal/mailbox"
	"kith/internal/mailbox/mailboxtest"
	"kith/internal/mailnats"
)

// TestSuite runs what every engine has to pass on a real server.
func TestSuite(t *testing.T) {
	of := make(map[string]string)
	mailboxtest.RunEngineSuite(t, func(t *testing.T, dir string, b mailbox.Bounds) mailbox.Engine {
		if of[dir] == "" {
			_, of[dir] = servers(t, 1, dir)
		}
		e, err := mailnats.Open(t.Context(), mailnats.Config{Servers: of[dir], Dir: dir, Bounds: b})
		must(t, err)
		t.Cleanup(func() { e.Close() })
		return e
	})
}
