package node

import (
	"context"
	"errors"
	"slices"
	"time"

	"kith/internal/chain"
	"kith/internal/group"
	"kith/internal/identity"
	"kith/internal/peer"
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

// noteCopy takes note that another copy of this home is, or was, running, and heals.
func (n *Node) noteCopy() {
	n.mu.Lock()
	first := !n.copied
	n.copied = true
	n.mu.Unlock()
	if first {
		n.log.Error("another copy of this home is running, or was: messages get lost; stop one of them")
		n.hub.publish(StatusChanged{})
	}
	seen := n.me().Device.ID()
	n.spawn(func(context.Context) {
		if err := n.heal(seen); err != nil {
			n.log.Error("no new device key", "err", err)
		}
	})
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
	n.mu.Lock()
	revoked := n.revoked
	n.mu.Unlock()
	if n.me().Device.ID() != seen || revoked {
		return nil // it has been done, or is not to be
	}
	for g := range n.coming { // to the device of before; it is brought again
		n.arrived(g)
	}
	resume := n.pause()
	defer resume()
	next, made, err := n.newDevice(nowMS())
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
		if err := replaceResorts(tx, made, nowMS()); err != nil {
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
	if next.Headers, err = group.AdmitDevice(next.Headers, old, next.Device, now); err != nil {
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
	n.copied = len(n.OldKeys()) > 0 // until they are revoked
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

// learnPerson takes over a history of the own person that another copy of this home
// has made, or ends the fork that it makes with the one of here.
func (n *Node) learnPerson(theirs [][]byte) error {
	state, person, err := group.PersonState(theirs)
	if err != nil || person != n.me().Person {
		return err
	}
	n.noteCopied()
	n.renewing.Lock()
	defer n.renewing.Unlock()
	self := n.me()
	if revokes(state, self) {
		n.noteRevoked()
		return nil
	}
	var headers [][]byte
	switch group.ComparePerson(self.Headers, theirs) {
	case group.PersonKnown:
		return nil
	case group.PersonLonger:
		headers = theirs
	case group.PersonForked:
		recovery, err := n.recovery()
		if err != nil {
			return err
		}
		if headers, err = group.MergePerson(self.Headers, theirs, recovery, self.Device, nowMS()); err != nil {
			return err
		}
	}
	return n.setPerson(headers)
}

// revokes reports whether a history of the person has revoked a key of this home:
// it is the person's word, given at another copy, and no block of the recovery key
// takes it back by itself.
func revokes(state *chain.State, self group.Self) bool {
	for _, d := range append([]*identity.Device{self.Device}, self.Former...) {
		if _, _, known := state.Device(d.ID()); known && !state.Active(d.ID()) {
			return true
		}
	}
	return false
}

// noteRevoked takes note that the person has revoked this home's key at another copy
// of it. It stays as it is: what it has can be read.
func (n *Node) noteRevoked() {
	n.mu.Lock()
	first := !n.revoked
	n.revoked = true
	n.mu.Unlock()
	if !first {
		return
	}
	n.log.Error("another copy of this home has revoked this one's key: it sends and receives nothing any more")
	if err := n.db.Update(func(tx *store.Tx) error { return tx.Put(bucketSelf, []byte(keyRevoked), []byte{1}) }); err != nil {
		n.log.Error("cannot write", "err", err)
	}
	n.hub.publish(StatusChanged{})
}

func (n *Node) spawnLearn(theirs [][]byte) {
	n.spawn(func(context.Context) {
		if err := n.learnPerson(theirs); err != nil {
			n.log.Error("cannot take over what another copy of this home did", "err", err)
			return
		}
		n.renewOwn(nowMS())
	})
}

// noteCopied is noteCopy where the copy has a key of its own by now.
func (n *Node) noteCopied() {
	n.mu.Lock()
	first := !n.copied
	n.copied = true
	n.mu.Unlock()
	if first {
		n.log.Error("another copy of this home is running, or was, and has a key of its own now")
		n.hub.publish(StatusChanged{})
	}
}

// recovery returns the recovery key, whose phrase is kept here.
func (n *Node) recovery() (key *identity.Recovery, err error) {
	err = n.db.View(func(tx *store.Tx) error {
		phrase, ok, err := tx.Get(bucketSelf, []byte(keyPhrase))
		if err != nil || !ok {
			return errors.Join(errNoPhrase, err)
		}
		key, err = identity.ParsePhrase(string(phrase))
		return err
	})
	return key, err
}

var errNoPhrase = errors.New("node: the phrase is not here")

// setPerson stores another history of the own person and tells it. n.renewing is held.
func (n *Node) setPerson(headers [][]byte) error {
	n.mu.Lock()
	resorts := n.resorts
	n.mu.Unlock()
	if err := n.db.Update(func(tx *store.Tx) error { return putPerson(tx, headers, resorts) }); err != nil {
		return storeError(err)
	}
	n.mu.Lock()
	n.self.Headers = headers
	n.mu.Unlock()
	n.describeAll()
	for _, s := range n.liveSessions() {
		n.tellPerson(s)
	}
	n.hub.publish(StatusChanged{})
	return nil
}

// OldKeys returns the devices of this person other than this one that its chain has
// as active: each is of a copy of this home.
func (n *Node) OldKeys() (list []wire.DeviceID) {
	self := n.me()
	state, _, err := group.PersonState(self.Headers)
	if err != nil {
		return nil
	}
	owner, _, _ := state.Device(self.Device.ID())
	for _, d := range owner.Devices {
		if d.ID != self.Device.ID() && state.Active(d.ID) {
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
	n.renewing.Lock()
	defer n.renewing.Unlock()
	self := n.me()
	headers, err := self.Headers, error(nil)
	for _, d := range n.OldKeys() {
		if headers, err = group.RevokeDevice(headers, self.Device, d, nowMS()); err != nil {
			return err
		}
	}
	if len(headers) == len(self.Headers) {
		return fail(ReasonNoCopy, "")
	}
	n.mu.Lock()
	n.copied = false
	n.mu.Unlock()
	if err := n.setPerson(headers); err != nil {
		return err
	}
	n.spawn(n.settleIn)
	return nil
}

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
		if outside(p.view.Status) || !slices.ContainsFunc(p.devices, func(d group.DeviceView) bool { return d.Member == who && !d.Former }) {
			continue
		}
		if !p.view.Inside {
			return false
		}
		knows = true
	}
	return knows
}

// meetAnew takes note that a device knows the new key.
func (n *Node) meetAnew(s *peer.Session) {
	d := s.Remote().Device
	n.mu.Lock()
	known := n.met[d] || len(n.self.Former) == 0
	n.met[d] = true
	if t := n.targets[d]; t != nil {
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

// hasMet reports whether a device knows the key there is now.
func (n *Node) hasMet(d wire.DeviceID) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.met[d]
}

// knockAs returns with which key a device is dialled: the new one if it knows that,
// else the newest before; every fourth time the other way, since it may have
// learned of the new one elsewhere, or lost what it knew. n.mu is held.
func (n *Node) knockAs(d wire.DeviceID, tries int) *identity.Device {
	if len(n.self.Former) == 0 || n.met[d] != (tries%4 == 0) {
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
			return group.Self{Device: d, Person: self.Person, Headers: self.Headers, Info: self.Info}
		}
	}
	return self
}

// ownKey reports whether a device is this one, or was.
func (n *Node) ownKey(d wire.DeviceID) bool {
	self := n.me()
	return self.Device != nil && d == self.Device.ID() || slices.ContainsFunc(self.Former, func(f *identity.Device) bool { return f.ID() == d })
}
