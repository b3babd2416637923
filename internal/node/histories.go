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
	"kith/internal/peer"
	"kith/internal/store"
	"kith/internal/wire"
)

// Histories of the own person: one that another copy of this home has made is taken
// over, or the fork of the two is ended (docs/spec/copies.md).

// learnPerson takes over a history of the own person that another device of it, or another
// copy of this home, has made, or ends the fork that it makes with the one of here.
func (n *Node) learnPerson(theirs [][]byte) error {
	state, person, err := group.PersonState(theirs)
	if err != nil || person != n.me().Person {
		return err
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
		if headers, err = n.mergePerson(self, theirs); err != nil {
			return err
		}
	}
	if err := n.setPerson(headers); err != nil {
		return err
	}
	if len(n.OldKeys()) > 0 && n.noteCopied() {
		n.log.Error("another copy of this home is running, or was, and has a key of its own now")
	}
	n.forgetRevoked()
	n.bringSoon()
	n.spawn(n.settleIn)
	return nil
}

// mergePerson ends a fork of the own person's chain: by the recovery key, where the phrase
// is kept here; else the history that counts goes on, with what the other one admitted.
func (n *Node) mergePerson(self group.Self, theirs [][]byte) ([][]byte, error) {
	recovery, err := n.recovery()
	if errors.Is(err, errNoPhrase) {
		return group.RebasePerson(self.Headers, theirs, self.Device, n.nowMS())
	}
	if err != nil {
		return nil, err
	}
	return group.MergePerson(self.Headers, theirs, recovery, self.Device, n.nowMS())
}

// forgetRevoked forgets the own devices that the person's chain has no more. Their sessions end
// once the groups have told them.
func (n *Node) forgetRevoked() {
	self := n.me()
	state, _, err := group.PersonState(self.Headers)
	if err != nil || !n.hasOthers() {
		return
	}
	var gone []wire.DeviceID
	_, err = n.updateFriend(self.Person, func(f *friend) (bool, error) {
		for _, d := range f.Devices {
			if !state.Active(d.id()) {
				gone = append(gone, d.id())
			}
		}
		if len(gone) == 0 {
			return true, errSame
		}
		f.keepActive(state)
		return true, nil
	})
	if err != nil && !errors.Is(err, errSame) {
		n.log.Error("cannot write", "err", err)
	}
	for _, d := range gone {
		n.dropIfStranger(d)
	}
}

// learnOwn takes over what another own device tells of the person's chain, and its last-resort
// key packages.
func (n *Node) learnOwn(s *peer.Session, p personNews) error {
	from := s.Remote()
	p, whole := p.onto(n.me().Headers)
	if !whole {
		return nil
	}
	state, id, err := group.PersonState(p.headers)
	if err != nil || id != n.me().Person || !state.Active(from.Device) {
		return errors.Join(errNews, err)
	}
	resorts, err := n.checkResorts(state, from, p.resorts)
	if err != nil {
		return err
	}
	if !same(p.headers, n.me().Headers) {
		n.spawnLearn(p.headers)
	}
	_, err = n.updateFriend(from.Person, func(f *friend) (bool, error) {
		d := f.device(from.Device)
		if d == nil {
			seen, ok := n.deviceOf(from)
			if !ok {
				return f.State != 0, errSame
			}
			f.meetOwn(metDevice{Key: seen.Key[:], Knock: seen.KnockKey})
			d = f.device(from.Device)
		}
		if same(d.Resorts, resorts) {
			return true, errSame
		}
		d.Resorts = resorts
		return true, nil
	})
	n.bringSoon()
	if errors.Is(err, errSame) {
		return nil
	}
	return n.theirFault(err)
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
