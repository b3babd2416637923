package mls_test

import (
	"sync"
	"testing"

	"kith/internal/mls"
)

// TestEpochsAreSharedFreely uses one epoch from several goroutines: what never
// changes needs no lock. It says something under -race.
func TestEpochsAreSharedFreely(t *testing.T) {
	g := group(t, 5)
	s := g[0].commit(mls.CommitParams{Remove: []uint32{4}})
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			e := g[1].epoch
			if _, _, err := e.Process(s.Commit); err != nil {
				t.Error(err)
			}
			if _, err := e.Commit(mls.CommitParams{Signer: g[1].key}); err != nil {
				t.Error(err)
			}
			e.Public().Marshal()
			e.Marshal()
			e.ExternalPub()
			if _, _, err := e.Public().Apply(s.Commit); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
}
