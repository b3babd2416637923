package node

import (
	"context"
	"errors"
	"slices"
	"time"

	"kith/internal/group"
	"kith/internal/identity"
	"kith/internal/peer"
	"kith/internal/store"
	"kith/internal/wire"
)

// settleIn does in every group what is left to do for a new key, or after one was
// revoked.
func (n *Node) settleIn(context.Context) {
	for _, o := range n.allOwners() {
		n.tellReach(o)
		n.describe(o)
		n.takeOutRevoked(o)
	}
}

// takeOutRevoked takes the devices out of a group that the own person has revoked.
func (n *Node) takeOutRevoked(o *owner) {
	self := n.me()
	state, _, err := group.PersonState(self.Headers)
	if err != nil {
		return
	}
	for _, m := range o.picture.Load().view.Members {
		if m.Person != self.Person {
			continue
		}
		for _, d := range m.Devices {
			if _, _, known := state.Device(d); known && !state.Active(d) && d != self.Device.ID() {
				if err := o.do(group.RemoveDevice{Device: d, Headers: self.Headers}); err != nil {
					n.log.Info("a revoked key is not taken out yet", "group", shortGroup(o.id), "err", err)
				}
			}
		}
	}
}

// moveOn ends the sessions of a former key with devices that know the new one by now.
func (n *Node) moveOn(ctx context.Context) {
	t := time.NewTimer(moveAfter)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
		return
	}
	for _, s := range n.liveSessions() {
		if s.As() != n.me().Device.ID() && n.knowsNew(s.Remote()) {
			n.meetAnew(s)
			s.Close(errMovedOn)
		}
	}
	n.kickDialer()
}

var errMovedOn = errors.New("node: the sessions are of another key from here on")

// knowsNew reports whether all groups shared with a device have the new key.
func (n *Node) knowsNew(who wire.Member) (knows bool) {
	for _, o := range n.allOwners() {
		p := o.picture.Load()
		if outside(p.view.Status) || !slices.ContainsFunc(p.devices, isActive(who)) {
			continue
		}
		if !p.view.Inside {
			return false
		}
		knows = true
	}
	return knows
}

// outsideWith reports whether a group shared with a device has no block with the new
// key: there only a former one is answered, so sessions are to be of that, also if
// the device met the new one elsewhere, or before its block lost. n.mu is held.
func (n *Node) outsideWith(d wire.DeviceID) bool {
	if len(n.self.Former) == 0 {
		return false
	}
	for _, o := range n.owners {
		p := o.picture.Load()
		if p.view.Status == group.StatusActive && !p.view.Inside && slices.ContainsFunc(p.devices, func(v group.DeviceView) bool { return v.Member.Device == d && !v.Former }) {
			return true
		}
	}
	return false
}

func (n *Node) isOutsideWith(d wire.DeviceID) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.outsideWith(d)
}

// meetAnew takes note that a device knows the new key.
func (n *Node) meetAnew(s *peer.Session) {
	d := s.Remote().Device
	n.mu.Lock()
	known := n.met[d] || len(n.self.Former) == 0
	n.met[d] = true
	if t := n.targets[d]; t != nil && !known { // else whoever always hangs up would be dialled without a pause
		t.hurry()
	}
	n.mu.Unlock()
	if known {
		return
	}
	if err := n.db.Update(func(tx *store.Tx) error { return tx.Put(bucketMet, d[:], []byte{1}) }); err != nil {
		n.log.Error("cannot write", "err", err)
	}
}

// hasMet reports whether a device, and every group shared with it, knows the key
// there is now.
func (n *Node) hasMet(d wire.DeviceID) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.met[d] && !n.outsideWith(d)
}

// knockAs returns with which key a device is dialled: the new one if it and the groups know that,
// else the newest before; every fourth time the other way, since it may have
// learned of the new one elsewhere, or lost what it knew. n.mu is held.
func (n *Node) knockAs(d wire.DeviceID, tries int) *identity.Device {
	if len(n.self.Former) == 0 || (n.met[d] && !n.outsideWith(d)) != (tries%4 == 0) {
		return n.self.Device
	}
	return n.self.Former[0]
}

// as is who this home is in a session: who meets it at an earlier device invites that
// one, which joins, and then adds the one there is now.
func (n *Node) as(s *peer.Session) group.Self {
	self := n.me()
	for _, d := range self.Former {
		if d.ID() == s.As() {
			return group.Self{Device: d, Person: self.Person, Headers: self.Headers, Info: self.Info, Omits: self.Omits}
		}
	}
	return self
}

// ownKey reports whether a device is this one, or was.
func (n *Node) ownKey(d wire.DeviceID) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.isOwnKey(d)
}

func isDevice(d wire.DeviceID) func(*identity.Device) bool {
	return func(f *identity.Device) bool { return f.ID() == d }
}
