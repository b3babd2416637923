package node_test

import (
	"strings"
	"testing"
	"time"

	"kith/internal/group"
	"kith/internal/peer"
	"kith/internal/wire"
)

// invited waits for an invitation and returns the group.
func (m *mallory) invited() (g wire.GroupID) {
	for msg := range m.session.Messages() {
		if group.IsInvitation(msg.Payload) {
			return msg.Channel
		}
	}
	return g
}

// asksForAll is a want of who has nothing; of answers to it, each has 2 MiB where there are as
// many, and ends with a payload whose last byte is 1.
var asksForAll = []byte{5, 1, 0, 0}

// saysLong has somebody say so many messages of 60 KB.
func (p *person) saysLong(g wire.GroupID, times int) {
	p.t.Helper()
	long, err := group.Text(strings.Repeat("long ", 12_000))
	must(p.t, err)
	for range times {
		_, err := p.Send(p.t.Context(), g, "", long)
		must(p.t, err)
	}
}

// takes reads so many answers to asksForAll, and returns how many there were, of how many bytes.
func (m *mallory) takes(g wire.GroupID, answers int) (last, size int) {
	for msg := range m.session.Messages() {
		if msg.Channel == g && msg.Payload[0] == 4 {
			size += len(msg.Payload)
			if msg.Payload[len(msg.Payload)-1] == 1 {
				last++
			}
		}
		if last == answers {
			break
		}
	}
	return last, size
}

// TestFriendThatNeverReads: what is sent to it does not pile up, and nobody else
// waits.
func TestFriendThatNeverReads(t *testing.T) {
	t.Parallel()
	ann, ben := start(t, "Ann", t.TempDir()), start(t, "Ben", t.TempDir())
	befriend(t, ann, ben)
	m := befriended(t, ann)
	g := m.invited()
	// A digest: she takes part. From here on she reads nothing.
	must(t, m.session.Send(peer.Message{Channel: g, Payload: append([]byte{1}, make([]byte, 32)...)}))
	ann.until("Mallory's session", func() bool { return ann.Status().Connected == 2 })
	before := ann.logged("disconnected")
	for i := 0; ann.logged("disconnected") == before; i++ {
		if i == 2000 {
			t.Fatal("120 MB are queued for somebody who does not read")
		}
		ann.saysLong(g, 1)
	}
	d := ann.chatWith(ben)
	ann.say(d, "hello")
	ben.sees(d, "hello")
}

// TestWhoAsksMoreThanItReads: who asks for more than a session queues, as a friend does who has
// many chats to catch up with over a slow line, is given it as fast as it takes it, and loses
// no session. Nobody else waits.
func TestWhoAsksMoreThanItReads(t *testing.T) {
	t.Parallel()
	ann, ben := start(t, "Ann", t.TempDir()), start(t, "Ben", t.TempDir())
	befriend(t, ann, ben)
	m := befriended(t, ann)
	g := m.invited()
	ann.saysLong(g, 40)
	const times = 40 // of 2 MiB
	for range times {
		must(t, m.session.Send(peer.Message{Channel: g, Payload: asksForAll}))
	}
	d := ann.chatWith(ben)
	ann.say(d, "hello")
	ben.sees(d, "hello")
	select {
	case <-m.session.Done():
		t.Fatal("the session ends")
	case <-time.After(3 * time.Second): // in which a program that queues all would have ended it
	}
	if last, size := m.takes(g, times); last != times || size < times<<20 {
		t.Errorf("%d answers of %d, %d MiB", last, times, size>>20)
	}
}

// TestShareOfAnswers: who asks for more than its share is given the rest as fast as that comes
// back, and loses no session. Nobody else waits.
func TestShareOfAnswers(t *testing.T) {
	t.Parallel()
	ann, ben := start(t, "Ann", t.TempDir()), start(t, "Ben", t.TempDir())
	ann.SetAnswerBurst(8 << 20)
	befriend(t, ann, ben)
	m := befriended(t, ann)
	g := m.invited()
	ann.saysLong(g, 40)
	const times = 10 // of 2 MiB
	began := time.Now()
	for range times {
		must(t, m.session.Send(peer.Message{Channel: g, Payload: asksForAll}))
	}
	d := ann.chatWith(ben)
	ann.say(d, "hello")
	ben.sees(d, "hello")
	if last, size := m.takes(g, times); last != times || size < times<<20 {
		t.Errorf("%d answers of %d, %d MiB", last, times, size>>20)
	}
	// Before the last answer 18 MiB were given, 10 beyond the share, at 8 MiB a second.
	if took := time.Since(began); took < time.Second {
		t.Errorf("they came within %v", took)
	}
}
