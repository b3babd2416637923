package store_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"kith/internal/group"
	"kith/internal/store"
)

// TestReadersBesideTheWriter: writers add to two buckets at once, and no
// reader ever sees them differ.
func TestReadersBesideTheWriter(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		const writers, commits = 3, 40
		var writing, reading sync.WaitGroup
		done := make(chan struct{})
		for w := range writers {
			writing.Go(func() {
				for i := range commits {
					key := fmt.Appendf(nil, "%d/%d", w, i)
					row := says(ann, uint64(1+i), byte(w), string(key))
					err := db.Commit(g1, nil, []group.Row{row}, func(tx *store.Tx) error {
						return errors.Join(tx.Put("a", key, key), tx.Put("b", key, key))
					})
					if err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		for range 6 { // more than there are readers
			reading.Go(func() {
				for {
					if err := compareBuckets(db); err != nil {
						t.Error(err)
						return
					}
					if _, err := db.Page(g1, nil, 10); err != nil {
						t.Error(err)
						return
					}
					select {
					case <-done:
						return
					default:
					}
				}
			})
		}
		writing.Wait()
		close(done)
		reading.Wait()
		if n, err := db.Count(g1); n != writers*commits || err != nil {
			t.Errorf("%d rows, %v", n, err)
		}
	})
}

func compareBuckets(db *store.DB) error {
	return db.View(func(tx *store.Tx) error {
		a, err := tx.List("a", nil)
		if err != nil {
			return err
		}
		b, err := tx.List("b", nil)
		if err == nil && len(a) != len(b) {
			err = fmt.Errorf("one View sees %d and %d", len(a), len(b))
		}
		return err
	})
}

// TestCloseBesideCalls: a call that runs while the database is closed ends
// well or with ErrClosed.
func TestCloseBesideCalls(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		var calls sync.WaitGroup
		started := make(chan struct{}, 8)
		for i := range 8 {
			calls.Go(func() {
				for n := uint64(1); ; n++ {
					err := db.Commit(g1, nil, []group.Row{says(ann, n, byte(i), "x")}, nil)
					if err == nil {
						_, err = db.Page(g1, nil, 5)
					}
					if n == 3 {
						started <- struct{}{}
					}
					if errors.Is(err, store.ErrClosed) {
						return
					}
					if err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		for range 8 {
			<-started
		}
		must(t, db.Close())
		calls.Wait()
	})
}
