package node

import (
	"context"
	"slices"

	"kith/internal/chain"
	"kith/internal/dag"
	"kith/internal/group"
	"kith/internal/identity"
	"kith/internal/peer"
	"kith/internal/store"
	"kith/internal/wire"
)

// NotesTitle is the title of the group of one that every node begins with.
const NotesTitle = "Notes to self"

// Ready reports whether this node has an identity.
func (n *Node) Ready() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.ready
}

// Setup makes the identity of a node that has none, and its notes.
func (n *Node) Setup(name string) error {
	n.joining.Lock()
	defer n.joining.Unlock()
	if n.Ready() {
		return fail(ReasonIdentity, "")
	}
	device, phrase := identity.NewDevice(), identity.NewPhrase()
	recovery, err := identity.ParsePhrase(phrase)
	if err != nil {
		return err
	}
	self, eff, err := group.NewPerson(group.NewPersonParams{
		Device: device, Name: name,
		Recovery: chain.RecoveryKeys{Key: [32]byte(recovery.RecoveryKey()), Sealing: [chain.KnockKeySize]byte(recovery.SealingKey())},
	}, n.nowMS())
	if err != nil {
		return err
	}
	self.Omits = n.cfg.Omits
	notes, notesEff, err := group.Create(self, group.CreateParams{Title: NotesTitle}, n.nowMS())
	if err != nil {
		return err
	}
	notesID := notes.Group()
	err = n.db.CommitMany([]store.Batch{
		{Group: wire.GroupID(self.Person), Records: eff.Write, Also: func(tx *store.Tx) error {
			if err := tx.Put(bucketSelf, []byte(keyDevice), device.Marshal()); err != nil {
				return err
			}
			if err := tx.Put(bucketSelf, []byte(keyPhrase), []byte(phrase)); err != nil {
				return err
			}
			return putJSON(tx, bucketSelf, []byte(keyPerson), selfRecord{Person: self.Person[:], Headers: self.Headers, Info: self.Info, Notes: notesID[:]})
		}},
		{Group: notesID, Records: notesEff.Write, Rows: notesEff.Rows},
	})
	if err != nil {
		return storeError(err)
	}
	n.mu.Lock()
	n.self, n.notes, n.ready = self, notesID, true
	n.mu.Unlock()
	n.start(notes)
	n.renewOwn(n.nowMS()) // its first last-resort packages; what fails is done at the next start
	n.hub.publish(StatusChanged{})
	return nil
}

// start gives a machine that is durable its owner.
func (n *Node) start(m *group.Machine) *owner {
	o := n.newOwner(m)
	n.mu.Lock()
	n.owners[o.id] = o
	n.runOwner(o)
	n.mu.Unlock()
	for _, s := range n.liveSessions() {
		o.peerUp(s)
	}
	n.tellReach(o)
	n.describe(o)
	n.mailSoon()
	n.shareSoon()
	n.bringSoon()
	n.hub.publish(ChatChanged{o.id})
	return o
}

// tell posts a cause if there is a goroutine and a machine to take it; a node that
// does not run yet says it all when it starts, and an owner when it has its machine.
func (o *owner) tell(c group.Cause) {
	o.n.mu.Lock()
	runs := o.started && o.opened
	o.n.mu.Unlock()
	if runs {
		o.post(func() { _ = o.step(c) })
	}
}

// peerUp tells of a session, unless it is over by then: of two sessions with one
// device, the machine hears last of the one that stays.
func (o *owner) peerUp(s *peer.Session) {
	who := s.Remote()
	o.post(func() {
		if o.n.sessionWith(who.Device) == s {
			_ = o.step(group.PeerUp{Peer: who})
			o.castStep(peer.PeerUp{Device: who.Device})
		}
	})
}

// peerDown tells that a device has no session any more.
func (o *owner) peerDown(d wire.DeviceID) {
	o.post(func() {
		if o.n.sessionWith(d) == nil {
			_ = o.step(group.PeerDown{Device: d})
			o.castStep(peer.PeerDown{Device: d})
		}
	})
}

// adopt writes a new machine's first effects and starts it.
func (n *Node) adopt(m *group.Machine, eff group.Effects, with also) error {
	o := n.newOwner(m)
	if err := o.commit([]group.Effects{eff}, with.reading(m)); err != nil {
		return storeError(err)
	}
	if m.Device() != n.me().Device.ID() { // an earlier device of this home was meant
		n.restore(o.id)
		return nil
	}
	n.start(m)
	return nil
}

// reach tells every group and friend where this node's link is now.
func (n *Node) reach() {
	for _, o := range n.allOwners() {
		n.tellReach(o)
	}
	for _, s := range n.liveSessions() {
		n.greet(s)
	}
}

// describe tells a group's members this person's chain and the last-resort key
// packages that it names: by them anybody can start the keys anew.
func (n *Node) describe(o *owner) {
	o.tell(n.ownPerson())
}

func (n *Node) ownPerson() group.SetPerson {
	n.mu.Lock()
	defer n.mu.Unlock()
	return group.SetPerson{Headers: n.self.Headers, Packages: n.resorts}
}

func (n *Node) describeAll() {
	for _, o := range n.allOwners() {
		n.describe(o)
	}
}

// tellReach tells a group's members, unless its setting keeps the address to
// friends: then they are told once that there is none any more.
func (n *Node) tellReach(o *owner) {
	o.tell(n.ownReach(o))
}

func (n *Node) ownReach(o *owner) group.SetReach {
	at, boxes := n.address(), n.boxHosts()
	hosts := slices.Concat(at.Hosts[:min(len(at.Hosts), dag.MaxHosts-len(boxes))], boxes)
	if n.setting(o.id).OnlyFriends {
		return group.SetReach{Peer: at.Peer, Expiry: n.linkExpiry(), Withdraw: true}
	}
	return group.SetReach{Peer: at.Peer, Hosts: hosts, Expiry: n.linkExpiry()}
}

func (n *Node) setting(g wire.GroupID) chatSetting {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.settings[g]
}

func (n *Node) setSetting(g wire.GroupID, to chatSetting) (before chatSetting) {
	n.mu.Lock()
	defer n.mu.Unlock()
	before, n.settings[g] = n.settings[g], to
	n.kickDialer() // it may say who is dialled
	return before
}

// CreateGroup makes a group with friends; each of them is invited.
func (n *Node) CreateGroup(title string, people []wire.PersonID) (wire.GroupID, error) {
	if !n.Ready() {
		return wire.GroupID{}, fail(ReasonNoIdentity, "")
	}
	if err := n.takesPart(); err != nil {
		return wire.GroupID{}, err
	}
	n.making.RLock() // or it were of a device that this home has no more
	defer n.making.RUnlock()
	var g wire.GroupID
	err := n.withNewcomers(people, group.NewSuite, func(newcomers []group.Newcomer, take []edit) error {
		m, eff, err := group.Create(n.me(), group.CreateParams{Title: title, Newcomers: newcomers}, n.nowMS())
		if err != nil {
			return err
		}
		g = m.Group()
		return n.adopt(m, eff, also{edits: take})
	})
	if err != nil {
		return wire.GroupID{}, err
	}
	return g, nil
}

// in returns the owner of a chat.
func (n *Node) in(g wire.GroupID) (*owner, error) {
	if !n.Ready() {
		return nil, fail(ReasonNoIdentity, "")
	}
	o := n.owner(g)
	if o == nil {
		return nil, fail(ReasonUnknown, g.String())
	}
	return o, nil
}

func (n *Node) inGroup(g wire.GroupID, c group.Cause) error {
	o, err := n.in(g)
	if err != nil {
		return err
	}
	return o.do(c)
}

// AcceptGroup accepts an invitation. With onlyFriends the other members do not
// learn this machine's address and are not dialled: messages come through
// friends alone.
func (n *Node) AcceptGroup(g wire.GroupID, onlyFriends bool) error {
	o, err := n.in(g)
	if err != nil {
		return err
	}
	if o.picture.Load().view.Status != group.StatusInvited {
		return fail(ReasonNotInvited, o.picture.Load().view.Title)
	}
	setting := chatSetting{OnlyFriends: onlyFriends}
	err = o.ask(func() error {
		before := n.setSetting(g, setting) // first: who is a member is dialled at once
		err := o.stepAlso(group.Accept{}, also{write: func(tx *store.Tx) error { return n.putChosen(tx, g, setting, true) }})
		if err != nil {
			n.setSetting(g, before)
		}
		return err
	})
	if err != nil {
		return err
	}
	n.tellReach(o)
	n.kickDialer()
	n.shareSoon()
	n.bringSoon()
	n.hub.publish(ChatChanged{g})
	return nil
}

// putChosen stores what was chosen of a chat, and that its invitation was accepted, for
// this device and the person's others.
func (n *Node) putChosen(tx *store.Tx, g wire.GroupID, c chatSetting, accepted bool) error {
	if err := putJSON(tx, bucketChat, g[:], c); err != nil {
		return err
	}
	if accepted {
		if err := n.share(tx, sharedStanding, g[:]); err != nil {
			return err
		}
	}
	return n.share(tx, sharedChoice, g[:])
}

// SetOnlyFriends is the choice of AcceptGroup, made anew. Who has learned the address already is
// told that it counts no more, and may keep it.
func (n *Node) SetOnlyFriends(g wire.GroupID, on bool) error {
	o, err := n.in(g)
	if err != nil {
		return err
	}
	if v := o.picture.Load().view; v.Direct || v.Status != group.StatusActive {
		return fail(ReasonNoGroup, "")
	}
	err = o.ask(func() error {
		setting := n.setting(g)
		setting.OnlyFriends = on
		if err := n.db.Update(func(tx *store.Tx) error { return n.putChosen(tx, g, setting, false) }); err != nil {
			return storeError(err)
		}
		n.setSetting(g, setting)
		return nil
	})
	if err != nil {
		return err
	}
	n.tellReach(o)
	n.mailSoon()
	n.shareSoon()
	n.hub.publish(ChatChanged{g})
	return nil
}

// AddMembers adds friends to a group.
func (n *Node) AddMembers(g wire.GroupID, people []wire.PersonID) error {
	o, err := n.in(g)
	if err != nil {
		return err
	}
	return n.withNewcomers(people, o.picture.Load().view.Suite, func(newcomers []group.Newcomer, take []edit) error {
		return o.ask(func() error { return o.stepAlso(group.Invite{Newcomers: newcomers}, also{edits: take}) })
	})
}

// spawnRepropose invites people again whose addition a fork undid, each by itself: for
// one of them there may be no key package. Who cannot be invited now can at the
// group's next change.
func (n *Node) spawnRepropose(g wire.GroupID, people []wire.PersonID) {
	n.spawn(func(context.Context) {
		for _, p := range people {
			if err := n.AddMembers(g, []wire.PersonID{p}); err != nil {
				n.log.Info("not added again after a fork", "group", shortGroup(g), "err", err)
			}
		}
	})
}

// Resend answers whether the messages of Chat.Unasked go to the people who came
// after they were written.
func (n *Node) Resend(g wire.GroupID, yes bool) error { return n.inGroup(g, group.Resend{Yes: yes}) }

// RemoveMember takes somebody out of a group.
func (n *Node) RemoveMember(g wire.GroupID, p wire.PersonID) error {
	return n.inGroup(g, group.Remove{Person: p})
}

// SetRole makes a member an admin, or an admin a member.
func (n *Node) SetRole(g wire.GroupID, p wire.PersonID, admin bool) error {
	role := chain.RoleMember
	if admin {
		role = chain.RoleAdmin
	}
	return n.inGroup(g, group.SetRole{Person: p, Role: role})
}

// Rejoin gets new keys for a chat that this device has none for, also where it
// does not do so by itself: whose program does not read the Unpark is shut out
// until they update.
func (n *Node) Rejoin(g wire.GroupID) error { return n.inGroup(g, group.Rejoin{}) }

// SetTitle gives a group another title.
func (n *Node) SetTitle(g wire.GroupID, title string) error {
	return n.inGroup(g, group.SetTitle{Title: title})
}

// RestartKeys starts the keys of a group anew: with every member's device whose
// last-resort key package is here. The others come back by themselves. With
// postQuantum they are post-quantum from then on, where they were not.
func (n *Node) RestartKeys(g wire.GroupID, postQuantum bool) error {
	c := group.Restart{}
	if postQuantum {
		c.Suite = group.NewSuite
	}
	return n.inGroup(g, c)
}

// RenewKeys renews this device's part of a group's keys, after which whoever had
// stolen it before reads nothing new.
func (n *Node) RenewKeys(g wire.GroupID) error { return n.inGroup(g, group.Rekey{}) }
