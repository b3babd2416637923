package mls_test

import (
	"bytes"
	"errors"
	"testing"

	"kith/internal/mls"
)

func TestLifeOfAGroup(t *testing.T) {
	ann, ben, cat, dan := newDevice(t, "ann"), newDevice(t, "ben"), newDevice(t, "cat"), newDevice(t, "dan")
	ann.create("book club")
	ann.add(nil, []*device{ben, cat})
	agree(t, []*device{ann, ben, cat})

	for _, from := range []*device{ann, ben, cat} {
		message := from.encrypt("hello from " + from.name)
		for _, to := range []*device{ann, ben, cat} {
			if to == from {
				continue
			}
			text, sender, err := to.epoch.Decrypt(to.keys, message)
			if err != nil || string(text) != "hello from "+from.name || sender.Leaf != from.epoch.OwnLeaf() {
				t.Fatalf("%s to %s: %q, %v, %v", from.name, to.name, text, sender, err)
			}
		}
	}

	ben.add([]*device{ann, cat}, []*device{dan})
	agree(t, []*device{ann, ben, cat, dan})

	// Cat is removed; the others go on without her.
	s := dan.commit(mls.CommitParams{Remove: []uint32{cat.epoch.OwnLeaf()}, AuthenticatedData: []byte("core")})
	if !bytes.Equal(s.Commit.AuthenticatedData(), []byte("core")) {
		t.Error("authenticated data lost")
	}
	next, changes, err := cat.epoch.Process(s.Commit)
	if next != nil || !errors.Is(err, mls.ErrRemoved) || len(changes.Removed) != 1 || string(changes.Removed[0].Identity) != "cat" {
		t.Fatalf("removed member got %v, %v, %v", next, changes, err)
	}
	dan.take(s, []*device{ann, ben})
	agree(t, []*device{ann, ben, dan})
	if _, ok := ann.epoch.Public().LeafOf([]byte("cat")); ok {
		t.Error("cat is still a member")
	}
}
