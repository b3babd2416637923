package mls

import (
	"bytes"
	"errors"
	"testing"

	"kith/internal/wire"
)

// refuseFraming spells broken encodings of messages out by hand.
func refuseFraming(t *testing.T, r *refusals) {
	g := testGroup(t, 2)
	r.watch(g...)
	e := g[0].epoch
	key := e.secrets.membership
	// head is a PublicMessage of the group up to the sender.
	head := func(epoch uint64, sender ...byte) []byte {
		return encode(func(w *wire.Writer) {
			w.Raw([]byte{0, 1, 0, 1})
			w.Vec([]byte("g"))
			w.U64(epoch)
			w.Raw(sender)
		})
	}
	member := []byte{1, 0, 0, 0, 1}
	tail := []byte{0, 0} // signature, membership tag
	message := func(from []byte, rest ...byte) []byte { return append(head(1, from...), rest...) }
	for _, c := range []struct {
		what string
		b    []byte
		want Reason
	}{
		{"nothing", nil, ReasonMalformed},
		{"version 2", append([]byte{0, 2}, message(member, 0)[2:]...), ReasonMalformed},
		{"wire format 0", []byte{0, 1, 0, 0}, ReasonMalformed},
		{"wire format 6", []byte{0, 1, 0, 6}, ReasonMalformed},
		{"header alone", []byte{0, 1, 0, 1}, ReasonMalformed},
		{"group id cut off", []byte{0, 1, 0, 1, 5, 'g'}, ReasonMalformed},
		{"length in two bytes for one", []byte{0, 1, 0, 1, 0x40, 1, 'g'}, ReasonMalformed},
		{"length in four bytes for one", []byte{0, 1, 0, 1, 0x80, 0, 0, 1, 'g'}, ReasonMalformed},
		{"length of eight bytes", []byte{0, 1, 0, 1, 0xc0, 0, 0, 0, 0, 0, 0, 1, 'g'}, ReasonMalformed},
		{"length of a gigabyte", []byte{0, 1, 0, 1, 0xbf, 0xff, 0xff, 0xff}, ReasonMalformed},
		{"sender type 0", message([]byte{0}, 0, 2), ReasonMalformed},
		{"sender type 5", message([]byte{5}, 0, 2), ReasonMalformed},
		{"authenticated data over its bound", message(member, 0x80, 2, 0, 0), ReasonMalformed},
		{"content type 0", message(member, 0, 0), ReasonMalformed},
		{"content type 4", message(member, 0, 4), ReasonMalformed},
		{"application data in the clear", message(member, append([]byte{0, 1, 2, 'h', 'i'}, tail...)...), ReasonContent},
		{"proposal of type 0", message(member, append([]byte{0, 2, 0, 0}, tail...)...), ReasonMalformed},
		{"remove cut off", message(member, 0, 2, 0, 3, 0, 0), ReasonMalformed},
		{"pre-shared key of kind 0", message(member, append([]byte{0, 2, 0, 4, 0}, tail...)...), ReasonMalformed},
		{"pre-shared key of kind 3", message(member, append([]byte{0, 2, 0, 4, 3}, tail...)...), ReasonMalformed},
		{"usage 0", message(member, append([]byte{0, 2, 0, 4, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, tail...)...), ReasonMalformed},
		{"usage 4", message(member, append([]byte{0, 2, 0, 4, 2, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, tail...)...), ReasonMalformed},
		{"extension twice", message(member, append([]byte{0, 2, 0, 7, 6, 0, 9, 0, 0, 9, 0}, tail...)...), ReasonMalformed},
		{"extension cut off", message(member, append([]byte{0, 2, 0, 7, 2, 0, 9}, tail...)...), ReasonMalformed},
		{"neither proposal nor reference", message(member, append([]byte{0, 3, 1, 3}, tail...)...), ReasonMalformed},
		{"path neither there nor absent", message(member, append([]byte{0, 3, 0, 2}, tail...)...), ReasonMalformed},
		{"leaf of source 0", message(member, append([]byte{0, 2, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0}, tail...)...), ReasonMalformed},
		{"unknown credential", message(member, append([]byte{0, 2, 0, 2, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 2, 0}, tail...)...), ReasonMalformed},
		{"capabilities of an odd length", message(member, append([]byte{0, 2, 0, 2, 0, 0, 0, 1, 0, 1, 7, 0, 0, 0, 0, 2, 0}, tail...)...), ReasonMalformed},
		{"bytes left over", message(member, append([]byte{0, 2, 0, 3, 0, 0, 0, 1}, append(tail, 0)...)...), ReasonMalformed},
		{"no membership tag", message(member, 0, 2, 0, 3, 0, 0, 0, 1, 0), ReasonMalformed},
		{"membership tag cut to nothing", message(member, 0, 2, 0, 3, 0, 0, 0, 1, 0, 0), ReasonMembership},
		{"another group", append(append([]byte{0, 1, 0, 1, 1, 'h'}, head(1, member...)[6:]...), 0, 2, 0, 3, 0, 0, 0, 1, 0, 0), ReasonGroup},
		{"a Welcome as a handshake", []byte{0, 1, 0, 3, 0, 1, 0, 0}, ReasonContent},
	} {
		_, err := e.Open(e.Ratchets(), c.b)
		r.refused(c.what, err, c.want)
		if errors.Is(err, wire.ErrTrailing) != (c.what == "bytes left over") {
			t.Errorf("%s: refused for another cause: %v", c.what, err)
		}
	}
	_, err := e.Open(nil, append(head(0, member...), 0, 2, 0, 3, 0, 0, 0, 1, 0, 0))
	r.refusedAs("epoch before", err, ErrWrongEpoch)
	_, err = e.Open(nil, append(head(1<<64-1, member...), 0, 2, 0, 3, 0, 0, 0, 1, 0, 0))
	r.refusedAs("last epoch of all", err, ErrWrongEpoch)
	refusePrivateFraming(t, r, g)
	if !bytes.Equal(key, e.secrets.membership) {
		t.Error("membership key changed")
	}
}

// refusePrivateFraming breaks the outside of a PrivateMessage.
func refusePrivateFraming(t *testing.T, r *refusals, g []*party) {
	e := g[0].epoch
	good, err := g[1].epoch.Encrypt(g[1].epoch.Ratchets(), g[1].signer, []byte("aad"), []byte("text"), 3)
	if err != nil {
		t.Fatal(err)
	}
	keys := e.Ratchets()
	keys.Changes()
	for _, c := range []struct {
		what string
		mend func(*privateMessage)
		want Reason
	}{
		{"private message of another group", func(p *privateMessage) { p.groupID = []byte("h") }, ReasonGroup},
		{"handshake as application data", func(p *privateMessage) { p.kind = contentCommit }, ReasonContent},
		{"private content type 4", func(p *privateMessage) { p.kind = 4 }, ReasonMalformed},
		{"other authenticated data", func(p *privateMessage) { p.authenticatedData = []byte("bad") }, ReasonDecrypt},
		{"no sender data", func(p *privateMessage) { p.senderData = nil }, ReasonDecrypt},
		{"sender data too long", func(p *privateMessage) { p.senderData = append(bytes.Clone(p.senderData), 0) }, ReasonDecrypt},
		{"sender data over its bound", func(p *privateMessage) { p.senderData = make([]byte, 256) }, ReasonMalformed},
		{"no ciphertext", func(p *privateMessage) { p.ciphertext = nil }, ReasonDecrypt},
		{"ciphertext shorter than its sample", func(p *privateMessage) { p.ciphertext = p.ciphertext[:20] }, ReasonDecrypt},
		{"ciphertext cut by one", func(p *privateMessage) { p.ciphertext = p.ciphertext[:len(p.ciphertext)-1] }, ReasonDecrypt},
	} {
		p := readPrivateMessage(wire.NewReader(good))
		c.mend(p)
		_, _, err := e.Decrypt(keys, encode(p.write))
		r.refused(c.what, err, c.want)
		if n := len(keys.Changes()); n != 0 {
			t.Errorf("%s: %d records changed", c.what, n)
		}
	}
	p := readPrivateMessage(wire.NewReader(good))
	p.epoch++
	_, _, err = e.Decrypt(keys, encode(p.write))
	r.refusedAs("private message of the next epoch", err, ErrWrongEpoch)
	_, err = e.Open(keys, FrameMessage(FormatPrivateMessage, good))
	r.refused("application data as a handshake", err, ReasonContent)
	if _, _, err := e.Decrypt(keys, good); err != nil {
		t.Fatal(err)
	}
	_, _, err = e.Decrypt(keys, good)
	r.refusedAs("the same message twice", err, ErrKeyUsed)
}
