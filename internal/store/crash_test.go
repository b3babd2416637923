package store_test

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"kith/internal/group"
	"kith/internal/store"
	"kith/internal/wire"
)

// numbered is the batch of the i-th commit of the crash tests: in each of two
// groups the number, a growing log of records, and a row.
func numbered(i uint64) []store.Batch {
	number := binary.BigEndian.AppendUint64(nil, i)
	value := make([]byte, i*37%9000)
	for j := range value {
		value[j] = byte(i)
	}
	records := []group.Record{
		{Kind: group.KindSelf, Value: number},
		{Kind: group.KindEntry, Key: number, Value: value},
	}
	return []store.Batch{
		{Group: g1, Records: records, Rows: many(i, 1)},
		{Group: g2, Records: records, Also: func(tx *store.Tx) error { return tx.Put("last", nil, number) }},
	}
}

// wantNumbered checks that exactly the commits up to some number are there,
// whole, and returns how many they are.
func wantNumbered(t *testing.T, db *store.DB) uint64 {
	t.Helper()
	v, found, err := db.Get(g1, group.KindSelf, nil)
	must(t, err)
	if !found {
		return 0
	}
	last := binary.BigEndian.Uint64(v)
	for _, g := range []struct{ n, i uint64 }{{1, last}, {2, last}} {
		id := g1
		id[0] = byte(g.n)
		next := uint64(0)
		must(t, db.Load(id, []group.Kind{group.KindEntry}, func(r group.Record) error {
			i := binary.BigEndian.Uint64(r.Key)
			if i != next || uint64(len(r.Value)) != i*37%9000 {
				return fmt.Errorf("record %d of %d bytes where %d should be", i, len(r.Value), next)
			}
			for _, b := range r.Value {
				if b != byte(i) {
					return fmt.Errorf("record %d has other bytes", i)
				}
			}
			next++
			return nil
		}))
		if next != last+1 {
			t.Fatalf("group %d: %d records, want %d", g.n, next, last+1)
		}
	}
	must(t, db.Sketches(func(_ wire.GroupID, sketch []byte) error {
		if of := binary.BigEndian.Uint64(sketch); of != last {
			return fmt.Errorf("a sketch of commit %d, the last is %d", of, last)
		}
		return nil
	}))
	wantAll(t, db, int(last)+1)
	wantIndexed(t, db, int(last)+1)
	must(t, db.View(func(tx *store.Tx) error {
		v, _, err := tx.Get("last", nil)
		if err == nil && binary.BigEndian.Uint64(v) != last {
			err = errors.New("the bucket is of another commit")
		}
		return err
	}))
	return last + 1
}

// commitForEver is the child: it goes on after the last commit, and prints
// each number once its commit has returned.
func commitForEver(dir string) {
	store.UseSmallIndex()
	err := func() error {
		key, err := store.OpenKeyFile(filepath.Join(dir, "key"))
		if err != nil {
			return err
		}
		db, err := store.Open(store.Config{Path: filepath.Join(dir, store.FileName), Key: key})
		if err != nil {
			return err
		}
		next := uint64(0)
		if v, found, err := db.Get(g1, group.KindSelf, nil); err != nil {
			return err
		} else if found {
			next = binary.BigEndian.Uint64(v) + 1
		}
		for ; ; next++ {
			if err := db.CommitMany(numbered(next)); err != nil {
				return err
			}
			if _, err := fmt.Println(next); err != nil {
				return err
			}
			if next%3 == 0 {
				if err := db.PutSketch(g1, binary.BigEndian.AppendUint64(nil, next)); err != nil {
					return err
				}
			}
		}
	}()
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// killAfter is the most commits that a child of TestKilled makes before it is killed.
const killAfter = 150

// TestKilled kills a program in the middle of its commits, again and again; KITH_KILLS says how often.
func TestKilled(t *testing.T) {
	t.Cleanup(store.UseSmallIndex())
	dir := t.TempDir()
	kills, err := strconv.Atoi(os.Getenv("KITH_KILLS"))
	if err != nil {
		kills = 6
	}
	var acknowledged uint64
	for range kills {
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), childDir+"="+dir)
		child.Stderr = os.Stderr
		out, err := child.StdoutPipe()
		must(t, err)
		must(t, child.Start())
		lines := bufio.NewScanner(out)
		for range 1 + rand.IntN(killAfter) {
			if !lines.Scan() {
				break
			}
			_, err := fmt.Sscan(lines.Text(), &acknowledged)
			must(t, err)
		}
		key, err := store.OpenKeyFile(filepath.Join(dir, "key"))
		must(t, err)
		cfg := store.Config{Path: filepath.Join(dir, store.FileName), Key: key}
		if _, err := store.Open(cfg); !errors.Is(err, store.ErrInUse) {
			t.Fatalf("while another program has it open: %v", err)
		}
		must(t, child.Process.Kill())
		for lines.Scan() { // what it said before it died counts
			if n, err := fmt.Sscan(lines.Text(), &acknowledged); n != 1 {
				t.Fatal(err)
			}
		}
		child.Wait() // "signal: killed" is what we wanted
		db := open(t, cfg)
		if n := wantNumbered(t, db); n < acknowledged+1 {
			t.Fatalf("%d commits are there, %d were acknowledged", n, acknowledged+1)
		}
		must(t, db.Close())
	}
	t.Logf("%d commits, killed %d times", acknowledged+1, kills)
}
