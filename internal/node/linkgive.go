package node

import (
	"context"
	"errors"
	"slices"

	"kith/internal/group"
	"kith/internal/mls"
	"kith/internal/peer"
	"kith/internal/store"
	"kith/internal/wire"
)

// What a new device is given, once the person has confirmed it.

// admit adds a device to the person's chain, and to those that are met.
func (n *Node) admit(j peer.Joiner, name string) error {
	n.renewing.Lock()
	defer n.renewing.Unlock()
	if len(n.activeDevices()) >= maxDevices {
		return fail(ReasonDevices, "")
	}
	self, d := n.me(), j.Device()
	headers, err := group.AdmitDevice(self.Headers, self.Device, group.PersonDevice{Key: [32]byte(j.Key), KnockKey: j.KnockKey}, n.nowMS())
	if err != nil {
		return err
	}
	n.mu.Lock()
	resorts := n.resorts
	n.mu.Unlock()
	_, err = n.updateFriendAlso(self.Person, func(f *friend) (bool, error) {
		f.meetOwn(metDevice{Key: j.Key, Knock: j.KnockKey})
		return true, nil
	}, func(tx *store.Tx) error {
		if err := tx.Put(bucketDevice, d[:], []byte(name)); err != nil {
			return err
		}
		return putPerson(tx, headers, resorts)
	})
	if err != nil {
		return err
	}
	n.mu.Lock()
	n.self.Headers = headers
	n.mu.Unlock()
	n.describeAll()
	for _, s := range n.liveSessions() {
		n.tellPerson(s)
	}
	if err := n.shareLater(sharedDevice, wire.GroupID(d)); err != nil {
		return err
	}
	n.hub.publish(StatusChanged{})
	return nil
}

// giveAll gives a new device what it needs to be one of this person's.
func (n *Node) giveAll(s *peer.Session) error {
	self := n.me()
	word := linkTakenWord{info: self.Info, headers: self.Headers, notes: n.notesID()}
	for _, o := range n.allOwners() {
		switch p := o.picture.Load(); {
		case p.view.Status != group.StatusActive:
		case p.view.Suite == group.NewSuite && word.modern < maxLinkPackages:
			word.modern++
		case p.view.Suite != group.NewSuite && word.old < maxLinkPackages:
			word.old++
		}
	}
	if err := s.Send(peer.Message{Payload: word.bytes()}); err != nil {
		return err
	}
	list, err := n.everythingShared(s.Remote().Device)
	if err != nil {
		return err
	}
	for chunk := range sharedChunks(list) {
		if err := s.Send(peer.Message{Payload: linkSharedWord{chunk}.bytes()}); err != nil {
			return err
		}
		if err := s.Room(context.Background()); err != nil {
			return err
		}
	}
	return s.Send(peer.Message{Payload: linkAllWord{}.bytes()})
}

// takeInstalled takes the key packages of a new device, by which it is brought into the
// groups.
func (n *Node) takeInstalled(ctx context.Context, s *peer.Session) error {
	var all [][]byte
	for {
		word, err := nextLinkWord(ctx, s, installTime)
		if err != nil {
			return err
		}
		switch word := word.(type) {
		case linkPackagesWord:
			for _, b := range word {
				kp, err := group.CheckPackage(b, wire.Member{Person: n.me().Person, Device: s.Remote().Device}, n.nowMS())
				if err != nil || kp.LastResort() || len(all) >= 2*maxLinkPackages {
					return errors.Join(errLinkWord, err)
				}
				all = append(all, b)
			}
		case linkInstalledWord:
			_, err := n.updateFriend(n.me().Person, func(f *friend) (bool, error) {
				if d := f.device(s.Remote().Device); d != nil {
					d.Packages = append(slices.Clone(d.Packages), all...)
				}
				return true, nil
			})
			n.bringSoon()
			return err
		default:
			return errLinkWord
		}
	}
}

// suitesFor makes key packages for one's own other devices.
func suitesFor(t linkTakenWord) map[mls.Suite]int {
	return map[mls.Suite]int{group.NewSuite: int(t.modern) + packagesEach, suiteFor(false): int(t.old) + packagesOld}
}
