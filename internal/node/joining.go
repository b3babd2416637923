package node

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"iter"
	"slices"
	"time"

	"kith/internal/group"
	"kith/internal/identity"
	"kith/internal/link"
	"kith/internal/peer"
	"kith/internal/store"
	"kith/internal/wire"
)

// How a home without an identity becomes a device of a person (docs/spec/device-link.md):
//
//	none ── JoinPerson ──> waiting ── the maker answers ──> comparing ── it has confirmed ──> giving
//	giving ── all is here: one transaction ──> done, and the node is that person's
//	waiting, comparing, giving ── the link is too old, refused, or the session ends ──> failed

// joinAgain is when the device that made the link is dialled again.
const joinAgain = 2 * time.Second

// confirmTime bounds how long the person compares digits.
const confirmTime = deviceLinkLife * time.Second

// JoinPerson makes this home a device of the person whose other device made the link.
func (n *Node) JoinPerson(text, name string) error {
	if n.Ready() {
		return fail(ReasonIdentity, "")
	}
	if err := checkDeviceName(name); err != nil {
		return err
	}
	l, err := identity.ParseDeviceLink(text, n.nowMS()/1000)
	if err != nil {
		return &Error{Reason: ReasonLink, Err: err}
	}
	n.mu.Lock()
	busy := n.joins.Phase == LinkWaiting || n.joins.Phase == LinkComparing || n.joins.Phase == LinkGiving
	if !busy {
		n.joins = Linking{Phase: LinkWaiting, Expiry: l.Expiry * 1000, Name: name}
	}
	n.mu.Unlock()
	if busy {
		return fail(ReasonJoining, "")
	}
	n.hub.publish(StatusChanged{})
	if !n.spawn(func(ctx context.Context) { n.joinEnded(n.join(ctx, l, name)) }) {
		n.joinEnded(fail(ReasonStopping, ""))
	}
	return nil
}

func (n *Node) joinEnded(err error) {
	if err != nil {
		n.log.Warn("this device was not linked", "err", err)
	}
	n.showJoining(func(v *Linking) {
		v.Phase = LinkDone
		if err != nil {
			v.Phase, v.Why = LinkFailed, linkReason(err)
		}
	})
}

func (n *Node) showJoining(change func(*Linking)) {
	n.mu.Lock()
	change(&n.joins)
	n.mu.Unlock()
	n.hub.publish(StatusChanged{})
}

// join goes all the way.
func (n *Node) join(ctx context.Context, l identity.DeviceLink, name string) error {
	device, nonce := identity.NewDevice(), [32]byte(wire.Random(32))
	s, maker, err := n.reachMaker(ctx, l, device, nonce)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	if !n.spawn(func(context.Context) { ended <- s.Run(ctx) }) {
		s.Close(nil)
		return fail(ReasonStopping, "")
	}
	defer func() {
		s.Close(nil)
		<-ended
	}()
	if err := s.Send(peer.Message{Payload: linkRevealWord{nonce, name}.bytes()}); err != nil {
		return err
	}
	digits := linkDigits(maker.Member, maker.Nonce, device.ID(), nonce, device.KnockKey())
	n.showJoining(func(v *Linking) { v.Phase, v.Digits, v.Device = LinkComparing, digits, device.ID() })
	in, err := n.receiveAll(ctx, s, maker, device)
	if err == nil {
		err = n.install(in, name)
	}
	if err != nil {
		_ = s.Send(peer.Message{Payload: linkRefusedWord{linkFault}.bytes()})
		return err
	}
	for list := range slices.Chunk(in.public, packagesAtOnce) {
		if err := s.Send(peer.Message{Payload: linkPackagesWord(list).bytes()}); err != nil {
			break // it meets this device anyway, and is given others then
		}
	}
	_ = s.Send(peer.Message{Payload: linkInstalledWord{}.bytes()})
	timed, over := context.WithTimeout(ctx, flushTime)
	defer over()
	_ = s.Flush(timed)
	select { // the other side closes once it has taken them
	case <-s.Done():
	case <-timed.Done():
	}
	n.begin()
	return nil
}

// reachMaker dials the device that made a link until it answers or the link is too old.
func (n *Node) reachMaker(ctx context.Context, l identity.DeviceLink, device *identity.Device, nonce [32]byte) (*peer.Session, peer.Maker, error) {
	t := time.NewTimer(0)
	defer t.Stop()
	for l.Expiry > n.nowMS()/1000 {
		select {
		case <-t.C:
		case <-ctx.Done():
			return nil, peer.Maker{}, ctx.Err()
		}
		n.mu.Lock()
		internet := n.internet
		n.mu.Unlock()
		if internet == nil {
			return nil, peer.Maker{}, fail(ReasonOffline, "")
		}
		conn, err := internet.Dial(ctx, link.Address{Peer: l.Peer, Hosts: l.Hosts})
		if err == nil {
			cfg := peer.Config{Device: device, Bans: &n.bans, Log: n.log}
			s, maker, err := peer.Join(ctx, conn, cfg, l, nonce)
			if err == nil {
				return s, maker, nil
			}
			n.log.Debug("the device that made the link does not answer", "err", err)
			return nil, peer.Maker{}, fail(ReasonLinkUsed, "")
		}
		n.log.Debug("the device that made the link is not reached", "err", err)
		t.Reset(joinAgain)
	}
	return nil, peer.Maker{}, fail(ReasonLinkExpired, "")
}

// incoming is what a new device was given.
type incoming struct {
	self    group.Self
	notes   wire.GroupID
	records []sharedRecord
	public  [][]byte // its key packages for the device that gave it
	private []privatePackage
	maker   wire.Member
}

// receiveAll takes what the maker gives once the person has confirmed, and checks it.
func (n *Node) receiveAll(ctx context.Context, s *peer.Session, maker peer.Maker, device *identity.Device) (in incoming, err error) {
	in.maker = maker.Member
	word, err := nextLinkWord(ctx, s, confirmTime)
	if err != nil {
		return in, err
	}
	taken, ok := word.(linkTakenWord)
	if !ok {
		return in, errLinkWord
	}
	state, person, err := group.PersonState(taken.headers)
	if err != nil || person != maker.Member.Person || !state.Active(device.ID()) || !state.Active(maker.Member.Device) {
		return in, errLinkWord
	}
	info, err := identity.ParseInfo(taken.info)
	if err != nil || info.Commit() != state.Info() {
		return in, errLinkWord
	}
	n.showJoining(func(v *Linking) { v.Phase = LinkGiving })
	in.self = group.Self{Device: device, Person: person, Headers: taken.headers, Info: taken.info, Omits: n.cfg.Omits}
	in.notes = taken.notes
	for suite, count := range suitesFor(taken) {
		public, private, err := makeSome(in.self, person, suite, count, n.nowMS())
		if err != nil {
			return in, err
		}
		in.public, in.private = append(in.public, public...), append(in.private, private...)
	}
	for size := 0; ; {
		word, err := nextLinkWord(ctx, s, installTime)
		if err != nil {
			return in, err
		}
		switch word := word.(type) {
		case linkSharedWord:
			if size += len(word.records); size > maxSharedAll {
				return in, errLinkWord
			}
			records, err := readShared(word.records, maxSharedTold)
			if err != nil {
				return in, err
			}
			in.records = append(in.records, records...)
		case linkAllWord:
			return in, nil
		default:
			return in, errLinkWord
		}
	}
}

// install makes this home the device of the person: all of it in one transaction.
func (n *Node) install(in incoming, name string) error {
	n.joining.Lock()
	defer n.joining.Unlock()
	if n.Ready() {
		return fail(ReasonIdentity, "")
	}
	var later []sharedRecord
	own := &friend{Person: in.self.Person, State: friendSelf, Since: n.nowMS()}
	names := map[wire.DeviceID]string{in.self.Device.ID(): name}
	for _, s := range in.records {
		told, err := parseSharedName(s.value)
		if s.kind != sharedDevice || err != nil {
			later = append(later, s)
			continue
		}
		if d := wire.DeviceID(s.key); d != in.self.Device.ID() {
			names[d] = told.name
			if len(told.device) > 0 && told.device[0].id() == d {
				own.meetOwn(told.device[0])
			}
		}
	}
	if own.device(in.maker.Device) == nil {
		return errLinkWord // nobody else could bring this device anywhere
	}
	err := n.db.Update(func(tx *store.Tx) error {
		if err := tx.Put(bucketSelf, []byte(keyDevice), in.self.Device.Marshal()); err != nil {
			return err
		}
		rec := selfRecord{Person: in.self.Person[:], Headers: in.self.Headers, Info: in.self.Info, Notes: in.notes[:]}
		if err := putJSON(tx, bucketSelf, []byte(keyPerson), rec); err != nil {
			return err
		}
		for d, name := range names {
			if err := tx.Put(bucketDevice, d[:], []byte(name)); err != nil {
				return err
			}
		}
		if err := own.put(tx); err != nil {
			return err
		}
		piece := uint16(0)
		for chunk := range sharedChunks(later) {
			if err := tx.Put(bucketTidings, binary.BigEndian.AppendUint16([]byte{0}, piece), chunk); err != nil {
				return err
			}
			piece++
		}
		return putPackages(tx, in.private, len(in.private), n.nowMS())
	})
	if err != nil {
		return storeError(err)
	}
	n.mu.Lock()
	n.self, n.notes, n.own, n.ready = in.self, in.notes, own, true
	n.mu.Unlock()
	return nil
}

// begin has a device that was just installed do what others do at their start.
func (n *Node) begin() {
	n.takeTidings()
	n.renewOwn(n.nowMS())
	n.kickDialer()
	n.hub.publish(StatusChanged{})
	n.shareSoon()
}

// everythingShared is what a new device is told: friends, devices, and what was chosen and
// read of each chat.
func (n *Node) everythingShared(but wire.DeviceID) (list []sharedRecord, err error) {
	add := func(k sharedKind, key [32]byte) {
		if err != nil {
			return
		}
		s := sharedRecord{kind: k, key: key}
		var at sharedStamp
		if err = n.db.View(func(tx *store.Tx) (err error) {
			at, err = getStamp(tx, k, key[:])
			return err
		}); err != nil {
			return
		}
		s.stamp = cmp.Or(at.at, 1) // of what never changed since there were stamps
		if s.value, err = n.sharedValue(k, key); err == nil && len(s.value) > 0 {
			list = append(list, s)
		}
	}
	for _, d := range n.activeDevices() {
		if d != but {
			add(sharedDevice, d)
		}
	}
	n.mu.Lock()
	people := make([]wire.PersonID, 0, len(n.friends))
	for p := range n.friends {
		people = append(people, p)
	}
	n.mu.Unlock()
	slices.SortFunc(people, func(a, b wire.PersonID) int { return bytes.Compare(a[:], b[:]) })
	for _, p := range people {
		add(sharedFriend, p)
	}
	for _, o := range n.byUse() {
		for _, k := range []sharedKind{sharedChoice, sharedRead, sharedDraft} {
			add(k, o.id)
		}
	}
	return list, err
}

// sharedChunks writes records into as few pieces of at most maxSharedTold bytes as they take.
func sharedChunks(list []sharedRecord) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for len(list) > 0 {
			var w wire.Writer
			for len(list) > 0 && (w.Len() == 0 || w.Len()+len(list[0].value)+64 <= maxSharedTold) {
				list[0].write(&w)
				list = list[1:]
			}
			if !yield(w.Bytes()) {
				return
			}
		}
	}
}
