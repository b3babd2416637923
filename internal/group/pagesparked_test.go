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

// TestProofAcrossAGap: Dan's laptop, which came in by pages, holds the block that admitted
// his phone, the next ones without their commits, and the newest whole. The phone, which
// was off when the laptop came in, and meets it alone, is sent what lies between.
func TestProofAcrossAGap(t *testing.T) {
	w, ann, ben, g := settledGroup(t, 8)
	dan := w.Add("Dan")
	phone := dan.Link("Dan's phone")
	do(t, w, ann, g, group.Invite{Newcomers: []group.Newcomer{dan.Newcomer()}})
	do(t, w, ann, g, group.Remove{Person: dan.Self.Person})
	w.Cut(phone, dan)
	sent := len(ann.Sent)
	do(t, w, ann, g, group.Invite{Newcomers: []group.Newcomer{phone.Newcomer()}})
	for _, p := range ann.Sent[sent:] {
		if p.To == ben && p.Bytes[0] == 3 {
			w.Deliver(ann, dan, g, p.Bytes)
		}
	}
	do(t, w, phone, g, group.Accept{})
	came := phone.Groups[g].Machine.Head()
	for range 8 {
		do(t, w, ann, g, group.SetTitle{Title: "between"})
	}
	w.Run(60 * minutes)
	do(t, w, ann, g, group.SetTitle{Title: "not settled"})
	phone.Stop()
	do(t, w, ann, g, dan.DeviceFor(group.NewSuite))
	do(t, w, dan, g, group.Accept{})
	ann.Stop()
	ben.Stop()
	w.Run(60 * minutes)
	b := dan.Groups[g].Machine.Blocks()
	if !b.Has(came) || b.IsLight(came) || !b.Lights() {
		t.Fatalf("the laptop has the block that admitted the phone: %v, light %v; commits are missing: %v", b.Has(came), b.IsLight(came), b.Lights())
	}
	w.HealAll()
	phone.Start()
	w.Run(10 * minutes)
	agree(t, g, dan, phone)
}
