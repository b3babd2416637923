package store_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"kith/internal/group"
	"kith/internal/store"
	"kith/internal/wire"
)

// canaries are the secrets of this test, one for each place that holds any.
var canaries = []string{
	"canary-record-key-7f31", "canary-record-value-93c2", "canary-row-content-1b44", "canary-client-id-5e0a",
	"canary-bucket-name-22d8", "canary-item-key-80f6", "canary-item-value-c3b9", "canary-long-value-6a17",
	"canary-deleted-value-41ed", "canary-withdrawn-row-d905",
	"canary-group-id-of-32-bytes-b6f0", "canary-person-of-32-bytes---e8a1", "canary-device-of-32-bytes---07cd",
	"canaryword9f02indexed",
}

// fillCanaries stores each canary; the long value reaches overflow pages.
func fillCanaries(t *testing.T, db *store.DB) {
	g := wire.GroupID([]byte(canaries[10]))
	r := says(wire.PersonID([]byte(canaries[11])), 1, 0, canaries[2])
	r.Place.Device = wire.DeviceID([]byte(canaries[12]))
	r.Client = canaries[3]
	hidden := says(ann, 2, 1, canaries[9])
	hidden.State = group.RowWithdrawn
	word := writes(ann, 3, 1, canaries[13])
	must(t, db.Commit(g, []group.Record{
		{Kind: group.KindInfo, Key: []byte(canaries[0]), Value: []byte(canaries[1])},
		{Kind: group.KindCipher, Value: []byte(strings.Repeat(canaries[7], 1000))},
		{Kind: group.KindRatchet, Value: []byte(canaries[8])},
	}, []group.Row{r, hidden, word}, func(tx *store.Tx) error {
		return tx.Put(canaries[4], []byte(canaries[5]), []byte(canaries[6]))
	}))
}

// forms are the ways a canary might be written.
func forms(canary string) map[string][]byte {
	all := map[string][]byte{
		"utf-8": []byte(canary), "hex": []byte(hex.EncodeToString([]byte(canary))),
		"HEX": []byte(strings.ToUpper(hex.EncodeToString([]byte(canary)))),
	}
	for _, u := range utf16.Encode([]rune(canary)) {
		all["utf-16le"] = append(all["utf-16le"], byte(u), byte(u>>8))
		all["utf-16be"] = append(all["utf-16be"], byte(u>>8), byte(u))
	}
	for shift := range 3 {
		padded := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", shift) + canary))
		all["base64/"+string(rune('0'+shift))] = []byte(padded[4 : len(padded)-4]) // what does not depend on neighbours
	}
	return all
}

// leaks returns which canaries the files of a folder show.
func leaks(t *testing.T, dir string) (found []string) {
	t.Helper()
	must(t, filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		for _, c := range canaries {
			for form, bytesOf := range forms(c) {
				if bytes.Contains(b, bytesOf) {
					found = append(found, c)
					t.Logf("%s shows %s as %s", filepath.Base(path), c, form)
				}
			}
		}
		return err
	}))
	slices.Sort(found)
	return slices.Compact(found)
}

func TestNothingReadableOnDisk(t *testing.T) {
	for _, plain := range []bool{false, true} {
		tmp := t.TempDir()
		t.Setenv("SQLITE_TMPDIR", tmp)
		t.Setenv("TMPDIR", tmp)
		key := store.NewKey()
		home := t.TempDir()
		cfg := store.Config{Path: filepath.Join(home, store.FileName), Key: key, Plain: plain}
		db := open(t, cfg)
		fillCanaries(t, db)
		if all := found(t, db, store.Asked{Query: query(t, canaries[13])}, 2); len(all) != 1 {
			t.Fatalf("the word is found %d times", len(all))
		}
		whileOpen := append(leaks(t, home), leaks(t, tmp)...)
		must(t, store.Raw(db, "CREATE TABLE sorted AS SELECT content, client FROM messages ORDER BY content; VACUUM"))
		whileOpen = append(whileOpen, leaks(t, tmp)...)
		must(t, db.Close())
		closed := append(leaks(t, home), leaks(t, tmp)...)
		slices.Sort(whileOpen)
		switch {
		case !plain && len(whileOpen)+len(closed) > 0:
			t.Errorf("readable on disk: %v, %v", whileOpen, closed)
		case plain && len(closed) != len(canaries)-1: // the withdrawn row keeps no content below
			missing := slices.DeleteFunc(slices.Clone(canaries), func(c string) bool { return slices.Contains(closed, c) })
			if len(missing) > 0 {
				t.Errorf("the control does not find %v", missing)
			}
		}
	}
}

// TestDeletedIsGone: with the key in hand, what was deleted is not in the
// files any more once the database was closed.
func TestDeletedIsGone(t *testing.T) {
	home := t.TempDir()
	cfg := store.Config{Path: filepath.Join(home, store.FileName), Plain: true}
	db := open(t, cfg)
	fillCanaries(t, db)
	g := wire.GroupID([]byte(canaries[10]))
	must(t, db.Commit(g, []group.Record{{Kind: group.KindRatchet}, {Kind: group.KindCipher}}, nil, nil))
	must(t, db.Close())
	for _, c := range leaks(t, home) {
		if c == canaries[7] || c == canaries[8] {
			t.Errorf("%s is still there", c)
		}
	}
}

// TestTimedIsGone: of a message whose time is over no word is left in the files, neither where it
// stood nor in the index, also where that was merged with others in between.
func TestTimedIsGone(t *testing.T) {
	for _, merged := range []bool{false, true} {
		home := t.TempDir()
		db := open(t, store.Config{Path: filepath.Join(home, store.FileName), Plain: true})
		secret := writes(ann, 3, 1, canaries[13]+" and more")
		must(t, db.Commit(g1, nil, []group.Row{secret}, nil))
		for i := range uint64(300) {
			if merged || i < 3 {
				must(t, db.Commit(g1, nil, []group.Row{writes(bob, 10+i, byte(i), fmt.Sprint("word", i, " and more"))}, nil))
			}
		}
		if all := found(t, db, store.Asked{Query: query(t, canaries[13])}, 2); len(all) != 1 {
			t.Fatalf("the word is found %d times", len(all))
		}
		if all := leaks(t, home); len(all) != 1 {
			t.Fatalf("the control finds %v", all)
		}
		must(t, db.CommitMany([]store.Batch{{Group: g1, Deleted: []group.Deletion{{Target: secret.Target(), Timed: true}}}}))
		if all := found(t, db, store.Asked{Query: query(t, canaries[13])}, 2); len(all) != 0 {
			t.Errorf("the word is found %d times", len(all))
		}
		must(t, db.Close())
		if all := leaks(t, home); len(all) > 0 {
			t.Errorf("merged %v: %v is still there", merged, all)
		}
	}
}
