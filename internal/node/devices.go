package node

import (
	"slices"
	"strings"

	"kith/internal/chain"
	"kith/internal/group"
	"kith/internal/store"
	"kith/internal/wire"
)

// The devices of the own person. One that the person linked is met like a friend's, and is
// brought into every group by whichever own device is in it (bringin.go). One of a copy of
// this home is not: see copy.go.

// An OwnDevice is a device of the own person.
type OwnDevice struct {
	ID        wire.DeviceID
	Name      string // empty: it was not told yet
	This      bool
	Copy      bool   // of a copy of this home
	Revoked   bool   // it takes no part any more
	Connected bool   // a session with it is up
	Since     uint64 // ms, when it was linked, by the clock of the device that did; 0: it is the first
	By        wire.DeviceID
}

// OwnDevices are all that the person's chain has ever admitted, in that order.
func (n *Node) OwnDevices() (list []OwnDevice, err error) {
	if !n.Ready() {
		return nil, fail(ReasonNoIdentity, "")
	}
	self := n.me()
	state, _, err := group.PersonState(self.Headers)
	if err != nil {
		return nil, err
	}
	owner, _, _ := state.Device(self.Device.ID())
	for _, d := range owner.Devices {
		own := OwnDevice{ID: d.ID, This: d.ID == self.Device.ID(), Revoked: !state.Active(d.ID)}
		if by, at, ok := admittedBy(self.Headers, d.ID); ok && by != d.ID {
			own.By, own.Since = by, at
		}
		own.Copy = !own.This && !own.Revoked && !n.isLinked(d.ID)
		own.Connected = n.sessionWith(d.ID) != nil
		own.Name = n.deviceName(d.ID)
		list = append(list, own)
	}
	return list, nil
}

// FindDevice finds an own device by its name, its id or the beginning of it.
func (n *Node) FindDevice(ref string) (wire.DeviceID, error) {
	list, err := n.OwnDevices()
	if err != nil {
		return wire.DeviceID{}, err
	}
	var found []wire.DeviceID
	for _, d := range list {
		if strings.EqualFold(d.Name, ref) || len(ref) >= refLeast && strings.HasPrefix(d.ID.String(), strings.ToLower(ref)) {
			found = append(found, d.ID)
		}
	}
	switch len(found) {
	case 0:
		return wire.DeviceID{}, fail(ReasonNoDevice, ref)
	case 1:
		return found[0], nil
	}
	return wire.DeviceID{}, fail(ReasonAmbiguous, ref)
}

// refLeast is how much of an id names a device.
const refLeast = 4

// deviceName is what the person calls a device.
func (n *Node) deviceName(d wire.DeviceID) string {
	var name string
	_ = n.db.View(func(tx *store.Tx) error {
		b, _, err := tx.Get(bucketDevice, d[:])
		name = string(b)
		return err
	})
	return name
}

// NameDevice gives an own device a name, which the other devices are told.
func (n *Node) NameDevice(d wire.DeviceID, name string) error {
	if !n.Ready() {
		return fail(ReasonNoIdentity, "")
	}
	if err := checkDeviceName(name); err != nil {
		return err
	}
	err := n.db.Update(func(tx *store.Tx) error {
		if err := tx.Put(bucketDevice, d[:], []byte(name)); err != nil {
			return err
		}
		return n.share(tx, sharedDevice, d[:])
	})
	if err != nil {
		return storeError(err)
	}
	n.shareSoon()
	n.hub.publish(StatusChanged{})
	return nil
}

// admittedBy returns which device signed the block by which a person's chain admits
// one, and when; the first device admits itself.
func admittedBy(headers [][]byte, d wire.DeviceID) (by wire.DeviceID, at uint64, ok bool) {
	for _, b := range headers {
		h, err := chain.ParseHeader(b)
		if err != nil {
			return by, 0, false
		}
		for _, op := range h.Ops {
			switch op := op.(type) {
			case *chain.Genesis:
				ok = op.Device.ID() == d
			case *chain.AddDevice:
				ok = op.Device.ID() == d
			}
			if ok {
				return h.Author.Device, h.CreatedAt, true
			}
		}
	}
	return by, 0, false
}

// isLinked reports whether a device of the own person is one that the person linked.
// Whoever copied the home signs with its keys: so what one of them let in, and this home
// did not link, is of a copy, as is the key that this home had before.
func (n *Node) isLinked(d wire.DeviceID) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.self.Device == nil || n.isOwnKey(d) {
		return false
	}
	if n.own != nil && n.own.device(d) != nil {
		return true
	}
	by, _, ok := admittedBy(n.self.Headers, d)
	return ok && !n.isOwnKey(by)
}

// wasRevoked reports whether a device of the own person is none any more: it is told so, as
// former members are.
func (n *Node) wasRevoked(d wire.DeviceID) bool {
	state, _, err := group.PersonState(n.me().Headers)
	if err != nil {
		return false
	}
	_, _, known := state.Device(d)
	return known && !state.Active(d)
}

// isOwnKey reports whether a device is this one, or was. n.mu is held.
func (n *Node) isOwnKey(d wire.DeviceID) bool {
	return n.self.Device != nil && d == n.self.Device.ID() || slices.ContainsFunc(n.self.Former, isDevice(d))
}

// RevokeDevice revokes another device of the own person: it is taken out of every group, by
// this device where it is in, else by whoever learns of it.
func (n *Node) RevokeDevice(d wire.DeviceID) error {
	if !n.Ready() {
		return fail(ReasonNoIdentity, "")
	}
	if err := n.takesPart(); err != nil {
		return err
	}
	n.renewing.Lock()
	defer n.renewing.Unlock()
	self := n.me()
	if d == self.Device.ID() {
		return fail(ReasonThisDevice, "")
	}
	state, _, err := group.PersonState(self.Headers)
	if err != nil {
		return err
	}
	switch _, _, known := state.Device(d); {
	case !known:
		return fail(ReasonNoDevice, "")
	case !state.Active(d):
		return fail(ReasonRevokedThat, n.deviceName(d))
	}
	headers, err := group.RevokeDevice(self.Headers, self.Device, d, n.nowMS())
	if err != nil {
		return err
	}
	if err := n.setPerson(headers); err != nil {
		return err
	}
	n.forgetRevoked()
	n.countCopies()
	n.spawn(n.settleIn)
	return nil
}
