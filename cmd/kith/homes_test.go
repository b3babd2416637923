package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"kith/internal/node"
	"kith/internal/peer"
	"kith/internal/store"
)

// homesDir holds what earlier versions left; its README says what.
func homesDir(version string) string {
	return filepath.Join("..", "..", "internal", "store", "testdata", "homes", version)
}

// homes copies the homes that an earlier version left to where a script runs.
func homes(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: homes VERSION")
	}
	places := make(map[string]string)
	for _, name := range people {
		places[name] = ts.Getenv(strings.ToUpper(name))
	}
	ts.Check(copyHomes(args[0], ts.MkAbs("."), places))
}

// copyHomes copies the homes that an earlier version left, and has them be of
// today and of these addresses: what is dated is the key of the link, which is
// renewed after a month, and what is placed are the hosts in the friends' cards.
// Everything else stays as that version wrote it.
func copyHomes(version, to string, places map[string]string) error {
	names := make(map[string]string) // by id in hex
	err := eachSeen(version, func(_, _, _ string, line map[string]any) {
		members, _ := line["members"].([]any)
		for _, m := range members {
			p := m.(map[string]any)["person"].(map[string]any)
			names[p["id"].(string)] = strings.ToLower(p["name"].(string))
		}
	})
	if err != nil {
		return err
	}
	for _, name := range names {
		home := filepath.Join(to, name)
		if err := os.CopyFS(home, os.DirFS(filepath.Join(homesDir(version), name))); err != nil {
			return err
		}
		if err := os.Chmod(home, 0o700); err != nil {
			return err
		}
		files, err := os.ReadDir(home)
		if err != nil {
			return err
		}
		for _, f := range files { // a checkout has them readable for everybody
			if err := os.Chmod(filepath.Join(home, f.Name()), 0o600); err != nil {
				return err
			}
		}
		if err := editHome(home, func(tx *store.Tx) error { return moveHome(tx, names, places) }); err != nil {
			return err
		}
	}
	return nil
}

// editHome changes what a home holds. Nothing is forked meanwhile: until a child of this program becomes another
// it holds what is open here, and with that the lock of the home, which then seems to be in use.
func editHome(home string, change func(*store.Tx) error) error {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	key, err := store.OpenKeyFile(filepath.Join(home, node.KeyFile))
	if err != nil {
		return err
	}
	db, err := store.Open(store.Config{Path: filepath.Join(home, store.FileName), Key: key})
	if err != nil {
		return err
	}
	if err := db.Update(change); err != nil {
		db.Close()
		return err
	}
	return db.Close()
}

// moveHome changes the records by name, and leaves alone what it does not know
// in them.
func moveHome(tx *store.Tx, names, places map[string]string) error {
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
	for _, f := range friends {
		host, port, _ := strings.Cut(places[names[hex.EncodeToString(f.Key)]], ":")
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

// eachSeen reads what the earlier program showed of its homes: of a person the
// list of chats, and of each chat (its id) the messages and the blocks, an object
// a line.
func eachSeen(version string, do func(person, chat, kind string, line map[string]any)) error {
	root := filepath.Join(homesDir(version), "seen")
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		chat, kind, _ := strings.Cut(filepath.Base(path), ".")
		for line := range bytes.Lines(b) {
			var of map[string]any
			if err := json.Unmarshal(line, &of); err != nil {
				return err
			}
			do(filepath.Base(filepath.Dir(path)), chat, kind, of)
		}
		return nil
	})
}

// passing are the names of what is shown that differ from one hour to the next,
// in homes that nothing happens to.
var passing = []string{
	"connected", "reached", "reach_of", "missing", "may", "notice", // who is here
	"settled", "settled_by", "settle_round", "round", "voted_by", "waits_for", "voting_round", "waiting", "voted", // who votes
}

// still reports what a program shows otherwise than an earlier one: every name
// that was there must be there, with what it was.
func still(path string, was, is any) (lost []string) {
	switch was := was.(type) {
	case map[string]any:
		now, _ := is.(map[string]any)
		for name, v := range was {
			got, ok := now[name]
			switch {
			case slices.Contains(passing, name):
			case name == "cursor" && strings.HasPrefix(got.(string), v.(string)): // it got longer once
			case name == "read_to" && v == "": // the first version knew no such thing
			case !ok:
				lost = append(lost, path+"."+name+" is gone")
			default:
				lost = append(lost, still(path+"."+name, v, got)...)
			}
		}
	case []any:
		now, _ := is.([]any)
		if len(now) != len(was) {
			return []string{path + " has " + strconv.Itoa(len(now)) + " in place of " + strconv.Itoa(len(was))}
		}
		for i := range was {
			lost = append(lost, still(path+"["+strconv.Itoa(i)+"]", was[i], now[i])...)
		}
	default:
		if was != is {
			a, _ := json.Marshal(was)
			b, _ := json.Marshal(is)
			return []string{path + " is " + string(b) + " in place of " + string(a)}
		}
	}
	return lost
}

// TestHomes: what each earlier version left is shown as that version showed it,
// and goes on.
func TestHomes(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("ends programs with Ctrl-C, which Windows does not send to one process")
	}
	versions, err := os.ReadDir(homesDir(""))
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range versions {
		if v.IsDir() {
			t.Run(v.Name(), func(t *testing.T) {
				t.Parallel()
				agedHomes(t, v.Name())
			})
		}
	}
}

func agedHomes(t *testing.T, version string) {
	all := make(map[string]*person)
	places := make(map[string]string)
	dir := t.TempDir()
	for _, name := range []string{"Ann", "Ben", "Cleo"} {
		short := strings.ToLower(name)
		if _, err := os.Stat(filepath.Join(homesDir(version), short)); err != nil {
			continue
		}
		place, err := freePlace()
		if err != nil {
			t.Fatal(err)
		}
		places[short] = place
		all[short] = &person{t: t, name: name, program: kithHere(t), home: filepath.Join(dir, short), run: []string{"--listen", place}}
		t.Cleanup(all[short].off)
	}
	if err := copyHomes(version, dir, places); err != nil {
		t.Fatal(err)
	}
	for name, p := range all { // one after the other: so nothing happens to them
		p.on()
		sameAsSeen(t, version, name, p)
		p.off()
	}
	for _, p := range all {
		p.on()
	}
	goOn(t, all)
}

// sameAsSeen compares what is shown of a home with what the version that left it showed.
func sameAsSeen(t *testing.T, version, name string, p *person) {
	verbs := map[string][]string{"list": {"group", "list", "--json"}, "tail": {"tail", "-n", "500", "--json"}, "chain": {"group", "chain", "--json"}}
	want := make(map[string][]any) // by the words of the verb
	err := eachSeen(version, func(who, chat, kind string, line map[string]any) {
		if who != name {
			return
		}
		args := verbs[kind]
		if kind != "list" {
			args = append(slices.Clone(args), chat)
		}
		of := strings.Join(args, " ")
		want[of] = append(want[of], line)
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(want) < 3 {
		t.Fatalf("%s was shown next to nothing: %d", name, len(want))
	}
	for of, lines := range want {
		var got []any
		for line := range strings.Lines(p.kith(strings.Fields(of)...)) {
			var v any
			if err := json.Unmarshal([]byte(line), &v); err != nil {
				t.Fatal(err)
			}
			got = append(got, v)
		}
		if strings.HasPrefix(of, "group chain") && len(got) == len(lines)+1 {
			got = got[:len(lines)] // the line about settlement came later
		}
		if lost := still("", lines, got); lost != nil {
			t.Errorf("%s: kith %s:\n%s", p.name, of, strings.Join(lost, "\n"))
		}
	}
}

// goOn has the people of the homes meet: what one had alone comes to the others,
// and all write, read and change the membership.
func goOn(t *testing.T, all map[string]*person) {
	ann, ben, cleo := all["ann"], all["ben"], all["cleo"]
	others := []*person{ben}
	if cleo != nil {
		others = append(others, cleo)
		ann.until("Written while you were off", "tail", "Harbour walk")
		cleo.until("Written while you were off", "tail", "Harbour walk")
		ann.until("And this", "tail", "Boat")
	}
	for _, p := range others {
		p.until("Ann +friend, here now", "friend", "list")
		ann.kith("send", p.name, "Still here, "+p.name)
		p.until("Still here, "+p.name, "tail", "Ann")
		p.kith("send", "Ann", "Me too, says "+p.name)
		ann.until("Me too, says "+p.name, "tail", p.name)
	}
	everybody := append([]*person{ann}, others...)
	hear := func(chat string) {
		t.Helper()
		for _, p := range everybody {
			p.kith("send", chat, "I am "+p.name+" in "+chat)
		}
		for _, p := range everybody {
			for _, q := range everybody {
				p.until("I am "+q.name+" in "+chat, "tail", chat)
			}
		}
	}
	hear("Harbour walk")
	ann.kith("group", "rename", "Harbour walk", "Harbour swim")
	for _, p := range others {
		p.until("Harbour swim", "group", "list")
	}
	hear("Harbour swim")
	ann.kith("react", "Harbour swim", "last", "👍")
	for _, p := range others {
		p.until("👍", "tail", "Harbour swim")
	}
	if cleo == nil {
		return
	}
	if out := cleo.kith("tail", "Boat"); strings.Contains(out, "Only two seats") || strings.Contains(out, "And this") {
		t.Errorf("Cleo reads what was written after her removal:\n%s", out)
	}
	ann.kith("group", "add", "Boat", "Cleo")
	cleo.until("Boat.*Ann invites you", "group", "list")
	cleo.kith("group", "accept", "Boat")
	for _, p := range everybody {
		p.until(`("accepted":true.*){3}`, "group", "show", "Boat", "--json")
	}
	hear("Boat")
	for _, p := range everybody {
		if out := p.kith("group", "chain", "Boat"); strings.Contains(out, "NOT VALID") || strings.Contains(out, "○") {
			t.Errorf("%s is drawn another chain than was signed:\n%s", p.name, out)
		}
	}
}
