package node

import (
	"encoding/base64"
	"encoding/json"

	"kith/internal/group"
	"kith/internal/identity"
	"kith/internal/store"
	"kith/internal/wire"
)

// What tests see of the chains and packages of people, this node's own among them.

// Hello is what a node says of itself to a friend.
func Hello(peer []byte, hosts []string, able bool, left uint8) []byte {
	return hello{peer: peer, hosts: hosts, able: able, left: left}.bytes()
}

// HelloHolding is Hello of a program that says what it holds of a friend's chain.
func HelloHolding(peer []byte, hosts []string, left uint8) []byte {
	return hello{peer, hosts, true, true, left}.bytes()
}

// Holding is how a node says what it holds of a friend's chain.
func Holding(info []byte, headers, resorts [][]byte) []byte {
	return personNews{info: info, headers: headers, resorts: resorts}.holding().bytes()
}

// PersonNewsSince is how a node tells what follows a header of its person chain.
func PersonNewsSince(after wire.BlockHash, info []byte, headers, resorts [][]byte) []byte {
	return personNews{info, after, headers, resorts}.bytes()
}

// OwnNews is what the node tells of its person.
func (n *Node) OwnNews() (info []byte, headers, resorts [][]byte) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.self.Info, n.self.Headers, n.resorts
}

// Packages is how key packages are given.
func Packages(list ...[]byte) []byte { return packages(list).bytes() }

// RecodeOwn parses what a friend says and encodes it again.
func RecodeOwn(b []byte) ([]byte, error) {
	said, err := parseOwn(b)
	if err != nil {
		return nil, err
	}
	return said.bytes(), nil
}

// Newest is what is kept of a friend's key packages.
func Newest(list [][]byte) [][]byte { return newest(list) }

// ForgetPackages loses what is kept of somebody's key packages.
func (n *Node) ForgetPackages(p wire.PersonID) error {
	_, err := n.updateFriend(p, func(f *friend) (bool, error) {
		for i := range f.Devices {
			f.Devices[i].Packages = nil
		}
		return true, nil
	})
	return err
}

// PersonNews is how a node tells of its person chain.
func PersonNews(info []byte, headers, resorts [][]byte) []byte {
	return personNews{info: info, headers: headers, resorts: resorts}.bytes()
}

// Kept is what is kept of a friend's person chain, and of the last-resort key
// packages of all its devices.
func (n *Node) Kept(p wire.PersonID) (headers, resorts [][]byte) {
	f := n.friendCopy(p)
	for _, d := range f.Devices {
		resorts = append(resorts, d.Resorts...)
	}
	return f.Headers, resorts
}

// Chain is the own person chain.
func (n *Node) Chain() [][]byte { return n.me().Headers }

// RenewAt does what the node does now and then, at a time in ms.
func (n *Node) RenewAt(now uint64) { n.renewOwn(now) }

// RenewNow renews the last-resort packages before it is time.
func (n *Node) RenewNow() error {
	n.renewing.Lock()
	defer n.renewing.Unlock()
	m, err := n.loadPerson()
	if err != nil {
		return err
	}
	return n.publishResorts(m, n.nowMS())
}

// Secrets returns the private parts of own key packages as they are stored: those
// that were not used, those that were, and those of last resorts.
func (n *Node) Secrets() (fresh, spent, resorts []string) {
	_ = n.db.View(func(tx *store.Tx) error {
		all, err := tx.List(bucketPackage, nil)
		for _, item := range all {
			var own ownPackage
			if err := json.Unmarshal(item.Value, &own); err != nil {
				return err
			}
			text := base64.StdEncoding.EncodeToString(own.Secrets)
			switch {
			case own.LastResort:
				resorts = append(resorts, text)
			case own.Spent != nil:
				spent = append(spent, text)
			default:
				fresh = append(fresh, text)
			}
		}
		return err
	})
	return fresh, spent, resorts
}

// CardHeaders is what of a person chain a card shows.
func CardHeaders(headers [][]byte) [][]byte { return cardHeaders(headers) }

// LearnFork has this node, which has healed, learn of the history that another copy of
// it would have made of the same chain, and reports whether that one counts.
func (n *Node) LearnFork(before [][]byte) (counts bool, err error) {
	self, other := n.me(), n.me()
	other.Device = identity.NewDevice()
	if other.Headers, err = group.AdmitDevice(before, self.Former[0], group.PublicSide(other.Device), n.nowMS()); err != nil {
		return false, err
	}
	_, theirs, err := namedResorts(other, n.nowMS())
	if err != nil {
		return false, err
	}
	if err := n.learnPerson(theirs); err != nil {
		return false, err
	}
	now := n.Chain()
	return len(now) > len(theirs) && same(now[:len(theirs)], theirs), nil
}
