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
	f, g := n.friends[s.Remote().Person], n.greeted[s]
	news := personNews{info: n.self.Info, headers: n.self.Headers, resorts: n.resorts}
	now, waits := news.holding(), g.asked && g.holds && !g.answered
	say := s.As() == n.self.Device.ID() && f != nil && f.State == FriendFriend && g.heard && !g.old && !waits && g.told != now
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
	f := n.friendCopy(s.Remote().Person)
	card, ok := f.card()
	if !ok {
		return nil
	}
	p, whole := p.onto(f.headers(card))
	if !whole {
		n.log.Info("a friend's chain does not go on from the one that is known", "peer", shortDevice(s.Remote().Device))
		return nil
	}
	known, met := f.known()
	if met && known.Member == s.Remote() && same(f.headers(card), p.headers) && same(f.Resorts, p.resorts) {
		return nil
	}
	state, id, err := group.PersonState(p.headers)
	if errors.Is(err, chain.ErrNewer) {
		n.log.Info("a friend's chain needs a newer version", "peer", shortDevice(s.Remote().Device))
		return nil
	}
	if err != nil {
		return err
	}
	info, err := identity.ParseInfo(p.info)
	if err != nil || id != f.Person || info.Commit() != state.Info() || !state.Active(s.Remote().Device) {
		return errors.Join(errNews, err)
	}
	resorts, err := n.checkResorts(state, s.Remote(), p.resorts)
	if err != nil {
		return err
	}
	_, err = n.updateFriend(f.Person, func(f *friend) (bool, error) {
		card, ok := f.card()
		held := f.headers(card)
		goesOn := len(held) <= len(p.headers) && same(held, p.headers[:min(len(held), len(p.headers))])
		if !ok || !goesOn && !group.PersonAbove(p.headers, held) {
			return f.State != 0, errSame // of a copy of its home, or an old one
		}
		card.Info = p.info
		if f.moves(state, s.Remote().Device) {
			if d, ok := n.deviceOf(s.Remote()); ok {
				f.Device, f.Packages, card.KnockKey = d.Key[:], nil, d.KnockKey
			}
		}
		b, err := card.Marshal()
		if err != nil {
			return true, err
		}
		f.Card, f.Headers, f.Resorts = b, p.headers, resorts
		return true, nil
	})
	if errors.Is(err, errSame) {
		n.log.Info("a friend's chain does not go on from the one that is known", "peer", shortDevice(s.Remote().Device))
		return nil
	}
	if err == nil {
		n.spawnOpen(f.Person) // perhaps it waited for a package
	}
	return n.theirFault(err)
}

// moves reports whether a friend is to be met at another device from now on: one
// that its person admitted after the one that is known, or in its place.
func (f *friend) moves(state *chain.State, to wire.DeviceID) bool {
	known, ok := f.known()
	if !ok || known.Member.Device == to {
		return false
	}
	return !state.Active(known.Member.Device) || slices.Contains(group.Earlier(state, to), known.Member.Device)
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
		named, _, ok := state.LastResort(from.Device, uint16(kp.Suite()))
		if !ok || !kp.LastResort() || !bytes.Equal(named[:], kp.Ref()) {
			return nil, errNews
		}
		good = append(good, b)
	}
	return good, nil
}

func same(a, b [][]byte) bool { return slices.EqualFunc(a, b, bytes.Equal) }
