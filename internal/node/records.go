package node

import (
	"crypto/ed25519"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"kith/internal/group"
	"kith/internal/identity"
	"kith/internal/peer"
	"kith/internal/store"
	"kith/internal/wire"
)

// What the node keeps beside its groups, by bucket of the store.
const (
	bucketSelf    = "self"    // device, person, phrase, notes, link key
	bucketFriend  = "friend"  // person id: friend
	bucketLink    = "link"    // tag: ownLink
	bucketPackage = "package" // KeyPackageRef: ownPackage
	bucketGiven   = "given"   // see givenKey: which of them a person was given
	bucketChat    = "chat"    // group id: chatSetting
	bucketDraft   = "draft"   // group id: Draft
	bucketTaken   = "taken"   // group id: u64 ms, see taken.go
	bucketAhead   = "ahead"   // group id: []aheadSpan
	bucketDrop    = "drop"    // group id, block: dropRecord
	bucketMail    = "mail"    // group id, boxID: mailState
	bucketTold    = "told"    // boxID, device id: it knows of that own mailbox, see mailtold.go
	bucketDevice  = "device"  // device id: what the person calls this own device
	bucketShared  = "shared"  // sharedKind, key: sharedStamp, see sharing.go
	bucketTidings = "tidings" // entry key: what another own device said, to be taken over, see sharing.go
	bucketMet     = "met"     // device id: it knows the key that this home has by now, see copy.go
)

// Keys of bucketSelf.
const (
	keyDevice   = "device"
	keyPerson   = "person"
	keyPhrase   = "phrase"
	keyLinkKey  = "link key"
	keyFormer   = "former"    // earlier devices of this home, newest first
	keySettings = "settings"  // Settings
	keyPage     = "page key"  // see PageKey
	keyRevoked  = "revoked"   // there: another copy of this home has revoked its key
	keyRelay    = "relay key" // see ticketOf; there: this node carries for friends
	keyBoxes    = "mailboxes" // []string: texts of own mailboxes
	keyMapNonce = "map nonce" // see mapNonce
	keyDHTNodes = "dht nodes" // addresses of nodes of the DHT that answered last
)

// selfRecord is who this device belongs to.
type selfRecord struct {
	Person  []byte
	Headers [][]byte
	Info    []byte
	Notes   []byte
	Resorts [][]byte // the last-resort key packages that the newest headers name
}

// friend is everything kept of a friend. It is replaced as a whole.
type friend struct {
	Person  wire.PersonID `json:"-"`
	State   FriendState
	Since   uint64       // ms
	Info    []byte       // identity.Info of its name, as it was told last
	Headers [][]byte     // of its person chain, likewise
	Devices []metDevice  // those that were met and are active by Headers, the first that was met first
	Given   [][]byte     // key packages of ours that they were offered and may not have
	Link    string       // the contact link I opened, until it was answered; of a friend it says where they are now
	Chat    wire.GroupID // the direct chat
	Opener  bool         // I make the direct chat
	Secret  []byte       `json:",omitempty"` // by which they find this device at the rendezvous

	oneDevice // of programs before a friend had several

	print string // the fingerprint once it was asked for, as it is slow to make; guarded by Node.mu
}

// metDevice is a device of a friend's that was met.
type metDevice struct {
	Key      []byte       // that it signs with
	Knock    []byte       // that knocks are sealed to
	Peer     []byte       // where its link is, as it was told last
	Hosts    []string     // likewise
	Packages [][]byte     // key packages of its that are left to use, oldest first, each for one group
	Resorts  [][]byte     // its last-resort key packages, which friend.Headers name
	Able     bool         // its program reads what ownAble says; as its newest hello told
	Theirs   []byte       `json:",omitempty"` // by which this device finds it at the rendezvous
	Told     []byte       `json:",omitempty"` // digest of the own address that it was told last, see finder.go
	Relay    *relayRecord `json:",omitempty"` // by which it has offered to carry
}

func (d *metDevice) id() wire.DeviceID { return wire.Device(d.Key) }

// oneDevice is what homes kept of a friend that was met at one device alone.
type oneDevice struct {
	Device   []byte       `json:",omitempty"` // its key
	Card     []byte       `json:",omitempty"` // peer.Card without its key packages
	Packages [][]byte     `json:",omitempty"`
	Able     bool         `json:",omitempty"`
	Resorts  [][]byte     `json:",omitempty"`
	Theirs   []byte       `json:",omitempty"`
	Told     []byte       `json:",omitempty"`
	Relay    *relayRecord `json:",omitempty"`
}

// takeOver makes of a friend with one device one with several.
func (f *friend) takeOver() error {
	old := f.oneDevice
	f.oneDevice = oneDevice{}
	if len(old.Card) == 0 {
		return nil
	}
	card, err := peer.ParseCard(old.Card)
	if err != nil {
		return err
	}
	if len(old.Device) != ed25519.PublicKeySize {
		return store.ErrDamaged
	}
	if f.Info = card.Info; len(f.Headers) == 0 {
		f.Headers = card.Headers
	}
	f.Devices = []metDevice{{
		Key: old.Device, Knock: card.KnockKey, Peer: card.Peer, Hosts: card.Hosts, Packages: old.Packages, Resorts: old.Resorts,
		Able: old.Able, Theirs: old.Theirs, Told: old.Told, Relay: old.Relay,
	}}
	return nil
}

// ownLink is a contact link of one's own.
type ownLink struct {
	Secret []byte
	Expiry uint64 // s
	By     []byte // the person that used it
	Told   []byte `json:",omitempty"` // digest of the own address that stands in it
}

// ownPackage is the private part of a key package of one's own.
type ownPackage struct {
	Secrets []byte
	Expiry  uint64 // s; it goes then, unless it is void before
	For     []byte // the person it was given to
	Spent   *spent `json:",omitempty"` // nil: it has opened no Welcome yet

	LastResort bool `json:",omitempty"` // given to every friend, and used more than once
}

// spent says what a key package was used for, so that it opens nothing else.
type spent struct {
	Parent []byte   // of the first block whose Welcome it opened
	Blocks [][]byte // the blocks, oldest first
}

// chatSetting is what the person chose for one chat.
type chatSetting struct {
	OnlyFriends bool // see AcceptGroup
}

// linkKey is the key of the Internet link, renewed at a start every linkKeyLife.
type linkKey struct {
	Seed []byte
	Made uint64 // ms
	Port int    // at which it listened last
}

// device returns a friend's device, nil if it was not met.
func (f *friend) device(d wire.DeviceID) *metDevice {
	i := slices.IndexFunc(f.Devices, func(m metDevice) bool { return m.id() == d })
	if i < 0 {
		return nil
	}
	return &f.Devices[i]
}

// met reports whether a device of the friend's has answered at least once.
func (f *friend) met() bool { return len(f.Devices) > 0 }

func (f *friend) member(d *metDevice) wire.Member {
	return wire.Member{Person: f.Person, Device: d.id()}
}

// trusted reports whether its devices are told what friends are told of this one.
func (f *friend) trusted() bool { return f.State == FriendFriend || f.State == friendSelf }

func (f *friend) name() string {
	info, err := identity.ParseInfo(f.Info)
	if err != nil {
		return ""
	}
	return info.Name
}

func (f *friend) put(tx *store.Tx) error { return putJSON(tx, bucketFriend, f.Person[:], f) }

func putJSON(tx *store.Tx, bucket string, key []byte, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("node: record: %w", err)
	}
	return tx.Put(bucket, key, b)
}

func getJSON(tx *store.Tx, bucket string, key []byte, v any) (bool, error) {
	b, ok, err := tx.Get(bucket, key)
	if err != nil || !ok {
		return false, err
	}
	if err := json.Unmarshal(b, v); err != nil {
		return false, fmt.Errorf("node: record: %w", err)
	}
	return true, nil
}

// load reads everything but messages.
func (n *Node) load() error {
	if err := n.db.View(n.loadRecords); err != nil {
		return err
	}
	if err := n.sweep(n.nowMS()); err != nil && !errors.Is(err, store.ErrFull) {
		return err
	}
	if !n.ready {
		return nil
	}
	ids, err := n.db.Groups()
	if err != nil {
		return err
	}
	sketches, err := n.sketches()
	if err != nil {
		return err
	}
	for _, id := range ids {
		if id == wire.GroupID(n.self.Person) {
			continue // the person's own chain has no machine yet
		}
		if p := sketches[id]; p != nil {
			n.owners[id] = n.newSketched(id, p)
			continue
		}
		m, err := n.loadMachine(id)
		if err != nil { // its records stay, for a program that can read them
			n.log.Error("cannot load", "group", shortGroup(id), "err", err)
			n.damaged = append(n.damaged, id)
			continue
		}
		n.owners[id] = n.newOwner(m)
	}
	for _, f := range n.friends {
		if n.owners[f.Chat] == nil && !slices.Contains(n.damaged, f.Chat) { // given up for another, which did not come
			f.Chat = wire.GroupID{}
		}
	}
	return nil
}

func (n *Node) sweep(now uint64) error {
	return n.db.Update(func(tx *store.Tx) error { return sweepPackages(tx, now) })
}

func (n *Node) loadRecords(tx *store.Tx) error {
	device, ok, err := tx.Get(bucketSelf, []byte(keyDevice))
	if err != nil || !ok {
		return err
	}
	var rec selfRecord
	found, err := getJSON(tx, bucketSelf, []byte(keyPerson), &rec)
	if err != nil {
		return err
	}
	d, err := identity.ParseDevice(device)
	if err != nil || !found || len(rec.Person) != 32 || len(rec.Notes) != 32 {
		return errors.Join(store.ErrDamaged, err)
	}
	n.self = group.Self{Device: d, Person: wire.PersonID(rec.Person), Headers: rec.Headers, Info: rec.Info, Omits: n.cfg.Omits}
	if err := n.getFormer(tx); err != nil {
		return err
	}
	n.resorts = rec.Resorts
	n.notes = wire.GroupID(rec.Notes)
	n.ready = true

	friends, err := tx.List(bucketFriend, nil)
	if err != nil {
		return err
	}
	for _, p := range friends {
		f := new(friend)
		if err := json.Unmarshal(p.Value, f); err != nil || len(p.Key) != 32 {
			return errors.Join(store.ErrDamaged, err)
		}
		f.Person = wire.PersonID(p.Key)
		if err := f.takeOver(); err != nil {
			return errors.Join(store.ErrDamaged, err)
		}
		if f.State == friendSelf {
			n.own = f
			continue
		}
		n.friends[f.Person] = f
	}
	n.copied = len(n.OldKeys()) > 0 // until they are revoked
	if n.ownTold, err = readTold(tx); err != nil {
		return err
	}
	links, err := tx.List(bucketLink, nil)
	if err != nil {
		return err
	}
	for _, p := range links {
		l := new(ownLink)
		if err := json.Unmarshal(p.Value, l); err != nil || len(p.Key) != 16 {
			return errors.Join(store.ErrDamaged, err)
		}
		n.links[[16]byte(p.Key)] = l
	}
	came, err := tx.List(bucketTaken, nil)
	if err != nil {
		return err
	}
	for _, p := range came { // it was here then; later nothing is known to have come
		if len(p.Value) == 8 {
			n.alone = max(n.alone, binary.BigEndian.Uint64(p.Value))
		}
	}
	settings, err := tx.List(bucketChat, nil)
	if err != nil {
		return err
	}
	for _, p := range settings {
		var c chatSetting
		if err := json.Unmarshal(p.Value, &c); err != nil || len(p.Key) != 32 {
			return errors.Join(store.ErrDamaged, err)
		}
		n.settings[wire.GroupID(p.Key)] = c
	}
	return nil
}

func (n *Node) loadMachine(id wire.GroupID) (*group.Machine, error) {
	return group.LoadBy(n.me(), func(k group.Kind, from []byte, each func(group.Record) error) error {
		return n.db.LoadFrom(id, k, from, each)
	})
}

// storeError tells a full disk from other failures.
func storeError(err error) error {
	if errors.Is(err, store.ErrFull) {
		return &Error{Reason: ReasonFull, Err: err}
	}
	return err
}
