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
// stands, unless it has heard that in this session.
func (n *Node) tellPerson(s *peer.Session) {
	n.mu.Lock()
	f, g := n.friends[s.Remote().Person], n.greeted[s]
	news := personNews{n.self.Info, n.self.Headers, n.resorts}
	say := f != nil && f.State == FriendFriend && g.heard && !g.old && g.told < len(news.headers)
	if say {
		g.told = len(news.headers)
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
	if !ok || same(f.headers(card), p.headers) && same(f.Resorts, p.resorts) {
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
		if !ok || len(held) > len(p.headers) || !same(held, p.headers[:len(held)]) {
			return f.State != 0, errSame // of a copy of its home, or an old one
		}
		card.Info = p.info
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

// checkResorts returns those last-resort packages that can be used. Each must be
// the one that its person's chain names.
func (n *Node) checkResorts(state *chain.State, from wire.Member, list [][]byte) (good [][]byte, err error) {
	for _, b := range list {
		var wrong *mls.Error
		kp, err := group.CheckPackage(b, from, nowMS())
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
