package node

import (
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
	who := seekFor{secret: [32]byte{1}}
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
