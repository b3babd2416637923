package node_test

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"kith/internal/chain"
	"kith/internal/group"
	"kith/internal/identity"
	"kith/internal/link"
	"kith/internal/mls"
	"kith/internal/node"
	"kith/internal/peer"
	"kith/internal/wire"
)

// mallory is a friend with a program of her own making.
type mallory struct {
	self    group.Self
	link    link.Link
	session *peer.Session
	own     []group.Record // of her person chain
}

// newMallory makes one that knows nobody.
func newMallory(t *testing.T) *mallory {
	t.Helper()
	device := identity.NewDevice()
	recovery, err := identity.ParsePhrase(identity.NewPhrase())
	must(t, err)
	self, eff, err := group.NewPerson(group.NewPersonParams{Device: device, Name: "Mallory", Recovery: chain.RecoveryKeys{
		Key: [32]byte(recovery.RecoveryKey()), Sealing: [chain.KnockKeySize]byte(recovery.SealingKey()),
	}}, uint64(time.Now().UnixMilli()))
	must(t, err)
	l, err := link.NewDirect(link.DirectConfig{Listen: "127.0.0.1:0"})
	must(t, err)
	t.Cleanup(func() { l.Close() })
	return &mallory{self: self, link: l, own: eff.Write}
}

// asks asks over a contact link, and returns the session and the answer.
func (m *mallory) asks(t *testing.T, text string) (*peer.Session, peer.Request, error) {
	t.Helper()
	return m.asksWith(t, text, group.NewSuite)
}

// asksWith is asks with a key package of another suite.
func (m *mallory) asksWith(t *testing.T, text string, suite mls.Suite) (*peer.Session, peer.Request, error) {
	t.Helper()
	k, err := m.self.NewPackage(suite, uint64(time.Now().UnixMilli()))
	must(t, err)
	return m.asksGiving(t, text, k.Public)
}

// asksGiving is asks with a key package of before.
func (m *mallory) asksGiving(t *testing.T, text string, public []byte) (*peer.Session, peer.Request, error) {
	t.Helper()
	to, err := identity.ParseContactLink(text, uint64(time.Now().Unix()))
	must(t, err)
	conn, err := m.link.Dial(t.Context(), link.Address{Peer: to.Peer, Hosts: to.Hosts})
	must(t, err)
	return peer.Ask(t.Context(), conn, peer.Config{Device: m.self.Device, Person: m.self.Person}, to, peer.Card{
		Headers: m.self.Headers, Info: m.self.Info, KnockKey: m.self.Device.KnockKey(), KeyPackages: [][]byte{public},
	})
}

// befriended lets mallory ask ann over a contact link, and ann accept.
func befriended(t *testing.T, ann *person) *mallory {
	t.Helper()
	return befriendedWith(t, ann, group.NewSuite)
}

// befriendedWith is befriended with a key package of another suite.
func befriendedWith(t *testing.T, ann *person, suite mls.Suite) *mallory {
	t.Helper()
	m := newMallory(t)
	own, err := ann.NewContactLink()
	must(t, err)
	s, _, err := m.asksWith(t, own.Text, suite)
	must(t, err)
	ended := make(chan struct{})
	go func() {
		_ = s.Run(t.Context())
		close(ended)
	}()
	t.Cleanup(func() {
		s.Close(nil)
		<-ended
	})
	person := m.self.Person
	ann.until("asked by Mallory", func() bool { f, err := ann.Friend(person); return err == nil && f.State == node.FriendAsking })
	_, err = ann.AcceptFriend(person)
	must(t, err)
	m.session = s
	return m
}

// TestUsedByThen: Mallory's first answer gets lost, and she asks again, with the key package
// of before, by which Ann has led her into their chat meanwhile. Ann uses it for nothing else.
func TestUsedByThen(t *testing.T) {
	t.Parallel()
	ann, m := start(t, "Ann", t.TempDir()), newMallory(t)
	own, err := ann.NewContactLink()
	must(t, err)
	k, err := m.self.NewPackage(group.NewSuite, now())
	must(t, err)
	s, _, err := m.asksGiving(t, own.Text, k.Public)
	must(t, err)
	s.Close(nil)
	_, err = ann.AcceptFriend(m.self.Person)
	must(t, err)
	ann.until("their chat", func() bool { f, err := ann.Friend(m.self.Person); return err == nil && f.Chat != wire.GroupID{} })
	s, _, err = m.asksGiving(t, own.Text, k.Public)
	must(t, err)
	defer s.Close(nil)
	if g, err := ann.CreateGroup("Trip", []wire.PersonID{m.self.Person}); reason(err) != node.ReasonNoPackage {
		t.Errorf("a package is used twice: %v, %v", g, err)
	}
}

// TestAskingAgain: who asks again and again over one link is given the same key
// packages; of two who ask at once one is answered.
func TestAskingAgain(t *testing.T) {
	t.Parallel()
	ann := start(t, "Ann", t.TempDir())
	own, err := ann.NewContactLink()
	must(t, err)
	m := newMallory(t)
	var first [][]byte
	for range 3 {
		s, answer, err := m.asks(t, own.Text)
		must(t, err)
		s.Close(nil)
		if first == nil {
			first = answer.Card.KeyPackages
		}
		if !slices.EqualFunc(first, answer.Card.KeyPackages, bytes.Equal) || len(first) != 8 {
			t.Errorf("an answer gives %d key packages, others than before", len(answer.Card.KeyPackages))
		}
		old := 0
		for _, b := range answer.Card.KeyPackages {
			if kp, err := mls.ParseKeyPackage(b); err == nil && kp.Suite() == older {
				old++
			}
		}
		if old != 2 {
			t.Errorf("of an answer's key packages %d are of suite 1: whoever is met cannot be added to a group of it at once", old)
		}
	}

	own, err = ann.NewContactLink()
	must(t, err)
	errs := make(chan error)
	for _, m := range []*mallory{newMallory(t), newMallory(t)} {
		go func() {
			s, _, err := m.asks(t, own.Text)
			if err == nil {
				s.Close(nil)
			}
			errs <- err
		}()
	}
	if a, b := <-errs, <-errs; (a == nil) == (b == nil) {
		t.Errorf("two at once over one link: %v, %v", a, b)
	}
}

// TestFloodOfHellos: each would have us write to the disk and make key packages;
// a friend that does not stop is shut out.
func TestFloodOfHellos(t *testing.T) {
	t.Parallel()
	ann := start(t, "Ann", t.TempDir())
	m := befriended(t, ann)
	began := time.Now()
	given := make(chan int)
	go func() {
		n := 0
		for msg := range m.session.Messages() {
			if msg.Channel == [32]byte{} && msg.Payload[0] == 2 {
				n++
			}
		}
		given <- n
	}()
	for i := range 1000 {
		if m.session.Send(peer.Message{Payload: node.Hello(nil, []string{"/ip4/192.0.2.1/tcp/" + string(rune('1'+i%9))}, false, 0)}) != nil {
			break
		}
	}
	if n := <-given; n == 0 || n > 65+int(time.Since(began)/time.Second) { // 64 at once, then one each second
		t.Errorf("a friend got key packages %d times", n)
	}
	ann.until("Mallory is shut out", func() bool { return ann.Status().Connected == 0 })
	f, err := ann.Friend(m.self.Person)
	must(t, err)
	if a := f.Person.Aside; a.Rule != "own-flood" || !a.Until.After(time.Now()) {
		t.Errorf("Ann is told of her as %+v", a)
	}
	ann.say(ann.Status().Notes, "still here")
}

// TestPackagesOfAnotherTime: a friend whose clock is wrong breaks no rule.
func TestPackagesOfAnotherTime(t *testing.T) {
	t.Parallel()
	ann := start(t, "Ann", t.TempDir())
	m := befriended(t, ann)
	go func() {
		for range m.session.Messages() {
		}
	}()
	year := uint64(366 * 24 * 3600 * 1000)
	k, err := m.self.NewPackage(group.NewSuite, uint64(time.Now().UnixMilli())+year)
	must(t, err)
	for range 20 {
		must(t, m.session.Send(peer.Message{Payload: node.Packages(k.Public)}))
	}
	ann.until("all were looked at", func() bool { return ann.logged("a key package is of another time: a clock is wrong") == 20 })
	if ann.logged("peer broke a rule") != 0 || ann.Status().Connected != 1 {
		t.Error("Mallory is punished for a clock")
	}
}
