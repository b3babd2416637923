package node

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"time"

	"kith/internal/group"
	"kith/internal/peer"
	"kith/internal/wire"
)

// errReplaced ends a session that another one with the same device took the
// place of.
var errReplaced = errors.New("node: another session with this device stays")

// secondThought is how long a session may wait for the end of an earlier one. It
// is longer than a link takes to part.
const secondThought = 2 * time.Second

// flushTime bounds how long a last message may take to go out.
const flushTime = 5 * time.Second

// session runs a session until it ends. The machines hear of it once it is
// registered, and again when it is gone.
func (n *Node) session(ctx context.Context, s *peer.Session) {
	if !n.register(s) && !n.outlasts(ctx, s) {
		s.Close(errReplaced)
		return
	}
	ended := make(chan error, 1)
	if !n.spawn(func(ctx context.Context) { ended <- s.Run(ctx) }) {
		s.Close(nil)
		n.unregister(s)
		return
	}
	n.giveTo(s)
	n.openWay(s)
	who := s.Remote()
	switch {
	case s.As() != n.me().Device.ID():
		n.spawn(n.moveOn)
	case !n.isOutsideWith(who.Device):
		n.meetAnew(s)
	}
	n.log.Info("connected", "peer", shortDevice(who.Device), "kind", s.Kind())
	for _, o := range n.allOwners() {
		o.peerUp(s)
	}
	n.greet(s)
	n.spawnOpen(who.Person)
	n.personChanged(who.Person)
	for m := range s.Messages() {
		n.receive(s, m)
	}
	err := <-ended
	n.mu.Lock()
	delete(n.greeted, s)
	delete(n.givers, s)
	delete(n.ways, s)
	n.mu.Unlock()
	n.log.Info("disconnected", "peer", shortDevice(who.Device), "err", err)
	if !n.unregister(s) {
		return // another session took its place
	}
	for _, o := range n.allOwners() {
		o.peerDown(who.Device)
		n.stirMail(o.id)
	}
	n.inviterGone(who.Device)
	n.personChanged(who.Person)
	n.kickDialer()
}

// outlasts waits whether the device that dialled s means it: with an earlier
// session that it still holds it closes s at once. If s stays open the earlier
// one is dead, though its silence does not show it yet, and s takes its place.
func (n *Node) outlasts(ctx context.Context, s *peer.Session) bool {
	if s.Dialed() || s.As() != n.me().Device.ID() || n.isOutsideWith(s.Remote().Device) {
		return false
	}
	t := time.NewTimer(secondThought)
	defer t.Stop()
	select {
	case <-t.C:
	case <-s.LinkDone():
		return false
	case <-ctx.Done():
		return false
	}
	d := s.Remote().Device
	n.mu.Lock()
	old := n.sessions[d]
	n.sessions[d] = s
	n.countCompany()
	n.mu.Unlock()
	n.stirAttention()
	if old != nil {
		old.Close(errReplaced)
	}
	return true
}

// register makes s the session with its device, unless an earlier one stays.
func (n *Node) register(s *peer.Session) bool {
	d := s.Remote().Device
	n.mu.Lock()
	old := n.sessions[d]
	if old != nil && old.Err() == nil && n.keeps(old, s) {
		n.mu.Unlock()
		return false
	}
	n.sessions[d] = s
	n.countCompany()
	n.mu.Unlock()
	n.stirAttention()
	n.dialSoon() // it sees that nobody need be dialled there
	if old != nil {
		old.Close(errReplaced)
	}
	return true
}

// keeps reports whether of two sessions with one device the old one stays: that of
// the newer own key, unless a group does not know that yet; else the direct one of two of
// which one goes through a relay; else the one both sides choose. n.mu is held.
func (n *Node) keeps(old, s *peer.Session) bool {
	if now := n.self.Device.ID(); old.As() != s.As() {
		return (old.As() == now) != n.outsideWith(old.Remote().Device)
	}
	if relayed := old.Kind() == relayKind; relayed != (s.Kind() == relayKind) {
		return !relayed
	}
	return peer.Keep(old, s) == old
}

func (n *Node) unregister(s *peer.Session) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	d := s.Remote().Device
	if n.sessions[d] != s {
		return false
	}
	delete(n.sessions, d)
	n.countCompany()
	if t := n.targets[d]; t != nil {
		now := n.steadyMS()
		if t.since != 0 && t.since+steady < now {
			t.wait, t.tries = 0, 0
		}
		t.seen, t.since, t.met = now, 0, true
		n.backOff(t) // longer if it ended soon after the one before
		if n.self.Device != nil && lessDevice(d, n.self.Device.ID()) {
			t.at += laterTurn
		}
	}
	return true
}

func (n *Node) sessionWith(d wire.DeviceID) *peer.Session {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.sessions[d]
}

func (n *Node) liveSessions() (list []*peer.Session) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, s := range n.sessions {
		list = append(list, s)
	}
	return list
}

func (n *Node) allOwners() (list []*owner) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, o := range n.owners {
		list = append(list, o)
	}
	slices.SortFunc(list, func(a, b *owner) int { return bytes.Compare(a.id[:], b.id[:]) })
	return list
}

func (n *Node) owner(g wire.GroupID) *owner {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.owners[g]
}

// receive hands a message to the group it is for.
func (n *Node) receive(s *peer.Session, m peer.Message) {
	if m.Channel == ([32]byte{}) {
		n.receiveOwn(s, m.Payload)
		return
	}
	if m.Channel == pathChannel {
		n.receiveWay(s, m.Payload)
		return
	}
	g := wire.GroupID(m.Channel)
	o := n.owner(g)
	if o == nil {
		if group.IsInvitation(m.Payload) {
			n.invited(s, g, m.Payload)
		}
		return // else a group that this device has forgotten or never knew
	}
	if frame := group.TreeFrameIn(m.Payload); frame != nil {
		o.post(func() { o.castHeard(s, frame) })
		return
	}
	in := group.Received{From: s.Remote(), Payload: m.Payload, Secrets: n.ownSecrets, Checked: group.CheckEntries(m.Payload, o.picture.Load().keyOf)}
	o.put(input{from: s, sent: in})
}

// outside reports whether a group is one that this device takes no part in any
// more, though an invitation can lead back into it.
func outside(s group.Status) bool {
	return s == group.StatusLeft || s == group.StatusRemoved || s == group.StatusDeclined
}

// punish weighs a rule that a peer broke.
func (n *Node) punish(e group.Misbehaved) {
	n.mu.Lock()
	s := n.sessions[e.From.Device]
	n.mu.Unlock()
	if s != nil {
		s.Punish(e.Rule, misbehaviourWeight)
	}
}

// misbehaviourWeight is how much one broken rule in a group counts, in
// hundredths of a ban: an honest peer on another version may break one.
const misbehaviourWeight = 10

// dropIfStranger ends the session with a device that this node would not answer
// any more, once what was said last has gone out.
func (n *Node) dropIfStranger(d wire.DeviceID) {
	n.mu.Lock()
	s := n.sessions[d]
	n.mu.Unlock()
	if s == nil || n.related(s.Remote()) {
		return
	}
	n.spawn(func(ctx context.Context) {
		timed, cancel := context.WithTimeout(ctx, flushTime)
		defer cancel()
		_ = s.Flush(timed)
		s.Close(nil)
	})
}

// related reports whether somebody is a friend, or a member of a group now.
func (n *Node) related(who wire.Member) bool {
	n.mu.Lock()
	f := n.contact(who.Person)
	n.mu.Unlock()
	if f != nil && f.State != friendSelf {
		return f.State != FriendBlocked
	}
	if f != nil && f.device(who.Device) != nil {
		return true
	}
	for _, o := range n.allOwners() {
		p := o.picture.Load()
		if outside(p.view.Status) {
			continue
		}
		if slices.ContainsFunc(p.devices, isActive(who)) {
			return true
		}
	}
	return false
}

// isActive reports of a device in a group whether it is that one, and a member's.
func isActive(who wire.Member) func(group.DeviceView) bool {
	return func(d group.DeviceView) bool { return d.Member == who && !d.Former }
}

// Recognise implements peer.Directory.
func (n *Node) Recognise(m wire.Member) (peer.Known, bool) {
	if n.ownKey(m.Device) {
		return peer.Known{}, false // another copy of this home
	}
	n.mu.Lock()
	f, me := n.contact(m.Person), n.self.Person
	n.mu.Unlock()
	if m.Person == me && !n.isLinked(m.Device) && !n.wasRevoked(m.Device) {
		return peer.Known{}, false // likewise
	}
	if f != nil {
		if f.State == FriendBlocked {
			return peer.Known{}, false
		}
		if d := f.device(m.Device); d != nil && f.State != FriendAsking {
			return peer.Known{Member: m, Key: d.Key}, true
		}
	}
	for _, o := range n.allOwners() {
		p := o.picture.Load()
		switch p.view.Status {
		case group.StatusActive, group.StatusLeaving, group.StatusNewer:
		case group.StatusInvited, group.StatusDeclined:
			if m.Person != p.view.InvitedBy {
				continue // nobody but the inviter hears of us before we accept
			}
		default:
			continue
		}
		for _, d := range p.devices {
			if d.Member == m && (!d.Former || d.Until > n.nowMS()) {
				return peer.Known{Member: m, Key: d.Key[:]}, true
			}
		}
	}
	return peer.Known{}, false
}

// personChanged tells subscribers that somebody's standing or connection is
// another.
func (n *Node) personChanged(p wire.PersonID) {
	n.mu.Lock()
	f := n.friends[p]
	n.mu.Unlock()
	if f != nil {
		n.hub.publish(FriendChanged{p})
	}
	for _, o := range n.allOwners() {
		if slices.ContainsFunc(o.picture.Load().view.Members, func(m group.MemberView) bool { return m.Person == p }) {
			n.hub.publish(ChatChanged{o.id})
		}
	}
	n.hub.publish(StatusChanged{})
}

// send hands a payload to the session with a device, if there is one. A peer
// that takes nothing any more loses its session; the next begins with a digest.
func (n *Node) send(to wire.DeviceID, channel [32]byte, payload []byte) {
	n.mu.Lock()
	s := n.sessions[to]
	n.mu.Unlock()
	if s == nil {
		return
	}
	n.sendOn(s, channel, payload)
}

func (n *Node) sendOn(s *peer.Session, channel [32]byte, payload []byte) {
	to := s.Remote().Device
	if n.cfg.TapMessage != nil {
		n.cfg.TapMessage(to, channel, payload)
	}
	switch err := s.Send(peer.Message{Channel: channel, Payload: payload}); {
	case errors.Is(err, peer.ErrMessageTooLong): // a bug of ours: nothing else says that it never arrives
		n.log.Error("not sent", "peer", shortDevice(to), "group", shortGroup(channel), "bytes", len(payload), "err", err)
	case err != nil:
		n.log.Debug("not sent", "peer", shortDevice(to), "err", err)
	}
}
