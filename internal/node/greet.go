package node

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"time"

	"kith/internal/group"
	"kith/internal/link"
	"kith/internal/mls"
	"kith/internal/peer"
	"kith/internal/wire"
)

// What friends tell each other beside their groups: own.go has the bytes.

const (
	// helloEach is the least time between two hellos to one session: what happens
	// meanwhile is said in one.
	helloEach = 2 * time.Second
	// ownBurst and ownEach bound what one friend may say beside the groups: so
	// much at once, then one each ownEach, so that who keeps to helloEach, and
	// gives packages as often, is never over it. Each may cost a write to the disk.
	ownBurst = 64
	ownEach  = time.Second
	// ownExcess is how much more is passed over before it weighs.
	ownExcess = 256
)

// greeting is when a session was last told a hello.
type greeting struct {
	last    time.Time
	said    [32]byte // digest of the address in the last
	waiting bool     // another goes out once it is time
	heard   bool     // it has said hello itself
	old     bool     // its own hello lacked ownAble
	holds   bool     // its last hello had ownHolds
	hello   hello    // its last
	asked   bool     // the last hello that it was told had ownHolds: it answers with a holding
	// What it has of the own person chain, as it was told, or as it has said.
	told     holding
	answered bool // it has said it
	owned    bool // it was told what is held of its own
}

// manners is how much a friend has said.
type manners struct {
	spent time.Time // up to when what it may say is used up
	over  int       // messages passed over since it was last within its bound
}

// greet tells a friend where this node is and how many key packages are left, at
// once or soon.
func (n *Node) greet(s *peer.Session) {
	now := nowTime()
	n.mu.Lock()
	g := n.greeted[s]
	wait := g.last.Add(helloEach).Sub(now)
	again := g.waiting || n.sessions[s.Remote().Device] != s
	if !again {
		g.waiting = wait > 0
		if !g.waiting {
			g.last = now
		}
		n.greeted[s] = g
	}
	n.mu.Unlock()
	switch {
	case again:
	case wait <= 0:
		n.sayHello(s)
	default:
		n.spawn(func(ctx context.Context) { n.greetLater(ctx, s, wait) })
	}
}

func (n *Node) greetLater(ctx context.Context, s *peer.Session, wait time.Duration) {
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-t.C:
	case <-s.Done():
		return
	case <-ctx.Done():
		return
	}
	n.mu.Lock()
	g, live := n.greeted[s]
	if live {
		g.last, g.waiting = nowTime(), false
		n.greeted[s] = g
	}
	n.mu.Unlock()
	if live {
		n.sayHello(s)
	}
}

func (n *Node) sayHello(s *peer.Session) {
	n.mu.Lock()
	f := n.contact(s.Remote().Person)
	old := n.greeted[s].old
	n.mu.Unlock()
	if f == nil || !f.trusted() {
		return
	}
	at := n.address()
	h := hello{peer: at.Peer, hosts: at.Hosts, able: !old}
	left, most := 0, int(ownAble)-1
	if d := f.device(s.Remote().Device); d != nil {
		left = d.left(suiteFor(!old))
	}
	if h.holds = h.able && left > packagesLow; h.holds {
		most = int(ownHolds) - 1
	}
	h.left = uint8(min(left, most))
	n.noteAsked(s, h.holds)
	n.noteSaid(s, at)
	n.say(s, h.bytes())
	n.tellPerson(s) // if it waited for an answer that does not come now
}

// noteSaid notes which address a session is told.
func (n *Node) noteSaid(s *peer.Session, at link.Address) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if g, live := n.greeted[s]; live {
		g.said = digestOf(at)
		n.greeted[s] = g
	}
}

// suiteFor is the suite of the key packages that are exchanged with a program
// that reads those of new groups, or with one that does not.
func suiteFor(able bool) mls.Suite {
	if able {
		return group.NewSuite
	}
	return mls.SuiteX25519AES128SHA256Ed25519
}

func (n *Node) say(s *peer.Session, payload []byte) { n.sendOn(s, [32]byte{}, payload) }

func (n *Node) greetPerson(p wire.PersonID) {
	for _, s := range n.liveSessions() {
		if s.Remote().Person == p {
			n.greet(s)
		}
	}
}

// receiveOwn takes what a friend says beside the groups. What is too much is
// passed over: its next hello says it again.
func (n *Node) receiveOwn(s *peer.Session, payload []byte) {
	n.mu.Lock()
	f := n.contact(s.Remote().Person)
	n.mu.Unlock()
	if f == nil || !f.trusted() && f.State != FriendAsked {
		return // not yet, or not any more
	}
	if over := n.overdoes(f.Person); over > 0 {
		if over > ownExcess {
			s.Punish("own-flood", misbehaviourWeight)
		}
		return
	}
	said, err := parseOwn(payload)
	if h, ok := said.(hello); f.State == FriendAsked {
		// Whoever was asked may need a key package to open the direct chat, which
		// the asking has accepted. Nothing else is taken before that.
		if ok && h.left <= packagesLow {
			err = n.givePackages(s, suiteFor(h.able))
		}
		said = nil
	}
	switch said := said.(type) {
	case hello:
		err = n.onHello(s, said)
	case packages:
		err = n.onPackages(s, said)
	case personNews:
		if f.State == friendSelf {
			err = n.learnOwn(s, said)
		} else {
			err = n.onPerson(s, said)
		}
	case holding:
		n.onHolding(s, said)
	}
	if err != nil {
		s.Punish("own-message", misbehaviourWeight)
	}
}

// overdoes counts what a friend says, and returns how many messages it is over
// its bound by.
func (n *Node) overdoes(p wire.PersonID) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	now, m := nowTime(), n.said[p]
	if floor := now.Add(-ownBurst * ownEach); m.spent.Before(floor) {
		m.spent = floor
	}
	if next := m.spent.Add(ownEach); next.After(now) {
		m.over++
	} else {
		m = manners{spent: next}
	}
	n.said[p] = m
	return m.over
}

func (n *Node) onHello(s *peer.Session, h hello) error {
	p := s.Remote().Person
	_, err := n.updateFriend(p, func(f *friend) (bool, error) {
		d := f.device(s.Remote().Device)
		if d == nil || d.Able == h.able && bytes.Equal(d.Peer, h.peer) && slices.Equal(d.Hosts, h.hosts) {
			return true, errSame
		}
		d.Able, d.Peer, d.Hosts = h.able, h.peer, h.hosts
		return true, nil
	})
	if err != nil && !errors.Is(err, errSame) {
		return n.theirFault(err)
	}
	n.befriendWay(s)
	if n.heard(s, h) {
		n.greet(s) // what was said before may have come too early, or in words it does not know
	}
	if h.holds {
		n.tellHolding(s)
	}
	if h.able {
		n.tellPerson(s)
	}
	if h.left <= packagesLow {
		return n.givePackages(s, suiteFor(h.able))
	}
	return nil
}

// heard takes note that a session's peer said hello, and reports whether that
// says something new of its program.
func (n *Node) heard(s *peer.Session, h hello) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	g, live := n.greeted[s]
	if !live {
		return false
	}
	fresh := !g.heard || g.old == h.able
	g.heard, g.old, g.holds, g.hello = true, !h.able, h.holds, h
	n.greeted[s] = g
	return fresh
}

func (n *Node) onPackages(s *peer.Session, list packages) error {
	var good [][]byte
	for _, b := range list {
		var wrong *mls.Error
		switch kp, err := group.CheckPackage(b, s.Remote(), n.nowMS()); {
		case err == nil && kp.LastResort():
			return errResort
		case err == nil:
			good = append(good, b)
		case errors.Is(err, group.ErrSuite): // of a program to come
		case errors.As(err, &wrong) && wrong.Reason == mls.ReasonLifetime:
			n.log.Info("a key package is of another time: a clock is wrong", "peer", shortDevice(s.Remote().Device))
		default:
			return err
		}
	}
	_, err := n.updateFriend(s.Remote().Person, func(f *friend) (bool, error) {
		d := f.device(s.Remote().Device)
		if d == nil {
			return f.State != 0, errSame // its person's chain, as it is known here, does not have it
		}
		d.Packages = newest(append(slices.Clone(d.Packages), good...))
		return true, nil
	})
	if errors.Is(err, errSame) {
		return nil
	}
	if err == nil {
		n.spawnOpen(s.Remote().Person) // perhaps it waited for a package
		n.bringSoon()
	}
	return n.theirFault(err)
}

// theirFault returns an error about what a friend said, and takes note of one of
// this node's own.
func (n *Node) theirFault(err error) error {
	if err != nil && !errors.Is(err, peer.ErrCard) {
		n.log.Error("cannot write", "err", err)
		return nil
	}
	return err
}
