package group_test

import (
	"bytes"
	"testing"

	"kith/internal/group"
)

// FuzzVotes: a votes frame that parses encodes to the same bytes. Its parts are
// checked in package chain.
func FuzzVotes(f *testing.F) {
	w, g := story(f)
	for _, b := range payloads(w) {
		if b[0] == kindVotes {
			f.Add(b[1:])
		}
	}
	for _, b := range w.Node("Ann").Groups[g].Records[group.KindVote] {
		f.Add(append([]byte{1, 0, 0, 0x40, byte(len(b))}, b...)) // pushed: no warrant, no evidence, one vote
	}
	f.Add([]byte{2, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		payload := append([]byte{kindVotes}, b...)
		if again, err := group.Reencode(payload); err == nil && !bytes.Equal(again, payload) {
			t.Errorf("%x parses and encodes to %x", payload, again)
		}
	})
}

// FuzzFaults: neither a Nack nor evidence that nobody signed is kept.
func FuzzFaults(f *testing.F) {
	w, g := story(f)
	for _, b := range payloads(w) {
		if b[0] == kindFaults {
			f.Add(b[1:])
		}
	}
	ann, ben := w.Node("Ann"), w.Node("Ben")
	held := func() (n int) {
		for _, h := range ben.Groups[g].Machine.Holdings() {
			if h.Name == "Nacks" || h.Name == "evidence" {
				n += h.Held
			}
		}
		return n
	}
	before := held()
	f.Fuzz(func(t *testing.T, b []byte) {
		payload := append([]byte{kindFaults}, b...)
		if again, err := group.Reencode(payload); err == nil && !bytes.Equal(again, payload) {
			t.Errorf("%x parses and encodes to %x", payload, again)
		}
		w.Deliver(ann, ben, g, payload)
		if held() > before {
			t.Errorf("%x is kept", payload)
		}
	})
}

const kindFaults = 12
