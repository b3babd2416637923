package node_test

import (
	"testing"

	"kith/internal/node"
)

// TestNetworkNamesMembers: how a member of a group is reached who is no friend is
// told by the name that the group knows.
func TestNetworkNamesMembers(t *testing.T) {
	t.Parallel()
	ann, ben, cleo := start(t, "Ann", t.TempDir()), start(t, "Ben", t.TempDir()), start(t, "Cleo", t.TempDir())
	befriend(t, ben, ann)
	befriend(t, ben, cleo)
	together(t, "Trip", ben, ann, cleo)
	ann.until("Cleo is connected, and told by name", func() bool {
		for _, p := range ann.Network().Paths {
			if p.Person.ID == cleo.id() {
				return p.Person.Name == "Cleo" && !p.Person.Friend && p.State == node.PathConnected
			}
		}
		return false
	})
}
