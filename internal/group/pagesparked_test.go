package group_test

import (
	"testing"

	"kith/internal/chain"
	"kith/internal/group"
)

// TestParkedGuestIsInvited: Dan, who came in without the commits of old blocks, invites
// Eve, who is off, and sets her aside. When she comes and meets him alone she is invited.
func TestParkedGuestIsInvited(t *testing.T) {
	w, ann, ben, g := settledGroup(t, 8)
	dan, eve := w.Add("Dan"), w.Add("Eve")
	do(t, w, ann, g, group.Invite{Newcomers: []group.Newcomer{dan.Newcomer()}})
	do(t, w, dan, g, group.Accept{})
	do(t, w, ann, g, group.SetRole{Person: dan.Self.Person, Role: chain.RoleAdmin})
	newcomer := eve.Newcomer()
	eve.Stop()
	do(t, w, dan, g, group.Invite{Newcomers: []group.Newcomer{newcomer}})
	do(t, w, dan, g, group.Park{Device: eve.Self.Device.ID()})
	m := dan.Groups[g].Machine
	if s := m.Blocks().State(m.Head()); !m.Blocks().Lights() || !s.Belongs(eve.Self.Device.ID()) || s.Active(eve.Self.Device.ID()) {
		t.Fatal("Dan has all commits, or Eve is no parked guest")
	}
	ann.Stop()
	ben.Stop()
	eve.Start()
	w.Run(minutes)
	if r := eve.Groups[g]; r == nil || r.Machine.Status() != group.StatusInvited {
		t.Error("Eve is not invited")
	}
}
