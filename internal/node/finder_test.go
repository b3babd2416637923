package node

import (
	"bytes"
	"context"
	"testing"
)

// TestNoWayIn: while no node of the DHT answers, nobody is looked for more seldom by that, and
// nothing counts as left.
func TestNoWayIn(t *testing.T) {
	t.Parallel()
	n, err := Open(Config{Home: t.TempDir(), Bootstrap: []string{"127.0.0.1:1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	if err := n.Setup("Ann"); err != nil {
		t.Fatal(err)
	}
	f, err := n.openFinder()
	if err != nil {
		t.Fatal(err)
	}
	defer f.client.Close()
	own := n.ownRecord()
	own.Peer, own.Hosts = []byte("peer"), []string{"/ip4/192.0.2.1/udp/4040/quic-v1"}
	who := seekFor{secret: [32]byte{1}, most: findMost}
	for range 2 {
		n.seekOne(context.Background(), f, who)
	}
	n.leave(context.Background(), f, [32]byte{2}, own)
	if f.wait[who.secret] != 0 || f.next[who.secret] != 0 || f.done != 0 {
		t.Errorf("it is waited for %d ms, and %d are left", f.wait[who.secret], f.done)
	}
	if now := n.steadyMS(); f.later <= now || f.later > now+noWayMost {
		t.Errorf("it is asked again after %d ms", f.later-now)
	}
	if !f.answered(nil, n.steadyMS()) || f.later != 0 {
		t.Error("who answered is not asked again")
	}
}

// TestWhoComesAndGoes: who answers and goes again is looked for at once, but not time after
// time; after a change of the network at once.
func TestWhoComesAndGoes(t *testing.T) {
	t.Parallel()
	secret := [32]byte{1}
	const searched = 1_000_000 // ms
	f := &finder{next: map[[32]byte]uint64{secret: searched + findMost}, wait: map[[32]byte]uint64{secret: findMost}}
	f.keep([]seekFor{{secret: secret}}, false, searched+findRest)
	if f.next[secret] != searched+findMost {
		t.Error("who never answered is looked for anew")
	}
	f.keep(nil, false, searched+1)
	if got := f.next[secret]; got != searched+findRest {
		t.Errorf("who has just been looked for and answered is looked for again after %d ms, want %d", got-searched, findRest)
	}
	f.keep(nil, false, searched+findRest)
	if len(f.next)+len(f.wait) != 0 {
		t.Error("how long was waited is not forgotten")
	}
	f = &finder{next: map[[32]byte]uint64{secret: searched + findMost}, wait: map[[32]byte]uint64{secret: findMost}}
	f.keep([]seekFor{{secret: secret}}, true, searched+1)
	if len(f.next) != 0 {
		t.Error("after a change of the network the wait goes on")
	}
}

// TestOldLinks: whoever opens an old contact link waits a quarter of an hour at most for its maker to
// look for them; with many links no more is asked of the DHT than with one.
func TestOldLinks(t *testing.T) {
	t.Parallel()
	n, err := Open(Config{Home: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	if err := n.Setup("Ann"); err != nil {
		t.Fatal(err)
	}
	old := (n.nowMS() + 30*24*3600*1000) / 1000
	for _, c := range []struct {
		links int
		wait  uint64 // ms
	}{{1, linkMost}, {3, 3 * linkMost}, {100, findMost}} {
		n.mu.Lock()
		n.links = make(map[[16]byte]*ownLink)
		for i := range c.links {
			n.links[[16]byte{byte(i)}] = &ownLink{Secret: bytes.Repeat([]byte{byte(i + 1)}, 32), Expiry: old}
		}
		n.mu.Unlock()
		list := n.sought()
		if len(list) != c.links {
			t.Fatalf("%d are looked for, of %d links", len(list), c.links)
		}
		for _, w := range list {
			wait := uint64(0)
			for range 30 {
				wait = w.again(wait, n.nowMS(), linkEager)
			}
			if w.again(wait, n.nowMS(), 0) != findFirst {
				t.Fatal("who has just opened a link is not looked after")
			}
			if wait != c.wait {
				t.Fatalf("of %d links each is looked after each %d ms, want %d", c.links, wait, c.wait)
			}
		}
	}
}
