package mls_test

import (
	"bytes"
	"testing"

	"kith/internal/mls"
)

// again makes a fresh device for the same person, in another suite.
func (d *device) again(s mls.Suite) *device {
	out := newDeviceOf(d.t, s, d.name)
	return out
}

func TestReInit(t *testing.T) {
	for _, by := range []string{"value", "reference"} {
		g := group(t, 3)
		extensions := []mls.Extension{mls.ExternalSenders()}
		p := mls.ReInit([]byte("successor"), mls.SuiteXWingAES128SHA256Ed25519, extensions)
		var in mls.Inputs
		var params mls.CommitParams
		if by == "value" {
			params = mls.CommitParams{Proposals: []*mls.Proposal{p}, NoPath: true}
		} else {
			told := g[2].tell(must[*mls.Proposed](t)(g[2].epoch.Propose(p, mls.ProposalParams{Signer: g[2].key, Private: true})), g)
			in.Proposals = []*mls.Proposed{told}
		}
		_, err := g[1].epoch.Reinitialize(mls.SuccessorParams{})
		reason(t, err, mls.ReasonNotSuspended)
		g[0].round(g, in, params)
		agree(t, g)
		for _, d := range g {
			if id, s := d.epoch.Public().ReInit().Parameters(); string(id) != "successor" || s != 0xF001 {
				t.Errorf("successor %q, %#x", id, s)
			}
			_, err := d.epoch.Encrypt(d.keys, d.key, nil, []byte("x"), 0)
			reason(t, err, mls.ReasonSuspended)
			_, err = d.epoch.Commit(mls.CommitParams{Signer: d.key})
			reason(t, err, mls.ReasonSuspended)
			_, err = d.epoch.ProposeRemove(0, mls.ProposalParams{Signer: d.key})
			reason(t, err, mls.ReasonSuspended)
			pub := must[*mls.PublicGroup](t)(mls.ParsePublicGroup(d.epoch.Public().Marshal()))
			if pub.ReInit() == nil || !bytes.Equal(pub.Marshal(), d.epoch.Public().Marshal()) {
				t.Error("stored group is open again")
			}
			restore(t, d)
		}
		// Another member than the committer makes the successor.
		fresh := []*device{g[0].again(0xF001), g[1].again(0xF001), g[2].again(0xF001)}
		s := must[*mls.StagedCommit](t)(g[1].epoch.Reinitialize(mls.SuccessorParams{
			KeyPackage: fresh[1].pack, Secret: fresh[1].secret, Members: []*mls.KeyPackage{fresh[0].pack, fresh[2].pack}, Signer: fresh[1].key,
		}))
		w := must[[]byte](t)(s.Welcome(fresh[1].key, nil, true))
		fresh[1].enter(s.Next)
		for _, i := range []int{0, 2} {
			_, _, err := mls.Join(w, fresh[i].pack, fresh[i].secret, nil)
			reason(t, err, mls.ReasonPSK)
			e, _, err := mls.JoinWith(w, fresh[i].pack, fresh[i].secret, nil, mls.PSKs{Epochs: []*mls.Epoch{g[i].epoch}})
			if err != nil {
				t.Fatal(err)
			}
			fresh[i].enter(e)
		}
		agree(t, fresh)
		talk(t, fresh, fresh[2])
		fresh[0].round(fresh, mls.Inputs{}, mls.CommitParams{})
		agree(t, fresh)
	}
}

func TestBranch(t *testing.T) {
	g := group(t, 5)
	part := []*device{g[3].again(suite), g[1].again(suite), g[4].again(suite)}
	params := mls.SuccessorParams{
		KeyPackage: part[0].pack, Secret: part[0].secret, Members: []*mls.KeyPackage{part[1].pack, part[2].pack}, Signer: part[0].key,
	}
	s := must[*mls.StagedCommit](t)(g[3].epoch.Branch([]byte("branch"), params))
	w := must[[]byte](t)(s.Welcome(part[0].key, nil, true))
	part[0].enter(s.Next)
	for i, parent := range map[int]*device{1: g[1], 2: g[4]} {
		e, _, err := mls.JoinWith(w, part[i].pack, part[i].secret, nil, mls.PSKs{Epochs: []*mls.Epoch{parent.epoch}})
		if err != nil {
			t.Fatal(err)
		}
		part[i].enter(e)
	}
	agree(t, part)
	talk(t, part, part[1])
	part[2].round(part, mls.Inputs{}, mls.CommitParams{Remove: []uint32{1}})
	agree(t, []*device{part[0], part[2]})

	// Nobody but members of the parent group, and nobody without its key.
	stranger := newDevice(t, "stranger")
	params.Members = []*mls.KeyPackage{stranger.pack}
	_, err := g[3].epoch.Branch([]byte("other"), params)
	reason(t, err, mls.ReasonSuccessor)
	_, _, err = mls.JoinWith(w, part[1].pack, part[1].secret, nil, mls.PSKs{Epochs: []*mls.Epoch{part[0].epoch}})
	reason(t, err, mls.ReasonPSK)
	// The key of a branch is for its first commit only.
	_, err = part[0].epoch.Commit(mls.CommitParams{Signer: part[0].key, Proposals: s.Commit.ProposalsOf(mls.ProposalPreSharedKey)})
	reason(t, err, mls.ReasonPSK)
}
