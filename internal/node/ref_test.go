package node_test

import (
	"testing"

	"kith/internal/node"
)

// TestRefs: a title that looks like the beginning of another chat's id captures
// nothing that was meant for it.
func TestRefs(t *testing.T) {
	t.Parallel()
	ann := start(t, "Ann", t.TempDir())
	trip, err := ann.CreateGroup("Trip", nil)
	must(t, err)
	begin := trip.String()[:8]
	for _, ref := range []string{"trip", " Trip ", begin, trip.String()} {
		if g, err := ann.FindChat(ref); err != nil || g != trip {
			t.Errorf("%q names %v, %v", ref, g, err)
		}
	}
	if _, err := ann.FindChat(trip.String()[:3]); reason(err) != node.ReasonUnknown {
		t.Errorf("three digits: %v", err)
	}
	_, err = ann.CreateGroup(begin, nil)
	must(t, err)
	if g, err := ann.FindChat(begin); reason(err) != node.ReasonAmbiguous {
		t.Errorf("a title that is the beginning of an id names %v, %v", g, err)
	}
	_, err = ann.CreateGroup(trip.String(), nil)
	must(t, err)
	if g, err := ann.FindChat(trip.String()); err != nil || g != trip {
		t.Errorf("a whole id names %v, %v", g, err)
	}
	if _, err := ann.FindChat(""); reason(err) != node.ReasonUnknown {
		t.Errorf("nothing: %v", err)
	}
}

// TestDirectChatByPerson: a direct chat goes by the id of the other person too, which
// is what names somebody whose name does not.
func TestDirectChatByPerson(t *testing.T) {
	t.Parallel()
	ann, ben := start(t, "Ann", t.TempDir()), start(t, "Ben Moss", t.TempDir())
	befriend(t, ann, ben)
	g := ann.chatWith(ben)
	for _, ref := range []string{"ben moss", ben.id().String()[:8], ben.id().String(), g.String()[:8]} {
		if found, err := ann.FindChat(ref); err != nil || found != g {
			t.Errorf("%q names %v, %v", ref, found, err)
		}
	}
	if found, err := ann.FindChat(ann.id().String()); reason(err) != node.ReasonUnknown {
		t.Errorf("oneself names %v, %v", found, err)
	}
	begin := ben.id().String()[:8]
	trip, err := ann.CreateGroup(begin, nil)
	must(t, err)
	if found, err := ann.FindChat(begin); reason(err) != node.ReasonAmbiguous {
		t.Errorf("a title that is the beginning of a friend's id names %v (the group is %v), %v", found, trip, err)
	}
}
