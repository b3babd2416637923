package node

import (
	"bytes"
	"io"
	"slices"
	"strings"

	"kith/internal/bundle"
	"kith/internal/group"
	"kith/internal/wire"
)

// bundleEntries bounds the entries of one export of a group: so many are in memory at once.
const bundleEntries = 1000

// A BundleGroup is what a bundle has of one group, or has brought to it.
type BundleGroup struct {
	Group      wire.GroupID
	Title      string
	Entries    int
	Blocks     int
	Invitation bool // to the group
}

// ExportBundle writes what is new for the members of a group as a file that their devices
// open, and says what is in it. With nothing new it writes nothing, and returns nothing.
func (n *Node) ExportBundle(to io.Writer, g wire.GroupID, all bool) ([]BundleGroup, error) {
	o, err := n.in(g)
	if err != nil {
		return nil, err
	}
	self := n.me().Device.ID()
	b := bundling{n: n, to: to, all: all}
	for _, d := range o.picture.Load().devices {
		if !d.Former && d.Member.Device != self {
			b.forKey(d.KnockKey)
		}
	}
	if err := b.add(o, wire.DeviceID{}); err != nil {
		return nil, err
	}
	return b.close()
}

// ExportBundleFor writes what is new for one person, as ExportBundle does: of the direct chat
// with them first, and of all others that they belong to, or are invited to.
func (n *Node) ExportBundleFor(to io.Writer, p wire.PersonID, all bool) ([]BundleGroup, error) {
	if !n.Ready() {
		return nil, fail(ReasonNoIdentity, "")
	}
	owners := n.allOwners()
	slices.SortFunc(owners, func(a, b *owner) int {
		v, w := a.picture.Load().view, b.picture.Load().view
		if v.Direct != w.Direct {
			if v.Direct {
				return -1
			}
			return 1
		}
		if c := strings.Compare(v.Title, w.Title); c != 0 {
			return c
		}
		return bytes.Compare(a.id[:], b.id[:])
	})
	type part struct {
		o      *owner
		device wire.DeviceID
	}
	var parts []part
	b := bundling{n: n, to: to, all: all}
	for _, o := range owners {
		for _, d := range o.picture.Load().devices {
			if d.Member.Person == p && !d.Former {
				b.forKey(d.KnockKey)
				parts = append(parts, part{o, d.Member.Device})
			}
		}
	}
	n.mu.Lock()
	f := n.friends[p]
	n.mu.Unlock()
	if f != nil {
		for _, d := range f.Devices {
			b.forKey(d.Knock)
		}
	}
	for _, part := range parts {
		if err := b.add(part.o, part.device); err != nil {
			return nil, err
		}
	}
	return b.close()
}

// DirectWith returns with whom a chat is, if it is a direct one.
func (n *Node) DirectWith(g wire.GroupID) (wire.PersonID, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.directWith(g)
}

// directWith is DirectWith; the caller holds mu.
func (n *Node) directWith(g wire.GroupID) (wire.PersonID, bool) {
	for p, f := range n.friends {
		if f.Chat == g && g != (wire.GroupID{}) {
			return p, true
		}
	}
	return wire.PersonID{}, false
}

// bundling is a bundle that is being made. Nothing is written before there is something to say.
type bundling struct {
	n    *Node
	to   io.Writer
	all  bool
	keys [][]byte
	w    *bundle.Writer
	sums []BundleGroup
}

// forKey has the bundle opened by the bearer of a knock key.
func (b *bundling) forKey(key []byte) {
	if len(key) > 0 && !slices.ContainsFunc(b.keys, func(k []byte) bool { return bytes.Equal(k, key) }) {
		b.keys = append(b.keys, key)
	}
}

// add puts in what is new in a group for a device; zero: for all members.
func (b *bundling) add(o *owner, device wire.DeviceID) error {
	if len(b.keys) == 0 {
		return nil
	}
	sum := BundleGroup{Group: o.id, Title: o.picture.Load().view.Title}
	next := group.ExportTo{Device: device, All: b.all}
	for first := true; ; first = false {
		var x group.Exported
		var served [][]byte
		err := o.ask(func() (err error) {
			if first { // nobody asks later for what is confirmed now
				if err := o.step(group.Confirm{}); err != nil {
					return err
				}
			}
			x = o.machine.Export(next, bundleEntries)
			if len(x.Serve.Refs) > 0 {
				served, err = o.answer(x.Serve)
			}
			return err
		})
		if err != nil {
			return err
		}
		if first {
			if x.Empty() {
				return nil
			}
			if err := b.begin(o.id); err != nil {
				return err
			}
		}
		for _, p := range slices.Concat(x.Payloads, served, x.Last) {
			if err := b.w.Payload(p); err != nil {
				return err
			}
		}
		sum.Entries, sum.Blocks, sum.Invitation = sum.Entries+x.Entries, sum.Blocks+x.Blocks, sum.Invitation || x.Invitation
		if !x.More {
			b.sums = append(b.sums, sum)
			return nil
		}
		next.Since, next.All = x.Mark, false
	}
}

// begin begins the part of a group.
func (b *bundling) begin(g wire.GroupID) (err error) {
	if b.w == nil {
		self := b.n.me()
		h := bundle.Header{From: wire.Member{Person: self.Person, Device: self.Device.ID()}, Time: b.n.nowMS()}
		if b.w, err = bundle.NewWriter(b.to, self.Device, h, b.keys); err != nil {
			return err
		}
	}
	return b.w.Group(g)
}

func (b *bundling) close() ([]BundleGroup, error) {
	if b.w == nil {
		return nil, nil
	}
	return b.sums, b.w.Close()
}
