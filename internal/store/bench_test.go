//go:build unix

package store_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"kith/internal/group"
	"kith/internal/store"
	"kith/internal/wire"
)

// The large chat takes a minute or two and 0.7 GB to build, so it is built
// only if a folder is given for it, and stays there for the next run:
//
//	go test ./internal/store -run=- -bench=. -big=/tmp/big
var big = flag.String("big", "", "folder for a chat of a million messages")

const bigRows = 1_000_000

// spoken is a row as a chat of 20 people makes them.
func spoken(i uint64) group.Row {
	who := byte(i * 7 % 20)
	r := writes(wire.PersonID{who}, 1_700_000_000_000+i*1000, who, fmt.Sprintf("message %d: %.*s", i, int(i*31%180), filler))
	r.Place.Seq = i/20 + 1
	r.Place.Device = wire.DeviceID(wire.Hash("device", []byte{who}))
	r.Person = wire.PersonID(wire.Hash("person", []byte{who}))
	r.Block = wire.BlockHash(wire.Hash("block", []byte{byte(i / 50_000)}))
	return r
}

const filler = "the quick brown fox jumps over the lazy dog, and the dog does not mind, for it has seen foxes before; " +
	"what it has not seen is a fox that writes long messages to fill a page of a test"

// entry are the records that come with a row: header and ciphertext.
func entry(r group.Row) []group.Record {
	var key wire.Writer
	key.Raw(r.Place.Device[:])
	key.U64(r.Place.Seq)
	key.Raw(r.ID[:])
	return []group.Record{
		{Kind: group.KindEntry, Key: key.Bytes(), Value: make([]byte, 420)},
		{Kind: group.KindCipher, Key: key.Bytes(), Value: make([]byte, 512)},
	}
}

func benchCommit(b *testing.B, each int) {
	db := open(b, config(b))
	next, began := uint64(0), processTime(b)
	for b.Loop() {
		var rows []group.Row
		records := []group.Record{{Kind: group.KindSelf, Value: make([]byte, 200)}}
		for range each {
			r := spoken(next)
			rows = append(rows, r)
			records = append(records, entry(r)...)
			next++
		}
		must(b, db.Commit(g1, records, rows, nil))
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(next), "us/msg")
	b.ReportMetric(float64((processTime(b)-began).Microseconds())/float64(next), "cpu-us/msg")
}

func BenchmarkCommit1(b *testing.B) { benchCommit(b, 1) }

// BenchmarkCommit1NotIndexed is what BenchmarkCommit1 would take without the index.
func BenchmarkCommit1NotIndexed(b *testing.B) {
	b.Cleanup(store.NoIndex())
	benchCommit(b, 1)
}

func BenchmarkCommit500(b *testing.B) { benchCommit(b, 500) }

// bigChat opens the large chat, building it if need be.
func bigChat(b *testing.B) (store.Config, *store.DB) {
	if *big == "" {
		b.Skip("no folder given with -big")
	}
	key, err := store.OpenKeyFile(filepath.Join(*big, "key"))
	must(b, err)
	cfg := store.Config{Path: filepath.Join(*big, store.FileName), Key: key}
	db := open(b, cfg)
	count, err := db.Count(g1)
	must(b, err)
	for next := uint64(count); next < bigRows; {
		var rows []group.Row
		for range 1000 {
			rows = append(rows, spoken(next))
			next++
		}
		must(b, db.Commit(g1, nil, rows, nil))
	}
	return cfg, db
}

func BenchmarkPage50(b *testing.B) {
	_, db := bigChat(b)
	for name, at := range map[string]uint64{"newest": bigRows, "middle": bigRows / 2} {
		b.Run(name, func(b *testing.B) {
			before := spoken(at).Place
			for b.Loop() {
				rows, err := db.Page(g1, &before, 50)
				if err != nil || len(rows) != 50 {
					b.Fatal(len(rows), err)
				}
			}
		})
	}
	b.Run("scattered", func(b *testing.B) {
		at := uint64(1)
		for b.Loop() {
			at = at*6364136223846793005 + 1442695040888963407
			before := spoken(100 + at>>20%(bigRows-100)).Place
			if rows, err := db.Page(g1, &before, 50); err != nil || len(rows) != 50 {
				b.Fatal(len(rows), err)
			}
		}
	})
	b.Run("count", func(b *testing.B) {
		for b.Loop() {
			if n, err := db.Count(g1); err != nil || n != bigRows {
				b.Fatal(n, err)
			}
		}
	})
	b.Run("commit1", func(b *testing.B) {
		next := uint64(0)
		for b.Loop() {
			must(b, db.Commit(g2, nil, []group.Row{spoken(next)}, nil))
			next++
		}
		b.StopTimer()
		must(b, db.DeleteGroup(g2))
	})
}

func BenchmarkOpen(b *testing.B) {
	cfg, db := bigChat(b)
	must(b, db.Close())
	fi, err := os.Stat(cfg.Path)
	must(b, err)
	for b.Loop() {
		db, err := store.Open(cfg)
		must(b, err)
		if r, err := db.Newest(g1); err != nil || r == nil {
			b.Fatal(r, err)
		}
		b.StopTimer()
		must(b, db.Close())
		b.StartTimer()
	}
	b.ReportMetric(float64(fi.Size())/bigRows, "B/msg")
}

// BenchmarkLoad reads the records of 20,000 messages, as a start does.
func BenchmarkLoad(b *testing.B) {
	cfg := config(b)
	db := open(b, cfg)
	const messages = 20_000
	for next := uint64(0); next < messages; {
		var records []group.Record
		for range 100 {
			records = append(records, entry(spoken(next))...)
			next++
		}
		must(b, db.Commit(g1, records, nil, nil))
	}
	for b.Loop() {
		n := 0
		must(b, db.Load(g1, []group.Kind{group.KindEntry}, func(group.Record) error { n++; return nil }))
		if n != messages {
			b.Fatal(n)
		}
	}
	b.StopTimer()
	must(b, db.Close())
	fi, err := os.Stat(cfg.Path)
	must(b, err)
	b.ReportMetric(float64(fi.Size())/messages, "B/msg")
}
