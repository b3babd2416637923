package store_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"kith/internal/store"
)

// TestFullIsTold: each write for which there is no room is told of, and no other one; the
// question whether there is room leaves nothing behind, and takes no other trouble for a full disk.
func TestFullIsTold(t *testing.T) {
	cfg := config(t)
	told := 0
	cfg.MaxPages, cfg.Full = 60, func() { told++ }
	db := open(t, cfg)
	var err error
	next := uint64(0)
	for ; err == nil; next++ {
		err = db.CommitMany(numbered(next))
	}
	again := db.CommitMany(numbered(next - 1))
	if !errors.Is(err, store.ErrFull) || !errors.Is(again, store.ErrFull) || told != 2 {
		t.Errorf("told %d times of %v and %v", told, err, again)
	}
	wrong := errors.New("of the caller")
	if err := db.Update(func(*store.Tx) error { return wrong }); !errors.Is(err, wrong) || told != 2 {
		t.Errorf("told %d times, the last of %v", told, err)
	}
	must(t, db.Room())
	left, err := filepath.Glob(cfg.Path + "-room")
	if err != nil || len(left) > 0 {
		t.Errorf("%q is left, %v", left, err)
	}
	must(t, os.Mkdir(cfg.Path+"-room", 0o700))
	if err := db.Room(); err == nil || store.Full(err) {
		t.Errorf("a folder is in the way: %v", err)
	}
	if store.Full(nil) || store.Full(fs.ErrNotExist) {
		t.Error("full for no reason")
	}
}
