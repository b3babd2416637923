package node

import (
	"bytes"
	"errors"
	"slices"

	"kith/internal/chain"
	"kith/internal/group"
	"kith/internal/identity"
	"kith/internal/mls"
	"kith/internal/peer"
	"kith/internal/wire"
)

// What friends tell each other of their person chains: own.go has the bytes.

// tellPerson tells a friend whose program reads it how the own person chain
// stands: what it lacks, as far as it says that. It is told nothing that it has
// or was told in this session.
func (n *Node) tellPerson(s *peer.Session) {
	n.mu.Lock()
	f, g := n.contact(s.Remote().Person), n.greeted[s]
	news := personNews{info: n.self.Info, headers: n.self.Headers, resorts: n.resorts}
	now, waits := news.holding(), g.asked && g.holds && !g.answered
	say := s.As() == n.self.Device.ID() && f != nil && f.trusted() && g.heard && !g.old && !waits && g.told != now
	if say {
		if g.holds {
			news = news.since(g.told.head)
		}
		g.told = now
		n.greeted[s] = g
	}
	n.mu.Unlock()
	if say {
		n.say(s, news.bytes())
	}
}

var errNews = errors.New("node: what a friend says of itself does not fit together")

// onPerson takes over what a friend tells of its person chain, once it is
// checked: a valid chain that goes on from what is held, and the packages that it
// names.
func (n *Node) onPerson(s *peer.Session, p personNews) error {
	f, from := n.friendCopy(s.Remote().Person), s.Remote()
	p, whole := p.onto(f.Headers)
	if f.State == 0 || !whole {
		n.log.Info("a friend's chain does not go on from the one that is known", "peer", shortDevice(from.Device))
		return nil
	}
	if d := f.device(from.Device); d != nil && same(f.Headers, p.headers) && same(d.Resorts, p.resorts) {
		return nil
	}
	state, id, err := group.PersonState(p.headers)
	if errors.Is(err, chain.ErrNewer) {
		n.log.Info("a friend's chain needs a newer version", "peer", shortDevice(from.Device))
		return nil
	}
	if err != nil {
		return err
	}
	info, err := identity.ParseInfo(p.info)
	if err != nil || id != f.Person || info.Commit() != state.Info() || !state.Active(from.Device) {
		return errors.Join(errNews, err)
	}
	if p.resorts, err = n.checkResorts(state, from, p.resorts); err != nil {
		return err
	}
	_, err = n.updateFriend(f.Person, func(f *friend) (bool, error) { return f.State != 0, n.learn(f, s, p, state) })
	if errors.Is(err, errSame) {
		n.log.Info("a friend's chain does not go on from the one that is known", "peer", shortDevice(from.Device))
		return nil
	}
	if err == nil {
		n.spawnOpen(f.Person) // perhaps it waited for a package
	}
	return n.theirFault(err)
}

// learn takes over what was checked of a friend's person chain, which has the state,
// and the device that tells it.
func (n *Node) learn(f *friend, s *peer.Session, p personNews, state *chain.State) (err error) {
	from := s.Remote()
	switch {
	case beginsWith(p.headers, f.Headers) || group.PersonAbove(p.headers, f.Headers):
		f.Headers, f.Info = p.headers, p.info
	case beginsWith(f.Headers, p.headers): // this device of theirs has not heard of what is newer
		if d := f.device(from.Device); d != nil && len(d.Resorts) > 0 {
			return errSame
		}
		if state, _, err = group.PersonState(f.Headers); err != nil || !state.Active(from.Device) {
			return errors.Join(errSame, err)
		}
		p.resorts = slices.DeleteFunc(p.resorts, func(b []byte) bool { return !isNamed(state, from.Device, b) })
	default: // of a copy of its home
		return errSame
	}
	f.keepActive(state)
	d := f.device(from.Device)
	if d == nil {
		seen, ok := n.deviceOf(from)
		if !ok {
			return nil // it is met once a group shows its keys
		}
		h := n.lastHello(s)
		f.Devices = append(f.Devices, metDevice{Key: seen.Key[:], Knock: seen.KnockKey, Able: h.able, Peer: h.peer, Hosts: h.hosts})
		d = &f.Devices[len(f.Devices)-1]
	}
	d.Resorts = p.resorts
	return nil
}

// lastHello is what a session's peer said last of where it is.
func (n *Node) lastHello(s *peer.Session) hello {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.greeted[s].hello
}

// beginsWith reports whether one history is the other's beginning, or the same.
func beginsWith(headers, with [][]byte) bool {
	return len(with) <= len(headers) && same(headers[:len(with)], with)
}

// deviceOf finds a device of a friend's in a group that both are in.
func (n *Node) deviceOf(who wire.Member) (group.DeviceView, bool) {
	for _, o := range n.allOwners() {
		for _, d := range o.picture.Load().devices {
			if d.Member == who && !d.Former && len(d.KnockKey) > 0 {
				return d, true
			}
		}
	}
	return group.DeviceView{}, false
}

// checkResorts returns those last-resort packages that can be used. Each must be
// the one that its person's chain names.
func (n *Node) checkResorts(state *chain.State, from wire.Member, list [][]byte) (good [][]byte, err error) {
	for _, b := range list {
		var wrong *mls.Error
		kp, err := group.CheckPackage(b, from, n.nowMS())
		switch {
		case errors.Is(err, group.ErrSuite): // of a program to come
			continue
		case errors.As(err, &wrong) && wrong.Reason == mls.ReasonLifetime: // a clock is wrong
			continue
		case err != nil:
			return nil, err
		}
		if !kp.LastResort() || !isNamed(state, from.Device, b) {
			return nil, errNews
		}
		good = append(good, b)
	}
	return good, nil
}

// isNamed reports whether a person's chain names a last-resort key package of a device.
func isNamed(state *chain.State, of wire.DeviceID, b []byte) bool {
	kp, err := mls.ParseKeyPackage(b)
	if err != nil {
		return false
	}
	named, _, ok := state.LastResort(of, uint16(kp.Suite()))
	return ok && bytes.Equal(named[:], kp.Ref())
}

func same(a, b [][]byte) bool { return slices.EqualFunc(a, b, bytes.Equal) }
