package node

import (
	"context"
	"crypto/subtle"
	"errors"
	"os"
	"time"

	"kith/internal/group"
	"kith/internal/identity"
	"kith/internal/peer"
	"kith/internal/wire"
)

// How a new device becomes one of this person's (docs/spec/device-link.md):
//
//	none ── NewDeviceLink ──> waiting ── it comes, and is bound to what it said ──> comparing
//	comparing ── ConfirmDevice ──> stored in the person's chain ──> giving ── it has stored all ──> done
//	waiting, comparing ── CancelDeviceLink, deviceLinkLife, another link ──> none
//	comparing, giving ── the session ends ──> failed

// deviceLinkLife is how long a device link can be used, in seconds: it is read from one screen
// by the other device.
const deviceLinkLife = 10 * 60

// installTime bounds how long a new device may take to store what it is given.
const installTime = 2 * time.Minute

// A LinkPhase is how far the linking of a device is.
type LinkPhase uint8

// Phases, at either device.
const (
	LinkNone      LinkPhase = 0
	LinkWaiting   LinkPhase = 1 // the link waits to be opened; at the new device: the other one is sought
	LinkComparing LinkPhase = 2 // the person compares the digits; the first device confirms
	LinkGiving    LinkPhase = 3 // what the new device needs is on its way
	LinkDone      LinkPhase = 4
	LinkFailed    LinkPhase = 5
)

// A Linking is how the linking of a device stands, at either of the two.
type Linking struct {
	Phase  LinkPhase
	Link   string // of the device that made it, while it waits
	Expiry uint64 // ms
	Digits string // both devices show the same
	Name   string // of the new device
	Why    string // Reason why it failed
	Device wire.DeviceID
}

// linkOffer is a device link of this node's. It is guarded by Node.mu, but for what the task
// of its session owns.
type linkOffer struct {
	link    identity.DeviceLink
	view    Linking
	joiner  peer.Joiner
	nonce   [32]byte
	came    bool          // somebody has come over it
	confirm chan struct{} // closed when the person has confirmed
	cancel  chan struct{} // closed when it is given up
}

// Linking is how the linking of a device stands.
func (n *Node) Linking() Linking {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.offer == nil {
		return n.joins
	}
	v := n.offer.view
	if v.Phase == LinkWaiting && v.Expiry < n.nowMS() {
		return Linking{Phase: LinkFailed, Why: string(ReasonLinkExpired)}
	}
	return v
}

// NewDeviceLink makes a link by which one new device can become this person's, in the place of
// one that was made before.
func (n *Node) NewDeviceLink() (Linking, error) {
	if !n.Ready() {
		return Linking{}, fail(ReasonNoIdentity, "")
	}
	if err := n.takesPart(); err != nil {
		return Linking{}, err
	}
	if len(n.activeDevices()) >= maxDevices {
		return Linking{}, fail(ReasonDevices, "")
	}
	if err := n.nameThis(); err != nil {
		return Linking{}, err
	}
	at := n.address()
	l := identity.DeviceLink{
		Secret: [32]byte(wire.Random(32)), Peer: at.Peer, Hosts: linkHosts(at.Hosts), Expiry: n.nowMS()/1000 + deviceLinkLife,
	}
	if len(l.Hosts) == 0 {
		return Linking{}, fail(ReasonOffline, "")
	}
	text, err := l.Text()
	if err != nil {
		return Linking{}, err
	}
	o := &linkOffer{
		link: l, view: Linking{Phase: LinkWaiting, Link: text, Expiry: l.Expiry * 1000},
		confirm: make(chan struct{}), cancel: make(chan struct{}),
	}
	n.CancelDeviceLink()
	n.mu.Lock()
	n.offer = o
	n.mu.Unlock()
	n.hub.publish(StatusChanged{})
	return o.view, nil
}

// nameThis gives this device the name of its machine, if it has none: beside another it needs
// one.
func (n *Node) nameThis() error {
	d := n.me().Device.ID()
	host, err := os.Hostname()
	if n.deviceName(d) != "" || err != nil || checkDeviceName(host) != nil {
		return nil
	}
	return n.NameDevice(d, host)
}

// CancelDeviceLink gives up the device link that there is, unless it was confirmed.
func (n *Node) CancelDeviceLink() {
	n.mu.Lock()
	if o := n.offer; o != nil && o.view.Phase != LinkGiving {
		n.offer = nil
		close(o.cancel)
	}
	n.mu.Unlock()
	n.hub.publish(StatusChanged{})
}

// ConfirmDevice says that the new device shows the same digits as this one.
func (n *Node) ConfirmDevice(digits string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	o := n.offer
	if o == nil || o.view.Phase != LinkComparing {
		return fail(ReasonNoJoiner, "")
	}
	if subtle.ConstantTimeCompare([]byte(digits), []byte(o.view.Digits)) != 1 {
		return fail(ReasonDigits, "")
	}
	o.view.Phase = LinkGiving
	close(o.confirm)
	return nil
}

func (n *Node) activeDevices() (list []wire.DeviceID) {
	self := n.me()
	state, _, err := group.PersonState(self.Headers)
	if err != nil {
		return nil
	}
	owner, _, _ := state.Device(self.Device.ID())
	for _, d := range owner.Devices {
		if state.Active(d.ID) {
			list = append(list, d.ID)
		}
	}
	return list
}

// JoinSecret implements peer.Joins.
func (n *Node) JoinSecret(tag [16]byte) (identity.DeviceLink, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	o := n.offer
	if o == nil || o.link.Tag() != tag || o.link.Expiry < n.nowMS()/1000 {
		return identity.DeviceLink{}, false
	}
	return o.link, true
}

var errJoinTwice = errors.New("node: somebody has come over this device link before")

// Joining implements peer.Joins: a link is for the first that comes, so that whoever has seen
// it cannot take the place of one that the person is looking at.
func (n *Node) Joining(tag [16]byte, j peer.Joiner) ([32]byte, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	o := n.offer
	if o == nil || o.link.Tag() != tag || o.came {
		return [32]byte{}, errJoinTwice
	}
	o.came, o.joiner, o.nonce = true, j, [32]byte(wire.Random(32))
	return o.nonce, nil
}

// linkSession is the maker's side of the session with a new device.
func (n *Node) linkSession(ctx context.Context, s *peer.Session) {
	n.mu.Lock()
	o := n.offer
	ours := o != nil && o.joiner.Device() == s.Remote().Device
	n.mu.Unlock()
	if !ours {
		s.Close(nil)
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	if !n.spawn(func(context.Context) { ended <- s.Run(ctx) }) {
		s.Close(nil)
		return
	}
	err := n.linkDevice(ctx, s, o)
	if err != nil {
		n.log.Warn("a new device was not linked", "err", err)
		_ = s.Send(peer.Message{Payload: linkRefusedWord{refusalOf(err)}.bytes()})
	}
	n.linkEnded(o, err)
	timed, over := context.WithTimeout(ctx, flushTime)
	defer over()
	_ = s.Flush(timed)
	s.Close(nil)
	<-ended
}

// linkEnded shows what became of a linking.
func (n *Node) linkEnded(o *linkOffer, err error) {
	n.mu.Lock()
	o.view.Link, o.view.Phase = "", LinkDone
	if err != nil {
		o.view.Phase, o.view.Why = LinkFailed, linkReason(err)
	}
	n.mu.Unlock()
	n.hub.publish(StatusChanged{})
}

// linkReason is the stable word for why a linking failed.
func linkReason(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return string(e.Reason)
	}
	return string(ReasonLinkBroken)
}

func refusalOf(err error) linkRefusal {
	switch linkReason(err) {
	case string(ReasonNotConfirmed):
		return linkNotConfirmed
	case string(ReasonDevices):
		return linkTooMany
	}
	return linkFault
}

var errLinkWord = errors.New("node: the other device says what does not fit here")

// linkDevice leads a new device to where it has stored all it needs.
func (n *Node) linkDevice(ctx context.Context, s *peer.Session, o *linkOffer) error {
	name, err := n.compareWith(ctx, s, o)
	if err != nil {
		return err
	}
	if err := n.admit(o.joiner, name); err != nil {
		return err
	}
	n.mu.Lock()
	o.view.Phase = LinkGiving
	n.mu.Unlock()
	n.hub.publish(StatusChanged{})
	if err := n.giveAll(s); err != nil {
		return err
	}
	return n.takeInstalled(ctx, s)
}

// compareWith takes the new device's nonce, shows the digits, and waits until the person has
// confirmed them.
func (n *Node) compareWith(ctx context.Context, s *peer.Session, o *linkOffer) (string, error) {
	word, err := nextLinkWord(ctx, s, flushTime)
	if err != nil {
		return "", err
	}
	reveal, ok := word.(linkRevealWord)
	if !ok || peer.Committed(reveal.nonce, o.joiner.Key, o.joiner.KnockKey) != o.joiner.Commit {
		return "", errLinkWord
	}
	maker := n.me().Member()
	n.mu.Lock()
	o.view.Phase, o.view.Name, o.view.Device = LinkComparing, reveal.name, s.Remote().Device
	o.view.Digits = linkDigits(maker, o.nonce, s.Remote().Device, reveal.nonce, o.joiner.KnockKey)
	n.mu.Unlock()
	n.hub.publish(StatusChanged{})
	t := time.NewTimer(deviceLinkLife * time.Second)
	defer t.Stop()
	select {
	case <-o.confirm:
		return reveal.name, nil
	case <-o.cancel:
	case <-t.C:
	case _, open := <-s.Messages(): // it says nothing before it is confirmed, but that it gives up
		if !open {
			return "", fail(ReasonLinkBroken, "")
		}
	case <-ctx.Done():
		return "", ctx.Err()
	}
	return "", fail(ReasonNotConfirmed, "")
}

// nextLinkWord is what the other side says next.
func nextLinkWord(ctx context.Context, s *peer.Session, within time.Duration) (linkWord, error) {
	t := time.NewTimer(within)
	defer t.Stop()
	select {
	case m, open := <-s.Messages():
		if !open {
			return nil, fail(ReasonLinkBroken, "")
		}
		word, err := parseLinkWord(m.Payload)
		if refused, ok := word.(linkRefusedWord); ok && err == nil {
			return nil, fail(reasonOf(refused.why), "")
		}
		return word, err
	case <-t.C:
		return nil, fail(ReasonLinkBroken, "")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func reasonOf(why linkRefusal) Reason {
	switch why {
	case linkNotConfirmed:
		return ReasonNotConfirmed
	case linkTooMany:
		return ReasonDevices
	}
	return ReasonLinkBroken
}
