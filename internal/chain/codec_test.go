package chain_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"kith/internal/chain"
	"kith/internal/wire"
)

// x returns n bytes of value v.
func x(v byte, n int) []byte { return bytes.Repeat([]byte{v}, n) }

func fill32(v byte) [32]byte { return [32]byte(x(v, 32)) }

// spelled is one op and its bytes, spelt by hand from docs/spec/chain.md.
var spelled = []struct {
	name  string
	op    chain.Op
	bytes []byte
}{
	{"Genesis", &chain.Genesis{
		Nonce: fill32(1), Creator: fill32(2), PersonHead: fill32(3),
		Device: chain.DeviceEntry{Key: fill32(4), KnockHash: fill32(5), KeyPackageRef: fill32(6)},
		Info:   fill32(7), Policy: chain.Policy{MembersInvite: true, History: chain.HistoryAll},
		Features: []uint16{1, 0x0203}, Cites: []wire.Digest{fill32(8), fill32(9)},
	}, slices.Concat([]byte{1, 0x41, 0x2c}, // kind, length 300
		x(1, 32), x(2, 32), x(3, 32), x(4, 32), x(5, 32), x(6, 32), x(7, 32),
		[]byte{1, 1, 1, 0},                     // policy
		[]byte{4, 0, 1, 2, 3},                  // features
		[]byte{0},                              // no recovery keys
		[]byte{0x40, 64}, x(8, 32), x(9, 32))}, // cites
	{
		"Genesis of a person", &chain.Genesis{Recovery: &chain.RecoveryKeys{Key: fill32(1), Sealing: [1216]byte(x(2, 1216))}},
		slices.Concat([]byte{1, 0x45, 0xc7}, x(0, 7*32), []byte{1, 0, 0, 0}, []byte{0}, // length 1479
			[]byte{1}, x(1, 32), x(2, 1216), []byte{0}),
	},
	{
		"Add", &chain.Add{Person: fill32(1), PersonHead: fill32(2), Devices: []chain.DeviceEntry{{Key: fill32(3), KnockHash: fill32(4), KeyPackageRef: fill32(5)}}, Role: chain.RoleAdmin, Cites: []wire.Digest{fill32(6)}},
		slices.Concat([]byte{2, 0x40, 196}, x(1, 32), x(2, 32), []byte{0x40, 96}, x(3, 32), x(4, 32), x(5, 32), []byte{1}, []byte{32}, x(6, 32)),
	},
	{
		"Remove", &chain.Remove{Person: fill32(1), Instance: fill32(2), Cuts: []chain.Cut{{Device: fill32(3), Seq: 0x0102, Hash: wire.Short(x(4, 16))}}},
		slices.Concat([]byte{3, 0x40, 121}, x(1, 32), x(2, 32), []byte{56}, x(3, 32), []byte{0, 0, 0, 0, 0, 0, 1, 2}, x(4, 16)),
	},
	{
		"SetRole", &chain.SetRole{Person: fill32(1), Instance: fill32(2), Role: chain.RoleAdmin},
		slices.Concat([]byte{4, 0x40, 65}, x(1, 32), x(2, 32), []byte{1}),
	},
	{
		"SetPolicy", &chain.SetPolicy{Policy: &chain.Policy{History: chain.HistoryAll}, Electorate: []wire.PersonID{fill32(1), fill32(2)}, Features: []uint16{3}},
		slices.Concat([]byte{5, 0x40, 74, 1, 1, 0, 1, 0, 0x40, 64}, x(1, 32), x(2, 32), []byte{2, 0, 3}),
	},
	{"SetPolicy of nothing", &chain.SetPolicy{}, []byte{5, 3, 0, 0, 0}},
	{"SetInfo", &chain.SetInfo{Info: fill32(1)}, slices.Concat([]byte{6, 32}, x(1, 32))},
	{"Rekey", &chain.Rekey{}, []byte{7, 0}},
	{
		"Leave", &chain.Leave{Person: fill32(1), Instance: fill32(2), Successor: fill32(3), Cites: []wire.Digest{fill32(4)}},
		slices.Concat([]byte{8, 0x40, 130}, x(1, 32), x(2, 32), []byte{0}, x(3, 32), []byte{32}, x(4, 32)),
	},
	{
		"Park", &chain.Park{Person: fill32(1), Instance: fill32(2), Device: fill32(3)},
		slices.Concat([]byte{9, 0x40, 96}, x(1, 32), x(2, 32), x(3, 32)),
	},
	{
		"Unpark", &chain.Unpark{Person: fill32(1), Instance: fill32(2), Device: fill32(3)},
		slices.Concat([]byte{10, 0x40, 96}, x(1, 32), x(2, 32), x(3, 32)),
	},
	{
		"AddDevice", &chain.AddDevice{Person: fill32(1), Instance: fill32(2), PersonHead: fill32(3), Device: chain.DeviceEntry{Key: fill32(4), KnockHash: fill32(5), KeyPackageRef: fill32(6)}, Cites: []wire.Digest{fill32(7), fill32(8)}},
		slices.Concat([]byte{11, 0x41, 0x02}, x(1, 32), x(2, 32), x(3, 32), x(4, 32), x(5, 32), x(6, 32), []byte{0x40, 64}, x(7, 32), x(8, 32)), // length 258
	},
	{
		"RemoveDevice", &chain.RemoveDevice{Person: fill32(1), Instance: fill32(2), PersonHead: fill32(3), Device: fill32(4), Cuts: []chain.Cut{{Device: fill32(4), Seq: 5, Hash: wire.Short(x(6, 16))}}, Cites: []wire.Digest{fill32(7)}},
		slices.Concat([]byte{12, 0x40, 218}, x(1, 32), x(2, 32), x(3, 32), x(4, 32), []byte{56}, x(4, 32), []byte{0, 0, 0, 0, 0, 0, 0, 5}, x(6, 16), []byte{32}, x(7, 32)),
	},
	{
		"Restart", &chain.Restart{Suite: chain.SuiteChaCha, Reason: chain.RestartPoisoned, Parked: []wire.DeviceID{fill32(1), fill32(2)}, Cites: []wire.Digest{fill32(3)}},
		slices.Concat([]byte{14, 0x40, 102, 0, 3, 2, 0x40, 64}, x(1, 32), x(2, 32), []byte{32}, x(3, 32)),
	},
	{
		"Carry", &chain.Carry{Block: fill32(1), Person: fill32(2), Instance: fill32(3), Device: fill32(4), Cuts: []chain.Cut{{Device: fill32(5), Seq: 6, Hash: wire.Short(x(7, 16))}}, Cites: []wire.Digest{fill32(8)}},
		slices.Concat([]byte{13, 0x40, 218}, x(1, 32), x(2, 32), x(3, 32), x(4, 32), []byte{56}, x(5, 32), []byte{0, 0, 0, 0, 0, 0, 0, 6}, x(7, 16), []byte{32}, x(8, 32)),
	},
	{
		"Slash", &chain.Slash{Person: fill32(1), Instance: fill32(2), Device: fill32(3), What: chain.SlashVotes, Cites: []wire.Digest{fill32(4), fill32(5)}},
		slices.Concat([]byte{15, 0x40, 164}, x(1, 32), x(2, 32), x(3, 32), []byte{3}, []byte{0}, []byte{0x40, 64}, x(4, 32), x(5, 32)),
	},
	{"Package", &chain.Package{Suite: chain.SuiteXWing, KeyPackageRef: fill32(1), Cites: []wire.Digest{fill32(2)}}, slices.Concat([]byte{16, 0x40, 67, 0xf0, 0x01}, x(1, 32), []byte{32}, x(2, 32))},
	{"an op of a newer version", &chain.Unread{Number: 99, Content: []byte("abc")}, []byte{99, 3, 'a', 'b', 'c'}},
}

// headerAround returns a header with opBytes as its ops, and its core's length.
func headerAround(opBytes []byte) ([]byte, int) {
	var length wire.Writer
	length.Varint(len(opBytes))
	core := slices.Concat(
		[]byte{1},                      // version
		[]byte{0xf0, 0x01},             // suite
		[]byte{1},                      // sigalg
		x(0xa1, 32),                    // group
		[]byte{0, 0, 0, 0, 0, 0, 1, 0}, // height 256
		x(0xa2, 32),                    // parent
		x(0xa3, 32), x(0xa4, 32),       // author
		[]byte{0, 0, 0, 0, 0, 0, 0, 5}, // author_seq
		[]byte{2},                      // class
		length.Bytes(), opBytes,        // ops
		x(0xa5, 32),                       // state_root
		[]byte{0, 0, 1, 0x92, 0, 0, 0, 0}, // created_at
	)
	return slices.Concat(core, x(0xa6, 32), x(0xa7, 32), x(0xa8, 32), x(0xa9, 32), x(0xaa, 64)), len(core)
}

func TestHeaderBytes(t *testing.T) {
	for _, c := range spelled {
		t.Run(c.name, func(t *testing.T) {
			h := &chain.Header{
				Version: 1, Suite: chain.SuiteXWing, SigAlg: 1, Group: fill32(0xa1), Height: 256, Parent: fill32(0xa2),
				Author: wire.Member{Person: fill32(0xa3), Device: fill32(0xa4)}, AuthorSeq: 5, Class: chain.ClassRemoval,
				Ops: []chain.Op{c.op}, StateRoot: fill32(0xa5), CreatedAt: 0x019200000000, TreeHash: fill32(0xa6),
				Transcript: fill32(0xa7), ExternalPub: fill32(0xa8), BodyHash: fill32(0xa9), Signature: [64]byte(x(0xaa, 64)),
			}
			want, core := headerAround(c.bytes)
			if got := h.Bytes(); !bytes.Equal(got, want) {
				t.Fatalf("encoded\n%x\nwant\n%x", got, want)
			}
			back, err := chain.ParseHeader(want)
			if err != nil || !bytes.Equal(back.Bytes(), want) {
				t.Fatalf("decoded to other bytes: %v", err)
			}
			if h.Hash() != wire.BlockHash(wire.Hash("block", want)) || h.Core() != wire.CoreHash(wire.Hash("core", want[:core])) {
				t.Error("hash of the block or its core")
			}
		})
	}
}

func TestBodyBytes(t *testing.T) {
	tag := x(2, 32)
	for _, c := range []struct {
		body *chain.Body
		want []byte
	}{
		{&chain.Body{Commit: []byte("cc")}, []byte{0, 2, 'c', 'c', 0}},
		{
			&chain.Body{Epoch0: &chain.Epoch0{LeafNode: []byte("l"), ConfirmationTag: tag}, Commit: []byte("c"), Attachments: [][]byte{[]byte("ab"), {}}},
			slices.Concat([]byte{35, 1, 'l', 32}, tag, []byte{1, 'c', 4, 2, 'a', 'b', 0}),
		},
	} {
		if got := c.body.Bytes(); !bytes.Equal(got, c.want) {
			t.Errorf("encoded %x, want %x", got, c.want)
		}
		back, err := chain.ParseBody(c.want)
		if err != nil || !bytes.Equal(back.Bytes(), c.want) {
			t.Errorf("decoded to other bytes: %v", err)
		}
		if c.body.Hash() != wire.Digest(wire.Hash("body", c.want)) {
			t.Error("hash of the body")
		}
	}
	if chain.Cite([]byte("ab")) != wire.Digest(wire.Hash("attachment", []byte{2, 'a', 'b'})) || chain.KnockHash([]byte("k")) != wire.Digest(wire.Hash("knock key", []byte{1, 'k'})) {
		t.Error("hash of an attachment or a knock key")
	}
}

func TestBodyRefused(t *testing.T) {
	for what, b := range map[string][]byte{
		"nothing":         {},
		"a byte too many": {0, 2, 'c', 'c', 0, 0},
		"a tag cut short": {4, 1, 'l', 9, 't', 1, 'c', 0},
		"too long":        (&chain.Body{Commit: make([]byte, chain.MaxBody/2), Attachments: [][]byte{make([]byte, chain.MaxBody/2)}}).Bytes(),
	} {
		if _, err := chain.ParseBody(b); err == nil {
			t.Errorf("parses: %s", what)
		}
	}
}

func TestLeaveStatementBytes(t *testing.T) {
	s := &chain.LeaveStatement{Group: fill32(1), Person: fill32(2), Device: fill32(3), Instance: fill32(4), Successor: fill32(5), Signature: [64]byte(x(6, 64))}
	want := slices.Concat([]byte{1, 1}, x(1, 32), x(2, 32), x(3, 32), x(4, 32), x(5, 32), x(6, 64))
	if got := s.Marshal(); !bytes.Equal(got, want) {
		t.Errorf("encoded %x", got)
	}
	if back, err := chain.ParseLeaveStatement(want); err != nil || *back != *s {
		t.Errorf("decoded %+v, %v", back, err)
	}
	p := newPerson(t, "ann")
	signed := chain.SignLeave(func(l wire.Label, b []byte) []byte { return wire.Sign(p.keys[0], l, b) }, fill32(1), p.member(0), fill32(4), fill32(5))
	if !signed.Verify(p.public(0)) || !wire.Verify(p.public(0), "leave", signed.Marshal()[:162], signed.Signature[:]) {
		t.Error("signature does not hold")
	}
	signed.Successor[0]++
	if signed.Verify(p.public(0)) {
		t.Error("signature holds over another successor")
	}
}

func TestOfferBytes(t *testing.T) {
	o := chain.Offer{Tips: []wire.BlockHash{fill32(1), fill32(2)}, Locator: []wire.BlockHash{fill32(2)}}
	want := slices.Concat([]byte{0x40, 64}, x(1, 32), x(2, 32), []byte{32}, x(2, 32))
	if got := o.Marshal(); !bytes.Equal(got, want) {
		t.Errorf("encoded %x", got)
	}
	if _, err := chain.ParseOffer(slices.Concat([]byte{0x40, 64}, x(2, 32), x(1, 32), []byte{0})); !errors.Is(err, wire.ErrCanonical) {
		t.Errorf("tips out of order: %v", err)
	}
	many := chain.Offer{Tips: []wire.BlockHash{fill32(1)}, Locator: make([]wire.BlockHash, chain.MaxOffer)}
	if _, err := chain.ParseOffer(many.Marshal()); !errors.Is(err, wire.ErrTooLong) {
		t.Errorf("65 hashes: %v", err)
	}
}

func TestProofBytes(t *testing.T) {
	p := newPerson(t, "ann")
	raw := p.headers[0].Bytes()
	want := slices.Concat(wire.Opaque(wire.Opaque(raw)))
	if got := p.proof(); !bytes.Equal(got, want) {
		t.Errorf("encoded %x", got)
	}
	if _, err := chain.ParseProof([]byte{0}); err == nil {
		t.Error("an empty proof parses")
	}
}

func TestRefusedHeaderBytes(t *testing.T) {
	good, _ := headerAround([]byte{7, 0})
	change := func(at int, v byte) []byte { b := slices.Clone(good); b[at] = v; return b }
	around := func(ops ...byte) []byte { b, _ := headerAround(ops); return b }
	for _, c := range []struct {
		name string
		b    []byte
		want error
	}{
		{"nothing", nil, wire.ErrShort},
		{"cut short", good[:len(good)-1], wire.ErrShort},
		{"a byte more", append(slices.Clone(good), 0), wire.ErrTrailing},
		{"too long", make([]byte, chain.MaxHeader+1), wire.ErrTooLong},
		{"version", change(0, 2), chain.ErrNewer},
		{"sigalg", change(3, 2), chain.ErrNewer},
		{"class", change(148, 3), wire.ErrCanonical},
		{"length of the ops in a longer form", func() []byte { return slices.Concat(good[:149], []byte{0x40, 2}, good[150:]) }(), wire.ErrLength},
		{"op longer than its content", around(7, 1, 0), wire.ErrTrailing},
		{"op shorter than its content", slices.Concat(good[:149], []byte{33, 6, 31}, x(1, 31), good[152:]), wire.ErrShort},
		{"257 ops", around(bytes.Repeat([]byte{7, 0}, 257)...), wire.ErrTooLong},
		{"role", around(slices.Concat([]byte{4, 0x40, 65}, x(0, 64), []byte{2})...), wire.ErrCanonical},
		{"two cuts for one device", around(slices.Concat([]byte{12, 0x40, 243}, x(0, 128), []byte{0x40, 112}, x(0, 112), []byte{0})...), wire.ErrTooLong},
		{"Park a byte short", around(slices.Concat([]byte{9, 0x40, 95}, x(0, 95))...), wire.ErrShort},
		{"Add of no device", around(slices.Concat([]byte{2, 0x40, 67}, x(0, 64), []byte{0, 0, 0})...), wire.ErrCanonical},
		{"policy version", around(slices.Concat([]byte{1, 0x40, 231}, x(0, 224), []byte{3, 0, 0, 0, 0, 0, 0})...), chain.ErrNewer},
		{"policy of version 2 that version 1 can say", around(5, 21, 1, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), wire.ErrCanonical},
		{"voters out of order", around(slices.Concat([]byte{5, 0x40, 68, 0, 0x40, 64}, x(2, 32), x(1, 32), []byte{0})...), wire.ErrCanonical},
		{"Slash of nothing", around(slices.Concat([]byte{15, 0x40, 99}, x(0, 99))...), wire.ErrCanonical},
		{"policy history", around(slices.Concat([]byte{1, 0x40, 231}, x(0, 224), []byte{1, 0, 2, 0, 0, 0, 0})...), wire.ErrCanonical},
	} {
		if _, err := chain.ParseHeader(c.b); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}
