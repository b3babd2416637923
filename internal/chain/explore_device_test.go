package chain_test

import (
	"os"
	"slices"
	"testing"

	"kith/internal/chain"
)

// A walk through all small forks in which devices come and go. Zoe and ann, who
// has two devices, and ben are admins; ann's first device was stolen.
//
//	1+2 2-1        her own history: the second device revoked the first
//	1+2 2-1 2+4    it went on: the second let the fourth in
//	1+2 1+3        the thief's: the first let the third in
//	1+2 1+3 3-1    and that revoked the first
const (
	walkZoe, walkAnn, walkBen = 0, 1, 2

	ownHistory    = "1+2 2-1"
	laterHistory  = "1+2 2-1 2+4"
	thiefHistory  = "1+2 1+3"
	coverUpByThat = "1+2 1+3 3-1"
)

var deviceActs = []act{
	{who: walkZoe, verb: "rekeys"},
	{who: walkBen, verb: "removes", target: walkAnn},
	{who: walkBen, verb: "revokes", target: walkAnn, history: ownHistory},
	{who: walkAnn, verb: "removes", target: walkBen},
	{who: walkAnn, verb: "lets", target: walkAnn, of: 2, history: thiefHistory},
	{who: walkAnn, device: 1, verb: "rekeys"},
	{who: walkAnn, device: 1, verb: "removes", target: walkBen},
	{who: walkAnn, device: 1, verb: "revokes", target: walkAnn, history: ownHistory},
	{who: walkAnn, device: 1, verb: "lets", target: walkAnn, of: 3, history: laterHistory},
	{who: walkAnn, device: 2, verb: "enters", target: walkAnn, of: 2, history: thiefHistory},
	{who: walkAnn, device: 2, verb: "removes", target: walkBen},
	{who: walkAnn, device: 2, verb: "revokes", target: walkAnn, history: coverUpByThat},
	{who: walkAnn, device: 3, verb: "enters", target: walkAnn, of: 3, history: laterHistory},
	{who: walkAnn, device: 3, verb: "removes", target: walkBen},
	{who: walkAnn, device: 3, verb: "rekeys"},
}

func newDeviceExplorer(t testing.TB, most int) *explorer {
	f := plant(t, 0, "zoe ann/2* ben*")
	e := &explorer{t: t, names: []string{"zoe", "ann", "ben"}, most: most, head: chain.Head, pending: chain.Pending, acts: deviceActs, checks: deviceChecks}
	for _, name := range e.names {
		e.people = append(e.people, f.person(name))
	}
	e.blocks, e.up, e.did, e.paths = []*chain.Block{f.blocks["G"]}, []int{-1}, []int{-1}, [][]int{{0}}
	return e
}

var deviceChecks = []property{
	{"I1 I6 neither order nor hashes decide between devices", grinding},
	{"what a stolen device signs, or one that it let in, changes no choice", stolenSays},
	{"I5 a removal by a device of its owner's is in effect or pending", ownersRemovals},
	{"I7 an ordinary block undoes no admin work of a device that is heard", ordinaryDevices},
	{"who was removed by a device of its owner's never comes back by back-dating", backDatingDevices},
}

// told reports whether some block under at revokes by a history.
func (e *explorer) told(at int, history string) bool {
	for i := 1; i < len(e.blocks); i++ {
		if a := e.of(i); a.verb == "revokes" && a.history == history && e.under(at, i) {
			return true
		}
	}
	return false
}

// owners reports whether block i was signed by ben, or by a device of ann's that
// must be heard: the second always, the fourth unless the thief tells otherwise,
// the first unless somebody revokes it.
func (e *explorer) owners(i int) bool {
	a := e.of(i)
	switch {
	case a.who != walkAnn || a.device == 1:
		return true
	case a.device == 3:
		return !e.told(0, coverUpByThat)
	}
	return a.device == 0 && !e.told(0, ownHistory) && !e.told(0, coverUpByThat)
}

// stolenSays: unless the newest block tells of a history that was not known.
func stolenSays(e *explorer, before, after []int) bool {
	b := len(e.blocks) - 1
	a := e.of(b)
	if a.who != walkAnn || a.device%2 > 0 || a.verb == "revokes" {
		return true
	}
	for i := 0; i+1 < len(before); i++ {
		p := before[i]
		if !e.told(p, ownHistory) || e.up[b] == p {
			return true // nothing speaks against it; or the choice is another
		}
		if len(after) < i+2 || after[i+1] != before[i+1] {
			return false
		}
	}
	return true
}

// ownersRemovals is removals, where nobody strikes ann.
func ownersRemovals(e *explorer, _, after []int) bool {
	head := e.blocks[after[len(after)-1]].State
	if !e.member(head, walkBen) || e.struck(walkAnn) {
		return true
	}
	for i := 1; i < len(e.blocks); i++ {
		if a := e.of(i); a.verb == "removes" && a.who == walkAnn && e.owners(i) &&
			!slices.ContainsFunc(e.pending(e.blocks[0].Hash, e.blocks), func(p chain.PendingRemoval) bool { return p.Block == e.blocks[i].Hash }) {
			return false
		}
	}
	return true
}

// ordinaryDevices is the first half of ordinary.
func ordinaryDevices(e *explorer, _, after []int) bool {
	for i := 0; i+1 < len(after); i++ {
		work, chosen := false, false
		for w := after[i] + 1; w < len(e.blocks); w++ {
			if e.class(w) > 0 && e.under(after[i], w) && e.blocks[after[i]].State.IsAdmin(e.people[e.of(w).who].id) {
				work, chosen = work || e.owners(w), chosen || e.under(after[i+1], w)
			}
		}
		if work && !chosen {
			return false
		}
	}
	return true
}

// backDatingDevices: ben, whom ann removed, writes the newest block.
func backDatingDevices(e *explorer, before, after []int) bool {
	b := len(e.blocks) - 1
	old, now := e.blocks[before[len(before)-1]].State, e.blocks[after[len(after)-1]].State
	if e.of(b).who != walkBen || e.member(old, walkBen) || !e.member(now, walkBen) {
		return true
	}
	for i := 1; i < b; i++ {
		a, held := e.of(i), slices.Contains(before, i)
		switch {
		case a.verb != "removes":
		case a.who == walkAnn && (!held || !e.owners(i)), a.who == walkBen && held:
			return true
		}
	}
	return false
}

func TestExploreDevices(t *testing.T) {
	most := 4
	if os.Getenv("KITH_EXPLORE") == "big" {
		most = 6
	}
	e := newDeviceExplorer(t, most)
	e.broken = func(check string, e *explorer) {
		e.stop = true
		t.Errorf("%s:\n%s", check, e)
	}
	e.walk()
	t.Logf("%d sets of up to %d blocks, each with %d checks", e.sets, most, len(e.checks))
	if e.sets < 1000 {
		t.Error("there must be more")
	}
}
