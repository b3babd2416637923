package node

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"slices"

	"kith/internal/group"
	"kith/internal/mls"
	"kith/internal/peer"
	"kith/internal/store"
	"kith/internal/wire"
)

// Key packages of one's own: who was given which, until each is used, void or
// expired.

// maxGiven bounds the unused key packages of ours that one friend has; the
// oldest of more are void.
const maxGiven = 8 * packagesEach

// privatePackage is a key package with what is kept of it.
type privatePackage struct {
	ref [32]byte
	own ownPackage
}

// keepSpent is how long the private part of a key package that was used is kept,
// in seconds: a Welcome may still come to a sibling of the block that it was used
// for, if that one loses.
const keepSpent = 30 * 24 * 3600

// maxSpent and maxResort bound the Welcomes that one package opens, and one that
// is a last resort: 400 days of invitations by friends who have no other.
const (
	maxSpent  = 8
	maxResort = 4096
)

// cardPackages makes those that a card brings. A few are of suite 1, since whose
// program has no other opens the direct chat in it.
func (n *Node) cardPackages(p wire.PersonID) (public [][]byte, private []privatePackage, err error) {
	self := n.me()
	public, private, err = makeSome(self, p, group.NewSuite, packagesEach-packagesOld, n.nowMS())
	if err != nil {
		return nil, nil, err
	}
	morePublic, morePrivate, err := makeSome(self, p, suiteFor(false), packagesOld, n.nowMS())
	return append(public, morePublic...), append(private, morePrivate...), err
}

// makeSome makes key packages of this home for one person, at now, in ms. They are to be written
// before they are given.
func makeSome(self group.Self, p wire.PersonID, suite mls.Suite, count int, now uint64) (public [][]byte, private []privatePackage, err error) {
	for range count {
		k, err := self.NewPackage(suite, now)
		if err != nil {
			return nil, nil, err
		}
		public = append(public, k.Public)
		private = append(private, privatePackage{k.Ref, ownPackage{Secrets: k.Secrets, Expiry: k.Expiry, For: p[:]}})
	}
	return public, private, nil
}

// givenKey orders the packages of one person by their expiry.
//
//	size field
//	32   person
//	8    expiry, s
//	32   KeyPackageRef
func givenKey(own ownPackage, ref []byte) []byte {
	return append(binary.BigEndian.AppendUint64(bytes.Clone(own.For), own.Expiry), ref...)
}

// putPackages keeps new packages, all of them for one person, and drops what
// that person has more of than most, and whatever of theirs has expired at now, in ms.
func putPackages(tx *store.Tx, list []privatePackage, most int, now uint64) error {
	for _, p := range list {
		if err := putJSON(tx, bucketPackage, p.ref[:], p.own); err != nil {
			return err
		}
		if err := tx.Put(bucketGiven, givenKey(p.own, p.ref[:]), []byte{1}); err != nil {
			return err
		}
	}
	if len(list) == 0 {
		return nil
	}
	all, err := tx.List(bucketGiven, list[0].own.For)
	if err != nil {
		return err
	}
	for i, item := range all {
		if len(item.Key) != 72 {
			return store.ErrDamaged
		}
		if i+most < len(all) || binary.BigEndian.Uint64(item.Key[32:]) < now/1000 {
			if err := dropPackage(tx, item.Key[40:]); err != nil {
				return err
			}
		}
	}
	return nil
}

// mostGiven is how many unused packages somebody may have. An own device is given one for
// each group when it is linked.
func (n *Node) mostGiven(p wire.PersonID) int {
	if p == n.me().Person {
		return 2*maxLinkPackages + maxGiven
	}
	return maxGiven
}

// spendPackage takes note that a package was used, at now, in ms. Nobody has it any more, but it
// stays for a while, see keepSpent.
func spendPackage(tx *store.Tx, u group.Use, now uint64) error {
	var own ownPackage
	ok, err := getJSON(tx, bucketPackage, u.Ref[:], &own)
	if err != nil || !ok {
		return err
	}
	if err := tx.Delete(bucketGiven, givenKey(own, u.Ref[:])); err != nil {
		return err
	}
	if own.Spent == nil {
		own.Spent = &spent{Parent: u.Parent[:]}
		if !own.LastResort {
			own.Expiry = min(own.Expiry, now/1000+keepSpent)
		}
	}
	own.Spent.Blocks = append(own.Spent.Blocks, u.Block[:])
	return putJSON(tx, bucketPackage, u.Ref[:], own)
}

// serves reports whether the package may be used so, after what it was used for.
func (own ownPackage) serves(u group.Use) bool {
	if own.Spent == nil {
		return true
	}
	most := maxSpent
	if own.LastResort {
		most = maxResort
	}
	if len(own.Spent.Blocks) >= most || len(own.Spent.Parent) != len(u.Parent) {
		return false
	}
	return !slices.ContainsFunc(own.Spent.Blocks, func(b []byte) bool {
		return len(b) != len(u.Block) || !u.Follows(group.Use{Ref: u.Ref, Block: wire.BlockHash(b), Parent: wire.BlockHash(own.Spent.Parent)}, own.LastResort)
	})
}

// dropPackage deletes one that is void.
func dropPackage(tx *store.Tx, ref []byte) error {
	var own ownPackage
	ok, err := getJSON(tx, bucketPackage, ref, &own)
	if err != nil || !ok {
		return err
	}
	if err := tx.Delete(bucketGiven, givenKey(own, ref)); err != nil {
		return err
	}
	return tx.Delete(bucketPackage, ref)
}

// sweepPackages drops those whose time is over at now, in ms; of people who do
// not come any more too.
func sweepPackages(tx *store.Tx, now uint64) error {
	all, err := tx.List(bucketPackage, nil)
	if err != nil {
		return err
	}
	for _, item := range all {
		var own ownPackage
		if err := json.Unmarshal(item.Value, &own); err != nil {
			return errors.Join(store.ErrDamaged, err)
		}
		switch {
		case own.Expiry < now/1000:
			err = dropPackage(tx, item.Key)
		case own.Spent == nil && !own.LastResort:
			err = tx.Put(bucketGiven, givenKey(own, item.Key), []byte{1}) // homes from before there was this bucket
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// givePackages gives a friend new key packages, once their private parts are
// durable.
func (n *Node) givePackages(s *peer.Session, suite mls.Suite) error {
	self := n.me() // once: it may heal meanwhile
	if s.As() != self.Device.ID() {
		return nil // they are of a device that this peer does not know yet
	}
	public, private, err := makeSome(self, s.Remote().Person, suite, packagesEach, n.nowMS())
	if err != nil {
		return err
	}
	err = n.db.Update(func(tx *store.Tx) error { return putPackages(tx, private, n.mostGiven(s.Remote().Person), n.nowMS()) })
	if err != nil {
		n.log.Error("cannot write", "err", err)
		return nil
	}
	n.say(s, packages(public).bytes())
	return nil
}

// stillGood returns those of the packages given to somebody that can be used.
func (n *Node) stillGood(p wire.PersonID, given [][]byte) (good [][]byte) {
	for _, b := range given {
		kp, err := mls.ParseKeyPackage(b)
		if err != nil {
			continue
		}
		own, ok := n.ownPackage(kp.Ref())
		if ok && own.Spent == nil && bytes.Equal(own.For, p[:]) && kp.Verify(n.nowMS()/1000) == nil {
			good = append(good, b)
		}
	}
	return slices.Clip(good)
}

// ownPackage finds the private part of an own key package.
func (n *Node) ownPackage(ref []byte) (own ownPackage, ok bool) {
	err := n.db.View(func(tx *store.Tx) error {
		_, err := getJSON(tx, bucketPackage, ref, &own)
		return err
	})
	return own, err == nil && len(own.Secrets) > 0
}

// isFor reports whether a person was given the package.
func (own ownPackage) isFor(p wire.PersonID) bool {
	return own.LastResort || bytes.Equal(own.For, p[:])
}

// packageFor finds the private part of an own key package that may be used so.
func (n *Node) packageFor(u group.Use) (own ownPackage, ok bool) {
	own, ok = n.ownPackage(u.Ref[:])
	return own, ok && own.serves(u)
}

// suiteOf is the suite of a key package of a friend's; 0 if it cannot be read.
func suiteOf(b []byte) mls.Suite {
	kp, err := mls.ParseKeyPackage(b)
	if err != nil {
		return 0
	}
	return kp.Suite()
}

// left counts the key packages of a friend's device for groups of a suite.
func (d *metDevice) left(suite mls.Suite) (count int) {
	for _, b := range d.Packages {
		if suiteOf(b) == suite {
			count++
		}
	}
	return count
}

// newest returns of a friend's packages, which come oldest first, the newest of
// each suite: two refills.
func newest(list [][]byte) [][]byte {
	count := make(map[mls.Suite]int)
	for i, b := range slices.Backward(list) {
		suite := suiteOf(b)
		if count[suite]++; count[suite] > 2*packagesEach {
			list = slices.Delete(list, i, i+1)
		}
	}
	return list
}
