package node_test

import (
	"slices"
	"testing"
	"time"

	"kith/internal/group"
	"kith/internal/mls"
	"kith/internal/node"
	"kith/internal/peer"
	"kith/internal/wire"
)

// older is the suite of groups made before there was a post-quantum one.
var older = group.Suites()[1]

// hears waits for what somebody says beside the groups and that is asked for.
func (m *mallory) hears(t *testing.T, is func(payload []byte) bool) {
	t.Helper()
	late := time.After(20 * time.Second)
	for {
		select {
		case msg, ok := <-m.session.Messages():
			if !ok {
				t.Fatal("the session is over")
			}
			if msg.Channel == [32]byte{} && is(msg.Payload) {
				return
			}
		case <-late:
			t.Fatal("it was never said")
		}
	}
}

// given returns the key packages of a message, nil if it holds none.
func given(t *testing.T, payload []byte) (list []*mls.KeyPackage) {
	t.Helper()
	if payload[0] != 2 {
		return nil
	}
	r := wire.NewReader(payload[1:])
	r.Each(1<<20, 100, func(r *wire.Reader) {
		kp, err := mls.ParseKeyPackage(r.Vec(1 << 16))
		must(t, err)
		list = append(list, kp)
	})
	must(t, r.Done())
	return list
}

// TestKeysForFriends: who says that it reads them is given 8 post-quantum
// packages when few are left, and none when enough are.
func TestKeysForFriends(t *testing.T) {
	t.Parallel()
	ann := start(t, "Ann", t.TempDir())
	m := befriended(t, ann)
	for _, left := range []uint8{5, 4} {
		must(t, m.session.Send(peer.Message{Payload: node.Hello(nil, nil, true, left)}))
	}
	m.hears(t, func(payload []byte) bool {
		list := given(t, payload)
		for _, kp := range list {
			if kp.Suite() != group.NewSuite || kp.LastResort() || len(list) != 8 {
				t.Errorf("%d packages, one of suite %#x, last resort %v", len(list), kp.Suite(), kp.LastResort())
			}
		}
		return list != nil
	})
	g, err := ann.CreateGroup("Trip", []wire.PersonID{m.self.Person})
	if reason(err) != node.ReasonNoPackage { // her one package went into the direct chat
		t.Errorf("a second group with one package: %v, %v", g, err)
	}
	k, err := m.self.NewPackage(group.NewSuite, uint64(time.Now().UnixMilli()))
	must(t, err)
	must(t, m.session.Send(peer.Message{Payload: node.Packages(k.Public)}))
	ann.until("Mallory can be added", func() bool {
		g, err = ann.CreateGroup("Trip", []wire.PersonID{m.self.Person})
		return err == nil
	})
	if suite, err := ann.Suite(g); err != nil || suite != group.NewSuite {
		t.Errorf("a new group has suite %#x, %v", suite, err)
	}
}

// TestOlderFriend: a friend whose program knows one suite is spoken to as before,
// has a direct chat of that suite, can be added to a group of it, and is not to a
// new one.
func TestOlderFriend(t *testing.T) {
	t.Parallel()
	ann := start(t, "Ann", t.TempDir())
	m := befriendedWith(t, ann, older)
	hello := func(able bool) func([]byte) bool {
		return func(payload []byte) bool { return payload[0] == 1 && payload[len(payload)-1]&0x80 != 0 == able }
	}
	m.hears(t, hello(true)) // until she has said hello, she may be anybody
	must(t, m.session.Send(peer.Message{Payload: node.Hello(nil, nil, false, 0)}))
	first, again := false, false
	m.hears(t, func(payload []byte) bool {
		for _, kp := range given(t, payload) {
			if kp.Suite() != older || kp.LastResort() {
				t.Errorf("an old program is given a package of suite %#x", kp.Suite())
			}
			first = true
		}
		switch {
		case hello(false)(payload):
			again = true
		case payload[0] > 2:
			t.Errorf("an old program is told number %d", payload[0])
		}
		return first && again
	})
	if _, err := ann.CreateGroup("Trip", []wire.PersonID{m.self.Person}); reason(err) != node.ReasonNoPackage {
		t.Errorf("a new group with a friend without keys for it: %v", err)
	}
	var direct wire.GroupID
	ann.until("the direct chat", func() bool {
		f, err := ann.Friend(m.self.Person)
		direct = f.Chat
		return err == nil && direct != wire.GroupID{}
	})
	if suite, err := ann.Suite(direct); err != nil || suite != older {
		t.Errorf("the direct chat has suite %#x, %v", suite, err)
	}
	k, err := m.self.NewPackage(older, now()) // that of before went into the direct chat
	must(t, err)
	must(t, m.session.Send(peer.Message{Payload: node.Packages(k.Public)}))
	var g wire.GroupID
	ann.until("a group of its suite", func() bool {
		g, err = ann.CreateGroupOf(older, "Old trip", []wire.PersonID{m.self.Person})
		return err == nil
	})
	if suite, err := ann.Suite(g); err != nil || suite != older {
		t.Errorf("the group has suite %#x, %v", suite, err)
	}
	if ann.logged("peer broke a rule") != 0 {
		t.Error("somebody is punished for an old program")
	}
}

// TestPackageOfAnUnknownSuite: a program to come may give what this one cannot
// use.
func TestPackageOfAnUnknownSuite(t *testing.T) {
	t.Parallel()
	ann := start(t, "Ann", t.TempDir())
	m := befriended(t, ann)
	k, err := m.self.NewPackage(mls.SuiteX25519ChaChaSHA256Ed25519, uint64(time.Now().UnixMilli()))
	must(t, err)
	last, err := m.self.NewLastResort(group.NewSuite, uint64(time.Now().UnixMilli()))
	must(t, err)
	must(t, m.session.Send(peer.Message{Payload: node.Packages(k.Public)}))
	must(t, m.session.Send(peer.Message{Payload: node.Packages(last.Public)}))
	ann.until("the second breaks a rule", func() bool { return ann.logged("peer broke a rule") == 1 })
	if _, err := ann.CreateGroup("Trip", []wire.PersonID{m.self.Person}); reason(err) != node.ReasonNoPackage {
		t.Errorf("one of them was kept: %v", err)
	}
}

// TestOldPackagesGiveWay: of each suite the newest 16 are kept, and who is added
// takes one of the group's suite.
func TestOldPackagesGiveWay(t *testing.T) {
	var list [][]byte
	self := newMallory(t).self
	make1 := func(suite mls.Suite) {
		k, err := self.NewPackage(suite, uint64(time.Now().UnixMilli()))
		must(t, err)
		list = append(list, k.Public)
	}
	for range 3 {
		make1(older)
	}
	for range 20 {
		make1(group.NewSuite)
	}
	kept := node.Newest(slices.Clone(list))
	want := append(slices.Clone(list[:3]), list[7:]...)
	if !slices.EqualFunc(kept, want, slices.Equal) {
		t.Errorf("%d are kept, want 19", len(kept))
	}
}

// TestAcceptWithoutPackages: what Ben's request brought cannot be used any more,
// since it is of a program before. Ann accepts, and gets others.
func TestAcceptWithoutPackages(t *testing.T) {
	t.Parallel()
	ann, ben := start(t, "Ann", t.TempDir()), start(t, "Ben", t.TempDir())
	l, err := ann.NewContactLink()
	must(t, err)
	_, err = ben.AddFriend(l.Text)
	must(t, err)
	ann.until("asked", func() bool { f, err := ann.Friend(ben.id()); return err == nil && f.State == node.FriendAsking })
	must(t, ann.ForgetPackages(ben.id()))
	_, err = ann.AcceptFriend(ben.id())
	must(t, err)
	agree(t, ann, ben)
}
