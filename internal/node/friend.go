package node

import (
	"bytes"
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

const (
	// linkLife is how long an own contact link can be used, in seconds: its maker is found by it
	// wherever it has moved (finder.go).
	linkLife = 90 * 24 * 3600
	// packagesEach is how many one-time key packages a friend is given.
	packagesEach = 8
	// packagesOld is how many of those in a card are of suite 1.
	packagesOld = 2
	// packagesLow is when it is given more.
	packagesLow = 4
)

func nowTime() time.Time { return time.Now() }

// updateFriend changes what is kept of a person and writes it before anybody
// sees it.
func (n *Node) updateFriend(p wire.PersonID, change func(f *friend) (keep bool, err error)) (friend, error) {
	return n.updateFriendAlso(p, change, nil)
}

func (n *Node) updateFriendAlso(p wire.PersonID, change func(f *friend) (bool, error), more func(*store.Tx) error) (friend, error) {
	var next friend
	note := func(f *friend) (bool, error) {
		keep, err := change(f)
		next = *f
		return keep, err
	}
	err := n.edited([]edit{{p, note}}, func(write func(*store.Tx) error) error {
		return n.db.Update(func(tx *store.Tx) error {
			if err := write(tx); err != nil || more == nil {
				return err
			}
			return more(tx)
		})
	})
	if err != nil {
		return friend{}, storeError(err)
	}
	return next, nil
}

// NewContactLink makes a link that one person can use, for three months.
func (n *Node) NewContactLink() (ContactLink, error) {
	if !n.Ready() {
		return ContactLink{}, fail(ReasonNoIdentity, "")
	}
	if err := n.takesPart(); err != nil {
		return ContactLink{}, err
	}
	at := n.address()
	l := identity.ContactLink{
		Person: n.self.Person, Secret: [32]byte(wire.Random(32)), Peer: at.Peer, Hosts: at.Hosts,
		Expiry: n.nowMS()/1000 + linkLife,
	}
	l.Hosts = linkHosts(at.Hosts)
	text, err := l.Text()
	for tooLong := (*identity.InputError)(nil); errors.As(err, &tooLong) && tooLong.Reason == identity.ReasonLinkLong && len(l.Hosts) > 0; {
		l.Hosts = l.Hosts[:len(l.Hosts)-1]
		text, err = l.Text()
	}
	if err != nil {
		return ContactLink{}, err
	}
	tag := l.Tag()
	told := digestOf(at)
	own := &ownLink{Secret: l.Secret[:], Expiry: l.Expiry, Told: told[:]}
	err = n.db.Update(func(tx *store.Tx) error { return putJSON(tx, bucketLink, tag[:], own) })
	if err != nil {
		return ContactLink{}, storeError(err)
	}
	n.mu.Lock()
	n.links[tag] = own
	n.mu.Unlock()
	return ContactLink{text, l.Expiry * 1000}, nil
}

// LinkSecret implements peer.Directory.
func (n *Node) LinkSecret(tag [16]byte) (secret [32]byte, ok bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	l := n.links[tag]
	if l == nil || l.Expiry < n.nowMS()/1000 || len(l.Secret) != 32 {
		return secret, false
	}
	return [32]byte(l.Secret), true
}

var errUsed = errors.New("node: the contact link is used up")

// Asked implements peer.Directory: somebody asks over an own contact link. The
// same person may ask again, if the answer was lost.
func (n *Node) Asked(tag [16]byte, r peer.Request) (peer.Card, error) {
	n.asked.Lock()
	defer n.asked.Unlock()
	n.mu.Lock()
	l := n.links[tag]
	n.mu.Unlock()
	p := r.Member.Person
	if l == nil || l.By != nil && string(l.By) != string(p[:]) {
		return peer.Card{}, errUsed
	}
	used := *l
	used.By = slices.Clone(p[:])
	var private []privatePackage
	given := n.stillGood(p, n.friendCopy(p).Given) // who asks again gets the same
	if len(given) == 0 {
		var err error
		if given, private, err = n.cardPackages(p); err != nil {
			return peer.Card{}, err
		}
	}
	f, err := n.updateFriendAlso(p, func(f *friend) (bool, error) {
		if f.State == FriendBlocked {
			return true, fail(ReasonBlocked, "")
		}
		switch f.State {
		case FriendAsked: // each opened the other's link: that is both asking and accepting
			f.State, f.Opener = FriendFriend, true // of two chats one gives way
		case FriendFriend:
		default:
			f.State = FriendAsking
		}
		f.Given = given
		return true, f.meet(r, l.By != nil, n.nowMS())
	}, func(tx *store.Tx) error {
		var now ownLink
		if ok, err := getJSON(tx, bucketLink, tag[:], &now); err != nil {
			return err
		} else if !ok || now.By != nil && !bytes.Equal(now.By, p[:]) {
			return errUsed // by somebody else at the same time
		}
		if err := putPackages(tx, private, maxGiven, n.nowMS()); err != nil {
			return err
		}
		return putJSON(tx, bucketLink, tag[:], used)
	})
	if err != nil {
		return peer.Card{}, err
	}
	n.mu.Lock()
	n.links[tag] = &used
	n.mu.Unlock()
	if f.State == FriendFriend {
		n.spawnOpen(p)
	}
	return n.ownCard(given), nil
}

// meet takes over what a person told of itself on a proved connection, at now, in ms.
// Who asks again over one link brings the key packages of before, of which some may be
// used by now.
func (f *friend) meet(r peer.Request, again bool, now uint64) error {
	state := r.Person.State
	if !beginsWith(f.Headers, r.Card.Headers) {
		f.Headers = r.Card.Headers
		for i := range f.Devices {
			f.Devices[i].Resorts = nil // others may be named by now
		}
	} else if held, _, err := group.PersonState(f.Headers); err != nil || !held.Active(r.Member.Device) {
		return errors.Join(errNews, err) // it was revoked since
	} else {
		state = held
	}
	f.Info, f.Link = r.Card.Info, ""
	d := f.device(r.Member.Device)
	if d == nil {
		f.Devices = append(f.Devices, metDevice{Key: r.Key, Knock: r.Card.KnockKey})
		d, again = &f.Devices[len(f.Devices)-1], false
	}
	d.Peer, d.Hosts = r.Card.Peer, r.Card.Hosts
	if !again {
		d.Packages = nil
		for _, b := range r.Card.KeyPackages {
			if kp, err := group.CheckPackage(b, r.Member, now); err == nil && !kp.LastResort() {
				d.Packages = append(d.Packages, b)
			}
		}
	}
	f.keepActive(state)
	return nil
}

// keepActive forgets the devices that the person's chain does not have as active.
func (f *friend) keepActive(state *chain.State) {
	f.Devices = slices.DeleteFunc(f.Devices, func(d metDevice) bool { return !state.Active(d.id()) })
}

// ownCard is what this node tells of itself first.
func (n *Node) ownCard(packages [][]byte) peer.Card {
	at, self := n.address(), n.me()
	return peer.Card{
		Headers: cardHeaders(self.Headers), Info: self.Info, KnockKey: self.Device.KnockKey(),
		KeyPackages: packages, Peer: at.Peer, Hosts: at.Hosts,
	}
}

// AddFriend opens a contact link: the request goes out as soon as the other
// node can be reached. With that of a friend who is not connected it is how two find
// each other again who have both moved: it says where the friend is now, and the
// request, where this node is.
func (n *Node) AddFriend(text string) (Friend, error) {
	if !n.Ready() {
		return Friend{}, fail(ReasonNoIdentity, "")
	}
	if err := n.takesPart(); err != nil {
		return Friend{}, err
	}
	l, err := identity.ParseContactLink(text, n.nowMS()/1000)
	if err != nil {
		return Friend{}, &Error{Reason: ReasonLink, Err: err}
	}
	if l.Person == n.self.Person {
		return Friend{}, fail(ReasonOwnLink, "")
	}
	given, private, err := n.cardPackages(l.Person)
	if err != nil {
		return Friend{}, err
	}
	here := n.person(l.Person).Connected
	f, err := n.updateFriendAlso(l.Person, func(f *friend) (bool, error) {
		switch f.State {
		case FriendFriend:
			if here {
				return true, fail(ReasonFriend, f.name())
			}
			f.Link, f.Given = text, given
		case FriendAsking: // they ask already: opening their link accepts
			f.State, f.Opener = FriendFriend, true
		default:
			f.State, f.Link, f.Given = FriendAsked, text, given
		}
		return true, nil
	}, func(tx *store.Tx) error { return putPackages(tx, private, maxGiven, n.nowMS()) })
	if err != nil {
		return Friend{}, err
	}
	if f.State == FriendFriend {
		if err := n.openDirect(f.Person); err != nil {
			return Friend{}, err
		}
	}
	n.mu.Lock()
	if t := n.asks[l.Person]; t != nil {
		t.hurry() // the failures of an earlier link say nothing about this one
	}
	n.mu.Unlock()
	n.kickDialer()
	return n.Friend(l.Person)
}

// answered takes the answer to an own request.
// Only the link that was answered is done with: its person may have been given
// another one meanwhile.
func (n *Node) answered(l identity.ContactLink, r peer.Request) error {
	p := r.Member.Person
	f, err := n.updateFriend(p, func(f *friend) (bool, error) {
		if f.State == FriendBlocked || f.State == 0 {
			return f.State != 0, fail(ReasonBlocked, "")
		}
		text, given := f.Link, f.Given
		if err := f.meet(r, false, n.nowMS()); err != nil {
			return true, err
		}
		f.Given = nil
		if open, err := identity.ParseContactLink(text, n.nowMS()/1000); err == nil && open.Tag() != l.Tag() {
			f.Link, f.Given = text, given
		}
		return true, nil
	})
	if err == nil && f.State == FriendFriend && f.Opener {
		n.spawnOpen(p)
	}
	return err
}

// AcceptFriend accepts a request: the direct chat is made, and the other's node
// told of it as soon as it is reached. It also takes a block back.
func (n *Node) AcceptFriend(p wire.PersonID) (Friend, error) {
	_, err := n.updateFriend(p, func(f *friend) (bool, error) {
		if f.State != FriendAsking && (f.State != FriendBlocked || !f.met()) {
			return f.State != 0, fail(ReasonNotAsking, f.name())
		}
		f.State, f.Since = FriendFriend, n.nowMS()
		f.Opener = f.Chat == wire.GroupID{}
		return true, nil
	})
	if err != nil {
		return Friend{}, err
	}
	n.showInvitations(p)
	if err := n.openDirect(p); err != nil {
		return Friend{}, err
	}
	n.kickDialer()
	n.greetPerson(p)
	return n.Friend(p)
}

// DeclineFriend forgets a request, or takes one's own back.
func (n *Node) DeclineFriend(p wire.PersonID) error {
	_, err := n.updateFriend(p, func(f *friend) (bool, error) {
		if f.State != FriendAsking && f.State != FriendAsked {
			return f.State != 0, fail(ReasonNotAsking, f.name())
		}
		return false, nil
	})
	if err == nil {
		n.dropPerson(p)
	}
	return err
}

// BlockFriend stops answering a person, who is not told, and hides its invitations.
func (n *Node) BlockFriend(p wire.PersonID) (Friend, error) {
	_, err := n.updateFriend(p, func(f *friend) (bool, error) {
		f.State = FriendBlocked
		return true, nil
	})
	if err != nil {
		return Friend{}, err
	}
	n.dropPerson(p)
	n.showInvitations(p)
	return n.Friend(p)
}

func (n *Node) dropPerson(p wire.PersonID) {
	for _, s := range n.liveSessions() {
		if s.Remote().Person == p {
			n.dropIfStranger(s.Remote().Device)
		}
	}
}

// Friends returns everybody who is a friend, asks, was asked or is blocked.
func (n *Node) Friends() ([]Friend, error) {
	n.mu.Lock()
	var people []wire.PersonID
	for p := range n.friends {
		people = append(people, p)
	}
	n.mu.Unlock()
	var list []Friend
	for _, p := range people {
		f, err := n.Friend(p)
		if err == nil {
			list = append(list, f)
		}
	}
	slices.SortFunc(list, func(a, b Friend) int { return compareNames(a.Person, b.Person) })
	return list, nil
}

// Friend returns one of them.
func (n *Node) Friend(p wire.PersonID) (Friend, error) {
	n.mu.Lock()
	f := n.friends[p]
	n.mu.Unlock()
	if f == nil {
		return Friend{}, fail(ReasonUnknown, p.String())
	}
	who := n.person(p)
	who.Alike = n.hasNamesake(p)
	return Friend{
		Person: who, State: f.State, Chat: f.Chat, Since: f.Since,
		Fingerprint: n.fingerprint(f), Met: f.met(),
		Sought: f.State == FriendFriend && !who.Connected && n.opens(f) != nil,
	}, nil
}

func (n *Node) fingerprint(f *friend) string {
	n.mu.Lock()
	made, self := f.print, n.self.Person
	n.mu.Unlock()
	if made != "" {
		return made
	}
	made = identity.Fingerprint(self, f.Person)
	n.mu.Lock()
	f.print = made
	n.mu.Unlock()
	return made
}
