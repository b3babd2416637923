package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"kith/internal/node"
	"kith/internal/peer"
	"kith/internal/store"
)

// homes copies the homes that an earlier version left, and has them be of today
// and of the ports of this script: what is dated is the key of the link, which
// is renewed after a month, and what is placed are the hosts in the friend's
// card. Everything else stays as that version wrote it.
func homes(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: homes VERSION")
	}
	here, err := os.Getwd()
	ts.Check(err)
	for name, friend := range map[string]string{"ann": "BEN", "ben": "ANN"} {
		home := ts.MkAbs(name)
		ts.Check(os.CopyFS(home, os.DirFS(filepath.Join(here, "testdata", "homes", args[0], name))))
		ts.Check(os.Chmod(home, 0o700))
		files, err := os.ReadDir(home)
		ts.Check(err)
		for _, f := range files { // a checkout has them readable for everybody
			ts.Check(os.Chmod(filepath.Join(home, f.Name()), 0o600))
		}
		key, err := store.OpenKeyFile(filepath.Join(home, node.KeyFile))
		ts.Check(err)
		db, err := store.Open(store.Config{Path: filepath.Join(home, store.FileName), Key: key})
		ts.Check(err)
		ts.Check(db.Update(func(tx *store.Tx) error { return moveHome(tx, ts.Getenv(friend)) }))
		ts.Check(db.Close())
	}
}

// moveHome changes the two records by name, and leaves alone what it does not
// know in them.
func moveHome(tx *store.Tx, friendAt string) error {
	err := edit(tx, "self", []byte("link key"), func(of map[string]json.RawMessage) (err error) {
		of["Made"], err = json.Marshal(time.Now().UnixMilli())
		return err
	})
	if err != nil {
		return err
	}
	friends, err := tx.List("friend", nil)
	if err != nil {
		return err
	}
	host, port, _ := strings.Cut(friendAt, ":")
	for _, f := range friends {
		err := edit(tx, "friend", f.Key, func(of map[string]json.RawMessage) error {
			var b []byte
			if err := json.Unmarshal(of["Card"], &b); err != nil {
				return err
			}
			card, err := peer.ParseCard(b)
			if err != nil {
				return err
			}
			card.Hosts = []string{"/ip4/" + host + "/udp/" + port + "/quic-v1", "/ip4/" + host + "/tcp/" + port}
			if b, err = card.Marshal(); err != nil {
				return err
			}
			of["Card"], err = json.Marshal(b)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func edit(tx *store.Tx, bucket string, key []byte, change func(map[string]json.RawMessage) error) error {
	b, _, err := tx.Get(bucket, key)
	if err != nil {
		return err
	}
	var of map[string]json.RawMessage
	if err := json.Unmarshal(b, &of); err != nil {
		return err
	}
	if err := change(of); err != nil {
		return err
	}
	if b, err = json.Marshal(of); err != nil {
		return err
	}
	return tx.Put(bucket, key, b)
}
