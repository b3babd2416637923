package group_test

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"

	"kith/internal/group"
	"kith/internal/sim"
	"kith/internal/wire"
)

// dropNames are those of all drops that a node can name on one day.
func dropNames(n *sim.Node, g wire.GroupID) (names [][32]byte) {
	for _, k := range n.Groups[g].Machine.DropKeys() {
		names = append(names, k.Root([32]byte{7}))
	}
	return names
}

// TestDropsOfMembers: all members name one drop of the head, who was removed none after its
// removal, who came later none from before, and who sleeps follows block by block.
func TestDropsOfMembers(t *testing.T) {
	w := sim.New(1)
	ann, ben, cleo, dan := w.Add("Ann"), w.Add("Ben"), w.Add("Cleo"), w.Add("Dan")
	g := ann.Create(group.CreateParams{Title: "Trip", Newcomers: []group.Newcomer{ben.Newcomer(), cleo.Newcomer()}})
	w.Run(1000)
	for _, n := range []*sim.Node{ben, cleo} {
		if err := n.Do(g, group.Accept{}); err != nil {
			t.Fatal(err)
		}
	}
	w.Run(5000)
	newest := func(n *sim.Node) [32]byte { list := dropNames(n, g); return list[len(list)-1] }
	if newest(ann) != newest(ben) || newest(ann) != newest(cleo) {
		t.Fatal("members name different drops")
	}
	before := dropNames(ann, g)
	for _, o := range []*sim.Node{ann, cleo, dan} {
		w.Cut(ben, o)
	}
	slept := ben.Groups[g].Machine.Head()
	for _, do := range []group.Cause{group.Remove{Person: cleo.Self.Person}, group.Invite{Newcomers: []group.Newcomer{dan.Newcomer()}}} {
		if err := ann.Do(g, do); err != nil {
			t.Fatal(err)
		}
		w.Run(1000)
	}
	if err := dan.Do(g, group.Accept{}); err != nil {
		t.Fatal(err)
	}
	w.Run(5000)
	if slices.Contains(dropNames(cleo, g), newest(ann)) || newest(ann) != newest(dan) {
		t.Error("who is out names the drop, or who came does not")
	}
	for _, name := range dropNames(dan, g) {
		if slices.Contains(before, name) {
			t.Error("Dan names a drop from before he came")
		}
	}
	steps := 0
	for at := slept; at != ann.Groups[g].Machine.Head() && steps < 10; steps++ {
		x := ann.Groups[g].Machine.ExportNext(at)
		ben.Import(sim.Item{From: ann, Group: g, Payloads: x.Payloads})
		next := ben.Groups[g].Machine.Head()
		if next == at || x.Blocks != 1 {
			t.Fatalf("after %d steps Ben does not follow %d blocks", steps, x.Blocks)
		}
		at = next
	}
	if steps < 2 || newest(ben) != newest(ann) {
		t.Errorf("after %d steps Ben names another drop", steps)
	}
}

// TestDropBytes compares the values of a drop with ones that were made without this code.
func TestDropBytes(t *testing.T) {
	k := group.NewDropKey(wire.BlockHash{}, 0, [32]byte{1})
	root, item := k.Root([32]byte{2}), k.Item([32]byte{2}, 3)
	if got := hex.EncodeToString(root[:]); got != wantRoot {
		t.Errorf("root is %s, want %s", got, wantRoot)
	}
	if got := hex.EncodeToString(item[:]); got != wantItem {
		t.Errorf("item is %s, want %s", got, wantItem)
	}
	secret := k.Secret()
	if shown := fmt.Sprintf("%v %+v %x", k, k, k); strings.Contains(shown, hex.EncodeToString(secret[:4])) {
		t.Errorf("a secret shows in %s", shown)
	}
}

// HKDF-Expand with one block of HMAC, by another program.
const (
	wantRoot = "656572bacf7c7e86152cf8634aab997e547a5d884c7a9457a92a8c8ab53da608"
	wantItem = "5bf795dd3b7628b700c329af887d71deccb8bdd65215b3a958431db00038d8d4"
)
