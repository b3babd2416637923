package identity

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"kith/internal/wire"
)

// An Info is what an info commitment in a chain hides: a person's name or a
// group's title, and the hash of its picture (zero without one).
type Info struct {
	Salt    [32]byte // keeps those who see only the commitment from trying names
	Name    string
	Picture wire.Digest
}

// Info
//
//	size field
//	32   salt
//	V    name, 1 to 64 runes of UTF-8
//	32   picture hash, zero without one

// NewInfo returns an info with a new salt. White space around name is dropped.
// The error is an *InputError.
func NewInfo(name string) (Info, error) {
	name = strings.TrimSpace(name)
	if err := checkName(name); err != nil {
		return Info{}, err
	}
	return Info{Salt: [32]byte(wire.Random(32)), Name: name}, nil
}

// Commit returns the commitment: H("info", encoding).
func (i Info) Commit() wire.Digest {
	return wire.Digest(wire.Hash(wire.HashInfo, i.Marshal()))
}

// Marshal encodes the info.
func (i Info) Marshal() []byte {
	var w wire.Writer
	w.Raw(i.Salt[:])
	w.Vec([]byte(i.Name))
	w.Raw(i.Picture[:])
	return w.Bytes()
}

// ParseInfo decodes what Marshal made. A name that breaks the rules gives an
// *InputError, other bytes ErrInfo.
func ParseInfo(b []byte) (Info, error) {
	var i Info
	r := wire.NewReader(b)
	r.Fixed(i.Salt[:])
	name := r.Vec(maxNameBytes)
	r.Fixed(i.Picture[:])
	if r.Done() != nil {
		return Info{}, ErrInfo
	}
	i.Name = string(name)
	if err := checkName(i.Name); err != nil {
		return Info{}, err
	}
	return i, nil
}

// checkName applies the rules of names and titles.
func checkName(name string) error {
	switch {
	case !utf8.ValidString(name):
		return refuse(ReasonNameText)
	case utf8.RuneCountInString(name) > MaxName:
		return refuse(ReasonNameLong)
	case strings.ContainsFunc(name, deceives):
		return refuse(ReasonNameControl)
	case !strings.ContainsFunc(name, visible):
		return refuse(ReasonNameEmpty)
	case strings.TrimSpace(name) != name:
		return refuse(ReasonNameSpace)
	}
	return nil
}

// deceives reports whether c is a control, a line break, a character that
// reorders its neighbours (UAX 9 section 2), or one that takes no space at
// all. Joiners and the plain direction marks stay: languages need them.
func deceives(c rune) bool {
	switch {
	case unicode.Is(unicode.Cc, c), unicode.Is(unicode.Zl, c), unicode.Is(unicode.Zp, c),
		c >= 0x202a && c <= 0x202e, c >= 0x2066 && c <= 0x2069,
		c == 0x200b, c >= 0x2060 && c <= 0x2065, c == 0xfeff,
		c >= 0xfff9 && c <= 0xfffb:
		return true
	}
	return false
}

// visible reports whether c alone shows something; U+2800 is the empty Braille
// pattern.
func visible(c rune) bool {
	return c != 0x2800 && unicode.IsGraphic(c) && !unicode.IsSpace(c) && !unicode.Is(unicode.M, c) &&
		!unicode.Is(unicode.Other_Default_Ignorable_Code_Point, c)
}
