package sim_test

import (
	"slices"
	"testing"

	"kith/internal/chain"
	"kith/internal/group"
	"kith/internal/mls"
	"kith/internal/sim"
	"kith/internal/wire"
)

// announcing is author's commit of op, made on the head that at sees, by which its
// leaf announces features and nothing else.
func announcing(t *testing.T, author, at *sim.Node, g wire.GroupID, op chain.Op, features ...uint16) []byte {
	t.Helper()
	return crafted{author, op, nil, func(core []byte) (*mls.StagedCommit, error) {
		return epochOf(t, author, g).Commit(mls.CommitParams{AuthenticatedData: core, Signer: author.Self.Device, LeafExtensions: leafSays(features...)})
	}, nil}.payload(t, at, g)
}

// leafSays is the extension of a leaf that announces features.
func leafSays(features ...uint16) []mls.Extension {
	var list wire.Writer
	list.Group(func(w *wire.Writer) {
		for _, f := range features {
			w.U16(f)
		}
	})
	return []mls.Extension{{Type: 0xF003, Data: list.Bytes()}}
}

// TestLeavesAnnounceWhatTheGroupUses (V8): a group does not begin to use a feature
// that some leaf does not announce, and from then on no block brings such a leaf.
func TestLeavesAnnounceWhatTheGroupUses(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	use := &chain.SetPolicy{Features: []uint16{chain.FeatureNothing}}
	takes := func(what string, by *sim.Node, payload []byte, want bool) {
		t.Helper()
		before := machine(ben, g).Blocks().Len()
		w.Deliver(by, ben, g, payload)
		if took := machine(ben, g).Blocks().Len() > before; took != want {
			t.Errorf("%s: taken %v, want %v", what, took, want)
		}
		w.Run(500)
	}
	takes("Cleo announces less", cleo, announcing(t, cleo, ben, g, &chain.Rekey{}, group.FeatureRepair), true)
	takes("a feature that Cleo does not announce", ann, announcing(t, ann, ben, g, use, group.FeatureRepair, chain.FeatureNothing), false)
	w.Run(60_000) // Cleo, who does not know those keys, comes back by herself
	takes("by who does not announce it", ann, announcing(t, ann, ben, g, use, group.FeatureRepair), false)
	takes("a feature that all announce", ann, announcing(t, ann, ben, g, use, group.FeatureRepair, chain.FeatureNothing), true)
	w.Run(60_000)
	if got := headState(cleo, g).Features(); !slices.Equal(got, use.Features) {
		t.Fatalf("the group uses %v", got)
	}

	takes("a leaf that announces less now", cleo, announcing(t, cleo, ben, g, &chain.Rekey{}, group.FeatureRepair), false)
	dan := w.Add("Dan")
	if err := ann.Do(g, group.Invite{Newcomers: []group.Newcomer{dan.OldNewcomer(group.NewSuite)}}); reason(err) != group.ReasonOlder {
		t.Errorf("Dan, whose program is older: %v", err)
	}
	op, papers, kp := addOf(t, dan.OldNewcomer(group.NewSuite))
	takes("a newcomer that announces nothing", ann, crafted{ann, op, papers, func(core []byte) (*mls.StagedCommit, error) {
		return epochOf(t, ann, g).Commit(mls.CommitParams{
			Add: []*mls.KeyPackage{kp}, AuthenticatedData: core, Signer: ann.Self.Device, LeafExtensions: leafSays(chain.FeatureNothing),
		})
	}, nil}.payload(t, ben, g), false)
	enter(t, w, g, ann, dan)
	goesOn(t, w, g, ann, ben, cleo, dan)
}

// addOf is an inviter's Add of a newcomer with its papers and key package.
func addOf(t *testing.T, n group.Newcomer) (*chain.Add, [][]byte, *mls.KeyPackage) {
	t.Helper()
	kp, err := mls.ParseKeyPackage(n.KeyPackage)
	must(t, err)
	var headers []*chain.Header
	for _, b := range n.Headers {
		h, err := chain.ParseHeader(b)
		must(t, err)
		headers = append(headers, h)
	}
	papers := [][]byte{chain.MarshalProof(headers), n.KnockKey}
	op := &chain.Add{
		Person: n.Person, PersonHead: headers[len(headers)-1].Hash(), Role: chain.RoleMember,
		Devices: []chain.DeviceEntry{{Key: [32]byte(kp.SignatureKey()), KnockHash: chain.KnockHash(n.KnockKey), KeyPackageRef: wire.Digest(kp.Ref())}},
	}
	for _, b := range papers {
		op.Cites = append(op.Cites, chain.Cite(b))
	}
	return op, papers, kp
}

// TestAnnouncesNothingAnyMore: Eve's next commit says that her program reads
// nothing, as those of the first version do. She announced more before, so Ben,
// who loses his keys, comes back by himself all the same.
func TestAnnouncesNothingAnyMore(t *testing.T) {
	for _, restarted := range []bool{false, true} {
		w, nodes, g := trip(t, "Ann", "Ben", "Eve")
		ann, ben, eve := nodes[0], nodes[1], nodes[2]
		payload := announcing(t, eve, ann, g, &chain.Rekey{})
		for _, n := range []*sim.Node{ann, ben} {
			w.Deliver(eve, n, g, payload)
		}
		eve.Stop() // or her own program would announce again
		w.Run(5000)
		if restarted {
			ben.Stop()
			ben.Start()
		}
		ben.Lose(g)
		w.Run(120_000)
		if v := machine(ben, g).View(); v.NoKeys || len(v.Outdated) != 0 {
			t.Errorf("restarted %v: no keys %v, %d are taken to be outdated", restarted, v.NoKeys, len(v.Outdated))
		}
		goesOn(t, w, g, ann, ben)
	}
}
