package sim_test

import (
	"errors"
	"fmt"
	"testing"

	"kith/internal/group"
	"kith/internal/mls"
	"kith/internal/sim"
)

// crowd are n people who are off.
func crowd(w *sim.World, n int) (list []group.Newcomer) {
	for i := range n {
		p := w.Add(fmt.Sprintf("member %d", i))
		p.Stop()
		list = append(list, p.Newcomer())
	}
	return list
}

// TestLargeGroup: in a group of 300 the Welcome has no tree. Ben comes in by the
// first block, Dan, whom Ann invites, by an invitation that Ben passes on, and
// Ben a second time, after he was removed; all of them go on after a restart.
func TestLargeGroup(t *testing.T) {
	w := sim.New(1)
	ann, ben := w.Add("Ann"), w.Add("Ben")
	g := ann.Create(group.CreateParams{Title: "Large", Newcomers: append(crowd(w, 199), ben.Newcomer())})
	logged(t, "in the first block", last(t, ann, ben, kindInvitation))
	must(t, ann.Do(g, group.Invite{Newcomers: crowd(w, 98)}))
	w.Run(1000)
	must(t, ben.Do(g, group.Accept{}))
	must(t, ann.Say(g, "hello"))
	w.Run(5000)

	dan := w.Add("Dan")
	w.Cut(ann, dan)
	must(t, ann.Do(g, group.Invite{Newcomers: []group.Newcomer{dan.Newcomer()}}))
	w.Run(5000)
	logged(t, "passed on", last(t, ben, dan, kindInvitation))
	must(t, dan.Do(g, group.Accept{}))
	w.Run(5000)
	must(t, dan.Say(g, "thank you"))
	w.HealAll()
	w.Run(5000)
	sees(t, g, []string{"hello", "thank you"}, ann, ben)
	sees(t, g, []string{"thank you"}, dan)

	must(t, ann.Do(g, group.Remove{Person: ben.Self.Person}))
	w.Run(5000)
	must(t, ann.Do(g, group.Invite{Newcomers: []group.Newcomer{ben.Newcomer()}}))
	w.Run(5000)
	must(t, ben.Do(g, group.Accept{}))
	for _, n := range []*sim.Node{ann, ben, dan} {
		n.Stop()
		n.Start()
	}
	w.Run(5000)
	must(t, ann.Do(g, group.SetTitle{Title: "Larger"}))
	w.Run(5000)
	must(t, ben.Say(g, "again"))
	w.Run(5000)
	sees(t, g, []string{"hello", "thank you", "again"}, ann, ben)
	sees(t, g, []string{"thank you", "again"}, dan)
}

func logged(t *testing.T, what string, invitation []byte) {
	t.Helper()
	p := take(t, invitation)
	t.Logf("invitation %s: %d bytes, of which the Welcome %d, the rest %d", what, len(invitation), len(p.message), len(p.rest))
}

// TestTreeInTheWelcome: up to 64 members versions before can join, which need
// the tree inside.
func TestTreeInTheWelcome(t *testing.T) {
	for members, inside := range map[int]bool{3: true, 64: true, 65: false} {
		w := sim.New(1)
		ann, dan := w.Add("Ann"), &guest{Node: w.Add("Dan"), secrets: make(map[[32]byte][]byte)}
		packed := dan.newcomer(w.Now)
		g := ann.Create(group.CreateParams{Title: "Walk", Newcomers: append(crowd(w, members-2), packed)})
		dan.from, dan.payload = ann.Self.Member(), last(t, ann, dan.Node, kindInvitation)
		k, err := mls.ParseKeyPackage(packed.KeyPackage)
		must(t, err)
		private, _ := dan.find(group.Use{Ref: [32]byte(k.Ref())})
		secret, err := mls.ParseKeyPackageSecrets(private)
		must(t, err)
		_, _, err = mls.Join(take(t, dan.payload).message, k, secret, nil)
		var none *mls.Error
		if without := errors.As(err, &none) && none.Reason == mls.ReasonNoTree; without == inside || !without && err != nil {
			t.Errorf("%d members: the tree is inside: %t (%v)", members, !without, err)
		}
		m, _, err := dan.join(dan.payload)
		must(t, err)
		if m.Group() != g {
			t.Error("another group")
		}
	}
}
