package identity

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"kith/internal/wire"
)

// A ContactLink invites whoever holds it to become a friend, once.
type ContactLink struct {
	Person wire.PersonID
	Secret [32]byte // one-time; makes the tag and the key of the request
	Peer   []byte   // link peer id
	Hosts  []string // at most MaxLinkHosts, of the forms in hosts.go, best first
	Expiry uint64   // s since 1970
}

// Contact link: "kith:" and, in base64url without padding,
//
//	size field
//	1    version, 1
//	32   person id
//	32   secret
//	8    expiry, s
//	V    link peer id, at most 64
//	V    hosts, at most 4; each as in hosts.go
//	4    checksum: H("link check", all before it), cut
//
// The version stays first and the checksum last in every later version.
const (
	linkPrefix   = "kith:"
	linkVersion  = 1
	linkChecksum = 4
	linkAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
)

var linkText = base64.NewEncoding(linkAlphabet).WithPadding(base64.NoPadding)

// Text returns the text of the link. The error is an *InputError with
// ReasonLinkHost or ReasonLinkLong.
func (l ContactLink) Text() (string, error) {
	if len(l.Peer) > MaxPeer || len(l.Hosts) > MaxLinkHosts {
		return "", refuse(ReasonLinkLong)
	}
	var w wire.Writer
	w.U8(linkVersion)
	w.Raw(l.Person[:])
	w.Raw(l.Secret[:])
	w.U64(l.Expiry)
	w.Vec(l.Peer)
	ok := true
	w.Group(func(w *wire.Writer) {
		for _, h := range l.Hosts {
			ok = writeHost(w, h) && ok
		}
	})
	if !ok {
		return "", refuse(ReasonLinkHost)
	}
	sum := linkSum(w.Bytes())
	w.Raw(sum[:])
	text := linkPrefix + linkText.EncodeToString(w.Bytes())
	if len(text) > MaxLinkText {
		return "", refuse(ReasonLinkLong)
	}
	return text, nil
}

// ParseContactLink decodes what Text made; white space, which mail programs put
// in, is passed over. now is the time in s since 1970. The error is an
// *InputError that says what is wrong with the link.
func ParseContactLink(text string, now uint64) (ContactLink, error) {
	// White space is counted too, so that a flood is refused before it is copied.
	if len(text) > 2*MaxLinkText {
		return ContactLink{}, refuse(ReasonLinkLong)
	}
	text = strings.Join(strings.Fields(text), "")
	body, ok := strings.CutPrefix(text, linkPrefix)
	switch {
	case !ok:
		return ContactLink{}, refuse(ReasonLinkText)
	case len(text) > MaxLinkText:
		return ContactLink{}, refuse(ReasonLinkLong)
	}
	b, err := checkedLink(body)
	if err != nil {
		return ContactLink{}, err
	}
	l, err := parseLink(b)
	switch {
	case err != nil:
		return ContactLink{}, refuse(ReasonLinkForm)
	case now >= l.Expiry:
		return ContactLink{}, refuse(ReasonLinkExpired)
	}
	return l, nil
}

// checkedLink decodes the text and returns what stands before the checksum. A
// wrong checksum means a cut if the rest, read as it stands, wants more bytes
// than there are.
func checkedLink(body string) ([]byte, error) {
	for _, c := range body {
		if !strings.ContainsRune(linkAlphabet, c) {
			return nil, refuse(ReasonLinkTypo)
		}
	}
	// One character beyond a multiple of four holds no byte: the next was cut.
	whole := body
	if len(body)%4 == 1 {
		whole = body[:len(body)-1]
	}
	b, err := linkText.DecodeString(whole)
	if err != nil {
		return nil, refuse(ReasonLinkTypo)
	}
	n := len(b) - linkChecksum
	if n < 1 {
		return nil, refuse(ReasonLinkShort)
	}
	sum := linkSum(b[:n])
	if !bytes.Equal(sum[:], b[n:]) || linkText.EncodeToString(b) != body {
		if _, err := parseLink(b[:n]); errors.Is(err, wire.ErrShort) {
			return nil, refuse(ReasonLinkShort)
		}
		return nil, refuse(ReasonLinkTypo)
	}
	if b[0] != linkVersion {
		return nil, refuse(ReasonLinkVersion)
	}
	return b[:n], nil
}

func parseLink(b []byte) (l ContactLink, err error) {
	r := wire.NewReader(b)
	if r.U8() != linkVersion {
		r.Fail(wire.ErrCanonical)
	}
	r.Fixed(l.Person[:])
	r.Fixed(l.Secret[:])
	l.Expiry = r.U64()
	l.Peer = slices.Clone(r.Vec(MaxPeer))
	r.Each(MaxLinkHosts*maxHost, MaxLinkHosts, func(r *wire.Reader) {
		l.Hosts = append(l.Hosts, readHost(r))
	})
	return l, r.Done()
}

func linkSum(b []byte) [linkChecksum]byte {
	h := wire.Hash(wire.HashLinkCheck, b)
	return [linkChecksum]byte(h[:linkChecksum])
}

// Tag returns the 16 bytes by which a request says which link it was made with.
func (l ContactLink) Tag() [16]byte {
	return [16]byte(derive(l.Secret[:], wire.InfoLinkTag, 16))
}

// MakerSecret is by which whoever holds the link finds its maker at the rendezvous.
func (l ContactLink) MakerSecret() [32]byte {
	return [32]byte(derive(l.Secret[:], wire.InfoLinkMaker, 32))
}

// AskerSecret is by which the maker finds whoever opens the link there.
func (l ContactLink) AskerSecret() [32]byte {
	return [32]byte(derive(l.Secret[:], wire.InfoLinkAsker, 32))
}

// Sealed request
//
//	size field
//	12   nonce, random
//	n    AES-256-GCM ciphertext, no additional data
//	16   tag

// SealRequest seals a request to the maker of the link.
func (l ContactLink) SealRequest(plain []byte) []byte {
	return sealBy(l.Secret, wire.InfoLinkKey, plain)
}

// OpenRequest opens a request that was made with the link.
func (l ContactLink) OpenRequest(box []byte) ([]byte, error) {
	return openBy(l.Secret, wire.InfoLinkKey, box)
}

// sealBy seals what is said before there is a session, by the secret of a link.
func sealBy(secret [32]byte, info string, plain []byte) []byte {
	aead := aeadOf(secret, info)
	nonce := wire.Random(aead.NonceSize())
	return aead.Seal(nonce, nonce, plain, nil)
}

// openBy opens what sealBy made.
func openBy(secret [32]byte, info string, box []byte) ([]byte, error) {
	aead := aeadOf(secret, info)
	if len(box) < aead.NonceSize()+aead.Overhead() || len(box) > aead.NonceSize()+MaxRequest+aead.Overhead() {
		return nil, ErrRequest
	}
	plain, err := aead.Open(nil, box[:aead.NonceSize()], box[aead.NonceSize():], nil)
	if err != nil {
		return nil, ErrRequest
	}
	return plain, nil
}

func aeadOf(secret [32]byte, info string) cipher.AEAD {
	block, err := aes.NewCipher(derive(secret[:], info, 32))
	if err != nil {
		panic("identity: AES: " + err.Error())
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic("identity: GCM: " + err.Error())
	}
	return aead
}

// Format does not print the secret, whatever the verb.
func (ContactLink) Format(f fmt.State, _ rune) { redact(f, "identity.ContactLink") }
