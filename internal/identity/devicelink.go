package identity

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"kith/internal/wire"
)

// A DeviceLink lets whoever holds it become a device of the person whose device made
// it, once, and if that person confirms it there.
type DeviceLink struct {
	Secret [32]byte
	Peer   []byte   // link peer id of the device that made it
	Hosts  []string // 1 to MaxLinkHosts, of the forms in hosts.go, best first
	Expiry uint64   // s since 1970
}

// Device link: "kithdevice:" and, in base64url without padding,
//
//	size field
//	1    version, 1
//	32   secret
//	8    expiry, s
//	V    link peer id, 1 to 64 bytes
//	V    hosts, 1 to 4; each as in hosts.go
//	4    checksum: H("device check", all before it), cut
//
// The version stays first and the checksum last in every later version.
const (
	devicePrefix      = "kithdevice:"
	deviceLinkVersion = 1
)

// Text returns the text of the link. The error is an *InputError.
func (l DeviceLink) Text() (string, error) {
	if len(l.Peer) == 0 || len(l.Peer) > MaxPeer || len(l.Hosts) == 0 || len(l.Hosts) > MaxLinkHosts {
		return "", refuse(ReasonDeviceHost)
	}
	var w wire.Writer
	w.U8(deviceLinkVersion)
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
		return "", refuse(ReasonDeviceHost)
	}
	sum := deviceSum(w.Bytes())
	w.Raw(sum[:])
	return devicePrefix + linkText.EncodeToString(w.Bytes()), nil
}

// ParseDeviceLink decodes what Text made; white space is passed over. now is the time
// in s since 1970. The error is an *InputError that says what is wrong.
func ParseDeviceLink(text string, now uint64) (DeviceLink, error) {
	if len(text) > 2*MaxLinkText {
		return DeviceLink{}, refuse(ReasonDeviceForm)
	}
	text = strings.Join(strings.Fields(text), "")
	body, ok := strings.CutPrefix(text, devicePrefix)
	switch {
	case !ok:
		return DeviceLink{}, refuse(ReasonDeviceText)
	case len(text) > MaxLinkText:
		return DeviceLink{}, refuse(ReasonDeviceForm)
	}
	raw, err := linkText.DecodeString(body)
	n := len(raw) - linkChecksum
	if err != nil || n < 1 || linkText.EncodeToString(raw) != body {
		return DeviceLink{}, refuse(ReasonDeviceTypo)
	}
	sum := deviceSum(raw[:n])
	if !bytes.Equal(sum[:], raw[n:]) {
		return DeviceLink{}, refuse(ReasonDeviceTypo)
	}
	if raw[0] != deviceLinkVersion {
		return DeviceLink{}, refuse(ReasonDeviceVersion)
	}
	l, err := parseDeviceLink(raw[1:n])
	switch {
	case err != nil:
		return DeviceLink{}, refuse(ReasonDeviceForm)
	case now >= l.Expiry:
		return DeviceLink{}, refuse(ReasonDeviceExpired)
	}
	return l, nil
}

func parseDeviceLink(raw []byte) (l DeviceLink, err error) {
	r := wire.NewReader(raw)
	r.Fixed(l.Secret[:])
	l.Expiry = r.U64()
	l.Peer = slices.Clone(r.Vec(MaxPeer))
	r.Each(MaxLinkHosts*maxHost, MaxLinkHosts, func(r *wire.Reader) {
		l.Hosts = append(l.Hosts, readHost(r))
	})
	if len(l.Peer) == 0 || len(l.Hosts) == 0 {
		r.Fail(wire.ErrCanonical)
	}
	return l, r.Done()
}

func deviceSum(b []byte) [linkChecksum]byte {
	h := wire.Hash(wire.HashDeviceCheck, b)
	return [linkChecksum]byte(h[:linkChecksum])
}

// Tag returns the 16 bytes by which who joins says which link it has.
func (l DeviceLink) Tag() [16]byte {
	return [16]byte(derive(l.Secret[:], wire.InfoDeviceTag, 16))
}

// Seal seals what is said first to whoever has the link, as a request is by a contact
// link.
func (l DeviceLink) Seal(plain []byte) []byte { return sealBy(l.Secret, wire.InfoDeviceKey, plain) }

// Open opens what Seal made with the link.
func (l DeviceLink) Open(box []byte) ([]byte, error) {
	return openBy(l.Secret, wire.InfoDeviceKey, box)
}

// Format does not print the secret, whatever the verb.
func (DeviceLink) Format(f fmt.State, _ rune) { redact(f, "identity.DeviceLink") }
