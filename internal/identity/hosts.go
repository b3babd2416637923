package identity

import (
	"encoding/base64"
	"strconv"
	"strings"

	"kith/internal/wire"
)

// Host in a contact link
//
//	size field
//	1    form: 1 /ip4/A/tcp/P, 2 /ip4/A/udp/P/quic-v1,
//	           3 /ip6/A/tcp/P, 4 /ip6/A/udp/P/quic-v1; 5 is reserved for onion services;
//	           6 /ip4/A/tcp/P/tls/ws, 7 /ip6/A/tcp/P/tls/ws; bit 6: a relay there
//	4/16 address A
//	2    port P, not zero
//	32   with bit 6: the link key of the relay
//
// The text is that of multiaddrs: the address in its canonical form (RFC 5952),
// the port without leading zeros; of a relay "/relay/" and its key in base64url follow
// (docs/spec/link.md). maxHost is the longest.
const (
	maxHost   = 1 + 16 + 2 + relayKey
	relayKey  = 32
	relayBit  = 1 << 6
	relayPart = "/relay/"
)

type hostForm struct {
	family, transport, tail string
	size                    int // of the address, in bytes
}

// hostForms is indexed by form - 1.
var hostForms = [...]hostForm{
	{"ip4", "tcp", "", 4},
	{"ip4", "udp", "/quic-v1", 4},
	{"ip6", "tcp", "", 16},
	{"ip6", "udp", "/quic-v1", 16},
	{}, // reserved
	{"ip4", "tcp", "/tls/ws", 4},
	{"ip6", "tcp", "/tls/ws", 16},
}

func (f hostForm) text(address []byte, port uint16) string {
	return "/" + f.family + "/" + formatIP(address) + "/" + f.transport + "/" + strconv.Itoa(int(port)) + f.tail
}

// writeHost appends the host with this text; it reports whether the text is of
// one of the forms.
func writeHost(w *wire.Writer, text string) bool {
	text, relay, relayed := strings.Cut(text, relayPart)
	key, err := base64.RawURLEncoding.Strict().DecodeString(relay)
	if relayed && (err != nil || len(key) != relayKey || base64.RawURLEncoding.EncodeToString(key) != relay) {
		return false
	}
	parts := strings.Split(text, "/")
	if len(parts) < 5 {
		return false
	}
	port, err := strconv.ParseUint(parts[4], 10, 16)
	if err != nil || port == 0 {
		return false
	}
	for i, f := range hostForms {
		address, ok := parseIP(parts[2], f.size)
		if ok && f.size != 0 && !mapped(address) && f.text(address, uint16(port)) == text {
			form := uint8(i + 1)
			if relayed {
				form |= relayBit
			}
			w.U8(form)
			w.Raw(address)
			w.U16(uint16(port))
			w.Raw(key)
			return true
		}
	}
	return false
}

func readHost(r *wire.Reader) string {
	form := r.U8()
	if r.Err() != nil {
		return ""
	}
	relayed := form&relayBit != 0
	if form &^= relayBit; form == 0 || int(form) > len(hostForms) || hostForms[form-1].size == 0 {
		r.Fail(wire.ErrCanonical)
		return ""
	}
	f := hostForms[form-1]
	address := r.Raw(f.size)
	port := r.U16()
	var key []byte
	if relayed {
		key = r.Raw(relayKey)
	}
	if r.Err() != nil {
		return ""
	}
	if port == 0 || mapped(address) {
		r.Fail(wire.ErrCanonical)
		return ""
	}
	text := f.text(address, port)
	if relayed {
		text += relayPart + base64.RawURLEncoding.EncodeToString(key)
	}
	return text
}
