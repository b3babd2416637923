package mls_test

import (
	"bytes"
	"fmt"
	"testing"

	"kith/internal/mls"
)

// everything is all that a device has stored: the epoch and the records of its
// ratchets.
func (d *device) everything(s shelf) []byte {
	out := d.epoch.Marshal()
	for k, v := range s {
		out = append(append(out, k...), v...)
	}
	return out
}

// TestDeletionSchedule goes through section 9.2: what a message or a commit
// used up is not in the stored state any more.
func TestDeletionSchedule(t *testing.T) {
	g := group(t, 7)
	ann, ben := g[0], g[4]
	shelves := map[*device]shelf{ann: {}, ben: {}}
	store := func() {
		for d, s := range shelves {
			s.put(d.keys.Changes())
		}
	}
	store()
	gone := func(what string, secrets ...[]byte) {
		t.Helper()
		for d, s := range shelves {
			all := d.everything(s)
			for i, secret := range secrets {
				if len(secret) < 12 {
					t.Fatalf("%s: secret %d has %d bytes", what, i, len(secret))
				}
				if bytes.Contains(all, secret) {
					t.Errorf("%s: secret %d is still stored by %s", what, i, d.name)
				}
			}
		}
	}
	there := func(what string, secret []byte, d *device) {
		t.Helper()
		if !bytes.Contains(d.everything(shelves[d]), secret) {
			t.Errorf("%s is not stored", what)
		}
	}
	// The encryption_secret, and each node secret down to the sender's leaf.
	root := shelves[ann]["t\x00\x00\x00\x07"]
	there("encryption_secret", root, ann)
	there("encryption_secret", root, ben)
	first := ann.encrypt("one")
	store()
	if bytes.Contains(ann.everything(shelves[ann]), root) {
		t.Error("encryption_secret is still stored by the sender")
	}
	ratchet := shelves[ann]["r\x00\x00\x00\x00\x02"][4:]
	there("ratchet secret", ratchet, ann)
	open := func(m []byte) {
		t.Helper()
		if _, _, err := ben.epoch.Decrypt(ben.keys, m); err != nil {
			t.Fatal(err)
		}
		store()
	}
	open(first)
	gone("the first message", root)
	for key := range shelves[ben] {
		if key == "t\x00\x00\x00\x03" || key == "t\x00\x00\x00\x01" || key == "t\x00\x00\x00\x00" {
			t.Errorf("secret of the way to the sender is stored: %x", key)
		}
	}
	// The ratchet secret of each generation, and skipped keys once they are used.
	second, third := ann.encrypt("two"), ann.encrypt("three")
	store()
	open(third)
	gone("passing over a message", ratchet)
	skipped := shelves[ben]["s\x00\x00\x00\x00\x02\x00\x00\x00\x01"]
	there("skipped key", skipped, ben)
	open(second)
	gone("the message passed over", skipped[:16], skipped[16:])

	// A commit: the keys of the path it replaces and the init secret. The epoch
	// before goes when the application erases it.
	before := [][]byte{}
	for _, d := range []*device{ann, ben} {
		for _, secret := range mls.SecretsOf(d.epoch) {
			before = append(before, secret)
		}
	}
	leaf := mls.SecretsOf(ben.epoch)["leaf"]
	s := ben.commit(mls.CommitParams{})
	old := []*mls.Epoch{ann.epoch, ben.epoch}
	oldKeys := []*mls.Ratchets{ann.keys, ben.keys}
	ben.take(s, []*device{ann})
	s.Erase()
	for i := range old {
		old[i].Erase()
		oldKeys[i].Erase()
	}
	for d := range shelves {
		clear(shelves[d])
	}
	store()
	gone("the commit", append(before, leaf)...)
	for _, e := range old {
		for name, secret := range mls.SecretsOf(e) {
			if !bytes.Equal(secret, make([]byte, len(secret))) {
				t.Errorf("%s is still in memory", name)
			}
		}
	}
}

// TestCrashNeverUsesANonceTwice stops a sender before, between and after its two
// writes, the records and the message, and starts it again from what is stored.
func TestCrashNeverUsesANonceTwice(t *testing.T) {
	g := group(t, 3)
	ann, ben := g[0], g[1]
	disk := shelf{}
	disk.put(ann.keys.Changes())
	seen := make(map[uint32]bool)
	for round := range 60 {
		ann.keys = disk.load(t)
		m := ann.encrypt("x")
		changes := ann.keys.Changes()
		sender, _, err := ben.epoch.Peek(m)
		if err != nil {
			t.Fatal(err)
		}
		switch round % 3 {
		case 0: // crash before the records are stored: nothing was sent
			continue
		case 1: // stored, crash before sending: the generation is lost
			disk.put(changes)
			continue
		case 2: // stored and sent
			disk.put(changes)
		}
		if seen[sender.Generation] {
			t.Fatalf("generation %d was sent twice", sender.Generation)
		}
		seen[sender.Generation] = true
		if _, _, err := ben.epoch.Decrypt(ben.keys, m); err != nil {
			t.Fatal(err)
		}
	}
	if len(seen) != 20 {
		t.Errorf("%d messages were sent", len(seen))
	}
}

// TestCrashWithinAWrite stops a sender between any two records of one step,
// written in the order of Changes. What was sent before and is sent after it
// never has the same key, whatever kind of message comes next.
func TestCrashWithinAWrite(t *testing.T) {
	for cut := range 7 {
		for _, commitFirst := range []bool{false, true} {
			g := group(t, 5)
			ann, ben := g[0], g[3]
			disk := shelf{}
			disk.put(ann.keys.Changes())
			ann.encrypt("not sent: its records are not all stored")
			changes := ann.keys.Changes()
			disk.put(changes[:min(cut, len(changes))])
			seen := make(map[string]bool)
			send := func(commit bool) {
				t.Helper()
				ann.keys = disk.load(t)
				var m []byte
				if commit {
					p := must[*mls.Proposed](t)(ann.epoch.ProposeRemove(1, mls.ProposalParams{Signer: ann.key, Private: true}))
					_, m, _ = mls.UnframeMessage(must[[]byte](t)(ann.epoch.Seal(ann.keys, &mls.Handshake{Proposed: p}, 0)))
				} else {
					m = ann.encrypt("sent")
				}
				disk.put(ann.keys.Changes())
				s, _, err := ben.epoch.Peek(m)
				if err != nil {
					t.Fatal(err)
				}
				key := fmt.Sprint(commit, s.Generation)
				if seen[key] {
					t.Errorf("cut %d: generation %d used twice", cut, s.Generation)
				}
				seen[key] = true
			}
			for range 2 {
				send(commitFirst)
				send(!commitFirst)
			}
		}
	}
}
