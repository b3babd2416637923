package chain_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"slices"
	"testing"

	"kith/internal/chain"
	"kith/internal/wire"
)

const forkVectorFile = "../../docs/spec/vectors/forkchoice.json"

// forkVectors are the contests of fork_pictures_test.go, and what becomes of removals
// that lost. Signatures in them are
// any bytes, and bodies hold no more than what a Carry cites, or the history that a
// RemoveDevice or AddDevice cites; a Carry of a device has both.
type forkVectors struct {
	Comment  string        `json:"comment"`
	Contests []forkVector  `json:"contests"`
	Space    []spaceVector `json:"space"`
}

type forkVector struct {
	What   string      `json:"what"`
	Blocks []forkBlock `json:"blocks"` // parents first
	Head   string      `json:"head"`   // the name of the block

	Pending []forkPending `json:"pending,omitempty"` // by height and hash of the block
}

// A forkPending is a removal that lost and is to be carried over.
type forkPending struct {
	Block    string `json:"block"` // its name
	Author   string `json:"author"`
	Person   string `json:"person"`
	Instance string `json:"instance"` // that it still ends
}

func pendingVector(root wire.BlockHash, blocks []*chain.Block, name func(wire.BlockHash) string) (list []forkPending) {
	for _, p := range chain.Pending(root, blocks) {
		list = append(list, forkPending{name(p.Block), p.Author.String(), p.Person.String(), hex.EncodeToString(p.Instance[:])})
	}
	return list
}

type forkBlock struct {
	Name    string `json:"name"`
	Does    string `json:"does,omitempty"`
	Header  string `json:"header"`
	Hash    string `json:"hash"`
	Carries string `json:"carries,omitempty"` // what a Carry cites
	History string `json:"history,omitempty"` // the proof that a RemoveDevice or AddDevice cites
}

func makeForkVectors(t *testing.T) forkVectors {
	v := forkVectors{Comment: "Bytes in hex. The fork choice alone: signatures are any bytes and do not hold. docs/spec/chain.md, Fork choice"}
	all := append(allPictures(), twins, unheld)
	for _, c := range losses {
		all = append(all, picture{"pending: " + c.name, c.people, c.picture, c.does, c.head})
	}
	for _, c := range all {
		f := plant(t, 0, c.people)
		f.grow(c.picture, c.does)
		if c.name == unheld.name {
			f.blocks["X"].Body = nil
		}
		list := forkVector{What: c.name, Head: f.head(), Pending: pendingVector(f.blocks["G"].Hash, f.all(), f.name)}
		for _, name := range f.order {
			b := f.blocks[name]
			x := forkBlock{Name: name, Does: c.does[name], Header: hex.EncodeToString(b.Header.Bytes()), Hash: b.Hash.String()}
			if b.Body != nil {
				first := hex.EncodeToString(b.Body.Attachments[0])
				if b.Header.Ops[0].Kind() == chain.KindCarry {
					x.Carries = first
					if len(b.Body.Attachments) > 1 {
						x.History = hex.EncodeToString(b.Body.Attachments[1])
					}
				} else {
					x.History = first
				}
			}
			list.Blocks = append(list.Blocks, x)
		}
		if c.head != "" && list.Head != c.head {
			t.Errorf("%s: head %s, want %s", c.name, list.Head, c.head)
		}
		v.Contests = append(v.Contests, list)
	}
	v.Space = makeSpaceVectors(t)
	return v
}

// TestForkVectorsAreMade: the pictures give exactly the file.
func TestForkVectorsAreMade(t *testing.T) {
	want, err := json.MarshalIndent(makeForkVectors(t), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	want = append(want, '\n')
	if *update {
		if err := os.WriteFile(forkVectorFile, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(forkVectorFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("the file has other bytes; if the format or a picture changed on purpose, run with -update")
	}
}

// TestVectorsOfForks reads the file as another implementation would.
func TestVectorsOfForks(t *testing.T) {
	raw, err := os.ReadFile(forkVectorFile)
	if err != nil {
		t.Fatal(err)
	}
	var v forkVectors
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	for _, c := range v.Space {
		checkSpace(t, c)
	}
	for _, c := range v.Contests {
		states, names := map[wire.BlockHash]*chain.State{}, map[wire.BlockHash]string{}
		var blocks []*chain.Block
		for _, x := range c.Blocks {
			b := readForkBlock(t, x, states)
			states[b.Hash], names[b.Hash] = b.State, x.Name
			blocks = append(blocks, b)
		}
		if got := names[chain.Head(blocks[0].Hash, blocks)]; got != c.Head {
			t.Errorf("%s: head %s, want %s", c.What, got, c.Head)
		}
		if got := pendingVector(blocks[0].Hash, blocks, func(h wire.BlockHash) string { return names[h] }); !slices.Equal(got, c.Pending) {
			t.Errorf("%s: pending %v, want %v", c.What, got, c.Pending)
		}
	}
}

func readForkBlock(t *testing.T, x forkBlock, states map[wire.BlockHash]*chain.State) *chain.Block {
	t.Helper()
	h, err := chain.ParseHeader(unhex(t, x.Header))
	if err != nil {
		t.Fatal(err)
	}
	again, s, err := chain.Draft(states[h.Parent], chain.DraftParams{
		Suite: h.Suite, Parent: h.Parent, Group: h.Group, Author: h.Author, AuthorSeq: h.AuthorSeq, Ops: h.Ops, CreatedAt: h.CreatedAt,
	})
	if err != nil {
		t.Fatal(err)
	}
	if again.StateRoot != h.StateRoot || h.Hash().String() != x.Hash {
		t.Fatalf("block %s: root or hash", x.Name)
	}
	b := &chain.Block{Hash: h.Hash(), Header: h, State: s}
	for _, paper := range []string{x.Carries, x.History} {
		if paper == "" {
			continue
		}
		if b.Body == nil {
			b.Body = new(chain.Body)
		}
		b.Body.Attachments = append(b.Body.Attachments, unhex(t, paper))
	}
	return b
}
