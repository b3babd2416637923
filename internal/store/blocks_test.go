package store

import (
	"bytes"
	"sync"
	"testing"

	"github.com/ncruces/go-sqlite3/vfs"
)

// TestBlocksInTurns: who reads a block while it is rewritten gets it as it was or as
// it is, never a mixture, which the cipher could not decrypt.
func TestBlocksInTurns(t *testing.T) {
	const rounds = 20_000
	base, _, err := blockVFS{vfs.Find(""), pageSize}.OpenFilename(nil, vfs.OPEN_TEMP_DB|vfs.OPEN_READWRITE|vfs.OPEN_CREATE)
	if err != nil {
		t.Fatal(err)
	}
	defer base.Close()
	write := func(round int) error {
		_, err := base.WriteAt(bytes.Repeat([]byte{byte(round)}, pageSize), pageSize)
		return err
	}
	if err := write(0); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	var reading sync.WaitGroup
	for range 3 {
		reading.Go(func() { readWhole(t, base, done) })
	}
	for round := range rounds {
		if err := write(round); err != nil {
			t.Error(err)
			break
		}
	}
	close(done)
	reading.Wait()
}

// readWhole reads the block at pageSize until done and complains of one whose bytes
// are not all the same.
func readWhole(t *testing.T, f vfs.File, done <-chan struct{}) {
	block := make([]byte, pageSize)
	for {
		select {
		case <-done:
			return
		default:
		}
		if _, err := f.ReadAt(block, pageSize); err != nil {
			t.Error(err)
			return
		}
		if n := bytes.Count(block, block[:1]); n != pageSize {
			t.Errorf("%d bytes of one round and %d of another", n, pageSize-n)
			return
		}
	}
}
