package node

import (
	"context"
	"errors"
	"time"

	"kith/internal/group"
	"kith/internal/identity"
	"kith/internal/store"
	"kith/internal/wire"
)

// Another copy of this home is, or was, running: two programs sign with one device
// key, and of what both wrote under one number others take one. So this one takes
// a new key, by itself (docs/spec/copies.md):
//
//	a sign of the copy ── heal: one transaction ──> new key, in the person's chain, named by nobody
//	new key ── each group's machine adds it (group.Renew) ──> known there
//	known in all groups shared with a device ── moveOn ──> sessions with it are of the new key
//
// Until then sessions are those of the former key, at which others knock.

// moveAfter is how long a session of a former key stays when all groups shared with
// its peer have the new one, so that what tells of it arrives.
const moveAfter = 3 * time.Second

// healAgain is when healing is tried again that failed: by then there may be room to
// write.
const healAgain = 10 * time.Minute

// noteCopy takes note that another copy of this home is, or was, running, and heals,
// once for each device key.
func (n *Node) noteCopy() {
	if n.noteCopied() {
		n.log.Error("another copy of this home is running, or was: this one takes a new device key by itself, and both can go on; kith revoke shuts the other out")
	}
	n.mu.Lock()
	seen := n.self.Device.ID()
	begun := n.healing == seen
	n.healing = seen
	n.mu.Unlock()
	if begun {
		return
	}
	if !n.spawn(func(ctx context.Context) { n.healUntil(ctx, seen) }) {
		n.mu.Lock()
		n.healing = wire.DeviceID{}
		n.mu.Unlock()
	}
}

// healUntil heals a home that has used the key seen, however often it takes.
func (n *Node) healUntil(ctx context.Context, seen wire.DeviceID) {
	for {
		err := n.heal(seen)
		if err == nil {
			return
		}
		n.log.Error("no new device key", "err", err)
		select {
		case <-time.After(healAgain):
		case <-ctx.Done():
			return
		}
	}
}

// noteCopied takes note that there is, or was, another copy of this home, and reports
// whether that is news, of which the caller says what follows.
func (n *Node) noteCopied() bool {
	n.mu.Lock()
	first := !n.copied
	n.copied = true
	n.mu.Unlock()
	if first {
		n.hub.publish(StatusChanged{})
	}
	return first
}

// noteSlashed heals a home whose key a group has taken out: another copy signed with
// it what this one did not, and nobody here might have seen that yet.
func (o *owner) noteSlashed() {
	n := o.n
	if !n.isRevoked() && o.picture.Load().view.Slashed {
		n.noteCopy()
	}
}

// heal gives this home a new device key in place of seen, which a copy of it has
// used. All of it is one transaction: the key, the person's chain that shows it,
// and each group's records turned over to it.
func (n *Node) heal(seen wire.DeviceID) error {
	n.joining.Lock() // no group is joined, made or deleted meanwhile
	defer n.joining.Unlock()
	n.making.Lock()
	defer n.making.Unlock()
	n.renewing.Lock()
	defer n.renewing.Unlock()
	if n.me().Device.ID() != seen || n.isRevoked() {
		return nil // it has been done, or is not to be
	}
	for g := range n.coming { // to the device of before; it is brought again
		n.arrived(g)
	}
	resume := n.pause()
	defer resume()
	next, made, err := n.newDevice(n.nowMS())
	if err != nil {
		return err
	}
	batches, err := n.turnedOver(next)
	if err != nil {
		return err
	}
	public := publicOf(made)
	last := &batches[len(batches)-1]
	last.Also = func(tx *store.Tx) error {
		if err := putFormer(tx, next); err != nil {
			return err
		}
		if err := replaceResorts(tx, made, n.nowMS()); err != nil {
			return err
		}
		return putPerson(tx, next.Headers, public)
	}
	if err := n.db.CommitMany(batches); err != nil {
		return storeError(err)
	}
	n.mu.Lock()
	n.self, n.resorts = next, public
	n.met = make(map[wire.DeviceID]bool)
	n.mu.Unlock()
	n.log.Warn("this home has a new device key, since another copy of it used the old one", "device", shortDevice(next.Device.ID()))
	n.hub.publish(StatusChanged{})
	n.spawn(n.settleIn)
	return nil
}

// pause stops all groups where they are until resume is called; then each is loaded
// anew, and its sessions begin again.
func (n *Node) pause() (resume func()) {
	over := make(chan struct{})
	for _, o := range n.allOwners() {
		at := make(chan struct{})
		o.hurry()
		if !o.post(func() {
			close(at)
			<-over
			o.reload()
		}) {
			continue
		}
		select {
		case <-at:
		case <-o.ended:
		}
	}
	return func() { close(over) }
}

// newDevice makes a device and its last-resort key packages, and the person's chain
// with them.
func (n *Node) newDevice(now uint64) (next group.Self, made []group.Package, err error) {
	next = n.me()
	old := next.Device
	next.Former = append([]*identity.Device{old}, next.Former...)
	next.Device = identity.NewDevice()
	if next.Headers, err = group.AdmitDevice(next.Headers, old, group.PublicSide(next.Device), now); err != nil {
		return next, nil, err
	}
	made, next.Headers, err = namedResorts(next, now)
	return next, made, err
}

// namedResorts makes last-resort key packages of a device, and the chain of its
// person that names them.
func namedResorts(self group.Self, now uint64) (made []group.Package, headers [][]byte, err error) {
	for _, suite := range group.Suites() {
		p, err := self.NewLastResort(suite, now)
		if err != nil {
			return nil, nil, err
		}
		made = append(made, p)
	}
	headers, err = group.NamePackages(self.Headers, self.Device, made, now)
	return made, headers, err
}

func publicOf(made []group.Package) (list [][]byte) {
	for _, p := range made {
		list = append(list, p.Public)
	}
	return list
}

// turnedOver returns what is to be written of each group for a new device of this
// home, the person's own chain last, where nothing is.
func (n *Node) turnedOver(next group.Self) (batches []store.Batch, err error) {
	ids, err := n.db.Groups()
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		if id == wire.GroupID(next.Person) || n.isDamaged(id) {
			continue
		}
		eff, err := group.Renew(next, func(k group.Kind, each func(group.Record) error) error {
			return n.db.Load(id, []group.Kind{k}, each)
		})
		if err != nil {
			return nil, err
		}
		batches = append(batches, store.Batch{Group: id, Records: eff.Write})
	}
	return append(batches, store.Batch{Group: wire.GroupID(next.Person)}), nil
}

// putFormer stores a device with those before it.
func putFormer(tx *store.Tx, self group.Self) error {
	var list [][]byte
	for _, d := range self.Former {
		list = append(list, d.Marshal())
	}
	met, err := tx.List(bucketMet, nil)
	if err != nil {
		return err
	}
	for _, item := range met { // they have met the device before
		if err := tx.Delete(bucketMet, item.Key); err != nil {
			return err
		}
	}
	if err := putJSON(tx, bucketSelf, []byte(keyFormer), list); err != nil {
		return err
	}
	return tx.Put(bucketSelf, []byte(keyDevice), self.Device.Marshal())
}

// getFormer reads the earlier devices of this home, newest first, and who has met
// the one there is now.
func (n *Node) getFormer(tx *store.Tx) error {
	var list [][]byte
	if _, err := getJSON(tx, bucketSelf, []byte(keyFormer), &list); err != nil {
		return err
	}
	for _, b := range list {
		d, err := identity.ParseDevice(b)
		if err != nil {
			return errors.Join(store.ErrDamaged, err)
		}
		n.self.Former = append(n.self.Former, d)
	}
	met, err := tx.List(bucketMet, nil)
	for _, item := range met {
		if len(item.Key) != len(wire.DeviceID{}) {
			return store.ErrDamaged
		}
		n.met[wire.DeviceID(item.Key)] = true
	}
	if err != nil {
		return err
	}
	_, n.revoked, err = tx.Get(bucketSelf, []byte(keyRevoked))
	return err
}

// putPerson stores how the own person chain stands.
func putPerson(tx *store.Tx, headers, resorts [][]byte) error {
	var rec selfRecord
	if found, err := getJSON(tx, bucketSelf, []byte(keyPerson), &rec); err != nil || !found {
		return errors.Join(store.ErrDamaged, err)
	}
	rec.Headers, rec.Resorts = headers, resorts
	return putJSON(tx, bucketSelf, []byte(keyPerson), rec)
}

// OldKeys returns the devices of this person other than this one that its chain has
// as active and that are of a copy of this home.
func (n *Node) OldKeys() (list []wire.DeviceID) {
	self := n.me()
	state, _, err := group.PersonState(self.Headers)
	if err != nil {
		return nil
	}
	owner, _, _ := state.Device(self.Device.ID())
	for _, d := range owner.Devices {
		if d.ID != self.Device.ID() && state.Active(d.ID) && !n.isLinked(d.ID) {
			list = append(list, d.ID)
		}
	}
	return list
}

// RevokeCopies revokes the keys of all other copies of this home: whoever has one is
// taken out of every group.
func (n *Node) RevokeCopies() error {
	if !n.Ready() {
		return fail(ReasonNoIdentity, "")
	}
	if err := n.takesPart(); err != nil {
		return err
	}
	n.renewing.Lock()
	defer n.renewing.Unlock()
	self := n.me()
	headers, err := self.Headers, error(nil)
	for _, d := range n.OldKeys() {
		if headers, err = group.RevokeDevice(headers, self.Device, d, n.nowMS()); err != nil {
			return err
		}
	}
	if len(headers) == len(self.Headers) {
		return fail(ReasonNoCopy, "")
	}
	if err := n.setPerson(headers); err != nil {
		return err
	}
	n.countCopies()
	n.spawn(n.settleIn)
	return nil
}

// countCopies notes whether the person's chain has a device of a copy of this home, which
// it has until they are revoked.
func (n *Node) countCopies() {
	copied := len(n.OldKeys()) > 0
	n.mu.Lock()
	news := n.copied != copied
	n.copied = copied
	n.mu.Unlock()
	if news {
		n.hub.publish(StatusChanged{})
	}
}
