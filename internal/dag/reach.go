package dag

import (
	"crypto/ed25519"
	"slices"

	"kith/internal/wire"
)

// A Reach says where a device can be reached, to members only. It stands
// beside the log like an [Ack]; without hosts it takes back the one before.
type Reach struct {
	Version   uint8
	SigAlg    uint8
	Group     wire.GroupID
	Device    wire.DeviceID
	Seq       uint64   // counts this device's Reaches in this group, from 1
	Peer      []byte   // link peer id; never the device key
	Hosts     []string // multiaddrs, best first
	Expiry    uint64   // ms
	Signature [wire.SignatureSize]byte
}

// Reach
//
//	size field
//	1    version, 1
//	1    sigalg, 1
//	32   group id
//	32   device id
//	8    seq, from 1
//	V    link peer id, at most 64
//	V    hosts, at most 8; each V of 1 to 128 printable ASCII bytes
//	8    expiry, ms
//	-- what the signature covers ends here
//	64   signature

// Marshal encodes the Reach.
func (a *Reach) Marshal() []byte { return append(a.SignedBytes(), a.Signature[:]...) }

// SignedBytes returns what is signed under wire.SignReach.
func (a *Reach) SignedBytes() []byte {
	var w wire.Writer
	w.U8(a.Version)
	w.U8(a.SigAlg)
	w.Raw(a.Group[:])
	w.Raw(a.Device[:])
	w.U64(a.Seq)
	w.Vec(a.Peer)
	w.Group(func(w *wire.Writer) {
		for _, h := range a.Hosts {
			w.Vec([]byte(h))
		}
	})
	w.U64(a.Expiry)
	return w.Bytes()
}

// ParseReach decodes what Marshal made.
func ParseReach(b []byte) (*Reach, error) {
	r := wire.NewReader(b)
	a := new(Reach)
	a.Version, a.SigAlg = readHead(r, Version)
	r.Fixed(a.Group[:])
	r.Fixed(a.Device[:])
	a.Seq = readSeq(r)
	a.Peer = slices.Clone(r.Vec(MaxPeer))
	r.Each(MaxHosts*(MaxHost+2), MaxHosts, func(r *wire.Reader) {
		a.Hosts = append(a.Hosts, readHost(r))
	})
	a.Expiry = r.U64()
	r.Fixed(a.Signature[:])
	if err := r.Done(); err != nil {
		return nil, malformed(err)
	}
	return a, nil
}

func readHost(r *wire.Reader) string {
	b := r.Vec(MaxHost)
	if len(b) == 0 {
		r.Fail(wire.ErrCanonical)
	}
	for _, c := range b {
		if c <= ' ' || c > '~' {
			r.Fail(wire.ErrCanonical)
		}
	}
	return string(b)
}

// Sign sets the signature to what sign, the signer of the device, makes.
func (a *Reach) Sign(sign func(wire.Label, []byte) []byte) {
	a.Signature = [wire.SignatureSize]byte(sign(wire.SignReach, a.SignedBytes()))
}

// Verify reports whether key, which must be the key of a.Device, signed the
// Reach.
func (a *Reach) Verify(key ed25519.PublicKey) bool {
	return wire.Device(key) == a.Device &&
		wire.Verify(key, wire.SignReach, a.SignedBytes(), a.Signature[:])
}

func (a *Reach) number() uint64 { return a.Seq }
