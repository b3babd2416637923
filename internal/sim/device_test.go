package sim_test

import (
	"errors"
	"testing"

	"kith/internal/chain"
	"kith/internal/group"
	"kith/internal/sim"
	"kith/internal/wire"
)

// Several devices of one person in one group.

// devices returns how many of n's person's devices o counts as members'.
func devices(o, n *sim.Node, g wire.GroupID) int {
	for _, m := range machine(o, g).View().Members {
		if m.Person == n.Self.Person {
			return len(m.Devices)
		}
	}
	return 0
}

// refusedFor checks that a machine refused, and why.
func refusedFor(t *testing.T, what string, err error, want group.Reason) {
	t.Helper()
	if e, ok := errors.AsType[*group.Refusal](err); !ok || e.Reason != want {
		t.Errorf("%s: %v, want reason %q", what, err, want)
	}
}

// TestCrashOnComingIn: Ben's phone ends right after it came in, before it has said so.
func TestCrashOnComingIn(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben")
	ann, ben := nodes[0], nodes[1]
	must(t, ann.Say(g, "one"))
	w.Run(5000)
	phone := ben.Link("Ben's phone")
	phone.Crash = sim.CrashAfter
	must(t, ben.Do(g, phone.Device()))
	w.Run(20000)
	if got := machine(ann, g).AckedUpTo(phone.Self.Device.ID(), ann.Self.Device.ID()); got != 1 {
		t.Errorf("Ann knows of %d messages that the phone has", got)
	}
}

// TestOwnDeviceAdded: Ben's phone is added by his laptop. It reads and writes from
// there on, and is not asked whether it wants to.
func TestOwnDeviceAdded(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben")
	ann, ben := nodes[0], nodes[1]
	must(t, ann.Say(g, "one"))
	w.Run(5000)
	phone := ben.Link("Ben's phone")
	must(t, ben.Do(g, phone.Device()))
	w.Run(5000)
	if got := status(phone, g); got != group.StatusActive {
		t.Fatalf("the phone has status %d", got)
	}
	must(t, phone.Say(g, "two"))
	w.Run(5000)
	must(t, ann.Say(g, "three"))
	w.Run(5000)
	sees(t, g, []string{"one", "two", "three"}, ann, ben)
	sees(t, g, []string{"one", "two", "three"}, phone)
	for _, n := range []*sim.Node{ann, ben, phone} {
		if got := devices(n, ben, g); got != 2 {
			t.Errorf("%s counts %d devices of Ben's", n.Name, got)
		}
		if len(n.Groups[g].Records[group.KindWelcome]) > 0 {
			t.Errorf("%s keeps a Welcome that nobody needs", n.Name)
		}
	}
	refusedFor(t, "the phone again", ben.Do(g, phone.Device()), group.ReasonMember)

	// Ann removes Ben, with both devices.
	must(t, ann.Do(g, group.Remove{Person: ben.Self.Person}))
	w.Run(5000)
	for _, n := range []*sim.Node{ben, phone} {
		if got := status(n, g); got != group.StatusRemoved {
			t.Errorf("%s has status %d", n.Name, got)
		}
	}
}

// TestDeviceAddedByAnother: whom another member adds is asked on that device.
func TestDeviceAddedByAnother(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben")
	ann, ben := nodes[0], nodes[1]
	phone := ben.Link("Ben's phone")
	must(t, ann.Do(g, phone.Device()))
	w.Run(5000)
	if got := status(phone, g); got != group.StatusInvited {
		t.Fatalf("the phone has status %d", got)
	}
	must(t, phone.Do(g, group.Accept{}))
	w.Run(5000)
	must(t, phone.Say(g, "one"))
	w.Run(5000)
	sees(t, g, []string{"one"}, ann, ben, phone)

	// Ben leaves on one device; the other knows it, and both are out.
	must(t, phone.Do(g, group.Leave{}))
	w.Run(5000)
	for _, n := range []*sim.Node{ben, phone} {
		if got := status(n, g); got != group.StatusLeft {
			t.Errorf("%s has status %d", n.Name, got)
		}
	}
}

// TestDeviceThatIsNotThePersons: neither a stranger's device nor one that the
// person's chain does not show is added.
func TestDeviceThatIsNotThePersons(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben")
	ann, ben := nodes[0], nodes[1]
	eve := w.Add("Eve")
	phone := ben.Link("Ben's phone")

	c := phone.Device()
	c.Person = ann.Self.Person
	refusedFor(t, "Ben's phone as Ann's", ann.Do(g, c), group.ReasonPackage)
	refusedFor(t, "a stranger's", ann.Do(g, eve.Device()), group.ReasonNoMember)
	c = phone.Device()
	c.Headers = c.Headers[:1]
	refusedFor(t, "a chain without it", ann.Do(g, c), group.ReasonRule)
	c = phone.Device()
	c.KnockKey = ben.Self.Device.KnockKey()
	refusedFor(t, "another knock key", ann.Do(g, c), group.ReasonRule)
	if n := machine(ann, g).Blocks().Len(); n != 1 {
		t.Errorf("%d blocks", n)
	}
}

// TestEntrance: Ben's laptop is off for good. His new device adds itself with what
// Ann gives it, everybody follows, and Cleo, who was off, too.
func TestEntrance(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	must(t, ben.Say(g, "one"))
	w.Run(5000)
	phone := ben.Link("Ben's phone")
	ben.Stop()
	cleo.Stop()
	must(t, phone.Enter(g, ann))
	w.Run(5000)
	must(t, phone.Say(g, "two"))
	w.Run(5000)
	must(t, ann.Say(g, "three"))
	w.Run(5000)
	sees(t, g, []string{"one", "two", "three"}, ann)
	sees(t, g, []string{"one", "two", "three"}, phone)
	phone.Stop()
	phone.Start()
	cleo.Start()
	ben.Start()
	w.Run(10_000)
	must(t, cleo.Say(g, "four"))
	w.Run(5000)
	sees(t, g, []string{"one", "two", "three", "four"}, ann, ben, cleo, phone)
	if got := machine(phone, g).View(); got.Title != "Trip" || len(got.Members) != 3 || got.Members[0].Name == "" {
		t.Errorf("the phone sees %+v", got)
	}
}

// TestEntranceRefused: who asks for an entrance, or makes one up, in vain.
func TestEntranceRefused(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben")
	ann, ben := nodes[0], nodes[1]
	eve := w.Add("Eve")
	phone := ben.Link("Ben's phone")
	m := machine(ann, g)
	_, err := m.Entrance(eve.Self.Member(), eve.Self.Headers)
	refusedFor(t, "a stranger", err, group.ReasonNoMember)
	_, err = m.Entrance(ben.Self.Member(), ben.Self.Headers)
	refusedFor(t, "a device that is in", err, group.ReasonMember)
	_, err = m.Entrance(phone.Self.Member(), phone.Self.Headers[:1])
	refusedFor(t, "a chain without the device", err, group.ReasonRule)
	_, err = m.Entrance(wire.Member{Person: ben.Self.Person, Device: eve.Self.Device.ID()}, phone.Self.Headers)
	refusedFor(t, "another's device", err, group.ReasonRule)

	good, err := m.Entrance(phone.Self.Member(), phone.Self.Headers)
	must(t, err)
	try := func(what string, self group.Self, payload []byte, from wire.Member) {
		t.Helper()
		_, _, err := group.JoinExternal(self, payload, from, w.Now)
		refusedFor(t, what, err, group.ReasonInvite)
	}
	try("from a stranger", phone.Self, good, eve.Self.Member())
	try("for a stranger", eve.Self, good, ann.Self.Member())
	try("for who is in", ben.Self, good, ann.Self.Member())
	short := phone.Self
	short.Headers = short.Headers[:1]
	try("with a chain without it", short, good, ann.Self.Member())
	for at := 0; at < len(good); at += 1 + len(good)/97 {
		bad := append([]byte(nil), good...)
		bad[at] ^= 0x40
		if _, _, err := group.JoinExternal(phone.Self, bad, ann.Self.Member(), w.Now); err == nil {
			// Reaches and names beside the chain prove themselves and may be left out.
			t.Logf("byte %d of %d may be another", at, len(good))
		}
		try("cut short", phone.Self, good[:at], ann.Self.Member())
	}
	old := good
	must(t, ann.Do(g, group.SetTitle{Title: "Journey"}))
	w.Run(5000)
	must(t, phone.Enter(g, ann))
	w.Run(5000)

	// With the old one it makes a block on a head that is none any more: it loses,
	// or wins by fork choice; either way the group goes on as one.
	other := ben.Link("Ben's tablet")
	r, eff, err := group.JoinExternal(other.Self, old, ann.Self.Member(), w.Now)
	if err == nil && (r == nil || len(eff.Send) != 1) {
		t.Errorf("%d frames", len(eff.Send))
	}
	must(t, phone.Say(g, "one"))
	w.Run(5000)
	alike(t, g, ann, ben)
	sees(t, g, []string{"one"}, ann, ben, phone)
}

// TestRevokedDevice: Ben's phone is stolen. He revokes it in his chain, Ann takes
// it out, and it comes back in no way.
func TestRevokedDevice(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	phone := ben.Link("Ben's phone")
	must(t, ben.Do(g, phone.Device()))
	w.Run(5000)
	must(t, phone.Say(g, "one"))
	w.Run(5000)
	stolen := phone.Self.Headers
	refusedFor(t, "without proof", cleo.Do(g, group.RemoveDevice{Device: phone.Self.Device.ID(), Headers: stolen}), group.ReasonRule)
	ben.Revoke(phone)
	refusedFor(t, "itself", phone.Do(g, group.RemoveDevice{Device: phone.Self.Device.ID(), Headers: ben.Self.Headers}), group.ReasonSelf)
	must(t, cleo.Do(g, group.RemoveDevice{Device: phone.Self.Device.ID(), Headers: ben.Self.Headers}))
	w.Run(5000)
	must(t, ann.Say(g, "two"))
	w.Run(5000)
	sees(t, g, []string{"one", "two"}, ann, ben, cleo)
	sees(t, g, []string{"one"}, phone)
	if v := machine(phone, g).View(); v.Status != group.StatusRemoved || v.RemovedBy != cleo.Self.Person {
		t.Errorf("the phone: %+v", v)
	}
	if v := machine(ben, g).View(); v.Status != group.StatusActive || devices(ann, ben, g) != 1 {
		t.Errorf("Ben: %+v", v)
	}
	former := 0
	for _, d := range machine(ann, g).Devices() {
		if d.Former && d.Member == phone.Self.Member() && d.Until > w.Now {
			former++
		}
	}
	if former != 1 {
		t.Error("Ann does not know that the phone may hear of its removal")
	}

	// It tries again with the chain from before it was revoked.
	phone.Self.Headers = stolen
	refusedFor(t, "added again", cleo.Do(g, phone.Device()), group.ReasonRule)
	if err := phone.Enter(g, ann); err == nil {
		t.Error("the phone comes in by itself")
	}
	if err := phone.Do(g, group.Rejoin{}); err == nil {
		t.Error("the phone comes back")
	}
	w.Run(60_000)
	if devices(ann, ben, g) != 1 {
		t.Error("the phone is back")
	}
}

// TestParkRules: who may park whom.
func TestParkRules(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	eve := w.Add("Eve")
	refusedFor(t, "by no admin", ben.Do(g, group.Park{Device: cleo.Self.Device.ID()}), group.ReasonRole)
	refusedFor(t, "oneself", ann.Do(g, group.Park{Device: ann.Self.Device.ID()}), group.ReasonSelf)
	refusedFor(t, "a stranger", ann.Do(g, group.Park{Device: eve.Self.Device.ID()}), group.ReasonNoMember)
	cleo.Stop()
	must(t, ann.Do(g, group.Park{Device: cleo.Self.Device.ID()}))
	refusedFor(t, "twice", ann.Do(g, group.Park{Device: cleo.Self.Device.ID()}), group.ReasonNoMember)
	w.Run(5000)

	// Parked, Cleo is still a member: she is removed like one, and may leave.
	cleo.Start()
	w.Run(1000)
	must(t, cleo.Do(g, group.Leave{}))
	w.Run(10_000)
	if got := status(cleo, g); got != group.StatusLeft {
		t.Errorf("Cleo has status %d", got)
	}
	if got := machine(ann, g).Blocks().State(machine(ann, g).Head()); len(got.Members()) != 2 || got.Height() != 2 {
		t.Errorf("%d members at height %d", len(got.Members()), got.Height())
	}
	must(t, ann.Do(g, group.SetRole{Person: ben.Self.Person, Role: chain.RoleAdmin}))
	w.Run(5000)
	ben.Stop()
	must(t, ann.Do(g, group.Park{Device: ben.Self.Device.ID()}))
	must(t, ann.Do(g, group.Remove{Person: ben.Self.Person}))
	w.Run(1000)
	ben.Start()
	w.Run(5000)
	if got := status(ben, g); got != group.StatusRemoved {
		t.Errorf("Ben has status %d", got)
	}
}

// TestLeaveSignedByADeviceThatLost: Eve leaves on her phone, and the block that
// added the phone loses. Her laptop knows that she wants to go, and says so again.
func TestLeaveSignedByADeviceThatLost(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Eve")
	ann, ben, eve := nodes[0], nodes[1], nodes[2]
	phone := eve.Link("Eve's phone")
	part(w, eve, phone)
	must(t, ann.Do(g, group.SetTitle{Title: "Journey"})) // outweighs what Eve does
	must(t, eve.Do(g, phone.Device()))
	w.Run(5000)
	must(t, phone.Do(g, group.Leave{}))
	w.Run(5000)
	if got := status(eve, g); got != group.StatusLeaving {
		t.Fatalf("Eve's laptop has status %d", got)
	}
	w.HealAll()
	w.Run(20_000)
	if got := status(eve, g); got != group.StatusLeft {
		t.Errorf("Eve's laptop has status %d", got)
	}
	for _, n := range []*sim.Node{ann, ben} {
		if got := len(machine(n, g).View().Members); got != 2 {
			t.Errorf("%s counts %d members", n.Name, got)
		}
	}
}
