package sim

import (
	"maps"
	"slices"

	"kith/internal/group"
	"kith/internal/identity"
	"kith/internal/mls"
	"kith/internal/wire"
)

// Copies of a home, and how they heal.

// Copy makes a second node of n's home, as from a backup of what is stored now. It
// is off.
func (n *Node) Copy(name string) *Node {
	o := &Node{
		Name: name, Self: n.Self, World: n.World, Clock: n.Clock, index: len(n.World.Nodes), linkedBy: n.linkedBy, recovery: n.recovery,
		Groups: make(map[wire.GroupID]*Replica), packages: maps.Clone(n.packages),
		used: make(map[[32]byte][]group.Use), resort: make(map[mls.Suite]group.Package), joining: make(map[wire.GroupID]*group.Joining),
	}
	maps.Copy(o.resort, n.resort)
	for ref, used := range n.used {
		o.used[ref] = slices.Clone(used)
	}
	for g, r := range n.Groups {
		o.Groups[g] = r.Copy()
	}
	n.World.Nodes = append(n.World.Nodes, o)
	n.World.tracef("%s is a copy of %s", name, n.Name)
	return o
}

// Renew gives n's home a new device key, as package node does: the old key signs
// that it is the person's, and nothing else any more. Until Moved its sessions are
// those of the old device, which others know.
func (n *Node) Renew() error {
	self := n.Self
	self.Device = identity.NewDevice()
	self.Former = append([]*identity.Device{n.Self.Device}, n.Self.Former...)
	var err error
	if self.Headers, err = group.AdmitDevice(n.Self.Headers, n.Self.Device, group.PublicSide(self.Device), n.now()); err != nil {
		return err
	}
	n.World.tracef("%s heals", n.Name)
	writes := make(map[wire.GroupID]group.Effects)
	for _, g := range n.groups() {
		if writes[g], err = group.Renew(self, n.Groups[g].source); err != nil {
			return err
		}
	}
	n.Stop()
	for g, eff := range writes {
		n.Groups[g].commit(eff, n.World.thrifty)
	}
	n.as, n.Self = n.Self.Device, self
	n.Start()
	return nil
}

// Moved ends the sessions of the old device: the new one is known.
func (n *Node) Moved() {
	n.Stop()
	n.as = nil
	n.Start()
}

// Merge ends the fork of the person's chain that n has made beside another copy.
func (n *Node) Merge(theirs [][]byte) error {
	headers, err := group.MergePerson(n.Self.Headers, theirs, n.recovery, n.Self.Device, n.now())
	if err != nil {
		return err
	}
	n.Self.Headers = headers
	for _, g := range n.groups() {
		n.Describe(g)
	}
	return nil
}

// member names the device that n's sessions are of.
func (n *Node) member() wire.Member {
	m := n.Self.Member()
	if n.as != nil {
		m.Device = n.as.ID()
	}
	return m
}
