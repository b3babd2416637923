package node

import (
	"bytes"
	"encoding/json"
	"slices"

	"kith/internal/chain"
	"kith/internal/group"
	"kith/internal/store"
	"kith/internal/wire"
)

// What own devices tell each other, as it is made and taken over: shared.go has the bytes.

// sharedValue is what is told of one key, as it stands now.
func (n *Node) sharedValue(k sharedKind, key [32]byte) ([]byte, error) {
	switch k {
	case sharedFriend:
		return n.sharedFriend(key), nil
	case sharedChoice:
		var w wire.Writer
		w.Bool(n.setting(key).OnlyFriends)
		return w.Bytes(), nil
	case sharedRead:
		to, err := n.db.LastRead(key)
		if err != nil {
			return nil, err
		}
		var w wire.Writer
		writePlace(&w, to)
		return w.Bytes(), nil
	case sharedDraft:
		d, err := n.draft(key)
		return draftBytes(d), err
	case sharedDevice:
		return n.sharedDevice(key), nil
	case sharedStanding:
		return n.sharedStanding(key), nil
	}
	return nil, nil
}

// sharedFriend is what is told of a friend. The person's headers are left out where a
// message could not hold them: a device learns them when it meets the friend.
func (n *Node) sharedFriend(p wire.PersonID) []byte {
	n.mu.Lock()
	f := n.friends[p]
	n.mu.Unlock()
	if f == nil {
		return nil
	}
	c := f.shared()
	if b := c.bytes(); len(b) <= maxSharedValue {
		return b
	}
	c.headers = nil
	return c.bytes()
}

func (f *friend) shared() sharedContact {
	return sharedContact{state: f.State, since: f.Since, info: f.Info, headers: f.Headers, chat: f.Chat, devices: f.Devices}
}

// tellsAnew reports whether a friend is another than before for other own devices. Where
// friends are changes often, and each device is told by them.
func tellsAnew(before, after *friend) bool {
	if before == nil || after == nil {
		return before != after
	}
	same := func(a, b metDevice) bool { return bytes.Equal(a.Key, b.Key) && bytes.Equal(a.Theirs, b.Theirs) }
	return before.State != after.State || before.Chat != after.Chat || !bytes.Equal(before.Info, after.Info) ||
		!slices.EqualFunc(before.Devices, after.Devices, same)
}

func (n *Node) sharedDevice(d wire.DeviceID) []byte {
	s := sharedName{name: n.deviceName(d)}
	self, at := n.me(), n.address()
	if d == self.Device.ID() {
		hosts := at.Hosts[:min(len(at.Hosts), maxOwnHosts)]
		s.device = []metDevice{{Key: self.Device.PublicKey(), Knock: self.Device.KnockKey(), Peer: at.Peer, Hosts: hosts}}
		return s.bytes()
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.own != nil {
		if m := n.own.device(d); m != nil {
			s.device = []metDevice{{Key: m.Key, Knock: m.Knock, Peer: m.Peer, Hosts: m.Hosts}}
		}
	}
	return s.bytes()
}

// Standings of the own person in a group.
const (
	standingAccepted uint8 = 1
	standingDeclined uint8 = 2
)

func (n *Node) sharedStanding(g wire.GroupID) []byte {
	o := n.owner(g)
	if o == nil {
		return nil
	}
	switch o.picture.Load().view.Status {
	case group.StatusActive:
		return []byte{standingAccepted}
	case group.StatusDeclined:
		return []byte{standingDeclined}
	}
	return nil
}

// takeOver takes over what another own device has told; false: what it is about is not
// here yet.
func (n *Node) takeOver(s sharedRecord) bool {
	newer, err := n.isNewer(s)
	if err != nil {
		n.log.Error("cannot read", "err", err)
		return true
	}
	if !newer {
		return true
	}
	switch s.kind {
	case sharedChoice, sharedRead, sharedDraft, sharedStanding:
		if n.owner(s.key) == nil {
			return false
		}
	}
	if err := n.takeOverNow(s); err != nil {
		n.log.Info("what another device told is not taken over", "kind", s.kind, "err", err)
	}
	return true
}

// isNewer reports whether a record counts, and not what is here.
func (n *Node) isNewer(s sharedRecord) (bool, error) {
	var was sharedStamp
	err := n.db.View(func(tx *store.Tx) (err error) {
		was, err = getStamp(tx, s.kind, s.key[:])
		return err
	})
	if err != nil || was.at != s.stamp {
		return s.stamp > was.at, err
	}
	mine, err := n.sharedValue(s.kind, s.key)
	return bytes.Compare(s.value, mine) > 0, err
}

// takeOverNow does so in one transaction with the stamp.
func (n *Node) takeOverNow(s sharedRecord) error {
	stamp := func(tx *store.Tx) error {
		return putStamp(tx, s.kind, s.key[:], sharedStamp{at: s.stamp, told: true})
	}
	switch s.kind {
	case sharedFriend:
		return n.takeFriend(s, stamp)
	case sharedChoice:
		return n.takeChoice(s, stamp)
	case sharedRead:
		return n.takeRead(s, stamp)
	case sharedDraft:
		return n.takeDraft(s, stamp)
	case sharedDevice:
		return n.takeDevice(s, stamp)
	case sharedStanding:
		return n.takeStanding(s, stamp)
	}
	return nil
}

func (n *Node) takeFriend(s sharedRecord, stamp func(*store.Tx) error) error {
	p := wire.PersonID(s.key)
	if len(s.value) == 0 {
		_, err := n.updateFriendAlso(p, func(*friend) (bool, error) { return false, nil }, stamp)
		if err == nil {
			n.dropPerson(p)
		}
		return err
	}
	c, err := parseSharedContact(s.value)
	if err != nil || p == n.me().Person {
		return err
	}
	f, err := n.updateFriendAlso(p, func(f *friend) (bool, error) { return true, n.mergeFriend(f, c) }, stamp)
	if err != nil {
		return err
	}
	if f.State == FriendBlocked {
		n.dropPerson(p)
	}
	n.showInvitations(p)
	n.spawnOpen(p)
	n.greetPerson(p)
	return nil
}

// mergeFriend takes over what another own device knows of a friend.
func (n *Node) mergeFriend(f *friend, c sharedContact) error {
	var state *chain.State
	if len(c.headers) > 0 {
		told, id, err := group.PersonState(c.headers)
		if err != nil || id != f.Person {
			return errNews
		}
		if beginsWith(c.headers, f.Headers) || group.PersonAbove(c.headers, f.Headers) {
			f.Headers, state = c.headers, told
		}
	}
	if len(c.info) > 0 {
		f.Info = c.info
	}
	if f.State == FriendAsking && c.state == FriendFriend && c.chat == (wire.GroupID{}) && f.Chat == c.chat {
		f.Opener = true // the request came here, and so did what opens the chat
	}
	f.State, f.Since = c.state, c.since
	if c.chat != (wire.GroupID{}) {
		f.Chat, f.Opener = c.chat, false
	}
	for _, d := range c.devices {
		switch m := f.device(d.id()); {
		case m == nil:
			d.Able = true
			f.Devices = append(f.Devices, d)
		case len(m.Theirs) == 0:
			m.Theirs = d.Theirs
		}
	}
	if state != nil {
		f.keepActive(state)
	}
	return nil
}

func (n *Node) takeChoice(s sharedRecord, stamp func(*store.Tx) error) error {
	r := wire.NewReader(s.value)
	g, setting := wire.GroupID(s.key), n.setting(s.key)
	if setting.OnlyFriends = r.Bool(); r.Done() != nil {
		return r.Done()
	}
	err := n.db.Update(func(tx *store.Tx) error {
		if err := putJSON(tx, bucketChat, g[:], setting); err != nil {
			return err
		}
		return stamp(tx)
	})
	if err != nil {
		return err
	}
	n.setSetting(g, setting)
	if o := n.owner(g); o != nil {
		n.tellReach(o)
	}
	n.hub.publish(ChatChanged{g})
	return nil
}

func (n *Node) takeRead(s sharedRecord, stamp func(*store.Tx) error) error {
	r := wire.NewReader(s.value)
	to := readPlace(r)
	if err := r.Done(); err != nil {
		return err
	}
	if err := n.db.SetLastRead(s.key, to); err != nil {
		return err
	}
	if o := n.owner(s.key); o != nil {
		o.tellRead(nil)
	}
	n.hub.publish(ChatChanged{s.key})
	return n.db.Update(stamp)
}

func (n *Node) takeDraft(s sharedRecord, stamp func(*store.Tx) error) error {
	d, err := parseDraft(s.value)
	if err != nil {
		return err
	}
	b, err := json.Marshal(draftRecord{d, s.stamp})
	if err != nil {
		return err
	}
	err = n.db.Update(func(tx *store.Tx) error {
		if err := tx.Put(bucketDraft, s.key[:], b); err != nil {
			return err
		}
		return stamp(tx)
	})
	if err == nil {
		n.hub.publish(ChatChanged{s.key})
	}
	return err
}

// takeDevice takes over what an own device is called, and of one that another has linked
// by what it is met.
func (n *Node) takeDevice(s sharedRecord, stamp func(*store.Tx) error) error {
	told, err := parseSharedName(s.value)
	if err != nil {
		return err
	}
	name := func(tx *store.Tx) error {
		if err := tx.Put(bucketDevice, s.key[:], []byte(told.name)); err != nil {
			return err
		}
		return stamp(tx)
	}
	if len(told.device) == 0 || n.ownKey(s.key) || told.device[0].id() != wire.DeviceID(s.key) {
		err = n.db.Update(name)
	} else {
		_, err = n.updateFriendAlso(n.me().Person, func(f *friend) (bool, error) {
			f.meetOwn(told.device[0])
			return true, nil
		}, name)
	}
	if err == nil {
		n.hub.publish(StatusChanged{})
		n.bringSoon()
	}
	return err
}

// meetOwn takes an own device over, unless it is known.
func (f *friend) meetOwn(d metDevice) {
	f.State = friendSelf
	if f.device(d.id()) == nil {
		d.Able = true
		f.Devices = append(f.Devices, d)
	}
}

// takeStanding answers an invitation as the person has done at another device.
func (n *Node) takeStanding(s sharedRecord, stamp func(*store.Tx) error) error {
	o := n.owner(s.key)
	if o == nil || len(s.value) != 1 || o.picture.Load().view.Status != group.StatusInvited {
		return n.db.Update(stamp)
	}
	var err error
	switch s.value[0] {
	case standingAccepted:
		err = o.ask(func() error { return o.stepAlso(group.Accept{}, also{write: stamp}) })
	case standingDeclined: // the device that did so leaves for the whole person
		err = n.db.Update(stamp)
	}
	if err == nil {
		n.tellReach(o)
		n.kickDialer()
		n.hub.publish(ChatChanged{o.id})
	}
	return err
}
