package chain

import (
	"os"
	"testing"
	"time"
)

// forums have a change of voters in each: the liar goes with it, comes with it, or
// stays while another goes and another comes; a branch competes with it, and a block
// stands above it. By default those that take seconds.
func forums() []*forum {
	list := []*forum{
		{picture: "G:01 -> e1:12 -> d1 | G -> b1", liar: -1, rounds: 3},
		{picture: "G:012 -> e1:123 -> d1 | G -> b1", liar: -1, rounds: 2},
		{picture: "G:0123 -> e1:012 -> d1 | G -> b1", liar: 3, rounds: 2},
		{picture: "G:012 -> e1:0123 -> d1 | G -> b1", liar: 3, rounds: 2},
	}
	if os.Getenv("KITH_EXPLORE") == "big" {
		list = append(list,
			&forum{picture: "G:0123 -> e1:023 -> d1 | G -> b1", liar: 1, rounds: 2},
			&forum{picture: "G:0123 -> e1:013 -> d1 | G -> b1", liar: 2, rounds: 2},
			&forum{picture: "G:0123 -> e1:12 -> d1 | G -> b1", liar: 3, rounds: 2},
			&forum{picture: "G:0123 -> b1 | G -> e1:012 -> d1", liar: 3, rounds: 2},
			&forum{picture: "G:0123 -> e1:012 -> d1 | G -> c1:0124 -> f1", liar: 3, rounds: 2},
			&forum{picture: "G:0123 -> a1 -> e2:012 -> d3 | G -> b1", liar: 3, rounds: 2},
			&forum{picture: "G:0123 -> e1:1234 -> d1 | G -> b1", liar: 3, rounds: 2})
	}
	return list
}

func TestExploreForum(t *testing.T) {
	for _, f := range forums() {
		t.Run(f.picture, func(t *testing.T) {
			began := time.Now()
			if err := f.run(); err != nil {
				t.Fatal(err)
			}
			t.Logf("%d states, up to round %d, liar %d with %d votes to say, %d votes in all, %d holdings, no conflict, nothing unsettled again; %v",
				len(f.seen), f.rounds, f.liar, len(f.lies.ids()), len(f.cast), len(f.held), time.Since(began).Round(time.Millisecond))
		})
	}
}

// TestExploreForumTooManyLiars: one liar among three is more than the rules bear,
// and a forum sees that.
func TestExploreForumTooManyLiars(t *testing.T) {
	f := &forum{picture: "G:012 -> e1:013 -> d1 | G -> b1", liar: 2, rounds: 3}
	err := f.run()
	if err == nil {
		t.Fatal("no conflict found")
	}
	t.Log(err)
}

// TestForumCoversRooms: what can be voted in a room can in a forum, and where nobody
// lies nothing else.
func TestForumCoversRooms(t *testing.T) {
	for _, r := range []*room{
		{picture: "G:01 -> e1:12 -> d1 | G -> b1", people: 3, rounds: 2},
		{picture: "G:0 -> e1:01 -> d1 | e1 -> d2 | G -> b1", people: 2, rounds: 2},
		{picture: "G:0123 -> e1:012", people: 3, rounds: 2, liar: 1},
	} {
		f := &forum{picture: r.picture, liar: -1, rounds: r.rounds}
		if r.liar > 0 {
			f.liar = r.people
		}
		if err := f.run(); err != nil {
			t.Fatal(err)
		}
		found := map[speech]bool{}
		r.walked = func() {
			for s := range r.seen {
				found[f.said(r, s)] = true
			}
		}
		if err := r.run(); err != nil {
			t.Fatal(err)
		}
		for s := range found {
			if f.seen[s] == nil {
				t.Errorf("%s: not in the forum: %s", r.picture, f.story(s))
			}
		}
		if r.liar == 0 && len(found) != len(f.seen) {
			t.Errorf("%s: %d sets of votes, in the forum %d", r.picture, len(found), len(f.seen))
		}
		t.Logf("%s: %d states, %d sets of votes; in the forum %d", r.picture, r.all, len(found), len(f.seen))
	}
}

// said returns the votes of a room's state that honest devices cast.
func (f *forum) said(r *room, state [4]chair) (s speech) {
	for _, at := range state[:r.people] {
		for id, v := range r.cast {
			if at.votes>>id&1 == 1 && (f.liar < 0 || v.Device != sceneDevice(f.liar)) {
				s = s.with(f.id(v))
			}
		}
	}
	return s
}
