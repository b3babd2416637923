package mls_test

import (
	"runtime"
	"testing"

	"kith/internal/mls"
)

// TestEpochsDoNotHoldMessages: an epoch keeps what it needs of the message it
// came from, and not the message. Each one here carries big bytes, of which the
// epoch needs none.
func TestEpochsDoNotHoldMessages(t *testing.T) {
	const big, kind = 1 << 20, 0xF00D
	ann, ben := newDevice(t, "ann"), newDevice(t, "ben")
	for _, d := range []*device{ann, ben} {
		d.params.ProposalTypes = []uint16{kind}
		d.renew()
	}
	ann.create("g")
	s := ann.commit(mls.CommitParams{Add: []*mls.KeyPackage{ben.pack}})
	ballast := []mls.Extension{{Type: 0xF123, Data: make([]byte, big-64)}}
	w := must[[]byte](t)(s.Welcome(ann.key, ballast, true))
	info := must[[]byte](t)(s.Next.GroupInfo(ann.key, ballast, true))
	ann.take(s, nil)
	ben.join(w, nil)
	p := mls.CommitParams{Proposals: []*mls.Proposal{must[*mls.Proposal](t)(mls.CustomProposal(kind, ballast[0].Data))}}
	commit := ann.commit(p).Commit.Bytes()

	const times = 8
	for what, one := range map[string]func() any{
		"Welcome": func() any {
			e, _, err := mls.Join(w, ben.pack, ben.secret, nil)
			return must[*mls.Epoch](t)(e, err)
		},
		"GroupInfo": func() any {
			pub, _, err := mls.OpenGroupInfo(info, nil)
			return must[*mls.PublicGroup](t)(pub, err)
		},
		"commit": func() any {
			e, _, err := ben.epoch.Process(must[*mls.Commit](t)(mls.ParseCommit(commit)))
			return must[*mls.Epoch](t)(e, err)
		},
	} {
		t.Run(what, func(t *testing.T) {
			var kept [times]any
			before := inUse()
			for i := range kept {
				kept[i] = one()
			}
			if each := (inUse() - before) / times; each > big/2 {
				t.Errorf("an epoch holds %d bytes", each)
			}
			runtime.KeepAlive(kept)
		})
	}
}

func inUse() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
