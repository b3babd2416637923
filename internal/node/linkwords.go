package node

import (
	"slices"
	"unicode"
	"unicode/utf8"

	"kith/internal/chain"
	"kith/internal/identity"
	"kith/internal/wire"
)

// What two devices say while one is linked to the other's person, in a session that is for
// nothing else, on channel zero (docs/spec/device-link.md). Numbers are on the wire: append
// only. "New" is the device that joins, "maker" the one that made the link.
//
//	size field
//	1    1, reveal: new to maker, first
//	32   nonce, which the first frame of the connection was bound to
//	V    name of the device, 1 to 64 characters
//
//	1    2, taken: maker to new, once the person has confirmed and it is stored
//	V    identity.Info of the person
//	V    headers of the person's chain, each V; the device is active in them
//	32   the group of the person's notes
//	2    key packages that are needed for groups of the post-quantum suite, at most 1,024
//	2    the same for suite 1
//
//	1    3, shared: maker to new, any number of times after 2
//	V    records (shared.go), at most 1 MiB
//
//	1    4, all: maker to new: there is nothing more
//
//	1    5, packages: new to maker, any number of times, once all of that is stored
//	V    key packages, each V
//
//	1    6, installed: new to maker, last
//
//	1    7, refused: either, last
//	1    why: see linkRefusal
const (
	linkReveal    uint8 = 1
	linkTaken     uint8 = 2
	linkShared    uint8 = 3
	linkAll       uint8 = 4
	linkPackages  uint8 = 5
	linkInstalled uint8 = 6
	linkRefused   uint8 = 7
)

// A linkRefusal says why a device is not linked. Numbers are on the wire: append only.
type linkRefusal uint8

const (
	linkNotConfirmed linkRefusal = 1 // the person said that the digits differ, or gave up
	linkTooMany      linkRefusal = 2 // the person has as many devices as can be
	linkFault        linkRefusal = 3 // what the other said does not fit together, or could not be stored
)

const (
	maxDeviceName   = 4 * identity.MaxName // bytes
	maxLinkPackages = 1024                 // of one suite; who has more groups makes them when the two meet
	packagesAtOnce  = 64
)

type (
	linkRevealWord struct {
		nonce [32]byte
		name  string
	}
	linkTakenWord struct {
		info    []byte
		headers [][]byte
		notes   wire.GroupID
		modern  uint16
		old     uint16
	}
	linkSharedWord    struct{ records []byte }
	linkAllWord       struct{}
	linkPackagesWord  [][]byte
	linkInstalledWord struct{}
	linkRefusedWord   struct{ why linkRefusal }
)

type linkWord interface{ bytes() []byte }

func (m linkRevealWord) bytes() []byte {
	var w wire.Writer
	w.U8(linkReveal)
	w.Raw(m.nonce[:])
	w.Vec([]byte(m.name))
	return w.Bytes()
}

func (m linkTakenWord) bytes() []byte {
	var w wire.Writer
	w.U8(linkTaken)
	w.Vec(m.info)
	writeVector(&w, m.headers)
	w.Raw(m.notes[:])
	w.U16(m.modern)
	w.U16(m.old)
	return w.Bytes()
}

func (m linkSharedWord) bytes() []byte {
	var w wire.Writer
	w.U8(linkShared)
	w.Vec(m.records)
	return w.Bytes()
}

func (linkAllWord) bytes() []byte { return []byte{linkAll} }

func (m linkPackagesWord) bytes() []byte {
	var w wire.Writer
	w.U8(linkPackages)
	writeVector(&w, m)
	return w.Bytes()
}

func (linkInstalledWord) bytes() []byte { return []byte{linkInstalled} }

func (m linkRefusedWord) bytes() []byte { return []byte{linkRefused, uint8(m.why)} }

// parseLinkWord reads what the other side says.
func parseLinkWord(b []byte) (m linkWord, err error) {
	r := wire.NewReader(b)
	switch r.U8() {
	case linkReveal:
		var reveal linkRevealWord
		r.Fixed(reveal.nonce[:])
		reveal.name = string(r.Vec(maxDeviceName))
		if r.Err() == nil && checkDeviceName(reveal.name) != nil {
			r.Fail(wire.ErrCanonical)
		}
		m = reveal
	case linkTaken:
		t := linkTakenWord{info: slices.Clone(r.Vec(identity.MaxInfo))}
		t.headers = readVector(r, maxOwnHeaders, chain.MaxProofHeaders, chain.MaxHeader)
		r.Fixed(t.notes[:])
		t.modern, t.old = r.U16(), r.U16()
		if max(t.modern, t.old) > maxLinkPackages {
			r.Fail(wire.ErrTooLong)
		}
		m = t
	case linkShared:
		m = linkSharedWord{slices.Clone(r.Vec(maxSharedTold))}
	case linkAll:
		m = linkAllWord{}
	case linkPackages:
		m = linkPackagesWord(readVector(r, packagesAtOnce*(maxOwnPackage+4), packagesAtOnce, maxOwnPackage))
	case linkInstalled:
		m = linkInstalledWord{}
	case linkRefused:
		m = linkRefusedWord{linkRefusal(r.U8())}
	default:
		r.Fail(wire.ErrCanonical)
	}
	return m, r.Done()
}

// checkDeviceName refuses a name that could not be shown on a line.
func checkDeviceName(name string) error {
	visible := false
	for _, c := range name {
		if c == utf8.RuneError || !unicode.IsGraphic(c) {
			return fail(ReasonDeviceName, "")
		}
		visible = visible || !unicode.IsSpace(c)
	}
	if !visible || utf8.RuneCountInString(name) > identity.MaxName {
		return fail(ReasonDeviceName, "")
	}
	return nil
}

// linkDigits are the six digits that both devices show: nobody who stands between them can
// make them alike, since the new device was bound to its nonce before it knew the maker's.
//
//	H("link digits", person[32], maker's device[32], maker's nonce[32], new device[32], nonce[32], H of its
//	knock key[32]), the first 8 bytes as a number, big-endian, modulo 1,000,000
func linkDigits(maker wire.Member, makerNonce [32]byte, joiner wire.DeviceID, nonce [32]byte, knock []byte) string {
	sum := chain.KnockHash(knock)
	h := wire.Hash(wire.HashLinkDigits, maker.Person[:], maker.Device[:], makerNonce[:], joiner[:], nonce[:], sum[:])
	n := uint64(0)
	for _, b := range h[:8] {
		n = n<<8 | uint64(b)
	}
	digits := make([]byte, 6)
	for i := range digits {
		digits[len(digits)-1-i] = byte('0' + n%10)
		n /= 10
	}
	return string(digits)
}
