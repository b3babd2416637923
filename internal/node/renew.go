package node

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"kith/internal/chain"
	"kith/internal/group"
	"kith/internal/mls"
	"kith/internal/store"
	"kith/internal/wire"
)

// Last-resort key packages of one's own: one for each suite, given to every
// friend, named in the own person chain, and renewed.

const (
	// renewEach is how old a last-resort package becomes before another takes its
	// place, in ms.
	renewEach = 30 * 24 * 3600 * 1000
	// keepReplaced is how long the private part of a replaced one is kept, in
	// seconds: a friend may not have heard of the new one yet.
	keepReplaced = 30 * 24 * 3600
	// renewLook is how often the node looks what is due.
	renewLook = 6 * time.Hour
)

// renewingPackages renews what is due and drops what is over, while the node runs.
func (n *Node) renewingPackages(ctx context.Context) {
	t := time.NewTimer(0)
	defer t.Stop()
	for {
		select {
		case <-t.C:
		case <-n.renew:
			t.Stop()
		case <-ctx.Done():
			return
		}
		if n.Ready() {
			n.renewOwn(n.nowMS())
		}
		t.Reset(renewLook)
	}
}

// renewOwn does both at now, in ms.
func (n *Node) renewOwn(now uint64) {
	if err := n.renewResorts(now); err != nil {
		n.log.Error("cannot renew the last-resort key packages", "err", err)
	}
	if err := n.sweep(now); err != nil {
		n.log.Error("cannot write", "err", err)
	}
}

// renewResorts makes new last-resort packages if it is time, names them in the
// person's chain, and tells the friends that are connected.
func (n *Node) renewResorts(now uint64) error {
	n.renewing.Lock()
	defer n.renewing.Unlock()
	if self := n.me(); len(self.Former) > 0 || !isFirst(self) {
		return n.renewAlone(now)
	}
	m, err := n.loadPerson()
	if err == nil && !same(m.Headers(), n.me().Headers) { // another copy of this home has gone on
		return n.renewAlone(now)
	}
	if err != nil || !n.resortsDue(m.Published, now) {
		return err
	}
	return n.publishResorts(m, now)
}

// isFirst reports whether a person began with this device: only there are the bodies of its
// chain.
func isFirst(self group.Self) bool {
	by, _, ok := admittedBy(self.Headers, self.Device.ID())
	return ok && by == self.Device.ID()
}

// loadPerson makes the machine of the own person chain. It is needed once in
// renewEach, so nobody owns one for longer.
func (n *Node) loadPerson() (*group.Machine, error) {
	self := n.me()
	return group.LoadPerson(self, func(k group.Kind, each func(group.Record) error) error {
		return n.db.Load(wire.GroupID(self.Person), []group.Kind{k}, each)
	})
}

// publishResorts makes new last-resort packages. n.renewing is held.
func (n *Node) publishResorts(m *group.Machine, now uint64) error {
	self := n.me()
	var made []group.Package
	for _, suite := range group.Suites() {
		p, err := self.NewLastResort(suite, now)
		if err != nil {
			return err
		}
		made = append(made, p)
	}
	eff, err := m.Step(group.Input{Now: now, Cause: group.Publish{Packages: made}})
	if err != nil {
		return err
	}
	return n.keepResorts(eff.Write, m.Headers(), made, now)
}

// renewAlone is renewResorts where others sign the person's chain too, in a home that healed
// or with several devices: it is headers alone from there on.
func (n *Node) renewAlone(now uint64) error {
	self := n.me()
	named := func(suite mls.Suite) ([32]byte, uint64, bool) {
		return group.NamedPackage(self.Headers, self.Device.ID(), suite)
	}
	if !n.resortsDue(named, now) {
		return nil
	}
	made, headers, err := namedResorts(self, now)
	if err != nil {
		return err
	}
	return n.keepResorts(nil, headers, made, now)
}

// keepResorts stores new last-resort packages with the chain that names them, and
// tells of them. n.renewing is held.
func (n *Node) keepResorts(records []group.Record, headers [][]byte, made []group.Package, now uint64) error {
	self, public := n.me(), publicOf(made)
	err := n.db.CommitMany([]store.Batch{{Group: wire.GroupID(self.Person), Records: records, Also: func(tx *store.Tx) error {
		if err := replaceResorts(tx, made, now); err != nil {
			return err
		}
		return putPerson(tx, headers, public)
	}}})
	if err != nil {
		return storeError(err)
	}
	n.mu.Lock()
	n.self.Headers, n.resorts = headers, public
	n.mu.Unlock()
	n.describeAll()
	for _, s := range n.liveSessions() {
		n.tellPerson(s)
	}
	return nil
}

// resortsDue reports whether a suite has no package, an old one, or one that is
// not stored. One from the future was made by a clock that was wrong.
func (n *Node) resortsDue(named func(mls.Suite) ([32]byte, uint64, bool), now uint64) bool {
	for _, suite := range group.Suites() {
		ref, at, ok := named(suite)
		if !ok || at+renewEach <= now || at > now+renewEach {
			return true
		}
		if _, ok := n.ownPackage(ref[:]); !ok {
			return true
		}
	}
	return false
}

// replaceResorts keeps the private parts of new last-resort packages, and those
// of the ones before for keepReplaced.
func replaceResorts(tx *store.Tx, made []group.Package, now uint64) error {
	all, err := tx.List(bucketPackage, nil)
	if err != nil {
		return err
	}
	until := now/1000 + keepReplaced
	for _, item := range all {
		var own ownPackage
		if err := json.Unmarshal(item.Value, &own); err != nil {
			return fmt.Errorf("%w: %w", store.ErrDamaged, err)
		}
		if !own.LastResort || own.Expiry <= until {
			continue
		}
		own.Expiry = until
		if err := putJSON(tx, bucketPackage, item.Key, own); err != nil {
			return err
		}
	}
	for _, p := range made {
		own := ownPackage{Secrets: p.Secrets, Expiry: p.Expiry, LastResort: true}
		if err := putJSON(tx, bucketPackage, p.Ref[:], own); err != nil {
			return err
		}
	}
	return nil
}

// cardHeaders returns of the own headers what a card shows: all up to the last
// block that does more than to name key packages. Programs from before there were
// such blocks refuse a card that has one; who is met is told of them on the first
// session, if its program reads them.
func cardHeaders(headers [][]byte) [][]byte {
	for len(headers) > 1 {
		h, err := chain.ParseHeader(headers[len(headers)-1])
		if err != nil || !group.OnlyPackages(h) {
			break
		}
		headers = headers[:len(headers)-1]
	}
	return headers
}
