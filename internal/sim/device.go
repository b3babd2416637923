package sim

import (
	"fmt"

	"kith/internal/chain"
	"kith/internal/group"
	"kith/internal/identity"
	"kith/internal/mls"
	"kith/internal/wire"
)

// What a person does with several devices, and a device that lost its keys.

// Link makes one more device of n's person, which n's device adds to the
// person's chain. It is in no group yet.
func (n *Node) Link(name string) *Node {
	self := group.Self{Device: identity.NewDevice(), Person: n.Self.Person, Info: n.Self.Info}
	p, err := group.Self{Device: self.Device}.NewPackage(group.NewSuite, n.now()) // as the person's own chain names it
	if err != nil {
		panic(err)
	}
	knock := self.Device.KnockKey()
	n.signPerson(&chain.AddDevice{
		Device: chain.DeviceEntry{
			Key: [32]byte(self.Device.PublicKey()), KnockHash: chain.KnockHash(knock), KeyPackageRef: wire.Digest(p.Ref),
		},
		Cites: []wire.Digest{chain.Cite(knock)},
	})
	self.Headers = n.Self.Headers
	n.World.tracef("%s gets the device %s", n.Name, name)
	o := n.World.enter(name, self)
	o.linkedBy, o.Clock = n, n.Clock
	return o
}

// Revoke lets n's device revoke another device of its person in the person's
// chain. The groups do not know yet.
func (n *Node) Revoke(o *Node) {
	n.World.tracef("%s revokes %s", n.Name, o.Name)
	n.signPerson(&chain.RemoveDevice{Device: o.Self.Device.ID()})
}

// signPerson appends a block to the chain of n's person, of which all its devices
// hold the headers.
func (n *Node) signPerson(op chain.Op) {
	var headers []*chain.Header
	for _, b := range n.Self.Headers {
		h, err := chain.ParseHeader(b)
		if err != nil {
			panic(err)
		}
		headers = append(headers, h)
	}
	state, err := chain.VerifyProof(headers)
	if err != nil {
		panic(err)
	}
	h, _, err := chain.Draft(state, chain.DraftParams{
		Suite: state.Suite(), Parent: headers[len(headers)-1].Hash(), Group: wire.GroupID(n.Self.Person),
		Author: wire.Member{Device: n.Self.Device.ID()}, AuthorSeq: state.LastSeq(n.Self.Device.ID()) + 1,
		Ops: []chain.Op{op}, CreatedAt: n.now(),
	})
	if err != nil {
		panic(fmt.Sprintf("%s cannot change its person: %v", n.Name, err))
	}
	h.Seal(wire.Digest{}, wire.Digest{}, wire.Digest{}, wire.Digest{}, n.Self.Device.Sign)
	for _, o := range n.World.Nodes {
		if o.Self.Person == n.Self.Person {
			o.Self.Headers = append(o.Self.Headers[:len(o.Self.Headers):len(o.Self.Headers)], h.Bytes())
		}
	}
}

// Publish makes n's last-resort key packages, names them in the chain of its
// person, and tells its groups.
func (n *Node) Publish() {
	for _, suite := range group.Suites() {
		kp := n.LastResort(suite).KeyPackage
		n.signPerson(&chain.Package{
			Suite: uint16(suite), KeyPackageRef: n.resort[suite].Ref, Cites: []wire.Digest{chain.Cite(kp)},
		})
	}
	for _, g := range n.groups() {
		n.Describe(g)
	}
}

// Describe tells a group of n what n has published.
func (n *Node) Describe(g wire.GroupID) {
	c := group.SetPerson{Headers: n.Self.Headers}
	for _, suite := range group.Suites() {
		if p, ok := n.resort[suite]; ok {
			c.Packages = append(c.Packages, p.Public)
		}
	}
	if err := n.step(g, c); err != nil && err != errCrash {
		panic(fmt.Sprintf("%s cannot describe itself: %v", n.Name, err))
	}
}

// Device is what a member needs to add n's device to a group, with a fresh key
// package.
func (n *Node) Device() group.AddDevice { return n.DeviceFor(group.NewSuite) }

// DeviceFor is Device for a group of another suite.
func (n *Node) DeviceFor(suite mls.Suite) group.AddDevice {
	c := n.NewcomerFor(suite)
	return group.AddDevice{Person: c.Person, Headers: c.Headers, KnockKey: c.KnockKey, KeyPackage: c.KeyPackage}
}

// Enter lets n's device add itself to a group, by an entrance that from gives.
func (n *Node) Enter(g wire.GroupID, from *Node) error {
	payload, err := from.Groups[g].Machine.Entrance(n.Self.Member(), n.Self.Headers)
	if err != nil {
		return err
	}
	m, eff, err := group.JoinExternal(n.Self, payload, from.Self.Member(), n.now())
	if err != nil {
		return err
	}
	n.World.tracef("%s comes in by %s", n.Name, from.Name)
	r := newReplica()
	r.use(m)
	if n.apply(g, r, eff) == nil {
		n.meet(g)
	}
	return nil
}

// Lose deletes every key that n has of a group, and starts it again.
func (n *Node) Lose(g wire.GroupID) {
	n.World.tracef("%s loses its keys", n.Name)
	n.World.came["lost its keys"]++
	n.Stop()
	delete(n.Groups[g].Records, group.KindEpoch)
	delete(n.Groups[g].Records, group.KindRatchet)
	n.lost = true
	n.Start()
}
