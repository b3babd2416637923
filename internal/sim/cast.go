package sim

import (
	"crypto/sha256"
	"slices"

	"kith/internal/dag"
	"kith/internal/group"
	"kith/internal/peer"
	"kith/internal/wire"
)

// A cast is the broadcast tree of one group at a node, in a world that has trees: what
// package node has in broadcast.go, without its goroutines and bounds.
type cast struct {
	n    *Node
	g    wire.GroupID
	tree *peer.Tree
	head wire.BlockHash // at which the members were told last
	wake int            // serial of the newest wake

	refs    map[peer.PayloadID]dag.Ref
	taking  peer.PayloadID // what the machine is being given
	verdict peer.Verdict   // on that
}

// castOf is the tree of a group, told of its members; nil: the group has none.
func (n *Node) castOf(g wire.GroupID) *cast {
	r := n.Groups[g]
	devices, head := r.Machine.Spreaders(), r.Machine.Head()
	if r.cast == nil && len(devices) == 0 {
		return nil
	}
	if r.cast != nil && r.cast.head == head {
		return r.cast
	}
	fresh := r.cast == nil
	if fresh {
		own := n.Self.Device.ID()
		r.cast = &cast{n: n, g: g, tree: peer.NewTree(own, sha256.Sum256(own[:])), refs: make(map[peer.PayloadID]dag.Ref)}
	}
	r.cast.head = head
	r.cast.step(peer.Members{Devices: devices})
	for _, o := range n.World.Nodes {
		if fresh && n.World.Linked(n, o) {
			r.cast.step(peer.PeerUp{Device: o.member().Device})
		}
	}
	return r.cast
}

func (c *cast) step(cause peer.Cause) {
	if c == nil || !c.n.Online {
		return
	}
	eff := c.tree.Step(peer.Input{Now: c.n.now(), Cause: cause})
	if eff.Wake != 0 {
		c.wake++
		wake, life := c.wake, c.n.life
		c.n.World.after(max(eff.Wake, c.n.now()+1)-c.n.now(), func() {
			if c.n.life == life && c.wake == wake {
				c.step(peer.Tick{})
			}
		})
	}
	for _, f := range eff.Send {
		c.send(f)
	}
	for _, d := range eff.Deliver { // each steps the tree again
		c.take(d)
	}
}

func (c *cast) send(f peer.Frame) {
	b := slices.Clone(f.Bytes)
	if f.Payload != nil {
		ref, known := c.refs[*f.Payload]
		if !known {
			return
		}
		r := c.n.Groups[c.g]
		pushed, err := r.Machine.Pushed(f.To, ref, func(k group.Kind, key []byte) ([]byte, error) { return r.Records[k][string(key)], nil })
		if err != nil {
			panic(err)
		}
		if len(pushed) == 0 {
			return
		}
		b = append(b, pushed...)
	}
	c.n.send(c.g, f.To, group.TreeFrame(b))
}

// take gives the machine an entry that came along the tree, and tells the tree what became
// of it.
func (c *cast) take(d peer.Delivery) {
	v := peer.VerdictFalse
	if id, ok := group.PushedID(d.Payload); ok && peer.PayloadID(id) == d.ID {
		c.taking, c.verdict = d.ID, peer.VerdictLater
		if from := c.n.World.byDevice(d.From); from != nil {
			c.n.step(c.g, group.Received{From: from.member(), Payload: d.Payload, Secrets: c.n.secrets})
		}
		v, c.taking = c.verdict, peer.PayloadID{}
	}
	c.step(peer.Checked{ID: d.ID, Verdict: v})
}

// kept tells the tree of entries that are durable now, and of a fault in the one that it
// brought.
func (c *cast) kept(eff group.Effects) {
	if c == nil {
		return
	}
	for _, e := range eff.Notify {
		if _, bad := e.(group.Misbehaved); bad && c.taking != (peer.PayloadID{}) {
			c.verdict = peer.VerdictFalse
		}
	}
	for _, k := range eff.Kept {
		id := peer.PayloadID(k.ID)
		c.refs[id] = k.Ref
		switch {
		case id == c.taking:
			c.verdict = peer.VerdictHeld
		case k.Own:
			c.step(peer.Publish{ID: id, Size: k.Size})
		default:
			c.step(peer.Came{ID: id, Size: k.Size})
		}
	}
}
