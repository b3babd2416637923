package sim_test

import (
	"slices"
	"testing"

	"kith/internal/group"
	"kith/internal/sim"
	"kith/internal/wire"
)

// lostWelcome: Ann invites Cleo, who is off; what that block says is settled when Dan
// comes in, who so has it without its commit; Ann leaves before Cleo comes back.
func lostWelcome(t *testing.T) (w *sim.World, g wire.GroupID, dan, cleo *sim.Node) {
	t.Helper()
	w = sim.New(1)
	ann, cleo, dan := w.Add("Ann"), w.Add("Cleo"), w.Add("Dan")
	cleo.Stop()
	g = ann.Create(group.CreateParams{Title: "Trip", Newcomers: []group.Newcomer{cleo.Newcomer()}})
	w.Run(5 * minute)
	must(t, ann.Do(g, group.SetTitle{Title: "Journey"})) // above the block that is to be light
	w.Run(5 * minute)
	must(t, ann.Say(g, "before"))
	enter(t, w, g, ann, dan)
	must(t, ann.Do(g, group.Leave{Successor: dan.Self.Person}))
	w.Run(5 * minute)
	ann.Stop()
	return w, g, dan, cleo
}

// TestInviterLeft: whom nobody can give the Welcome by which they were let in comes
// in all the same, reads what is said from then on, and is heard.
func TestInviterLeft(t *testing.T) {
	w, g, dan, cleo := lostWelcome(t)
	cleo.Start()
	w.Run(5000)
	if cleo.Groups[g] == nil {
		t.Fatalf("Cleo has not been invited: %v", cleo.Refused)
	}
	if status := machine(cleo, g).Status(); status != group.StatusInvited {
		t.Fatalf("Cleo is not asked: status %d", status)
	}
	must(t, cleo.Do(g, group.Accept{}))
	w.Run(minute)
	must(t, dan.Say(g, "welcome"))
	w.Run(5000)
	must(t, cleo.Say(g, "at last"))
	w.Run(5000)
	sees(t, g, []string{"welcome", "at last"}, cleo)
	alike(t, g, dan, cleo)
	if count[group.Misbehaved](cleo, g)+count[group.Misbehaved](dan, g) > 0 || len(cleo.Refused) > 0 {
		t.Errorf("somebody is blamed: %v", cleo.Refused)
	}
	cleo.Stop()
	cleo.Start()
	must(t, dan.Say(g, "still there?"))
	w.Run(5000)
	sees(t, g, []string{"welcome", "at last", "still there?"}, cleo)
}

// TestInviterLeftForged: an invitation without a Welcome is refused where it names
// another block than the one that lets the device in, or where its floor is not what
// members signed.
func TestInviterLeftForged(t *testing.T) {
	w, g, dan, cleo := lostWelcome(t)
	var got []byte
	cleo.Start()
	w.Run(2000)
	for _, p := range dan.Sent {
		if p.To == cleo && p.Bytes[0] == kindPages && p.Bytes[1] == 0 {
			got = slices.Clone(p.Bytes)
			break
		}
	}
	if got == nil {
		t.Fatal("Dan has no invitation for Cleo")
	}
	take := func(b []byte) error {
		_, _, err := group.NewJoining(cleo.Self, g).Take(w.Now, b, dan.Self.Member(), func(group.Use) ([]byte, bool) { return nil, false })
		return err
	}
	if err := take(got); err != nil {
		t.Fatalf("as it was sent: %v", err)
	}
	head := machine(dan, g).Head()
	other := slices.Clone(got)
	copy(other[2:], head[:])
	if take(other) == nil {
		t.Error("another block is believed")
	}
	r := wire.NewReader(got[2+32:])
	r.Vec(len(got))
	end := len(got) - r.Len()
	forged := slices.Clone(got)
	forged[end-1] ^= 1 // the signature of the floor's last head
	if take(forged) == nil {
		t.Error("a floor is believed that nobody signed")
	}
}
