package identity

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"kith/internal/wire"
)

// A Box is the address of a mailbox, with the secret that lets one make drops
// there.
type Box struct {
	Peer   []byte   // link peer id
	Hosts  []string // 1 to MaxLinkHosts, of the forms in hosts.go, best first
	Access [32]byte
}

// Address of a mailbox: "kithbox:" and, in base64url without padding,
//
//	size field
//	1    version, 1
//	32   access secret
//	V    link peer id, 1 to 64 bytes
//	V    hosts, 1 to 4; each as in hosts.go
//	4    checksum: H("box check", all before it), cut
//
// The version stays first and the checksum last in every later version.
const (
	boxPrefix  = "kithbox:"
	boxVersion = 1
)

// Text returns the text of the address. The error is an *InputError.
func (b Box) Text() (string, error) {
	if len(b.Peer) == 0 || len(b.Peer) > MaxPeer {
		return "", refuse(ReasonBoxForm)
	}
	if len(b.Hosts) == 0 || len(b.Hosts) > MaxLinkHosts {
		return "", refuse(ReasonBoxHost)
	}
	var w wire.Writer
	w.U8(boxVersion)
	w.Raw(b.Access[:])
	w.Vec(b.Peer)
	ok := true
	w.Group(func(w *wire.Writer) {
		for _, h := range b.Hosts {
			ok = writeHost(w, h) && ok
		}
	})
	if !ok {
		return "", refuse(ReasonBoxHost)
	}
	sum := boxSum(w.Bytes())
	w.Raw(sum[:])
	return boxPrefix + linkText.EncodeToString(w.Bytes()), nil
}

// ParseBox decodes what Text made; white space is passed over. The error is an
// *InputError that says what is wrong.
func ParseBox(text string) (Box, error) {
	if len(text) > 2*MaxBoxText {
		return Box{}, refuse(ReasonBoxForm)
	}
	text = strings.Join(strings.Fields(text), "")
	body, ok := strings.CutPrefix(text, boxPrefix)
	switch {
	case !ok:
		return Box{}, refuse(ReasonBoxText)
	case len(text) > MaxBoxText:
		return Box{}, refuse(ReasonBoxForm)
	}
	raw, err := linkText.DecodeString(body)
	n := len(raw) - linkChecksum
	if err != nil || n < 1 || linkText.EncodeToString(raw) != body {
		return Box{}, refuse(ReasonBoxTypo)
	}
	sum := boxSum(raw[:n])
	if !bytes.Equal(sum[:], raw[n:]) {
		return Box{}, refuse(ReasonBoxTypo)
	}
	if raw[0] != boxVersion {
		return Box{}, refuse(ReasonBoxVersion)
	}
	b, err := parseBox(raw[1:n])
	if err != nil {
		return Box{}, refuse(ReasonBoxForm)
	}
	return b, nil
}

func parseBox(raw []byte) (b Box, err error) {
	r := wire.NewReader(raw)
	r.Fixed(b.Access[:])
	b.Peer = slices.Clone(r.Vec(MaxPeer))
	r.Each(MaxLinkHosts*maxHost, MaxLinkHosts, func(r *wire.Reader) {
		b.Hosts = append(b.Hosts, readHost(r))
	})
	if len(b.Peer) == 0 || len(b.Hosts) == 0 {
		r.Fail(wire.ErrCanonical)
	}
	return b, r.Done()
}

func boxSum(b []byte) [linkChecksum]byte {
	h := wire.Hash(wire.HashBoxCheck, b)
	return [linkChecksum]byte(h[:linkChecksum])
}

// BoxHosts keeps of hosts those that the address of a mailbox can carry, at most
// MaxLinkHosts of them.
func BoxHosts(hosts []string) []string {
	var kept []string
	for _, h := range hosts {
		var w wire.Writer
		if len(kept) < MaxLinkHosts && writeHost(&w, h) {
			kept = append(kept, h)
		}
	}
	return kept
}

// Format does not print the secret, whatever the verb.
func (Box) Format(f fmt.State, _ rune) { redact(f, "identity.Box") }
