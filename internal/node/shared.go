package node

import (
	"slices"

	"kith/internal/chain"
	"kith/internal/group"
	"kith/internal/identity"
	"kith/internal/wire"
)

// What own devices tell each other: records, by which each knows friends, chats and devices
// as the others do (docs/spec/own.md). Numbers are on the wire: append only.
//
//	size field
//	1    kind
//	V    key: of 1 a person, of 2, 3, 4 and 6 a group, of 5 a device; 32 bytes
//	8    stamp, ms: of two of one kind and key the later counts, of two with one stamp the one
//	     with the greater value
//	V    value, by kind; empty: it is forgotten
type sharedKind uint8

const (
	sharedFriend   sharedKind = 1 // see sharedContact
	sharedChoice   sharedKind = 2 // u8: bit 0, only through friends
	sharedRead     sharedKind = 3 // place up to which a chat was read: u64 order, device 32, u64 seq, hash 16
	sharedDraft    sharedKind = 4 // V text, vector of places: what it answers, at most one
	sharedDevice   sharedKind = 5 // V name, and see sharedContact.device: at most one
	sharedStanding sharedKind = 6 // u8: 1 the invitation to a group was accepted, 2 declined
)

// Bounds of a record, in bytes.
const (
	maxSharedValue = 60 << 10 // with what stands around it a content holds one
	maxSharedTold  = 1 << 20  // of the value of one that is told while a device is linked
	maxSharedAll   = 64 << 20 // of all that is told then: 10,000 friends of 6 KiB
	maxDevices     = 16       // of a person, as its chain admits
)

// sharedRecord is one of them.
type sharedRecord struct {
	kind  sharedKind
	key   [32]byte
	stamp uint64 // ms
	value []byte
}

func (s sharedRecord) write(w *wire.Writer) {
	w.U8(uint8(s.kind))
	w.Vec(s.key[:])
	w.U64(s.stamp)
	w.Vec(s.value)
}

// readShared reads records to the end. Those of an unknown kind are kept: a program that
// knows it may come.
func readShared(b []byte, most int) (list []sharedRecord, err error) {
	r := wire.NewReader(b)
	for !r.Empty() {
		s := sharedRecord{kind: sharedKind(r.U8())}
		key := r.Vec(len(s.key))
		if len(key) != len(s.key) {
			r.Fail(wire.ErrCanonical)
		}
		copy(s.key[:], key)
		s.stamp = r.U64()
		s.value = slices.Clone(r.Vec(most))
		list = append(list, s)
	}
	return list, r.Done()
}

// sharedContact is what is told of a friend, but for what is of one device alone.
//
//	size field
//	1    state, as FriendState
//	8    since, ms
//	V    identity.Info, empty: not known
//	V    headers of its person chain, each V; none: those that are known
//	32   direct chat, zero: there is none
//	V    devices, each:
//	     V  key 32, V knock key 1216, V link peer id, V hosts each V, V rendezvous secret: 32 bytes or none
type sharedContact struct {
	state   FriendState
	since   uint64
	info    []byte
	headers [][]byte
	chat    wire.GroupID
	devices []metDevice
}

func (c sharedContact) bytes() []byte {
	var w wire.Writer
	w.U8(uint8(c.state))
	w.U64(c.since)
	w.Vec(c.info)
	writeVector(&w, c.headers)
	w.Raw(c.chat[:])
	w.Group(func(w *wire.Writer) {
		for _, d := range c.devices {
			writeDevice(w, d)
		}
	})
	return w.Bytes()
}

func parseSharedContact(b []byte) (c sharedContact, err error) {
	r := wire.NewReader(b)
	c.state = FriendState(r.U8())
	c.since = r.U64()
	c.info = slices.Clone(r.Vec(identity.MaxInfo))
	c.headers = readVector(r, maxOwnHeaders, chain.MaxProofHeaders, chain.MaxHeader)
	r.Fixed(c.chat[:])
	r.Each(maxSharedTold, maxDevices, func(r *wire.Reader) { c.devices = append(c.devices, readDevice(r)) })
	if c.state < FriendAsked || c.state > FriendBlocked {
		r.Fail(wire.ErrCanonical)
	}
	return c, r.Done()
}

func writeDevice(w *wire.Writer, d metDevice) {
	w.Vec(d.Key)
	w.Vec(d.Knock)
	w.Vec(d.Peer)
	w.Group(func(w *wire.Writer) {
		for _, h := range d.Hosts {
			w.Vec([]byte(h))
		}
	})
	w.Vec(d.Theirs)
}

func readDevice(r *wire.Reader) (d metDevice) {
	d.Key = slices.Clone(r.Vec(32))
	d.Knock = slices.Clone(r.Vec(chain.KnockKeySize))
	d.Peer = slices.Clone(r.Vec(maxOwnPeer))
	r.Each(maxOwnHosts*(maxOwnHost+2), maxOwnHosts, func(r *wire.Reader) { d.Hosts = append(d.Hosts, string(r.Vec(maxOwnHost))) })
	d.Theirs = slices.Clone(r.Vec(32))
	if len(d.Key) != 32 || len(d.Knock) != chain.KnockKeySize || len(d.Theirs) != 0 && len(d.Theirs) != 32 {
		r.Fail(wire.ErrCanonical)
	}
	return d
}

// sharedName is what is told of an own device.
type sharedName struct {
	name   string
	device []metDevice // none: it is the one that tells, or was not met
}

func (s sharedName) bytes() []byte {
	var w wire.Writer
	w.Vec([]byte(s.name))
	w.Group(func(w *wire.Writer) {
		for _, d := range s.device {
			writeDevice(w, d)
		}
	})
	return w.Bytes()
}

func parseSharedName(b []byte) (s sharedName, err error) {
	r := wire.NewReader(b)
	s.name = string(r.Vec(maxDeviceName))
	r.Each(maxSharedValue, 1, func(r *wire.Reader) { s.device = append(s.device, readDevice(r)) })
	return s, r.Done()
}

func writePlace(w *wire.Writer, p group.Place) {
	w.U64(p.Order)
	w.Raw(p.Device[:])
	w.U64(p.Seq)
	w.Raw(p.Hash[:])
}

func readPlace(r *wire.Reader) (p group.Place) {
	p.Order = r.U64()
	r.Fixed(p.Device[:])
	p.Seq = r.U64()
	r.Fixed(p.Hash[:])
	return p
}

func draftBytes(d Draft) []byte {
	var w wire.Writer
	w.Vec([]byte(d.Text))
	w.Group(func(w *wire.Writer) {
		if d.ReplyTo != nil {
			writePlace(w, *d.ReplyTo)
		}
	})
	return w.Bytes()
}

func parseDraft(b []byte) (d Draft, err error) {
	r := wire.NewReader(b)
	d.Text = string(r.Vec(maxSharedValue))
	r.Each(maxSharedValue, 1, func(r *wire.Reader) {
		p := readPlace(r)
		d.ReplyTo = &p
	})
	return d, r.Done()
}
