package group_test

import (
	"testing"

	"kith/internal/wire"
)

const kindOfHeads = 22

// TestNumbersAgain: who is told twice in a second that somebody has newer Reaches asks for
// them twice, the second time once the second is over. Nobody may tell it again.
func TestNumbersAgain(t *testing.T) {
	w, g, ann, ben, _ := three(t)
	w.Run(2_000)
	newer := func(reach uint64) []byte {
		var f wire.Writer
		f.U8(kindNumbers)
		f.Raw(g[:]) // which is the hash of the first block, too
		f.U8(0)
		f.Vec(nil)
		f.Vec(nil)
		f.Vec(nil)
		f.Group(func(f *wire.Writer) {
			d := ann.Self.Device.ID()
			f.Raw(d[:])
			f.U64(reach)
		})
		return f.Bytes()
	}
	said := func(kinds ...byte) (n int) {
		for _, f := range ben.Sent {
			for _, kind := range kinds {
				if f.To == ann && f.Bytes[0] == kind {
					n++
				}
			}
		}
		return n
	}
	ben.Sent = nil
	w.Deliver(ann, ben, g, newer(1000))
	if said(kindNumbers) != 1 {
		t.Fatal("Ben does not ask for a newer Reach")
	}
	w.Run(500)
	ben.Sent = nil
	w.Deliver(ann, ben, g, newer(1001))
	if n := said(kindNumbers); n != 0 {
		t.Errorf("Ben answers %d times in a second", n)
	}
	w.Run(1_000)
	if said(kindNumbers, kindOfHeads) == 0 {
		t.Error("Ben never asks for what he was told of in between")
	}
}
