package node

import (
	"time"

	"kith/internal/dag"
	"kith/internal/group"
	"kith/internal/peer"
	"kith/internal/wire"
)

// In a large group entries go along a tree (package peer, docs/spec/broadcast.md). It
// decides to whom; here is what travels: an entry, named by its hash, as this
// device's machine would push it to whoever it goes to. What comes is passed on once the
// machine has stored it. Whom this node dials the tree does not change: the ordinary
// sync wants a session with everybody, and brings what the tree does not.

// maxCast bounds the entries that are known by their hash, 90 bytes each: as many as the
// tree remembers.
const maxCast = 4096

// A cast is the tree of one group. The owner's goroutine alone touches it.
type cast struct {
	o    *owner
	tree *peer.Tree
	head wire.BlockHash // at which the members were told last
	said bool           // there were some

	refs  map[peer.PayloadID]dag.Ref
	order []peer.PayloadID // of refs, a ring
	next  int

	taking  peer.PayloadID // what the machine is being given
	verdict peer.Verdict   // on that
}

// castMembers tells the tree who takes part, where that is not what it was. It begins
// one when it is first needed.
func (o *owner) castMembers() {
	devices, head := o.machine.Spreaders(), o.machine.Head()
	if o.cast == nil && len(devices) == 0 {
		return
	}
	if o.cast != nil && o.cast.head == head && o.cast.said == (len(devices) > 0) {
		return
	}
	fresh := o.cast == nil
	if fresh {
		o.cast = &cast{o: o, tree: peer.NewTree(o.machine.Device(), [32]byte(wire.Random(32))), refs: make(map[peer.PayloadID]dag.Ref)}
	}
	o.cast.head, o.cast.said = head, len(devices) > 0
	o.castStep(peer.Members{Devices: devices})
	if fresh {
		for _, s := range o.n.liveSessions() {
			o.castStep(peer.PeerUp{Device: s.Remote().Device})
		}
	}
}

// castStep steps the tree, if there is one.
func (o *owner) castStep(c peer.Cause) {
	if o.cast == nil {
		return
	}
	now := o.n.steadyMS()
	eff := o.cast.tree.Step(peer.Input{Now: now, Cause: c})
	o.castWake.Stop()
	if eff.Wake != 0 {
		o.castWake.Reset(time.Duration(max(eff.Wake, now+1)-now) * time.Millisecond)
	}
	for _, f := range eff.Send {
		o.castSend(f)
	}
	for _, d := range eff.Deliver { // each steps the tree again
		o.castTake(d)
	}
}

// castHeard steps the tree with what a peer sent; see received.
func (o *owner) castHeard(s *peer.Session, frame []byte) {
	defer func() {
		if p := recover(); p != nil {
			o.n.broken(s, o.id, p)
			o.cast = nil // the next step begins another
		}
	}()
	o.castStep(peer.Heard{From: s.Remote().Device, Frame: frame})
}

func (o *owner) castSend(f peer.Frame) {
	b := f.Bytes
	if f.Payload != nil {
		ref, known := o.cast.refs[*f.Payload]
		if !known {
			return
		}
		pushed, err := o.machine.Pushed(f.To, ref, func(k group.Kind, key []byte) ([]byte, error) {
			value, _, err := o.n.db.Get(o.id, k, key)
			return value, err
		})
		if err != nil {
			o.n.log.Error("cannot read", "group", shortGroup(o.id), "err", err)
		}
		if len(pushed) == 0 {
			return
		}
		b = append(b, pushed...)
	}
	o.n.send(f.To, o.id, group.TreeFrame(b))
}

// castTake gives the machine an entry that came along the tree, and tells the tree what
// became of it.
func (o *owner) castTake(d peer.Delivery) {
	v := peer.VerdictFalse
	s := o.n.sessionWith(d.From)
	switch id, ok := group.PushedID(d.Payload); {
	case s == nil:
		v = peer.VerdictLater
	case !ok || peer.PayloadID(id) != d.ID:
		s.Punish("tree", misbehaviourWeight)
	default:
		c := o.cast
		c.taking, c.verdict = d.ID, peer.VerdictLater
		o.received(s, group.Received{From: s.Remote(), Payload: d.Payload, Secrets: o.n.ownSecrets})
		v, c.taking = c.verdict, peer.PayloadID{}
		if v == peer.VerdictLater && o.machine.LacksText(d.Payload) {
			v = peer.VerdictBare
		}
	}
	o.castStep(peer.Checked{ID: d.ID, Verdict: v})
}

// castKept tells the tree of entries that are durable now, and of faults in the one that
// it brought.
func (o *owner) castKept(eff group.Effects) {
	if o.cast == nil {
		return
	}
	c := o.cast
	for _, e := range eff.Notify {
		if _, bad := e.(group.Misbehaved); bad && c.taking != (peer.PayloadID{}) {
			c.verdict = peer.VerdictFalse
		}
	}
	for _, k := range eff.Kept {
		id := peer.PayloadID(k.ID)
		c.remember(id, k.Ref)
		switch {
		case id == c.taking:
			c.verdict = peer.VerdictHeld
		case k.Own:
			o.castStep(peer.Publish{ID: id, Size: k.Size})
		default:
			o.castStep(peer.Came{ID: id, Size: k.Size})
		}
	}
}

func (c *cast) remember(id peer.PayloadID, ref dag.Ref) {
	if _, known := c.refs[id]; !known {
		if len(c.order) < maxCast {
			c.order = append(c.order, id)
		} else {
			delete(c.refs, c.order[c.next])
			c.order[c.next] = id
			c.next = (c.next + 1) % maxCast
		}
	}
	c.refs[id] = ref
}
