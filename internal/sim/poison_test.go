package sim_test

import (
	"fmt"
	"slices"
	"testing"

	"kith/internal/chain"
	"kith/internal/group"
	"kith/internal/mls"
	"kith/internal/sim"
	"kith/internal/wire"
)

// Property I19: no member, whatever it signs, leaves the group unable to go on.

// poison is a Rekey of n's whose header names another external_pub than the
// commit leads to: nobody who checks it follows.
func poison(t *testing.T, n *sim.Node, g wire.GroupID) []byte {
	return crafted{n, &chain.Rekey{}, nil, func(core []byte) (*mls.StagedCommit, error) {
		return epochOf(t, n, g).Commit(mls.CommitParams{AuthenticatedData: core, Signer: n.Self.Device})
	}, func(_ *chain.Header, external *wire.Digest) { external[0] ^= 1 }}.payload(t, n, g)
}

// goesOn fails unless all have keys at one head, and read what each of them says.
func goesOn(t *testing.T, w *sim.World, g wire.GroupID, nodes ...*sim.Node) {
	t.Helper()
	for i, n := range nodes {
		if v := machine(n, g).View(); v.NoKeys || v.Status != group.StatusActive {
			t.Fatalf("%s: status %d, no keys: %v\n%v", n.Name, v.Status, v.NoKeys, n.Groups[g].Events)
		}
		text := fmt.Sprint(n.Name, " goes on ", i)
		must(t, n.Say(g, text))
		w.Run(5000)
		for _, o := range nodes {
			if !slices.Contains(o.Texts(g), text) {
				t.Fatalf("%s does not see %q, but %q", o.Name, text, o.Texts(g))
			}
		}
	}
	alike(t, g, nodes...)
}

// member reports whether who is one at n's head.
func isMember(n, who *sim.Node, g wire.GroupID) bool {
	b := machine(n, g).Blocks()
	return b.State(b.Head()).Belongs(who.Self.Device.ID())
}

// TestPoisonByMember: Eve, no admin, shuts everybody out. The admin's device
// removes her by a sibling of her block, by itself.
func TestPoisonByMember(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo", "Eve")
	ann, ben, cleo, eve := nodes[0], nodes[1], nodes[2], nodes[3]
	must(t, ben.Say(g, "before"))
	w.Run(3000)
	w.Deliver(eve, ben, g, poison(t, eve, g))
	if v := machine(ben, g).View(); !v.NoKeys {
		t.Fatal("Ben follows the block, so the test shows nothing")
	}
	w.Run(30_000)
	if isMember(ann, eve, g) {
		t.Error("Eve is still a member")
	}
	goesOn(t, w, g, ann, ben, cleo)
	if got := status(eve, g); got != group.StatusRemoved {
		t.Errorf("Eve has status %d", got)
	}
	if got := count[group.Nacked](ann, g); got != 2 {
		t.Errorf("Ann hears of %d others who could not follow, want 2", got)
	}
}

// TestPoisonBySeniorAdmin: Eve made the group; the admin after her outvotes her.
func TestPoisonBySeniorAdmin(t *testing.T) {
	w, nodes, g := trip(t, "Eve", "Ann", "Ben", "Cleo")
	eve, ann, ben, cleo := nodes[0], nodes[1], nodes[2], nodes[3]
	promote(t, w, g, eve, ann, ben)
	w.Deliver(eve, cleo, g, poison(t, eve, g))
	w.Run(30_000)
	if isMember(cleo, eve, g) {
		t.Error("Eve is still a member")
	}
	goesOn(t, w, g, ann, ben, cleo)
}

// TestPoisonByOnlyAdmin: nobody may remove Eve. More than half could not follow,
// so one of them restarts the keys; who has published no key package, and Eve,
// come back by themselves.
func TestPoisonByOnlyAdmin(t *testing.T) {
	for _, published := range []bool{true, false} {
		t.Run(fmt.Sprint("published ", published), func(t *testing.T) {
			w, nodes, g := trip(t, "Eve", "Ann", "Ben", "Cleo")
			eve, ann, ben, cleo := nodes[0], nodes[1], nodes[2], nodes[3]
			if published {
				for _, n := range nodes {
					n.Publish()
				}
				w.Run(3000)
			}
			must(t, ben.Say(g, "before"))
			w.Run(3000)
			w.Deliver(eve, ann, g, poison(t, eve, g))
			eve.Stop() // and gives no keys
			w.Run(120_000)
			b := machine(ann, g).Blocks()
			if b.State(b.Head()).Start() == 0 {
				t.Fatal("nobody has restarted the keys")
			}
			goesOn(t, w, g, ann, ben, cleo)
			eve.Start()
			w.Run(120_000)
			goesOn(t, w, g, ann, ben, cleo)
			if got := len(machine(ann, g).View().Members); got != 4 {
				t.Errorf("the group has %d members", got)
			}
		})
	}
}

// TestPoisonWhileAway: the admin is off, and half of the devices are: the others
// wait, and all is well when the admin comes back.
func TestPoisonWhileAway(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo", "Eve")
	ann, ben, cleo, eve := nodes[0], nodes[1], nodes[2], nodes[3]
	ann.Stop()
	cleo.Stop()
	w.Deliver(eve, ben, g, poison(t, eve, g))
	w.Run(600_000)
	if b := machine(ben, g).Blocks(); b.State(b.Head()).Start() != 0 {
		t.Error("one of four restarted the keys")
	}
	eve.Stop()
	ben.Stop()
	ben.Start() // what it signed is stored
	cleo.Start()
	ann.Start()
	w.Run(60_000)
	if isMember(ann, eve, g) {
		t.Error("Eve is still a member")
	}
	goesOn(t, w, g, ann, ben, cleo)
}

// faults is the frame of one Nack.
func faults(n *chain.Nack) []byte {
	var b wire.Writer
	b.U8(12)
	b.Group(func(b *wire.Writer) { b.Vec(n.Marshal()) })
	b.Group(func(*wire.Writer) {})
	return b.Bytes()
}

// TestNacksOfOnePerson: Eve's sixteen devices are more than half, and all of them
// say that they could not follow. One person alone restarts nothing.
func TestNacksOfOnePerson(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo", "Dan", "Eve")
	ann, eve := nodes[0], nodes[4]
	hers := []*sim.Node{eve}
	for i := range 15 {
		phone := eve.Link(fmt.Sprint("Eve's phone ", i))
		must(t, eve.Do(g, phone.Device()))
		hers = append(hers, phone)
	}
	w.Run(60_000)
	must(t, ann.Do(g, group.SetTitle{Title: "Journey"}))
	w.Run(5000)
	at := machine(ann, g).Blocks().Head()
	for _, n := range hers {
		n.Stop()
	}
	for _, n := range hers {
		nack := chain.SignNack(n.Self.Device.Sign, g, n.Self.Device.ID(), at, chain.NackPath)
		w.Deliver(nodes[1], ann, g, faults(nack))
	}
	if got := count[group.Nacked](ann, g); got != 16 {
		t.Fatalf("Ann takes %d Nacks", got)
	}
	w.Run(120_000)
	if s := headState(ann, g); s.Start() != 0 {
		t.Errorf("the keys were restarted at height %d", s.Start())
	}
	goesOn(t, w, g, nodes[:4]...)
}
