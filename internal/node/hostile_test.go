package node_test

import (
	"strings"
	"testing"
	"time"

	"kith/internal/chain"
	"kith/internal/group"
	"kith/internal/identity"
	"kith/internal/link"
	"kith/internal/node"
	"kith/internal/peer"
	"kith/internal/wire"
)

// mallory is a friend with a program of her own making.
type mallory struct {
	self    group.Self
	session *peer.Session
}

// befriended lets mallory ask ann over a contact link, and ann accept.
func befriended(t *testing.T, ann *person) *mallory {
	t.Helper()
	device := identity.NewDevice()
	recovery, err := identity.ParsePhrase(identity.NewPhrase())
	must(t, err)
	self, _, err := group.NewPerson(group.NewPersonParams{Device: device, Name: "Mallory", Recovery: chain.RecoveryKeys{
		Key: [32]byte(recovery.RecoveryKey()), Sealing: [chain.KnockKeySize]byte(recovery.SealingKey()),
	}}, uint64(time.Now().UnixMilli()))
	must(t, err)
	l, err := link.NewDirect(link.DirectConfig{Listen: "127.0.0.1:0"})
	must(t, err)
	t.Cleanup(func() { l.Close() })
	own, err := ann.NewContactLink()
	must(t, err)
	to, err := identity.ParseContactLink(own.Text, uint64(time.Now().Unix()))
	must(t, err)
	conn, err := l.Dial(t.Context(), link.Address{Peer: to.Peer, Hosts: to.Hosts})
	must(t, err)
	k, err := self.NewPackage(uint64(time.Now().UnixMilli()))
	must(t, err)
	s, _, err := peer.Ask(t.Context(), conn, peer.Config{Device: device, Person: self.Person}, to, peer.Card{
		Headers: self.Headers, Info: self.Info, KnockKey: device.KnockKey(), KeyPackages: [][]byte{k.Public},
	})
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
	ann.until("asked by Mallory", func() bool { f, err := ann.Friend(self.Person); return err == nil && f.State == node.FriendAsking })
	_, err = ann.AcceptFriend(self.Person)
	must(t, err)
	return &mallory{self, s}
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
		if m.session.Send(peer.Message{Payload: node.Hello(nil, []string{"/ip4/192.0.2.1/tcp/" + string(rune('1'+i%9))}, 0)}) != nil {
			break
		}
	}
	if n := <-given; n == 0 || n > 65+int(time.Since(began)/(2*time.Second)) { // 64 at once, then one each 2 s
		t.Errorf("a friend got key packages %d times", n)
	}
	ann.until("Mallory is shut out", func() bool { return ann.Status().Connected == 0 })
	ann.say(ann.Status().Notes, "still here")
}

// TestFriendThatNeverReads: what is sent to it does not pile up, and nobody else
// waits.
func TestFriendThatNeverReads(t *testing.T) {
	t.Parallel()
	ann, ben := start(t, "Ann", t.TempDir()), start(t, "Ben", t.TempDir())
	befriend(t, ann, ben)
	m := befriended(t, ann)
	var g wire.GroupID
	for msg := range m.session.Messages() {
		if group.IsInvitation(msg.Payload) {
			g = msg.Channel
			break
		}
	}
	// A digest: she takes part. From here on she reads nothing.
	must(t, m.session.Send(peer.Message{Channel: g, Payload: append([]byte{1}, make([]byte, 32)...)}))
	ann.until("Mallory's session", func() bool { return ann.Status().Connected == 2 })
	long, err := group.Text(strings.Repeat("long ", 12_000))
	must(t, err)
	before := ann.logged("disconnected")
	for i := 0; ann.logged("disconnected") == before; i++ {
		if i == 2000 {
			t.Fatal("120 MB are queued for somebody who does not read")
		}
		_, err := ann.Send(t.Context(), g, "", long)
		must(t, err)
	}
	d := ann.chatWith(ben)
	ann.say(d, "hello")
	ben.sees(d, "hello")
}
