package mls

import (
	"bytes"
	"testing"

	"kith/internal/wire"
)

// TestPublicFromTree: a tree gives the epoch that was followed to, byte for byte;
// one that is another, or of another place, does not.
func TestPublicFromTree(t *testing.T) {
	for _, s := range []Suite{SuiteX25519AES128SHA256Ed25519, SuiteXWingAES128SHA256Ed25519} {
		p := newFullGroup(t, s, 5).pub
		position := func() Position {
			return Position{
				Suite: s, GroupID: p.GroupID(), Epoch: p.Epoch(), TreeHash: p.TreeHash(),
				Transcript: p.ConfirmedTranscriptHash(), ConfirmationTag: p.ConfirmationTag(),
			}
		}
		tree := p.RatchetTree()
		got, err := PublicFromTree(position(), tree)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.Marshal(), p.Marshal()) {
			t.Error("the tree gives another group")
		}
		for what, change := range map[string]func(*Position, *[]byte){
			"tree hash":      func(at *Position, _ *[]byte) { at.TreeHash[0]++ },
			"group":          func(at *Position, _ *[]byte) { at.GroupID[0]++ }, // the leaves are signed for it
			"group too long": func(at *Position, _ *[]byte) { at.GroupID = make([]byte, MaxGroupID+1) },
			"suite":          func(at *Position, _ *[]byte) { at.Suite = 0x7777 },
			"tag":            func(at *Position, _ *[]byte) { at.ConfirmationTag = nil },
			"transcript":     func(at *Position, _ *[]byte) { at.Transcript = wire.Random(3) },
			"leaf":           func(_ *Position, b *[]byte) { (*b)[len(*b)/2]++ },
			"cut":            func(_ *Position, b *[]byte) { *b = (*b)[:len(*b)-1] },
			"left over":      func(_ *Position, b *[]byte) { *b = append(*b, 0) },
		} {
			at, b := position(), bytes.Clone(tree)
			change(&at, &b)
			if _, err := PublicFromTree(at, b); err == nil {
				t.Errorf("suite %d: another %s is taken", s, what)
			}
		}
	}
}
