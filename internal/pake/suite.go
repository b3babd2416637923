package pake

import (
	"crypto/hmac"
	"crypto/sha512"
	"encoding/binary"
)

// Strings of the draft (sections 7.2, 8.3 and 10.4). They begin with "CPace", and
// no label of ours does.
const (
	dsi    = "CPaceRistretto255"
	dsiISK = dsi + "_ISK"
	macKey = "CPaceMac"
)

// appendLV is lv_cat (section 6.3): each part after its length in LEB128.
func appendLV(b []byte, parts ...[]byte) []byte {
	for _, p := range parts {
		b = binary.AppendUvarint(b, uint64(len(p)))
		b = append(b, p...)
	}
	return b
}

// sizeLV is the length of lv_cat of parts, or more: of each below 128 KiB.
func sizeLV(parts ...[]byte) int {
	n := 0
	for _, p := range parts {
		n += 3 + len(p)
	}
	return n
}

// generatorString is generator_string (section 8.1). The zeros make code and DSI
// fill the first block of the hash, so that its time does not tell the length of
// a short code.
func generatorString(in Input) []byte {
	head := len(appendLV(nil, []byte(dsi))) + len(binary.AppendUvarint(nil, uint64(len(in.Code)))) + len(in.Code)
	parts := [][]byte{[]byte(dsi), in.Code, make([]byte, max(0, sha512.BlockSize-1-head)), in.Channel, in.Session}
	return appendLV(make([]byte, 0, sizeLV(parts...)), parts...) // grows nowhere: no copy of the code stays behind
}

// ownShare is G.scalar_mult(y, G.calculate_generator(H, PRS, CI, sid)).
func ownShare(in Input, y *secret) share {
	text := generatorString(in)
	hash := sha512.Sum512(text)
	g := generator(hash[:])
	clear(text)
	clear(hash[:])
	ours := y.times(g)
	forget(g)
	return ours
}

// A transcript is what both sides said, in the order of their roles.
type transcript struct {
	a, b     share
	adA, adB []byte
}

// isk is the intermediate session key (section 7.2), with transcript_ir.
func (t *transcript) isk(session []byte, k *share) [iskSize]byte {
	parts := [][]byte{[]byte(dsiISK), session, k[:], t.a[:], t.adA, t.b[:], t.adB}
	text := appendLV(make([]byte, 0, sizeLV(parts...)), parts...)
	defer clear(text)
	return sha512.Sum512(text)
}

// tags are those of both sides (section 10.4): each over what its side sent.
func (t *transcript) tags(session []byte, isk *[iskSize]byte) (a, b [tagSize]byte) {
	text := make([]byte, 0, len(macKey)+len(session)+iskSize)
	text = append(append(append(text, macKey...), session...), isk[:]...)
	key := sha512.Sum512(text)
	clear(text)
	defer clear(key[:])
	tag := func(ad []byte, sent share) [tagSize]byte {
		h := hmac.New(sha512.New, key[:])
		h.Write(appendLV(nil, sent[:], ad))
		return [tagSize]byte(h.Sum(nil))
	}
	return tag(t.adA, t.a), tag(t.adB, t.b)
}
