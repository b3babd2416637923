package node

import (
	"bytes"
	"context"
	"errors"
	"slices"

	"kith/internal/chain"
	"kith/internal/group"
	"kith/internal/identity"
	"kith/internal/mls"
	"kith/internal/store"
)

// Histories of the own person: one that another copy of this home has made is taken
// over, or the fork of the two is ended (docs/spec/copies.md).

// learnPerson takes over a history of the own person that another copy of this home
// has made, or ends the fork that it makes with the one of here.
func (n *Node) learnPerson(theirs [][]byte) error {
	state, person, err := group.PersonState(theirs)
	if err != nil || person != n.me().Person {
		return err
	}
	if n.noteCopied() {
		n.log.Error("another copy of this home is running, or was, and has a key of its own now")
	}
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
		if headers, err = group.MergePerson(self.Headers, theirs, recovery, self.Device, n.nowMS()); err != nil {
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

func (n *Node) spawnLearn(theirs [][]byte) {
	n.spawn(func(context.Context) {
		if err := n.learnPerson(theirs); err != nil {
			n.log.Error("cannot take over what another copy of this home did", "err", err)
			return
		}
		n.renewOwn(n.nowMS())
	})
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
	if !namesAll(headers, n.me().Device, resorts) {
		resorts = nil // the history that counts does not name them: others follow
	}
	if err := n.db.Update(func(tx *store.Tx) error { return putPerson(tx, headers, resorts) }); err != nil {
		return storeError(err)
	}
	n.mu.Lock()
	n.self.Headers, n.resorts = headers, resorts
	n.mu.Unlock()
	n.describeAll()
	for _, s := range n.liveSessions() {
		n.tellPerson(s)
	}
	n.hub.publish(StatusChanged{})
	return nil
}

// namesAll reports whether a person's chain names last-resort packages of a device.
// Who is told of one that it does not name takes that for a lie.
func namesAll(headers [][]byte, device *identity.Device, resorts [][]byte) bool {
	return !slices.ContainsFunc(resorts, func(b []byte) bool {
		kp, err := mls.ParseKeyPackage(b)
		if err != nil {
			return true
		}
		ref, _, ok := group.NamedPackage(headers, device.ID(), kp.Suite())
		return !ok || !bytes.Equal(ref[:], kp.Ref())
	})
}
